"""Beam's KinesisIO writes packed records, and reads them by polling and by fan-out while shards are split and merged."""

import base64
import subprocess
from collections import defaultdict

import pytest
from aws_kinesis_agg.deaggregator import iter_deaggregate_records

import sdks
from headwater import clean_environment, wait_for
from pipeline import Consumer
from test_flink import reshard
from test_metrics import Page

pytestmark = sdks.SLOW

STREAM = "beam"
PACKED = b"\xf3\x89\x9a\xc2"
RECORDS = 4_000  # Of 10,000 or more Beam would let two readers have half each, however much their shards have.
SECONDS = 600


class Beam:
    """The program in a process of its own."""

    def __init__(self, server, log, *words):
        java, *rest = sdks.java("Records", "beam")
        command = [java, "-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", *rest, *map(str, words)]
        self.log = log
        with open(log, "wb") as out:
            environment = clean_environment(AWS_ENDPOINT_URL=server.endpoint)
            self.process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def ends(self):
        assert self.process.wait(timeout=SECONDS) == 0, self.log.read_text()[-4000:]


def stored(kinesis):
    """What each shard holds as (sequence, number within the record, key, data), and how many records are packed."""
    records = Consumer(kinesis, STREAM).result().records
    found = {shard: [part for record in records[shard] for part in parts(record)] for shard in records}
    packed = sum(record["Data"].startswith(PACKED) for shard in records for record in records[shard])
    return found, packed


def parts(record):
    """A record, taken apart by AWS's own library where it is packed."""
    if not record["Data"].startswith(PACKED):
        return [(record["SequenceNumber"], "0", record["PartitionKey"], record["Data"].decode())]
    found = [part["kinesis"] for part in iter_deaggregate_records([record], "Boto3")]
    return [
        (part["sequenceNumber"], str(part["subSequenceNumber"]), part["partitionKey"], base64.b64decode(part["data"]).decode())
        for part in found
    ]


@pytest.mark.parametrize("way", ["polling", "fanout"])
def test_what_it_wrote_it_reads(new_server, tmp_path, way):
    server = new_server("--limits", "off")
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName=STREAM, ShardCount=4)
    kinesis.get_waiter("stream_exists").wait(StreamName=STREAM, WaiterConfig={"Delay": 1})
    consumer = [registered(kinesis)] if way == "fanout" else []
    with Beam(server, tmp_path / "first.log", "write", STREAM, RECORDS) as writer:
        writer.ends()
    file = tmp_path / "lines"
    with Beam(server, tmp_path / "read.log", "read", STREAM, 2 * RECORDS, file, *consumer) as reader:
        began = f'operation="{"SubscribeToShard" if consumer else "GetRecords"}"'
        wait_for("reading", lambda: began in Page(server).text, seconds=SECONDS)
        reshard(kinesis, STREAM)
        with Beam(server, tmp_path / "second.log", "write", STREAM, RECORDS) as writer:
            writer.ends()
        reader.ends()
    found, packed = stored(kinesis)
    everything = [line for lines in found.values() for line in lines]
    assert sorted(int(data) for *_, data in everything) == sorted(2 * [*range(RECORDS)])
    assert packed > 0 and all(key == f"k{int(data) % 40}" for *_, key, data in everything)
    lines = defaultdict(list)
    for line in file.read_text().splitlines():
        shard, *more = line.split()
        lines[shard].append(tuple(more))
    assert lines == {shard: lines for shard, lines in found.items() if lines}


def registered(kinesis):
    """The ARN of a consumer, once it is active."""
    arn = kinesis.describe_stream_summary(StreamName=STREAM)["StreamDescriptionSummary"]["StreamARN"]
    names = {"StreamARN": arn, "ConsumerName": "beam"}
    kinesis.register_stream_consumer(**names)
    described = lambda: kinesis.describe_stream_consumer(**names)["ConsumerDescription"]
    wait_for("an active consumer", lambda: described()["ConsumerStatus"] == "ACTIVE")
    return described()["ConsumerARN"]
