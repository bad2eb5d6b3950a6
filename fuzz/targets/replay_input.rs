//! What `headwater replay` reads: packed in all ways, in JSON and CSV.
#![no_main]

use std::io::Cursor;

use headwater_tools::replay::{Attributes, Format, read, unpacked};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = unpacked(Cursor::new(data.to_vec())) {
        drop(read(text, Format::Auto, &Attributes::default(), &mut |_| true));
    }
});
