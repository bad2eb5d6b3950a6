//! KPL's aggregates: any message behind a digest that fits.
#![cfg_attr(feature = "libfuzzer", no_main)]

use bytes::Bytes;
use headwater_aggregation::split;
use headwater_fuzz::target;
use md5::{Digest, Md5};

target!(|message: &[u8]| {
    let magic = [0xf3, 0x89, 0x9a, 0xc2];
    drop(split(&Bytes::from(
        [&magic, message, &Md5::digest(message)[..]].concat(),
    )));
});
