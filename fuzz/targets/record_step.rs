//! Records on their way through a delivery stream: unpacked, taken apart, asked for partition keys.
#![cfg_attr(feature = "libfuzzer", no_main)]

use bytes::Bytes;
use headwater_delivery::{Deaggregation, Format, Step, fuzzing::step};
use headwater_fuzz::target;

// Which step, what it is told, and the record.
target!(|input: (u8, &str, &[u8])| {
    let (which, told, data) = input;
    let what = match which % 7 {
        0 => Step::Check(Format::Json),
        1 => Step::Check(Format::Text),
        2 => Step::Decompress,
        3 => Step::LogEvents,
        4 => Step::Deaggregate(Deaggregation::Json),
        5 if told.is_empty() => return,
        5 => Step::Deaggregate(Deaggregation::Delimited(told.to_owned().into())),
        _ => Step::Query(told.to_owned()),
    };
    step(&what, Bytes::copy_from_slice(data));
});
