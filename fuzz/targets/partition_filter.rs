//! Expressions that find partitions of the Glue Data Catalog.
#![cfg_attr(feature = "libfuzzer", no_main)]

use headwater_fuzz::target;
use headwater_glue::fuzzing::filter;

target!(|input: (&str, &str)| filter(input.0, input.1));
