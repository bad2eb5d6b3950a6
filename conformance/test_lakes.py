"""s3fs, DuckDB, Polars and awswrangler on what Firehose wrote, and writing for themselves. See `sdk/python`."""

import gzip
import io
import json
from collections import defaultdict

import pyarrow.parquet
import pytest

import sdks
from test_firehose import Account
from test_firehose_settings import converted, delivered, partitioned, put, query, table

LIBRARIES = ["s3fs", "duckdb", "polars", "awswrangler"]
DISTRICTS = ["Bronx", "Queens", "Staten Island"]
RECORDS = [
    {"id": at, "place": DISTRICTS[at % 3], "fare": at / 4, "tip": None if at % 5 else f"{at} ¢"} for at in range(3000)
]
# The settings of each format, the form in which the libraries know it, and how many records a file has.
FORMATS = {
    "json": ({}, "json", lambda body: body.count(b"\n")),
    "gzip": ({"CompressionFormat": "GZIP"}, "json", lambda body: gzip.decompress(body).count(b"\n")),
    "parquet": ({}, "parquet", lambda body: pyarrow.parquet.read_metadata(io.BytesIO(body)).num_rows),
}


@pytest.fixture(scope="module", params=FORMATS)
def lake(request, client):
    """A bucket with the records, as Firehose writes them in one format, by district."""
    settings, form, count = FORMATS[request.param]
    name, account = f"lake-{request.param}", Account(client)
    if form == "parquet":
        table(client("glue"), name, id="bigint", fare="double", tip="string")
        settings = {"DataFormatConversionConfiguration": converted(name, {"ParquetSerDe": {}})}
    prefix = "trips/district=!{partitionKeyFromQuery:district}/"
    account.direct(name, **partitioned(prefix, query("{district: .place}"), **settings))
    put(account, name, [json.dumps(record).encode() + b"\n" for record in RECORDS])
    delivered(account, name, lambda objects: sum(map(count, objects.values())) >= len(RECORDS))
    return name, form


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_was_delivered_is_read(lake, endpoint, library):
    name, form = lake
    rows = sdks.run([*sdks.python("lake"), "read", library, name, "trips/", form], endpoint)
    by_file = defaultdict(list)
    for file, district, id_, fare, tip in rows:
        assert f"/district={district}/" in file.replace("%20", " ")
        by_file[file].append(id_)
        put = RECORDS[id_]
        assert (district, fare, tip) == (put["place"], put["fare"], put["tip"])
    assert len(by_file) >= len(DISTRICTS) and all(ids == sorted(ids) for ids in by_file.values())
    assert sorted(id_ for ids in by_file.values() for id_ in ids) == list(range(len(RECORDS)))


ALL = [0, 1_499_999, True]
WRITTEN = {
    "s3fs": {"parts": ALL, "appended": ALL, "moved": ALL, "deep/copied file": ALL, "from the middle": [1000, 500_999, True]},
    "duckdb": {"parquet": ALL, "csv": ALL, "partitions": [[part, 500_000] for part in range(3)]},
    "polars": {"parquet": ALL, "csv": ALL, "json": ALL},
    "awswrangler": {"parquet": ALL, "csv": ALL},
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_it_wrote_it_reads(client, endpoint, name, library):
    client("s3").create_bucket(Bucket=name)
    assert sdks.run([*sdks.python("lake"), "write", library, name], endpoint) == WRITTEN[library]
