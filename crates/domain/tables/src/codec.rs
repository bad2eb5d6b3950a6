//! Bytes of what is kept: little-endian numbers, and bytes behind their lengths.

use bytes::{Buf, Bytes};

/// Appends values to bytes.
#[derive(Default)]
pub(crate) struct Writer(pub Vec<u8>);

impl Writer {
    pub fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub fn u16(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn u32(&mut self, value: usize) {
        // What is kept here is far below 4 GiB.
        let value = u32::try_from(value).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// Bytes behind their length.
    pub fn bytes(&mut self, value: &[u8]) {
        self.u32(value.len());
        self.0.extend_from_slice(value);
    }
}

/// Takes values from bytes; none where these end too early.
pub(crate) struct Reader(pub Bytes);

impl Reader {
    pub fn u8(&mut self) -> Option<u8> {
        self.0.try_get_u8().ok()
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.0.try_get_u16_le().ok()
    }

    pub fn u32(&mut self) -> Option<usize> {
        usize::try_from(self.0.try_get_u32_le().ok()?).ok()
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.0.try_get_u64_le().ok()
    }

    pub fn bytes(&mut self) -> Option<Bytes> {
        let length = self.u32()?;
        (length <= self.0.len()).then(|| self.0.split_to(length))
    }
}
