//! Writing serde's data model as CBOR.

use headwater_shapes::Timestamp;
use minicbor::encode::Encoder;
use serde::ser::{self, Serialize};

use crate::cbor::CborError;

/// The tag of times.
const TIME: u64 = 1;

/// Writes values one behind the other. Lists, maps and structures have definite lengths where serde knows them.
pub(super) struct Serializer<'a> {
    to: Encoder<&'a mut Vec<u8>>,
}

impl<'a> Serializer<'a> {
    pub(super) fn new(to: &'a mut Vec<u8>) -> Self {
        Self {
            to: Encoder::new(to),
        }
    }
}

/// A list, map or structure that is being written.
pub(super) struct Open<'s, 'a> {
    to: &'s mut Serializer<'a>,
    /// Whether its length was not known, so that a break must end it.
    indefinite: bool,
}

/// Why writing to memory cannot fail.
const TAKES_ALL: &str = "a Vec takes all bytes";

macro_rules! scalar {
    ($($name:ident($kind:ty) => $write:ident as $as:ty;)*) => {
        $(fn $name(self, value: $kind) -> Result<(), CborError> {
            self.to.$write(<$as>::from(value)).expect(TAKES_ALL);
            Ok(())
        })*
    };
}

impl<'s, 'a> ser::Serializer for &'s mut Serializer<'a> {
    type Ok = ();
    type Error = CborError;
    type SerializeSeq = Open<'s, 'a>;
    type SerializeTuple = Open<'s, 'a>;
    type SerializeTupleStruct = Open<'s, 'a>;
    type SerializeTupleVariant = ser::Impossible<(), CborError>;
    type SerializeMap = Open<'s, 'a>;
    type SerializeStruct = Open<'s, 'a>;
    type SerializeStructVariant = ser::Impossible<(), CborError>;

    scalar! {
        serialize_bool(bool) => bool as bool;
        serialize_i8(i8) => i64 as i64;
        serialize_i16(i16) => i64 as i64;
        serialize_i32(i32) => i64 as i64;
        serialize_i64(i64) => i64 as i64;
        serialize_u8(u8) => u64 as u64;
        serialize_u16(u16) => u64 as u64;
        serialize_u32(u32) => u64 as u64;
        serialize_u64(u64) => u64 as u64;
        serialize_f32(f32) => f32 as f32;
        serialize_f64(f64) => f64 as f64;
    }

    fn serialize_char(self, value: char) -> Result<(), CborError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), CborError> {
        self.to.str(value).expect(TAKES_ALL);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), CborError> {
        self.to.bytes(value).expect(TAKES_ALL);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), CborError> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), CborError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), CborError> {
        self.to.null().expect(TAKES_ALL);
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), CborError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _i: u32,
        variant: &'static str,
    ) -> Result<(), CborError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), CborError> {
        if name == Timestamp::TAG {
            self.to
                .tag(minicbor::data::Tag::new(TIME))
                .expect(TAKES_ALL);
        }
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), CborError> {
        self.to
            .map(1)
            .expect(TAKES_ALL)
            .str(variant)
            .expect(TAKES_ALL);
        value.serialize(self)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Open<'s, 'a>, CborError> {
        match len {
            Some(len) => self.to.array(len as u64),
            None => self.to.begin_array(),
        }
        .expect(TAKES_ALL);
        Ok(Open {
            to: self,
            indefinite: len.is_none(),
        })
    }

    fn serialize_tuple(self, len: usize) -> Result<Open<'s, 'a>, CborError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        len: usize,
    ) -> Result<Open<'s, 'a>, CborError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleVariant, CborError> {
        Err(ser::Error::custom(format!("{name} has no form in CBOR")))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Open<'s, 'a>, CborError> {
        match len {
            Some(len) => self.to.map(len as u64),
            None => self.to.begin_map(),
        }
        .expect(TAKES_ALL);
        Ok(Open {
            to: self,
            indefinite: len.is_none(),
        })
    }

    fn serialize_struct(self, _name: &'static str, len: usize) -> Result<Open<'s, 'a>, CborError> {
        self.serialize_map(Some(len))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeStructVariant, CborError> {
        Err(ser::Error::custom(format!("{name} has no form in CBOR")))
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

impl Open<'_, '_> {
    fn close(self) -> Result<(), CborError> {
        if self.indefinite {
            self.to.to.end().expect(TAKES_ALL);
        }
        Ok(())
    }
}

impl ser::SerializeSeq for Open<'_, '_> {
    type Ok = ();
    type Error = CborError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CborError> {
        value.serialize(&mut *self.to)
    }

    fn end(self) -> Result<(), CborError> {
        self.close()
    }
}

impl ser::SerializeTuple for Open<'_, '_> {
    type Ok = ();
    type Error = CborError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CborError> {
        value.serialize(&mut *self.to)
    }

    fn end(self) -> Result<(), CborError> {
        self.close()
    }
}

impl ser::SerializeTupleStruct for Open<'_, '_> {
    type Ok = ();
    type Error = CborError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CborError> {
        value.serialize(&mut *self.to)
    }

    fn end(self) -> Result<(), CborError> {
        self.close()
    }
}

impl ser::SerializeMap for Open<'_, '_> {
    type Ok = ();
    type Error = CborError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), CborError> {
        key.serialize(&mut *self.to)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CborError> {
        value.serialize(&mut *self.to)
    }

    fn end(self) -> Result<(), CborError> {
        self.close()
    }
}

impl ser::SerializeStruct for Open<'_, '_> {
    type Ok = ();
    type Error = CborError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), CborError> {
        self.to.to.str(key).expect(TAKES_ALL);
        value.serialize(&mut *self.to)
    }

    fn end(self) -> Result<(), CborError> {
        self.close()
    }
}
