"""The Kinesis Producer Library itself, with its native daemon, over TLS with signatures.

It asks STS for the account that its stream is in, and does not start without an answer; what it did it tells CloudWatch. Both
are the server's own: its count of what it put is held against what is in the stream.
"""

import datetime
import json
import subprocess

import pytest

import pipeline
import sdks
from headwater import clean_environment, wait_for

RECORDS, SECONDS = 5000, 5
# Two minutes, in which what it tells is of several minutes.
LONG_RECORDS, LONG_SECONDS = 24_000, 120
START_SECONDS = 60


def begun(server, name, tmp_path, records, seconds):
    program = sdks.java("Aggregate", "kpl")
    port = server.process.stdout.readline().decode().rsplit(":", 1)[1].strip()
    native = sdks.BUILT / "kpl/native"
    native.mkdir(exist_ok=True)
    variables = {
        "AWS_CA_BUNDLE": str(server.data_dir / "tls/ca.pem"),
        "AWS_ENDPOINT_URL": f"https://localhost:{port}",
    }
    command = [*program, name, str(records), str(native), str(seconds)]
    with open(tmp_path / "kpl.log", "wb") as log:
        return subprocess.Popen(
            command, env=clean_environment(**variables), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
        )


def sums(cloudwatch, begin, metric, *dimensions):
    """What it told of a metric, minute by minute."""
    return {
        point["Timestamp"]: point["Sum"]
        for point in cloudwatch.get_metric_statistics(
            Namespace="KinesisProducerLibrary",
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions],
            StartTime=begin,
            EndTime=datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
    }


@pytest.mark.parametrize(
    ("records", "seconds"),
    [(RECORDS, SECONDS), pytest.param(LONG_RECORDS, LONG_SECONDS, marks=sdks.SLOW)],
)
def test_what_it_says_it_put_is_in_the_stream(new_server, name, tmp_path, records, seconds):
    # The key that all clients have here: so signatures are looked at.
    server = new_server("--tls-listen", "127.0.0.1:0", "--access-key-id", "test", "--secret-access-key", "test")
    begin = datetime.datetime.now(datetime.UTC)
    kinesis, cloudwatch = server.client("kinesis"), server.client("cloudwatch")
    kinesis.create_stream(StreamName=name, ShardCount=2)
    producer = begun(server, name, tmp_path, records, seconds)
    try:
        told = json.loads(wait_for("its summary", producer.stdout.readline, seconds=START_SECONDS + seconds))
        assert (told["put"], told["shards"], told["own"]) == (records, 2, records)

        def told_all():
            return sum(sums(cloudwatch, begin, "UserRecordsPut", ("StreamName", name)).values()) >= records

        wait_for("all that it put to be told", told_all)
    finally:
        producer.communicate(timeout=START_SECONDS)
    assert producer.returncode == 0
    found = pipeline.Consumer(kinesis, name).result()
    stored = [record for records in found.records.values() for record in records]
    # What it sends before it knows the shards is not packed.
    assert len(stored) < records
    texts = sorted(text for record in stored for text in pipeline.user_data(record))
    assert texts == sorted(f"record {i}".encode() for i in range(records))
    by_minute = sums(cloudwatch, begin, "UserRecordsPut", ("StreamName", name))
    assert sum(by_minute.values()) == records
    assert len(by_minute) > seconds // 60
    shards = [shard["ShardId"] for shard in kinesis.list_shards(StreamName=name)["Shards"]]
    of_shards = [
        sum(sums(cloudwatch, begin, "UserRecordsPut", ("StreamName", name), ("ShardId", shard)).values())
        for shard in shards
    ]
    assert sum(of_shards) == records
    packed = sum(sums(cloudwatch, begin, "KinesisRecordsPut", ("StreamName", name)).values())
    assert packed == len(stored)
