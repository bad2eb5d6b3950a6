//! Prefixes with expressions: time patterns, time zones, partition keys.
#![cfg_attr(feature = "libfuzzer", no_main)]

use headwater_delivery::fuzzing::prefixes;
use headwater_fuzz::target;

target!(|input: (Option<&str>, Option<&str>, Option<&str>)| prefixes(input.0, input.1, input.2));
