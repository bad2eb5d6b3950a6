//! Objects on their way into a PostgreSQL: the options of COPY, and rows in all forms, however they are cut.
#![cfg_attr(feature = "libfuzzer", no_main)]

use bytes::Bytes;
use headwater_delivery::fuzzing::rows;
use headwater_fuzz::{block_on, target};

target!(|input: (&str, Vec<&[u8]>)| {
    let (options, pieces) = input;
    let pieces = pieces.into_iter().map(Bytes::copy_from_slice).collect();
    block_on(rows(options, vec!["a".into(), "b".into()], pieces));
});
