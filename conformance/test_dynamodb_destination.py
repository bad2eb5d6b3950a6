"""Changes of tables in a Kinesis stream through boto3: what is told of each, what answers and errors say, and that each is
there once, through kills, resharding and throttling."""

import collections
import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from changes import all_records, folded
from headwater import size, wait_for
from tables import PATIENT, error_of, fill, invalid, item, make, plain, put, scanned, values

STATE = "Table is not in a valid state to enable Kinesis Streaming Destination: "
NOT_DISABLED = invalid(STATE + "EnableKinesisStreamingDestination must be DISABLED or ENABLE_FAILED to perform ENABLE operation.")
NOT_ACTIVE = invalid(STATE + "KinesisStreamingDestination must be ACTIVE to perform DISABLE operation.")
STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
ROUNDS = size(4, 40)
# A stream is scaled so often within a day.
SCALINGS = 10
WRITERS = 3


@pytest.fixture
def dynamodb(client):
    return client("dynamodb", **PATIENT)


@pytest.fixture
def kinesis(client):
    return client("kinesis", **PATIENT)


def stream_of(kinesis, name, shards=2):
    """The ARN of a new stream."""
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
    return kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]


def destinations(dynamodb, table):
    described = dynamodb.describe_kinesis_streaming_destination(TableName=table)
    assert described["TableName"] == table
    return described["KinesisDataStreamDestinations"]


def wait_status(dynamodb, table, status):
    wait_for(f"{status}", lambda: destinations(dynamodb, table)[0]["DestinationStatus"] == status, every=0.05)


def enabled(dynamodb, table, arn, precision=None):
    """Has a table's changes go to a stream."""
    more = {"EnableKinesisStreamingConfiguration": {"ApproximateCreationDateTimePrecision": precision}} if precision else {}
    answer = dynamodb.enable_kinesis_streaming_destination(TableName=table, StreamArn=arn, **more)
    assert answer["DestinationStatus"] == "ENABLING"
    wait_status(dynamodb, table, "ACTIVE")
    return answer


def streamed(kinesis, name):
    """The Kinesis records of a stream, those of parents before those of their children."""
    pages = kinesis.get_paginator("list_shards").paginate(StreamName=name)
    shards = [shard["ShardId"] for page in pages for shard in page["Shards"]]
    found = []
    for shard in sorted(shards):
        where = dict(StreamName=name, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
        iterator = kinesis.get_shard_iterator(**where)["ShardIterator"]
        while iterator:
            page = kinesis.get_records(ShardIterator=iterator)
            found += page["Records"]
            behind = page["MillisBehindLatest"]
            iterator = page.get("NextShardIterator") if page["Records"] or behind else None
    return found


def told(kinesis, name):
    """The changes that a stream has."""
    return [json.loads(record["Data"]) for record in streamed(kinesis, name)]


def waited(kinesis, name, count):
    """The changes of a stream, once it has so many."""
    wait_for(f"{count} changes", lambda: len(told(kinesis, name)) >= count, every=0.3)
    return told(kinesis, name)


def images(record):
    change = record["dynamodb"]
    before, after = (change.get(image) for image in ("OldImage", "NewImage"))
    return record["eventName"], before and plain(before), after and plain(after)


def test_each_change_is_one_record(dynamodb, kinesis, name):
    arn = stream_of(kinesis, name)
    make(dynamodb, name)
    put(dynamodb, name, {"p": "before"})
    assert destinations(dynamodb, name) == []
    answer = enabled(dynamodb, name, arn)
    assert (answer["TableName"], answer["StreamArn"]) == (name, arn)
    assert answer["EnableKinesisStreamingConfiguration"] == {}
    assert destinations(dynamodb, name) == [{"StreamArn": arn, "DestinationStatus": "ACTIVE"}]
    put(dynamodb, name, {"p": "a", "n": 1}, {"p": "a", "m": 2})
    # It stays as it is.
    put(dynamodb, name, {"p": "a", "m": 2})
    dynamodb.update_item(TableName=name, Key=item(p="a"), UpdateExpression="SET n = :n", ExpressionAttributeValues=values(n=3))
    dynamodb.delete_item(TableName=name, Key=item(p="a"))
    records = waited(kinesis, name, 4)
    assert [images(record) for record in records] == [
        ("INSERT", None, {"p": "a", "n": 1}),
        ("MODIFY", {"p": "a", "n": 1}, {"p": "a", "m": 2}),
        ("MODIFY", {"p": "a", "m": 2}, {"p": "a", "m": 2, "n": 3}),
        ("REMOVE", {"p": "a", "m": 2, "n": 3}, None),
    ]
    for record in records:
        assert list(record) == [
            "awsRegion", "eventID", "eventName", "userIdentity", "recordFormat", "tableName", "dynamodb", "eventSource",
        ]
        assert (record["awsRegion"], record["eventSource"], record["tableName"]) == ("us-east-1", "aws:dynamodb", name)
        assert (record["recordFormat"], record["userIdentity"]) == ("application/json", None)
        assert record["dynamodb"]["Keys"] == {"p": {"S": "a"}} and record["dynamodb"]["SizeBytes"] > 2
        assert "ApproximateCreationDateTimePrecision" not in record["dynamodb"]
        assert 1.6e12 < record["dynamodb"]["ApproximateCreationDateTime"] < 1e13
    assert len({record["eventID"] for record in records}) == 4
    assert len({record["PartitionKey"] for record in streamed(kinesis, name)}) == 1


def test_batches_and_transactions_are_told(dynamodb, kinesis, name):
    arn = stream_of(kinesis, name, shards=3)
    make(dynamodb, name, StreamSpecification=STREAM)
    enabled(dynamodb, name, arn)
    fill(dynamodb, name, ({"p": f"{n}", "n": n} for n in range(60)))
    puts = [{"Put": {"TableName": name, "Item": item(p=f"{n}", n=-n)}} for n in range(1, 20)]
    dynamodb.transact_write_items(TransactItems=puts)
    deletes = [{"DeleteRequest": {"Key": item(p=f"{n}")}} for n in range(30, 40)]
    dynamodb.batch_write_item(RequestItems={name: deletes})
    records = waited(kinesis, name, 89)
    assert len(records) == 89
    assert folded(records) == sorted(scanned(dynamodb, name), key=repr)


def test_precision(dynamodb, kinesis, name):
    arn = stream_of(kinesis, name, shards=1)
    make(dynamodb, name)
    answer = enabled(dynamodb, name, arn, "MICROSECOND")
    configuration = {"ApproximateCreationDateTimePrecision": "MICROSECOND"}
    assert answer["EnableKinesisStreamingConfiguration"] == configuration
    fill(dynamodb, name, ({"p": f"{n}"} for n in range(25)))
    records = [record["dynamodb"] for record in waited(kinesis, name, 25)]
    assert {record["ApproximateCreationDateTimePrecision"] for record in records} == {"MICROSECOND"}
    assert all(1.6e15 < record["ApproximateCreationDateTime"] < 1e16 for record in records)
    update = lambda precision, arn=arn: dict(
        TableName=name, StreamArn=arn,
        UpdateKinesisStreamingConfiguration={"ApproximateCreationDateTimePrecision": precision},
    )
    updated = dynamodb.update_kinesis_streaming_destination(**update("MILLISECOND"))
    assert updated["DestinationStatus"] == "UPDATING"
    assert updated["UpdateKinesisStreamingConfiguration"] == {"ApproximateCreationDateTimePrecision": "MILLISECOND"}
    shown = {"StreamArn": arn, "DestinationStatus": "ACTIVE", "ApproximateCreationDateTimePrecision": "MILLISECOND"}
    assert destinations(dynamodb, name) == [shown]
    put(dynamodb, name, {"p": "late"})
    assert waited(kinesis, name, 26)[-1]["dynamodb"]["ApproximateCreationDateTime"] < 1e13
    id = dynamodb.describe_table(TableName=name)["Table"]["TableId"]
    refused = lambda *request, **more: error_of(dynamodb.update_kinesis_streaming_destination, *request, **more)
    assert refused(**update("MILLISECOND")) == invalid(
        f"Invalid Request: Precision is already set to the desired value of MILLISECOND for tableId: {id}, kdsArn: {arn}"
    )
    assert refused(**update("MICROSECOND", arn + "x")) == invalid(
        f"{STATE}No streaming destination with streamArn: {arn}x found for table with tableName: {name}"
    )
    for configuration in ({}, {"UpdateKinesisStreamingConfiguration": {}}):
        assert refused(TableName=name, StreamArn=arn, **configuration) == invalid(
            "Streaming destination cannot be updated with given parameters: UpdateKinesisStreamingConfiguration cannot be"
            " null or contain only null values"
        )
    dynamodb.disable_kinesis_streaming_destination(TableName=name, StreamArn=arn)
    wait_status(dynamodb, name, "DISABLED")
    assert refused(**update("MICROSECOND")) == invalid(
        f"{STATE}Kinesis streaming is not in ACTIVE state. Updates are only allowed in ACTIVE state. TableName: {name},"
        f" kdsArn: {arn}"
    )


def test_it_is_disabled_and_enabled_again(dynamodb, kinesis, name):
    arn = stream_of(kinesis, name)
    make(dynamodb, name)
    enabled(dynamodb, name, arn, "MICROSECOND")
    both = dict(TableName=name, StreamArn=arn)
    enable = dynamodb.enable_kinesis_streaming_destination
    disable = dynamodb.disable_kinesis_streaming_destination
    assert error_of(enable, **both) == NOT_DISABLED
    assert error_of(enable, TableName=name, StreamArn=arn + "-other") == NOT_DISABLED
    assert error_of(disable, TableName=name, StreamArn=arn + "-other") == NOT_ACTIVE
    configuration = {"EnableKinesisStreamingConfiguration": {"ApproximateCreationDateTimePrecision": "MICROSECOND"}}
    assert error_of(disable, **both, **configuration) == invalid(
        "Stream cannot be disabled using EnableKinesisStreamingConfiguration parameters"
    )
    put(dynamodb, name, {"p": "a"})
    answer = disable(**both)
    assert (answer["DestinationStatus"], answer["StreamArn"], answer["TableName"]) == ("DISABLING", arn, name)
    wait_status(dynamodb, name, "DISABLED")
    # What was made before was sent.
    assert len(told(kinesis, name)) == 1
    put(dynamodb, name, {"p": "b"})
    assert error_of(disable, **both) == NOT_ACTIVE
    enabled(dynamodb, name, arn)
    assert destinations(dynamodb, name) == [{"StreamArn": arn, "DestinationStatus": "ACTIVE"}]
    put(dynamodb, name, {"p": "c"})
    assert [record["dynamodb"]["Keys"] for record in waited(kinesis, name, 2)] and len(told(kinesis, name)) == 2
    assert {record["dynamodb"]["Keys"]["p"]["S"] for record in told(kinesis, name)} == {"a", "c"}


def test_streams_that_cannot_be_destinations(dynamodb, kinesis, name):
    arn = stream_of(kinesis, name)
    make(dynamodb, name)
    missing = "User does not have a permission to use kinesis stream"
    prefix = "The kinesis Arn used to enable kinesis replication belongs to a stream which is not in "
    for nth, (wrong, why) in enumerate([
        (arn + "-missing", missing),
        (dynamodb.describe_table(TableName=name)["Table"]["TableArn"], missing),
        ("x" * 40, missing),
        (arn.replace("us-east-1", "eu-west-1"), prefix + "the current region"),
        (arn.replace(":000000000000:", ":111122223333:"), prefix + "Active state"),
    ]):
        answer = dynamodb.enable_kinesis_streaming_destination(TableName=name, StreamArn=wrong)
        assert answer["DestinationStatus"] == "ENABLING"
        wait_status(dynamodb, name, "ENABLE_FAILED")
        found = destinations(dynamodb, name)
        assert (found[0]["StreamArn"], found[0]["DestinationStatusDescription"]) == (wrong, why)
        assert len(found) == nth + 1
    assert error_of(dynamodb.disable_kinesis_streaming_destination, TableName=name, StreamArn=arn + "-missing") == NOT_ACTIVE
    enabled(dynamodb, name, arn)
    assert len(destinations(dynamodb, name)) == 6
    none = (400, "ResourceNotFoundException", f"Requested resource not found: Table: {name}x not found")
    both = dict(TableName=name + "x", StreamArn=arn)
    assert error_of(dynamodb.enable_kinesis_streaming_destination, **both) == none
    assert error_of(dynamodb.disable_kinesis_streaming_destination, **both) == none
    assert error_of(dynamodb.describe_kinesis_streaming_destination, TableName=name + "x") == none


def test_a_stream_that_is_deleted_is_waited_for(dynamodb, kinesis, name):
    arn = stream_of(kinesis, name)
    make(dynamodb, name)
    enabled(dynamodb, name, arn)
    kinesis.delete_stream(StreamName=name)
    kinesis.get_waiter("stream_not_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
    put(dynamodb, name, {"p": "a"}, {"p": "b"})
    told_why = lambda: destinations(dynamodb, name)[0].get("DestinationStatusDescription") == "there is no such stream"
    wait_for("the reason", told_why)
    assert destinations(dynamodb, name)[0]["DestinationStatus"] == "ACTIVE"
    stream_of(kinesis, name)
    assert len(waited(kinesis, name, 2)) == 2
    assert destinations(dynamodb, name) == [{"StreamArn": arn, "DestinationStatus": "ACTIVE"}]


def test_items_that_expire_are_told(dynamodb, kinesis, name):
    arn = stream_of(kinesis, name)
    make(dynamodb, name)
    enabled(dynamodb, name, arn)
    expires = {"Enabled": True, "AttributeName": "t"}
    dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=expires)
    put(dynamodb, name, {"p": "a", "t": int(time.time()) - 5})
    _, removed = waited(kinesis, name, 2)
    assert removed["userIdentity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    assert removed["eventName"] == "REMOVE"


class Writer:
    """Writes through all kills until told to stop. Each item is its alone."""

    def __init__(self, server, number, done):
        self.server, self.number, self.done = server, number, done
        self.chance = random.Random(number)
        self.written = 0

    def run(self):
        client = self.server.client("dynamodb", connect_timeout=2, read_timeout=10)
        while not self.done.is_set():
            act = self.chance.choice([self.put, self.put, self.delete, self.pair, self.batch])
            try:
                act(client)
                self.written += 1
            except (BotoCoreError, ClientError):
                pass

    def made(self):
        return item(p=f"{self.number}-{self.chance.randrange(30)}", n=self.chance.randrange(1 << 30))

    def put(self, client):
        client.put_item(TableName="rows", Item=self.made())

    def delete(self, client):
        client.delete_item(TableName="rows", Key={"p": self.made()["p"]})

    def pair(self, client):
        puts = {entry["p"]["S"]: entry for entry in (self.made() for _ in range(3))}
        client.transact_write_items(TransactItems=[{"Put": {"TableName": "rows", "Item": e}} for e in puts.values()])

    def batch(self, client):
        puts = {entry["p"]["S"]: entry for entry in (self.made() for _ in range(10))}
        client.batch_write_item(RequestItems={"rows": [{"PutRequest": {"Item": entry}} for entry in puts.values()]})


def by_item(records):
    """The changes of each item, in order, each as what it was and what it became."""
    items = collections.defaultdict(list)
    for record in records:
        items[record["dynamodb"]["Keys"]["p"]["S"]].append(images(record))
    return items


def test_kills_and_resharding_under_writers(new_server):
    server = new_server()
    dynamodb, kinesis = server.client("dynamodb", **PATIENT), server.client("kinesis", **PATIENT)
    arn = stream_of(kinesis, "changes")
    make(dynamodb, "rows", StreamSpecification=STREAM)
    enabled(dynamodb, "rows", arn)
    writers = [Writer(server, number, None) for number in range(WRITERS)]
    for round_ in range(ROUNDS):
        before, done = sum(writer.written for writer in writers), threading.Event()
        for writer in writers:
            writer.done = done
        with ThreadPoolExecutor(WRITERS) as pool:
            running = [pool.submit(writer.run) for writer in writers]
            written = lambda: sum(writer.written for writer in writers) - before
            try:
                wait_for("some writes", lambda: written() > 30, every=0.01)
                if round_ < SCALINGS:
                    shards = 4 if round_ % 2 == 0 else 2
                    uniform = dict(StreamName="changes", TargetShardCount=shards, ScalingType="UNIFORM_SCALING")
                    kinesis.update_shard_count(**uniform)
                wait_for("more writes", lambda: written() > 90, every=0.01)
            finally:
                server.kill()
                done.set()
        [writer.result() for writer in running]
        server.start()
    table = dynamodb.describe_table(TableName="rows")["Table"]["LatestStreamArn"]
    changes = all_records(server.client("dynamodbstreams"), table)
    records = waited(kinesis, "changes", len(changes))
    assert len({record["eventID"] for record in records}) == len(records) == len(changes) > 100
    assert by_item(records) == by_item(changes)
    assert folded(records) == sorted(scanned(dynamodb, "rows"), key=repr) != []


def test_a_stream_that_takes_less_than_the_table(new_server):
    server = new_server()
    dynamodb, kinesis = server.client("dynamodb", **PATIENT), server.client("kinesis", **PATIENT)
    arn = stream_of(kinesis, "changes", shards=1)
    make(dynamodb, "rows")
    enabled(dynamodb, "rows", arn)
    # Seconds of what the shard takes.
    fill(dynamodb, "rows", ({"p": f"{n}", "n": n, "pad": "x" * 20_000} for n in range(150)))
    records = waited(kinesis, "changes", 150)
    assert len(records) == 150
    assert folded(records) == sorted(scanned(dynamodb, "rows"), key=repr)
