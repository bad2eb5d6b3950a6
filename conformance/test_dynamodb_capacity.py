"""The capacity of tables through boto3: what is over it is told, and comes back with the time."""

import pytest

from clocked import Clocked
from tables import answer_of_error, error_of, fill, item, make, put, scanned

ONE = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
OVER = (
    "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level "
    "with the UpdateTable API."
)
SAVED = 300


@pytest.fixture
def clocked(tmp_path):
    clocked = Clocked(tmp_path)
    yield clocked
    clocked.server.stop()


def spend(dynamodb, table, units):
    """Writes items of a kilobyte each until `units` are spent."""
    for _ in range(units // 100):
        put(dynamodb, table, {"p": "a", "text": "x" * (100 * 1024 - 20)})


def test_what_is_provisioned_is_saved_for_five_minutes(clocked):
    dynamodb = clocked.client("dynamodb")
    make(dynamodb, "rows", BillingMode="PROVISIONED", ProvisionedThroughput=ONE)
    spend(dynamodb, "rows", SAVED + 100)
    refused = answer_of_error(dynamodb.put_item, TableName="rows", Item=item(p="b"))
    assert refused["Error"]["Code"] == "ProvisionedThroughputExceededException"
    assert refused["Error"]["Message"] == OVER
    assert [reason["reason"] for reason in refused["ThrottlingReasons"]] == ["TableWriteProvisionedThroughputExceeded"]
    # Reading has units of its own.
    assert len(scanned(dynamodb, "rows")) == 1
    puts = [{"PutRequest": {"Item": item(p=f"{n}")}} for n in range(5)]
    over = error_of(dynamodb.batch_write_item, RequestItems={"rows": puts})
    assert over[:2] == (400, "ProvisionedThroughputExceededException"), "nothing of it was done"
    clocked.advance(SAVED)
    done = dynamodb.batch_write_item(RequestItems={"rows": puts})
    assert done["UnprocessedItems"] == {} and len(scanned(dynamodb, "rows")) == 6


def test_a_batch_is_cut_where_the_capacity_ends(clocked):
    dynamodb = clocked.client("dynamodb")
    make(dynamodb, "rows", BillingMode="PROVISIONED", ProvisionedThroughput=ONE)
    puts = [{"PutRequest": {"Item": item(p=f"{n}", text="x" * 60_000)}} for n in range(10)]
    left = dynamodb.batch_write_item(RequestItems={"rows": puts})["UnprocessedItems"]
    assert 0 < len(left["rows"]) < 10
    assert len(scanned(dynamodb, "rows")) == 10 - len(left["rows"])
    clocked.advance(SAVED + 100)
    assert dynamodb.batch_write_item(RequestItems=left)["UnprocessedItems"] == {}
    assert len(scanned(dynamodb, "rows")) == 10


def test_without_limits_nothing_is_refused(new_server):
    dynamodb = new_server("--limits", "off").client("dynamodb")
    make(dynamodb, "rows", BillingMode="PROVISIONED", ProvisionedThroughput=ONE)
    spend(dynamodb, "rows", 3000)
    fill(dynamodb, "rows", ({"p": f"{n}"} for n in range(100)))
    assert len(scanned(dynamodb, "rows")) == 101
