//! What a function of a delivery stream answers.
#![cfg_attr(feature = "libfuzzer", no_main)]

use bytes::Bytes;
use headwater_delivery::fuzzing::function_answer;
use headwater_fuzz::{block_on, target};

target!(|answer: &[u8]| block_on(function_answer(Bytes::copy_from_slice(answer))));
