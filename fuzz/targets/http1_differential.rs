//! Requests in HTTP/1.1, beside hyper's server: the same requests, or a refusal for a reason that is known.
#![no_main]

use headwater_http::fuzzing::differs_from_hyper;
use libfuzzer_sys::fuzz_target;

// The first byte says in pieces of which length the others come.
fuzz_target!(|input: &[u8]| {
    let Some((&step, bytes)) = input.split_first() else {
        return;
    };
    let step = if step == 0 { usize::MAX } else { step.into() };
    if let Some(difference) = differs_from_hyper(bytes, step) {
        panic!("{difference}");
    }
});
