#!/usr/bin/env python3
"""What the server takes: time to its first answer and memory, empty and with data retained.

    cargo build --release && .venv/bin/python bench/footprint.py [--gib 2]

Prints a Markdown table with the bound beside each figure; exits with 1 when a bound is broken.
"""

import argparse
import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "conformance"))
from headwater import Server  # noqa: E402

SHARDS = 16
RECORD = 64 * 1024
RECORDS_A_CALL = 100


def first_answer(server):
    """Milliseconds from starting the process to the first healthy answer."""
    began = time.monotonic()
    server.start()
    assert server.health() == 200
    return (time.monotonic() - began) * 1000


def fill(server, gib):
    kinesis = server.client("kinesis", read_timeout=300)
    kinesis.create_stream(StreamName="retained", ShardCount=SHARDS)
    calls = int(gib * (1 << 30) / (RECORD * RECORDS_A_CALL)) + 1
    data = os.urandom(RECORD)
    began = time.monotonic()
    for call in range(calls):
        entries = [{"PartitionKey": f"{call}-{i}", "Data": data} for i in range(RECORDS_A_CALL)]
        answer = kinesis.put_records(StreamName="retained", Records=entries)
        assert answer["FailedRecordCount"] == 0, answer
    seconds = time.monotonic() - began
    print(f"put {gib} GiB in {seconds:.1f} s with one boto3 client", file=sys.stderr)


def read_through(server):
    """Reads every record once; how many bytes there were."""
    kinesis = server.client("kinesis", read_timeout=300)
    total = 0
    for shard in kinesis.list_shards(StreamName="retained")["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName="retained", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while True:
            page = kinesis.get_records(ShardIterator=iterator, Limit=10_000)
            total += sum(len(record["Data"]) for record in page["Records"])
            if not page["Records"] and page["MillisBehindLatest"] == 0:
                break
            iterator = page["NextShardIterator"]
    return total


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--gib", type=float, default=2)
    gib = options.parse_args().gib
    rows = []
    with tempfile.TemporaryDirectory(prefix="headwater-footprint-") as folder:
        server = Server(pathlib.Path(folder) / "data", "--limits", "off")
        rows.append(("first answer, empty folder", first_answer(server), "ms", 100))
        rows.append(("memory, idle", server.memory_mib(), "MiB", 40))
        fill(server, gib)
        rows.append((f"memory at its highest while {gib:g} GiB went in", server.memory_mib(peak=True), "MiB", 200))
        server.kill()
        rows.append((f"first answer with {gib:g} GiB retained, after SIGKILL", first_answer(server), "ms", 1000))
        rows.append(("memory then", server.memory_mib(), "MiB", 40))
        began = time.monotonic()
        total = read_through(server)
        rate = total / (1 << 20) / (time.monotonic() - began)
        assert total >= gib * (1 << 30), total
        rows.append(("memory at its highest while all of it is read", server.memory_mib(peak=True), "MiB", 200))
        server.stop()
    print("| what | measured | bound |\n|---|---|---|")
    for what, value, unit, bound in rows:
        print(f"| {what} | {value:.0f} {unit} | {bound} {unit} |")
    print(f"\nRead with one boto3 client at {rate:.0f} MiB/s.")
    sys.exit(any(value > bound for _, value, _, bound in rows))


if __name__ == "__main__":
    main()
