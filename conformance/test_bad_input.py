"""Bad input is answered as AWS answers it, and costs the server nothing."""

import http.client
import json
import socket

import pytest

# What it costs the server's memory is measured.
pytestmark = pytest.mark.alone

JSON = "application/x-amz-json-1.1"
CREDENTIAL = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/kinesis/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=00"
)


@pytest.fixture(scope="module")
def stream(client):
    client("kinesis").create_stream(StreamName="bad-input", ShardCount=1)
    return "bad-input"


@pytest.fixture(scope="module", autouse=True)
def memory_stays_flat(server):
    before = server.memory_mib()
    yield
    assert server.memory_mib() < before + 64


def post(server, target, body, **headers):
    """One raw request: its status and its body as JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    body = body if isinstance(body, (bytes, str)) else json.dumps(body)
    fixed = {"X-Amz-Target": target, "Content-Type": JSON, "Authorization": CREDENTIAL, "X-Amz-Date": "20260101T000000Z"}
    connection.request("POST", "/", body, {**fixed, **headers})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    try:
        return answer.status, json.loads(text)
    except ValueError:
        return answer.status, text


def kinesis(server, operation, body):
    return post(server, f"Kinesis_20131202.{operation}", body)


def refused(server, operation, body, code, *texts):
    status, error = kinesis(server, operation, body)
    assert (status, error["__type"]) == (400, code), error
    message = error.get("message", error.get("Message", ""))
    for text in texts:
        assert text in message, message


def test_unknown_target(server):
    status, error = post(server, "Kinesis_20131202.Nonsense", {})
    assert (status, error["__type"]) == (400, "UnknownOperationException")


def test_broken_json(server):
    for body in ("{", "", "nonsense", '{"StreamName":', "[1"):
        if body:
            refused(server, "DescribeStream", body, "SerializationException")


def test_wrong_types(server):
    refused(server, "DescribeStream", {"StreamName": 5}, "SerializationException", "can not be converted to an String")
    refused(server, "CreateStream", {"StreamName": "a", "ShardCount": "x"}, "SerializationException")
    refused(server, "PutRecords", {"StreamName": "a", "Records": "x"}, "SerializationException")
    refused(server, "PutRecord", {"StreamName": "a", "PartitionKey": "a", "Data": "not base64!"}, "SerializationException")


def test_several_constraints_are_named_together(server):
    refused(
        server, "PutRecord", {"StreamName": "", "PartitionKey": "", "Data": ""}, "ValidationException",
        "3 validation errors detected",
        "Value '' at 'streamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
        "Value '' at 'partitionKey' failed to satisfy constraint: Member must have length greater than or equal to 1",
    )


def test_unknown_stream(server):
    refused(
        server, "DescribeStream", {"StreamName": "no-such"}, "ResourceNotFoundException",
        "Stream no-such under account 000000000000 not found.",
    )


def test_a_record_of_no_bytes_is_a_record(client, stream):
    answer = client("kinesis").put_record(StreamName=stream, PartitionKey="k", Data=b"")
    assert answer["ShardId"] == "shardId-000000000000"


def test_a_record_over_the_limit(client, stream):
    kinesis = client("kinesis")
    with pytest.raises(kinesis.exceptions.ClientError) as refusal:
        kinesis.put_record(StreamName=stream, PartitionKey="k", Data=b"x" * (1 << 20))
    assert refusal.value.response["Error"]["Code"] in ("ValidationException", "InvalidArgumentException")
    with pytest.raises(kinesis.exceptions.ClientError) as refusal:
        kinesis.put_record(StreamName=stream, PartitionKey="k", Data=b"x" * (10 * (1 << 20) + 1))
    assert refusal.value.response["Error"]["Code"] == "ValidationException"


def test_501_records(server, stream):
    entries = [{"PartitionKey": "a", "Data": ""}] * 501
    refused(
        server, "PutRecords", {"StreamName": stream, "Records": entries}, "ValidationException",
        "at 'records' failed to satisfy constraint: Member must have length less than or equal to 500",
    )


def test_500_records_over_the_total(client, stream):
    kinesis = client("kinesis")
    entries = [{"PartitionKey": "a", "Data": b"x" * 22_000}] * 500
    with pytest.raises(kinesis.exceptions.ClientError) as refusal:
        kinesis.put_records(StreamName=stream, Records=entries)
    assert refusal.value.response["Error"]["Code"] in ("InvalidArgumentException", "ValidationException")


def test_forged_iterators(server, stream, client):
    real = client("kinesis").get_shard_iterator(
        StreamName=stream, ShardId="shardId-000000000000", ShardIteratorType="LATEST"
    )["ShardIterator"]
    changed = ("A" if real[20] != "A" else "B").join((real[:20], real[21:]))
    for forged in ("x", "AAAA", changed, real[:-4], "a" * 512):
        refused(server, "GetRecords", {"ShardIterator": forged}, "InvalidArgumentException")


def test_a_shard_count_of_a_hundred_billion(server):
    # A number that no integer holds is cut to the largest one, as recorded on AWS.
    refused(server, "CreateStream", {"StreamName": "a", "ShardCount": 100_000_000_000}, "LimitExceededException")
    refused(server, "CreateStream", {"StreamName": "a", "ShardCount": 2_000_000_000}, "LimitExceededException")
    refused(server, "CreateStream", {"StreamName": "a", "ShardCount": 0}, "ValidationException", "'shardCount'")


def test_an_operation_that_is_not_built_says_so(server):
    status, error = post(server, "Logs_20140328.StartQuery", {})
    assert status == 501 and "StartQuery" in error["message"], error


def raw(server, request):
    """Sends bytes, then half-closes; what came back."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # The server closed before it had read all of it.
        answer = b""
        try:
            while part := connection.recv(65536):
                answer += part
        except ConnectionResetError:
            pass
        return answer


def head(server, length, more=""):
    return (
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nX-Amz-Target: Kinesis_20131202.PutRecord\r\n"
        f"Content-Type: {JSON}\r\nContent-Length: {length}\r\n{more}\r\n"
    ).encode()


def test_a_body_cut_off_has_no_effect(server, client, stream):
    kinesis = client("kinesis")
    body = json.dumps({"StreamName": stream, "PartitionKey": "cut", "Data": "Y3V0"}).encode()
    for cut in (0, 1, len(body) // 2, len(body) - 1):
        answer = raw(server, head(server, len(body)) + body[:cut])
        assert b"200 OK" not in answer
    iterator = kinesis.get_shard_iterator(
        StreamName=stream, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    assert all(r["PartitionKey"] != "cut" for r in kinesis.get_records(ShardIterator=iterator)["Records"])


def test_a_header_of_a_megabyte(server):
    answer = raw(server, head(server, 2, "X-Long: " + "x" * (1 << 20) + "\r\n") + b"{}")
    assert b" 200 " not in answer.split(b"\r\n")[0]
    assert server.health() == 200


def test_a_body_beyond_all_bounds(server):
    answer = raw(server, head(server, 10**12) + b"{" * 1000)
    assert b" 200 " not in answer.split(b"\r\n")[0]
    assert server.health() == 200


def test_nonsense_instead_of_http(server):
    for nonsense in (b"\x00" * 4096, b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00" * 100, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 999):
        raw(server, nonsense)
    assert server.health() == 200


def test_deeply_nested_json(server):
    refused(server, "DescribeStream", '{"StreamName":' + "[" * 100_000 + "]" * 100_000 + "}", "SerializationException")
