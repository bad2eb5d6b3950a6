//! Reading CBOR into serde's data model.

use headwater_shapes::Timestamp;
use minicbor::{data::Type, decode::Decoder};
use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};

use crate::{
    cbor::{CborError, Times},
    limits::CBOR_DEPTH,
};

/// The tag of times.
const TIME: u64 = 1;

/// Below this a fraction under the time tag is seconds, above it milliseconds: the year 5138, or March 1973.
const MILLIS_FROM: f64 = 1e11;

/// Reads a text of CBOR, definite and indefinite lengths alike; tags other than that of times are passed over.
pub(super) struct Deserializer<'de> {
    from: Decoder<'de>,
    depth: usize,
    times: Times,
}

impl<'de> Deserializer<'de> {
    pub(super) fn new(bytes: &'de [u8]) -> Self {
        Self::of_times(bytes, Times::Milliseconds)
    }

    /// `times` says what a whole number under the tag of times is.
    pub(super) fn of_times(bytes: &'de [u8], times: Times) -> Self {
        Self {
            from: Decoder::new(bytes),
            depth: 0,
            times,
        }
    }

    /// Fails when something is left.
    pub(super) fn end(&self) -> Result<(), CborError> {
        if self.from.position() == self.from.input().len() {
            Ok(())
        } else {
            Err(error("something follows the value"))
        }
    }

    /// The type of the next value; tags before it are consumed, and the last of them is returned with it.
    fn next(&mut self) -> Result<(Type, Option<u64>), CborError> {
        let mut tag = None;
        loop {
            match self.from.datatype().map_err(error)? {
                Type::Tag => tag = Some(self.from.tag().map_err(error)?.as_u64()),
                other => return Ok((other, tag)),
            }
        }
    }

    /// A time in milliseconds.
    fn millis(&mut self, kind: Type) -> Result<i64, CborError> {
        match kind {
            Type::F16 => self.from.f16().map(|n| seconds_or_millis(n.into())),
            Type::F32 => self.from.f32().map(|n| seconds_or_millis(n.into())),
            Type::F64 => self.from.f64().map(seconds_or_millis),
            _ if self.times == Times::Seconds => {
                self.from.i64().map(|seconds| seconds.saturating_mul(1000))
            }
            _ => self.from.i64(),
        }
        .map_err(error)
    }

    fn any<V: Visitor<'de>>(&mut self, kind: Type, visitor: V) -> Result<V::Value, CborError> {
        match kind {
            Type::Bool => visitor.visit_bool(self.from.bool().map_err(error)?),
            Type::Null => self
                .from
                .null()
                .map_err(error)
                .and_then(|()| visitor.visit_unit()),
            Type::Undefined => self
                .from
                .undefined()
                .map_err(error)
                .and_then(|()| visitor.visit_unit()),
            Type::U8 | Type::U16 | Type::U32 | Type::U64 => {
                visitor.visit_u64(self.from.u64().map_err(error)?)
            }
            Type::I8 | Type::I16 | Type::I32 | Type::I64 => {
                visitor.visit_i64(self.from.i64().map_err(error)?)
            }
            Type::Int => visitor.visit_f64(i128::from(self.from.int().map_err(error)?) as f64),
            Type::F16 => visitor.visit_f64(self.from.f16().map_err(error)?.into()),
            Type::F32 => visitor.visit_f64(self.from.f32().map_err(error)?.into()),
            Type::F64 => visitor.visit_f64(self.from.f64().map_err(error)?),
            Type::Bytes => visitor.visit_borrowed_bytes(self.from.bytes().map_err(error)?),
            Type::String => visitor.visit_borrowed_str(self.from.str().map_err(error)?),
            Type::BytesIndef => visitor.visit_byte_buf(self.byte_chunks()?),
            Type::StringIndef => visitor.visit_string(self.text_chunks()?),
            Type::Array | Type::ArrayIndef => {
                let left = self.from.array().map_err(error)?;
                self.nested(|from| visitor.visit_seq(Entries { from, left }))
            }
            Type::Map | Type::MapIndef => {
                let left = self.from.map().map_err(error)?;
                self.nested(|from| visitor.visit_map(Entries { from, left }))
            }
            Type::Tag | Type::Break | Type::Simple | Type::Unknown(_) => Err(error("not a value")),
        }
    }

    fn byte_chunks(&mut self) -> Result<Vec<u8>, CborError> {
        let mut all = Vec::new();
        for chunk in self.from.bytes_iter().map_err(error)? {
            all.extend_from_slice(chunk.map_err(error)?);
        }
        Ok(all)
    }

    fn text_chunks(&mut self) -> Result<String, CborError> {
        let mut all = String::new();
        for chunk in self.from.str_iter().map_err(error)? {
            all.push_str(chunk.map_err(error)?);
        }
        Ok(all)
    }

    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, CborError>,
    ) -> Result<T, CborError> {
        if self.depth == CBOR_DEPTH {
            return Err(error("too deep"));
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }
}

fn error(message: impl std::fmt::Display) -> CborError {
    CborError(message.to_string())
}

fn seconds_or_millis(n: f64) -> i64 {
    (if n.abs() < MILLIS_FROM { n * 1000.0 } else { n }).round() as i64
}

impl<'de> de::Deserializer<'de> for &mut Deserializer<'de> {
    type Error = CborError;

    /// A tagged time is given as a newtype of milliseconds.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        let (kind, tag) = self.next()?;
        if tag == Some(TIME) && is_number(kind) {
            let millis = self.millis(kind)?;
            return visitor.visit_newtype_struct(millis.into_deserializer());
        }
        self.any(kind, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        if matches!(
            self.from.datatype().map_err(error)?,
            Type::Null | Type::Undefined
        ) {
            self.from.skip().map_err(error)?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &str,
        visitor: V,
    ) -> Result<V::Value, CborError> {
        if name != Timestamp::TAG {
            return visitor.visit_newtype_struct(self);
        }
        let (kind, _) = self.next()?;
        let millis = self.millis(kind)?;
        visitor.visit_newtype_struct(millis.into_deserializer())
    }

    /// A structure that is written as a list is refused, as AWS does, though derived readers would take it.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CborError> {
        match self.next()? {
            (Type::Array | Type::ArrayIndef, _) => Err(error("a list where a structure is due")),
            (kind, _) => self.any(kind, visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CborError> {
        self.from.skip().map_err(error)?;
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map enum identifier
    }
}

fn is_number(kind: Type) -> bool {
    use Type::{F16, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
    matches!(
        kind,
        U8 | U16 | U32 | U64 | I8 | I16 | I32 | I64 | F16 | F32 | F64
    )
}

/// The entries of a list or map that are yet to be read; without a count they go up to the break.
struct Entries<'a, 'de> {
    from: &'a mut Deserializer<'de>,
    left: Option<u64>,
}

impl Entries<'_, '_> {
    fn more(&mut self) -> Result<bool, CborError> {
        match &mut self.left {
            Some(0) => Ok(false),
            Some(left) => {
                *left -= 1;
                Ok(true)
            }
            None if self.from.from.datatype().map_err(error)? == Type::Break => {
                self.from.from.skip().map_err(error)?;
                Ok(false)
            }
            None => Ok(true),
        }
    }
}

impl<'de> de::SeqAccess<'de> for Entries<'_, 'de> {
    type Error = CborError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, CborError> {
        if self.more()? {
            seed.deserialize(&mut *self.from).map(Some)
        } else {
            Ok(None)
        }
    }
}

impl<'de> de::MapAccess<'de> for Entries<'_, 'de> {
    type Error = CborError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, CborError> {
        if !self.more()? {
            return Ok(None);
        }
        let (kind, _) = self.from.next()?;
        if !matches!(kind, Type::String | Type::StringIndef) {
            return Err(error("a key that is not text"));
        }
        seed.deserialize(&mut *self.from).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, CborError> {
        seed.deserialize(&mut *self.from)
    }
}
