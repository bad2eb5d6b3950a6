"""DynamoDB as the libraries above it ask: the requests of the Kinesis Client Library, PynamoDB, JavaScript's documents, Go's
attribute values and Java's beans."""

import datetime

import pytest
from pynamodb.attributes import (
    JSONAttribute, ListAttribute, MapAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute,
    UTCDateTimeAttribute, VersionAttribute,
)
from pynamodb.connection import Connection
from pynamodb.exceptions import DeleteError, DoesNotExist, PutError, TransactWriteError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

import sdks
from tables import (
    FAILED, answer_of_error, defined, error_of, get, index_of, item, key_of, plain, scanned, values, wait_active,
)


@pytest.fixture
def dynamodb(client):
    return client("dynamodb")


@pytest.fixture
def leases(dynamodb, name):
    """The table of leases as the KCL 3 makes it: first the table, then the index of owners."""
    dynamodb.create_table(
        TableName=name, AttributeDefinitions=defined(leaseKey="S"), KeySchema=key_of("leaseKey"),
        BillingMode="PAY_PER_REQUEST", DeletionProtectionEnabled=False,
    )
    wait_active(dynamodb, name)
    dynamodb.update_table(
        TableName=name, AttributeDefinitions=defined(leaseOwner="S", leaseKey="S"),
        GlobalSecondaryIndexUpdates=[{"Create": index_of("owners", "leaseOwner", "leaseKey", projected="KEYS_ONLY")}],
    )
    wait_active(dynamodb, name)
    return name


def lease(key, **more):
    return item(leaseKey=key, leaseCounter=0, checkpoint="TRIM_HORIZON", ownerSwitchesSinceCheckpoint=0, **more)


def put_value(value):
    return {"Action": "PUT", "Value": value}


def test_leases_are_taken_renewed_and_lost(dynamodb, leases):
    """The older dialect, in which the KCL still does all of it."""
    shard = {"TableName": leases, "Key": item(leaseKey="shard-0")}
    dynamodb.put_item(TableName=leases, Item=lease("shard-0"), Expected={"leaseKey": {"Exists": False}})
    again = error_of(
        dynamodb.put_item, TableName=leases, Item=lease("shard-0"), Expected={"leaseKey": {"Exists": False}}
    )
    assert again == FAILED

    def take(worker, before):
        return dynamodb.update_item(
            **shard, ReturnValues="ALL_NEW", ReturnValuesOnConditionCheckFailure="ALL_OLD",
            AttributeUpdates={
                "checkpointOwner": {"Action": "DELETE"}, "leaseCounter": {"Action": "ADD", "Value": {"N": "1"}},
                "leaseOwner": put_value({"S": worker}),
            },
            Expected={
                "checkpointOwner": {"Exists": False}, "leaseKey": {"Exists": True, "Value": {"S": "shard-0"}},
                "leaseOwner": {"Exists": True, "Value": {"S": before}} if before else {"Exists": False},
            },
        )["Attributes"]

    taken = plain(take("w1", None))
    assert (taken["leaseCounter"], taken["leaseOwner"], taken["checkpoint"]) == (1, "w1", "TRIM_HORIZON")
    late = answer_of_error(take, "w2", None)
    assert late["Error"]["Code"] == FAILED[1] and plain(late["Item"]) == taken

    def renew(counter):
        return dynamodb.update_item(
            **shard, ReturnValuesOnConditionCheckFailure="ALL_OLD",
            AttributeUpdates={"leaseCounter": put_value({"N": str(counter + 1)})},
            Expected={"checkpointOwner": {"Exists": False}, "leaseCounter": {"Value": {"N": str(counter)}}},
        )

    assert "Attributes" not in renew(1)
    assert plain(answer_of_error(renew, 1)["Item"])["leaseCounter"] == 2
    dynamodb.update_item(
        **shard, Expected={"leaseCounter": {"Value": {"N": "2"}}},
        AttributeUpdates={
            "checkpoint": put_value({"S": "4968"}), "leaseCounter": put_value({"N": "3"}),
            "pendingCheckpoint": {"Action": "DELETE"}, "checkpointSubSequenceNumber": put_value({"N": "0"}),
        },
    )
    assert get(dynamodb, leases, leaseKey="shard-0") == {
        "leaseKey": "shard-0", "leaseCounter": 3, "leaseOwner": "w1", "checkpoint": "4968",
        "checkpointSubSequenceNumber": 0, "ownerSwitchesSinceCheckpoint": 0,
    }
    of = lambda worker: [
        plain(entry) for entry in dynamodb.query(
            TableName=leases, IndexName="owners", KeyConditionExpression="leaseOwner = :leaseOwner",
            ExpressionAttributeValues={":leaseOwner": {"S": worker}},
        )["Items"]
    ]
    assert of("w1") == [{"leaseKey": "shard-0", "leaseOwner": "w1"}] and of("w2") == []
    take("w2", "w1")
    assert of("w1") == [] and of("w2") == [{"leaseKey": "shard-0", "leaseOwner": "w2"}]
    assert len(scanned(dynamodb, leases, TotalSegments=1, Segment=0)) == 1


def test_a_leader_is_elected_and_workers_tell_of_themselves(dynamodb, leases):
    """The newer dialect, of DynamoDB's lock client and the enhanced client."""
    leader = lambda version: item(leaseKey="Leader", ownerName="w1", recordVersionNumber=version, leaseDuration="120000")
    free = {"ConditionExpression": "attribute_not_exists(#pk)", "ExpressionAttributeNames": {"#pk": "leaseKey"}}
    dynamodb.put_item(TableName=leases, Item=leader("1"), **free)
    assert error_of(dynamodb.put_item, TableName=leases, Item=leader("1"), **free) == FAILED

    def beat(before, after):
        return dynamodb.update_item(
            TableName=leases, Key=item(leaseKey="Leader"), UpdateExpression="SET #ld = :ld, #rvn = :newRvn",
            ConditionExpression="attribute_exists(#pk) AND #rvn = :rvn AND #on = :on",
            ExpressionAttributeNames={
                "#on": "ownerName", "#rvn": "recordVersionNumber", "#ld": "leaseDuration", "#pk": "leaseKey",
            },
            ExpressionAttributeValues=values(newRvn=after, ld="120000", on="w1", rvn=before),
        )

    beat("1", "2")
    assert error_of(beat, "1", "3") == FAILED
    told = dynamodb.update_item(
        TableName=leases, Key=item(leaseKey="w1"), ReturnValues="ALL_NEW",
        UpdateExpression="SET #AMZN_MAPPED_opr = :AMZN_MAPPED_opr, #AMZN_MAPPED_lut = :AMZN_MAPPED_lut",
        ExpressionAttributeNames={"#AMZN_MAPPED_opr": "opr", "#AMZN_MAPPED_lut": "lut"},
        ExpressionAttributeValues={":AMZN_MAPPED_opr": {"M": {}}, ":AMZN_MAPPED_lut": {"N": "1795932272"}},
    )["Attributes"]
    assert plain(told) == {"leaseKey": "w1", "opr": {}, "lut": 1795932272}
    release = lambda version: dynamodb.delete_item(
        TableName=leases, Key=item(leaseKey="Leader"),
        ConditionExpression="attribute_exists(#pk) AND #rvn = :rvn AND #on = :on",
        ExpressionAttributeNames={"#on": "ownerName", "#rvn": "recordVersionNumber", "#pk": "leaseKey"},
        ExpressionAttributeValues=values(on="w1", rvn=version),
    )
    assert error_of(release, "1") == FAILED
    release("2")
    assert get(dynamodb, leases, leaseKey="Leader") is None


@pytest.fixture
def cart(server, name):
    """A model of PynamoDB, with its table."""

    class ByCity(GlobalSecondaryIndex):
        class Meta:
            index_name = "by-city"
            projection = AllProjection()
            read_capacity_units = write_capacity_units = 1

        city = UnicodeAttribute(hash_key=True)
        total = NumberAttribute(range_key=True)

    class Address(MapAttribute):
        street = UnicodeAttribute()
        house = NumberAttribute(null=True)

    class Cart(Model):
        class Meta:
            table_name, host, region = name, server.endpoint, "us-east-1"
            aws_access_key_id, aws_secret_access_key = "test", "test"
            max_retry_attempts = 0

        user = UnicodeAttribute(hash_key=True)
        number = NumberAttribute(range_key=True)
        city = UnicodeAttribute(default="Wien")
        total = NumberAttribute(default=0)
        tags = UnicodeSetAttribute(null=True)
        lines = ListAttribute(default=list)
        address = Address(null=True)
        more = JSONAttribute(null=True)
        at = UTCDateTimeAttribute(null=True)
        version = VersionAttribute()
        by_city = ByCity()

    Cart.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    yield Cart
    Cart.delete_table()


def test_pynamodb_round_trip(cart):
    at = datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, datetime.timezone.utc)
    made = cart(
        "ann", 1, total=12.5, tags={"new", "gift"}, lines=[1, "two", {"three": 3}], more={"x": [1]}, at=at,
        address={"street": "Ring", "house": 7},
    )
    made.save()
    found = cart.get("ann", 1, consistent_read=True)
    assert (found.total, found.tags, found.more, found.at) == (12.5, {"new", "gift"}, {"x": [1]}, at)
    assert (found.address.street, found.address.house, found.lines) == ("Ring", 7, [1, "two", {"three": 3}])
    assert (made.version, found.version) == (1, 1)
    stale = cart.get("ann", 1)
    found.update([cart.total.add(1), cart.lines.set(cart.lines.append(["end"])), cart.address.house.remove()])
    assert (found.total, found.lines[-1], found.address.house, found.version) == (13.5, "end", None, 2)
    with pytest.raises(PutError):
        stale.save()
    with pytest.raises(DeleteError):
        found.delete(cart.total < 10)
    found.delete(cart.total.exists() & cart.city.startswith("W") & cart.tags.contains("gift"))
    with pytest.raises(DoesNotExist):
        cart.get("ann", 1)


def test_pynamodb_queries_batches_and_transactions(cart, server):
    with cart.batch_write() as batch:
        for n in range(60):
            batch.save(cart("ann" if n % 2 else "bob", n, total=n, city=f"city-{n % 3}"))
    first = cart.query("ann", cart.number.between(10, 30), filter_condition=cart.total > 15, page_size=3)
    assert [found.number for found in first] == list(range(17, 31, 2))
    assert cart.count("bob") == 30
    cities = cart.by_city.query("city-1", scan_index_forward=False, limit=4)
    assert [found.total for found in cities] == [58, 55, 52, 49]
    assert sum(1 for segment in range(3) for _ in cart.scan(segment=segment, total_segments=3)) == 60
    wanted = [("ann", n) for n in range(60)]
    assert sorted(found.number for found in cart.batch_get(wanted)) == list(range(1, 60, 2))
    connection = Connection(region="us-east-1", host=server.endpoint)
    connection.session.set_credentials("test", "test")
    with TransactWrite(connection=connection, client_request_token="one") as writing:
        writing.save(cart("eve", 1))
        writing.update(cart.get("ann", 1), actions=[cart.total.set(99)])
        writing.condition_check(cart, "bob", 2, condition=cart.total == 2)
    assert cart.get("ann", 1).total == 99 and cart.get("eve", 1).version == 1
    with pytest.raises(TransactWriteError) as refused:
        with TransactWrite(connection=connection) as writing:
            writing.delete(cart.get("eve", 1))
            writing.condition_check(cart, "bob", 2, condition=cart.total == 3)
    # PynamoDB puts checks before all else.
    assert [reason and reason.code for reason in refused.value.cancellation_reasons] == ["ConditionalCheckFailed", None]
    assert cart.get("eve", 1)


def test_javascript_documents(endpoint, name):
    assert sdks.run([*sdks.javascript("tables"), name], endpoint)["items"] == 120


@pytest.mark.parametrize("protocol", ["http2", "http1"])
def test_go_values(endpoint, name, protocol):
    assert sdks.run([*sdks.go(), "tables", name, protocol], endpoint)["items"] == 30


def test_java_beans(endpoint, name):
    assert sdks.run([*sdks.java("Tables", "enhanced"), name], endpoint)["items"] == 40
