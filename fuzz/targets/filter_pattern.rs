//! Filter patterns of CloudWatch Logs.
#![no_main]

use headwater_loggroups::Pattern;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    if let Ok(pattern) = Pattern::parse(input.0) {
        pattern.matches(input.1);
    }
});
