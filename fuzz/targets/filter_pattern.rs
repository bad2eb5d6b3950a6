//! Filter patterns of CloudWatch Logs, and the places in messages that metric filters take values of.
#![cfg_attr(feature = "libfuzzer", no_main)]

use headwater_fuzz::target;
use headwater_loggroups::{Pattern, Select};

target!(|input: (&str, &str, &str)| {
    if let Ok(pattern) = Pattern::parse(input.0) {
        pattern.matches(input.1);
        pattern.named_values(input.1);
        if let Ok(place) = Select::parse(input.2, &pattern) {
            place.text(&pattern, input.1);
        }
    }
});
