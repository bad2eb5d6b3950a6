//! What `headwater replay` reads: packed in all ways, in JSON and CSV.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::io::Cursor;

use headwater_fuzz::target;
use headwater_tools::replay::{Attributes, Format, read, unpacked};

target!(|data: &[u8]| {
    if let Ok(text) = unpacked(Cursor::new(data.to_vec())) {
        let attributes = Attributes {
            timestamp: "pickup_datetime".into(),
            partition_key: "trip_id".into(),
        };
        drop(read(text, Format::Auto, &attributes, &mut |_| true));
    }
});
