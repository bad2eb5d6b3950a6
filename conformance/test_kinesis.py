"""Kinesis Data Streams through boto3: streams, shards, records, positions, tags, retention, limits and errors."""

import base64
import datetime
import time

import pytest
from botocore.exceptions import ClientError

from headwater import wait_for, wait_for_second_after

RING = 1 << 128


@pytest.fixture(scope="module")
def kinesis(client):
    return client("kinesis", parameter_validation=False)


@pytest.fixture
def stream(kinesis, name):
    """A stream of four shards, removed after the test."""
    kinesis.create_stream(StreamName=name, ShardCount=4)
    yield name
    try:
        kinesis.delete_stream(StreamName=name)
    except kinesis.exceptions.ResourceNotFoundException:
        pass


@pytest.fixture
def unlimited(new_server):
    """A client of a server whose shards have no limits."""
    return new_server("--limits", "off").client("kinesis")


def arn(name):
    return f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}"


def shard_id(n):
    return f"shardId-{n:012}"


def refusal(call, **arguments):
    """The code and text that a call is refused with."""
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    response = refused.value.response
    assert response["ResponseMetadata"]["RequestId"]
    return response["Error"]["Code"], response["Error"]["Message"]


def read(kinesis, name, shard, kind="TRIM_HORIZON", **position):
    """All records of a shard from a position on."""
    iterator = kinesis.get_shard_iterator(
        StreamName=name, ShardId=shard_id(shard), ShardIteratorType=kind, **position
    )["ShardIterator"]
    records = []
    while True:
        answer = kinesis.get_records(ShardIterator=iterator)
        records += answer["Records"]
        iterator = answer["NextShardIterator"]
        if not answer["MillisBehindLatest"]:
            return records


def test_the_life_of_a_stream(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=3, Tags={"made": "here"})
    kinesis.get_waiter("stream_exists").wait(StreamName=name)
    described = kinesis.describe_stream(StreamName=name)["StreamDescription"]
    age = datetime.datetime.now(datetime.timezone.utc) - described.pop("StreamCreationTimestamp")
    assert abs(age.total_seconds()) < 60
    shards = described.pop("Shards")
    assert [shard["ShardId"] for shard in shards] == [shard_id(n) for n in range(3)]
    assert described == {
        "StreamName": name,
        "StreamARN": arn(name),
        "StreamStatus": "ACTIVE",
        "StreamModeDetails": {"StreamMode": "PROVISIONED"},
        "HasMoreShards": False,
        "RetentionPeriodHours": 24,
        "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
        "EncryptionType": "NONE",
    }
    summary = kinesis.describe_stream_summary(StreamARN=arn(name))["StreamDescriptionSummary"]
    assert (summary["OpenShardCount"], summary["ConsumerCount"]) == (3, 0)
    assert kinesis.list_tags_for_stream(StreamName=name)["Tags"] == [{"Key": "made", "Value": "here"}]
    kinesis.delete_stream(StreamName=name)
    kinesis.get_waiter("stream_not_exists").wait(StreamName=name)
    assert refusal(kinesis.describe_stream, StreamName=name)[0] == "ResourceNotFoundException"


def test_streams_that_cannot_be_made(kinesis, stream):
    assert refusal(kinesis.create_stream, StreamName=stream, ShardCount=1) == (
        "ResourceInUseException",
        f"Stream {stream} under account 000000000000 already exists.",
    )
    code, text = refusal(kinesis.create_stream, StreamName="t", ShardCount=100_000)
    assert code == "LimitExceededException"
    assert text.startswith("This request would exceed the shard limit for the account 000000000000 in us-east-1. ")
    assert "Number of additional shards that would have resulted from this request: 100000." in text
    code, text = refusal(kinesis.create_stream, StreamName="t", ShardCount=1, RecordDistributionStrategy="AUTO")
    assert code == "InvalidArgumentException" and "PROVISIONED" in text


def test_streams_are_listed_in_pages(unlimited):
    names = [f"s-{n:03}" for n in range(120)]
    for name in reversed(names):
        unlimited.create_stream(StreamName=name, ShardCount=1)
    first = unlimited.list_streams()
    assert (len(first["StreamNames"]), first["HasMoreStreams"]) == (100, True)
    rest = unlimited.list_streams(ExclusiveStartStreamName=first["StreamNames"][-1])
    assert first["StreamNames"] + rest["StreamNames"] == names
    pages = unlimited.get_paginator("list_streams").paginate(PaginationConfig={"PageSize": 50})
    assert [name for page in pages for name in page["StreamNames"]] == names


def test_shards_share_the_ring(kinesis, stream):
    ranges = [shard["HashKeyRange"] for shard in kinesis.list_shards(StreamName=stream)["Shards"]]
    starts = [int(r["StartingHashKey"]) for r in ranges]
    ends = [int(r["EndingHashKey"]) for r in ranges]
    assert starts == [n * RING // 4 for n in range(4)]
    assert ends == [start - 1 for start in starts[1:]] + [RING - 1]


def test_shards_are_listed_in_pages(kinesis, stream):
    page = kinesis.list_shards(StreamARN=arn(stream), MaxResults=3)
    assert len(page["Shards"]) == 3
    rest = kinesis.list_shards(NextToken=page["NextToken"])
    assert [shard["ShardId"] for shard in rest["Shards"]] == [shard_id(3)] and "NextToken" not in rest
    for member, value in (
        ("StreamName", stream),
        ("StreamARN", arn(stream)),
        ("ExclusiveStartShardId", shard_id(0)),
        ("ShardFilter", {"Type": "AT_LATEST"}),
    ):
        assert refusal(kinesis.list_shards, NextToken=page["NextToken"], **{member: value}) == (
            "InvalidArgumentException",
            f"NextToken and {member} cannot be provided together.",
        )
    assert refusal(kinesis.list_shards) == (
        "InvalidArgumentException",
        "Either NextToken or StreamName should be provided.",
    )
    page = kinesis.describe_stream(StreamName=stream, Limit=1, ExclusiveStartShardId=shard_id(1))["StreamDescription"]
    assert [shard["ShardId"] for shard in page["Shards"]] == [shard_id(2)] and page["HasMoreShards"]


@pytest.mark.parametrize(
    "filter, count",
    [
        ({"Type": "AT_TRIM_HORIZON"}, 4),
        ({"Type": "FROM_TRIM_HORIZON"}, 4),
        ({"Type": "AT_LATEST"}, 4),
        ({"Type": "AT_TIMESTAMP", "Timestamp": 1}, 4),
        ({"Type": "FROM_TIMESTAMP", "Timestamp": 1}, 4),
        ({"Type": "AFTER_SHARD_ID", "ShardId": shard_id(1)}, 2),
    ],
)
def test_shards_are_filtered(kinesis, stream, filter, count):
    assert len(kinesis.list_shards(StreamName=stream, ShardFilter=filter)["Shards"]) == count


def test_every_position_of_a_reader(client, kinesis, stream):
    # A shard answers five reads a second: this client tries again, as clients do.
    patient, sent = client("kinesis", retries={"mode": "standard", "max_attempts": 10}), []
    for n in range(4):
        put = kinesis.put_record(StreamName=stream, PartitionKey="kü", Data=f"{n}".encode(), ExplicitHashKey="0")
        assert put["ShardId"] == shard_id(0)
        sent.append(put["SequenceNumber"])
        if n == 1:
            wait_for_second_after(datetime.datetime.now())
    records = read(kinesis, stream, 0)
    assert [record["SequenceNumber"] for record in records] == sent == sorted(sent, key=int)
    assert [record["Data"] for record in records] == [b"0", b"1", b"2", b"3"]
    assert set(records[0]) == {"SequenceNumber", "ApproximateArrivalTimestamp", "Data", "PartitionKey"}
    assert records[0]["PartitionKey"] == "kü"

    def data(kind, **position):
        return b"".join(record["Data"] for record in read(patient, stream, 0, kind, **position))

    assert data("AT_SEQUENCE_NUMBER", StartingSequenceNumber=sent[1]) == b"123"
    assert data("AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=sent[1]) == b"23"
    assert data("AT_TIMESTAMP", Timestamp=records[2]["ApproximateArrivalTimestamp"]) == b"23"
    assert data("AT_TIMESTAMP", Timestamp=1) == b"0123"
    assert data("LATEST") == b""
    start = kinesis.list_shards(StreamName=stream)["Shards"][0]["SequenceNumberRange"]["StartingSequenceNumber"]
    assert data("AT_SEQUENCE_NUMBER", StartingSequenceNumber=start) == b"0123"


def test_latest_gives_what_comes_after_it(kinesis, stream):
    latest = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard_id(0), ShardIteratorType="LATEST")
    kinesis.put_record(StreamName=stream, PartitionKey="k", Data=b"later", ExplicitHashKey="0")
    answer = kinesis.get_records(ShardIterator=latest["ShardIterator"], StreamARN=arn(stream))
    assert [record["Data"] for record in answer["Records"]] == [b"later"]
    assert answer["NextShardIterator"] != latest["ShardIterator"]


def test_a_limit_leaves_a_reader_behind(kinesis, stream):
    entries = [{"PartitionKey": "k", "Data": b"%d" % n, "ExplicitHashKey": "0"} for n in range(10)]
    kinesis.put_records(StreamName=stream, Records=entries)
    iterator = kinesis.get_shard_iterator(
        StreamName=stream, ShardId=shard_id(0), ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]

    def behind():
        page = kinesis.get_records(ShardIterator=iterator, Limit=4)
        return page["MillisBehindLatest"] >= 10 and page

    first = wait_for("a reader that is behind", behind, every=0.3)
    assert len(first["Records"]) == 4
    rest = kinesis.get_records(ShardIterator=first["NextShardIterator"])
    assert len(rest["Records"]) == 6 and rest["MillisBehindLatest"] == 0


def test_records_of_one_call_are_shared_out_in_order(kinesis, stream):
    entries = [{"PartitionKey": f"key-{n}", "Data": b"%d" % n} for n in range(500)]
    answer = kinesis.put_records(StreamARN=arn(stream), Records=entries)
    assert answer["FailedRecordCount"] == 0 and "EncryptionType" not in answer
    for shard in range(4):
        placed = [
            (put["SequenceNumber"], entry["Data"])
            for put, entry in zip(answer["Records"], entries)
            if put["ShardId"] == shard_id(shard)
        ]
        assert placed and placed == [(r["SequenceNumber"], r["Data"]) for r in read(kinesis, stream, shard)]


@pytest.mark.alone
def test_writes_are_limited_a_shard_and_an_entry(kinesis, stream):
    entries = [{"PartitionKey": "k", "Data": b"x" * 2000, "ExplicitHashKey": "0"}] * 499
    entries.append({"PartitionKey": "k", "Data": b"other", "ExplicitHashKey": str(RING - 1)})
    text = f"Rate exceeded for shard {shard_id(0)} in stream {stream} under account 000000000000."
    throttled = 0
    for _ in range(5):
        answer = kinesis.put_records(StreamName=stream, Records=entries)
        assert answer["Records"][-1]["ShardId"] == shard_id(3)
        failed = [put for put in answer["Records"] if "ErrorCode" in put]
        assert answer["FailedRecordCount"] == len(failed)
        assert all(put == {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": text} for put in failed)
        throttled += len(failed)
    assert throttled > 0
    code, message = wait_for(
        "a throttled record", lambda: throttled_put(kinesis, stream), seconds=10, every=0
    )
    assert (code, message) == ("ProvisionedThroughputExceededException", text)


def throttled_put(kinesis, stream):
    try:
        kinesis.put_record(StreamName=stream, PartitionKey="k", Data=b"x" * 1_000_000, ExplicitHashKey="0")
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]


@pytest.mark.alone
def test_reads_are_limited_a_shard(kinesis, stream):
    iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard_id(0), ShardIteratorType="LATEST")
    with pytest.raises(kinesis.exceptions.ProvisionedThroughputExceededException) as refused:
        for _ in range(50):
            kinesis.get_records(ShardIterator=iterator["ShardIterator"])
    text = f"Rate exceeded for shard {shard_id(0)} in stream {stream} under account 000000000000."
    assert refused.value.response["Error"]["Message"] == text
    # Other shards are not concerned.
    assert read(kinesis, stream, 1) == []


def test_limits_can_be_lifted(unlimited):
    unlimited.create_stream(StreamName="s", ShardCount=1)
    entries = [{"PartitionKey": "k", "Data": b"x" * 2000}] * 500
    for _ in range(6):
        assert unlimited.put_records(StreamName="s", Records=entries)["FailedRecordCount"] == 0
    assert len(read(unlimited, "s", 0)) == 3000


def test_ten_mebibytes_are_read_at_a_time(unlimited):
    unlimited.create_stream(StreamName="s", ShardCount=1)
    for _ in range(15):
        unlimited.put_record(StreamName="s", PartitionKey="k", Data=b"x" * 1_000_000)
    iterator = unlimited.get_shard_iterator(StreamName="s", ShardId=shard_id(0), ShardIteratorType="TRIM_HORIZON")
    first = unlimited.get_records(ShardIterator=iterator["ShardIterator"])
    assert len(first["Records"]) == 10
    assert len(unlimited.get_records(ShardIterator=first["NextShardIterator"])["Records"]) == 5


def test_ten_thousand_shards(unlimited):
    unlimited.create_stream(StreamName="big", ShardCount=10_000)
    page, ids = unlimited.list_shards(StreamName="big"), []
    while True:
        ids += [shard["ShardId"] for shard in page["Shards"]]
        if "NextToken" not in page:
            break
        page = unlimited.list_shards(NextToken=page["NextToken"])
    assert ids == [shard_id(n) for n in range(10_000)]
    put = unlimited.put_record(StreamName="big", PartitionKey="k", Data=b"x", ExplicitHashKey=str(RING - 1))
    assert put["ShardId"] == shard_id(9_999)
    assert refusal(unlimited.create_stream, StreamName="more", ShardCount=10_001)[0] == "LimitExceededException"


def test_tags(kinesis, stream):
    kinesis.add_tags_to_stream(StreamName=stream, Tags={"b": "ü0 _./=+-@", "a": "1", "c": ""})
    kinesis.tag_resource(ResourceARN=arn(stream), Tags={"a": "2"})
    page = kinesis.list_tags_for_stream(StreamARN=arn(stream), Limit=2)
    assert page["Tags"] == [{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "ü0 _./=+-@"}]
    assert page["HasMoreTags"]
    rest = kinesis.list_tags_for_stream(StreamName=stream, ExclusiveStartTagKey="b")
    assert (rest["Tags"], rest["HasMoreTags"]) == ([{"Key": "c", "Value": ""}], False)
    kinesis.remove_tags_from_stream(StreamName=stream, TagKeys=["a", "not-there"])
    kinesis.untag_resource(ResourceARN=arn(stream), TagKeys=["b"])
    assert kinesis.list_tags_for_resource(ResourceARN=arn(stream))["Tags"] == [{"Key": "c", "Value": ""}]


def test_tags_are_bounded(kinesis, stream):
    for n in range(5):
        kinesis.add_tags_to_stream(StreamName=stream, Tags={f"{n}-{m}": "x" for m in range(10)})
    code, text = refusal(kinesis.add_tags_to_stream, StreamName=stream, Tags={"one-more": "x"})
    assert code == "InvalidArgumentException"
    assert text == (
        f"Failed to add tags to stream {stream} under account 000000000000 because a given stream cannot have more "
        "than 50 tags associated with it."
    )
    for tags in ({"a;b": "x"}, {"a": "x\ty"}):
        assert refusal(kinesis.add_tags_to_stream, StreamName=stream, Tags=tags) == (
            "InvalidArgumentException",
            "Some tags contain invalid characters. Valid characters: "
            "Unicode letters, digits, white space, _ . / = + - % @.",
        )


def test_retention(kinesis, stream):
    hours = lambda: kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["RetentionPeriodHours"]
    kinesis.increase_stream_retention_period(StreamName=stream, RetentionPeriodHours=8760)
    assert hours() == 8760
    kinesis.decrease_stream_retention_period(StreamARN=arn(stream), RetentionPeriodHours=25)
    assert hours() == 25
    assert refusal(kinesis.increase_stream_retention_period, StreamName=stream, RetentionPeriodHours=24) == (
        "InvalidArgumentException",
        f"Requested retention period (24 hours) for stream {stream} can not be shorter than existing retention period "
        "(25 hours). Use DecreaseRetentionPeriod API.",
    )
    assert refusal(kinesis.decrease_stream_retention_period, StreamName=stream, RetentionPeriodHours=26) == (
        "InvalidArgumentException",
        f"Requested retention period (26 hours) for stream {stream} can not be longer than existing retention period "
        "(25 hours). Use IncreaseRetentionPeriod API.",
    )
    assert refusal(kinesis.decrease_stream_retention_period, StreamName=stream, RetentionPeriodHours=23) == (
        "InvalidArgumentException",
        "Minimum allowed retention period is 24 hours. Requested retention period (23 hours) is too short.",
    )
    assert refusal(kinesis.increase_stream_retention_period, StreamName=stream, RetentionPeriodHours=8761) == (
        "InvalidArgumentException",
        "Maximum allowed retention period is 8760 hours. Requested retention period (8761 hours) is too long.",
    )


@pytest.mark.parametrize(
    "operation, more",
    [
        ("add_tags_to_stream", {"Tags": {"a": "b"}}),
        ("decrease_stream_retention_period", {"RetentionPeriodHours": 24}),
        ("delete_stream", {}),
        ("describe_stream", {}),
        ("describe_stream_summary", {}),
        ("increase_stream_retention_period", {"RetentionPeriodHours": 24}),
        ("list_shards", {}),
        ("list_tags_for_stream", {}),
        ("put_record", {"PartitionKey": "k", "Data": b""}),
        ("put_records", {"Records": [{"PartitionKey": "k", "Data": b""}]}),
        ("remove_tags_from_stream", {"TagKeys": ["a"]}),
    ],
)
def test_a_stream_that_is_not_there(kinesis, operation, more):
    call = getattr(kinesis, operation)
    unknown = ("ResourceNotFoundException", "Stream no-such under account 000000000000 not found.")
    assert refusal(call, StreamName="no-such", **more) == unknown
    assert refusal(call, StreamARN=arn("no-such"), **more) == unknown
    foreign = arn("no-such").replace("000000000000", "111111111111")
    assert refusal(call, StreamARN=foreign, **more)[0] == "ResourceNotFoundException"
    assert refusal(call, StreamName="a", StreamARN=arn("b"), **more)[0] == "InvalidArgumentException"
    if operation != "list_shards":
        assert refusal(call, **more)[0] == "InvalidArgumentException"


def test_positions_that_are_none(kinesis, stream):
    def refused(shard=shard_id(0), name=stream, **position):
        return refusal(kinesis.get_shard_iterator, StreamName=name, ShardId=shard, **position)

    missing = "in stream {} under account 000000000000 does not exist"
    assert refused(shard_id(4), ShardIteratorType="LATEST") == (
        "ResourceNotFoundException",
        f"Shard {shard_id(4)} " + missing.format(stream),
    )
    assert refused(name="no-such", ShardIteratorType="LATEST") == (
        "ResourceNotFoundException",
        f"Shard {shard_id(0)} " + missing.format("no-such"),
    )
    assert refused("ABKLFD8", ShardIteratorType="LATEST") == (
        "ResourceNotFoundException",
        f"Could not find shard ABKLFD8 in stream {stream} under account 000000000000.",
    )
    for kind, more, had in (
        ("LATEST", {"StartingSequenceNumber": "5"}, "also a"),
        ("TRIM_HORIZON", {"StartingSequenceNumber": "5"}, "also a"),
        ("AT_SEQUENCE_NUMBER", {}, "no"),
        ("AFTER_SEQUENCE_NUMBER", {}, "no"),
    ):
        assert refused(ShardIteratorType=kind, **more) == (
            "InvalidArgumentException",
            "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or "
            "(2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. "
            f"Request specified {kind} and {had} StartingSequenceNumber.",
        )
    code, text = refused(ShardIteratorType="AT_TIMESTAMP", Timestamp=time.time() + 60)
    assert code == "InvalidArgumentException"
    assert text.startswith("The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. ")
    number = kinesis.put_record(StreamName=stream, PartitionKey="k", Data=b"", ExplicitHashKey="0")["SequenceNumber"]
    assert refused(shard_id(1), ShardIteratorType="AT_SEQUENCE_NUMBER", StartingSequenceNumber=number) == (
        "InvalidArgumentException",
        f"Invalid StartingSequenceNumber. It encodes {shard_id(0)}, while it was used in a call to a shard with "
        f"{shard_id(1)}",
    )


def test_iterators_of_a_stream_that_is_gone(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=1)
    iterator = kinesis.get_shard_iterator(StreamName=name, ShardId="0", ShardIteratorType="LATEST")["ShardIterator"]
    kinesis.delete_stream(StreamName=name)
    text = f"Shard {shard_id(0)} in stream {name} under account 000000000000 does not exist"
    assert refusal(kinesis.get_records, ShardIterator=iterator) == ("ResourceNotFoundException", text)
    kinesis.create_stream(StreamName=name, ShardCount=1)
    assert refusal(kinesis.get_records, ShardIterator=iterator) == ("ResourceNotFoundException", text)


def test_forged_iterators(kinesis):
    for forged in ("x", "AAAAAAAAAAE=", base64.b64encode(b"\x01" * 100).decode()):
        assert refusal(kinesis.get_records, ShardIterator=forged) == (
            "InvalidArgumentException",
            "Invalid ShardIterator.",
        )


def test_hash_keys_and_orders_that_are_none(kinesis, stream):
    over = str(RING)
    text = f"Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {over}"
    put = {"StreamName": stream, "PartitionKey": "k", "Data": b""}
    assert refusal(kinesis.put_record, **put, ExplicitHashKey=over) == ("InvalidArgumentException", text)
    entries = [{"PartitionKey": "k", "Data": b""}, {"PartitionKey": "k", "Data": b"", "ExplicitHashKey": over}]
    assert refusal(kinesis.put_records, StreamName=stream, Records=entries) == ("InvalidArgumentException", text)
    assert refusal(kinesis.put_record, **put, SequenceNumberForOrdering="7") == (
        "InvalidArgumentException",
        f"ExclusiveMinimumSequenceNumber 7 used in PutRecord on stream {stream} under account 000000000000 is invalid.",
    )
    assert all(read(kinesis, stream, shard) == [] for shard in range(4))


def test_sizes(kinesis, stream):
    constraint = "failed to satisfy constraint: Member must have length less than or equal to 1048576"
    large = b"x" * 1_048_577
    assert refusal(kinesis.put_record, StreamName=stream, PartitionKey="k", Data=large) == (
        "ValidationException",
        f"1 validation error detected: Value at 'data' {constraint}",
    )
    entries = [{"PartitionKey": "k", "Data": b""}, {"PartitionKey": "k", "Data": large}]
    assert refusal(kinesis.put_records, StreamName=stream, Records=entries) == (
        "ValidationException",
        f"1 validation error detected: Value at 'records.2.member.data' {constraint}",
    )
    entries = [{"PartitionKey": "k", "Data": b"x" * 1_000_000}] * 11
    assert refusal(kinesis.put_records, StreamName=stream, Records=entries) == (
        "InvalidArgumentException",
        "Records size exceeds 10 MB limit",
    )
    kinesis.put_record(StreamName=stream, PartitionKey="k", Data=b"x" * 1_048_575, ExplicitHashKey="0")


def test_limits_of_the_model(kinesis, stream):
    for call, arguments, text in (
        (kinesis.get_records, {"ShardIterator": "x", "Limit": 10_001}, "Value '10001' at 'limit'"),
        (kinesis.list_shards, {"StreamName": stream, "MaxResults": 0}, "Value '0' at 'maxResults'"),
        (kinesis.create_stream, {"StreamName": "a b", "ShardCount": 1}, "Value 'a b' at 'streamName'"),
        (
            kinesis.get_shard_iterator,
            {"StreamName": stream, "ShardId": shard_id(0), "ShardIteratorType": "SOMEWHERE"},
            "Value 'SOMEWHERE' at 'shardIteratorType'",
        ),
    ):
        code, message = refusal(call, **arguments)
        assert code == "ValidationException" and text in message, message


def test_limits_of_the_account(kinesis, stream):
    limits = kinesis.describe_limits()
    assert limits["ShardLimit"] == 20_000 and limits["OpenShardCount"] >= 4


def test_the_command_line(server, name, tmp_path):
    (tmp_path / "data").write_bytes(b"hello")
    server.aws("kinesis", "create-stream", "--stream-name", name, "--shard-count", 2)
    server.aws("kinesis", "wait", "stream-exists", "--stream-name", name)
    assert len(server.aws("kinesis", "list-shards", "--stream-name", name)["Shards"]) == 2
    put = server.aws(
        "kinesis", "put-record", "--stream-name", name, "--partition-key", "k", "--explicit-hash-key", 0,
        "--data", f"fileb://{tmp_path}/data",
    )  # fmt: skip
    iterator = server.aws(
        "kinesis", "get-shard-iterator", "--stream-name", name, "--shard-id", put["ShardId"],
        "--shard-iterator-type", "TRIM_HORIZON",
    )["ShardIterator"]  # fmt: skip
    records = server.aws("kinesis", "get-records", "--shard-iterator", iterator)["Records"]
    assert [base64.b64decode(record["Data"]) for record in records] == [b"hello"]
