"""Encryption at rest and record distribution through boto3."""

import collections

import pytest
from botocore.exceptions import ClientError

KMS = {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}


@pytest.fixture(scope="module")
def kinesis(client):
    return client("kinesis", parameter_validation=False)


def arn(name):
    return f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}"


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def summary(kinesis, name):
    return kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]


def records(kinesis, name, shard="shardId-000000000000"):
    position = {"StreamName": name, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    iterator = kinesis.get_shard_iterator(**position)["ShardIterator"]
    return kinesis.get_records(ShardIterator=iterator)["Records"]


def test_encryption_starts_and_stops(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=1)
    put = lambda data: kinesis.put_record(StreamName=name, PartitionKey="k", Data=data).get("EncryptionType")
    assert put(b"before") is None
    kinesis.start_stream_encryption(StreamName=name, **KMS)
    described = kinesis.describe_stream(StreamName=name)["StreamDescription"]
    for stream in (described, summary(kinesis, name)):
        assert {key: stream[key] for key in KMS} == KMS and stream["StreamStatus"] == "ACTIVE"
    assert put(b"encrypted") == "KMS"
    many = kinesis.put_records(StreamName=name, Records=[{"PartitionKey": "k", "Data": b"too"}])
    assert many["EncryptionType"] == "KMS"
    kinesis.stop_stream_encryption(StreamARN=arn(name), **KMS)
    assert put(b"after") is None
    assert summary(kinesis, name)["EncryptionType"] == "NONE" and "KeyId" not in summary(kinesis, name)
    read = [(r["Data"], r["PartitionKey"], r.get("EncryptionType")) for r in records(kinesis, name)]
    assert read == [
        (b"before", "k", None),
        (b"encrypted", "k", "KMS"),
        (b"too", "k", "KMS"),
        (b"after", "k", None),
    ]


def test_subscribers_are_told(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.start_stream_encryption(StreamName=name, **KMS)
    kinesis.put_record(StreamName=name, PartitionKey="k", Data=b"data")
    consumer = kinesis.register_stream_consumer(StreamARN=arn(name), ConsumerName="c")["Consumer"]
    events = kinesis.subscribe_to_shard(
        ConsumerARN=consumer["ConsumerARN"],
        ShardId="shardId-000000000000",
        StartingPosition={"Type": "TRIM_HORIZON"},
    )["EventStream"]
    [record] = next(iter(events))["SubscribeToShardEvent"]["Records"]
    events.close()
    assert (record["Data"], record["EncryptionType"]) == (b"data", "KMS")


def test_encrypted_records_survive_a_restart_and_are_not_in_the_files(new_server, name):
    server = new_server()
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.start_stream_encryption(StreamName=name, **KMS)
    secret = b"nobody may read this " * 40
    kinesis.put_record(StreamName=name, PartitionKey="a-key-to-hide", Data=secret)
    server.stop()
    files = [path.read_bytes() for path in server.data_dir.rglob("*") if path.is_file()]
    assert files and not any(secret[:21] in held or b"a-key-to-hide" in held for held in files)
    server.start()
    [record] = records(server.client("kinesis"), name)
    assert (record["Data"], record["PartitionKey"]) == (secret, "a-key-to-hide")


def test_encryption_is_refused(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=1)
    for call in (kinesis.start_stream_encryption, kinesis.stop_stream_encryption):
        assert refusal(call, StreamName="no-such", **KMS)[0] == "ResourceNotFoundException"
        for wrong in ({"EncryptionType": "NONE"}, {"KeyId": "no key"}):
            assert refusal(call, StreamName=name, **KMS | wrong)[0] == "InvalidArgumentException"


def test_records_are_spread_without_keys(kinesis, name):
    kinesis.create_stream(StreamName=name, RecordDistributionStrategy="AUTO")
    assert summary(kinesis, name)["RecordDistributionStrategy"] == "AUTO"
    put = kinesis.put_records(StreamName=name, Records=[{"Data": b"x"}] * 100)
    counts = collections.Counter(record["ShardId"] for record in put["Records"])
    assert sorted(counts.values()) == [25] * 4
    kept = records(kinesis, name)
    assert len(kept) == 25 and not any("PartitionKey" in record for record in kept)
    # A key is kept and decides nothing.
    put = kinesis.put_records(StreamName=name, Records=[{"Data": b"x", "PartitionKey": "k"}] * 4)
    assert len({record["ShardId"] for record in put["Records"]}) == 4
    assert records(kinesis, name)[-1]["PartitionKey"] == "k"


def test_the_strategy_may_be_changed(kinesis, name):
    to = lambda strategy: {"StreamARN": arn(name), "RecordDistributionStrategy": strategy}
    update = kinesis.update_stream_record_distribution_strategy
    assert refusal(update, **to("AUTO"))[0] == "ResourceNotFoundException"
    kinesis.create_stream(StreamName=name)
    assert summary(kinesis, name)["RecordDistributionStrategy"] == "USER_PARTITION_KEY"
    assert refusal(kinesis.put_record, StreamName=name, Data=b"x")[0] == "ValidationException"
    update(**to("AUTO"))
    kinesis.put_record(StreamName=name, Data=b"x")
    update(**to("USER_PARTITION_KEY"))
    assert refusal(kinesis.put_record, StreamName=name, Data=b"x")[0] == "ValidationException"


def test_provisioned_streams_go_by_keys(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=1)
    assert "RecordDistributionStrategy" not in summary(kinesis, name)
    to = {"StreamARN": arn(name), "RecordDistributionStrategy": "AUTO"}
    update = kinesis.update_stream_record_distribution_strategy
    assert refusal(update, **to)[0] == "InvalidArgumentException"
    new = {"StreamName": f"{name}-auto", "ShardCount": 1, "RecordDistributionStrategy": "AUTO"}
    assert refusal(kinesis.create_stream, **new)[0] == "InvalidArgumentException"
