//! The journal's records: the data of one put, and the series that it is the first of.

use headwater_types::Millis;

use crate::{
    Summary, Values,
    bytes::{Input, put_number, put_signed, put_varint},
    index::SeriesId,
};

/// The version of the encoding, its first byte.
const VERSION: u8 = 1;

/// One put.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Record {
    /// The minute of the server's own that it is, if it is one.
    pub minute: Option<Millis>,
    /// The id of the first series that is new; the others have the next ones.
    pub first_new: SeriesId,
    /// The names of the series that are new.
    pub new: Vec<Vec<u8>>,
    /// The data, in the order in which they were put.
    pub data: Vec<Entry>,
}

/// A datum of a series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub series: SeriesId,
    pub at: Millis,
    /// Whether it is kept by the second.
    pub by_second: bool,
    pub values: Values,
}

const BY_SECOND: u64 = 1;
const IS_SET: u64 = 2;
/// Above the two: how many values there are.
const VALUES_SHIFT: u32 = 2;

impl Record {
    pub fn encode(&self) -> Vec<u8> {
        let mut to = Vec::with_capacity(64 + self.data.len() * 16);
        to.push(VERSION);
        put_varint(&mut to, self.minute.map_or(0, |minute| minute.0 + 1));
        put_varint(&mut to, self.first_new.0.into());
        put_varint(&mut to, self.new.len() as u64);
        for key in &self.new {
            put_varint(&mut to, key.len() as u64);
            to.extend_from_slice(key);
        }
        put_varint(&mut to, self.data.len() as u64);
        let (mut series, mut at) = (0, 0);
        for entry in &self.data {
            put_signed(&mut to, i64::from(entry.series.0) - series);
            put_signed(&mut to, entry.at.0 as i64 - at);
            put_values(&mut to, entry);
            (series, at) = (entry.series.0.into(), entry.at.0 as i64);
        }
        to
    }

    /// The record that these bytes are; none where they are none, or a later version's.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut input = Input::new(bytes);
        if input.byte()? != VERSION {
            return None;
        }
        let minute = input.varint()?.checked_sub(1).map(Millis);
        let first_new = SeriesId(input.varint()?.try_into().ok()?);
        let mut new = Vec::new();
        for _ in 0..input.count(bytes.len())? {
            let len = input.count(bytes.len())?;
            new.push(input.take(len)?.to_vec());
        }
        let mut data = Vec::new();
        let (mut series, mut at) = (0i64, 0i64);
        for _ in 0..input.count(bytes.len())? {
            series = series.checked_add(input.signed()?)?;
            at = at.checked_add(input.signed()?)?;
            let (by_second, values) = take_values(&mut input)?;
            data.push(Entry {
                series: SeriesId(series.try_into().ok()?),
                at: Millis(at.try_into().ok()?),
                by_second,
                values,
            });
        }
        input.rest().is_empty().then_some(Self {
            minute,
            first_new,
            new,
            data,
        })
    }
}

fn put_values(to: &mut Vec<u8>, entry: &Entry) {
    let mut kind = if entry.by_second { BY_SECOND } else { 0 };
    match &entry.values {
        Values::Set(set) => {
            put_varint(to, kind | IS_SET);
            put_number(to, set.count, 0.0);
            put_number(to, set.sum, set.count);
            put_number(to, set.min, set.sum);
            put_number(to, set.max, set.min);
        }
        Values::Each(each) => {
            kind |= (each.len() as u64) << VALUES_SHIFT;
            put_varint(to, kind);
            let mut near = 0.0;
            for (value, count) in each {
                put_number(to, *value, near);
                put_number(to, *count, 1.0);
                near = *value;
            }
        }
    }
}

fn take_values(input: &mut Input<'_>) -> Option<(bool, Values)> {
    let kind = input.varint()?;
    let values = if kind & IS_SET != 0 {
        let count = input.number(0.0)?;
        let sum = input.number(count)?;
        let min = input.number(sum)?;
        let max = input.number(min)?;
        Values::Set(Summary {
            count,
            sum,
            min,
            max,
        })
    } else {
        let (mut each, mut near) = (Vec::new(), 0.0);
        for _ in 0..kind >> VALUES_SHIFT {
            near = input.number(near)?;
            each.push((near, input.number(1.0)?));
        }
        Values::Each(each)
    };
    Some((kind & BY_SECOND != 0, values))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = Values> {
        let number = || prop_oneof![-9f64..9.0, (0i32..1000).prop_map(f64::from)];
        let each = prop::collection::vec((number(), number()), 0..4);
        let set = (number(), number(), number(), number());
        prop_oneof![
            each.prop_map(Values::Each),
            set.prop_map(|(count, sum, min, max)| Values::Set(Summary {
                count,
                sum,
                min,
                max
            })),
        ]
    }

    fn entries() -> impl Strategy<Value = Entry> {
        (any::<u32>(), 0u64..1 << 42, any::<bool>(), values()).prop_map(
            |(series, at, by_second, values)| Entry {
                series: SeriesId(series),
                at: Millis(at),
                by_second,
                values,
            },
        )
    }

    proptest! {
        #[test]
        fn a_record_reads_back(
            minute in prop::option::of(0u64..1 << 42),
            first_new: u32,
            new in prop::collection::vec(any::<Vec<u8>>(), 0..3),
            data in prop::collection::vec(entries(), 0..5),
        ) {
            let minute = minute.map(Millis);
            let record = Record { minute, first_new: SeriesId(first_new), new, data };
            prop_assert_eq!(Record::decode(&record.encode()), Some(record));
        }

        #[test]
        fn any_bytes_are_a_record_or_none(mut bytes: Vec<u8>) {
            bytes.insert(0, VERSION);
            drop(Record::decode(&bytes));
        }
    }
}
