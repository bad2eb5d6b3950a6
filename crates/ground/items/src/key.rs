//! Keys as bytes: compared byte by byte they are ordered as their values are. `docs/format/items.md` has the form.

use bytes::Bytes;

use crate::{Damaged, Number, Value, number::POWER_MIN};

/// What the first byte of a value says.
mod tag {
    pub(super) const NEGATIVE: u8 = 0x10;
    pub(super) const ZERO: u8 = 0x11;
    pub(super) const POSITIVE: u8 = 0x12;
    pub(super) const STRING: u8 = 0x20;
    pub(super) const BINARY: u8 = 0x30;
}

/// Ends strings and binaries.
const END: u8 = 0;
/// Stands before what would else be [`END`] or itself, which are then one larger: 1 and 2.
const ESCAPE: u8 = 1;
/// Pairs of digits of a number.
const PAIRS_MAX: usize = 19;

/// Appends a string, number or binary value to `out`, so that what follows it cannot disturb its order: no encoded value
/// is the beginning of another. False, and nothing appended, for a value of another kind.
pub fn encode(value: &Value, out: &mut Vec<u8>) -> bool {
    if let Value::Number(number) = value {
        encode_number(*number, out);
        return true;
    }
    let is_text = encode_prefix(value, out);
    if is_text {
        out.push(END);
    }
    is_text
}

/// Appends what the keys of all those values begin with that begin with this one: a string or a binary. False, and nothing
/// appended, for a value of another kind.
pub fn encode_prefix(value: &Value, out: &mut Vec<u8>) -> bool {
    let (tag, bytes) = match value {
        Value::String(text) => (tag::STRING, text.as_bytes()),
        Value::Binary(bytes) => (tag::BINARY, bytes.as_ref()),
        _ => return false,
    };
    out.push(tag);
    for piece in bytes.split_inclusive(|byte| *byte <= ESCAPE) {
        match piece {
            [plain @ .., last] if *last <= ESCAPE => {
                out.extend_from_slice(plain);
                out.extend_from_slice(&[ESCAPE, last + 1]);
            }
            _ => out.extend_from_slice(piece),
        }
    }
    true
}

/// Appends a number: its sign, the power of its first digit, and its digits from there on, two in a byte, whose last bit says
/// whether more follow. All but the first byte are complements where it is negative.
fn encode_number(number: Number, out: &mut Vec<u8>) {
    if number == Number::ZERO {
        return out.push(tag::ZERO);
    }
    let flip = if number.is_negative() { 0xff } else { 0 };
    out.push(match number.is_negative() {
        true => tag::NEGATIVE,
        false => tag::POSITIVE,
    });
    out.push((number.power() - POWER_MIN) as u8 ^ flip);
    let mut rest = match number.digits() % 2 {
        0 => number.magnitude(),
        _ => number.magnitude() * 10,
    };
    let mut pairs = [0; PAIRS_MAX];
    let mut more = 0;
    let mut count = 0;
    for pair in pairs.iter_mut().rev() {
        if rest == 0 {
            break;
        }
        *pair = ((rest % 100) as u8 * 2 + more) ^ flip;
        rest /= 100;
        more = 1;
        count += 1;
    }
    out.extend_from_slice(&pairs[PAIRS_MAX - count..]);
}

/// The value at the start of `bytes`, and what follows it.
///
/// # Errors
/// [`Damaged`].
pub fn decode(bytes: &[u8]) -> Result<(Value, &[u8]), Damaged> {
    let (tag, rest) = bytes.split_first().ok_or(Damaged)?;
    match *tag {
        tag::ZERO => Ok((Value::Number(Number::ZERO), rest)),
        tag::NEGATIVE => decode_number(true, rest),
        tag::POSITIVE => decode_number(false, rest),
        tag::STRING => {
            let (text, rest) = decode_bytes(rest)?;
            let text = String::from_utf8(text).map_err(|_| Damaged)?;
            Ok((Value::String(text), rest))
        }
        tag::BINARY => {
            let (bytes, rest) = decode_bytes(rest)?;
            Ok((Value::Binary(Bytes::from(bytes)), rest))
        }
        _ => Err(Damaged),
    }
}

/// The bytes of a string or a binary, and what follows their end.
fn decode_bytes(bytes: &[u8]) -> Result<(Vec<u8>, &[u8]), Damaged> {
    let end = bytes.iter().position(|byte| *byte == END).ok_or(Damaged)?;
    let (mut left, rest) = bytes.split_at(end);
    let mut read = Vec::with_capacity(end);
    while let Some(at) = left.iter().position(|byte| *byte == ESCAPE) {
        let (plain, escaped) = left.split_at(at);
        read.extend_from_slice(plain);
        left = match escaped {
            [_, byte @ 1..=2, left @ ..] => {
                read.push(byte - 1);
                left
            }
            _ => return Err(Damaged),
        };
    }
    read.extend_from_slice(left);
    Ok((read, rest.get(1..).ok_or(Damaged)?))
}

/// The number behind its first byte, and what follows it.
fn decode_number(negative: bool, bytes: &[u8]) -> Result<(Value, &[u8]), Damaged> {
    let flip = if negative { 0xff } else { 0 };
    let (power, mut rest) = bytes.split_first().ok_or(Damaged)?;
    let power = i64::from(power ^ flip) + POWER_MIN;
    let (mut magnitude, mut digits) = (0_u128, 0);
    loop {
        let (byte, left) = rest.split_first().ok_or(Damaged)?;
        let (pair, more) = ((byte ^ flip) / 2, (byte ^ flip) % 2 == 1);
        if pair > 99 || digits == 2 * PAIRS_MAX as i64 {
            return Err(Damaged);
        }
        (rest, digits) = (left, digits + 2);
        magnitude = magnitude * 100 + u128::from(pair);
        if !more {
            break;
        }
    }
    let exponent = power + 1 - digits;
    let number = Number::new(negative, magnitude, exponent).map_err(|_| Damaged)?;
    // Zeros that need not be there would make two keys of one number.
    let is_tight = number.power() == power && number.exponent() - exponent <= 1;
    match is_tight && magnitude != 0 {
        true => Ok((Value::Number(number), rest)),
        false => Err(Damaged),
    }
}
