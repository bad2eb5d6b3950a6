//! What a function of a delivery stream answers.
#![no_main]

use bytes::Bytes;
use headwater_delivery::fuzzing::function_answer;
use headwater_fuzz::block_on;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|answer: &[u8]| block_on(function_answer(Bytes::copy_from_slice(answer))));
