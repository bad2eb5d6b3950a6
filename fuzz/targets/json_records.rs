//! JSON records on their way into Parquet and ORC, read as Hive's and OpenX's deserializers do.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::{collections::BTreeMap, sync::LazyLock};

use bytes::Bytes;
use headwater_columnar::{Deserializer, Hive, OpenX, Orc, Parquet, Schema, Serializer, Writer};
use headwater_fuzz::target;

/// Hive's formats of times, if Hive's deserializer reads; whether ORC is written, whether OpenX's deserializer takes
/// names in any case, and dots in them for underscores; the records.
type Input<'a> = (Option<Vec<&'a str>>, (bool, bool, bool), Vec<&'a [u8]>);

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

target!(|input: Input| {
    let (time_formats, (is_orc, case_insensitive, dots), records) = input;
    let deserializer = match time_formats {
        Some(formats) => Deserializer::Hive(Hive {
            timestamp_formats: formats.into_iter().map(Into::into).collect(),
        }),
        None => Deserializer::OpenX(OpenX {
            case_insensitive,
            column_to_json_key_mappings: BTreeMap::from([("s".into(), "text".into())]),
            convert_dots_in_json_keys_to_underscores: dots,
        }),
    };
    let serializer = if is_orc {
        Serializer::Orc(Orc::default())
    } else {
        Serializer::Parquet(Parquet::default())
    };
    let Ok(mut writer) = Writer::new(&SCHEMA, &deserializer, &serializer) else {
        return;
    };
    let records: Vec<_> = records.into_iter().map(Bytes::copy_from_slice).collect();
    writer.write(&records);
    writer.finish().expect("what was taken can be written");
});
