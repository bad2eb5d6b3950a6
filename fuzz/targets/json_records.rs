//! JSON records on their way into Parquet and ORC, read as Hive's and OpenX's deserializers do.
#![no_main]

use std::{collections::BTreeMap, sync::LazyLock};

use arbitrary::Arbitrary;
use bytes::Bytes;
use headwater_columnar::{Deserializer, Hive, OpenX, Orc, Parquet, Schema, Serializer, Writer};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    time_formats: Option<Vec<&'a str>>,
    case_insensitive: bool,
    dots: bool,
    orc: bool,
    records: Vec<&'a [u8]>,
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let columns = [
        ("b", "boolean"),
        ("i", "int"),
        ("l", "bigint"),
        ("d", "double"),
        ("s", "string"),
        ("t", "timestamp"),
        ("day", "date"),
        ("m", "decimal(12,3)"),
        ("x", "binary"),
        ("c", "char(3)"),
        ("list", "array<struct<a:int,t:timestamp>>"),
        ("map", "map<string,array<double>>"),
    ];
    Schema::parse(columns).expect("good types")
});

fuzz_target!(|input: Input| {
    let deserializer = match input.time_formats {
        Some(formats) => Deserializer::Hive(Hive {
            timestamp_formats: formats.into_iter().map(Into::into).collect(),
        }),
        None => Deserializer::OpenX(OpenX {
            case_insensitive: input.case_insensitive,
            column_to_json_key_mappings: BTreeMap::from([("s".into(), "text".into())]),
            convert_dots_in_json_keys_to_underscores: input.dots,
        }),
    };
    let serializer = if input.orc {
        Serializer::Orc(Orc::default())
    } else {
        Serializer::Parquet(Parquet::default())
    };
    let Ok(mut writer) = Writer::new(&SCHEMA, &deserializer, &serializer) else {
        return;
    };
    let records: Vec<_> = input
        .records
        .into_iter()
        .map(Bytes::copy_from_slice)
        .collect();
    writer.write(&records);
    writer.finish().expect("what was taken can be written");
});
