"""Records through everything that may go wrong: each is delivered exactly once, or in the errors exactly once.

The server is killed at random moments, its disk fills up, its function crashes, hangs, throws and forgets records, and
the store that it delivers to refuses, hangs, corrupts, and denies what it has stored (`faults.py`).
"""

import base64
import gzip
import io
import itertools
import json
import os
import random
import subprocess
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

import pipeline
from faults import FaultyStore
from headwater import Server, size, wait_for

RECORDS = size(200_000, 1_000_000)
DISK_MIB = 2_048
PLACES = 5
ROLE = "arn:aws:iam::000000000000:role/test"
FUNCTION = """
exports.handler = async (event) => {
  const fate = Math.random() * 100;
  if (fate < 2) process.exit(1);
  if (fate < 3) return new Promise(() => setInterval(() => {}, 1000));
  if (fate < 5) throw new Error("thrown by the test");
  const keys = (data) => ({ place: String(JSON.parse(Buffer.from(data, "base64")).place) });
  const records = event.records.map(({ recordId, data }) => (
    { recordId, data, result: "Ok", metadata: { partitionKeys: keys(data) } }));
  if (fate < 10) records.splice(Math.random() * records.length, 3);
  return { records };
};
"""


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, which can be filled up; where that takes rights that we don't have, a plain folder."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "headwater-test", str(folder)]
    is_mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
    yield Disk(folder, is_mounted)
    if is_mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


class Disk:
    def __init__(self, folder, can_be_full):
        self.folder, self.can_be_full = folder, can_be_full
        self.ballast = folder / "ballast"

    def fill(self):
        with open(self.ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
            except OSError:
                pass

    def empty(self):
        self.ballast.unlink(missing_ok=True)


class Torture:
    """A server, its store behind faults, and what happens to both."""

    def __init__(self, disk, store, server, seed):
        self.disk, self.store, self.server = disk, store, server
        self.chance = random.Random(seed)
        self.acts = Counter()

    def run(self, replay):
        """One act after every few writes to the store, until all is put and enough has happened."""
        while replay.running or sum(self.acts.values()) < 8:
            for _ in range(self.chance.randrange(5, 40)):
                # When nothing is written for a while something hangs, and it is time for the next act as well.
                if not self.store.writes.acquire(timeout=5):
                    break
            self.act()

    def act(self):
        name = self.chance.choice(["kill", "kill", "fill"] if self.disk.can_be_full else ["kill"])
        self.acts[name] += 1
        if name == "fill":
            self.disk.fill()
            # With a full disk the store hears of nothing new but what was under way.
            self.store.writes.acquire(timeout=2)
            self.disk.empty()
        self.store.lift()
        self.server.restart()


def function_package():
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("index.js", FUNCTION)
    return package.getvalue()


def records_file(folder):
    path = folder / "records.json"
    with open(path, "w") as file:
        for n in range(RECORDS):
            second = n * 3600 // RECORDS
            file.write(
                f'{{"id": {n}, "place": {n % PLACES}, "at": "2018-01-01T00:{second // 60:02}:{second % 60:02}.000Z",'
                f' "text": "{n * 2654435761 % 2**32:08x}"}}\n'
            )
    return path


def create(server, name, prefix, processors, **more):
    processing = {"Enabled": True, "Processors": processors}
    server.client("firehose").create_delivery_stream(
        DeliveryStreamName=name,
        DeliveryStreamType="KinesisStreamAsSource",
        KinesisStreamSourceConfiguration={
            "KinesisStreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/torture",
            "RoleARN": ROLE,
        },
        ExtendedS3DestinationConfiguration={
            "BucketARN": "arn:aws:s3:::lake",
            "RoleARN": ROLE,
            "Prefix": prefix,
            "ErrorOutputPrefix": f"{name}-errors/!{{firehose:error-output-type}}/",
            "CompressionFormat": "GZIP",
            "ProcessingConfiguration": processing,
            **more,
        },
    )


def processor(kind, **parameters):
    named = [{"ParameterName": name, "ParameterValue": value} for name, value in parameters.items()]
    return {"Type": kind, "Parameters": named}


def everything_under(s3, prefix):
    """The lines of all objects under a prefix, unpacked."""

    def lines(key):
        body = s3.get_object(Bucket="lake", Key=key)["Body"].read()
        return (gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body).splitlines()

    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="lake", Prefix=prefix)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    with ThreadPoolExecutor(4) as pool:
        return list(zip(keys, pool.map(lines, keys)))


def failed_ids(objects):
    lines = itertools.chain.from_iterable(lines for _, lines in objects)
    return [json.loads(base64.b64decode(json.loads(line)["rawData"]))["id"] for line in lines]


def delivered_ids(objects):
    """Ids of what was delivered; under a prefix of a place there is only that place."""
    ids = []
    for key, lines in objects:
        records = [json.loads(line) for line in lines]
        place = key.split("place=")[1].split("/")[0] if "place=" in key else None
        assert place is None or {str(record["place"]) for record in records} == {place}, key
        ids += [record["id"] for record in records]
    return ids


@pytest.mark.alone
@pytest.mark.long
def test_records_survive_everything_exactly_once(tmp_path, small_disk):
    seed = int(os.environ.get("HEADWATER_TORTURE_SEED", random.randrange(1 << 32)))
    print(f"HEADWATER_TORTURE_SEED={seed}; the disk {'fills up' if small_disk.can_be_full else 'never fills up'}")
    backend = Server(tmp_path / "store").start()
    store = FaultyStore(("127.0.0.1", backend.port), "/lake/", seed)
    arguments = ("--limits", "off", "--objects", "s3", "--objects-endpoint-url", store.endpoint)
    server = Server(small_disk.folder / "data", *arguments)
    server.log = tmp_path / "server.log"
    server.start()
    try:
        torture = Torture(small_disk, store, server, seed)
        everything_happens(tmp_path, torture)
        everything_is_there(backend.client("s3"), torture)
    finally:
        server.kill()
        store.close()
        backend.kill()


def everything_happens(folder, torture):
    server = torture.server
    server.client("s3").create_bucket(Bucket="lake")
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName="torture", ShardCount=4)
    kinesis.get_waiter("stream_exists").wait(StreamName="torture")
    server.client("lambda").create_function(
        FunctionName="torture",
        Runtime="nodejs22.x",
        Handler="index.handler",
        Role=ROLE,
        Timeout=3,
        Code={"ZipFile": function_package()},
    )
    server.client("lambda").get_waiter("function_active_v2").wait(FunctionName="torture")
    arn = "arn:aws:lambda:us-east-1:000000000000:function:torture"
    function = processor("Lambda", LambdaArn=arn, NumberOfRetries="1")
    create(server, "plain", "plain/", [function], BufferingHints={"SizeInMBs": 5, "IntervalInSeconds": 5})
    create(
        server,
        "parted",
        "parted/place=!{partitionKeyFromLambda:place}/",
        [function],
        BufferingHints={"SizeInMBs": 64, "IntervalInSeconds": 5},
        DynamicPartitioningConfiguration={"Enabled": True, "RetryOptions": {"DurationInSeconds": 300}},
    )
    replay = pipeline.Replay(
        server.endpoint,
        *("--stream", "torture", "--file", str(records_file(folder)), "--no-watermark", "--speedup", "1e9"),
        *("--timestamp-attribute", "at", "--partition-key-attribute", "id"),
    )
    torture.run(replay)
    summary = replay.summary()
    assert (summary["events"], summary["failed"]) == (RECORDS, 0), summary
    torture.store.be_honest()
    torture.server.restart()
    print(f"acts: {dict(torture.acts)}; faults of the store: {torture.store.counts}")


def everything_is_there(s3, torture):
    wanted = range(RECORDS)
    for name in ("plain", "parted"):

        def complete():
            delivered = delivered_ids(everything_under(s3, f"{name}/"))
            failed = failed_ids(everything_under(s3, f"{name}-errors/"))
            return (delivered, failed) if len(delivered) + len(failed) >= RECORDS else None

        delivered, failed = wait_for(f"{name} delivered", complete, seconds=300, every=2)
        counts = Counter(delivered)
        counts.update(failed)
        twice = [record for record, count in counts.items() if count > 1]
        missing = [record for record in wanted if record not in counts]
        assert not twice, f"{name}: {len(twice)} records more than once: {twice[:5]}"
        assert not missing, f"{name}: {len(missing)} records are missing: {missing[:5]}"
        assert delivered and len(counts) == RECORDS
        print(f"{name}: {len(delivered)} delivered, {len(failed)} failed")
