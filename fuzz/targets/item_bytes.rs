//! Items of tables as they are kept: what is read is written the same.
#![cfg_attr(feature = "libfuzzer", no_main)]

use bytes::Bytes;
use headwater_fuzz::target;
use headwater_items::{decode, decode_shared, encode};

target!(|bytes: &[u8]| {
    let item = decode(bytes);
    assert_eq!(decode_shared(&Bytes::copy_from_slice(bytes)), item);
    if let Ok(item) = item {
        let mut written = Vec::new();
        encode(&item, &mut written);
        assert_eq!(written, bytes);
    }
});
