"""Items of DynamoDB that expire, on a server whose clock the tests move."""

import pytest

from clocked import Clocked
from headwater import wait_for
from tables import error_of, index_of, invalid, item, make, put, scanned, values

DAY = 24 * 3600


@pytest.fixture
def clocked(tmp_path):
    clocked = Clocked(tmp_path)
    clocked.dynamodb = clocked.client("dynamodb")
    yield clocked
    clocked.server.stop()


def expire(dynamodb, table, enabled=True, attribute="until"):
    wanted = {"Enabled": enabled, "AttributeName": attribute}
    done = dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)
    assert done["TimeToLiveSpecification"] == wanted


def names(dynamodb, table, **more):
    return sorted(entry["p"] for entry in scanned(dynamodb, table, **more))


def test_items_go_when_their_time_is_over(clocked):
    dynamodb, now = clocked.dynamodb, int(clocked.time())
    make(dynamodb, "rows", {"p": "S", "g": "S"}, GlobalSecondaryIndexes=[index_of("by-g", "g")])
    put(
        dynamodb, "rows", {"p": "soon", "g": "g", "until": now + 1000}, {"p": "later", "g": "g", "until": now + DAY},
        {"p": "text", "until": str(now + 1000)}, {"p": "never"}, {"p": "ancient", "until": now - 6 * 365 * DAY},
        {"p": "far", "until": 10**30}, {"p": "too", "until": now + 1000},
    )
    expire(dynamodb, "rows")
    status = dynamodb.describe_time_to_live(TableName="rows")["TimeToLiveDescription"]
    assert status == {"TimeToLiveStatus": "ENABLED", "AttributeName": "until"}
    clocked.advance(990)
    # What has expired may be seen for a while, but never goes before its time.
    assert len(names(dynamodb, "rows")) == 7
    clocked.advance(11)
    left = ["ancient", "far", "later", "never", "text"]
    wait_for("the end of two items", lambda: names(dynamodb, "rows") == left, seconds=20)
    assert names(dynamodb, "rows", IndexName="by-g") == ["later"]
    clocked.server.restart()
    assert names(dynamodb, "rows") == left
    # What expires while the server is away goes when it is back.
    clocked.server.kill()
    clocked.ahead += DAY
    clocked.write()
    clocked.server.start()
    left.remove("later")
    wait_for("the end of another", lambda: names(dynamodb, "rows") == left, seconds=20)
    assert names(dynamodb, "rows", IndexName="by-g") == []


def test_an_item_whose_time_is_moved_stays(clocked):
    dynamodb, now = clocked.dynamodb, int(clocked.time())
    make(dynamodb, "rows")
    expire(dynamodb, "rows")
    put(dynamodb, "rows", {"p": "a", "until": now + 1000}, {"p": "b", "until": now + 1000}, {"p": "c", "until": now + 1000})
    change = {"TableName": "rows", "UpdateExpression": "SET #u = :u", "ExpressionAttributeNames": {"#u": "until"}}
    dynamodb.update_item(Key=item(p="a"), ExpressionAttributeValues=values(u=now + DAY), **change)
    dynamodb.update_item(Key=item(p="b"), ExpressionAttributeValues=values(u="never"), **change)
    clocked.advance(1001)
    wait_for("the end of one", lambda: names(dynamodb, "rows") == ["a", "b"], seconds=20)


def test_one_attribute_counts_until_it_is_disabled(clocked):
    dynamodb, now = clocked.dynamodb, int(clocked.time())
    make(dynamodb, "rows")
    change = lambda enabled, attribute: error_of(
        dynamodb.update_time_to_live, TableName="rows",
        TimeToLiveSpecification={"Enabled": enabled, "AttributeName": attribute},
    )
    assert change(False, "until") == invalid("TimeToLive is already disabled")
    expire(dynamodb, "rows")
    assert change(True, "until") == invalid("TimeToLive is already enabled")
    assert change(True, "other") == invalid(
        "TimeToLive is active on a different AttributeName: current AttributeName is until"
    )
    expire(dynamodb, "rows", enabled=False)
    put(dynamodb, "rows", {"p": "a", "until": now + 10, "other": now + 2000}, {"p": "b", "until": now + 10})
    clocked.advance(1000)
    expire(dynamodb, "rows", attribute="other")
    clocked.advance(1001)
    wait_for("the end of one", lambda: names(dynamodb, "rows") == ["b"], seconds=20)
