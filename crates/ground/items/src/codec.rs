//! Items as bytes: `docs/format/items.md`.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::{Item, Number, Value, limits::NESTING_MAX};

/// The version of the form, the first byte of an item.
const VERSION: u8 = 1;

/// What the first byte of a value says.
mod tag {
    pub(super) const STRING: u8 = 1;
    pub(super) const NUMBER: u8 = 2;
    pub(super) const BINARY: u8 = 3;
    pub(super) const FALSE: u8 = 4;
    pub(super) const TRUE: u8 = 5;
    pub(super) const NULL: u8 = 6;
    pub(super) const LIST: u8 = 7;
    pub(super) const MAP: u8 = 8;
    pub(super) const STRING_SET: u8 = 9;
    pub(super) const NUMBER_SET: u8 = 10;
    pub(super) const BINARY_SET: u8 = 11;
}

/// Stored bytes that are no item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored item is damaged")]
pub struct Damaged;

/// Appends the bytes of an item to `out`. They can be read again where lists and maps are nested no deeper than
/// [`NESTING_MAX`] and no set is empty.
pub fn encode(item: &Item, out: &mut Vec<u8>) {
    out.push(VERSION);
    put_attributes(item, out);
}

fn put_attributes(item: &Item, out: &mut Vec<u8>) {
    put_length(item.len(), out);
    for (name, value) in item {
        put_bytes(name.as_bytes(), out);
        put_value(value, out);
    }
}

fn put_value(value: &Value, out: &mut Vec<u8>) {
    out.push(tag_of(value));
    match value {
        Value::String(text) => put_bytes(text.as_bytes(), out),
        Value::Number(number) => put_number(*number, out),
        Value::Binary(bytes) => put_bytes(bytes, out),
        Value::Bool(_) | Value::Null => {}
        Value::List(values) => {
            put_length(values.len(), out);
            values.iter().for_each(|value| put_value(value, out));
        }
        Value::Map(item) => put_attributes(item, out),
        Value::StringSet(set) => {
            put_length(set.len(), out);
            set.iter().for_each(|text| put_bytes(text.as_bytes(), out));
        }
        Value::NumberSet(set) => {
            put_length(set.len(), out);
            set.iter().for_each(|number| put_number(*number, out));
        }
        Value::BinarySet(set) => {
            put_length(set.len(), out);
            set.iter().for_each(|bytes| put_bytes(bytes, out));
        }
    }
}

fn tag_of(value: &Value) -> u8 {
    match value {
        Value::String(_) => tag::STRING,
        Value::Number(_) => tag::NUMBER,
        Value::Binary(_) => tag::BINARY,
        Value::Bool(false) => tag::FALSE,
        Value::Bool(true) => tag::TRUE,
        Value::Null => tag::NULL,
        Value::List(_) => tag::LIST,
        Value::Map(_) => tag::MAP,
        Value::StringSet(_) => tag::STRING_SET,
        Value::NumberSet(_) => tag::NUMBER_SET,
        Value::BinarySet(_) => tag::BINARY_SET,
    }
}

/// Appends a number: its sign in the last bit and its exponent above it, folded so that small ones of both signs are small,
/// and its digits as a whole number.
fn put_number(number: Number, out: &mut Vec<u8>) {
    let exponent = number.exponent();
    let folded = ((exponent << 1) ^ (exponent >> 63)).unsigned_abs();
    let head = (folded << 1) | u64::from(number.is_negative());
    put_varint(head.into(), out);
    put_varint(number.magnitude(), out);
}

fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_length(bytes.len(), out);
    out.extend_from_slice(bytes);
}

fn put_length(length: usize, out: &mut Vec<u8>) {
    put_varint(length as u128, out);
}

/// Appends a whole number, 7 bits in a byte, the lowest first; the eighth bit says that more follow.
fn put_varint(mut number: u128, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// The item that `bytes` are, all of them.
///
/// # Errors
/// [`Damaged`].
pub fn decode(bytes: &[u8]) -> Result<Item, Damaged> {
    Reader {
        left: bytes,
        shared: None,
    }
    .item()
}

/// The item that `bytes` are, all of them. Its binaries are parts of `bytes`, which stay in memory as long as one of them does.
///
/// # Errors
/// [`Damaged`].
pub fn decode_shared(bytes: &Bytes) -> Result<Item, Damaged> {
    Reader {
        left: bytes,
        shared: Some(bytes),
    }
    .item()
}

/// Takes an item apart. It takes only what [`encode`] writes, so that equal items are equal bytes.
struct Reader<'a> {
    left: &'a [u8],
    /// What binaries may share.
    shared: Option<&'a Bytes>,
}

impl<'a> Reader<'a> {
    fn item(mut self) -> Result<Item, Damaged> {
        if self.byte()? != VERSION {
            return Err(Damaged);
        }
        let item = self.attributes(NESTING_MAX)?;
        match self.left {
            [] => Ok(item),
            _ => Err(Damaged),
        }
    }

    fn attributes(&mut self, levels: usize) -> Result<Item, Damaged> {
        let mut item = Item::new();
        let mut last: Option<&str> = None;
        for _ in 0..self.length()? {
            let name = self.text()?;
            if last.is_some_and(|last| last >= name) {
                return Err(Damaged);
            }
            item.insert(name.to_owned(), self.value(levels)?);
            last = Some(name);
        }
        Ok(item)
    }

    /// A value, in which lists and maps may be nested to so many levels.
    fn value(&mut self, levels: usize) -> Result<Value, Damaged> {
        Ok(match self.byte()? {
            tag::STRING => Value::String(self.text()?.to_owned()),
            tag::NUMBER => Value::Number(self.number()?),
            tag::BINARY => Value::Binary(self.binary()?),
            tag::FALSE => Value::Bool(false),
            tag::TRUE => Value::Bool(true),
            tag::NULL => Value::Null,
            tag::LIST => Value::List(self.list(below(levels)?)?),
            tag::MAP => Value::Map(self.attributes(below(levels)?)?),
            tag::STRING_SET => {
                Value::StringSet(self.set(|reader| reader.text().map(str::to_owned))?)
            }
            tag::NUMBER_SET => Value::NumberSet(self.set(Self::number)?),
            tag::BINARY_SET => Value::BinarySet(self.set(Self::binary)?),
            _ => return Err(Damaged),
        })
    }

    fn list(&mut self, levels: usize) -> Result<Vec<Value>, Damaged> {
        (0..self.length()?).map(|_| self.value(levels)).collect()
    }

    /// A set: not empty, its elements in their order, none twice.
    fn set<T: Ord>(
        &mut self,
        element: impl Fn(&mut Self) -> Result<T, Damaged>,
    ) -> Result<BTreeSet<T>, Damaged> {
        let mut set = BTreeSet::new();
        for _ in 0..self.length()? {
            let next = element(self)?;
            if set.last().is_some_and(|last| *last >= next) {
                return Err(Damaged);
            }
            set.insert(next);
        }
        match set.is_empty() {
            true => Err(Damaged),
            false => Ok(set),
        }
    }

    fn number(&mut self) -> Result<Number, Damaged> {
        let head = u16::try_from(self.varint()?).map_err(|_| Damaged)?;
        let (negative, folded) = (head & 1 == 1, i64::from(head >> 1));
        let exponent = (folded >> 1) ^ -(folded & 1);
        let magnitude = self.varint()?;
        let number = Number::new(negative, magnitude, exponent).map_err(|_| Damaged)?;
        let read = (negative, magnitude, exponent);
        match read == (number.is_negative(), number.magnitude(), number.exponent()) {
            true => Ok(number),
            false => Err(Damaged),
        }
    }

    fn text(&mut self) -> Result<&'a str, Damaged> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Damaged)
    }

    fn binary(&mut self) -> Result<Bytes, Damaged> {
        let bytes = self.bytes()?;
        Ok(match self.shared {
            Some(shared) => shared.slice_ref(bytes),
            None => Bytes::copy_from_slice(bytes),
        })
    }

    fn bytes(&mut self) -> Result<&'a [u8], Damaged> {
        let length = self.length()?;
        let (bytes, left) = self.left.split_at_checked(length).ok_or(Damaged)?;
        self.left = left;
        Ok(bytes)
    }

    /// A count of bytes or of what takes a byte at least: never more than bytes are left.
    fn length(&mut self) -> Result<usize, Damaged> {
        let length = usize::try_from(self.varint()?).map_err(|_| Damaged)?;
        match length <= self.left.len() {
            true => Ok(length),
            false => Err(Damaged),
        }
    }

    /// A whole number, in as few bytes as it needs.
    fn varint(&mut self) -> Result<u128, Damaged> {
        let mut number = 0;
        for shift in (0..u128::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u128::from(byte & 0x7f);
            if (bits << shift) >> shift != bits {
                return Err(Damaged);
            }
            number |= bits << shift;
            match byte {
                0 if shift > 0 => return Err(Damaged),
                0..0x80 => return Ok(number),
                _ => {}
            }
        }
        Err(Damaged)
    }

    fn byte(&mut self) -> Result<u8, Damaged> {
        let (byte, left) = self.left.split_first().ok_or(Damaged)?;
        self.left = left;
        Ok(*byte)
    }
}

/// The levels that are left within a list or a map.
fn below(levels: usize) -> Result<usize, Damaged> {
    levels.checked_sub(1).ok_or(Damaged)
}
