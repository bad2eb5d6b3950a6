//! Receipts: what a receiver shows to delete a message or to change how long it is in flight.

use base64::{Engine, engine::general_purpose::STANDARD};
use headwater_types::Millis;

use crate::codec::{Reader, Writer};

const VERSION: u8 = 1;

/// One receive of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The tag of the queue, which another queue of the same name does not have.
    pub(crate) queue: u64,
    /// The message's place.
    pub(crate) offset: u64,
    /// Which receive of it this is, counted from 1.
    pub(crate) receive: u32,
    /// When that was.
    pub(crate) received: Millis,
}

impl Receipt {
    /// Its text.
    pub fn to_text(&self) -> String {
        let mut writer = Writer::default();
        writer.u8(VERSION);
        writer.u64(self.queue);
        writer.u64(self.offset);
        writer.u32(self.receive);
        writer.u64(self.received.0);
        STANDARD.encode(writer.0)
    }

    /// The receipt that has this text.
    pub fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader(STANDARD.decode(text).ok()?.into());
        if reader.u8()? != VERSION {
            return None;
        }
        let receipt = Self {
            queue: reader.u64()?,
            offset: reader.u64()?,
            receive: reader.u32()?,
            received: Millis(reader.u64()?),
        };
        reader.0.is_empty().then_some(receipt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_comes_back_and_nothing_else_is_one() {
        let receipt = Receipt {
            queue: 1,
            offset: 2,
            receive: 3,
            received: Millis(4),
        };
        let text = receipt.to_text();
        assert_eq!(Receipt::parse(&text), Some(receipt));
        for wrong in ["", "x", &text[4..], &format!("{text}AAAA"), "AAAA"] {
            assert_eq!(Receipt::parse(wrong), None, "{wrong}");
        }
    }
}
