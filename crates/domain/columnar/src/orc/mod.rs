//! ORC files, written stripe by stripe after ORC's specification (version 1).
//!
//! Owns the whole format: which type a column has, the file's beginning and end, and stripes between. Written here
//! because no library writes nested types and decimals (docs/adr). Values are told in statistics by number alone.

mod message;
mod runs;
mod stream;
mod stripe;

use prost::Message;

use self::{
    message::{
        ColumnStatistics, Footer, Metadata, PostScript, StripeFooter, StripeInformation,
        StripeStatistics, Type,
    },
    stream::compressed,
    stripe::{Encoded, Stripe},
};
use crate::{
    column::Column,
    limits,
    settings::{Orc, OrcCompression, OrcVersion, Unsupported},
    types::{DataType, Schema},
};

const MAGIC: &str = "ORC";

/// A file that is being written.
pub(crate) struct File {
    settings: Orc,
    schema: Schema,
    /// The bytes that were encoded and not taken.
    out: Vec<u8>,
    /// Bytes of the file so far.
    written: u64,
    stripes: Vec<StripeInformation>,
    statistics: Vec<StripeStatistics>,
}

impl File {
    pub fn new(schema: &Schema, settings: &Orc) -> Result<Self, Unsupported> {
        if !settings.bloom_filter_columns.is_empty() {
            return Err(Unsupported("BloomFilterColumns"));
        }
        if settings.stripe_size > limits::STRIPE_BYTES_MAX {
            return Err(Unsupported("StripeSizeBytes of more than 128 MiB"));
        }
        let (settings, schema) = (settings.clone(), schema.clone());
        let (stripes, statistics) = (Vec::new(), Vec::new());
        let mut file = Self {
            settings,
            schema,
            out: Vec::new(),
            written: 0,
            stripes,
            statistics,
        };
        file.push(MAGIC.as_bytes());
        Ok(file)
    }

    /// Bytes of values that the next stripe should have: less than usual where a block of the file system ends soon.
    pub fn next_stripe(&self) -> usize {
        let usual = self.settings.stripe_size;
        let left = self.left_in_block();
        if self.settings.enable_padding && left >= self.settings.padding_max() {
            return usual.min(usize::try_from(left).unwrap_or(usual));
        }
        usual
    }

    /// Writes rows as one stripe.
    pub fn write(&mut self, columns: &[Column]) {
        if self.settings.enable_padding && self.left_in_block() < self.settings.padding_max() {
            self.push(&vec![0; self.left_in_block() as usize]);
        }
        let types = self.schema.columns.iter().map(|column| &column.data_type);
        let stripe = Stripe::new(&self.settings, columns, types);
        let footer = compressed(
            self.settings.compression,
            &stripe_footer(&stripe).encode_to_vec(),
        );
        let length =
            |streams: &[Encoded]| streams.iter().map(|stream| stream.bytes.len() as u64).sum();
        let information = StripeInformation {
            offset: Some(self.written),
            index_length: Some(length(&stripe.index)),
            data_length: Some(length(&stripe.data)),
            footer_length: Some(footer.len() as u64),
            number_of_rows: Some(columns[0].slots() as u64),
        };
        let parts: Vec<_> = stripe
            .index
            .into_iter()
            .chain(stripe.data)
            .map(|stream| stream.bytes)
            .collect();
        self.statistics.push(StripeStatistics {
            columns: stripe.statistics,
        });
        self.stripes.push(information);
        parts
            .iter()
            .chain([&footer])
            .for_each(|bytes| self.push(bytes));
    }

    /// The bytes that were encoded since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// The end of the file.
    pub fn finish(mut self) -> Vec<u8> {
        let content_length = self.written;
        let metadata = Metadata {
            stripe_statistics: self.statistics.clone(),
        }
        .encode_to_vec();
        let metadata = compressed(self.settings.compression, &metadata);
        let footer = compressed(
            self.settings.compression,
            &self.footer(content_length).encode_to_vec(),
        );
        let postscript = self
            .postscript(metadata.len(), footer.len())
            .encode_to_vec();
        for part in [
            metadata,
            footer,
            postscript.clone(),
            vec![postscript.len() as u8],
        ] {
            self.push(&part);
        }
        self.out
    }

    fn push(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
        self.written += bytes.len() as u64;
    }

    fn left_in_block(&self) -> u64 {
        self.settings.block_size - self.written % self.settings.block_size
    }

    fn footer(&self, content_length: u64) -> Footer {
        let mut types = vec![Type {
            kind: Some(kind::STRUCT),
            ..Type::default()
        }];
        let members = self
            .schema
            .columns
            .iter()
            .map(|column| (column.name.clone(), &column.data_type));
        add_members(&mut types, 0, members);
        let rows = self
            .stripes
            .iter()
            .filter_map(|stripe| stripe.number_of_rows)
            .sum();
        Footer {
            header_length: Some(MAGIC.len() as u64),
            content_length: Some(content_length),
            stripes: self.stripes.clone(),
            statistics: file_statistics(&self.statistics, types.len()),
            types,
            number_of_rows: Some(rows),
            row_index_stride: Some(self.settings.row_index_stride as u32),
        }
    }

    fn postscript(&self, metadata: usize, footer: usize) -> PostScript {
        PostScript {
            footer_length: Some(footer as u64),
            compression: Some(match self.settings.compression {
                OrcCompression::None => 0,
                OrcCompression::Zlib => 1,
                OrcCompression::Snappy => 2,
            }),
            compression_block_size: Some(stream::CHUNK as u64),
            version: match self.settings.format_version {
                OrcVersion::V0_11 => vec![0, 11],
                OrcVersion::V0_12 => vec![0, 12],
            },
            metadata_length: Some(metadata as u64),
            magic: Some(MAGIC.to_owned()),
        }
    }
}

fn stripe_footer(stripe: &Stripe<'_>) -> StripeFooter {
    let streams = stripe
        .index
        .iter()
        .chain(&stripe.data)
        .map(|stream| message::Stream {
            kind: Some(stream.kind),
            column: Some(stream.column),
            length: Some(stream.bytes.len() as u64),
        });
    StripeFooter {
        streams: streams.collect(),
        columns: stripe.encodings.clone(),
        writer_timezone: Some("UTC".to_owned()),
    }
}

/// The statistics of each column over all stripes.
fn file_statistics(stripes: &[StripeStatistics], columns: usize) -> Vec<ColumnStatistics> {
    let of = |column: usize| {
        let all = || stripes.iter().map(move |stripe| &stripe.columns[column]);
        ColumnStatistics {
            number_of_values: Some(all().filter_map(|of| of.number_of_values).sum()),
            has_null: Some(all().any(|of| of.has_null == Some(true))),
        }
    };
    (0..columns).map(of).collect()
}

/// Numbers of types.
mod kind {
    pub const BOOLEAN: u32 = 0;
    pub const BYTE: u32 = 1;
    pub const SHORT: u32 = 2;
    pub const INT: u32 = 3;
    pub const LONG: u32 = 4;
    pub const FLOAT: u32 = 5;
    pub const DOUBLE: u32 = 6;
    pub const STRING: u32 = 7;
    pub const BINARY: u32 = 8;
    pub const TIMESTAMP: u32 = 9;
    pub const LIST: u32 = 10;
    pub const MAP: u32 = 11;
    pub const STRUCT: u32 = 12;
    pub const DECIMAL: u32 = 14;
    pub const DATE: u32 = 15;
    pub const VARCHAR: u32 = 16;
    pub const CHAR: u32 = 17;
}

/// Adds a struct's members after it, each followed by what is in it: columns are numbered in that order.
fn add_members<'a>(
    types: &mut Vec<Type>,
    at: usize,
    members: impl Iterator<Item = (String, &'a DataType)>,
) {
    for (name, data_type) in members {
        let id = add(types, data_type);
        types[at].subtypes.push(id);
        types[at].field_names.push(name);
    }
}

fn add(types: &mut Vec<Type>, data_type: &DataType) -> u32 {
    let at = types.len();
    types.push(of_scalar(data_type));
    match data_type {
        DataType::Array(element) => {
            let id = add(types, element);
            types[at].subtypes.push(id);
        }
        DataType::Map(key, value) => {
            for part in [key, value] {
                let id = add(types, part);
                types[at].subtypes.push(id);
            }
        }
        DataType::Struct(members) => {
            add_members(
                types,
                at,
                members
                    .iter()
                    .map(|member| (member.name.clone(), &member.data_type)),
            );
        }
        _ => {}
    }
    at as u32
}

/// A type without what is in it.
fn of_scalar(data_type: &DataType) -> Type {
    let kind = match data_type {
        DataType::Boolean => kind::BOOLEAN,
        DataType::TinyInt => kind::BYTE,
        DataType::SmallInt => kind::SHORT,
        DataType::Int => kind::INT,
        DataType::BigInt => kind::LONG,
        DataType::Float => kind::FLOAT,
        DataType::Double => kind::DOUBLE,
        DataType::Decimal(..) => kind::DECIMAL,
        DataType::String => kind::STRING,
        DataType::Char(_) => kind::CHAR,
        DataType::VarChar(_) => kind::VARCHAR,
        DataType::Binary => kind::BINARY,
        DataType::Date => kind::DATE,
        DataType::Timestamp => kind::TIMESTAMP,
        DataType::Array(_) => kind::LIST,
        DataType::Map(..) => kind::MAP,
        DataType::Struct(_) => kind::STRUCT,
    };
    let mut of = Type {
        kind: Some(kind),
        ..Type::default()
    };
    match data_type {
        DataType::Char(length) | DataType::VarChar(length) => of.maximum_length = Some(*length),
        DataType::Decimal(precision, scale) => {
            (of.precision, of.scale) = (Some(u32::from(*precision)), Some(u32::from(*scale)));
        }
        _ => {}
    }
    of
}
