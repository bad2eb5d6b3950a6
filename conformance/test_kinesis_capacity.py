"""Capacity and settings through boto3: modes, warm throughput, record sizes, monitoring, policies, consumers' tags."""

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "000000000000"
RING = 1 << 128


@pytest.fixture(scope="module")
def kinesis(client):
    return client("kinesis", parameter_validation=False)


def arn(name):
    return f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{name}"


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def summary(kinesis, name):
    return kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]


def test_an_on_demand_stream(kinesis, name):
    kinesis.create_stream(StreamName=name)
    described = summary(kinesis, name)
    assert (described["StreamModeDetails"], described["OpenShardCount"]) == ({"StreamMode": "ON_DEMAND"}, 4)
    # As recorded on AWS: four equal shards.
    ranges = [shard["HashKeyRange"] for shard in kinesis.list_shards(StreamName=name)["Shards"]]
    assert [int(r["StartingHashKey"]) for r in ranges] == [n * RING // 4 for n in range(4)]
    limits = kinesis.describe_limits()
    assert limits["OnDemandStreamCount"] >= 1 and limits["OnDemandStreamCountLimit"] == 50
    for call, more in (
        (kinesis.split_shard, {"ShardToSplit": "0", "NewStartingHashKey": "7"}),
        (kinesis.merge_shards, {"ShardToMerge": "0", "AdjacentShardToMerge": "1"}),
        (kinesis.update_shard_count, {"TargetShardCount": 5, "ScalingType": "UNIFORM_SCALING"}),
    ):
        assert refusal(call, StreamName=name, **more)[0] == "ValidationException"


def test_a_mode_changes_twice_a_day(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=2)
    to = lambda mode: {"StreamARN": arn(name), "StreamModeDetails": {"StreamMode": mode}}
    kinesis.update_stream_mode(**to("ON_DEMAND"))
    assert summary(kinesis, name)["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    kinesis.update_stream_mode(**to("PROVISIONED"))
    kinesis.update_shard_count(StreamName=name, TargetShardCount=4, ScalingType="UNIFORM_SCALING")
    assert refusal(kinesis.update_stream_mode, **to("ON_DEMAND"))[0] == "LimitExceededException"
    gone = {"StreamARN": arn("no-such"), "StreamModeDetails": {"StreamMode": "ON_DEMAND"}}
    assert refusal(kinesis.update_stream_mode, **gone)[0] == "ResourceNotFoundException"


def test_contradictions_of_a_new_stream(kinesis):
    for more in (
        {"ShardCount": 1, "StreamModeDetails": {"StreamMode": "ON_DEMAND"}},
        {"StreamModeDetails": {"StreamMode": "PROVISIONED"}},
        {"ShardCount": 1, "WarmThroughputMiBps": 1},
    ):
        assert refusal(kinesis.create_stream, StreamName="t", **more)[0] == "InvalidArgumentException"


def test_warm_throughput_needs_a_commitment(new_server, name):
    server = new_server()
    kinesis = server.client("kinesis")
    commitment = lambda call, **more: call(**more)["MinimumThroughputBillingCommitment"]
    assert commitment(kinesis.describe_account_settings) == {"Status": "DISABLED"}
    kinesis.create_stream(StreamName=name, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    code, text = refusal(kinesis.update_stream_warm_throughput, StreamName=name, WarmThroughputMiBps=9)
    assert code == "InvalidArgumentException" and "UpdateAccountSettings" in text
    enabled = commitment(
        kinesis.update_account_settings, MinimumThroughputBillingCommitment={"Status": "ENABLED"}
    )
    assert enabled["Status"] == "ENABLED"
    assert (enabled["EarliestAllowedEndAt"] - enabled["StartedAt"]).total_seconds() == 24 * 3600
    warm = {"TargetMiBps": 9, "CurrentMiBps": 9}
    answer = kinesis.update_stream_warm_throughput(StreamARN=arn(name), WarmThroughputMiBps=9)
    assert (answer["StreamName"], answer["StreamARN"], answer["WarmThroughput"]) == (name, arn(name), warm)
    assert (summary(kinesis, name)["WarmThroughput"], summary(kinesis, name)["OpenShardCount"]) == (warm, 16)
    kinesis.create_stream(StreamName="warm", WarmThroughputMiBps=5)
    assert summary(kinesis, "warm")["OpenShardCount"] == 8
    server.restart()
    assert summary(kinesis, name)["WarmThroughput"] == warm
    ending = commitment(
        kinesis.update_account_settings, MinimumThroughputBillingCommitment={"Status": "DISABLED"}
    )
    assert ending["Status"] == "ENABLED_UNTIL_EARLIEST_ALLOWED_END"
    assert commitment(kinesis.describe_account_settings) == ending
    code, _ = refusal(kinesis.update_account_settings, MinimumThroughputBillingCommitment={"Status": "MAYBE"})
    assert code == "ValidationException"


def test_records_of_ten_mebibytes(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=1)
    put = {"StreamName": name, "PartitionKey": "k", "Data": b"x" * ((10 << 20) - 1)}
    assert refusal(kinesis.put_record, **put)[0] == "ValidationException"
    kinesis.update_max_record_size(StreamARN=arn(name), MaxRecordSizeInKiB=10_240)
    assert summary(kinesis, name)["MaxRecordSizeInKiB"] == 10_240
    kinesis.put_record(**put)
    iterator = kinesis.get_shard_iterator(StreamName=name, ShardId="0", ShardIteratorType="TRIM_HORIZON")
    assert kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"][0]["Data"] == put["Data"]
    for size in (1023, 10_241):
        code, _ = refusal(kinesis.update_max_record_size, StreamARN=arn(name), MaxRecordSizeInKiB=size)
        assert code == "ValidationException"


def test_monitoring(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=1)
    on = kinesis.enable_enhanced_monitoring(StreamName=name, ShardLevelMetrics=["OutgoingBytes"])
    del on["ResponseMetadata"]
    assert on == {
        "StreamName": name,
        "StreamARN": arn(name),
        "CurrentShardLevelMetrics": [],
        "DesiredShardLevelMetrics": ["OutgoingBytes"],
    }
    assert summary(kinesis, name)["EnhancedMonitoring"] == [{"ShardLevelMetrics": ["OutgoingBytes"]}]
    kinesis.enable_enhanced_monitoring(StreamName=name, ShardLevelMetrics=["ALL"])
    off = kinesis.disable_enhanced_monitoring(StreamARN=arn(name), ShardLevelMetrics=["ALL"])
    assert (len(off["CurrentShardLevelMetrics"]), off["DesiredShardLevelMetrics"]) == (7, [])
    for call in (kinesis.enable_enhanced_monitoring, kinesis.disable_enhanced_monitoring):
        assert refusal(call, StreamName=name, ShardLevelMetrics=["Heat"])[0] == "ValidationException"
        assert refusal(call, StreamName="no-such", ShardLevelMetrics=["ALL"])[0] == "ResourceNotFoundException"


def test_tags_of_consumers(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=1)
    registered = kinesis.register_stream_consumer(StreamARN=arn(name), ConsumerName="c", Tags={"a": "1"})
    consumer = registered["Consumer"]["ConsumerARN"]
    kinesis.tag_resource(ResourceARN=consumer, Tags={"b": "2"})
    kinesis.untag_resource(ResourceARN=consumer, TagKeys=["a"])
    assert kinesis.list_tags_for_resource(ResourceARN=consumer)["Tags"] == [{"Key": "b", "Value": "2"}]
    assert kinesis.list_tags_for_resource(ResourceARN=arn(name))["Tags"] == []
    other = consumer.replace("/c:", "/d:")
    assert refusal(kinesis.list_tags_for_resource, ResourceARN=other)[0] == "ResourceNotFoundException"
