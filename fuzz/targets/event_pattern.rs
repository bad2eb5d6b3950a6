//! Event patterns, and events held against them: a pattern and an event, with a line between them.
#![cfg_attr(feature = "libfuzzer", no_main)]

use headwater_fuzz::target;
use headwater_patterns::Pattern;

target!(|text: &str| {
    let (pattern, event) = text.split_once('\n').unwrap_or((text, "{}"));
    let Ok(pattern) = Pattern::parse(pattern) else {
        return;
    };
    if let Ok(event) = serde_json::from_str(event) {
        pattern.matches(&event);
    }
});
