//! How fast records become files, on one core: MB of JSON a second, beside what the parser alone does with them.
//!
//! `cargo bench -p headwater-columnar --bench convert`: see `trips`.

mod trips;

use bytes::Bytes;
use headwater_columnar::{
    Deserializer, OpenX, Orc, OrcCompression, Parquet, ParquetCompression, Schema, Serializer,
    Writer,
};
use headwater_env::{Clock, Env};
use serde::de::IgnoredAny;

use self::trips::{COLUMNS, trip};

const RECORDS: u64 = 300_000;

/// Each is measured so often, and the best counts.
const TIMES: usize = 3;

fn main() {
    let records: Vec<Bytes> = (0..RECORDS).map(trip).collect();
    let bytes: usize = records.iter().map(Bytes::len).sum();
    let clock = Env::real().clock;
    let measure = |name: &str, run: &dyn Fn() -> usize| {
        let best = (0..TIMES)
            .map(|_| timed(clock.as_ref(), run))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let (seconds, size) = best.expect("it was measured");
        let rate = bytes as f64 / 1e6 / seconds;
        println!(
            "{name:24} {rate:7.1} MB/s of JSON, {:5.1} MB of file",
            size as f64 / 1e6
        );
    };
    println!("{RECORDS} records, {:.1} MB", bytes as f64 / 1e6);
    measure("serde_json, parsed only", &|| parse(&records));
    for (name, serializer) in serializers() {
        measure(name, &|| convert(&records, &serializer));
    }
}

/// Seconds, and what came out.
fn timed(clock: &dyn Clock, run: &dyn Fn() -> usize) -> (f64, usize) {
    let begin = clock.elapsed();
    let size = run();
    ((clock.elapsed() - begin).as_secs_f64(), size)
}

fn serializers() -> [(&'static str, Serializer); 6] {
    let parquet = |compression| {
        Serializer::Parquet(Parquet {
            compression,
            ..Parquet::default()
        })
    };
    let orc = |compression| {
        Serializer::Orc(Orc {
            compression,
            ..Orc::default()
        })
    };
    [
        (
            "Parquet, uncompressed",
            parquet(ParquetCompression::Uncompressed),
        ),
        ("Parquet, Snappy", parquet(ParquetCompression::Snappy)),
        ("Parquet, GZIP", parquet(ParquetCompression::Gzip)),
        ("ORC, uncompressed", orc(OrcCompression::None)),
        ("ORC, Snappy", orc(OrcCompression::Snappy)),
        ("ORC, ZLIB", orc(OrcCompression::Zlib)),
    ]
}

fn parse(records: &[Bytes]) -> usize {
    for record in records {
        let _: IgnoredAny = serde_json::from_slice(record).expect("JSON");
    }
    0
}

fn convert(records: &[Bytes], serializer: &Serializer) -> usize {
    let schema = Schema::parse(COLUMNS).expect("a schema");
    let deserializer = Deserializer::OpenX(OpenX::default());
    let mut writer =
        Writer::new(&schema, &deserializer, serializer).expect("settings that are supported");
    let mut size = 0;
    for batch in records.chunks(500) {
        assert!(writer.write(batch).iter().all(Result::is_ok));
        size += writer.take().expect("a file").len();
    }
    size + writer.finish().expect("a file").len()
}
