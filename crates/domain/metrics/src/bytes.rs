//! Numbers and bytes as journal and files have them: short where the number is small, or near to one before it.

/// Bytes that are read from their beginning on. What there is not is none, and nothing is read then.
#[derive(Debug, Clone)]
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub fn byte(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    /// A whole number of at most 64 bits.
    pub fn varint(&mut self) -> Option<u64> {
        self.wide().and_then(|number| number.try_into().ok())
    }

    /// A whole number below `limit`, for what memory is taken.
    pub fn count(&mut self, limit: usize) -> Option<usize> {
        let count = self.varint()?.try_into().ok()?;
        (count < limit).then_some(count)
    }

    /// A whole number with a sign.
    pub fn signed(&mut self) -> Option<i64> {
        self.varint().map(unzigzag)
    }

    /// A number that was written as near to `near`.
    pub fn number(&mut self, near: f64) -> Option<f64> {
        let code = self.wide()?;
        if code == 0 {
            return Some(near);
        }
        let number: u64 = (code >> 1).try_into().ok()?;
        if code & 1 == 1 {
            return Some(f64::from_bits(number.swap_bytes() ^ near.to_bits()));
        }
        let near = whole(near).unwrap_or(0);
        Some(near.checked_add(unzigzag(number))? as f64)
    }

    fn wide(&mut self) -> Option<u128> {
        let mut number = 0u128;
        for shift in (0..WIDE_BITS_MAX).step_by(7) {
            let byte = self.byte()?;
            number |= u128::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

/// The bits of the longest code, that of a number that is near to none.
const WIDE_BITS_MAX: u32 = 70;

pub(crate) fn put_varint(to: &mut Vec<u8>, number: u64) {
    put_wide(to, number.into());
}

pub(crate) fn put_signed(to: &mut Vec<u8>, number: i64) {
    put_varint(to, zigzag(number));
}

/// Writes a number that is likely near to `near`: the same is a zero byte; whole numbers are the distance; all others the
/// bits that differ, those of the fraction's end last.
pub(crate) fn put_number(to: &mut Vec<u8>, number: f64, near: f64) {
    if number.to_bits() == near.to_bits() {
        return to.push(0);
    }
    match whole(number) {
        // A zero with a sign is not whole, and one without differs from it.
        Some(whole_number) => {
            let distance = whole_number - whole(near).unwrap_or(0);
            if distance != 0 {
                return put_wide(to, u128::from(zigzag(distance)) << 1);
            }
            put_bits(to, number, near);
        }
        None => put_bits(to, number, near),
    }
}

fn put_bits(to: &mut Vec<u8>, number: f64, near: f64) {
    let bits = (number.to_bits() ^ near.to_bits()).swap_bytes();
    put_wide(to, u128::from(bits) << 1 | 1);
}

fn put_wide(to: &mut Vec<u8>, mut number: u128) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

/// The whole number that is exactly `number`, where it is one that doubles tell from its neighbours.
fn whole(number: f64) -> Option<i64> {
    const EXACT_BELOW: f64 = (1u64 << 53) as f64;
    if number.abs() >= EXACT_BELOW {
        return None;
    }
    let whole = number as i64;
    ((whole as f64).to_bits() == number.to_bits()).then_some(whole)
}

fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<u64>().prop_map(f64::from_bits),
            any::<i32>().prop_map(f64::from),
            (-5i8..5).prop_map(f64::from),
            Just(-0.0),
        ]
    }

    proptest! {
        #[test]
        fn numbers_read_back_to_the_bit(number in numbers(), near in numbers(), whole: i64) {
            let mut bytes = Vec::new();
            put_number(&mut bytes, number, near);
            put_signed(&mut bytes, whole);
            let mut input = Input::new(&bytes);
            prop_assert_eq!(input.number(near).map(f64::to_bits), Some(number.to_bits()));
            prop_assert_eq!(input.signed(), Some(whole));
            prop_assert!(input.rest().is_empty());
        }

        #[test]
        fn any_bytes_are_numbers_or_none(bytes: Vec<u8>, near in numbers()) {
            let _ = Input::new(&bytes).number(near);
            let _ = Input::new(&bytes).signed();
        }
    }

    #[test]
    fn what_is_near_is_short() {
        let len = |number, near| {
            let mut bytes = Vec::new();
            put_number(&mut bytes, number, near);
            bytes.len()
        };
        assert_eq!(
            (len(0.1, 0.1), len(31.0, 0.0), len(1020.0, 1000.0)),
            (1, 1, 1)
        );
        assert_eq!((len(0.5, 0.25), len(0.1, 0.0)), (3, 10));
    }
}
