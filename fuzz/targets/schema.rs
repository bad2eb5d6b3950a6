//! Hive's types, as tables name them.
#![no_main]

use headwater_columnar::{DataType, Schema};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if DataType::parse(text).is_ok() {
        drop(Schema::parse([("a", text), ("b", "int")]));
    }
});
