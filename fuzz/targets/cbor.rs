//! CBOR: what is read is written as something that reads the same.
#![cfg_attr(feature = "libfuzzer", no_main)]

use headwater_fuzz::target;
use headwater_wire::cbor::{from_slice, to_vec};
use serde_json::Value;

target!(|data: &[u8]| {
    if let Ok(value) = from_slice::<Value>(data) {
        let written = to_vec(&value).expect("what was read can be written");
        assert_eq!(
            from_slice::<Value>(&written).expect("what was written can be read"),
            value
        );
    }
});
