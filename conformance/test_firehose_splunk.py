"""Delivery to Splunk, with boto3 on the one side and a collector after Splunk's documentation on the other."""

import json

import pytest

from beside import SOON, bucket, described, objects, put, raw, wait_for_failures
from clocked import Clocked
from headwater import wait_for
from receivers import SplunkCollector, json_objects

TOKEN = "0f1e2d3c-0000-4000-8000-000000000000"


@pytest.fixture
def aws(client):
    return client("firehose"), client("s3")


# AWS takes no shorter time for acknowledgements.
ACK_SECONDS = 180


def make(aws, name, collector, kind, retry=60, **more):
    firehose, s3 = aws
    s3.create_bucket(Bucket=name)
    settings = {
        "HECEndpoint": collector.url,
        "HECEndpointType": kind,
        "HECToken": TOKEN,
        "HECAcknowledgmentTimeoutInSeconds": ACK_SECONDS,
        "RetryOptions": {"DurationInSeconds": retry},
        "BufferingHints": SOON,
        "S3Configuration": bucket(name),
        **more,
    }
    firehose.create_delivery_stream(DeliveryStreamName=name, SplunkDestinationConfiguration=settings)


def test_events_are_acknowledged(aws, name):
    with SplunkCollector(TOKEN).running() as collector:
        collector.plan = ["late"]
        make(aws, name, collector, "Event")
        events = [{"event": f"number {i}"} for i in range(100)]
        put(aws[0], name, [json.dumps(event).encode() for event in events])
        wait_for("the acknowledgement", lambda: sum(path.endswith("/ack") for path, _, _ in collector.requests) >= 2)
        assert json_objects(b"".join(collector.taken).decode()) == events
    assert objects(aws[1], name) == {}


def test_raw_data_is_kept_as_it_is_and_sent_again_after_a_refusal(aws, name):
    with SplunkCollector(TOKEN).running() as collector:
        collector.plan = [(503, 9)]
        make(aws, name, collector, "Raw")
        put(aws[0], name, [b"one\n", b"two\n"])
        wait_for("the data", lambda: collector.taken)
        assert collector.taken == [b"one\ntwo\n"]


def test_what_is_refused_is_under_the_error_prefix(aws, name):
    with SplunkCollector(TOKEN).running() as collector:
        collector.plan = [(403, 4)]
        make(aws, name, collector, "Raw", retry=0)
        put(aws[0], name, [b"one", b"two"])
        failed = wait_for_failures(aws[1], name, 2, "splunk-failed/")
        assert [raw(line) for line in failed] == [b"one", b"two"]
        assert {line["errorCode"] for line in failed} == {"Splunk.InvalidToken"}
        assert all(line["EventId"] for line in failed)


def test_what_is_never_acknowledged_is_under_the_error_prefix(tmp_path, name):
    clocked = Clocked(tmp_path)
    aws = clocked.client("firehose"), clocked.client("s3")
    with SplunkCollector(TOKEN).running() as collector:
        asked = lambda: sum(path.endswith("/ack") for path, _, _ in collector.requests)
        collector.plan = ["never"]
        make(aws, name, collector, "Event", retry=0)
        put(aws[0], name, [b'{"event": 1}', b'{"event": 2}'])
        for seconds in (ACK_SECONDS / 2, ACK_SECONDS / 2 - 10):
            so_far = asked()
            wait_for("more questions", lambda: asked() > so_far + 1)
            clocked.advance(seconds)
        so_far = asked()
        wait_for("questions just before the time is over", lambda: asked() > so_far + 1)
        assert objects(aws[1], name, "splunk-failed/") == {}
        clocked.advance(10)
        failed = wait_for_failures(aws[1], name, 2, "splunk-failed/")
        assert [raw(line) for line in failed] == [b'{"event": 1}', b'{"event": 2}']
        for line in failed:
            assert line["errorCode"] == "Splunk.AckTimeout" and line["attemptsMade"] == 1
            assert line["errorMessage"].startswith("Did not receive an acknowledgement from HEC")
        # It was stored, and was not sent a second time.
        assert len(collector.taken) == 1
    clocked.server.stop()


def test_all_events_are_kept_in_the_bucket_and_the_token_is_not_shown(aws, name):
    with SplunkCollector(TOKEN).running() as collector:
        make(aws, name, collector, "Raw", S3BackupMode="AllEvents", S3Configuration=bucket(name, Prefix="all/"))
        put(aws[0], name, [b"one\n"])
        assert list(wait_for("the backup", lambda: objects(aws[1], name, "all/")).values()) == [b"one\n"]
        shown = described(aws[0], name, "SplunkDestinationDescription")
        assert shown["HECEndpoint"] == collector.url and shown["HECAcknowledgmentTimeoutInSeconds"] == ACK_SECONDS
        assert TOKEN not in str(aws[0].describe_delivery_stream(DeliveryStreamName=name))
