//! Event stream messages: any bytes, and any headers and payload under checksums that fit.
#![cfg_attr(feature = "libfuzzer", no_main)]

use bytes::BytesMut;
use crc_fast::{CrcAlgorithm::Crc32IsoHdlc, checksum};
use headwater_fuzz::target;
use headwater_wire::event_stream::Message;

target!(|input: (&[u8], &[u8])| {
    let (headers, payload) = input;
    read(payload);
    read(&framed(headers, payload));
});

fn read(bytes: &[u8]) {
    let mut bytes = BytesMut::from(bytes);
    while let Ok(Some(_)) = Message::decode(&mut bytes) {}
}

fn framed(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let sealed = |mut bytes: Vec<u8>| {
        let sum = checksum(Crc32IsoHdlc, &bytes) as u32;
        bytes.extend(sum.to_be_bytes());
        bytes
    };
    let lengths = [
        (16 + headers.len() + payload.len()) as u32,
        headers.len() as u32,
    ];
    let prelude = sealed(lengths.map(u32::to_be_bytes).concat());
    sealed([&prelude, headers, payload].concat())
}
