"""Kinesis in CBOR, as the SDK for Java speaks it, over plain HTTP with a CBOR of our own."""

import http.client
import struct

import pytest
from botocore.eventstream import EventStreamBuffer

CBOR = "application/x-amz-cbor-1.1"


class Tagged(tuple):
    """A tag and its value."""


def head(major, n):
    for code, size in ((24, "B"), (25, ">H"), (26, ">I"), (27, ">Q")):
        if n < 24:
            return bytes([major << 5 | n])
        if n < 1 << 8 * struct.calcsize(size):
            return bytes([major << 5 | code]) + struct.pack(size, n)
    raise ValueError(n)


def encode(value, indefinite=False):
    """CBOR; with `indefinite` maps and lists are open-ended, as streaming encoders write them."""
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, Tagged):
        return head(6, value[0]) + encode(value[1], indefinite)
    items = list(value) if isinstance(value, list) else [part for pair in value.items() for part in pair]
    major = 4 if isinstance(value, list) else 5
    body = b"".join(encode(item, indefinite) for item in items)
    return bytes([major << 5 | 31]) + body + b"\xff" if indefinite else head(major, len(value)) + body


def decode(data):
    value, rest = decode_one(memoryview(data))
    assert not rest, "nothing follows the value"
    return value


def decode_one(data):
    major, info, data = data[0] >> 5, data[0] & 31, data[1:]
    if major == 7:
        if info in (26, 27):
            size = 4 if info == 26 else 8
            return struct.unpack(">f" if info == 26 else ">d", data[:size])[0], data[size:]
        return {20: False, 21: True, 22: None}[info], data
    if info == 31:
        return decode_open(major, data)
    n = info
    if info >= 24:
        size = 1 << info - 24
        n, data = int.from_bytes(data[:size], "big"), data[size:]
    if major in (0, 1):
        return (n if major == 0 else -1 - n), data
    if major in (2, 3):
        return (bytes(data[:n]) if major == 2 else str(data[:n], "utf-8")), data[n:]
    if major == 6:
        value, data = decode_one(data)
        return Tagged((n, value)), data
    items = []
    for _ in range(n if major == 4 else 2 * n):
        item, data = decode_one(data)
        items.append(item)
    return (items if major == 4 else dict(zip(items[::2], items[1::2]))), data


def decode_open(major, data):
    items = []
    while data[0] != 0xFF:
        item, data = decode_one(data)
        items.append(item)
    value = {2: lambda: b"".join(items), 3: lambda: "".join(items), 4: lambda: items}
    value[5] = lambda: dict(zip(items[::2], items[1::2]))
    return value[major](), data[1:]


@pytest.fixture
def call(server):
    """Calls an operation: the status and the decoded answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    signature = (
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/kinesis/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=00"
    )

    def post(operation, body, indefinite=False):
        headers = {
            "X-Amz-Target": f"Kinesis_20131202.{operation}",
            "Content-Type": CBOR,
            "Authorization": signature,
            "X-Amz-Date": "20260101T000000Z",
        }
        body = body if isinstance(body, bytes) else encode(body, indefinite)
        connection.request("POST", "/", body, headers)
        answer = connection.getresponse()
        if answer.headers["Content-Type"] == "application/vnd.amazon.eventstream":
            return answer.status, answer
        data = answer.read()
        assert not data or answer.headers["Content-Type"] == CBOR
        return answer.status, decode(data) if data else None

    yield post
    connection.close()


@pytest.fixture
def stream(client, name):
    kinesis = client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    yield name
    kinesis.delete_stream(StreamName=name)


@pytest.mark.parametrize("indefinite", [False, True])
def test_records_go_in_and_out_as_bytes(call, client, stream, indefinite):
    data = bytes(range(256)) * 3
    records = [{"Data": data, "PartitionKey": "kü"}, {"Data": b"", "PartitionKey": "b"}]
    status, answer = call("PutRecords", {"StreamName": stream, "Records": records}, indefinite)
    assert (status, answer["FailedRecordCount"], len(answer["Records"])) == (200, 0, 2)
    position = {"StreamName": stream, "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    status, answer = call("GetShardIterator", position, indefinite)
    iterator = answer["ShardIterator"]
    status, answer = call("GetRecords", {"ShardIterator": iterator, "Limit": 10}, indefinite)
    assert status == 200 and [record["Data"] for record in answer["Records"]] == [data, b""]
    assert answer["Records"][0]["PartitionKey"] == "kü"
    # The same times as in JSON, in milliseconds.
    json = client("kinesis").get_records(ShardIterator=iterator)["Records"]
    for ours, theirs in zip(answer["Records"], json):
        tag, millis = ours["ApproximateArrivalTimestamp"]
        assert tag == 1 and millis == round(theirs["ApproximateArrivalTimestamp"].timestamp() * 1000)


def test_a_time_is_given_in_milliseconds(call, client, stream):
    kinesis = client("kinesis")
    for _ in range(2):
        kinesis.put_record(StreamName=stream, PartitionKey="k", Data=b"x")
    position = {
        "StreamName": stream,
        "ShardId": "shardId-000000000000",
        "ShardIteratorType": "AT_TIMESTAMP",
        "Timestamp": Tagged((1, 1_500_000_000_000)),
    }
    status, answer = call("GetShardIterator", position)
    assert status == 200, answer
    status, answer = call("GetRecords", {"ShardIterator": answer["ShardIterator"]})
    assert len(answer["Records"]) == 2


def test_a_stream_is_described_in_cbor(call, stream):
    status, answer = call("DescribeStream", {"StreamName": stream})
    described = answer["StreamDescription"]
    assert (status, described["StreamStatus"], described["HasMoreShards"]) == (200, "ACTIVE", False)
    tag, millis = described["StreamCreationTimestamp"]
    assert tag == 1 and millis > 1_600_000_000_000


def test_an_operation_without_an_answer(call, name):
    assert call("CreateStream", {"StreamName": name, "ShardCount": 1})[0] == 200
    assert call("DeleteStream", {"StreamName": name})[0] == 200


def test_a_subscription_is_cbor_in_every_event(call, client, stream):
    kinesis, data = client("kinesis"), bytes(range(256))
    arn = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    status, answer = call("RegisterStreamConsumer", {"StreamARN": arn, "ConsumerName": "c"})
    consumer = answer["Consumer"]["ConsumerARN"]
    kinesis.put_record(StreamName=stream, PartitionKey="kü", Data=data)
    kinesis.split_shard(StreamName=stream, ShardToSplit="0", NewStartingHashKey="9")
    position = {"ConsumerARN": consumer, "ShardId": "0", "StartingPosition": {"Type": "TRIM_HORIZON"}}
    status, answer = call("SubscribeToShard", position)
    frames = EventStreamBuffer()
    frames.add_data(answer.read())
    first, event, last = frames
    assert status == 200
    assert (first.headers[":event-type"], decode(first.payload)) == ("initial-response", {})
    assert event.headers == {
        ":event-type": "SubscribeToShardEvent",
        ":content-type": CBOR,
        ":message-type": "event",
    }
    record = decode(event.payload)["Records"][0]
    assert (record["Data"], record["PartitionKey"]) == (data, "kü")
    assert record["ApproximateArrivalTimestamp"][0] == 1
    assert len(decode(last.payload)["ChildShards"]) == 2 and "ContinuationSequenceNumber" not in decode(last.payload)
    kinesis.deregister_stream_consumer(ConsumerARN=consumer)
    status, error = call("SubscribeToShard", position)
    assert (status, error["__type"]) == (400, "ResourceNotFoundException")


def test_errors_are_cbor_too(call):
    status, error = call("DescribeStream", {"StreamName": "no-such"})
    text = "Stream no-such under account 000000000000 not found."
    assert (status, error["__type"], error["message"]) == (400, "ResourceNotFoundException", text)
    status, error = call("PutRecord", {"StreamName": "", "PartitionKey": "k", "Data": b""})
    assert (status, error["__type"]) == (400, "ValidationException")
    status, error = call("DescribeStream", {"StreamName": 5})
    assert (status, error["__type"]) == (400, "SerializationException")


@pytest.mark.parametrize("body", [b"", b"\xbf", b"\xa1", b"\x9f" * 10_000, b"\xff", b"\xbb" + b"\xff" * 8, b"{}"])
def test_what_is_not_cbor_is_refused(call, body):
    status, error = call("DescribeStream", body)
    assert status == 400 and error["__type"] in ("SerializationException", "ValidationException", "InvalidArgumentException")
