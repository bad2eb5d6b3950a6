"""Transactions of DynamoDB through boto3: all or nothing, with reasons, tokens, and over restarts."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from clocked import Clocked
from tables import PATIENT, answer_of_error, error_of, get, index_of, invalid, item, make, plain, put, scanned, values

CANCELLED = "Transaction cancelled, please refer cancellation reasons for specific reasons "


@pytest.fixture
def dynamodb(client):
    return client("dynamodb", **PATIENT)


@pytest.fixture
def table(dynamodb, name):
    return make(dynamodb, name, {"p": "S", "g": "S"}, GlobalSecondaryIndexes=[index_of("by-g", "g")])


def put_of(table, condition=None, shows=None, **attributes):
    more = {"ConditionExpression": condition} if condition else {}
    more |= {"ReturnValuesOnConditionCheckFailure": shows} if shows else {}
    return {"Put": {"TableName": table, "Item": item(**attributes), **more}}


def check_of(table, p, condition):
    return {"ConditionCheck": {"TableName": table, "Key": item(p=p), "ConditionExpression": condition}}


def delete_of(table, p, **more):
    return {"Delete": {"TableName": table, "Key": item(p=p), **more}}


def update_of(table, p, expression, **sent):
    more = {"ExpressionAttributeValues": values(**sent)} if sent else {}
    return {"Update": {"TableName": table, "Key": item(p=p), "UpdateExpression": expression, **more}}


def write(dynamodb, *actions, **more):
    return dynamodb.transact_write_items(TransactItems=list(actions), **more)


def read(dynamodb, *keys):
    gets = [{"Get": {"TableName": table, "Key": item(p=p)}} for table, p in keys]
    responses = dynamodb.transact_get_items(TransactItems=gets)["Responses"]
    return [plain(response["Item"]) if "Item" in response else None for response in responses]


def test_all_or_nothing_in_several_tables(dynamodb, table, name):
    other = make(dynamodb, f"{name}-other")
    put(dynamodb, table, {"p": "a", "n": 1}, {"p": "b"}, {"p": "c"})
    write(
        dynamodb, put_of(other, p="x", g="y"), update_of(table, "a", "SET n = n + :one, g = :g", one=1, g="g"),
        delete_of(table, "b"), check_of(table, "c", "attribute_exists(p)"), put_of(table, p="d", g="g"),
    )
    places = ((other, "x"), (table, "a"), (table, "b"), (table, "c"), (table, "d"))
    after = [{"p": "x", "g": "y"}, {"p": "a", "n": 2, "g": "g"}, None, {"p": "c"}, {"p": "d", "g": "g"}]
    assert read(dynamodb, *places) == after
    by_g = sorted(entry["p"] for entry in scanned(dynamodb, table, IndexName="by-g"))
    assert by_g == ["a", "d"]
    refused = answer_of_error(
        write, dynamodb, put_of(other, p="x", g="z"), delete_of(table, "a"), check_of(table, "b", "attribute_exists(p)")
    )
    assert refused["Error"] == {
        "Code": "TransactionCanceledException", "Message": f"{CANCELLED}[None, None, ConditionalCheckFailed]",
    }
    assert read(dynamodb, *places) == after


def test_reasons_stand_in_the_order_of_the_actions(dynamodb, table):
    put(dynamodb, table, {"p": "a", "n": 1})
    absent = "attribute_not_exists(p)"
    refused = answer_of_error(
        write, dynamodb, put_of(table, absent, "ALL_OLD", p="a"), put_of(table, p="b"),
        update_of(table, "c", "SET n = n + :one", one=1),
    )
    shown, fine, missing = refused["CancellationReasons"]
    assert shown == {
        "Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": item(p="a", n=1),
    }
    assert fine == {"Code": "None"}
    assert missing == {
        "Code": "ValidationError",
        "Message": "The provided expression refers to an attribute that does not exist in the item",
    }
    assert refused["Error"]["Message"] == f"{CANCELLED}[ConditionalCheckFailed, None, ValidationError]"
    assert refused["ResponseMetadata"]["HTTPStatusCode"] == 400
    without = answer_of_error(write, dynamodb, put_of(table, absent, p="a"))
    assert "Item" not in without["CancellationReasons"][0]


def test_an_item_is_named_once(dynamodb, table):
    twice = error_of(write, dynamodb, put_of(table, p="a"), delete_of(table, "a"))
    assert twice == invalid("Transaction request cannot include multiple operations on one item")
    many = [put_of(table, p=str(n)) for n in range(101)]
    assert error_of(write, dynamodb, *many)[:2] == (400, "ValidationException")
    write(dynamodb, *many[:100])
    assert len(scanned(dynamodb, table)) == 100
    both = error_of(write, dynamodb, {**put_of(table, p="a"), **delete_of(table, "b")})
    assert both == invalid("TransactItems can only contain one of Check, Put, Update or Delete")
    nowhere = error_of(write, dynamodb, put_of(f"{table}-none", p="a"))
    assert nowhere == (400, "ResourceNotFoundException", "Requested resource not found")


def test_a_transaction_has_four_megabytes(dynamodb, table):
    large = [put_of(table, p=str(n), text="x" * 400_000) for n in range(11)]
    refused = error_of(write, dynamodb, *large)
    assert refused[:2] == (400, "ValidationException") and scanned(dynamodb, table) == []
    assert refused[2].startswith("Transaction payload size cannot exceed 4MB.")
    write(dynamodb, *large[:10])
    assert len(scanned(dynamodb, table)) == 10
    write(dynamodb, *large[10:])
    names = [str(n) for n in range(11)]
    refused = error_of(write, dynamodb, *(update_of(table, name, "SET n = :n", n=1) for name in names))
    assert refused[2].startswith("Transaction payload size cannot exceed 4MB.")
    # AWS lets a small request delete as much as it names.
    write(dynamodb, *(delete_of(table, name) for name in names))
    assert scanned(dynamodb, table) == []


def test_a_token_does_its_work_once_also_over_a_restart(new_server):
    server = new_server()
    dynamodb = server.client("dynamodb")
    make(dynamodb, "rows")
    add = lambda n: update_of("rows", "a", "ADD n :n", n=n)
    once = {"ClientRequestToken": "token-1", "ReturnConsumedCapacity": "TOTAL"}
    first = write(dynamodb, add(1), **once)
    assert first["ConsumedCapacity"][0]["WriteCapacityUnits"] == 2
    for end in (lambda: None, server.restart, server.restart):
        end()
        again = write(dynamodb, add(1), **once)
        assert again["ConsumedCapacity"][0]["ReadCapacityUnits"] == 2
        assert get(dynamodb, "rows", p="a")["n"] == 1
        other = error_of(write, dynamodb, add(2), **once)
        assert other[:2] == (400, "IdempotentParameterMismatchException")
    write(dynamodb, add(1), ClientRequestToken="token-2")
    assert get(dynamodb, "rows", p="a")["n"] == 2


def test_a_token_that_failed_may_be_used_again(dynamodb, table):
    token = {"ClientRequestToken": "failed"}
    absent = put_of(table, "attribute_exists(p)", p="a")
    assert error_of(write, dynamodb, absent, **token)[1] == "TransactionCanceledException"
    put(dynamodb, table, {"p": "a", "n": 1})
    write(dynamodb, absent, **token)
    assert get(dynamodb, table, p="a") == {"p": "a"}


@pytest.fixture
def clocked(tmp_path):
    clocked = Clocked(tmp_path)
    yield clocked
    clocked.server.stop()


def test_a_token_is_known_for_ten_minutes(clocked):
    dynamodb = clocked.server.client("dynamodb")
    make(dynamodb, "rows")
    add = lambda: write(dynamodb, update_of("rows", "a", "ADD n :n", n=1), ClientRequestToken="token")
    add()
    clocked.advance(590)
    add()
    assert get(dynamodb, "rows", p="a")["n"] == 1
    clocked.advance(20)
    add()
    assert get(dynamodb, "rows", p="a")["n"] == 2


def test_reads_see_all_of_a_transaction_or_nothing(dynamodb, server, table):
    """Money goes around between accounts in several partitions: their sum is always the same."""
    accounts = [f"account-{n}" for n in range(6)]
    put(dynamodb, table, *({"p": account, "n": 100} for account in accounts))
    done = threading.Event()

    def move(seed):
        client, moved = server.client("dynamodb", **PATIENT), 0
        while not done.is_set():
            one, other = accounts[(seed + moved) % 6], accounts[(seed + 2 * moved + 1) % 6]
            if one != other:
                write(client, update_of(table, one, "ADD n :n", n=-1), update_of(table, other, "ADD n :n", n=1))
            moved += 1
        return moved

    with ThreadPoolExecutor(3) as pool:
        movers = [pool.submit(move, seed) for seed in range(3)]
        try:
            for _ in range(100):
                found = read(dynamodb, *((table, account) for account in accounts))
                assert sum(entry["n"] for entry in found) == 600
        finally:
            done.set()
    assert all(mover.result() for mover in movers)
    assert sum(entry["n"] for entry in scanned(dynamodb, table)) == 600


def test_reads_are_projected(dynamodb, table):
    put(dynamodb, table, {"p": "a", "n": 1, "m": {"x": 1, "y": 2}})
    get_ = {"TableName": table, "Key": item(p="a"), "ProjectionExpression": "m.x"}
    [found] = dynamodb.transact_get_items(TransactItems=[{"Get": get_}])["Responses"]
    assert plain(found["Item"]) == {"m": {"x": 1}}
    assert read(dynamodb, (table, "none")) == [None]
