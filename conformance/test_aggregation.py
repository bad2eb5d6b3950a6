"""KPL's aggregated records, checked both ways against AWS's own libraries for them, of PyPI and of npm."""

import json

import pytest
from aws_kinesis_agg.aggregator import RecordAggregator

import pipeline
import sdks
from headwater import wait_for


@pytest.fixture
def replayed(server, name, tmp_path):
    """Events that a replay has packed into records of a stream of two shards."""
    server.client("kinesis").create_stream(StreamName=name, ShardCount=2)
    events = [{"trip_id": i, "dropoff_datetime": i, "text": "ä\u2028" * (i % 50)} for i in range(3000)]
    source = tmp_path / "events.json"
    source.write_text("".join(json.dumps(event) + "\n" for event in events))
    arguments = ("--stream", name, "--file", source, "--speedup", 1e9, "--aggregate", "--no-watermark")
    assert pipeline.headwater("replay", *arguments, endpoint=server.endpoint)["events"] == len(events)
    return events


def test_our_aggregates_are_read_by_awss_python_library(server, name, replayed):
    consumer = pipeline.Consumer(server.client("kinesis"), name).result()
    assert sum(map(len, consumer.records.values())) < 300, "they are packed together"
    found = sorted((event for event, _ in consumer.events()), key=lambda event: event["trip_id"])
    assert found == replayed


def test_our_aggregates_are_read_by_awss_javascript_library(server, name, replayed):
    answer = sdks.run([*sdks.javascript("aggregation"), "deaggregate", name], server.endpoint)
    assert answer["packed"] < 300, "they are packed together"
    found = [json.loads(bytes.fromhex(record)) for record in answer["records"]]
    assert sorted(found, key=lambda event: event["trip_id"]) == replayed


@pytest.fixture
def delivered(server, name):
    """Delivers a stream of one shard, waits until as much has arrived as its records should become, and checks it."""
    kinesis, s3, firehose = (server.client(service) for service in ("kinesis", "s3", "firehose"))
    s3.create_bucket(Bucket=name)
    kinesis.create_stream(StreamName=name, ShardCount=1)
    stream = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    firehose.create_delivery_stream(
        DeliveryStreamName=name,
        DeliveryStreamType="KinesisStreamAsSource",
        KinesisStreamSourceConfiguration={"KinesisStreamARN": stream["StreamARN"], "RoleARN": pipeline.ROLE},
        ExtendedS3DestinationConfiguration={
            "RoleARN": pipeline.ROLE,
            "BucketARN": f"arn:aws:s3:::{name}",
            "BufferingHints": {"IntervalInSeconds": 0, "SizeInMBs": 1},
        },
    )

    def read():
        objects = s3.list_objects_v2(Bucket=name).get("Contents", [])
        return [s3.get_object(Bucket=name, Key=item["Key"])["Body"].read() for item in objects]

    def check(*expected):
        whole = b"".join(expected)
        wait_for("the delivery", lambda: sum(map(len, read())) >= len(whole))
        # In one object, or in one for each: objects of one second are listed in any order.
        assert read() == [whole] or sorted(read()) == sorted(expected)

    return check


def test_aggregates_of_awss_python_library_are_taken_apart(server, name, delivered):
    aggregator = RecordAggregator()
    lines = [f"line {i}\n".encode() for i in range(500)]
    for i, line in enumerate(lines):
        assert aggregator.add_user_record(f"key-{i % 3}", line, str(i) if i % 2 else None) is None
    key, hash_key, data = aggregator.clear_and_get().get_contents()
    broken = data[:-1] + bytes([data[-1] ^ 1])
    for record in (data, broken):
        server.client("kinesis").put_record(StreamName=name, PartitionKey=key, Data=record)
    # What is not whole is passed on as it is.
    delivered(b"".join(lines), broken)


def test_aggregates_of_awss_javascript_library_are_taken_apart(server, name, delivered):
    answer = sdks.run([*sdks.javascript("aggregation"), "aggregate", name, "500"], server.endpoint)
    assert answer["packed"] == 1
    delivered(b"".join(f"line {i}\n".encode() for i in range(500)))
