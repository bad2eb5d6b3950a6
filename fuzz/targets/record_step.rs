//! Records on their way through a delivery stream: unpacked, taken apart, asked for partition keys.
#![no_main]

use arbitrary::Arbitrary;
use bytes::Bytes;
use headwater_delivery::{Deaggregation, Format, Step, fuzzing::step};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
enum Input<'a> {
    Json,
    Text,
    Decompress,
    LogEvents,
    Values,
    Delimited(&'a [u8]),
    Query(&'a str),
}

fuzz_target!(|input: (Input, &[u8])| {
    let (what, data) = input;
    let what = match what {
        Input::Json => Step::Check(Format::Json),
        Input::Text => Step::Check(Format::Text),
        Input::Decompress => Step::Decompress,
        Input::LogEvents => Step::LogEvents,
        Input::Values => Step::Deaggregate(Deaggregation::Json),
        Input::Delimited([]) => return,
        Input::Delimited(by) => {
            Step::Deaggregate(Deaggregation::Delimited(Bytes::copy_from_slice(by)))
        }
        Input::Query(text) => Step::Query(text.to_owned()),
    };
    step(&what, Bytes::copy_from_slice(data));
});
