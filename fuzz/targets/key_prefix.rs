//! Prefixes with expressions: time patterns, time zones, partition keys.
#![no_main]

use headwater_delivery::fuzzing::prefixes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    |input: (Option<&str>, Option<&str>, Option<&str>)| prefixes(input.0, input.1, input.2)
);
