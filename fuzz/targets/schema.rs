//! Hive's types, as tables name them.
#![cfg_attr(feature = "libfuzzer", no_main)]

use headwater_columnar::{DataType, Schema};
use headwater_fuzz::target;

target!(|text: &str| {
    if DataType::parse(text).is_ok() {
        drop(Schema::parse([("a", text), ("b", "int")]));
    }
});
