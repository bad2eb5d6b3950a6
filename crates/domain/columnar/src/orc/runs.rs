//! Run-length encodings: of bytes, and of integers in both versions.
//!
//! Each function writes its values as whole runs, so that what follows can be read from where it ends. Of version 2
//! three of the four kinds of run are written; a patched one only saves bits where few values are much larger.

/// Writes bytes.
pub(super) fn bytes(values: &[u8], out: &mut Vec<u8>) {
    const RUN: usize = 3;
    let mut at = 0;
    while at < values.len() {
        let run = same(&values[at..], 127 + RUN);
        if run >= RUN {
            out.extend([(run - RUN) as u8, values[at]]);
            at += run;
            continue;
        }
        let literals = until(&values[at..], 128, |rest| same(rest, RUN) >= RUN);
        out.push((literals as u8).wrapping_neg());
        out.extend_from_slice(&values[at..at + literals]);
        at += literals;
    }
}

/// Writes integers as version 1 does.
pub(super) fn version_1(values: &[i64], signed: bool, out: &mut Vec<u8>) {
    const RUN: usize = 3;
    let run_of = |rest: &[i64], most| match step(rest) {
        Some(step) if i8::try_from(step).is_ok() => (stepping(rest, step, most), step as i8),
        _ => (1, 0),
    };
    let mut at = 0;
    while at < values.len() {
        let rest = &values[at..];
        let (run, step) = run_of(rest, 127 + RUN);
        if run >= RUN {
            out.extend([(run - RUN) as u8, step as u8]);
            varint(rest[0], signed, out);
            at += run;
            continue;
        }
        let literals = until(rest, 128, |rest| run_of(rest, RUN).0 >= RUN);
        out.push((literals as u8).wrapping_neg());
        rest[..literals]
            .iter()
            .for_each(|value| varint(*value, signed, out));
        at += literals;
    }
}

/// Most values of a run of version 2.
const RUN_MAX: usize = 512;

/// Equal values from which they are written as such.
const REPEAT: usize = 3;

/// Most equal values of the short form.
const SHORT_REPEAT_MAX: usize = 10;

/// Values at one distance from which they are written as such.
const STEPS: usize = 8;

/// Writes integers as version 2 does.
pub(super) fn version_2(values: &[i64], signed: bool, out: &mut Vec<u8>) {
    let mut at = 0;
    while at < values.len() {
        let rest = &values[at..];
        let equal = same(rest, RUN_MAX);
        let step = step(rest).filter(|step| stepping(rest, *step, STEPS) >= STEPS);
        at += match step {
            _ if (REPEAT..=SHORT_REPEAT_MAX).contains(&equal) => {
                short_repeat(rest[0], equal, signed, out)
            }
            Some(step) => steps(rest, step, signed, out),
            None => direct(&rest[..literals(rest)], signed, out),
        };
    }
}

/// How many values come before the next run.
fn literals(rest: &[i64]) -> usize {
    let is_run = |rest: &[i64]| {
        same(rest, REPEAT) >= REPEAT
            || step(rest).is_some_and(|step| stepping(rest, step, STEPS) >= STEPS)
    };
    until(rest, RUN_MAX, is_run)
}

/// One value, a few times.
fn short_repeat(value: i64, times: usize, signed: bool, out: &mut Vec<u8>) -> usize {
    let bits = unsigned(value, signed);
    let width = (u64::BITS - bits.leading_zeros()).div_ceil(8).max(1) as usize;
    out.push(((width - 1) << 3 | (times - REPEAT)) as u8);
    out.extend_from_slice(&bits.to_be_bytes()[size_of::<u64>() - width..]);
    times
}

/// A value, and others each at the same distance from the one before.
fn steps(rest: &[i64], step: i64, signed: bool, out: &mut Vec<u8>) -> usize {
    let count = stepping(rest, step, RUN_MAX);
    header(0b11, 0, count, out);
    varint(rest[0], signed, out);
    varint(step, true, out);
    count
}

/// Each value by itself, in as many bits as the largest takes.
fn direct(values: &[i64], signed: bool, out: &mut Vec<u8>) -> usize {
    let largest = values
        .iter()
        .fold(0, |all, value| all | unsigned(*value, signed));
    let (width, code) = width(u64::BITS - largest.leading_zeros());
    header(0b01, code, values.len(), out);
    let (mut pending, mut bits) = (0_u128, 0);
    for value in values {
        pending = pending << width | u128::from(unsigned(*value, signed));
        bits += width;
        while bits >= 8 {
            bits -= 8;
            out.push((pending >> bits) as u8);
        }
        pending &= (1 << bits) - 1;
    }
    if bits > 0 {
        out.push((pending << (8 - bits)) as u8);
    }
    values.len()
}

/// The two bytes before a run: its kind, the code of its width, its length.
fn header(kind: u8, code: u8, count: usize, out: &mut Vec<u8>) {
    let length = count - 1;
    out.extend([kind << 6 | code << 1 | (length >> 8) as u8, length as u8]);
}

/// The next width that can be written, in bits, and its code.
fn width(bits: u32) -> (u32, u8) {
    match bits {
        0 => (1, 0),
        1..=24 => (bits, bits as u8 - 1),
        25..=32 => (bits.next_multiple_of(2), 24 + ((bits - 25) / 2) as u8),
        _ => (bits.next_multiple_of(8), 28 + ((bits - 33) / 8) as u8),
    }
}

/// A number as one that is not negative: of signed ones the sign is the lowest bit.
fn unsigned(value: i64, signed: bool) -> u64 {
    if signed {
        (value << 1 ^ value >> 63) as u64
    } else {
        value as u64
    }
}

/// Seven bits a byte, the lowest first.
fn varint(value: i64, signed: bool, out: &mut Vec<u8>) {
    big_varint(u128::from(unsigned(value, signed)), out);
}

/// A signed number of any size, seven bits a byte.
pub(super) fn signed_varint(value: i128, out: &mut Vec<u8>) {
    big_varint((value << 1 ^ value >> 127) as u128, out);
}

fn big_varint(mut bits: u128, out: &mut Vec<u8>) {
    while bits >= 0x80 {
        out.push(bits as u8 | 0x80);
        bits >>= 7;
    }
    out.push(bits as u8);
}

/// How many values at the beginning are equal, at most `most`.
fn same<T: PartialEq>(rest: &[T], most: usize) -> usize {
    rest.iter()
        .take(most)
        .take_while(|value| **value == rest[0])
        .count()
}

/// The distance between the first two values.
fn step(rest: &[i64]) -> Option<i64> {
    rest.get(1)?.checked_sub(rest[0])
}

/// How many values at the beginning are at that distance from one another, at most `most`.
fn stepping(rest: &[i64], step: i64, most: usize) -> usize {
    let pairs = rest.windows(2).take(most - 1);
    1 + pairs
        .take_while(|pair| pair[1].checked_sub(pair[0]) == Some(step))
        .count()
}

/// How many values come before one at which `is_run` is true of the rest, at least one and at most `most`.
fn until<T>(rest: &[T], most: usize, is_run: impl Fn(&[T]) -> bool) -> usize {
    let most = most.min(rest.len());
    (1..most).find(|at| is_run(&rest[*at..])).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out);
        out
    }

    // The examples of ORC's specification.

    #[test]
    fn bytes_are_runs_and_literals() {
        assert_eq!(written(|out| bytes(&[0; 100], out)), [0x61, 0x00]);
        assert_eq!(written(|out| bytes(&[0x44, 0x45], out)), [0xfe, 0x44, 0x45]);
    }

    #[test]
    fn integers_of_version_1_are_runs_and_literals() {
        assert_eq!(
            written(|out| version_1(&[7; 100], false, out)),
            [0x61, 0x00, 0x07]
        );
        let down: Vec<i64> = (1..=100).rev().collect();
        assert_eq!(
            written(|out| version_1(&down, false, out)),
            [0x61, 0xff, 0x64]
        );
        assert_eq!(
            written(|out| version_1(&[2, 3, 6, 7, 11], false, out)),
            [0xfb, 2, 3, 6, 7, 0xb]
        );
    }

    #[test]
    fn integers_of_version_2_are_repeated_stepping_or_direct() {
        assert_eq!(
            written(|out| version_2(&[10000; 5], false, out)),
            [0x0a, 0x27, 0x10]
        );
        let direct = [23713, 43806, 57005, 48879];
        let bytes = [0x5e, 0x03, 0x5c, 0xa1, 0xab, 0x1e, 0xde, 0xad, 0xbe, 0xef];
        assert_eq!(written(|out| version_2(&direct, false, out)), bytes);
        let steps: Vec<i64> = (0..10).map(|at| 5 + 3 * at).collect();
        assert_eq!(
            written(|out| version_2(&steps, false, out)),
            [0xc0, 0x09, 0x05, 0x06]
        );
        assert_eq!(
            written(|out| version_2(&[i64::MIN, i64::MAX], true, out)).len(),
            2 + 16
        );
    }

    #[test]
    fn widths_are_those_that_have_codes() {
        let codes = [0, 1, 24, 25, 26, 31, 32, 33, 40, 41, 56, 57, 64].map(width);
        let expected = [
            (1, 0),
            (1, 0),
            (24, 23),
            (26, 24),
            (26, 24),
            (32, 27),
            (32, 27),
            (40, 28),
            (40, 28),
            (48, 29),
            (56, 30),
            (64, 31),
            (64, 31),
        ];
        assert_eq!(codes, expected);
    }

    #[test]
    fn numbers_of_any_size_have_their_sign_in_the_lowest_bit() {
        assert_eq!(written(|out| signed_varint(-1, out)), [1]);
        assert_eq!(written(|out| signed_varint(64, out)), [0x80, 0x01]);
        assert_eq!(written(|out| signed_varint(10_i128.pow(38), out)).len(), 19);
    }
}
