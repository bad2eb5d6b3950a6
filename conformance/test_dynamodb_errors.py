"""Errors, checksums and packed bodies of DynamoDB as they are on the wire, where clients do not show them.

The texts are as dynalite's tests recorded them on AWS.
"""

import gzip
import json
import zlib

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
import urllib3

from tables import by, error_of, item, make, put

DYNAMO = "com.amazonaws.dynamodb.v20120810"
CORAL = "com.amazon.coral"


@pytest.fixture
def dynamodb(client):
    return client("dynamodb")


@pytest.fixture
def table(dynamodb, name):
    """A table of the test's own."""
    return make(dynamodb, name)


def send(server, operation, body, target="DynamoDB_20120810", **headers):
    """Sends a signed body as it is; the answer, as it is."""
    sent = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"{target}.{operation}"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    request = botocore.awsrequest.AWSRequest("POST", server.endpoint + "/", sent, body)
    keys = botocore.credentials.Credentials("test", "test")
    botocore.auth.SigV4Auth(keys, "dynamodb", "us-east-1").add_auth(request)
    http = urllib3.PoolManager()
    answer = http.request("POST", request.url, body=body, headers=dict(request.headers), decode_content=False)
    if answer.status < 500 or "x-amz-crc32" in answer.headers:
        assert int(answer.headers["x-amz-crc32"]) == zlib.crc32(answer.data)
    return answer


def refused(server, operation, body, **headers):
    """The status, `__type` and text of a refusal."""
    answer = send(server, operation, body if isinstance(body, bytes) else json.dumps(body).encode(), **headers)
    error = json.loads(answer.data)
    return answer.status, error.pop("__type"), error


def validation(text):
    return 400, f"{CORAL}.validate#ValidationException", {"message": text}


def serialization(text):
    return 400, f"{CORAL}.service#SerializationException", {"Message": text}


def test_errors_have_the_namespace_of_what_raises_them(server, dynamodb, table):
    put(dynamodb, table, {"p": "a"})
    text = "Requested resource not found: Table: none not found"
    none = {"TableName": "none"}
    assert refused(server, "DescribeTable", none) == (400, f"{DYNAMO}#ResourceNotFoundException", {"message": text})
    once = {"TableName": table, "Item": item(p="a"), "ConditionExpression": "attribute_not_exists(p)"}
    failed = 400, f"{DYNAMO}#ConditionalCheckFailedException", {"message": "The conditional request failed"}
    assert refused(server, "PutItem", once) == failed
    status, kind, error = refused(server, "TransactWriteItems", {"TransactItems": [{"Put": once}]})
    assert (status, kind) == (400, f"{DYNAMO}#TransactionCanceledException")
    assert error["CancellationReasons"][0]["Code"] == "ConditionalCheckFailed" and error["Message"]
    unknown = refused(server, "BakeBread", {})
    assert unknown == (400, f"{CORAL}.service#UnknownOperationException", {})
    arn = "arn:aws:dynamodb:us-east-1:000000000000:table/none/stream/2026-01-01T00:00:00.000"
    status, kind, _ = refused(server, "DescribeStream", {"StreamArn": arn}, target="DynamoDBStreams_20120810")
    assert (status, kind) == (400, f"{DYNAMO}#ResourceNotFoundException")
    assert error_of(by(dynamodb.describe_table, "none")) == (400, "ResourceNotFoundException", text)


@pytest.mark.parametrize("operation", ["CreateTable", "DeleteTable", "DescribeTable", "DescribeTimeToLive", "UpdateTable"])
def test_a_table_that_is_not_named(server, operation):
    text = "The parameter 'TableName' is required but was not present in the request"
    assert refused(server, operation, {}) == validation(text)
    wrong = refused(server, operation, {"TableName": 23})
    assert wrong == serialization("NUMBER_VALUE cannot be converted to String")
    if operation != "CreateTable":
        text = "TableName must be at least 3 characters long and at most 255 characters long"
        assert refused(server, operation, {"TableName": ""}) == validation(text)


def test_an_item_without_a_table(server):
    text = "Value null at 'tableName' failed to satisfy constraint: Member must not be null"
    body = {"Item": item(p="a")}
    assert refused(server, "PutItem", body) == validation(f"1 validation error detected: {text}")
    assert refused(server, "Query", {"TableName": "abc", "Limit": 0}) == validation(
        "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value "
        "greater than or equal to 1"
    )


@pytest.mark.parametrize("operation", ["ListTagsOfResource", "TagResource", "UntagResource"])
def test_tags_of_nothing(server, operation):
    assert refused(server, operation, {}) == validation("Invalid TableArn")


@pytest.mark.parametrize(
    "value, text",
    [
        ("23", "Unexpected value type in payload"),
        ({"L": ["a"]}, "Unexpected value type in payload"),
        ({"S": True}, "TRUE_VALUE cannot be converted to String"),
        ({"N": 34.56}, "DECIMAL_VALUE cannot be converted to String"),
        ({"B": 1}, "only base-64-encoded strings are convertible to bytes"),
        ({"B": "23456"}, "Base64 encoded length is expected a multiple of 4 bytes but found: 5"),
        ({"BOOL": "23"}, "Unexpected token received from parser"),
        ({"SS": "a"}, "Unexpected field type"),
        ({"SS": {}}, "Start of structure or map found where not expected"),
        ({"M": []}, f"Unrecognized collection type java.util.Map<java.lang.String, {DYNAMO}.AttributeValue>"),
    ],
)
def test_values_of_wrong_types(server, value, text):
    assert refused(server, "PutItem", {"TableName": "abc", "Item": {"a": value}}) == serialization(text)


def test_a_body_without_a_type_is_json(server):
    answer = send(server, "ListTables", b"{}", Content_Type="application/json")
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("packing, pack", [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_bodies_may_be_packed(server, dynamodb, table, packing, pack):
    body = json.dumps({"TableName": table, "Item": item(p=packing, text="x" * 5000)}).encode()
    assert send(server, "PutItem", pack(body), Content_Encoding=packing).status == 200
    for broken in [body, pack(body)[1:], b""]:
        assert refused(server, "PutItem", broken, Content_Encoding=packing)[0] == 500
    assert refused(server, "PutItem", body, Content_Encoding="br")[0] == 500
    large = json.dumps({"TableName": table, "Item": item(p="large", text="x" * (20 << 20))}).encode()
    assert refused(server, "PutItem", pack(large), Content_Encoding=packing)[0] == 413
    get = json.dumps({"TableName": table, "Key": item(p=packing)}).encode()
    plain = send(server, "GetItem", get)
    assert "Content-Encoding" not in plain.headers
    packed = send(server, "GetItem", get, Accept_Encoding=f"br, {packing}")
    assert packed.headers["Content-Encoding"] == packing and len(packed.data) * 30 < len(plain.data)
    unpacked = gzip.decompress(packed.data) if packing == "gzip" else zlib.decompress(packed.data)
    assert json.loads(unpacked) == json.loads(plain.data)
    small = json.dumps({"TableName": table, "Key": item(p="none")}).encode()
    assert "Content-Encoding" not in send(server, "GetItem", small, Accept_Encoding=packing).headers
