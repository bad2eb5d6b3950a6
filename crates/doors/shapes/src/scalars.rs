//! The scalars that look different in JSON and CBOR: blobs and times; and streaming bodies.

use std::{fmt, io, pin::Pin, sync::LazyLock};

use base64::{
    Engine,
    engine::{Simd, general_purpose::PAD},
};
use bytes::Bytes;
use futures_util::Stream;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Base64 with the vector instructions of the machine, where it has any.
static BASE64: LazyLock<Simd> = LazyLock::new(|| Simd::standard(PAD));

/// Bytes: base64 in a format that people read (JSON, XML), bytes in CBOR.
///
/// In the former it stands in a newtype struct named [`Blob::TAG`], so that a format which knows it can take what is in
/// there as bytes, and write or read base64 itself without a text in between.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Blob(pub Bytes);

impl Blob {
    /// The newtype's name in formats that people read.
    pub const TAG: &'static str = "headwater.Blob";

    /// Writes bytes in base64 to the end of `out`.
    pub fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
        let (at, len) = (out.len(), bytes.len().div_ceil(3) * 4);
        out.resize(at + len, 0);
        BASE64
            .encode_slice(bytes, &mut out[at..])
            .expect("it is as long as base64 is");
    }
}

/// A time in milliseconds since the epoch: seconds with a fraction in JSON, tagged milliseconds in CBOR.
///
/// Serializers that people read get a number of seconds; the others get milliseconds as an `i64` inside a newtype
/// struct named [`Timestamp::TAG`], which the CBOR half of `wire` writes with CBOR's tag 1 (as the AWS SDK for Java
/// does for Kinesis).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The newtype's name in formats that are not for people.
    pub const TAG: &'static str = "headwater.Timestamp";
}

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<Bytes> for Blob {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let written = Written(&self.0);
        if to.is_human_readable() {
            to.serialize_newtype_struct(Self::TAG, &written)
        } else {
            written.serialize(to)
        }
    }
}

/// The bytes of a blob inside its newtype: base64 in text formats, bytes in others.
struct Written<'a>(&'a [u8]);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            to.serialize_str(&BASE64.encode(self.0))
        } else {
            to.serialize_bytes(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            from.deserialize_newtype_struct(Self::TAG, BlobText)
        } else {
            from.deserialize_bytes(BlobBytes)
        }
    }
}

struct BlobText;
struct BlobBytes;

impl<'de> de::Visitor<'de> for BlobText {
    type Value = Blob;

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<Blob, D::Error> {
        from.deserialize_str(self)
    }

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("base64")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Blob, E> {
        self.visit_bytes(text.as_bytes())
    }

    fn visit_bytes<E: de::Error>(self, text: &[u8]) -> Result<Blob, E> {
        BASE64.decode(text).map(Blob::from).map_err(E::custom)
    }
}

impl de::Visitor<'_> for BlobBytes {
    type Value = Blob;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Blob, E> {
        Ok(Blob(Bytes::copy_from_slice(bytes)))
    }

    fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Blob, E> {
        Ok(bytes.into())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if !to.is_human_readable() {
            to.serialize_newtype_struct(Self::TAG, &self.0)
        } else if self.0 % 1000 == 0 {
            to.serialize_i64(self.0 / 1000)
        } else {
            to.serialize_f64(self.0 as f64 / 1000.0)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            let seconds = f64::deserialize(from)?;
            Ok(Self((seconds * 1000.0).round() as i64))
        } else {
            from.deserialize_newtype_struct(Self::TAG, Milliseconds)
        }
    }
}

struct Milliseconds;

impl<'de> de::Visitor<'de> for Milliseconds {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(from).map(Timestamp)
    }
}

/// A body that is passed on as it comes, never held whole.
pub struct ByteStream {
    /// The chunks.
    pub chunks: Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>,
    /// The number of bytes to come, where it is known.
    pub len: Option<u64>,
}

impl ByteStream {
    /// A stream of one chunk.
    pub fn from_bytes(bytes: Bytes) -> Self {
        let len = Some(bytes.len() as u64);
        Self {
            chunks: Box::pin(futures_util::stream::once(async { Ok(bytes) })),
            len,
        }
    }

    /// A stream of nothing.
    pub fn empty() -> Self {
        Self {
            chunks: Box::pin(futures_util::stream::empty()),
            len: Some(0),
        }
    }
}

impl Default for ByteStream {
    fn default() -> Self {
        Self::empty()
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteStream")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_times_in_seconds_and_bytes_in_base64() {
        for (millis, text) in [
            (1_500_000_000_000, "1500000000"),
            (1_500_000_000_123, "1500000000.123"),
            (-1, "-0.001"),
        ] {
            assert_eq!(serde_json::to_string(&Timestamp(millis)).unwrap(), text);
            assert_eq!(
                serde_json::from_str::<Timestamp>(text).unwrap(),
                Timestamp(millis)
            );
        }
        let blob = Blob::from(vec![0, 255, 97, 98]);
        assert_eq!(serde_json::to_string(&blob).unwrap(), r#""AP9hYg==""#);
        assert_eq!(serde_json::from_str::<Blob>(r#""AP9hYg==""#).unwrap(), blob);
        for bad in [r#""AP9hYg""#, r#""AP9hYh==""#, r#""A-9hYg==""#, "1"] {
            assert!(serde_json::from_str::<Blob>(bad).is_err(), "{bad}");
        }
    }
}
