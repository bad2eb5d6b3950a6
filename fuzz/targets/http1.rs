//! Requests in HTTP/1.1: heads, lengths and chunks, wherever what comes is cut.
#![cfg_attr(feature = "libfuzzer", no_main)]

use headwater_fuzz::target;
use headwater_http::fuzzing::requests;

target!(|input: (&[u8], u8, u8)| {
    let (bytes, one, two) = input;
    let (first, rest) = bytes.split_at(usize::from(one).min(bytes.len()));
    let (second, third) = rest.split_at(usize::from(two).min(rest.len()));
    assert_eq!(requests(&[bytes]), requests(&[first, second, third]));
});
