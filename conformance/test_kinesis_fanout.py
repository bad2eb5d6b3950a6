"""Enhanced fan-out through boto3: consumers, and shards pushed to them in event streams over HTTP/1.1."""

import datetime
import threading
import time

import pytest
from botocore.exceptions import ClientError, EventStreamError

from headwater import wait_for, wait_for_second_after

ACCOUNT = "000000000000"


@pytest.fixture(scope="module")
def kinesis(client):
    return client("kinesis", parameter_validation=False)


@pytest.fixture
def unlimited(new_server):
    return new_server("--limits", "off")


def arn(name):
    return f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{name}"


def shard_id(n):
    return f"shardId-{n:012}"


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def register(kinesis, name, consumer="c"):
    return kinesis.register_stream_consumer(StreamARN=arn(name), ConsumerName=consumer)["Consumer"]["ConsumerARN"]


def subscribe(kinesis, consumer, kind="TRIM_HORIZON", shard=0, **position):
    answer = kinesis.subscribe_to_shard(
        ConsumerARN=consumer, ShardId=shard_id(shard), StartingPosition={"Type": kind, **position}
    )
    return answer["EventStream"]


def events(stream):
    for event in stream:
        yield event["SubscribeToShardEvent"]


def records(stream, count):
    """The first records of a subscription, which is then left."""
    got = []
    for event in events(stream):
        got += event["Records"]
        if len(got) >= count:
            stream.close()
            return got
    return got


def test_the_life_of_a_consumer(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=1)
    consumer = kinesis.register_stream_consumer(StreamARN=arn(name), ConsumerName="c", Tags={"a": "b"})["Consumer"]
    created = int(consumer["ConsumerCreationTimestamp"].timestamp())
    assert consumer["ConsumerARN"] == f"{arn(name)}/consumer/c:{created}"
    assert (consumer["ConsumerName"], consumer["ConsumerStatus"]) == ("c", "ACTIVE")
    assert kinesis.list_stream_consumers(StreamARN=arn(name))["Consumers"] == [consumer]
    described = kinesis.describe_stream_consumer(StreamARN=arn(name), ConsumerName="c")["ConsumerDescription"]
    assert described == {**consumer, "StreamARN": arn(name)}
    assert kinesis.describe_stream_consumer(ConsumerARN=consumer["ConsumerARN"])["ConsumerDescription"] == described
    assert kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["ConsumerCount"] == 1
    kinesis.deregister_stream_consumer(ConsumerARN=consumer["ConsumerARN"])
    assert kinesis.list_stream_consumers(StreamARN=arn(name))["Consumers"] == []
    kinesis.delete_stream(StreamName=name)


def test_consumers_that_are_none(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=1)
    consumer = register(kinesis, name)
    assert refusal(kinesis.register_stream_consumer, StreamARN=arn(name), ConsumerName="c") == (
        "ResourceInUseException",
        f"Consumer c under stream {name} already exists for account {ACCOUNT}.",
    )
    for call in (kinesis.describe_stream_consumer, kinesis.deregister_stream_consumer):
        missing = ("ResourceNotFoundException", f"Consumer d, account {ACCOUNT} not found.")
        assert refusal(call, StreamARN=arn(name), ConsumerName="d") == missing
        assert refusal(call, StreamARN=arn(name))[0] == "InvalidArgumentException"
        assert refusal(call, ConsumerARN=consumer, ConsumerName="d")[0] == "InvalidArgumentException"
    assert refusal(kinesis.list_stream_consumers, StreamARN=arn("no-such"))[0] == "ResourceNotFoundException"
    for n in range(19):
        register(kinesis, name, f"c-{n}")
    assert refusal(kinesis.register_stream_consumer, StreamARN=arn(name), ConsumerName="e")[0] == (
        "LimitExceededException"
    )
    pages = kinesis.get_paginator("list_stream_consumers").paginate(
        StreamARN=arn(name), PaginationConfig={"PageSize": 7}
    )
    assert [len(page["Consumers"]) for page in pages] == [7, 7, 6]
    code, text = refusal(kinesis.delete_stream, StreamName=name)
    assert code == "ResourceInUseException" and "set the EnforceConsumerDeletion parameter to true" in text
    kinesis.delete_stream(StreamName=name, EnforceConsumerDeletion=True)


def test_consumers_outlive_a_restart(unlimited, name):
    kinesis = unlimited.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    consumer = register(kinesis, name)
    kinesis.put_record(StreamName=name, PartitionKey="k", Data=b"kept")
    unlimited.restart()
    assert [record["Data"] for record in records(subscribe(kinesis, consumer), 1)] == [b"kept"]


def test_records_are_pushed(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=1)
    consumer = register(kinesis, name)
    sent = [kinesis.put_record(StreamName=name, PartitionKey="kü", Data=b"early")["SequenceNumber"]]
    stream = subscribe(kinesis, consumer)
    got = events(stream)
    first = next(got)
    record = first["Records"][0]
    assert (record["SequenceNumber"], record["Data"], record["PartitionKey"]) == (sent[0], b"early", "kü")
    assert set(record) == {"SequenceNumber", "ApproximateArrivalTimestamp", "Data", "PartitionKey"}
    assert first["ContinuationSequenceNumber"] == sent[0] and first["MillisBehindLatest"] == 0
    assert "ChildShards" not in first
    for n in range(5):
        put = kinesis.put_record(StreamName=name, PartitionKey="k", Data=b"%d" % n)
        event = next(got)
        assert [(r["SequenceNumber"], r["Data"]) for r in event["Records"]] == [(put["SequenceNumber"], b"%d" % n)]
        assert event["ContinuationSequenceNumber"] == put["SequenceNumber"]
    stream.close()


def test_every_position(unlimited, name):
    kinesis = unlimited.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    consumer, sent = register(kinesis, name), []
    for n in range(4):
        sent.append(kinesis.put_record(StreamName=name, PartitionKey="k", Data=b"%d" % n)["SequenceNumber"])
        if n == 1:
            wait_for_second_after(datetime.datetime.now())

    def data(count, kind, **position):
        return b"".join(r["Data"] for r in records(subscribe(kinesis, consumer, kind, **position), count))

    assert data(4, "TRIM_HORIZON") == b"0123"
    assert data(3, "AT_SEQUENCE_NUMBER", SequenceNumber=sent[1]) == b"123"
    assert data(2, "AFTER_SEQUENCE_NUMBER", SequenceNumber=sent[1]) == b"23"
    arrival = records(subscribe(kinesis, consumer), 4)[2]["ApproximateArrivalTimestamp"]
    assert data(2, "AT_TIMESTAMP", Timestamp=arrival) == b"23"
    latest = subscribe(kinesis, consumer, "LATEST")
    kinesis.put_record(StreamName=name, PartitionKey="k", Data=b"new")
    assert [record["Data"] for record in records(latest, 1)] == [b"new"]


def test_positions_that_are_none(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=1)
    consumer = register(kinesis, name)

    def refused(shard=shard_id(0), arn=consumer, **position):
        return refusal(kinesis.subscribe_to_shard, ConsumerARN=arn, ShardId=shard, StartingPosition=position)[0]

    assert refused(Type="AT_SEQUENCE_NUMBER") == "InvalidArgumentException"
    assert refused(Type="LATEST", SequenceNumber="1") == "InvalidArgumentException"
    assert refused(Type="AT_TIMESTAMP") == "InvalidArgumentException"
    assert refused(shard_id(9), Type="LATEST") == "ResourceNotFoundException"
    assert refused(arn=consumer.replace("/c:", "/d:"), Type="LATEST") == "ResourceNotFoundException"
    assert refused(Type="SOMEWHERE") == "ValidationException"


@pytest.mark.alone
def test_a_quiet_shard_is_told_of(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=1)
    stream = subscribe(kinesis, register(kinesis, name), "LATEST")
    began = time.monotonic()
    event = next(events(stream))
    assert 4 < time.monotonic() - began < 20
    start = kinesis.list_shards(StreamName=name)["Shards"][0]["SequenceNumberRange"]["StartingSequenceNumber"]
    assert event == {"Records": [], "ContinuationSequenceNumber": start, "MillisBehindLatest": 0}
    stream.close()


def test_a_split_ends_a_subscription_with_the_children(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=1)
    consumer = register(kinesis, name)
    stream = subscribe(kinesis, consumer)
    kinesis.put_record(StreamName=name, PartitionKey="k", Data=b"x", ExplicitHashKey="9")
    kinesis.split_shard(StreamName=name, ShardToSplit=shard_id(0), NewStartingHashKey="99")
    kinesis.put_record(StreamName=name, PartitionKey="k", Data=b"y", ExplicitHashKey="9")
    got = list(events(stream))
    assert [record["Data"] for event in got for record in event["Records"]] == [b"x"]
    last = got[-1]
    assert "ContinuationSequenceNumber" not in last and last["Records"] == []
    assert [(child["ShardId"], child["ParentShards"]) for child in last["ChildShards"]] == [
        (shard_id(1), [shard_id(0)]),
        (shard_id(2), [shard_id(0)]),
    ]
    assert [record["Data"] for record in records(subscribe(kinesis, consumer, shard=1), 1)] == [b"y"]
    # KCL asks for the end again this way.
    again = list(events(subscribe(kinesis, register(kinesis, name, "late"), "LATEST")))
    assert len(again) == 1 and len(again[0]["ChildShards"]) == 2


def test_one_subscription_a_consumer_and_shard(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=2)
    consumer = register(kinesis, name)
    first = subscribe(kinesis, consumer, "LATEST")
    began = time.monotonic()
    position = {"ConsumerARN": consumer, "ShardId": shard_id(0), "StartingPosition": {"Type": "LATEST"}}
    code, text = refusal(kinesis.subscribe_to_shard, **position)
    assert code == "ResourceInUseException"
    assert text.startswith("Another active subscription exists for this consumer")
    # Other shards and other consumers are not concerned.
    subscribe(kinesis, consumer, "LATEST", shard=1).close()
    subscribe(kinesis, register(kinesis, name, "other"), "LATEST").close()

    def taken_over():
        try:
            return subscribe(kinesis, consumer, "LATEST")
        except kinesis.exceptions.ResourceInUseException:
            return None

    second = wait_for("the first subscription's five seconds", taken_over, seconds=10)
    assert time.monotonic() - began >= 4.9
    with pytest.raises(EventStreamError) as taken_over:
        list(first)
    assert taken_over.value.response["Error"]["Code"] == "ResourceInUseException"
    kinesis.put_record(StreamName=name, PartitionKey="k", Data=b"x", ExplicitHashKey="0")
    assert [record["Data"] for record in records(second, 1)] == [b"x"]


def test_a_consumer_that_is_removed_hears_of_it(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=1)
    consumer = register(kinesis, name)
    stream = subscribe(kinesis, consumer, "LATEST")
    kinesis.deregister_stream_consumer(ConsumerARN=consumer)
    with pytest.raises(EventStreamError) as ended:
        list(stream)
    assert ended.value.response["Error"]["Code"] == "ResourceNotFoundException"


@pytest.mark.alone
def test_five_consumers_get_everything_and_one_that_stalls_is_alone(unlimited, name):
    kinesis = unlimited.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    stalled = subscribe(unlimited.client("kinesis"), register(kinesis, name, "stalled"))
    got = {}

    def follow(consumer):
        client = unlimited.client("kinesis")
        got[consumer] = [r["SequenceNumber"] for r in records(subscribe(client, register(client, name, consumer)), 2000)]

    threads = [threading.Thread(target=follow, args=(f"c-{n}",)) for n in range(5)]
    for thread in threads:
        thread.start()
    sent = []
    for _ in range(40):
        entries = [{"PartitionKey": "k", "Data": b"x" * 10_000}] * 50
        sent += [put["SequenceNumber"] for put in kinesis.put_records(StreamName=name, Records=entries)["Records"]]
    for thread in threads:
        thread.join(timeout=60)
    assert len(got) == 5 and all(numbers == sent for numbers in got.values())
    # 20 MB went by the one that did not read: it holds an event, not the backlog.
    assert unlimited.memory_mib() < 400
    assert len(records(stalled, 2000)) == 2000


@pytest.mark.alone
def test_a_shutdown_does_not_wait_for_subscribers(new_server, name):
    server = new_server()
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    stream = subscribe(kinesis, register(kinesis, name), "LATEST")
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 5
    assert list(stream) == []
