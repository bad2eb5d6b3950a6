"""PartiQL over tables of DynamoDB through boto3: statements, pages, batches, transactions and what is refused. What is
expected is as the tests of dynamodb-conformance and of floci recorded it on AWS, where those say it."""

import re

import pytest

from tables import (
    FAILED, NO_ITEM_TABLE, PATIENT, answer_of_error, error_of, get, index_of, invalid, item, make, plain, put, scanned,
    wrong,
)

MALFORMED = "Statement wasn't well formed, can't be processed: "
DUPLICATE = "Duplicate primary key exists in table"
CANCELLED = "Transaction cancelled, please refer cancellation reasons for specific reasons "
NO_KEY = "Where clause does not contain a mandatory equality on all key attributes"


@pytest.fixture
def dynamodb(client):
    return client("dynamodb", **PATIENT)


@pytest.fixture
def table(dynamodb, name):
    """A table with the key `p` and `s`, indexes of both kinds, and a dozen items."""
    make(
        dynamodb,
        name,
        {"p": "S", "s": "N", "g": "S", "l": "S"},
        ("p", "s"),
        LocalSecondaryIndexes=[index_of("local", "p", "l", projected="KEYS_ONLY")],
        GlobalSecondaryIndexes=[index_of("global", "g", projected=["a"])],
    )
    for p in "abc":
        put(dynamodb, name, *({"p": p, "s": s, "g": f"g{s}", "l": f"l{9 - s}", "a": f"{p}{s}", "z": s} for s in range(4)))
    return name


@pytest.fixture
def run(dynamodb, table):
    """Runs a statement, in which `T` is the table; its plain items."""

    def run(statement, *parameters, **more):
        answer = dynamodb.execute_statement(**sent(table, statement, *parameters), **more)
        return [plain(entry) for entry in answer["Items"]]

    return run


@pytest.fixture
def refused(dynamodb, table):
    """The text of the ValidationException that a statement gets."""

    def refused(statement, *parameters, **more):
        status, code, text = error_of(dynamodb.execute_statement, **sent(table, statement, *parameters), **more)
        assert (status, code) == (400, "ValidationException"), text
        return text

    return refused


def sent(table, statement, *parameters, **more):
    """A statement as it is sent; parameters are plain values."""
    statement = {"Statement": re.sub(r"\bT\b", f'"{table}"', statement, count=1), **more}
    values = [item(value=value)["value"] for value in parameters]
    return statement | ({"Parameters": values} if values else {})


def keys(items):
    return [(entry["p"], int(entry["s"])) for entry in items]


def test_items_are_inserted_updated_and_deleted(dynamodb, table, run):
    assert run("INSERT INTO T VALUE {'p': ?, 's': -1, 'm': {'x': [1, 'y', <<1, 2>>]}, 'it''s': true}", "new") == []
    whole = {"p": "new", "s": -1, "m": {"x": [1, "y", {1, 2}]}, "it's": True}
    assert get(dynamodb, table, p="new", s=-1) == whole
    assert error_of(
        dynamodb.execute_statement, **sent(table, "INSERT INTO T VALUE {'p': 'new', 's': -1}")
    ) == (400, "DuplicateItemException", DUPLICATE)
    key = "WHERE p = 'new' AND s = -1"
    assert run(f"UPDATE T SET n = 1, m.y = ? SET q = list_append([1], [2]) REMOVE \"it's\" {key}", "z") == []
    updated = {"p": "new", "s": -1, "n": 1, "m": {"x": [1, "y", {1, 2}], "y": "z"}, "q": [1, 2]}
    assert get(dynamodb, table, p="new", s=-1) == updated
    run(f"UPDATE T SET n = n + 41 SET t = set_add(t, <<'a', 'b'>>) REMOVE m REMOVE q[0] {key}")
    assert get(dynamodb, table, p="new", s=-1) == {"p": "new", "s": -1, "n": 42, "t": {"a", "b"}, "q": [2]}
    run(f"UPDATE T SET t = set_delete(t, <<'a', 'b'>>) {key}")
    assert get(dynamodb, table, p="new", s=-1) == {"p": "new", "s": -1, "n": 42, "q": [2]}
    assert run(f"DELETE FROM T {key} RETURNING ALL OLD *") == [{"p": "new", "s": -1, "n": 42, "q": [2]}]
    assert run(f"DELETE FROM T {key} RETURNING ALL OLD *") == []
    assert get(dynamodb, table, p="new", s=-1) is None


@pytest.mark.parametrize(
    "returning, shown",
    [
        ("ALL OLD", [{"p": "a", "s": 1, "g": "g1", "l": "l8", "a": "a1", "z": 1}]),
        ("MODIFIED OLD", [{"z": 1}]),
        ("ALL NEW", [{"p": "a", "s": 1, "g": "g1", "l": "l8", "a": "a1", "z": 9, "n": 1}]),
        ("MODIFIED NEW", [{"z": 9, "n": 1}]),
    ],
)
def test_an_update_shows_what_it_is_asked_for(run, returning, shown):
    assert run(f"UPDATE T SET z = 9 SET n = 1 WHERE p = 'a' AND s = 1 RETURNING {returning} *") == shown


def test_what_is_modified_may_be_nothing(run):
    assert run("UPDATE T REMOVE z WHERE p = 'a' AND s = 1 RETURNING MODIFIED NEW *") == []


def test_conditions_of_writes(dynamodb, table, run):
    def failed(statement, **more):
        return answer_of_error(dynamodb.execute_statement, **sent(table, statement), **more)

    for statement in (
        "UPDATE T SET z = 9 WHERE p = 'a' AND s = 1 AND z = 2",
        "UPDATE T SET z = 9 WHERE p = 'no' AND s = 1",
        "DELETE FROM T WHERE p = 'a' AND s = 1 AND NOT begins_with(a, 'a')",
    ):
        assert error_of(dynamodb.execute_statement, **sent(table, statement)) == FAILED
    error = failed("DELETE FROM T WHERE p = 'a' AND s = 1 AND z > 1", ReturnValuesOnConditionCheckFailure="ALL_OLD")
    assert plain(error["Item"])["a"] == "a1"
    assert get(dynamodb, table, p="a", s=1)["z"] == 1 and get(dynamodb, table, p="no", s=1) is None
    # Of an item that is not there nothing is asked when it is deleted.
    assert run("DELETE FROM T WHERE p = 'no' AND s = 1 AND z = 1") == []
    run("UPDATE T SET z = 9 WHERE (s = 1 AND p = 'a') AND z = 1 AND size(a) = 2 AND contains(a, '1')")
    run("DELETE FROM T WHERE p = 'a' AND s = 2 AND q.x IS MISSING AND attribute_type(a, 'S')")
    assert get(dynamodb, table, p="a", s=1)["z"] == 9 and get(dynamodb, table, p="a", s=2) is None


def test_items_are_found_by_key_and_by_condition(run):
    everything = [(p, s) for p in "abc" for s in range(4)]
    assert sorted(keys(run("SELECT * FROM T"))) == everything
    for condition, found in (
        ("p = 'a' AND s = 2", [("a", 2)]),
        ("p = 'a'", [("a", s) for s in range(4)]),
        ("p = 'a' AND s BETWEEN 1 AND 2", [("a", 1), ("a", 2)]),
        ("p = 'a' AND 2 <= s AND a <> 'a3'", [("a", 2)]),
        ("p = 'a' AND (s = 0 OR z = 3)", [("a", 0), ("a", 3)]),
        ("p IN ['a', 'b'] AND s IN [1, 7]", [("a", 1), ("b", 1)]),
        ("(p = 'a' AND s = 0) OR (p = 'c' AND s > 2)", [("a", 0), ("c", 3)]),
        ("p = 'a' OR z = 0", [("a", 0), ("a", 1), ("a", 2), ("a", 3), ("b", 0), ("c", 0)]),
        ("a IN ['b1', 'c2']", [("b", 1), ("c", 2)]),
        ("p > 'a' AND NOT (z < 3)", [("b", 3), ("c", 3)]),
        ("p = 'no'", []),
    ):
        assert sorted(keys(run(f"SELECT * FROM T WHERE {condition}"))) == found, condition
    assert keys(run("SELECT * FROM T WHERE p = ? AND s > ?", "a", 2)) == [("a", 3)]
    assert run("SELECT a, z FROM T WHERE p = 'a' AND s = 2") == [{"a": "a2", "z": 2}]


def test_parts_of_items_go_by_the_last_name(dynamodb, table, run):
    put(dynamodb, table, {"p": "m", "s": 0, "m": {"x": {"y": ["z"]}}, "order": 1})
    assert run("SELECT m.x.y[0], \"order\", q FROM T WHERE p = 'm'") == [{"y[0]": "z", "order": 1}]


def test_items_are_ordered_by_their_key(run, refused):
    a, b = [("a", s) for s in range(4)], [("b", s) for s in range(4)]
    for rest, found in (
        ("p = 'a' ORDER BY s", a),
        ("p = 'a' ORDER BY s DESC", a[::-1]),
        ("p = 'a' ORDER BY p ASC", a[::-1]),
        ("p IN ['a', 'b'] ORDER BY p DESC, s ASC", b + a),
        ("p IN ['b', 'a'] AND s IN [2, 1] ORDER BY p, s", [("a", 1), ("a", 2), ("b", 1), ("b", 2)]),
    ):
        assert keys(run(f"SELECT * FROM T WHERE {rest}")) == found, rest
    for rest, why in (
        ("ORDER BY s", "Must have WHERE clause in the statement when using ORDER BY clause."),
        ("WHERE p = 'a' ORDER BY z", "Attribute z in ORDER BY clause must be part of the primary key"),
        (
            "WHERE p > 'a' ORDER BY s",
            "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
        ),
        (
            "WHERE p IN ['a', 'b'] ORDER BY s",
            "Must have hash key in ORDER BY clause when more than one hash key condition specified in WHERE clause.",
        ),
    ):
        assert refused(f"SELECT * FROM T {rest}") == why


def test_indexes_are_read(run, refused, table):
    assert sorted(run("SELECT * FROM T.\"global\" WHERE g = 'g1'"), key=lambda found: found["p"]) == [
        {"p": p, "s": 1, "g": "g1", "a": f"{p}1"} for p in "abc"
    ]
    assert keys(run("SELECT * FROM T.\"local\" WHERE p = 'a' ORDER BY l")) == [("a", 3), ("a", 2), ("a", 1), ("a", 0)]
    assert run("SELECT z FROM T.\"local\" WHERE p = 'a' AND l > 'l8'") == [{"z": 0}]
    assert run("SELECT * FROM T.\"global\" WHERE z = 1") == []
    for statement, why in (
        ("SELECT * FROM T.\"no\" WHERE p = 'a'", "The table does not have the specified index"),
        ("SELECT z FROM T.\"global\" WHERE g = 'g1'", wrong("Global secondary index global does not project [z]")[2]),
        (
            "SELECT * FROM T.\"global\" WHERE g = 'g1' AND z = 1",
            wrong("Secondary index global does not project one or more filter attributes: [z]")[2],
        ),
    ):
        assert refused(statement) == why
    assert (
        refused("SELECT * FROM T.\"global\" WHERE g = 'g1'", ConsistentRead=True)
        == "Strongly consistent read is not supported on Global Secondary Indexes"
    )


@pytest.mark.parametrize(
    "rest",
    ["", "WHERE p IN ['a', 'c', 'no', 'b']", "WHERE p = 'a' AND z <> 1", "WHERE p IN ['a', 'b'] ORDER BY p DESC, s DESC"],
)
def test_pages(dynamodb, table, run, rest):
    statement = f"SELECT * FROM T {rest}"
    whole = run(statement)
    for limit in (1, 3, 5):
        request, found, pages = sent(table, statement), [], 0
        while True:
            page = dynamodb.execute_statement(**request, Limit=limit)
            assert len(page["Items"]) <= limit
            found += [plain(entry) for entry in page["Items"]]
            pages += 1
            if "NextToken" not in page:
                break
            request["NextToken"] = page["NextToken"]
        assert found == whole and pages >= len(whole) // limit


def test_a_page_ends_behind_a_megabyte(dynamodb, table):
    put(dynamodb, table, *({"p": p, "s": s, "x": "x" * 390_000} for p in "de" for s in range(4)))
    request, sizes = sent(table, "SELECT s FROM T WHERE p IN ['d', 'e']"), []
    while True:
        page = dynamodb.execute_statement(**request)
        sizes.append(len(page["Items"]))
        if "NextToken" not in page:
            break
        assert set(page["LastEvaluatedKey"]) == {"p", "s"}
        request["NextToken"] = page["NextToken"]
    assert sizes == [3, 4, 1]


def test_tokens_are_good_for_their_statement(dynamodb, table, refused):
    token = dynamodb.execute_statement(**sent(table, "SELECT * FROM T WHERE p = ?", "a"), Limit=1)["NextToken"]
    assert refused("SELECT * FROM T WHERE p = ?", "b", NextToken=token) == "NextToken does not match request"
    assert refused("SELECT * FROM T WHERE p = ?", "a", NextToken="garbage") == "Invalid NextToken"
    assert refused("DELETE FROM T WHERE p = 'a' AND s = 1", NextToken=token) == "Invalid NextToken"


def test_what_is_consumed_is_told(dynamodb, table):
    def consumed(statement, **more):
        answer = dynamodb.execute_statement(**sent(table, statement), ReturnConsumedCapacity="INDEXES", **more)
        return answer["ConsumedCapacity"]

    assert consumed("SELECT * FROM T WHERE p = 'a'")["CapacityUnits"] == 0.5
    assert consumed("SELECT * FROM T WHERE p IN ['a', 'b']", ConsistentRead=True)["CapacityUnits"] == 2
    of_index = consumed("SELECT * FROM T.\"global\" WHERE g = 'g1'")
    assert of_index["GlobalSecondaryIndexes"]["global"]["CapacityUnits"] == of_index["CapacityUnits"] == 0.5
    written = consumed("INSERT INTO T VALUE {'p': 'w', 's': 1, 'g': 'g'}")
    assert written["TableName"] == table and written["CapacityUnits"] == 2


def test_statements_that_cannot_be(dynamodb, table, refused):
    for statement, why in (
        ("SLECT * FROM T", f"{MALFORMED}Expected data manipulation"),
        ("SELECT * FROM T WHERE", f"{MALFORMED}Unexpected term"),
        ("SELECT * FROM T WHERE p = 'a' garbage", f"{MALFORMED}Unexpected token after expression"),
        ("UPDATE T SET z = 1", NO_KEY),
        ("UPDATE T SET z = 1 WHERE p = 'a'", NO_KEY),
        ("DELETE FROM T WHERE p = 'a' AND s > 1", NO_KEY),
        (
            "DELETE FROM T WHERE p = 'a' AND s = 1 AND p = 'b'",
            "Multiple conditions on same key p. Only single item Update/Insert/Delete are supported",
        ),
        ("UPDATE T SET z = 1 WHERE p = 'a' AND s = 'x'", "The provided key element does not match the schema"),
        ("UPDATE T SET p = 'x' WHERE p = 'a' AND s = 1", wrong("Cannot update attribute p. This attribute is part of the key")[2]),
        ("INSERT INTO T VALUE {'p': 'x'}", wrong("Missing the key s in the item")[2]),
        (
            "SELECT * FROM T WHERE p = 1",
            "Key attribute's data type should match its data type in table's schema: Key p",
        ),
        (
            "SELECT * FROM T WHERE p IN ['a', 'a']",
            "Overlapping conditions with range keys are not supported in where clause",
        ),
        (
            "UPDATE T SET q.x = 1 WHERE p = 'a' AND s = 1",
            "The document path provided in the update expression is invalid for update",
        ),
        (
            "EXISTS(SELECT * FROM T WHERE p = 'a' AND s = 1 AND z = 1)",
            "EXISTS can only be used in ExecuteTransaction write requests.",
        ),
    ):
        assert refused(statement) == why, statement
    wrong_number = "Number of parameters in request and statement don't match."
    assert refused("SELECT * FROM T WHERE p = ?") == refused("SELECT * FROM T", "a") == wrong_number
    for statement in ('SELECT * FROM "no-such-table"', "INSERT INTO \"no-such-table\" VALUE {'p': 1}"):
        assert error_of(dynamodb.execute_statement, Statement=statement) == NO_ITEM_TABLE
    assert error_of(dynamodb.execute_statement, Statement='SELECT * FROM "a"') == invalid(
        "Table name should be within the length [3, 255] and only contain 'a-z', 'A-Z', '0-9', '-', '_', '.'."
    )


def test_batches_read(dynamodb, table):
    def batch(*statements, **more):
        return dynamodb.batch_execute_statement(Statements=list(statements), **more)

    unkeyed = "Select statements within BatchExecuteStatement must specify the primary key in the where clause."
    answer = batch(
        sent(table, "SELECT a FROM T WHERE p = 'a' AND s = 1", ConsistentRead=True),
        sent(table, "SELECT * FROM T WHERE p = ? AND s = ?", "no", 1),
        sent(table, "SELECT * FROM T WHERE p = 'b'"),
        sent(table, "SELECT * FROM T WHERE p = 'b' AND s = 1 AND z = 1"),
        sent(table, "SLECT"),
        {"Statement": "SELECT * FROM \"no-such-table\" WHERE p = 'a'"},
        ReturnConsumedCapacity="TOTAL",
    )
    not_found = {"Code": "ResourceNotFound", "Message": "Requested resource not found"}
    assert answer["Responses"] == [
        {"TableName": table, "Item": item(a="a1")},
        {"TableName": table},
        {"Error": {"Code": "ValidationError", "Message": unkeyed}},
        {"Error": {"Code": "ValidationError", "Message": unkeyed}},
        {"Error": {"Code": "ValidationError", "Message": f"{MALFORMED}Expected data manipulation"}},
        {"Error": not_found},
    ]
    assert answer["ConsumedCapacity"] == [{"TableName": table, "CapacityUnits": 1.5}]


def test_batches_write(dynamodb, table):
    def batch(*statements):
        return dynamodb.batch_execute_statement(Statements=list(statements))["Responses"]

    answer = batch(
        sent(table, "INSERT INTO T VALUE {'p': 'new', 's': 1}"),
        sent(table, "INSERT INTO T VALUE {'p': 'a', 's': 0}"),
        sent(table, "UPDATE T SET z = 9 WHERE p = 'a' AND s = 1 RETURNING MODIFIED NEW *"),
        sent(table, "UPDATE T SET z = 9 WHERE p = 'a' AND s = 2 AND z = 1", ReturnValuesOnConditionCheckFailure="ALL_OLD"),
        sent(table, "DELETE FROM T WHERE p = 'a' AND s = 3"),
    )
    failed = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
    assert answer == [
        {"TableName": table},
        {"TableName": table, "Error": {"Code": "DuplicateItem", "Message": DUPLICATE}},
        {"TableName": table, "Item": item(z=9)},
        {"TableName": table, "Error": {**failed, "Item": item(p="a", s=2, g="g2", l="l7", a="a2", z=2)}},
        {"TableName": table},
    ]
    assert sorted(keys(scanned(dynamodb, table)))[:4] == [("a", 0), ("a", 1), ("a", 2), ("b", 0)]

    def refused(*statements):
        return error_of(dynamodb.batch_execute_statement, Statements=list(statements))

    read = sent(table, "SELECT * FROM T WHERE p = 'a' AND s = 1")
    write = sent(table, "UPDATE T SET z = 0 WHERE p = 'a' AND s = 1")
    assert refused(read, write) == invalid("Read and write requests together in the same batch is not supported.")
    assert refused(write, write) == invalid("Provided list of item keys contains duplicates")
    assert get(dynamodb, table, p="a", s=1)["z"] == 9
    assert refused(*[read] * 26)[1] == "ValidationException"


def test_transactions_write_all_or_nothing(dynamodb, table):
    def transact(*statements, **more):
        return dynamodb.execute_transaction(TransactStatements=[sent(table, one) for one in statements], **more)

    def cancelled(*statements):
        error = answer_of_error(transact, *statements)
        assert error["Error"]["Code"] == "TransactionCanceledException", error
        codes = [reason["Code"] for reason in error["CancellationReasons"]]
        assert error["Error"]["Message"] == f"{CANCELLED}[{', '.join(codes)}]"
        return error["CancellationReasons"]

    transact(
        "EXISTS(SELECT * FROM T WHERE p = 'b' AND s = 1 AND q IS MISSING)",
        "INSERT INTO T VALUE {'p': 'new', 's': 1}",
        "UPDATE T SET z = z + 8 WHERE p = 'a' AND s = 1",
        "DELETE FROM T WHERE p = 'a' AND s = 2",
    )
    assert get(dynamodb, table, p="a", s=1)["z"] == 9 and get(dynamodb, table, p="a", s=2) is None
    assert get(dynamodb, table, p="new", s=1) == {"p": "new", "s": 1}
    none = {"Code": "None"}
    failed = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
    mismatch = {"Code": "ValidationError", "Message": "The provided key element does not match the schema"}
    write = "UPDATE T SET z = 0 WHERE p = 'a' AND s = 1"
    for statement, reason in (
        ("INSERT INTO T VALUE {'p': 'new', 's': 1}", {"Code": "DuplicateItem", "Message": DUPLICATE}),
        ("UPDATE T SET z = 0 WHERE p = 'no' AND s = 1", failed),
        ("EXISTS(SELECT * FROM T WHERE p = 'b' AND s = 1 AND z = 2)", failed),
        ("UPDATE T SET z = 0 WHERE p = 'b'", mismatch),
        (
            "UPDATE \"no-such-table\" SET z = 0 WHERE p = 'b'",
            {"Code": "ResourceNotFound", "Message": "Requested resource not found"},
        ),
    ):
        assert cancelled(statement, write) == [reason, none], statement
    assert get(dynamodb, table, p="a", s=1)["z"] == 9


def test_transactions_read_at_one_moment(dynamodb, table):
    answer = dynamodb.execute_transaction(
        TransactStatements=[
            sent(table, "SELECT * FROM T WHERE p = 'a' AND s = 1"),
            sent(table, "SELECT z FROM T WHERE p = ? AND s IN [3]", "b"),
            sent(table, "SELECT z FROM T WHERE p = 'no' AND s = 3"),
        ],
        ReturnConsumedCapacity="TOTAL",
    )
    found = [entry.get("Item") and plain(entry["Item"]) for entry in answer["Responses"]]
    assert found == [{"p": "a", "s": 1, "g": "g1", "l": "l8", "a": "a1", "z": 1}, {"z": 3}, None]
    assert answer["ConsumedCapacity"][0]["ReadCapacityUnits"] == 6


def test_transactions_that_cannot_be(dynamodb, table):
    def refused(*statements):
        return error_of(dynamodb.execute_transaction, TransactStatements=[sent(table, one) for one in statements])

    read, write = "SELECT * FROM T WHERE p = 'a' AND s = 1", "UPDATE T SET z = 0 WHERE p = 'a' AND s = 1"
    assert refused(read, write) == invalid(
        "ExecuteTransaction API does not support both read and write operations in the same request."
    )
    twice = "Transaction request cannot include multiple operations on one item"
    assert refused(write, write) == refused(read, read) == invalid(twice)
    unkeyed = "Select statements within ExecuteTransaction must specify the primary key in the where clause."
    for statement, why in (
        ("SELECT * FROM T WHERE", f"{MALFORMED}Unexpected term"),
        ("SELECT * FROM T WHERE p = 'b'", unkeyed),
        ("SELECT * FROM T.\"global\" WHERE g = 'g1'", "Reads on indices are not supported within transactions."),
    ):
        assert refused(read, statement) == invalid(f"Validation failed in TransactStatements[1]: {why}")
    for statement, why in (
        (
            "UPDATE T SET z = 0 WHERE p = 'b' AND s = 1 RETURNING ALL NEW *",
            "RETURNING clause is not supported in ExecuteTransaction.",
        ),
        (
            "EXISTS(SELECT * FROM T WHERE p = 'b' AND s = 1)",
            "EXISTS() must contain a single item read with additional condition",
        ),
    ):
        assert refused(write, statement) == invalid(f"Validation failed in TransactStatements[1]: {why}")


def test_a_transaction_is_done_once_under_a_token(dynamodb, table):
    def transact(amount, token):
        return dynamodb.execute_transaction(
            TransactStatements=[sent(table, "UPDATE T SET z = z + ? WHERE p = 'a' AND s = 1", amount)],
            ClientRequestToken=token,
            ReturnConsumedCapacity="TOTAL",
        )["ConsumedCapacity"][0]

    assert transact(1, "token")["WriteCapacityUnits"] == 2
    assert transact(1, "token")["ReadCapacityUnits"] == 2
    assert get(dynamodb, table, p="a", s=1)["z"] == 2
    assert error_of(transact, 2, "token")[1] == "IdempotentParameterMismatchException"
    transact(1, "other")
    assert get(dynamodb, table, p="a", s=1)["z"] == 3
