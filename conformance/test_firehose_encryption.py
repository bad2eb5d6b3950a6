"""Direct puts that wait encrypted, from switching it on to what arrives in the bucket."""

import pytest
from botocore.exceptions import ClientError

from headwater import wait_for

ROLE = "arn:aws:iam::000000000000:role/test"
KEY = "arn:aws:kms:us-east-1:000000000000:key/k"


def create(firehose, name, interval=0, **more):
    firehose.create_delivery_stream(
        DeliveryStreamName=name,
        ExtendedS3DestinationConfiguration={
            "BucketARN": f"arn:aws:s3:::{name}",
            "RoleARN": ROLE,
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": interval},
        },
        **more,
    )


def encryption(firehose, name):
    described = firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
    return described["DeliveryStreamEncryptionConfiguration"]


def put(firehose, name, data):
    return firehose.put_record(DeliveryStreamName=name, Record={"Data": data})["Encrypted"]


def test_what_waits_encrypted_is_not_on_the_disk_and_arrives_after_a_restart(new_server):
    server = new_server()
    firehose, s3 = server.client("firehose"), server.client("s3")
    create(firehose, "sealed", interval=900)
    assert encryption(firehose, "sealed") == {"Status": "DISABLED"}
    assert put(firehose, "sealed", b"read-me\n") is False
    firehose.start_delivery_stream_encryption(
        DeliveryStreamName="sealed",
        DeliveryStreamEncryptionConfigurationInput={"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": KEY},
    )
    assert encryption(firehose, "sealed") == {"KeyARN": KEY, "KeyType": "CUSTOMER_MANAGED_CMK", "Status": "ENABLED"}
    assert put(firehose, "sealed", b"hide-me\n") is True
    server.restart()
    on_disk = b"".join(file.read_bytes() for file in (server.data_dir / "log").rglob("*") if file.is_file())
    assert b"read-me" in on_disk and b"hide-me" not in on_disk

    s3.create_bucket(Bucket="sealed")
    settings = {"BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 0}}
    described = firehose.describe_delivery_stream(DeliveryStreamName="sealed")["DeliveryStreamDescription"]
    firehose.update_destination(
        DeliveryStreamName="sealed",
        CurrentDeliveryStreamVersionId=described["VersionId"],
        DestinationId=described["Destinations"][0]["DestinationId"],
        ExtendedS3DestinationUpdate=settings,
    )

    def arrived():
        keys = [item["Key"] for item in s3.list_objects_v2(Bucket="sealed").get("Contents", [])]
        text = b"".join(s3.get_object(Bucket="sealed", Key=key)["Body"].read() for key in keys)
        return text if text.count(b"\n") >= 2 else None

    assert wait_for("the delivery", arrived) == b"read-me\nhide-me\n"
    firehose.stop_delivery_stream_encryption(DeliveryStreamName="sealed")
    assert encryption(firehose, "sealed") == {"Status": "DISABLED"}
    assert put(firehose, "sealed", b"open\n") is False


def test_encryption_can_be_on_from_the_start_but_not_for_streams(client, name):
    firehose = client("firehose")
    create(firehose, name, DeliveryStreamEncryptionConfigurationInput={"KeyType": "AWS_OWNED_CMK"})
    assert encryption(firehose, name) == {"KeyType": "AWS_OWNED_CMK", "Status": "ENABLED"}
    batch = firehose.put_record_batch(DeliveryStreamName=name, Records=[{"Data": b"a"}])
    assert (batch["Encrypted"], batch["FailedPutCount"]) == (True, 0)

    client("kinesis").create_stream(StreamName=name, ShardCount=1)
    client("kinesis").get_waiter("stream_exists").wait(StreamName=name)
    source = {"KinesisStreamARN": f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}", "RoleARN": ROLE}
    reader = f"{name}-reader"
    create(
        firehose, reader, DeliveryStreamType="KinesisStreamAsSource", KinesisStreamSourceConfiguration=source
    )
    for call in (firehose.start_delivery_stream_encryption, firehose.stop_delivery_stream_encryption):
        with pytest.raises(ClientError) as refused:
            call(DeliveryStreamName=reader)
        assert refused.value.response["Error"]["Code"] == "InvalidArgumentException"
        with pytest.raises(ClientError) as refused:
            call(DeliveryStreamName="no-such-stream")
        assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"
