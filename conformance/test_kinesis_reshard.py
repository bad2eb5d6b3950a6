"""Resharding through boto3: splits, merges and scaling, at rest, under load, across kills, and under a delivery."""

import collections
import gzip
import random
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from headwater import wait_for

RING = 1 << 128
ACCOUNT = "000000000000"


@pytest.fixture(scope="module")
def kinesis(client):
    return client("kinesis", parameter_validation=False)


def arn(name):
    return f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{name}"


def shard_id(n):
    return f"shardId-{n:012}"


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def shards(kinesis, name, kind="FROM_TRIM_HORIZON"):
    pages = kinesis.get_paginator("list_shards").paginate(StreamName=name, ShardFilter={"Type": kind})
    return {shard["ShardId"]: shard for page in pages for shard in page["Shards"]}


def check_ring(open_shards):
    ranges = sorted(
        (int(s["HashKeyRange"]["StartingHashKey"]), int(s["HashKeyRange"]["EndingHashKey"])) for s in open_shards
    )
    assert ranges[0][0] == 0 and ranges[-1][1] == RING - 1
    assert all(one[1] + 1 == two[0] for one, two in zip(ranges, ranges[1:]))
    return ranges


def read_shard(kinesis, name, shard):
    """All records of a shard, and its children once it has ended."""
    iterator = kinesis.get_shard_iterator(StreamName=name, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records, iterator = [], iterator["ShardIterator"]
    while True:
        answer = kinesis.get_records(ShardIterator=iterator)
        records += answer["Records"]
        iterator = answer.get("NextShardIterator")
        if iterator is None:
            return records, answer["ChildShards"]
        if not answer["Records"] and not answer["MillisBehindLatest"]:
            return records, None


def read_all(kinesis, name):
    """All records of a stream as a consumer finds them that follows children after all their parents."""
    found, records = shards(kinesis, name, "AT_TRIM_HORIZON"), []
    ready, read = collections.deque(sorted(found)), set()
    while ready:
        shard = ready.popleft()
        got, children = read_shard(kinesis, name, shard)
        records += got
        read.add(shard)
        for child in children or []:
            assert shard in child["ParentShards"]
            if read.issuperset(child["ParentShards"]) and child["ShardId"] not in read:
                ready.append(child["ShardId"])
    return records


def test_a_split(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=1)
    before = kinesis.put_record(StreamName=name, PartitionKey="k", Data=b"before", ExplicitHashKey="5")
    kinesis.split_shard(StreamName=name, ShardToSplit=shard_id(0), NewStartingHashKey=str(RING // 4))
    kinesis.get_waiter("stream_exists").wait(StreamName=name)
    listed = shards(kinesis, name)
    parent, low, high = (listed[shard_id(n)] for n in range(3))
    assert "EndingSequenceNumber" in parent["SequenceNumberRange"]
    assert low["ParentShardId"] == high["ParentShardId"] == shard_id(0) and "AdjacentParentShardId" not in low
    assert check_ring([low, high]) == [(0, RING // 4 - 1), (RING // 4, RING - 1)]
    after = kinesis.put_record(StreamName=name, PartitionKey="k", Data=b"after", ExplicitHashKey="5")
    assert after["ShardId"] == shard_id(1)
    end = int(parent["SequenceNumberRange"]["EndingSequenceNumber"])
    start = int(low["SequenceNumberRange"]["StartingSequenceNumber"])
    assert int(before["SequenceNumber"]) < end < start < int(after["SequenceNumber"])
    records, children = read_shard(kinesis, name, shard_id(0))
    assert [record["Data"] for record in records] == [b"before"]
    assert children == [
        {"ShardId": child["ShardId"], "ParentShards": [shard_id(0)], "HashKeyRange": child["HashKeyRange"]}
        for child in (low, high)
    ]
    assert kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["OpenShardCount"] == 2


def test_a_merge(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=3)
    kinesis.merge_shards(StreamARN=arn(name), ShardToMerge=shard_id(1), AdjacentShardToMerge=shard_id(2))
    child = shards(kinesis, name)[shard_id(3)]
    assert (child["ParentShardId"], child["AdjacentParentShardId"]) == (shard_id(1), shard_id(2))
    open_shards = shards(kinesis, name, "AT_LATEST")
    assert sorted(open_shards) == [shard_id(0), shard_id(3)]
    check_ring(open_shards.values())
    put = kinesis.put_record(StreamName=name, PartitionKey="k", Data=b"x", ExplicitHashKey=str(RING - 1))
    assert put["ShardId"] == shard_id(3)


def test_a_new_count(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=2)
    for before, target in ((2, 4), (4, 3), (3, 6), (6, 3)):
        answer = kinesis.update_shard_count(StreamName=name, TargetShardCount=target, ScalingType="UNIFORM_SCALING")
        del answer["ResponseMetadata"]
        assert answer == {
            "StreamName": name,
            "CurrentShardCount": before,
            "TargetShardCount": target,
            "StreamARN": arn(name),
        }
        ranges = check_ring(shards(kinesis, name, "AT_LATEST").values())
        widths = [end - start for start, end in ranges]
        assert len(ranges) == target and max(widths) - min(widths) <= target


def test_what_cannot_be_split(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=3)
    split = lambda shard, key, stream=name: refusal(
        kinesis.split_shard, StreamName=stream, ShardToSplit=shard, NewStartingHashKey=key
    )
    assert split("0", "0", "no-such") == (
        "ResourceNotFoundException",
        f"Stream no-such under account {ACCOUNT} not found.",
    )
    assert split("shardId-5", "0") == (
        "ResourceNotFoundException",
        f"Could not find shard {shard_id(5)} in stream {name} under account {ACCOUNT}.",
    )
    assert split("shard-0", "1") == (
        "InvalidArgumentException",
        f"NewStartingHashKey 1 used in SplitShard() on shard {shard_id(0)} in stream {name} under account {ACCOUNT} is "
        "not both greater than one plus the shard's StartingHashKey 0 and less than the shard's EndingHashKey "
        "113427455640312821154458202477256070484.",
    )
    kinesis.split_shard(StreamName=name, ShardToSplit="0", NewStartingHashKey="99")
    assert split("0", "77")[0] == "InvalidArgumentException"


def test_what_cannot_be_merged(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=3)
    merge = lambda one, two: refusal(
        kinesis.merge_shards, StreamName=name, ShardToMerge=one, AdjacentShardToMerge=two
    )
    assert merge("0", "shardId-5")[0] == "ResourceNotFoundException"
    assert merge("0", "2") == (
        "InvalidArgumentException",
        f"Shards {shard_id(0)} and {shard_id(2)} in stream {name} under account {ACCOUNT} are not an adjacent pair of "
        "shards eligible for merging",
    )


def test_how_far_and_how_often_a_stream_scales(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=6)
    scale = {"StreamName": name, "ScalingType": "UNIFORM_SCALING"}
    counts = "Current open shard count: 6, Target shard count: "
    assert refusal(kinesis.update_shard_count, TargetShardCount=13, **scale) == (
        "LimitExceededException",
        f"UpdateShardCount cannot scale up over double your current open shard count. {counts}13",
    )
    assert refusal(kinesis.update_shard_count, TargetShardCount=2, **scale) == (
        "LimitExceededException",
        f"UpdateShardCount cannot scale down below half your current open shard count. {counts}2",
    )
    for _ in range(10):
        kinesis.update_shard_count(TargetShardCount=6, **scale)
    assert refusal(kinesis.update_shard_count, TargetShardCount=6, **scale)[0] == "LimitExceededException"


class Load:
    """Threads that put numbered records of their own keys until they are told to stop."""

    def __init__(self, server, name, threads=3, keys=8):
        self.server, self.name, self.stopping = server, name, threading.Event()
        self.sent, self.errors = collections.defaultdict(list), []
        self.unsure = set()
        self.threads = [threading.Thread(target=self.run, args=(n, keys)) for n in range(threads)]
        for thread in self.threads:
            thread.start()

    def run(self, n, keys):
        client, number = self.server.client("kinesis"), 0
        while not self.stopping.is_set():
            number += 1
            entries = [{"PartitionKey": f"{n}-{key}", "Data": b"%d" % number} for key in range(keys)]
            try:
                answer = client.put_records(StreamName=self.name, Records=entries)
            except (ClientError, BotoCoreError):
                # Killed: it may have arrived or not, and is not sent again.
                self.unsure.update((entry["PartitionKey"], number) for entry in entries)
                self.stopping.wait(0.05)
                continue
            for entry, put in zip(entries, answer["Records"]):
                if "ErrorCode" in put:
                    self.errors.append(put)
                else:
                    self.sent[entry["PartitionKey"]].append(number)

    def wait_for_more(self):
        """Returns once something more was acknowledged."""
        count = lambda: sum(map(len, list(self.sent.values())))
        before = count()
        wait_for("a put", lambda: count() > before, every=0.005)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def check(self, records):
        """Each acknowledged record is there once, and each key's in its order."""
        assert not self.errors, self.errors[:3]
        got = collections.defaultdict(list)
        for record in records:
            got[record["PartitionKey"]].append(int(record["Data"]))
        for key, numbers in self.sent.items():
            assert got[key] == sorted(set(got[key]))
            assert [n for n in got[key] if (key, n) not in self.unsure] == numbers
        assert sum(map(len, self.sent.values())) > 0


def test_puts_never_see_a_resharding(new_server, name):
    server = new_server("--limits", "off")
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=2)
    load = Load(server, name)
    try:
        for target in (4, 3, 6, 1, 5, 2, 7):
            load.wait_for_more()
            kinesis.update_shard_count(StreamName=name, TargetShardCount=target, ScalingType="UNIFORM_SCALING")
        for shard, found in shards(kinesis, name, "AT_LATEST").items():
            middle = sum(int(key) for key in found["HashKeyRange"].values()) // 2
            kinesis.split_shard(StreamName=name, ShardToSplit=shard, NewStartingHashKey=str(middle))
    finally:
        load.stop()
    load.check(read_all(kinesis, name))


def test_kills_during_reshardings(new_server, name):
    server = new_server("--limits", "off")
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=2)
    load, chance = Load(server, name, threads=2), random.Random(1)
    try:
        for target in (4, 3, 5, 2):
            load.wait_for_more()
            reshard = threading.Thread(target=try_to_scale, args=(server, name, target))
            reshard.start()
            time.sleep(chance.random() * 0.02)
            server.restart()
            reshard.join()
            check_ring(shards(kinesis, name, "AT_LATEST").values())
            status = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamStatus"]
            assert status == "ACTIVE"
    finally:
        load.stop()
    load.check(read_all(kinesis, name))


def try_to_scale(server, name, target):
    try:
        server.client("kinesis").update_shard_count(
            StreamName=name, TargetShardCount=target, ScalingType="UNIFORM_SCALING"
        )
    except (ClientError, BotoCoreError):
        pass


def test_a_delivery_goes_on_through_reshardings(new_server, name):
    server = new_server("--limits", "off")
    kinesis, s3, firehose = (server.client(service) for service in ("kinesis", "s3", "firehose"))
    kinesis.create_stream(StreamName=name, ShardCount=2)
    s3.create_bucket(Bucket=name)
    role = f"arn:aws:iam::{ACCOUNT}:role/delivery"
    firehose.create_delivery_stream(
        DeliveryStreamName=name,
        DeliveryStreamType="KinesisStreamAsSource",
        KinesisStreamSourceConfiguration={"KinesisStreamARN": arn(name), "RoleARN": role},
        ExtendedS3DestinationConfiguration={
            "RoleARN": role,
            "BucketARN": f"arn:aws:s3:::{name}",
            "CompressionFormat": "GZIP",
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 1},
        },
    )
    sent = []
    for target in (4, 3, 6, 2, 1, 2):
        for _ in range(3):
            lines = [f"line {len(sent) + n}\n" for n in range(100)]
            entries = [{"PartitionKey": line, "Data": line.encode()} for line in lines]
            assert kinesis.put_records(StreamName=name, Records=entries)["FailedRecordCount"] == 0
            sent += lines
        kinesis.update_shard_count(StreamName=name, TargetShardCount=target, ScalingType="UNIFORM_SCALING")

    def delivered():
        found = []
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
            for entry in page.get("Contents", []):
                body = gzip.decompress(s3.get_object(Bucket=name, Key=entry["Key"])["Body"].read())
                found += body.decode().splitlines(keepends=True)
        return found

    wait_for("the delivery", lambda: len(delivered()) >= len(sent))
    assert sorted(delivered()) == sorted(sent)
