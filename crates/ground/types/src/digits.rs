//! Decimal digits of a fixed number of places: written for every record, so without the machinery of `fmt`.

/// The digits of the numbers below 100.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut n = 0;
    while n < 100 {
        pairs[n] = [b'0' + n as u8 / 10, b'0' + n as u8 % 10];
        n += 1;
    }
    pairs
};

/// Writes the last digits of `n`, as many as `to` has places, with zeros in front. The places are even in number.
pub(crate) fn write_digits(mut n: u64, to: &mut [u8]) {
    for pair in to.rchunks_exact_mut(2) {
        pair.copy_from_slice(&PAIRS[(n % 100) as usize]);
        n /= 100;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_with_zeros() {
        for n in [0, 7, 10, 99, 100, 123_456_789_012] {
            let mut digits = [0; 12];
            write_digits(n, &mut digits);
            assert_eq!(str::from_utf8(&digits), Ok(format!("{n:012}").as_str()));
        }
    }
}
