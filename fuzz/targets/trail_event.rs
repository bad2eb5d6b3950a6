//! Events of the trail as the log has them.
#![cfg_attr(feature = "libfuzzer", no_main)]

use headwater_fuzz::target;
use headwater_trail::{decode, encode};

target!(|input: &[u8]| {
    // Most inputs are of the version that is known.
    for value in [input, &[&[1], input].concat()] {
        if let Some(event) = decode(value) {
            assert_eq!(decode(&encode(&event)), Some(event));
        }
    }
});
