//! Event stream messages, as they come in pieces.
#![no_main]

use bytes::BytesMut;
use headwater_wire::event_stream::Message;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut bytes = BytesMut::from(data);
    while let Ok(Some(_)) = Message::decode(&mut bytes) {}
});
