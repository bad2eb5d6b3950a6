//! Decimal digits of a fixed number of places: written for every record, so without the machinery of `fmt`.

/// Writes the last digits of `n`, as many as `to` has places, with zeros in front. The places are even in number.
pub(crate) fn write_digits(mut n: u64, to: &mut [u8]) {
    for pair in to.rchunks_exact_mut(2) {
        let two = (n % 100) as u8;
        pair.copy_from_slice(&[b'0' + two / 10, b'0' + two % 10]);
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
