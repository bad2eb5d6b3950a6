//! Rules of alarms over alarms.
#![cfg_attr(feature = "libfuzzer", no_main)]

use headwater_alarms::{Rule, State};
use headwater_fuzz::target;

target!(|text: &str| {
    if let Ok(rule) = Rule::parse(text) {
        rule.holds(&|alarm| (alarm.len() > 3).then_some(State::Alarm));
    }
});
