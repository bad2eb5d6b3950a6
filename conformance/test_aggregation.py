"""KPL's aggregated records, checked both ways against AWS's own library for them."""

import json

from aws_kinesis_agg.aggregator import RecordAggregator

import pipeline
from headwater import wait_for


def test_our_aggregates_are_read_by_awss_library(server, name, tmp_path):
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=2)
    events = [{"trip_id": i, "dropoff_datetime": i, "text": "ä\u2028" * (i % 50)} for i in range(3000)]
    source = tmp_path / "events.json"
    source.write_text("".join(json.dumps(event) + "\n" for event in events))
    arguments = ("--stream", name, "--file", source, "--speedup", 1e9, "--aggregate", "--no-watermark")
    assert pipeline.headwater("replay", *arguments, endpoint=server.endpoint)["events"] == len(events)
    consumer = pipeline.Consumer(kinesis, name).result()
    assert sum(map(len, consumer.records.values())) < 300, "they are packed together"
    found = sorted((event for event, _ in consumer.events()), key=lambda event: event["trip_id"])
    assert found == events


def test_aggregates_of_awss_library_are_taken_apart(server, name):
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
    aggregator = RecordAggregator()
    lines = [f"line {i}\n".encode() for i in range(500)]
    for i, line in enumerate(lines):
        assert aggregator.add_user_record(f"key-{i % 3}", line, str(i) if i % 2 else None) is None
    key, hash_key, data = aggregator.clear_and_get().get_contents()
    broken = data[:-1] + bytes([data[-1] ^ 1])
    for record in (data, broken):
        kinesis.put_record(StreamName=name, PartitionKey=key, Data=record)
    # What is not whole is passed on as it is.
    expected = b"".join(lines) + broken

    def delivered():
        objects = s3.list_objects_v2(Bucket=name).get("Contents", [])
        objects = sorted(objects, key=lambda item: item["LastModified"])
        return b"".join(s3.get_object(Bucket=name, Key=item["Key"])["Body"].read() for item in objects)

    wait_for("the delivery", lambda: len(delivered()) >= len(expected))
    assert delivered() == expected
