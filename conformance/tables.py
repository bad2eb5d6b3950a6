"""Tables of DynamoDB as tests make them, fill them and read them."""

import functools

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from headwater import wait_for

_write, _read = TypeSerializer(), TypeDeserializer()
# How a client asks again that is over the capacity of a table, which tests with much to write are.
PATIENT = {"retries": {"max_attempts": 20, "mode": "standard"}}


def item(**attributes):
    """An item of plain values: `item(p="a", n=1)`."""
    return {name: _write.serialize(value) for name, value in attributes.items()}


def values(**attributes):
    """The values of expressions: `values(a=1)` has `:a`."""
    return {f":{name}": _write.serialize(value) for name, value in attributes.items()}


def plain(item):
    """The plain values of an item."""
    return {name: _read.deserialize(value) for name, value in item.items()}


def key_of(*names):
    """A key's schema of the attribute that says the partition and, maybe, one that sorts."""
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"))]


def index_of(name, *key, projected="ALL", **more):
    """An index of a table."""
    projection = {"ProjectionType": projected} if isinstance(projected, str) else {
        "ProjectionType": "INCLUDE",
        "NonKeyAttributes": projected,
    }
    return {"IndexName": name, "KeySchema": key_of(*key), "Projection": projection, **more}


def defined(**kinds):
    """Attributes of keys: `defined(p="S", s="N")`."""
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in kinds.items()]


def make(dynamodb, name, kinds=None, key=("p",), **more):
    """A table that is active; its partition key is the string `p` unless said otherwise. Gives its name."""
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=defined(**(kinds or {"p": "S"})),
        KeySchema=key_of(*key),
        **{"BillingMode": "PAY_PER_REQUEST", **more},
    )
    wait_active(dynamodb, name)
    return name


def wait_active(dynamodb, name, seconds=60):
    """Waits until a table and its indexes are active."""

    def is_active():
        table = dynamodb.describe_table(TableName=name)["Table"]
        states = [index["IndexStatus"] for index in table.get("GlobalSecondaryIndexes", [])]
        return {table["TableStatus"], *states} == {"ACTIVE"}

    wait_for(f"the table {name}", is_active, seconds=seconds, every=0.05)


def put(dynamodb, table, *items):
    """Puts items of plain values."""
    for attributes in items:
        dynamodb.put_item(TableName=table, Item=item(**attributes))


def fill(dynamodb, table, items):
    """Puts items 25 at a time; those that the table has no capacity for yet, again."""
    puts = [{"PutRequest": {"Item": item(**attributes)}} for attributes in items]
    for first in range(0, len(puts), 25):
        waiting = {table: puts[first : first + 25]}
        while waiting:
            waiting = dynamodb.batch_write_item(RequestItems=waiting)["UnprocessedItems"]


def get(dynamodb, table, **key):
    """An item's plain values; None where it is not there."""
    found = dynamodb.get_item(TableName=table, Key=item(**key), ConsistentRead=True).get("Item")
    return found and plain(found)


def all_of(operation, **request):
    """The plain items of all pages of a query or a scan."""
    found = []
    while True:
        page = operation(**request)
        assert page["Count"] == len(page["Items"])
        found += [plain(entry) for entry in page["Items"]]
        if "LastEvaluatedKey" not in page:
            return found
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def scanned(dynamodb, table, **more):
    """All items of a table or an index, as plain values."""
    return all_of(dynamodb.scan, TableName=table, **more)


def error_of(call, *arguments, **more):
    """Status, code and text of an error."""
    answer = answer_of_error(call, *arguments, **more)
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def answer_of_error(call, *arguments, **more):
    """All that an error tells."""
    with pytest.raises(ClientError) as caught:
        call(*arguments, **more)
    return caught.value.response


def invalid(text):
    """The error of a request that cannot be."""
    return 400, "ValidationException", text


def wrong(text):
    """The same with the words that AWS puts before most of its reasons."""
    return invalid(f"One or more parameter values were invalid: {text}")


def by(operation, table):
    """An operation on one table."""
    return functools.partial(operation, TableName=table)


NO_ITEM_TABLE = (400, "ResourceNotFoundException", "Requested resource not found")
FAILED = (400, "ConditionalCheckFailedException", "The conditional request failed")
