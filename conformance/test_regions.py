"""Each region has resources of its own, under its own ARNs, through restarts; buckets are the same for all."""

import pytest
from botocore.exceptions import ClientError

from headwater import wait_for

FAR = "eu-west-1"


def names(kinesis):
    return kinesis.list_streams()["StreamNames"]


def first_record(kinesis, stream):
    place = {"StreamName": stream, "ShardId": "shardId-000000000000"}
    iterator = kinesis.get_shard_iterator(**place, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    return kinesis.get_records(ShardIterator=iterator)["Records"][0]["Data"]


def test_a_stream_belongs_to_its_region(new_server):
    server = new_server()
    near, far = server.client("kinesis"), server.client("kinesis", region=FAR)
    for kinesis, data in [(near, b"near"), (far, b"far")]:
        kinesis.create_stream(StreamName="trips", ShardCount=1)
        kinesis.put_record(StreamName="trips", PartitionKey="a", Data=data)
    far.create_stream(StreamName="only-far", ShardCount=2)
    for _ in range(2):
        assert (names(near), names(far)) == (["trips"], ["only-far", "trips"])
        assert (first_record(near, "trips"), first_record(far, "trips")) == (b"near", b"far")
        described = far.describe_stream_summary(StreamName="trips")["StreamDescriptionSummary"]
        assert described["StreamARN"] == f"arn:aws:kinesis:{FAR}:000000000000:stream/trips"
        server.restart()
    near.delete_stream(StreamName="trips")
    assert (names(near), first_record(far, "trips")) == ([], b"far")
    server.restart()
    assert (names(near), first_record(far, "trips")) == ([], b"far")
    assert server.client("kinesis", region="ap-south-1").list_streams()["StreamNames"] == []


def test_a_delivery_of_another_region_goes_on_after_a_kill(new_server):
    server = new_server()
    firehose, s3 = server.client("firehose", region=FAR), server.client("s3")
    s3.create_bucket(Bucket="lake")
    made = firehose.create_delivery_stream(
        DeliveryStreamName="d",
        ExtendedS3DestinationConfiguration={
            "BucketARN": "arn:aws:s3:::lake",
            "RoleARN": "arn:aws:iam::000000000000:role/any",
            "BufferingHints": {"IntervalInSeconds": 1, "SizeInMBs": 1},
        },
    )
    assert made["DeliveryStreamARN"] == f"arn:aws:firehose:{FAR}:000000000000:deliverystream/d"
    assert server.client("firehose").list_delivery_streams()["DeliveryStreamNames"] == []
    firehose.put_record(DeliveryStreamName="d", Record={"Data": b"a\n"})
    server.restart()

    def delivered():
        objects = s3.list_objects_v2(Bucket="lake").get("Contents", [])
        return b"".join(s3.get_object(Bucket="lake", Key=o["Key"])["Body"].read() for o in objects)

    # Nobody asks for the region after the restart: what it has to do, it does by itself.
    assert wait_for("the delivery", delivered) == b"a\n"


def test_a_region_that_cannot_be_one_is_the_servers_own(new_server):
    server = new_server()
    server.client("kinesis").create_stream(StreamName="s", ShardCount=1)
    assert names(server.client("kinesis", region="nowhere")) == ["s"]


@pytest.mark.parametrize(
    "service, call, arguments",
    [
        ("redshift", "describe_clusters", {}),
        ("iam", "list_roles", {}),
        ("athena", "list_work_groups", {}),
        ("ec2", "describe_vpcs", {}),
        ("apigateway", "get_rest_apis", {}),
        ("rekognition", "list_collections", {}),
        ("route53", "list_hosted_zones", {}),
    ],
)
def test_a_service_that_is_not_there_is_named(client, service, call, arguments):
    with pytest.raises(ClientError) as refused:
        getattr(client(service), call)(**arguments)
    error = refused.value.response["Error"]
    assert error["Code"] == "NotImplemented"
    assert f"({service})" in error["Message"] and "Headwater does not support" in error["Message"]
