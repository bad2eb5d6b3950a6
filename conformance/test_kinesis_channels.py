"""Channels: a stream that delivers into a bucket by itself, driven with boto3."""

import base64
import gzip
import json
import re

import pytest
from botocore.exceptions import ClientError

from headwater import wait_for

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/channels"


def arn(kind, name):
    return f"arn:aws:kinesis:us-east-1:{ACCOUNT}:{kind}/{name}"


class Setup:
    """A server without limits, so that a channel need not wait for the five minutes that AWS asks for at least."""

    def __init__(self, server):
        self.server = server
        self.kinesis, self.s3 = server.client("kinesis"), server.client("s3")
        self.kinesis.create_stream(StreamName="s", ShardCount=2)
        for bucket in ("out", "dead"):
            self.s3.create_bucket(Bucket=bucket)

    def create(self, name, record_format="JSON", compression="NONE", seconds=0, logging=None, **storage):
        more = {"LoggingConfiguration": logging} if logging else {}
        made = self.kinesis.create_channel(
            ChannelName=name,
            ServiceExecutionRoleARN=ROLE,
            StreamConfigurationList=[
                {"StreamARN": arn("stream", "s"), "RecordConfiguration": {"RecordFormatType": record_format}}
            ],
            S3DestinationConfiguration={
                "DataFreshnessInSeconds": seconds,
                "DeadLetterQueueS3Configuration": {
                    "BucketARN": "arn:aws:s3:::dead",
                    "ExpectedBucketOwner": ACCOUNT,
                    "ErrorOutputPrefix": f"{name}/",
                },
                "StorageConfiguration": {
                    "BucketARN": "arn:aws:s3:::out",
                    "ExpectedBucketOwner": ACCOUNT,
                    "CompressionType": compression,
                    **storage,
                },
            },
            **more,
        )
        return made["ChannelDescription"]

    def put(self, *records):
        for i, data in enumerate(records):
            self.kinesis.put_record(StreamName="s", Data=data, PartitionKey=str(i))

    def objects(self, bucket, prefix=""):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return {key: self.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def wait_for(self, bucket, prefix, enough):
        def there():
            found = self.objects(bucket, prefix)
            return found if enough(b"".join(found.values())) else None

        return wait_for(f"objects under {bucket}/{prefix}", there)


@pytest.fixture
def setup(new_server):
    return Setup(new_server("--limits", "off"))


def test_records_arrive_and_those_without_the_format_are_set_aside(setup):
    setup.put(b'"too early"')
    described = setup.create("c")
    setup.put(b'{"n":1}', b"no json", b'{"n":2}\n')
    delivered = setup.wait_for("out", "", lambda body: body.count(b"\n") >= 2)
    assert sorted(b"".join(delivered.values()).splitlines()) == [b'{"n":1}', b'{"n":2}']
    name = rf"c-{described['ChannelId']}"
    for key in delivered:
        pattern = rf"kinesis-channel/c/{described['ChannelId']}/\d{{4}}/\d\d/\d\d/\d\d/{name}-\d{{4}}(-\d\d){{4}}-[0-9a-f-]{{36}}"
        assert re.fullmatch(pattern, key), key
    dead = setup.wait_for("dead", "c/", lambda body: body)
    [line] = [json.loads(line) for body in dead.values() for line in body.splitlines()]
    assert base64.b64decode(line["rawData"]) == b"no json"
    assert (line["errorCode"], line["shardId"][:8]) == ("DataFormat.InvalidJson", "shardId-")


@pytest.mark.parametrize("compression, extension", [("NONE", ""), ("GZIP", ".gz"), ("ZSTD", ".zst")])
def test_compression_and_template_show_in_the_bucket(setup, compression, extension):
    setup.create("c", "STRING", compression, OutputKeyTemplate="a/!{channel-name}=!{yyyy}/x!{extension}")
    setup.put(b"text", b"\xff")
    delivered = setup.wait_for("out", "a/c=20", lambda body: body)
    [(key, body)] = delivered.items()
    assert re.fullmatch(rf"a/c=\d{{4}}/x-[0-9a-f-]{{36}}{re.escape(extension)}", key)
    if compression == "NONE":
        assert body == b"text\n"
    if compression == "GZIP":
        assert gzip.decompress(body) == b"text\n"
    if compression == "ZSTD":
        assert body.startswith(b"\x28\xb5\x2f\xfd")
    setup.wait_for("dead", "c/", lambda body: b"DataFormat.InvalidString" in body)


def test_bytes_are_delivered_as_they_are(setup):
    setup.create("c", "BYTE_ARRAY")
    setup.kinesis.put_record(StreamName="s", Data=b"\x00\xff\n", PartitionKey="k")
    setup.kinesis.put_record(StreamName="s", Data=b"b", PartitionKey="k")
    delivered = setup.wait_for("out", "", lambda body: len(body) == 4)
    assert b"".join(sorted(delivered.values(), reverse=True)) in (b"\x00\xff\nb", b"b\x00\xff\n")


def test_freshness_is_how_long_records_wait_and_can_be_changed(setup):
    setup.create("c", seconds=900)
    setup.create("soon", seconds=1)
    setup.put(b"1")
    # What the other channel waits for is over: this one still waits.
    setup.wait_for("out", "kinesis-channel/soon/", lambda body: body == b"1\n")
    assert not setup.objects("out", "kinesis-channel/c/")
    update = {"DataFreshnessInSeconds": 1}
    updated = setup.kinesis.update_channel(ChannelARN=arn("channel", "c"), S3DestinationConfiguration=update)
    assert updated["ChannelDescription"]["ChannelStatus"] == "UPDATING"
    setup.wait_for("out", "kinesis-channel/c/", lambda body: body == b"1\n")
    described = setup.kinesis.describe_channel(ChannelARN=arn("channel", "c"))["ChannelDescription"]
    assert described["S3DestinationConfiguration"]["DataFreshnessInSeconds"] == 1
    assert described["ChannelStatus"] == "ACTIVE"


def test_what_goes_wrong_is_logged_where_that_is_configured(setup):
    described = setup.create("c", logging={"CloudWatchLogs": {"Enabled": True}})
    setup.put(b"{")
    setup.wait_for("dead", "c/", lambda body: body)
    logs = setup.server.client("logs")
    group = f"/aws/kinesis/c/{described['ChannelId']}"
    [event] = logs.get_log_events(logGroupName=group, logStreamName="DestinationDelivery")["events"]
    assert json.loads(event["message"])["errorCode"] == "DataFormat.InvalidJson"


def test_a_channel_ends_and_holds_its_stream_until_then(setup):
    setup.create("c")
    setup.put(b"1")
    setup.wait_for("out", "", lambda body: body)
    with pytest.raises(ClientError) as refused:
        setup.kinesis.delete_stream(StreamName="s")
    assert refused.value.response["Error"]["Code"] == "ResourceInUseException"
    page = setup.kinesis.list_channels(StreamFilter=[{"StreamARN": arn("stream", "s")}])
    assert [summary["ChannelARN"] for summary in page["ChannelSummaries"]] == [arn("channel", "c")]
    setup.kinesis.delete_channel(ChannelARN=arn("channel", "c"))
    setup.put(b"2")
    assert setup.kinesis.list_channels()["ChannelSummaries"] == []
    with pytest.raises(ClientError) as refused:
        setup.kinesis.describe_channel(ChannelARN=arn("channel", "c"))
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"
    assert b"".join(setup.objects("out").values()) == b"1\n"
    setup.kinesis.delete_stream(StreamName="s")


def test_kills_neither_lose_nor_double(setup):
    setup.create("c", "STRING", "GZIP", seconds=1)
    put = 0
    for _ in range(5):
        for _ in range(40):
            setup.put(b"record-%d" % put)
            put += 1
        setup.server.restart()
    def complete():
        lines = [line for body in setup.objects("out").values() for line in gzip.decompress(body).splitlines()]
        return lines if len(lines) >= put else None

    lines = wait_for("all records", complete)
    assert sorted(lines) == sorted(b"record-%d" % i for i in range(put))


def test_limits_of_aws_hold_by_default(client, name):
    kinesis = client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    with pytest.raises(ClientError) as refused:
        kinesis.create_channel(
            ChannelName=name,
            ServiceExecutionRoleARN=ROLE,
            StreamConfigurationList=[
                {"StreamARN": arn("stream", name), "RecordConfiguration": {"RecordFormatType": "JSON"}}
            ],
            S3DestinationConfiguration={
                "DataFreshnessInSeconds": 60,
                "StorageConfiguration": {
                    "BucketARN": "arn:aws:s3:::out",
                    "ExpectedBucketOwner": ACCOUNT,
                    "CompressionType": "NONE",
                },
            },
        )
    assert refused.value.response["Error"]["Code"] == "InvalidArgumentException"
