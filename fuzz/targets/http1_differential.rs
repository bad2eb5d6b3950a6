//! Requests in HTTP/1.1, beside hyper's server: the same requests, or a refusal for a reason that is known.
#![cfg_attr(feature = "libfuzzer", no_main)]

use headwater_fuzz::target;
use headwater_http::fuzzing::differs_from_hyper;

// The first byte says in pieces of which length the others come.
target!(|input: &[u8]| {
    let Some((&step, bytes)) = input.split_first() else {
        return;
    };
    let step = if step == 0 { usize::MAX } else { step.into() };
    if let Some(difference) = differs_from_hyper(bytes, step) {
        panic!("{difference}");
    }
});
