//! Rows in memory, column by column, as both file formats want them.
//!
//! A column has a slot a row, and a slot holds a value or nothing. Values alone are stored; the slots of what is nested
//! are those of the values around it. So the last rows can be taken back, which is how a record that does not fit
//! leaves no trace. Owns no meaning of values and no format.

use crate::types::{Column as Member, DataType};

/// A column's slots and values.
#[derive(Debug)]
pub(crate) struct Column {
    /// Whether a slot holds a value.
    pub present: Vec<bool>,
    /// The values of the slots that hold one.
    pub values: Values,
}

/// Values, by what stores them.
#[derive(Debug)]
pub(crate) enum Values {
    Boolean(Vec<bool>),
    /// Integers of 8 to 32 bits, and days since 1970.
    Int(Vec<i32>),
    Long(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    /// A decimal's digits, without its point.
    Decimal(Vec<i128>),
    Timestamp(Vec<Timestamp>),
    /// Text and binary.
    Bytes(ByteValues),
    List(Ends, Box<Column>),
    Map(Ends, Box<Column>, Box<Column>),
    Struct {
        /// How many values there are.
        count: usize,
        members: Vec<Column>,
    },
}

/// An instant: seconds since 1970 and nanoseconds of the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timestamp {
    pub seconds: i64,
    pub nanos: u32,
}

/// Values of many bytes, end to end.
#[derive(Debug, Default)]
pub(crate) struct ByteValues {
    pub bytes: Vec<u8>,
    pub ends: Ends,
}

/// Where values end that consist of several things.
pub(crate) type Ends = Vec<usize>;

impl ByteValues {
    pub fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len());
    }

    /// The values, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        ranges(&self.ends).map(|range| &self.bytes[range])
    }
}

/// The parts of each value.
pub(crate) fn ranges(ends: &[usize]) -> impl Iterator<Item = std::ops::Range<usize>> {
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts.zip(ends).map(|(start, end)| start..*end)
}

impl Column {
    /// An empty column for values of this type.
    pub fn new(data_type: &DataType) -> Self {
        Self {
            present: Vec::new(),
            values: Values::new(data_type),
        }
    }

    /// Empty columns for these members.
    pub fn of_members(members: &[Member]) -> Vec<Self> {
        members
            .iter()
            .map(|member| Self::new(&member.data_type))
            .collect()
    }

    /// How many slots there are.
    pub fn slots(&self) -> usize {
        self.present.len()
    }

    /// Adds a slot without a value.
    pub fn push_null(&mut self) {
        self.present.push(false);
    }

    /// Goes back to the first `slots` slots, also from within a value that was not finished.
    pub fn truncate(&mut self, slots: usize) {
        let dropped = self
            .present
            .drain(slots.min(self.present.len())..)
            .filter(|present| *present)
            .count();
        let kept = self.values.len() - dropped;
        self.values.truncate(kept);
    }

    /// Bytes that the values take in memory, about.
    pub fn size(&self) -> usize {
        self.present.len() + self.values.size()
    }

    /// Forgets all rows, and keeps the memory for those to come.
    pub fn clear(&mut self) {
        self.truncate(0);
    }
}

impl Values {
    fn new(data_type: &DataType) -> Self {
        use DataType as T;
        match data_type {
            T::Boolean => Self::Boolean(Vec::new()),
            T::TinyInt | T::SmallInt | T::Int | T::Date => Self::Int(Vec::new()),
            T::BigInt => Self::Long(Vec::new()),
            T::Float => Self::Float(Vec::new()),
            T::Double => Self::Double(Vec::new()),
            T::Decimal(..) => Self::Decimal(Vec::new()),
            T::Timestamp => Self::Timestamp(Vec::new()),
            T::String | T::Char(_) | T::VarChar(_) | T::Binary => {
                Self::Bytes(ByteValues::default())
            }
            T::Array(element) => Self::List(Ends::new(), Box::new(Column::new(element))),
            T::Map(key, value) => Self::Map(
                Ends::new(),
                Box::new(Column::new(key)),
                Box::new(Column::new(value)),
            ),
            T::Struct(members) => Self::Struct {
                count: 0,
                members: Column::of_members(members),
            },
        }
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Boolean(values) => values.len(),
            Self::Int(values) => values.len(),
            Self::Long(values) => values.len(),
            Self::Float(values) => values.len(),
            Self::Double(values) => values.len(),
            Self::Decimal(values) => values.len(),
            Self::Timestamp(values) => values.len(),
            Self::Bytes(values) => values.ends.len(),
            Self::List(ends, _) | Self::Map(ends, ..) => ends.len(),
            Self::Struct { count, .. } => *count,
        }
    }

    fn truncate(&mut self, kept: usize) {
        match self {
            Self::Boolean(values) => values.truncate(kept),
            Self::Int(values) => values.truncate(kept),
            Self::Long(values) => values.truncate(kept),
            Self::Float(values) => values.truncate(kept),
            Self::Double(values) => values.truncate(kept),
            Self::Decimal(values) => values.truncate(kept),
            Self::Timestamp(values) => values.truncate(kept),
            Self::Bytes(values) => {
                values.ends.truncate(kept);
                values.bytes.truncate(end(&values.ends));
            }
            Self::List(ends, elements) => {
                ends.truncate(kept);
                elements.truncate(end(ends));
            }
            Self::Map(ends, keys, values) => {
                ends.truncate(kept);
                keys.truncate(end(ends));
                values.truncate(end(ends));
            }
            Self::Struct { count, members } => {
                *count = kept;
                members.iter_mut().for_each(|member| member.truncate(kept));
            }
        }
    }

    fn size(&self) -> usize {
        let ends_size = |ends: &Ends| size_of_val(ends.as_slice());
        match self {
            Self::Boolean(values) => values.len(),
            Self::Int(values) => size_of_val(values.as_slice()),
            Self::Long(values) => size_of_val(values.as_slice()),
            Self::Float(values) => size_of_val(values.as_slice()),
            Self::Double(values) => size_of_val(values.as_slice()),
            Self::Decimal(values) => size_of_val(values.as_slice()),
            Self::Timestamp(values) => size_of_val(values.as_slice()),
            Self::Bytes(values) => values.bytes.len() + ends_size(&values.ends),
            Self::List(ends, elements) => ends_size(ends) + elements.size(),
            Self::Map(ends, keys, values) => ends_size(ends) + keys.size() + values.size(),
            Self::Struct { members, .. } => members.iter().map(Column::size).sum(),
        }
    }
}

/// Where the last value ends.
fn end(ends: &[usize]) -> usize {
    ends.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists(column: &mut Column) -> (&mut Vec<bool>, &mut Ends, &mut Column) {
        let Values::List(ends, elements) = &mut column.values else {
            panic!("a list")
        };
        (&mut column.present, ends, elements)
    }

    #[test]
    fn a_value_that_was_not_finished_is_taken_back_with_what_is_in_it() {
        let mut column = Column::new(&DataType::parse("array<struct<a:string,b:int>>").unwrap());
        let push = |column: &mut Column, text: &[u8]| {
            let (_, _, elements) = lists(column);
            let Values::Struct { members, .. } = &mut elements.values else {
                panic!("a struct")
            };
            let Values::Bytes(bytes) = &mut members[0].values else {
                panic!("text")
            };
            bytes.push(text);
            members[0].present.push(true);
        };
        // A list of one struct with a text and no number.
        push(&mut column, b"kept");
        let (present, ends, elements) = lists(&mut column);
        let Values::Struct { count, members } = &mut elements.values else {
            panic!("a struct")
        };
        members[1].push_null();
        *count = 1;
        elements.present.push(true);
        ends.push(1);
        present.push(true);
        let size = column.size();
        // A struct in a second list, in the middle of which something did not fit.
        push(&mut column, b"lost");
        column.truncate(1);
        assert_eq!((column.slots(), column.size()), (1, size));
        column.truncate(0);
        assert_eq!(column.size(), 0);
    }
}
