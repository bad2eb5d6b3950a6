//! What is kept of metrics: records of the journal, pages of points, names.
#![cfg_attr(feature = "libfuzzer", no_main)]

use headwater_fuzz::target;
use headwater_metrics::fuzzing;

target!(|bytes: &[u8]| fuzzing::kept(bytes));
