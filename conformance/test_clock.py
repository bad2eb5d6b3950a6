"""Hours that pass in a moment: what expires then, and what has waited long enough. `--clock-offset-file` moves the clock."""

import subprocess
import time

import pytest

from clocked import Clocked
from headwater import BINARY, clean_environment, wait_for

HOUR = 3600
ROLE = "arn:aws:iam::000000000000:role/delivery"
FIRST = "shardId-000000000000"


class Streams(Clocked):
    """The same with the records of its streams."""

    def __init__(self, folder):
        super().__init__(folder)
        self.kinesis = self.server.client("kinesis")

    def iterator(self, stream, kind="TRIM_HORIZON"):
        place = {"StreamName": stream, "ShardId": FIRST, "ShardIteratorType": kind}
        return self.kinesis.get_shard_iterator(**place)["ShardIterator"]

    def records(self, stream):
        """Everything in the first shard; pages may be empty on the way to what is left."""
        found, iterator = [], self.iterator(stream)
        while True:
            page = self.kinesis.get_records(ShardIterator=iterator)
            found += [record["Data"] for record in page["Records"]]
            if not page["Records"] and page["MillisBehindLatest"] == 0:
                return found
            iterator = page["NextShardIterator"]


@pytest.fixture
def clocked(tmp_path):
    clocked = Streams(tmp_path)
    yield clocked
    clocked.server.stop()


def test_records_are_gone_after_their_retention(clocked):
    kinesis = clocked.kinesis
    for stream in ("day", "week"):
        kinesis.create_stream(StreamName=stream, ShardCount=1)
    kinesis.increase_stream_retention_period(StreamName="week", RetentionPeriodHours=7 * 24)
    put = lambda data: [kinesis.put_record(StreamName=s, PartitionKey="k", Data=data) for s in ("day", "week")]
    put(b"old")
    clocked.advance(23 * HOUR)
    put(b"young")
    assert clocked.records("day") == clocked.records("week") == [b"old", b"young"]
    clocked.advance(1 * HOUR + 1)
    assert clocked.records("day") == [b"young"]
    assert clocked.records("week") == [b"old", b"young"]
    clocked.advance(6 * 24 * HOUR)
    assert (clocked.records("day"), clocked.records("week")) == ([], [b"young"])


def test_an_iterator_expires_after_five_minutes(clocked):
    kinesis = clocked.kinesis
    kinesis.create_stream(StreamName="s", ShardCount=1)
    iterator = clocked.iterator("s", "LATEST")
    clocked.advance(290)
    kinesis.get_records(ShardIterator=iterator)
    clocked.advance(11)
    with pytest.raises(kinesis.exceptions.ExpiredIteratorException):
        kinesis.get_records(ShardIterator=iterator)
    kinesis.get_records(ShardIterator=clocked.iterator("s"))


def test_what_a_delivery_buffers_arrives_with_the_jump(clocked):
    s3, firehose = (clocked.server.client(service) for service in ("s3", "firehose"))
    s3.create_bucket(Bucket="lake")
    firehose.create_delivery_stream(
        DeliveryStreamName="slow",
        ExtendedS3DestinationConfiguration={
            "RoleARN": ROLE,
            "BucketARN": "arn:aws:s3:::lake",
            "BufferingHints": {"SizeInMBs": 128, "IntervalInSeconds": 900},
        },
    )
    firehose.put_record(DeliveryStreamName="slow", Record={"Data": b"waits\n"})
    objects = lambda: s3.list_objects_v2(Bucket="lake").get("Contents")
    clocked.advance(800)
    assert objects() is None
    clocked.advance(101)
    [entry] = wait_for("the delivery", objects, seconds=20)
    assert s3.get_object(Bucket="lake", Key=entry["Key"])["Body"].read() == b"waits\n"


def test_time_does_not_go_back_and_goes_on_after_a_restart(clocked):
    clocked.advance(1000)
    clocked.file.write_text("500")
    wait_for("a word about it", lambda: "time only goes forward" in clocked.server.log.read_text(), seconds=10)
    assert clocked.time() >= time.time() + 998
    clocked.write()
    clocked.server.restart()
    assert clocked.time() >= time.time() + 998


@pytest.mark.parametrize(
    "text, arguments, said",
    [
        ("0", ["--listen", "0.0.0.0:0", "--auth", "none"], "listen on 127.0.0.1, or leave it out"),
        ("0", ["--listen", "127.0.0.1:0", "--tls-listen", "0.0.0.0:0", "--auth", "none"], "listen on 127.0.0.1, or leave it out"),
        ("tomorrow", ["--listen", "127.0.0.1:0"], "no number of seconds"),
        (None, ["--listen", "127.0.0.1:0"], "0 to begin with"),
    ],
)
def test_what_is_refused_at_the_start(tmp_path, text, arguments, said):
    file = tmp_path / "ahead"
    if text is not None:
        file.write_text(text)
    command = [BINARY, "serve", "--data-dir", tmp_path / "data", "--clock-offset-file", file, *arguments]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and said in done.stderr, done.stderr
