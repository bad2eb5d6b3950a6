//! Parquet files, written row group by row group.
//!
//! Owns which of Parquet's types a column has and what levels its values stand at. Types are those that Hive writes and
//! so AWS: timestamps as INT96, decimals as bytes, all columns optional. Pages, encodings and compression are the
//! library's.

use std::sync::Arc;

use ::parquet::{
    basic::{Compression, ConvertedType, LogicalType, Repetition, Type as Physical},
    column::writer::ColumnWriter,
    data_type::{ByteArray, FixedLenByteArray, Int96},
    errors::Result,
    file::{
        properties::{WriterProperties, WriterVersion},
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::types::{Type, TypePtr},
};
use bytes::Bytes;

use crate::{
    column::{ByteValues, Column, Timestamp, Values},
    settings::{Parquet, ParquetCompression, ParquetVersion},
    types::{Column as Member, DataType, Schema},
};

/// A file that is being written.
pub(crate) struct File {
    writer: SerializedFileWriter<Vec<u8>>,
    block_size: u64,
    padding_max: u64,
}

impl File {
    pub fn new(schema: &Schema, settings: &Parquet) -> Result<Self> {
        let root = group("hive_schema", &schema.columns, None)?;
        let writer =
            SerializedFileWriter::new(Vec::new(), Arc::new(root), Arc::new(properties(settings)))?;
        Ok(Self {
            writer,
            block_size: settings.block_size,
            padding_max: settings.padding_max(),
        })
    }

    /// Writes rows as one row group.
    pub fn write(&mut self, columns: &[Column]) -> Result<()> {
        self.pad()?;
        let mut group = self.writer.next_row_group()?;
        let rows = columns[0].slots();
        for column in columns {
            leaves(column, Levels::of_rows(rows), &mut |values, levels| {
                let mut writer = group
                    .next_column()?
                    .expect("the schema has a leaf for each of the columns'");
                write_leaf(&mut writer, values, &levels)?;
                writer.close()
            })?;
        }
        group.close().map(drop)
    }

    /// Zeros up to the next block of the file system that the file is meant for, if they are few enough.
    fn pad(&mut self) -> Result<()> {
        let left = self.block_size - self.writer.bytes_written() as u64 % self.block_size;
        if left <= self.padding_max {
            self.writer.write_all(&vec![0; left as usize])?;
        }
        Ok(())
    }

    /// The bytes that were encoded since the last time.
    pub fn take(&mut self) -> Result<Vec<u8>> {
        self.writer.flush()?;
        Ok(std::mem::take(self.writer.inner_mut()))
    }

    /// The end of the file.
    pub fn finish(self) -> Result<Vec<u8>> {
        self.writer.into_inner()
    }
}

fn properties(settings: &Parquet) -> WriterProperties {
    WriterProperties::builder()
        .set_created_by(concat!("headwater version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(match settings.compression {
            ParquetCompression::Uncompressed => Compression::UNCOMPRESSED,
            ParquetCompression::Gzip => Compression::GZIP(Default::default()),
            ParquetCompression::Snappy => Compression::SNAPPY,
        })
        .set_writer_version(match settings.writer_version {
            ParquetVersion::V1 => WriterVersion::PARQUET_1_0,
            ParquetVersion::V2 => WriterVersion::PARQUET_2_0,
        })
        .set_dictionary_enabled(settings.enable_dictionary)
        .set_data_page_size_limit(settings.page_size)
        .build()
}

/// The type of a column.
fn column_type(name: &str, data_type: &DataType) -> Result<Type> {
    use DataType as T;
    let integer = |bits| Some(LogicalType::integer(bits, true));
    match data_type {
        T::Boolean => primitive(name, Physical::BOOLEAN, None),
        T::TinyInt => primitive(name, Physical::INT32, integer(8)),
        T::SmallInt => primitive(name, Physical::INT32, integer(16)),
        T::Int => primitive(name, Physical::INT32, None),
        T::BigInt => primitive(name, Physical::INT64, None),
        T::Float => primitive(name, Physical::FLOAT, None),
        T::Double => primitive(name, Physical::DOUBLE, None),
        T::Decimal(precision, scale) => decimal(name, *precision, *scale),
        T::String | T::Char(_) | T::VarChar(_) => {
            primitive(name, Physical::BYTE_ARRAY, Some(LogicalType::String))
        }
        T::Binary => primitive(name, Physical::BYTE_ARRAY, None),
        T::Date => primitive(name, Physical::INT32, Some(LogicalType::Date)),
        T::Timestamp => primitive(name, Physical::INT96, None),
        T::Array(element) => list(name, element),
        T::Map(key, value) => map(name, key, value),
        T::Struct(members) => group(name, members, Some(Repetition::OPTIONAL)),
    }
}

fn primitive(name: &str, physical: Physical, logical: Option<LogicalType>) -> Result<Type> {
    Type::primitive_type_builder(name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()
}

fn decimal(name: &str, precision: u8, scale: u8) -> Result<Type> {
    Type::primitive_type_builder(name, Physical::FIXED_LEN_BYTE_ARRAY)
        .with_repetition(Repetition::OPTIONAL)
        .with_length(decimal_width(precision) as i32)
        .with_logical_type(Some(LogicalType::decimal(
            i32::from(scale),
            i32::from(precision),
        )))
        .with_precision(i32::from(precision))
        .with_scale(i32::from(scale))
        .build()
}

/// Bytes that hold any decimal of so many digits.
fn decimal_width(precision: u8) -> usize {
    let largest = 10_i128.pow(u32::from(precision)) - 1;
    let bits = i128::BITS - largest.leading_zeros() + 1;
    bits.div_ceil(8) as usize
}

fn group(name: &str, members: &[Member], repetition: Option<Repetition>) -> Result<Type> {
    let fields = members
        .iter()
        .map(|member| column_type(&member.name, &member.data_type).map(Arc::new));
    let builder = Type::group_type_builder(name).with_fields(fields.collect::<Result<_>>()?);
    match repetition {
        Some(repetition) => builder.with_repetition(repetition).build(),
        None => builder.build(),
    }
}

fn list(name: &str, element: &DataType) -> Result<Type> {
    let element = Arc::new(column_type("element", element)?);
    around(
        name,
        "list",
        vec![element],
        LogicalType::List,
        ConvertedType::LIST,
    )
}

fn map(name: &str, key: &DataType, value: &DataType) -> Result<Type> {
    let key = required(&column_type("key", key)?)?;
    let value = Arc::new(column_type("value", value)?);
    around(
        name,
        "key_value",
        vec![Arc::new(key), value],
        LogicalType::Map,
        ConvertedType::MAP,
    )
}

/// An optional group around a repeated one, as the format lays down for lists and maps.
fn around(
    name: &str,
    inner: &str,
    fields: Vec<TypePtr>,
    logical: LogicalType,
    converted: ConvertedType,
) -> Result<Type> {
    let repeated = Type::group_type_builder(inner)
        .with_repetition(Repetition::REPEATED)
        .with_fields(fields)
        .build()?;
    Type::group_type_builder(name)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(Some(logical))
        .with_converted_type(converted)
        .with_fields(vec![Arc::new(repeated)])
        .build()
}

/// The same primitive type, always there.
fn required(optional: &Type) -> Result<Type> {
    let info = optional.get_basic_info();
    let length = match optional {
        Type::PrimitiveType {
            type_length,
            precision,
            scale,
            ..
        } => (*type_length, *precision, *scale),
        Type::GroupType { .. } => unreachable!("keys of maps are not nested"),
    };
    Type::primitive_type_builder(info.name(), optional.get_physical_type())
        .with_repetition(Repetition::REQUIRED)
        .with_length(length.0)
        .with_precision(length.1)
        .with_scale(length.2)
        .with_logical_type(info.logical_type_ref().cloned())
        .build()
}

/// How deep each of a leaf's values is defined, and at which depth it repeats what came before.
struct Levels {
    definition: Vec<i16>,
    repetition: Vec<i16>,
    /// The level at which a slot holds all that is around it.
    defined: i16,
    /// How many lists are around it.
    repeated: i16,
}

impl Levels {
    fn of_rows(rows: usize) -> Self {
        Self {
            definition: vec![0; rows],
            repetition: vec![0; rows],
            defined: 0,
            repeated: 0,
        }
    }

    /// One level deeper where a value is present.
    fn present(&self, present: &[bool]) -> Self {
        let mut next = present.iter();
        let deeper = |level: &i16| {
            let is =
                *level == self.defined && *next.next().expect("a slot for each value around it");
            *level + i16::from(is)
        };
        Self {
            definition: self.definition.iter().map(deeper).collect(),
            repetition: self.repetition.clone(),
            defined: self.defined + 1,
            repeated: self.repeated,
        }
    }

    /// One level deeper for each element of a list that has any.
    fn elements(&self, ends: &[usize]) -> Self {
        let mut counts = crate::column::ranges(ends).map(|range| range.len());
        let mut deeper = Self {
            definition: Vec::with_capacity(self.definition.len()),
            repetition: Vec::with_capacity(self.definition.len()),
            defined: self.defined + 1,
            repeated: self.repeated + 1,
        };
        for (definition, repetition) in self.definition.iter().zip(&self.repetition) {
            let is_list = *definition == self.defined;
            let count = if is_list {
                counts.next().expect("a list for each that is defined")
            } else {
                0
            };
            deeper.definition.push(*definition + i16::from(count > 0));
            deeper.repetition.push(*repetition);
            for _ in 1..count {
                deeper.definition.push(deeper.defined);
                deeper.repetition.push(deeper.repeated);
            }
        }
        deeper
    }
}

/// Walks to the leaves of a column, in the order of the schema.
fn leaves(
    column: &Column,
    around: Levels,
    write: &mut impl FnMut(&Values, Levels) -> Result<()>,
) -> Result<()> {
    let levels = around.present(&column.present);
    match &column.values {
        Values::List(ends, elements) => leaves(elements, levels.elements(ends), write),
        Values::Map(ends, keys, values) => {
            write(&keys.values, levels.elements(ends))?;
            leaves(values, levels.elements(ends), write)
        }
        Values::Struct { members, .. } => {
            for member in members {
                leaves(
                    member,
                    Levels {
                        definition: levels.definition.clone(),
                        repetition: levels.repetition.clone(),
                        ..levels
                    },
                    write,
                )?;
            }
            Ok(())
        }
        leaf => write(leaf, levels),
    }
}

fn write_leaf(
    writer: &mut SerializedColumnWriter<'_>,
    values: &Values,
    levels: &Levels,
) -> Result<()> {
    let definition = (levels.defined > 0).then_some(levels.definition.as_slice());
    let repetition = (levels.repeated > 0).then_some(levels.repetition.as_slice());
    match (writer.untyped(), values) {
        (ColumnWriter::BoolColumnWriter(out), Values::Boolean(values)) => {
            out.write_batch(values, definition, repetition)
        }
        (ColumnWriter::Int32ColumnWriter(out), Values::Int(values)) => {
            out.write_batch(values, definition, repetition)
        }
        (ColumnWriter::Int64ColumnWriter(out), Values::Long(values)) => {
            out.write_batch(values, definition, repetition)
        }
        (ColumnWriter::Int96ColumnWriter(out), Values::Timestamp(values)) => {
            let values: Vec<_> = values.iter().map(int96).collect();
            out.write_batch(&values, definition, repetition)
        }
        (ColumnWriter::FloatColumnWriter(out), Values::Float(values)) => {
            out.write_batch(values, definition, repetition)
        }
        (ColumnWriter::DoubleColumnWriter(out), Values::Double(values)) => {
            out.write_batch(values, definition, repetition)
        }
        (ColumnWriter::ByteArrayColumnWriter(out), Values::Bytes(values)) => {
            out.write_batch(&byte_arrays(values), definition, repetition)
        }
        (ColumnWriter::FixedLenByteArrayColumnWriter(out), Values::Decimal(values)) => {
            let width = out.get_descriptor().type_length() as usize;
            out.write_batch(&fixed(values, width), definition, repetition)
        }
        _ => unreachable!("a leaf's writer is of the type that its column was made with"),
    }
    .map(drop)
}

/// The Julian day on which 1970 began.
const JULIAN_1970: i64 = 2_440_588;

/// A Julian day and the nanoseconds since its midnight.
fn int96(at: &Timestamp) -> Int96 {
    let day = at.seconds.div_euclid(86_400) + JULIAN_1970;
    let nanos = at.seconds.rem_euclid(86_400) as u64 * 1_000_000_000 + u64::from(at.nanos);
    let mut value = Int96::new();
    value.set_data(nanos as u32, (nanos >> 32) as u32, day as u32);
    value
}

fn byte_arrays(values: &ByteValues) -> Vec<ByteArray> {
    let bytes = Bytes::copy_from_slice(&values.bytes);
    crate::column::ranges(&values.ends)
        .map(|range| ByteArray::from(bytes.slice(range)))
        .collect()
}

/// The last `width` bytes of each value, the highest first.
fn fixed(values: &[i128], width: usize) -> Vec<FixedLenByteArray> {
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| {
            value
                .to_be_bytes()
                .into_iter()
                .skip(size_of::<i128>() - width)
        })
        .collect();
    let bytes = Bytes::from(bytes);
    (0..values.len())
        .map(|at| {
            FixedLenByteArray::from(ByteArray::from(bytes.slice(at * width..(at + 1) * width)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_take_the_bytes_that_their_digits_need() {
        let widths = [1, 2, 3, 4, 9, 10, 18, 19, 38].map(decimal_width);
        assert_eq!(widths, [1, 1, 2, 2, 4, 5, 8, 9, 16]);
    }

    #[test]
    fn levels_tell_null_from_empty_and_first_from_next() {
        // Rows: nothing, an empty list, a list of nothing and a value, a list of one value.
        let rows = Levels::of_rows(4).present(&[false, true, true, true]);
        let elements = rows.elements(&[0, 2, 3]).present(&[false, true, true]);
        assert_eq!(elements.definition, [0, 1, 2, 3, 3]);
        assert_eq!(elements.repetition, [0, 0, 0, 1, 0]);
        assert_eq!((elements.defined, elements.repeated), (3, 1));
    }

    #[test]
    fn instants_before_1970_are_in_the_day_that_they_are_in() {
        let at = int96(&Timestamp {
            seconds: -1,
            nanos: 5,
        });
        let nanos = 86_399_000_000_005_u64;
        assert_eq!(at.data(), [nanos as u32, (nanos >> 32) as u32, 2_440_587]);
    }
}
