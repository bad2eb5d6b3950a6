"""Streams of tables through boto3: what is told of each change, where readers begin, and what outlives kills."""

import random
import re

import pytest

from changes import all_records, folded, iterator, read, seen, shards
from clocked import Clocked
from headwater import wait_for
from tables import error_of, invalid, item, make, plain, put, scanned, values, wait_active

HOUR = 3600
BOTH = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


@pytest.fixture
def dynamodb(client):
    return client("dynamodb")


@pytest.fixture
def streams(client):
    return client("dynamodbstreams")


def stream_of(dynamodb, table):
    """The ARN of a table's newest stream."""
    return dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]


def streamed(dynamodb, table, view="NEW_AND_OLD_IMAGES", **more):
    """A table with a stream; gives the stream's ARN."""
    make(dynamodb, table, StreamSpecification={"StreamEnabled": True, "StreamViewType": view}, **more)
    return stream_of(dynamodb, table)


def changed(dynamodb, table, expression, p="a", **sent):
    more = {"ExpressionAttributeValues": values(**sent)} if sent else {}
    dynamodb.update_item(TableName=table, Key=item(p=p), UpdateExpression=expression, **more)


def test_a_stream_is_described(dynamodb, streams, name):
    arn = streamed(dynamodb, name)
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert table["StreamSpecification"] == BOTH
    assert arn == f"{table['TableArn']}/stream/{table['LatestStreamLabel']}"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}", table["LatestStreamLabel"])
    described = streams.describe_stream(StreamArn=arn)["StreamDescription"]
    assert (described["StreamArn"], described["StreamLabel"]) == (arn, table["LatestStreamLabel"])
    assert (described["StreamStatus"], described["StreamViewType"]) == ("ENABLED", "NEW_AND_OLD_IMAGES")
    assert (described["TableName"], described["KeySchema"]) == (name, table["KeySchema"])
    assert described["CreationRequestDateTime"] and described["Shards"]
    for shard in described["Shards"]:
        assert re.fullmatch(r"shardId-\d{20}-[0-9a-f]{8,}", shard["ShardId"]) and "ParentShardId" not in shard
        bounds = shard["SequenceNumberRange"]
        assert 21 <= len(bounds["StartingSequenceNumber"]) <= 40 and "EndingSequenceNumber" not in bounds
    listed = streams.list_streams(TableName=name)["Streams"]
    assert listed == [{"StreamArn": arn, "TableName": name, "StreamLabel": table["LatestStreamLabel"]}]


def test_each_change_is_one_record(dynamodb, streams, name):
    arn = streamed(dynamodb, name)
    put(dynamodb, name, {"p": "a", "n": 1})
    put(dynamodb, name, {"p": "a", "m": 2})
    changed(dynamodb, name, "SET n = :n", n=3)
    dynamodb.delete_item(TableName=name, Key=item(p="a"))
    records = all_records(streams, arn)
    assert [seen(record) for record in records] == [
        ("INSERT", None, {"p": "a", "n": 1}),
        ("MODIFY", {"p": "a", "n": 1}, {"p": "a", "m": 2}),
        ("MODIFY", {"p": "a", "m": 2}, {"p": "a", "m": 2, "n": 3}),
        ("REMOVE", {"p": "a", "m": 2, "n": 3}, None),
    ]
    for record in records:
        change = record["dynamodb"]
        assert (record["eventVersion"], record["eventSource"], record["awsRegion"]) == ("1.1", "aws:dynamodb", "us-east-1")
        assert plain(change["Keys"]) == {"p": "a"} and change["StreamViewType"] == "NEW_AND_OLD_IMAGES"
        assert change["ApproximateCreationDateTime"].microsecond == 0 and change["SizeBytes"] > 0
        assert "userIdentity" not in record
    assert len({record["eventID"] for record in records}) == 4
    numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in records]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    "view, images",
    [
        ("KEYS_ONLY", set()),
        ("NEW_IMAGE", {"NewImage"}),
        ("OLD_IMAGE", {"OldImage"}),
        ("NEW_AND_OLD_IMAGES", {"NewImage", "OldImage"}),
    ],
)
def test_a_stream_shows_what_it_was_made_to(dynamodb, streams, name, view, images):
    arn = streamed(dynamodb, name, view)
    put(dynamodb, name, {"p": "a", "n": 1}, {"p": "a", "n": 2})
    record = all_records(streams, arn)[-1]
    assert record["dynamodb"]["StreamViewType"] == view
    assert {"NewImage", "OldImage"} & set(record["dynamodb"]) == images


def test_what_changes_nothing_is_not_told(dynamodb, streams, name):
    arn = streamed(dynamodb, name)
    put(dynamodb, name, {"p": "a", "n": 1, "set": {"x", "y"}})
    put(dynamodb, name, {"p": "a", "n": 1, "set": {"y", "x"}})
    changed(dynamodb, name, "SET n = :n", n=1)
    changed(dynamodb, name, "REMOVE nothing")
    dynamodb.delete_item(TableName=name, Key=item(p="none"))
    same = [{"PutRequest": {"Item": item(p="a", n=1, set={"x", "y"})}}, {"DeleteRequest": {"Key": item(p="none")}}]
    dynamodb.batch_write_item(RequestItems={name: same})
    refused = error_of(
        dynamodb.put_item, TableName=name, Item=item(p="a"), ConditionExpression="attribute_not_exists(p)"
    )
    assert refused[1] == "ConditionalCheckFailedException"
    assert [seen(record)[0] for record in all_records(streams, arn)] == ["INSERT"]


def test_a_transaction_is_a_record_an_item(dynamodb, streams, name):
    arn = streamed(dynamodb, name)
    put(dynamodb, name, {"p": "a", "n": 1}, {"p": "b"})
    of, one = {"TableName": name}, {"ExpressionAttributeValues": values(one=1)}
    dynamodb.transact_write_items(
        TransactItems=[
            {"Update": {"Key": item(p="a"), "UpdateExpression": "ADD n :one", **one, **of}},
            {"Delete": {"Key": item(p="b"), **of}},
            {"Put": {"Item": item(p="c"), **of}},
            {"ConditionCheck": {"Key": item(p="d"), "ConditionExpression": "attribute_not_exists(p)", **of}},
        ]
    )
    told = [seen(record) for record in all_records(streams, arn)]
    assert len(told) == 5 and ("MODIFY", {"p": "a", "n": 1}, {"p": "a", "n": 2}) in told
    assert ("REMOVE", {"p": "b"}, None) in told and ("INSERT", None, {"p": "c"}) in told


def test_the_changes_folded_are_the_table(dynamodb, streams, name):
    arn = streamed(dynamodb, name)
    chance = random.Random(7)
    for n in range(400):
        p = f"cart-{chance.randrange(40)}"
        match chance.randrange(4):
            case 0:
                put(dynamodb, name, {"p": p, "entries": {str(n)}})
            case 1:
                dynamodb.delete_item(TableName=name, Key=item(p=p))
            case _:
                changed(dynamodb, name, "ADD entries :entry SET n = :n", p, entry={str(n)}, n=n)
    records = all_records(streams, arn)
    assert folded(records) == sorted(scanned(dynamodb, name), key=repr)


def test_readers_begin_where_they_ask_to(dynamodb, streams, name):
    arn = streamed(dynamodb, name)
    put(dynamodb, name, *({"p": "a", "n": n} for n in range(10)))
    ids = [shard["ShardId"] for shard in shards(streams, arn)]
    [shard] = [id for id in ids if read(streams, iterator(streams, arn, id))]
    records = read(streams, iterator(streams, arn, shard))
    third = records[2]["dynamodb"]["SequenceNumber"]

    def values_from(kind, **more):
        return [seen(found)[2]["n"] for found in read(streams, iterator(streams, arn, shard, kind, **more))]

    assert values_from("TRIM_HORIZON") == list(range(10))
    assert values_from("AT_SEQUENCE_NUMBER", SequenceNumber=third) == list(range(2, 10))
    assert values_from("AFTER_SEQUENCE_NUMBER", SequenceNumber=third) == list(range(3, 10))
    latest = iterator(streams, arn, shard, "LATEST")
    assert latest.startswith(f"{arn}|")
    page = streams.get_records(ShardIterator=latest)
    assert page["Records"] == [] and page["NextShardIterator"]
    put(dynamodb, name, {"p": "a", "n": 10})
    assert [seen(record)[2]["n"] for record in read(streams, page["NextShardIterator"])] == [10]
    assert len(streams.get_records(ShardIterator=iterator(streams, arn, shard), Limit=4)["Records"]) == 4
    assert [seen(record)[2]["n"] for record in read(streams, iterator(streams, arn, shard), Limit=3)] == list(range(11))
    more = error_of(streams.get_records, ShardIterator=latest, Limit=1001)
    assert more[:2] == (400, "ValidationException")
    assert error_of(streams.get_records, ShardIterator="nonsense") == invalid("Invalid ShardIterator")
    number = error_of(iterator, streams, arn, shard, "AT_SEQUENCE_NUMBER")
    assert number[:2] == (400, "ValidationException")
    nowhere = arn.replace("/stream/", "-none/stream/")
    assert error_of(streams.describe_stream, StreamArn=nowhere) == (
        400, "ResourceNotFoundException", f"Requested resource not found: Stream: {nowhere} not found",
    )


def test_a_stream_is_disabled_and_another_enabled(dynamodb, streams, name):
    first = streamed(dynamodb, name, "KEYS_ONLY")
    put(dynamodb, name, {"p": "a"})
    again = error_of(dynamodb.update_table, TableName=name, StreamSpecification=BOTH)
    assert again == invalid(f"Table already has an enabled stream: TableName: {name}")
    off = {"StreamEnabled": False}
    dynamodb.update_table(TableName=name, StreamSpecification=off)
    wait_active(dynamodb, name)
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert "StreamSpecification" not in table and table["LatestStreamArn"] == first
    assert error_of(dynamodb.update_table, TableName=name, StreamSpecification=off) == invalid(
        f"Table has no stream to disable: TableName: {name}"
    )
    put(dynamodb, name, {"p": "b"})
    dynamodb.update_table(TableName=name, StreamSpecification=BOTH)
    wait_active(dynamodb, name)
    second = stream_of(dynamodb, name)
    put(dynamodb, name, {"p": "c"})
    assert second != first
    assert {stream["StreamArn"] for stream in streams.list_streams(TableName=name)["Streams"]} == {first, second}
    keys = lambda arn: [plain(record["dynamodb"]["Keys"])["p"] for record in all_records(streams, arn)]
    assert (keys(first), keys(second)) == (["a"], ["c"])
    assert streams.describe_stream(StreamArn=first)["StreamDescription"]["StreamStatus"] == "DISABLED"
    for shard in shards(streams, first):
        assert "EndingSequenceNumber" in shard["SequenceNumberRange"]
        ended = streams.get_records(ShardIterator=iterator(streams, first, shard["ShardId"]))
        assert "NextShardIterator" not in ended


def test_streams_are_listed_in_pages(new_server):
    server = new_server()
    dynamodb, streams = server.client("dynamodb"), server.client("dynamodbstreams")
    arns = [streamed(dynamodb, f"table-{n}") for n in range(5)]
    first = streams.list_streams(Limit=2)
    assert [stream["StreamArn"] for stream in first["Streams"]] == arns[:2]
    assert first["LastEvaluatedStreamArn"] == arns[1]
    rest = streams.list_streams(ExclusiveStartStreamArn=arns[1])
    assert [stream["StreamArn"] for stream in rest["Streams"]] == arns[2:] and "LastEvaluatedStreamArn" not in rest


def test_a_stream_outlives_kills(new_server):
    server = new_server()
    dynamodb, streams = server.client("dynamodb"), server.client("dynamodbstreams")
    arn, told = streamed(dynamodb, "rows"), []
    for round_ in range(3):
        for n in range(30):
            put(dynamodb, "rows", {"p": f"{n % 10}", "round": round_, "n": n})
        before = all_records(streams, arn)
        assert len(before) == 30 * (round_ + 1)
        server.restart()
        assert stream_of(dynamodb, "rows") == arn
        assert all_records(streams, arn) == before
        told.append([record["eventID"] for record in before])
    assert set(told[0]) < set(told[1]) < set(told[2])
    # An iterator that was given before a kill goes on behind it.
    ends = [iterator(streams, arn, shard["ShardId"], "LATEST") for shard in shards(streams, arn)]
    server.restart()
    put(dynamodb, "rows", {"p": "late"})
    assert [seen(record)[2] for end in ends for record in read(streams, end)] == [{"p": "late"}]


@pytest.fixture
def clocked(tmp_path):
    clocked = Clocked(tmp_path)
    clocked.dynamodb = clocked.client("dynamodb")
    clocked.streams = clocked.client("dynamodbstreams")
    yield clocked
    clocked.server.stop()


def test_what_expired_is_told_as_the_services_doing(clocked):
    dynamodb, streams = clocked.dynamodb, clocked.streams
    arn = streamed(dynamodb, "rows")
    live = {"Enabled": True, "AttributeName": "until"}
    dynamodb.update_time_to_live(TableName="rows", TimeToLiveSpecification=live)
    put(dynamodb, "rows", {"p": "a", "until": int(clocked.time()) + 100}, {"p": "b"})
    dynamodb.delete_item(TableName="rows", Key=item(p="b"))
    clocked.advance(101)
    wait_for("the end of the item", lambda: scanned(dynamodb, "rows") == [], seconds=20)
    removals = [record for record in all_records(streams, arn) if record["eventName"] == "REMOVE"]
    removed = {plain(record["dynamodb"]["Keys"])["p"]: record for record in removals}
    assert removed["a"]["userIdentity"] == {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    assert plain(removed["a"]["dynamodb"]["OldImage"])["p"] == "a" and "userIdentity" not in removed["b"]


def test_shards_follow_each_other_and_go_after_a_day(clocked):
    dynamodb, streams = clocked.dynamodb, clocked.streams
    arn = streamed(dynamodb, "rows")
    put(dynamodb, "rows", {"p": "a", "n": 0})
    old = iterator(streams, arn, shards(streams, arn)[0]["ShardId"])
    clocked.advance(16 * 60)
    expired = error_of(streams.get_records, ShardIterator=old)
    assert expired[:2] == (400, "ExpiredIteratorException")
    clocked.advance(5 * HOUR)
    children = lambda: [shard for shard in shards(streams, arn) if "ParentShardId" in shard]
    wait_for("the next shard", children, seconds=90)
    put(dynamodb, "rows", {"p": "a", "n": 1})
    [child] = children()
    parents = {shard["ShardId"]: shard for shard in shards(streams, arn)}
    assert "EndingSequenceNumber" in parents[child["ParentShardId"]]["SequenceNumberRange"]
    asked = {"Type": "CHILD_SHARDS", "ShardId": child["ParentShardId"]}
    assert shards(streams, arn, ShardFilter=asked) == [child]
    assert [seen(record)[2]["n"] for record in all_records(streams, arn)] == [0, 1]
    clocked.advance(20 * HOUR)
    assert [seen(record)[2]["n"] for record in all_records(streams, arn)] == [1]
