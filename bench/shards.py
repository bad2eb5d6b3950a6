#!/usr/bin/env python3
"""What many shards cost: 5,000 in one stream, and 1,000 streams of one.

    cargo build --release && .venv/bin/python bench/shards.py

Prints a Markdown table of times and memory, each beside the same for a single shard in the same run.
"""

import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "conformance"))
from headwater import Server  # noqa: E402

SHARDS = 5_000
STREAMS = 1_000
PUTS = 100
ENTRIES = 500


class Rows:
    """Times each step, and notes the server's memory behind it."""

    def __init__(self, server):
        self.server = server
        self.rows = []

    def time(self, what, work):
        began = time.monotonic()
        result = work()
        self.rows.append((what, (time.monotonic() - began) * 1000, self.server.memory_mib()))
        return result

    def print(self):
        print("| what | time | memory then |\n|---|---|---|")
        for what, ms, mib in self.rows:
            print(f"| {what} | {ms:.1f} ms | {mib:.0f} MiB |")


def all_shards(kinesis, stream):
    shards, page = [], kinesis.list_shards(StreamName=stream)
    shards += page["Shards"]
    while token := page.get("NextToken"):
        page = kinesis.list_shards(NextToken=token)
        shards += page["Shards"]
    return shards


def put(kinesis, streams):
    """`PUTS` calls of `ENTRIES` records each, in turn to the streams."""
    for call in range(PUTS):
        entries = [{"PartitionKey": f"{call}-{i}", "Data": b"x" * 100} for i in range(ENTRIES)]
        answer = kinesis.put_records(StreamName=streams[call % len(streams)], Records=entries)
        assert answer["FailedRecordCount"] == 0


def read(kinesis, places):
    """Reads each shard once from its beginning; the number of records."""
    found = 0
    for stream, shard in places:
        iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
        found += len(kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"])
    return found


def in_one_stream(rows, kinesis, count):
    name = f"shards-{count}"
    rows.time(f"create a stream of {count} shards", lambda: kinesis.create_stream(StreamName=name, ShardCount=count))
    rows.time("describe its summary", lambda: kinesis.describe_stream_summary(StreamName=name))
    shards = rows.time("list its shards", lambda: all_shards(kinesis, name))
    assert len(shards) == count
    rows.time(f"put {PUTS} × {ENTRIES} records over them", lambda: put(kinesis, [name]))
    places = [(name, shard["ShardId"]) for shard in shards]
    found = rows.time(f"read all {count} shards", lambda: read(kinesis, places))
    assert count == 1 or found == PUTS * ENTRIES, found


def in_many_streams(rows, kinesis):
    names = [f"stream-{i:04}" for i in range(STREAMS)]
    make = lambda: [kinesis.create_stream(StreamName=name, ShardCount=1) for name in names]  # noqa: E731
    rows.time(f"create {STREAMS} streams of one shard", make)
    listed = rows.time("list them", lambda: list(kinesis.get_paginator("list_streams").paginate()))
    assert sum(len(page["StreamNames"]) for page in listed) >= STREAMS
    rows.time("describe each", lambda: [kinesis.describe_stream_summary(StreamName=name) for name in names])
    rows.time(f"put {PUTS} × {ENTRIES} records into {min(PUTS, STREAMS)} of them", lambda: put(kinesis, names))
    places = [(name, "shardId-000000000000") for name in names]
    assert rows.time("read each", lambda: read(kinesis, places)) == PUTS * ENTRIES


def main():
    with tempfile.TemporaryDirectory(prefix="headwater-shards-") as folder:
        server = Server(pathlib.Path(folder) / "data", "--limits", "off").start()
        rows, kinesis = Rows(server), server.client("kinesis")
        in_one_stream(rows, kinesis, 1)
        in_one_stream(rows, kinesis, SHARDS)
        in_many_streams(rows, kinesis)
        server.kill()
        rows.time("start again with all of it, after SIGKILL", server.start)
        server.stop()
        rows.print()


if __name__ == "__main__":
    main()
