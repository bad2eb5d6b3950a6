//! Filter patterns of CloudWatch Logs.
#![cfg_attr(feature = "libfuzzer", no_main)]

use headwater_fuzz::target;
use headwater_loggroups::Pattern;

target!(|input: (&str, &str)| {
    if let Ok(pattern) = Pattern::parse(input.0) {
        pattern.matches(input.1);
    }
});
