"""Files of format conversion, read by software of others: what pyarrow, pyorc and DuckDB find in them is what went in."""

import datetime
import decimal
import io
import json
import random
import subprocess

import duckdb
import pyarrow
import pyarrow.orc
import pyarrow.parquet
import pyorc
import pytest

import sdks

UTC = datetime.UTC
DEEP = "array<map<string,struct<a:int,b:array<decimal(10,2)>>>>"
COLUMNS = [
    ("flag", "boolean"),
    ("tiny", "tinyint"),
    ("small", "smallint"),
    ("number", "int"),
    ("big", "bigint"),
    ("single", "float"),
    ("real", "double"),
    ("price", "decimal(38,9)"),
    ("little", "decimal(5,2)"),
    ("text", "string"),
    ("padded", "char(10)"),
    ("bounded", "varchar(10)"),
    ("raw", "binary"),
    ("day", "date"),
    ("at", "timestamp"),
    ("tags", "array<string>"),
    ("counts", "map<string,int>"),
    ("place", "struct<name:string,at:struct<x:double,y:double>>"),
    ("deep", DEEP),
]
ROW = {
    "flag": True,
    "tiny": -128,
    "small": 32767,
    "number": -(2**31),
    "big": 2**63 - 1,
    "single": 0.5,
    "real": -1.25e300,
    "price": "12345678901234567890123456789.123456789",
    "little": -999.99,
    "text": "Zürich \U0001f695 \"quoted\"",
    "padded": "ab   ",
    "bounded": "0123456789ab",
    "raw": "bytes",
    "day": "1969-12-31",
    "at": "2026-09-07 12:00:02.123456",
    "tags": ["a", None, ""],
    "counts": {"one": 1, "none": None},
    "place": {"name": "x", "at": {"x": 1.5, "y": None}},
    "deep": [{"k": {"a": 1, "b": [1.25, None]}, "n": None}, None, {}],
}
EXPECTED = {
    **{name: ROW[name] for name in ["flag", "tiny", "small", "number", "big", "single", "real", "text", "tags"]},
    "price": decimal.Decimal(ROW["price"]),
    "little": decimal.Decimal("-999.99"),
    "padded": "ab",
    "bounded": "0123456789",
    "raw": b"bytes",
    "day": datetime.date(1969, 12, 31),
    "at": datetime.datetime(2026, 9, 7, 12, 0, 2, 123456),
    "counts": [("one", 1), ("none", None)],
    "place": ROW["place"],
    "deep": [[("k", {"a": 1, "b": [decimal.Decimal("1.25"), None]}), ("n", None)], None, []],
}
FORMATS = [
    {"format": "parquet", "compression": compression, "version": version, "dictionary": dictionary}
    for compression in ["UNCOMPRESSED", "GZIP", "SNAPPY"]
    for version, dictionary in [("V1", True), ("V2", False)]
] + [
    {"format": "orc", "compression": compression, "version": version, "dictionary": dictionary}
    for compression in ["NONE", "ZLIB", "SNAPPY"]
    for version, dictionary in [("V0_11", True), ("V0_12", False)]
]
OF_ORC = [settings for settings in FORMATS if settings["format"] == "orc"]


def name_of(settings):
    return "-".join(str(value) for value in settings.values())


@pytest.fixture(scope="module")
def convert():
    """Converts records with the crate's example; the file and the lines of what was not converted."""
    program = sdks.example("headwater-columnar", "convert")

    def run(columns, records, **settings):
        lines = [json.dumps({"columns": columns, **settings})]
        lines += [record if isinstance(record, str) else json.dumps(record) for record in records]
        done = subprocess.run([program], input="\n".join(lines).encode(), capture_output=True, check=True)
        return done.stdout, done.stderr.decode().splitlines()

    return run


def read(content, settings):
    source = io.BytesIO(content)
    return (pyarrow.parquet if settings["format"] == "parquet" else pyarrow.orc).read_table(source)


def plain(value):
    """What pyarrow gives, without what it adds: nanoseconds of its own type and spaces behind a char."""
    if hasattr(value, "to_pydatetime"):
        return value.to_pydatetime().replace(tzinfo=None)
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=None)
    return value


def nanoseconds(column):
    return column.cast(pyarrow.int64()).to_pylist()


def rows_of(table):
    rows = [{name: plain(value) for name, value in row.items()} for row in table.to_pylist()]
    for row in rows:
        # Readers of ORC fill a char up to its length.
        if row.get("padded"):
            row["padded"] = row["padded"].rstrip()
    return rows


@pytest.mark.parametrize("settings", FORMATS, ids=name_of)
def test_every_type_reads_back(convert, settings):
    nothing = {name: None for name, _ in COLUMNS}
    records = [ROW, {}, ROW, nothing, ROW]
    content, failures = convert(COLUMNS, records, **settings)
    table = read(content, settings)
    assert failures == []
    assert rows_of(table) == [EXPECTED, nothing, EXPECTED, nothing, EXPECTED]
    types = {field.name: str(field.type) for field in table.schema}
    assert (types["tiny"], types["small"], types["number"], types["big"]) == ("int8", "int16", "int32", "int64")
    assert (types["price"], types["day"], types["at"]) == ("decimal128(38, 9)", "date32[day]", "timestamp[ns]")


@pytest.mark.parametrize("settings", FORMATS, ids=name_of)
def test_many_rows_in_many_groups_read_back(convert, settings):
    """Runs, steps, noise and nulls, over row groups, stripes and chunks; and parts of the file read by its index."""
    chance = random.Random(7)
    columns = [
        ("id", "bigint"),
        ("step", "int"),
        ("same", "smallint"),
        ("noise", "bigint"),
        ("flag", "boolean"),
        ("tiny", "tinyint"),
        ("word", "string"),
        ("list", "array<int>"),
        ("flags", "struct<a:boolean,b:array<boolean>>"),
        ("at", "timestamp"),
    ]
    rows = [
        {
            "id": at,
            "step": at // 7 * 3,
            "same": 5 if at % 1000 else None,
            "noise": chance.randrange(-(2**63), 2**63) >> chance.randrange(64),
            "flag": chance.random() < 0.3,
            "tiny": chance.randrange(-128, 128) if chance.random() < 0.5 else 1,
            "word": chance.choice(["aa", "b", "", None]) if at % 5 else f"word {chance.random()}",
            "list": [chance.randrange(10) for _ in range(chance.randrange(4))] if at % 3 else None,
            "flags": {"a": at % 3 == 0, "b": [True] * (at % 5)} if at % 11 else None,
            "at": f"{1970 + at % 80}-01-01 00:00:{at % 60:02}.{at:09}",
        }
        for at in range(30_011)
    ]
    more = {"stripe_size": 300_000, "row_index_stride": 1000} if settings["format"] == "orc" else {}
    content, failures = convert(columns, rows, **settings, **more)
    assert failures == []
    expected = [{name: value for name, value in row.items() if name != "at"} for row in rows]
    table = read(content, settings)
    assert table.drop_columns(["at"]).to_pylist() == expected
    years = [int(datetime.datetime(1970 + year, 1, 1, tzinfo=UTC).timestamp()) for year in range(80)]
    expected_ats = [(years[at % 80] + at % 60) * 10**9 + at for at in range(len(rows))]
    assert nanoseconds(table["at"]) == expected_ats
    if settings["format"] == "orc":
        file = pyarrow.orc.ORCFile(io.BytesIO(content))
        assert file.nrows == len(rows) and file.nstripes > 3
        first = sum(file.read_stripe(stripe).num_rows for stripe in range(2))
        second = file.read_stripe(2, columns=["id", "flags"]).to_pylist()
        assert second[0] == {"id": first, "flags": expected[first]["flags"]}


@pytest.mark.parametrize("settings", OF_ORC, ids=name_of)
def test_rows_of_orc_are_found_by_the_index(convert, settings):
    chance = random.Random(3)
    columns = [
        ("id", "bigint"),
        ("noise", "bigint"),
        ("flag", "boolean"),
        ("tiny", "tinyint"),
        ("word", "string"),
        ("flags", "struct<a:boolean,b:array<boolean>>"),
        ("price", "decimal(20,3)"),
        ("real", "double"),
        ("counts", "map<string,int>"),
        ("at", "timestamp"),
    ]
    rows = [
        {
            "id": at,
            "noise": chance.randrange(-(2**40), 2**40),
            "flag": chance.random() < 0.3,
            "tiny": at % 100,
            "word": chance.choice(["aa", "b", None]) if at % 2 else f"w{at}",
            "flags": {"a": at % 3 == 0, "b": [chance.random() < 0.5] * (at % 5)} if at % 11 else None,
            "price": at / 8,
            "real": at / 3,
            "counts": {f"k{at % 3}": at},
            "at": f"2026-01-01 00:00:{at % 60:02}.{at:06}",
        }
        for at in range(10_011)
    ]
    content, _ = convert(columns, rows, **settings, stripe_size=500_000, row_index_stride=1000)
    every = list(pyorc.Reader(io.BytesIO(content)))
    assert [row[0] for row in every] == list(range(len(rows)))
    reader = pyorc.Reader(io.BytesIO(content))
    assert reader.num_of_stripes > 1
    for at in [0, 999, 1000, 1001, 5555, 10_010, 3, 7001]:
        reader.seek(at)
        assert next(reader) == every[at]


@pytest.mark.parametrize("format_", ["parquet", "orc"])
def test_records_that_do_not_fit_fail_alone(convert, format_):
    compression = "SNAPPY"
    records = ['{"n":1}', '{"n":"x"}', "no json", '{"n":2}{"n":3}', '{"n":4}{"n":"y"}', '{"N":"5"}']
    content, failures = convert([("n", "int")], records, format=format_, compression=compression)
    assert read(content, {"format": format_})["n"].to_pylist() == [1, 2, 3, 5]
    codes = [failure.split(":")[0].removeprefix("DataFormatConversion.") for failure in failures]
    assert codes == ["MalformedData", "ParseError", "MalformedData"]


@pytest.mark.parametrize("format_", ["parquet", "orc"])
def test_a_file_without_rows_is_a_file(convert, format_):
    content, _ = convert(COLUMNS, [], format=format_, compression="SNAPPY")
    assert read(content, {"format": format_}).num_rows == 0


@pytest.mark.parametrize("format_", ["parquet", "orc"])
def test_the_same_records_make_the_same_bytes(convert, format_):
    settings = {"format": format_, "compression": "SNAPPY"}
    records = [{**ROW, "number": at, "text": f"t{at % 7}"} for at in range(500)]
    contents = {convert(COLUMNS, records, **settings, batch=batch)[0] for batch in [1, 7, 500]}
    assert len(contents) == 1


def test_padding_fills_blocks(convert):
    """ORC's stripes start with blocks where what is left of one is little; readers pass over what fills it."""
    rows = [{"id": at, "word": f"{at * 7919 % 100_003}"} for at in range(30_000)]
    columns = [("id", "int"), ("word", "string")]
    sizes = {"stripe_size": 100_000, "block_size": 8192, "row_index_stride": 1000}
    content, _ = convert(columns, rows, format="orc", compression="NONE", dictionary=False, **sizes)
    unpadded, _ = convert(
        columns, rows, format="orc", compression="NONE", dictionary=False, stripe_size=100_000, row_index_stride=1000
    )
    assert read(content, {"format": "orc"}).to_pylist() == rows
    assert len(content) != len(unpadded)


def test_parquet_of_several_row_groups_is_padded_to_blocks(convert):
    block = 1 << 20
    rows = [{"text": str(at % 10) * 500_000} for at in range(140)]
    content, _ = convert(
        [("text", "string")],
        rows,
        format="parquet",
        compression="UNCOMPRESSED",
        dictionary=False,
        block_size=block,
        max_padding=block,
    )
    file = pyarrow.parquet.ParquetFile(io.BytesIO(content))
    groups = [file.metadata.row_group(at).column(0).data_page_offset for at in range(file.metadata.num_row_groups)]
    assert len(groups) > 1 and all(offset % block == 0 for offset in groups[1:])
    assert file.read().to_pylist() == rows


def test_duckdb_reads_parquet(convert, tmp_path):
    content, _ = convert(COLUMNS, [ROW, {}], format="parquet", compression="SNAPPY")
    path = tmp_path / "rows.parquet"
    path.write_bytes(content)
    found = duckdb.sql(f"select big, price, day, \"at\", len(tags), place.\"at\".x, deep[1]['k'].b[1] from '{path}'").fetchall()
    price = decimal.Decimal(ROW["price"])
    first = (2**63 - 1, price, datetime.date(1969, 12, 31), EXPECTED["at"], 3, 1.5, decimal.Decimal("1.25"))
    assert found == [first, (None,) * 7]


def test_hive_formats_read_times(convert):
    columns = [("at", "timestamp"), ("day", "date")]
    records = [
        {"at": "07/Sep/2026:12:00:02 +0200", "day": "07.09.2026"},
        {"at": 1788775202123, "day": "2026-09-07"},
        {"at": "2026-09-07 10:00:02", "day": 1},
    ]
    formats = ["dd/MMM/yyyy:HH:mm:ss Z", "dd.MM.yyyy", "millis"]
    content, failures = convert(columns, records, format="parquet", compression="SNAPPY", timestamp_formats=formats)
    assert failures == []
    table = read(content, {"format": "parquet"})
    day = datetime.date(2026, 9, 7)
    assert table["day"].to_pylist() == [day, day, datetime.date(1970, 1, 1)]
    assert [at // 10**6 for at in nanoseconds(table["at"])] == [1788775202000, 1788775202123, 1788775202000]
