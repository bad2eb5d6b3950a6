//! One thing that a value may be: an exact value, or what an operator says.

use std::net::IpAddr;

use serde_json::{Number, Value};

use crate::wildcard::Wildcard;

/// What a value must be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Matcher {
    /// This one: a string, a number by its value, `true`, `false` or `null`.
    Exact(Value),
    /// This address, however it is written.
    Address(IpAddr),
    /// A text of this kind.
    Text(TextMatcher),
    /// A number within bounds.
    Numeric(Bounds),
    /// An address of a block.
    Cidr(Block),
    /// Whatever it is.
    Exists,
    /// None at all: an event matches that has no value there.
    Absent,
    /// Neither of these numbers.
    AnythingButNumbers(Vec<Number>),
    /// No text of any of these kinds.
    AnythingBut(Vec<TextMatcher>),
}

/// A kind of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TextMatcher {
    Equal(String),
    /// Equal without regard to case; kept in lower case, like the next two.
    EqualIgnoringCase(String),
    Prefix(String),
    PrefixIgnoringCase(String),
    Suffix(String),
    SuffixIgnoringCase(String),
    Wildcard(Wildcard),
}

/// Bounds of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    pub bottom: Option<Bound>,
    pub top: Option<Bound>,
}

/// One bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bound {
    pub value: f64,
    /// Whether the value itself is within.
    pub is_inclusive: bool,
}

/// A block of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    address: IpAddr,
    /// How many bits all its addresses share.
    bits: u32,
}

impl Matcher {
    pub fn matches(&self, value: &Value) -> bool {
        match self {
            Self::Exact(Value::Number(wanted)) => {
                matches!(value, Value::Number(number) if is_same(wanted, number))
            }
            Self::Exact(wanted) => wanted == value,
            Self::Address(wanted) => address(value) == Some(*wanted),
            Self::Text(text) => text.matches(value),
            Self::Numeric(bounds) => value.as_f64().is_some_and(|number| bounds.have(number)),
            Self::Cidr(block) => address(value).is_some_and(|address| block.has(address)),
            Self::Exists => true,
            Self::Absent => false,
            Self::AnythingButNumbers(numbers) => match value {
                Value::Number(number) => !numbers.iter().any(|not| is_same(not, number)),
                _ => true,
            },
            Self::AnythingBut(texts) => !texts.iter().any(|text| text.matches(value)),
        }
    }
}

impl TextMatcher {
    /// Whether `value` is a text of this kind.
    fn matches(&self, value: &Value) -> bool {
        let Value::String(text) = value else {
            return false;
        };
        match self {
            Self::Equal(wanted) => text == wanted,
            Self::EqualIgnoringCase(wanted) => text.to_lowercase() == *wanted,
            Self::Prefix(prefix) => text.starts_with(prefix),
            Self::PrefixIgnoringCase(prefix) => text.to_lowercase().starts_with(prefix),
            Self::Suffix(suffix) => text.ends_with(suffix),
            Self::SuffixIgnoringCase(suffix) => text.to_lowercase().ends_with(suffix),
            Self::Wildcard(wildcard) => wildcard.matches(text),
        }
    }
}

impl Bounds {
    fn have(&self, number: f64) -> bool {
        let is_above = |bound: Bound| match bound.is_inclusive {
            true => number >= bound.value,
            false => number > bound.value,
        };
        let is_below = |bound: Bound| match bound.is_inclusive {
            true => number <= bound.value,
            false => number < bound.value,
        };
        self.bottom.is_none_or(is_above) && self.top.is_none_or(is_below)
    }
}

impl Block {
    /// Parses `10.0.0.0/24` or its kin; the error is AWS's text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (address, bits) = match text.split('/').collect::<Vec<_>>()[..] {
            [address, bits] if !bits.is_empty() => (address, bits),
            _ => return Err("Malformed CIDR, one '/' required".to_owned()),
        };
        let bits: i32 = bits
            .parse()
            .map_err(|_| "Malformed CIDR, mask bits must be an integer")?;
        let bits =
            u32::try_from(bits).map_err(|_| "Malformed CIDR, mask bits must not be negative")?;
        let address: IpAddr = address
            .parse()
            .map_err(|_| format!("Nonstandard IP address: {address}"))?;
        match address {
            IpAddr::V4(_) if bits > 31 => Err("IPv4 mask bits must be < 32".to_owned()),
            IpAddr::V6(_) if bits > 127 => Err("IPv6 mask bits must be < 128".to_owned()),
            address => Ok(Self { address, bits }),
        }
    }

    fn has(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(block), IpAddr::V4(address)) => {
                let differing = block.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= self.bits
            }
            (IpAddr::V6(block), IpAddr::V6(address)) => {
                let differing = block.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}

fn address(value: &Value) -> Option<IpAddr> {
    value.as_str()?.parse().ok()
}

/// Whether two numbers are the same: 300 and 300.0 are, and integers too large for a fraction differ to the last digit.
fn is_same(a: &Number, b: &Number) -> bool {
    a == b || ((a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64())
}
