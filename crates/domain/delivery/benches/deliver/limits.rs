//! Work that deliveries cannot do without, by itself and on one thread.

use std::{
    hint::black_box,
    io::{self, Write},
};

use flate2::write::GzEncoder;
use headwater_columnar::{Deserializer, OpenX, Parquet, Schema, Serializer, Writer};
use jaq_core::{
    Compiler, Ctx, Vars,
    data::JustLut,
    load::{Arena, File, Loader},
};
use jaq_json::{Val, read};

use crate::{Load, trips::COLUMNS};

/// The query that records are partitioned by: five partitions.
pub const QUERY: &str = "{passengers: .passengers}";

/// Bytes that are handed on at once.
const PIECE: usize = 1 << 20;

/// Records that are converted at once.
const ROWS: usize = 4_000;

/// Copies the records, one behind the other.
pub fn copy(load: &Load) -> u64 {
    let (mut piece, mut copied) = (Vec::with_capacity(2 * PIECE), 0);
    for record in &load.records {
        piece.extend_from_slice(record);
        if piece.len() >= PIECE {
            copied += black_box(&piece).len() as u64;
            piece.clear();
        }
    }
    copied + piece.len() as u64
}

/// Compresses them, as deliveries do.
pub fn gzip(load: &Load) -> u64 {
    let mut encoder = GzEncoder::new(Counted(0), flate2::Compression::default());
    for piece in load.text.chunks(PIECE) {
        encoder
            .write_all(piece)
            .expect("writing to memory does not fail");
    }
    encoder.finish().expect("writing to memory does not fail").0
}

/// Has the query's interpreter look at each, and compresses.
pub fn query_and_gzip(load: &Load) -> u64 {
    let arena = Arena::default();
    let defs = jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs());
    let modules = Loader::new(defs)
        .load(
            &arena,
            File {
                code: QUERY,
                path: (),
            },
        )
        .expect("a query");
    let funs = jaq_core::funs()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs());
    let query = Compiler::default()
        .with_funs(funs)
        .compile(modules)
        .expect("a query");
    for record in &load.records {
        let input = read::parse_single(record).expect("JSON");
        let ctx = Ctx::<JustLut<Val>>::new(&query.lut, Vars::new([]));
        let found = query.id.run((ctx, input)).next();
        assert!(matches!(black_box(found), Some(Ok(Val::Obj(_)))));
    }
    gzip(load)
}

/// Converts them.
pub fn parquet(load: &Load) -> u64 {
    let schema = Schema::parse(COLUMNS).expect("a schema");
    let (read, write) = (
        Deserializer::OpenX(OpenX::default()),
        Serializer::Parquet(Parquet::default()),
    );
    let mut writer = Writer::new(&schema, &read, &write).expect("settings that are supported");
    let mut size = 0;
    for rows in load.records.chunks(ROWS) {
        assert!(writer.write(rows).iter().all(Result::is_ok));
        size += writer.take().expect("a file").len();
    }
    (size + writer.finish().expect("a file").len()) as u64
}

struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
