//! Keys of items as they are kept, one after the other: what is read is written the same.
#![cfg_attr(feature = "libfuzzer", no_main)]

use headwater_fuzz::target;
use headwater_items::key;

target!(|bytes: &[u8]| {
    let mut left = bytes;
    while let Ok((value, rest)) = key::decode(left) {
        let mut written = Vec::new();
        assert!(key::encode(&value, &mut written));
        assert_eq!(written, left[..left.len() - rest.len()]);
        left = rest;
    }
});
