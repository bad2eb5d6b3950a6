"""Libraries that keep tables in buckets: lake.py SCENARIO LIBRARY NAME [PREFIX FORMAT]

`read` prints what a library finds under s3://NAME/PREFIX, whose files are in FORMAT (`json` or `parquet`) and whose
folders are partitions by `district`: rows of file, district, id, fare and tip, in the library's own order. `write` has it
write numbers, in all the ways it knows, below s3://NAME/LIBRARY/, and prints for each way the numbers that it reads back.
`partitions` does so with a table of Glue that has partitions. The endpoint comes from AWS_ENDPOINT_URL.
"""

import json
import os
import re
import sys

import awswrangler
import duckdb
import pandas
import polars
import pyarrow.dataset
import s3fs

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
COLUMNS = ["file", "district", "id", "fare", "tip"]
STORE = {
    "aws_endpoint_url": ENDPOINT,
    "aws_allow_http": "true",
    "aws_region": os.environ["AWS_REGION"],
    "aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"],
    "aws_secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"],
}
# Numbers of one width, 18 MB of them: they go up in parts.
NUMBERS = range(1_500_000)
TEXT = b"".join(b"%011d\n" % number for number in NUMBERS)


def main():
    scenario, library, name, *more = sys.argv[1:]
    files = s3fs.S3FileSystem(endpoint_url=ENDPOINT)
    done = {"read": READERS, "write": WRITERS, "partitions": PARTITIONS}[scenario][library](files, name, *more)
    print(json.dumps(done))


def rows(table):
    """A pandas frame's rows in the order of `COLUMNS`, without the NaN that it makes of nothing."""
    table = table[COLUMNS].astype(object)
    return table.where(table.notna(), None).values.tolist()


def read_with_s3fs(files, name, prefix, format):
    """With pyarrow over it, which finds the partitions."""
    found = []
    partitions = pyarrow.dataset.partitioning(flavor="hive")
    dataset = pyarrow.dataset.dataset(
        f"{name}/{prefix}", filesystem=files, format="parquet" if format == "parquet" else "json", partitioning=partitions
    )
    for piece in dataset.get_fragments():
        columns = {**pyarrow.dataset.get_partition_keys(piece.partition_expression), "file": piece.path}
        found += [{**row, **columns} for row in piece.to_table().to_pylist()]
    return [[row[column] for column in COLUMNS] for row in found]


def read_with_duckdb(files, name, prefix, format):
    database = duckdb.connect()
    database.register_filesystem(files)
    read = "read_parquet" if format == "parquet" else "read_json"
    query = f"select filename, district, id, fare, tip from {read}('s3://{name}/{prefix}*/*', filename=true, hive_partitioning=true)"
    return [list(row) for row in database.sql(query).fetchall()]


def read_with_polars(files, name, prefix, format):
    if format == "parquet":
        options = {"hive_partitioning": True, "include_file_paths": "file"}
        table = polars.scan_parquet(f"s3://{name}/{prefix}", storage_options=STORE, **options).collect()
    else:
        table = polars.scan_ndjson(f"s3://{name}/{prefix}**/*", storage_options=STORE, include_file_paths="file").collect()
        table = table.with_columns(district=polars.col("file").str.extract("district=([^/]+)/"))
    return [list(row) for row in table.select(COLUMNS).rows()]


def read_with_awswrangler(files, name, prefix, format):
    found = []
    for file in awswrangler.s3.list_objects(f"s3://{name}/{prefix}"):
        if format == "parquet":
            table = awswrangler.s3.read_parquet(file, dataset=True, path_root=f"s3://{name}/{prefix}")
        else:
            compression = "gzip" if file.endswith(".gz") else None
            table = awswrangler.s3.read_json(file, lines=True, orient="records", compression=compression)
            table = table.assign(district=re.search("district=([^/]+)/", file)[1])
        found += rows(table.assign(file=file))
    return found


READERS = {
    "s3fs": read_with_s3fs,
    "duckdb": read_with_duckdb,
    "polars": read_with_polars,
    "awswrangler": read_with_awswrangler,
}

def numbers(text):
    """The first and the last, and whether all between are there in order."""
    found = [int(line) for line in text.split()]
    return [found[0], found[-1], found == list(range(found[0], found[-1] + 1))]


def write_with_s3fs(files, name):
    folder = f"{name}/s3fs"
    with files.open(f"{folder}/parts", "wb", block_size=5 << 20) as file:
        file.write(TEXT)
    files.pipe(f"{folder}/whole", TEXT)
    half = len(TEXT) // 2
    files.pipe(f"{folder}/appended", TEXT[:half])
    with files.open(f"{folder}/appended", "ab") as file:
        file.write(TEXT[half:])
    files.copy(f"{folder}/parts", f"{folder}/deep/copied file")
    files.move(f"{folder}/whole", f"{folder}/moved")
    assert files.du(folder) == 4 * len(TEXT) and not files.exists(f"{folder}/whole")
    found = {path[len(folder) + 1 :]: numbers(files.cat_file(path)) for path in files.find(folder)}
    with files.open(f"{folder}/parts", "rb", block_size=1 << 20) as file:
        file.seek(12 * 1000)
        found["from the middle"] = numbers(file.read(12 * 500_000))
    files.rm(folder, recursive=True)
    assert files.find(folder, withdirs=True) == []
    return found


def write_with_duckdb(files, name):
    database = duckdb.connect()
    database.register_filesystem(files)
    folder = f"s3://{name}/duckdb"
    database.sql(f"create table n as select range as n, range % 3 as part from range({len(NUMBERS)})")
    database.sql(f"copy n to '{folder}/n.parquet' (format parquet)")
    database.sql(f"copy n to '{folder}/n.csv.gz'")
    database.sql(f"copy n to '{folder}/parts' (format parquet, partition_by (part), overwrite_or_ignore)")
    read = lambda path: numbers(" ".join(str(n) for (n,) in database.sql(f"select n from '{folder}/{path}'").fetchall()))
    counted = database.sql(f"select part, count(*) from '{folder}/parts/*/*.parquet' group by all order by all").fetchall()
    return {"parquet": read("n.parquet"), "csv": read("n.csv.gz"), "partitions": counted}


def write_with_polars(files, name):
    folder, store = f"s3://{name}/polars", {"storage_options": STORE}
    table = polars.DataFrame({"n": NUMBERS}).with_columns(part=polars.col("n") % 3)
    table.write_parquet(f"{folder}/n.parquet", compression="uncompressed", **store)
    table.lazy().sink_csv(f"{folder}/n.csv", **store)
    table.lazy().sink_ndjson(f"{folder}/n.json", **store)
    read = lambda table: numbers(" ".join(map(str, table.collect()["n"])))
    return {
        "parquet": read(polars.scan_parquet(f"{folder}/n.parquet", **store)),
        "csv": read(polars.scan_csv(f"{folder}/n.csv", **store)),
        "json": read(polars.scan_ndjson(f"{folder}/n.json", **store)),
    }


def write_with_awswrangler(files, name):
    """As tables of the catalog."""
    s3, catalog = awswrangler.s3, awswrangler.catalog
    table = pandas.DataFrame({"n": NUMBERS})
    half = len(table) // 2
    catalog.create_database(name)
    of = lambda kind: {"path": f"s3://{name}/awswrangler/{kind}/", "dataset": True, "database": name, "table": kind}
    s3.to_parquet(table[:half], **of("parquet"))
    s3.to_parquet(table[half:], mode="append", **of("parquet"))
    s3.to_csv(table, index=False, **of("csv"))
    assert catalog.get_table_types(name, "parquet") == {"n": "bigint"}
    assert sorted(catalog.tables(database=name)["Table"]) == ["csv", "parquet"]
    text = lambda found: " ".join(map(str, found.sort_values("n")["n"]))
    written = s3.list_objects(catalog.get_table_location(name, "csv"))
    found = {
        "parquet": numbers(text(s3.read_parquet_table(database=name, table="parquet"))),
        "csv": numbers(text(s3.read_csv(written, names=["n"]))),
    }
    s3.delete_objects(f"s3://{name}/awswrangler/")
    assert catalog.delete_table_if_exists(name, "csv") and not catalog.does_table_exist(name, "csv")
    assert s3.list_objects(f"s3://{name}/awswrangler/") == []
    return found


def partitions_with_awswrangler(files, name):
    """A table of the catalog by partitions: written, added to, taken away, written anew, and read by what is wanted."""
    s3, catalog = awswrangler.s3, awswrangler.catalog
    table = pandas.DataFrame({"n": range(3000)}).assign(part=lambda table: table["n"] % 3)
    catalog.create_database(name)
    folder = f"s3://{name}/table/"
    options = {"path": folder, "dataset": True, "database": name, "table": "t", "partition_cols": ["part"]}
    read = lambda **more: sorted(s3.read_parquet_table(database=name, table="t", **more)["n"])
    parts = lambda: sorted(catalog.get_partitions(name, "t").items())
    s3.to_parquet(table[:1500], mode="overwrite", **options)
    s3.to_parquet(table[1500:], mode="append", **options)
    assert catalog.get_table_types(name, "t") == {"n": "bigint", "part": "bigint"}
    assert parts() == [(f"{folder}part={part}/", [str(part)]) for part in range(3)]
    assert read() == list(range(3000))
    assert read(partition_filter=lambda values: values["part"] == "1") == list(range(1, 3000, 3))
    assert list(catalog.get_parquet_partitions(name, "t", expression="part > 1")) == [f"{folder}part=2/"]
    # One partition's files are replaced, the others' stay.
    s3.to_parquet(table[table["part"] == 1][:10], mode="overwrite_partitions", **options)
    assert len(read()) == 2010
    assert catalog.delete_partitions("t", name, [["0"]]) is None
    assert [values for _, values in parts()] == [["1"], ["2"]]
    found = awswrangler.s3.store_parquet_metadata(path=folder, database=name, table="found", dataset=True)
    assert found[0] == {"n": "bigint"} and sorted(found[2].values()) == [["0"], ["1"], ["2"]]
    s3.to_parquet(table[:30], mode="overwrite", **options)
    assert read() == list(range(30)) and len(parts()) == 3
    catalog.delete_all_partitions("t", name)
    assert parts() == []
    return {"rows": 3000}


WRITERS = {
    "s3fs": write_with_s3fs,
    "duckdb": write_with_duckdb,
    "polars": write_with_polars,
    "awswrangler": write_with_awswrangler,
}

PARTITIONS = {"awswrangler": partitions_with_awswrangler}


if __name__ == "__main__":
    main()
