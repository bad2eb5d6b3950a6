//! The rows of a stripe as streams: per column which values are there, the values, and an index over its row groups.

use std::collections::HashMap;

use super::{
    message::{ColumnEncoding, ColumnStatistics, RowIndex, RowIndexEntry},
    runs,
    stream::{Stream, compressed},
};
use crate::{
    column::{ByteValues, Column, Timestamp, Values, ranges},
    settings::{Orc, OrcVersion},
    types::DataType,
};

/// A stripe while rows come in.
pub(super) struct Stripe<'a> {
    settings: &'a Orc,
    /// The streams of the index, in the order of the columns.
    pub index: Vec<Encoded>,
    /// The streams of the values.
    pub data: Vec<Encoded>,
    /// How each column is encoded.
    pub encodings: Vec<ColumnEncoding>,
    /// The statistics of each column.
    pub statistics: Vec<ColumnStatistics>,
}

/// A stream's bytes, and what they are.
pub(super) struct Encoded {
    pub kind: u32,
    pub column: u32,
    pub bytes: Vec<u8>,
}

// Kinds of streams.
const PRESENT: u32 = 0;
const DATA: u32 = 1;
const LENGTH: u32 = 2;
const DICTIONARY_DATA: u32 = 3;
const SECONDARY: u32 = 5;
const ROW_INDEX: u32 = 6;

// Kinds of encodings; those of version 2 are two more.
const DIRECT: u32 = 0;
const DICTIONARY: u32 = 1;
const OF_VERSION_2: u32 = 2;

/// Midnight of the first of January 2015, from which timestamps count.
const EPOCH: i64 = 1_420_070_400;

/// Where the row groups of a column's slots, or of its values, begin, and where the last one ends.
type Bounds = Vec<usize>;

/// A column that is being encoded: its number, and where its row groups begin in its streams.
struct Open {
    id: u32,
    positions: Vec<Vec<u64>>,
}

impl<'a> Stripe<'a> {
    /// The stripe of these rows.
    pub fn new(
        settings: &'a Orc,
        columns: &[Column],
        types: impl Iterator<Item = &'a DataType>,
    ) -> Self {
        let (index, data) = (Vec::new(), Vec::new());
        let mut stripe = Self {
            settings,
            index,
            data,
            encodings: Vec::new(),
            statistics: Vec::new(),
        };
        let rows = columns[0].slots();
        let stride = settings.row_index_stride.max(1);
        let bounds: Bounds = (0..rows).step_by(stride).chain([rows]).collect();
        // The row itself is a struct that is always there.
        let root = stripe.open(&bounds, DIRECT);
        stripe.close(root, &bounds, &bounds);
        for (column, data_type) in columns.iter().zip(types) {
            stripe.column(column, data_type, &bounds);
        }
        stripe
    }

    fn column(&mut self, column: &Column, data_type: &DataType, slots: &Bounds) {
        let mut open = self.open(slots, DIRECT);
        let values = value_bounds(&column.present, slots);
        if column.present.iter().any(|present| !present) {
            self.booleans(&mut open, PRESENT, &column.present, slots);
        }
        match (&column.values, data_type) {
            (Values::Boolean(all), _) => self.booleans(&mut open, DATA, all, &values),
            (Values::Int(all), DataType::TinyInt) => {
                let all: Vec<u8> = all.iter().map(|value| *value as u8).collect();
                self.bytes(&mut open, DATA, &all, &values, &[0]);
            }
            (Values::Int(all), _) => {
                self.integers(
                    &mut open,
                    DATA,
                    all.iter().copied().map(i64::from).collect(),
                    true,
                    &values,
                );
            }
            (Values::Long(all), _) => self.integers(&mut open, DATA, all.clone(), true, &values),
            (Values::Float(all), _) => self.plain(&mut open, DATA, all, &values, |v, out| {
                out.extend(v.to_le_bytes())
            }),
            (Values::Double(all), _) => self.plain(&mut open, DATA, all, &values, |v, out| {
                out.extend(v.to_le_bytes())
            }),
            (Values::Decimal(all), DataType::Decimal(_, scale)) => {
                self.decimals(&mut open, all, *scale, &values)
            }
            (Values::Timestamp(all), _) => self.timestamps(&mut open, all, &values),
            (Values::Bytes(all), DataType::Binary) => self.texts(&mut open, all, &values),
            (Values::Bytes(all), _) => match self.dictionary(all) {
                Some(dictionary) => self.indexes(&mut open, dictionary, &values),
                None => self.texts(&mut open, all, &values),
            },
            (Values::List(ends, _) | Values::Map(ends, ..), _) => {
                self.integers(&mut open, LENGTH, lengths(ends), false, &values);
            }
            (Values::Struct { .. }, _) => {}
            (_, data_type) => unreachable!("values that are not of {data_type}"),
        }
        self.close(open, slots, &values);
        self.children(column, data_type, &values);
    }

    fn children(&mut self, column: &Column, data_type: &DataType, values: &Bounds) {
        match (&column.values, data_type) {
            (Values::List(ends, elements), DataType::Array(element)) => {
                self.column(elements, element, &element_bounds(ends, values));
            }
            (Values::Map(ends, keys, all), DataType::Map(key, value)) => {
                let bounds = element_bounds(ends, values);
                self.column(keys, key, &bounds);
                self.column(all, value, &bounds);
            }
            (Values::Struct { members, .. }, DataType::Struct(types)) => {
                for (member, data_type) in members.iter().zip(types) {
                    self.column(member, &data_type.data_type, values);
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, slots: &Bounds, kind: u32) -> Open {
        let id = self.encodings.len() as u32;
        self.encodings.push(ColumnEncoding {
            kind: Some(kind),
            dictionary_size: None,
        });
        Open {
            id,
            positions: vec![Vec::new(); slots.len() - 1],
        }
    }

    /// Writes a column's index, and what is said of it.
    fn close(&mut self, open: Open, slots: &Bounds, values: &Bounds) {
        let of = |slots: usize, values: usize| ColumnStatistics {
            number_of_values: Some(values as u64),
            has_null: Some(values < slots),
        };
        let entries = open
            .positions
            .into_iter()
            .enumerate()
            .map(|(group, positions)| {
                let statistics = of(
                    slots[group + 1] - slots[group],
                    values[group + 1] - values[group],
                );
                RowIndexEntry {
                    positions,
                    statistics: Some(statistics),
                }
            });
        let index = prost::Message::encode_to_vec(&RowIndex {
            entries: entries.collect(),
        });
        let bytes = compressed(self.settings.compression, &index);
        self.index.push(Encoded {
            kind: ROW_INDEX,
            column: open.id,
            bytes,
        });
        let last = |bounds: &Bounds| bounds.last().copied().unwrap_or(0);
        self.statistics.push(of(last(slots), last(values)));
    }

    /// The encoding of integers that this version of the format has.
    fn versioned(&mut self, open: &Open, kind: u32, dictionary_size: Option<u32>) {
        let kind = match self.settings.format_version {
            OrcVersion::V0_11 => kind,
            OrcVersion::V0_12 => kind + OF_VERSION_2,
        };
        self.encodings[open.id as usize] = ColumnEncoding {
            kind: Some(kind),
            dictionary_size,
        };
    }

    /// Writes a stream, row group by row group. `within` tells where a group begins in its first run.
    fn stream(
        &mut self,
        open: &mut Open,
        kind: u32,
        groups: impl Iterator<Item = (Vec<u64>, Vec<u8>)>,
    ) {
        let mut stream = Stream::new(self.settings.compression);
        for (within, bytes) in groups {
            stream.begin_group(&within);
            stream.write(&bytes);
        }
        for (all, position) in open.positions.iter_mut().zip(&stream.positions) {
            all.extend_from_slice(position);
        }
        self.data.push(Encoded {
            kind,
            column: open.id,
            bytes: stream.finish(),
        });
    }

    fn booleans(&mut self, open: &mut Open, kind: u32, values: &[bool], bounds: &Bounds) {
        let pack = |bits: &[bool]| {
            bits.iter()
                .enumerate()
                .fold(0, |all, (at, bit)| all | u8::from(*bit) << (7 - at))
        };
        let packed: Vec<u8> = values.chunks(8).map(pack).collect();
        // A group that begins within a byte begins with that byte; the last one ends with the last.
        let mut ends: Bounds = bounds.iter().map(|bound| bound / 8).collect();
        *ends.last_mut().expect("there is an end at least") = packed.len();
        let groups = groups(bounds).zip(groups(&ends)).map(|(bits, bytes)| {
            let mut out = Vec::new();
            runs::bytes(&packed[bytes], &mut out);
            (vec![0, (bits.start % 8) as u64], out)
        });
        self.stream(open, kind, groups);
    }

    fn bytes(
        &mut self,
        open: &mut Open,
        kind: u32,
        values: &[u8],
        bounds: &Bounds,
        within: &[u64],
    ) {
        let groups = groups(bounds).map(|group| {
            let mut out = Vec::new();
            runs::bytes(&values[group], &mut out);
            (within.to_vec(), out)
        });
        self.stream(open, kind, groups);
    }

    fn integers(
        &mut self,
        open: &mut Open,
        kind: u32,
        values: Vec<i64>,
        signed: bool,
        bounds: &Bounds,
    ) {
        self.versioned(open, DIRECT, None);
        self.integer_stream(open, kind, &values, signed, bounds);
    }

    fn integer_stream(
        &mut self,
        open: &mut Open,
        kind: u32,
        values: &[i64],
        signed: bool,
        bounds: &Bounds,
    ) {
        let write = self.run_writer();
        let groups = groups(bounds).map(|group| {
            let mut out = Vec::new();
            write(&values[group], signed, &mut out);
            (vec![0], out)
        });
        self.stream(open, kind, groups);
    }

    fn run_writer(&self) -> fn(&[i64], bool, &mut Vec<u8>) {
        match self.settings.format_version {
            OrcVersion::V0_11 => runs::version_1,
            OrcVersion::V0_12 => runs::version_2,
        }
    }

    fn plain<T>(
        &mut self,
        open: &mut Open,
        kind: u32,
        values: &[T],
        bounds: &Bounds,
        write: impl Fn(&T, &mut Vec<u8>),
    ) {
        let groups = groups(bounds).map(|group| {
            let mut out = Vec::new();
            values[group]
                .iter()
                .for_each(|value| write(value, &mut out));
            (Vec::new(), out)
        });
        self.stream(open, kind, groups);
    }

    fn decimals(&mut self, open: &mut Open, values: &[i128], scale: u8, bounds: &Bounds) {
        self.versioned(open, DIRECT, None);
        self.plain(open, DATA, values, bounds, |value, out| {
            runs::signed_varint(*value, out)
        });
        self.integer_stream(
            open,
            SECONDARY,
            &vec![i64::from(scale); values.len()],
            true,
            bounds,
        );
    }

    fn timestamps(&mut self, open: &mut Open, values: &[Timestamp], bounds: &Bounds) {
        self.versioned(open, DIRECT, None);
        let seconds: Vec<_> = values.iter().map(seconds_since_2015).collect();
        self.integer_stream(open, DATA, &seconds, true, bounds);
        let nanos: Vec<_> = values.iter().map(|at| packed_nanos(at.nanos)).collect();
        self.integer_stream(open, SECONDARY, &nanos, false, bounds);
    }

    fn texts(&mut self, open: &mut Open, values: &ByteValues, bounds: &Bounds) {
        self.versioned(open, DIRECT, None);
        let groups = groups(&element_bounds(&values.ends, bounds))
            .map(|group| (Vec::new(), values.bytes[group].to_vec()))
            .collect::<Vec<_>>();
        self.stream(open, DATA, groups.into_iter());
        self.integer_stream(open, LENGTH, &lengths(&values.ends), false, bounds);
    }

    /// The distinct values in the order in which they come first, and which one each value is, if they are few enough.
    fn dictionary<'v>(&self, values: &'v ByteValues) -> Option<(Vec<&'v [u8]>, Vec<i64>)> {
        let most = (self.settings.dictionary_key_threshold * values.ends.len() as f64) as usize;
        let (mut entries, mut known) = (Vec::new(), HashMap::new());
        let mut indexes = Vec::with_capacity(values.ends.len());
        for value in values.iter() {
            let index = *known.entry(value).or_insert_with(|| {
                entries.push(value);
                entries.len() - 1
            });
            if entries.len() > most {
                return None;
            }
            indexes.push(index as i64);
        }
        Some((entries, indexes)).filter(|(entries, _)| !entries.is_empty())
    }

    fn indexes(
        &mut self,
        open: &mut Open,
        (entries, indexes): (Vec<&[u8]>, Vec<i64>),
        bounds: &Bounds,
    ) {
        self.versioned(open, DICTIONARY, Some(entries.len() as u32));
        self.integer_stream(open, DATA, &indexes, false, bounds);
        // The dictionary is read whole, so the index does not point into it.
        let mut lengths = Vec::new();
        let of_entries: Vec<_> = entries.iter().map(|entry| entry.len() as i64).collect();
        self.run_writer()(&of_entries, false, &mut lengths);
        for (kind, bytes) in [(DICTIONARY_DATA, entries.concat()), (LENGTH, lengths)] {
            let bytes = compressed(self.settings.compression, &bytes);
            self.data.push(Encoded {
                kind,
                column: open.id,
                bytes,
            });
        }
    }
}

/// Each row group.
fn groups(bounds: &Bounds) -> impl Iterator<Item = std::ops::Range<usize>> {
    bounds.windows(2).map(|pair| pair[0]..pair[1])
}

/// Where the row groups of a column's values begin.
fn value_bounds(present: &[bool], slots: &Bounds) -> Bounds {
    let counts =
        groups(slots).map(|group| present[group].iter().filter(|present| **present).count());
    let ends = counts.scan(0, |sum, count| {
        *sum += count;
        Some(*sum)
    });
    std::iter::once(0).chain(ends).collect()
}

/// Where the row groups of what values consist of begin.
fn element_bounds(ends: &[usize], values: &Bounds) -> Bounds {
    values
        .iter()
        .map(|value| value.checked_sub(1).map_or(0, |last| ends[last]))
        .collect()
}

fn lengths(ends: &[usize]) -> Vec<i64> {
    ranges(ends).map(|range| range.len() as i64).collect()
}

/// Seconds as ORC has them: before 1970 those with a part of a second are rounded up, which all readers take back. (Of
/// the last second before 1970 they do not; no writer of ORC can tell it from the first after.)
fn seconds_since_2015(at: &Timestamp) -> i64 {
    let up = at.seconds < 0 && at.nanos > 999_999;
    at.seconds + i64::from(up) - EPOCH
}

/// Nanoseconds without the zeros at their end, and in the lowest three bits how many those were, less one.
fn packed_nanos(nanos: u32) -> i64 {
    let (mut digits, mut zeros) = (i64::from(nanos), 0);
    if nanos == 0 || !nanos.is_multiple_of(100) {
        return digits << 3;
    }
    while digits % 10 == 0 && zeros < 8 {
        digits /= 10;
        zeros += 1;
    }
    digits << 3 | (zeros - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_lose_their_zeros() {
        // The example of ORC's specification, and its limits.
        assert_eq!(
            [1000, 100_000, 0, 10, 999_999_999].map(packed_nanos),
            [0x0a, 0x0c, 0, 80, 7_999_999_992]
        );
        assert_eq!(packed_nanos(100_000_000), 1 << 3 | 7);
    }

    #[test]
    fn groups_of_elements_follow_those_of_rows() {
        let present = [true, false, true, true, true];
        let values = value_bounds(&present, &vec![0, 2, 4, 5]);
        assert_eq!(values, [0, 1, 3, 4]);
        assert_eq!(element_bounds(&[2, 2, 5, 9], &values), [0, 2, 5, 9]);
    }
}
