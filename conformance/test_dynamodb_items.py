"""Items of DynamoDB through boto3: put, read, updated and deleted in both dialects, alone and in batches."""

import decimal
from concurrent.futures import ThreadPoolExecutor

import pytest

from tables import (
    FAILED, NO_ITEM_TABLE, PATIENT, answer_of_error, error_of, get, index_of, invalid, item, make, plain, put, scanned,
    values, wrong,
)

BOTH = "Can not use both expression and non-expression parameters in the same request: "
# What the second of two updates leaves.
SECOND = {"p": "a", "n": 2, "m": {"x": 3, "y": 2}, "new": "z"}
NO_KEY = "The provided key element does not match the schema"


@pytest.fixture
def dynamodb(client):
    return client("dynamodb", **PATIENT)


@pytest.fixture
def table(dynamodb, name):
    return make(dynamodb, name)


def update(dynamodb, table, expression, p="a", **more):
    """Updates an item; gives the attributes that are returned, as plain values."""
    done = dynamodb.update_item(TableName=table, Key=item(p=p), UpdateExpression=expression, **more)
    return plain(done["Attributes"]) if "Attributes" in done else None


def test_every_type_comes_back(dynamodb, table):
    every = {
        "p": {"S": "grüße 🚕"}, "empty": {"S": ""}, "number": {"N": "-12.5"}, "binary": {"B": b"\x00\xff"},
        "none": {"B": b""}, "yes": {"BOOL": True}, "no": {"BOOL": False}, "null": {"NULL": True},
        "list": {"L": [{"N": "1"}, {"L": []}, {"M": {}}]}, "map": {"M": {"": {"S": "x"}, "a.b": {"NULL": True}}},
        "strings": {"SS": ["a", "b"]}, "numbers": {"NS": ["1", "2"]}, "binaries": {"BS": [b"a", b"b"]},
    }
    every["map"]["M"].pop("")
    dynamodb.put_item(TableName=table, Item=every)
    found = dynamodb.get_item(TableName=table, Key={"p": every["p"]})["Item"]
    for kind, name in (("SS", "strings"), ("NS", "numbers"), ("BS", "binaries")):
        found[name][kind].sort()
    assert found == every


@pytest.mark.parametrize(
    "sent, kept",
    [
        ("0", "0"), ("-0", "0"), ("0.0", "0"), ("1.50", "1.5"), ("1E+2", "100"), ("001", "1"), (".5", "0.5"), ("5.", "5"),
        ("12345678901234567890123456789012345678", None), ("0.12345678901234567890123456789012345678", None),
        ("-12345678901234567890.123456789012345678", None), ("1e-3", "0.001"), ("100000E-5", "1"),
        ("9.9999999999999999999999999999999999999E+125", "9" * 38 + "0" * 88), ("1E-130", "0." + "0" * 129 + "1"),
    ],
)
def test_numbers_have_38_digits_and_one_form(dynamodb, table, sent, kept):
    dynamodb.put_item(TableName=table, Item={"p": {"S": "a"}, "n": {"N": sent}})
    assert dynamodb.get_item(TableName=table, Key=item(p="a"))["Item"]["n"]["N"] == (kept or sent)


@pytest.mark.parametrize(
    "sent, text",
    [
        ("123456789012345678901234567890123456789", "Attempting to store more than 38 significant digits in a Number"),
        ("1E+126", "Number overflow. Attempting to store a number with magnitude larger than supported range"),
        ("1E-131", "Number underflow. Attempting to store a number with magnitude smaller than supported range"),
        ("one", "The parameter cannot be converted to a numeric value: one"),
        ("NaN", "The parameter cannot be converted to a numeric value: NaN"),
    ],
)
def test_numbers_that_cannot_be(dynamodb, table, sent, text):
    assert error_of(dynamodb.put_item, TableName=table, Item={"p": {"S": "a"}, "n": {"N": sent}}) == invalid(text)


def test_arithmetic_is_exact(dynamodb, table):
    large = decimal.Decimal("12345678901234567890123456789012345678")
    put(dynamodb, table, {"p": "a", "n": large})
    less = {"ExpressionAttributeValues": values(one=1), "ReturnValues": "ALL_NEW"}
    assert update(dynamodb, table, "SET n = n - :one", **less)["n"] == decimal.Decimal(int(large) - 1)
    put(dynamodb, table, {"p": "a", "n": decimal.Decimal("0.1")})
    more = {"ExpressionAttributeValues": values(m=decimal.Decimal("0.2")), "ReturnValues": "UPDATED_NEW"}
    assert update(dynamodb, table, "ADD n :m", **more) == {"n": decimal.Decimal("0.3")}


def test_a_put_replaces_and_tells_what_was(dynamodb, table):
    assert "Attributes" not in dynamodb.put_item(TableName=table, Item=item(p="a", n=1), ReturnValues="ALL_OLD")
    old = dynamodb.put_item(TableName=table, Item=item(p="a", m=2), ReturnValues="ALL_OLD")["Attributes"]
    assert plain(old) == {"p": "a", "n": 1} and get(dynamodb, table, p="a") == {"p": "a", "m": 2}
    deleted = dynamodb.delete_item(TableName=table, Key=item(p="a"), ReturnValues="ALL_OLD")["Attributes"]
    assert plain(deleted) == {"p": "a", "m": 2} and get(dynamodb, table, p="a") is None
    assert "Attributes" not in dynamodb.delete_item(TableName=table, Key=item(p="a"), ReturnValues="ALL_OLD")
    for call, more in ((dynamodb.put_item, {"Item": item(p="a")}), (dynamodb.delete_item, {"Key": item(p="a")})):
        refused = error_of(call, TableName=table, ReturnValues="ALL_NEW", **more)
        assert refused == invalid("ReturnValues can only be ALL_OLD or NONE")


@pytest.mark.parametrize(
    "returned, old, new",
    [
        ("NONE", None, None),
        ("ALL_OLD", None, {"p": "a", "n": 1, "m": {"x": 1, "y": 2}, "gone": "g"}),
        ("ALL_NEW", {"p": "a", "n": 1, "m": {"x": 1, "y": 2}, "gone": "g"}, SECOND),
        ("UPDATED_OLD", None, {"n": 1, "m": {"x": 1}, "gone": "g"}),
        ("UPDATED_NEW", {"n": 1, "m": {"x": 1, "y": 2}, "gone": "g"}, {"n": 2, "m": {"x": 3}, "new": "z"}),
    ],
)
def test_what_an_update_returns(dynamodb, table, returned, old, new):
    made = {"n": 1, "m": {"x": 1, "y": 2}, "gone": "g"}
    first = update(
        dynamodb, table, "SET n = :n, m = :m, gone = :gone", ReturnValues=returned,
        ExpressionAttributeValues=values(**made),
    )
    assert first == old
    second = update(
        dynamodb, table, "SET n = n + :one, #m.x = :three, #new = if_not_exists(#new, :z) REMOVE gone",
        ReturnValues=returned, ExpressionAttributeNames={"#m": "m", "#new": "new"},
        ExpressionAttributeValues=values(one=1, three=3, z="z"),
    )
    assert second == new
    assert get(dynamodb, table, p="a") == SECOND


def test_updates_of_all_kinds(dynamodb, table):
    put(dynamodb, table, {"p": "a", "list": [1, 2, 3], "set": {"x", "y"}, "n": 5})
    update(
        dynamodb, table,
        "SET #l[1] = :two, #l[9] = :end, joined = list_append(#l, :more) REMOVE #l[0] ADD #s :z, n :minus, fresh :one",
        ExpressionAttributeNames={"#l": "list", "#s": "set"},
        ExpressionAttributeValues=values(two="two", end="end", more=[4], z={"z"}, minus=-7, one=1),
    )
    assert get(dynamodb, table, p="a") == {
        "p": "a", "list": ["two", 3, "end"], "joined": [1, 2, 3, 4], "set": {"x", "y", "z"}, "n": -2, "fresh": 1,
    }
    update(
        dynamodb, table, "DELETE #s :all", ExpressionAttributeNames={"#s": "set"},
        ExpressionAttributeValues=values(all={"x", "y", "z"}),
    )
    assert "set" not in get(dynamodb, table, p="a"), "a set is never empty"


def test_an_update_makes_an_item_of_its_key_alone(dynamodb, table):
    dynamodb.update_item(TableName=table, Key=item(p="a"))
    assert get(dynamodb, table, p="a") == {"p": "a"}
    update(dynamodb, table, "REMOVE nothing", p="b")
    assert get(dynamodb, table, p="b") is None, "an update that only takes away makes nothing"


def test_conditions_hold_or_the_write_is_not_done(dynamodb, table):
    absent = {"ConditionExpression": "attribute_not_exists(p)"}
    dynamodb.put_item(TableName=table, Item=item(p="a", n=1, tags=["x", "y"], kind="taxi"), **absent)
    refused = answer_of_error(
        dynamodb.put_item, TableName=table, Item=item(p="a"), ReturnValuesOnConditionCheckFailure="ALL_OLD", **absent
    )
    assert plain(refused["Item"]) == {"p": "a", "n": 1, "tags": ["x", "y"], "kind": "taxi"}
    assert refused["Error"] == {"Code": FAILED[1], "Message": FAILED[2]}
    assert "Item" not in answer_of_error(dynamodb.put_item, TableName=table, Item=item(p="a"), **absent)

    def check(condition, **sent):
        more = {"ExpressionAttributeValues": values(**sent)} if sent else {}
        return error_of(
            dynamodb.delete_item, TableName=table, Key=item(p="a"), ConditionExpression=f"NOT ({condition})", **more
        )

    for condition, sent in [
        ("n = :one AND attribute_exists(kind)", {"one": 1}),
        ("n BETWEEN :zero AND :one", {"zero": 0, "one": 1}),
        ("n IN (:zero, :one)", {"zero": 0, "one": 1}),
        ("begins_with(kind, :t) AND contains(tags, :y) AND size(tags) = :two", {"t": "ta", "y": "y", "two": 2}),
        ("attribute_type(kind, :string) OR n > :one", {"string": "S", "one": 1}),
        ("tags[1] = :y AND NOT tags[0] = :y", {"y": "y"}),
        ("n <> :text", {"text": "1"}),
    ]:
        assert check(condition, **sent) == FAILED, condition
    missing = error_of(
        dynamodb.update_item, TableName=table, Key=item(p="none"), UpdateExpression="SET n = :n",
        ConditionExpression="attribute_exists(p)", ExpressionAttributeValues=values(n=1),
    )
    assert missing == FAILED and get(dynamodb, table, p="none") is None


def test_the_older_dialect(dynamodb, table):
    expected = lambda **more: {name: {"AttributeValueList": [], **wanted} for name, wanted in more.items()}
    dynamodb.put_item(TableName=table, Item=item(p="a", n=1, list=["x"]), Expected={"p": {"Exists": False}})
    assert error_of(
        dynamodb.put_item, TableName=table, Item=item(p="a"), Expected={"p": {"Exists": False}}
    ) == FAILED
    changed = dynamodb.update_item(
        TableName=table, Key=item(p="a"), ReturnValues="ALL_NEW",
        AttributeUpdates={
            "n": {"Action": "ADD", "Value": {"N": "2"}}, "list": {"Action": "DELETE"}, "new": {"Value": {"S": "z"}},
            "set": {"Action": "ADD", "Value": {"SS": ["x"]}},
        },
        Expected={"n": {"Value": {"N": "1"}}, "none": {"Exists": False}},
    )["Attributes"]
    assert plain(changed) == {"p": "a", "n": 3, "new": "z", "set": {"x"}}
    either = {
        "n": {"ComparisonOperator": "GT", "AttributeValueList": [{"N": "5"}]},
        "new": {"ComparisonOperator": "BEGINS_WITH", "AttributeValueList": [{"S": "z"}]},
    }
    refused = error_of(
        dynamodb.delete_item, TableName=table, Key=item(p="a"), Expected=either, ConditionalOperator="AND"
    )
    assert refused == FAILED
    found = dynamodb.get_item(TableName=table, Key=item(p="a"), AttributesToGet=["new", "none"])["Item"]
    assert plain(found) == {"new": "z"}
    dynamodb.delete_item(TableName=table, Key=item(p="a"), Expected=either, ConditionalOperator="OR")
    assert get(dynamodb, table, p="a") is None


def test_the_two_dialects_do_not_mix(dynamodb, table):
    mixed = error_of(
        dynamodb.put_item, TableName=table, Item=item(p="a"), Expected={"p": {"Exists": False}},
        ConditionExpression="attribute_not_exists(p)",
    )
    assert mixed == invalid(
        f"{BOTH}Non-expression parameters: {{Expected}} Expression parameters: {{ConditionExpression}}"
    )
    mixed = error_of(
        dynamodb.update_item, TableName=table, Key=item(p="a"), AttributeUpdates={"n": {"Action": "DELETE"}},
        UpdateExpression="REMOVE n",
    )
    assert mixed == invalid(
        f"{BOTH}Non-expression parameters: {{AttributeUpdates}} Expression parameters: {{UpdateExpression}}"
    )


def test_projections(dynamodb, table):
    put(dynamodb, table, {"p": "a", "m": {"x": 1, "y": [10, 20, 30]}, "n": 1, "size": 2})
    found = dynamodb.get_item(
        TableName=table, Key=item(p="a"), ProjectionExpression="m.y[2], m.y[0], #size, nothing",
        ExpressionAttributeNames={"#size": "size"},
    )["Item"]
    assert plain(found) == {"m": {"y": [10, 30]}, "size": 2}
    nothing = dynamodb.get_item(TableName=table, Key=item(p="a"), ProjectionExpression="nothing")
    assert nothing["Item"] == {}
    assert "Item" not in dynamodb.get_item(TableName=table, Key=item(p="none"), ProjectionExpression="nothing")


@pytest.mark.parametrize(
    "request_, text",
    [
        ({"ConditionExpression": "attribute_not_exists(#p)"}, "Invalid ConditionExpression: An expression attribute "
         "name used in the document path is not defined; attribute name: #p"),
        ({"ConditionExpression": "p = :p"}, "Invalid ConditionExpression: An expression attribute value used in "
         "expression is not defined; attribute value: :p"),
        ({"ConditionExpression": "((attribute_exists(p)))"}, "Invalid ConditionExpression: The expression has "
         "redundant parentheses;"),
        ({"ConditionExpression": "p ="}, 'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "="'),
        ({"ConditionExpression": ""}, "Invalid ConditionExpression: The expression can not be empty;"),
        ({"ConditionExpression": "attribute_exists(name)"}, "Invalid ConditionExpression: Attribute name is a "
         "reserved keyword; reserved keyword: name"),
        ({"ConditionExpression": "attribute_exists(p)", "ExpressionAttributeNames": {"#a": "a"}}, "Value provided in "
         "ExpressionAttributeNames unused in expressions: keys: {#a}"),
        ({"ConditionExpression": "attribute_exists(p)", "ExpressionAttributeValues": {":a": {"S": "a"}}}, "Value "
         "provided in ExpressionAttributeValues unused in expressions: keys: {:a}"),
        ({"ExpressionAttributeValues": {":a": {"S": "a"}}}, "ExpressionAttributeValues can only be specified when "
         "using expressions: ConditionExpression is null"),
        ({"ConditionExpression": "p = p"}, "Invalid ConditionExpression: The first operand must be distinct from the "
         "remaining operands for this operator or function; operator: =, first operand: [p]"),
        ({"ConditionExpression": "nonsense(p)"}, "Invalid ConditionExpression: Invalid function name; function: "
         "nonsense"),
        ({"ConditionExpression": "a = :a" + " AND a = :a" * 400, "ExpressionAttributeValues": {":a": {"S": "a"}}},
         "Invalid ConditionExpression: Expression size has exceeded the maximum allowed size; expression size: 4406"),
        ({"Item": {"n": {"N": "1"}}}, "One or more parameter values were invalid: Missing the key p in the item"),
        ({"Item": {"p": {"N": "1"}}}, "One or more parameter values were invalid: Type mismatch for key p expected: "
         "S actual: N"),
        ({"Item": {"p": {"S": ""}}}, "One or more parameter values are not valid. The AttributeValue for a key "
         "attribute cannot contain an empty string value. Key: p"),
    ],
)
def test_what_a_put_says_that_cannot_be(dynamodb, table, request_, text):
    refused = error_of(dynamodb.put_item, **{"TableName": table, "Item": item(p="a"), **request_})
    assert refused == invalid(text)


@pytest.mark.parametrize(
    "expression, sent, text",
    [
        ("SET p = :a", {"a": "b"}, "One or more parameter values were invalid: Cannot update attribute p. This "
         "attribute is part of the key"),
        ("SET n = nothing + :a", {"a": 1}, "The provided expression refers to an attribute that does not exist in the "
         "item"),
        ("SET n = n + :a", {"a": 1}, "An operand in the update expression has an incorrect data type"),
        ("SET nothing.x = :a", {"a": 1}, "The document path provided in the update expression is invalid for update"),
        ("SET n = :a SET m = :a", {"a": 1}, 'Invalid UpdateExpression: The "SET" section can only be used once in an '
         "update expression;"),
        ("SET n = :a, n = :a", {"a": 1}, "Invalid UpdateExpression: Two document paths overlap with each other; must "
         "remove or rewrite one of these paths; path one: [n], path two: [n]"),
        ("ADD n :a", {"a": 1}, "An operand in the update expression has an incorrect data type"),
    ],
)
def test_what_an_update_says_that_cannot_be(dynamodb, table, expression, sent, text):
    put(dynamodb, table, {"p": "a", "n": "text"})
    more = {"UpdateExpression": expression, "ExpressionAttributeValues": values(**sent)}
    assert error_of(dynamodb.update_item, TableName=table, Key=item(p="a"), **more) == invalid(text)
    assert get(dynamodb, table, p="a") == {"p": "a", "n": "text"}


def test_keys_are_the_tables(dynamodb, name):
    make(dynamodb, name, {"p": "S", "s": "N"}, ("p", "s"))
    for key in (item(p="a"), item(p="a", s="1"), item(p="a", s=1, t=1), item(q="a", s=1)):
        assert error_of(dynamodb.get_item, TableName=name, Key=key) == invalid(NO_KEY)
        assert error_of(dynamodb.delete_item, TableName=name, Key=key) == invalid(NO_KEY)
    nowhere = f"{name}-none"
    for call, more in (
        (dynamodb.get_item, {"Key": item(p="a")}), (dynamodb.put_item, {"Item": item(p="a")}),
        (dynamodb.delete_item, {"Key": item(p="a")}), (dynamodb.update_item, {"Key": item(p="a")}), (dynamodb.scan, {}),
    ):
        assert error_of(call, TableName=nowhere, **more) == NO_ITEM_TABLE


def test_sizes(dynamodb, name):
    make(dynamodb, name, {"p": "S", "s": "S"}, ("p", "s"))
    rest = 400 * 1024 - len("p" + "a" + "s" + "b" + "text")
    put(dynamodb, name, {"p": "a", "s": "b", "text": "x" * rest})
    large = error_of(dynamodb.put_item, TableName=name, Item=item(p="a", s="b", text="x" * (rest + 1)))
    assert large == invalid("Item size has exceeded the maximum allowed size")
    larger = error_of(
        dynamodb.update_item, TableName=name, Key=item(p="a", s="b"), UpdateExpression="SET y = :y",
        ExpressionAttributeValues=values(y=""),
    )
    assert larger == invalid("Item size to update has exceeded the maximum allowed size")
    put(dynamodb, name, {"p": "ä" * 1024, "s": "s" * 1024})
    assert get(dynamodb, name, p="ä" * 1024, s="s" * 1024)
    assert error_of(dynamodb.put_item, TableName=name, Item=item(p="p" * 2049, s="s")) == wrong(
        "Size of hashkey has exceeded the maximum size limit of2048 bytes"
    )
    assert error_of(dynamodb.put_item, TableName=name, Item=item(p="p", s="s" * 1025)) == wrong(
        "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
    )


def test_expressions_have_bounds(dynamodb, table):
    scan = lambda filter, **more: error_of(
        dynamodb.scan, TableName=table, FilterExpression=filter, ExpressionAttributeValues=values(v=1), **more
    )
    many = ", ".join([":v"] * 101)
    assert scan(f"n IN ({many})") == invalid(
        "Invalid FilterExpression: The IN operator is provided with too many operands; number of operands: 101"
    )
    assert scan(" OR ".join(["n = :v"] * 151)) == invalid(
        "Invalid FilterExpression: The expression contains too many operators; operator count: 301"
    )
    dynamodb.scan(
        TableName=table, FilterExpression=" OR ".join(["n = :v"] * 150), ExpressionAttributeValues=values(v=1)
    )
    assert scan("n = :v", ProjectionExpression="m, m.x") == invalid(
        "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one of these "
        "paths; path one: [m], path two: [m, x]"
    )


def nested(levels):
    value = {"S": "x"}
    for _ in range(levels):
        value = {"L": [value]}
    return value


def test_values_are_nested_32_deep(dynamodb, table):
    dynamodb.put_item(TableName=table, Item={"p": {"S": "a"}, "deep": nested(31)})
    assert dynamodb.get_item(TableName=table, Key=item(p="a"))["Item"]["deep"] == nested(31)
    deeper = error_of(dynamodb.put_item, TableName=table, Item={"p": {"S": "a"}, "deep": nested(32)})
    assert deeper == invalid(
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
    )


def test_indexes_watch_the_kinds_of_their_keys(dynamodb, name):
    make(dynamodb, name, {"p": "S", "g": "N"}, GlobalSecondaryIndexes=[index_of("by-g", "g")])
    assert error_of(dynamodb.put_item, TableName=name, Item=item(p="a", g="text")) == wrong(
        "Type mismatch for Index Key g Expected: N Actual: S IndexName: by-g"
    )
    put(dynamodb, name, {"p": "a"}, {"p": "b", "g": 1})
    refused = error_of(
        dynamodb.update_item, TableName=name, Key=item(p="a"), UpdateExpression="SET g = :g",
        ExpressionAttributeValues=values(g="text"),
    )
    assert refused[:2] == (400, "ValidationException")
    assert scanned(dynamodb, name, IndexName="by-g") == [{"p": "b", "g": 1}]


def test_batches_of_writes_and_reads(dynamodb, table, name):
    other = make(dynamodb, f"{name}-other")
    puts = [{"PutRequest": {"Item": item(p=f"{n:02}", n=n)}} for n in range(20)]
    answer = dynamodb.batch_write_item(RequestItems={table: puts, other: puts[:5]}, ReturnConsumedCapacity="TOTAL")
    assert answer["UnprocessedItems"] == {}
    taken = {taken["TableName"]: taken["CapacityUnits"] for taken in answer["ConsumedCapacity"]}
    assert taken == {table: 20, other: 5}
    deletes = [{"DeleteRequest": {"Key": item(p=f"{n:02}")}} for n in range(0, 20, 2)]
    dynamodb.batch_write_item(RequestItems={table: deletes})
    keys = [item(p=f"{n:02}") for n in range(20)]
    answer = dynamodb.batch_get_item(
        RequestItems={table: {"Keys": keys, "ProjectionExpression": "n"}, other: {"Keys": keys, "ConsistentRead": True}}
    )
    assert answer["UnprocessedKeys"] == {}
    assert sorted(plain(found)["n"] for found in answer["Responses"][table]) == list(range(1, 20, 2))
    assert sorted(plain(found)["p"] for found in answer["Responses"][other]) == [f"{n:02}" for n in range(5)]


def test_a_batch_that_cannot_be(dynamodb, table):
    puts = lambda count: {table: [{"PutRequest": {"Item": item(p=str(n))}} for n in range(count)]}
    keys = lambda count: {table: {"Keys": [item(p=str(n)) for n in range(count)]}}
    twice = "Provided list of item keys contains duplicates"
    assert error_of(dynamodb.batch_write_item, RequestItems={table: puts(1)[table] * 2}) == invalid(twice)
    assert error_of(dynamodb.batch_get_item, RequestItems={table: {"Keys": [item(p="a")] * 2}}) == invalid(twice)
    assert error_of(dynamodb.batch_write_item, RequestItems=puts(26))[:2] == (400, "ValidationException")
    assert error_of(dynamodb.batch_get_item, RequestItems=keys(101))[:2] == (400, "ValidationException")
    assert error_of(dynamodb.batch_get_item, RequestItems={f"{table}-none": {"Keys": [item(p="a")]}}) == NO_ITEM_TABLE
    assert scanned(dynamodb, table) == [], "nothing of a batch that was refused is written"


def test_what_a_batch_has_no_room_for_is_told(dynamodb, table):
    """An answer has 16 MB; what is left is asked for again as it was told."""
    for n in range(50):
        put(dynamodb, table, {"p": f"{n}", "text": "x" * 390_000})
    wanted, found, answers = {table: {"Keys": [item(p=f"{n}") for n in range(50)], "ConsistentRead": True}}, [], 0
    while wanted:
        answer = dynamodb.batch_get_item(RequestItems=wanted)
        found += [plain(entry)["p"] for entry in answer["Responses"][table]]
        wanted, answers = answer["UnprocessedKeys"], answers + 1
    assert sorted(found, key=int) == [str(n) for n in range(50)] and answers == 2


def test_what_requests_cost(dynamodb, name):
    make(dynamodb, name, {"p": "S", "g": "S"}, GlobalSecondaryIndexes=[index_of("by-g", "g")])
    told = {"TableName": name, "ReturnConsumedCapacity": "INDEXES"}
    written = dynamodb.put_item(Item=item(p="a", g="g", text="x" * 1500), **told)["ConsumedCapacity"]
    assert written["CapacityUnits"] == 4 and written["Table"]["CapacityUnits"] == 2
    assert written["GlobalSecondaryIndexes"]["by-g"]["CapacityUnits"] == 2
    read = lambda consistent: dynamodb.get_item(Key=item(p="a"), ConsistentRead=consistent, **told)["ConsumedCapacity"]
    assert (read(True)["CapacityUnits"], read(False)["CapacityUnits"]) == (1, 0.5)


def test_collections_are_told_of_tables_with_local_indexes(dynamodb, name):
    make(
        dynamodb, name, {"p": "S", "s": "S", "l": "S"}, ("p", "s"),
        LocalSecondaryIndexes=[index_of("by-l", "p", "l")],
    )
    told = dynamodb.put_item(TableName=name, Item=item(p="a", s="b"), ReturnItemCollectionMetrics="SIZE")
    assert told["ItemCollectionMetrics"]["ItemCollectionKey"] == item(p="a")


def test_one_of_many_writers_at_a_time(dynamodb, table, server):
    """A counter that a hundred conditional updates race for gets each number once."""
    put(dynamodb, table, {"p": "counter", "n": 0})
    client = server.client("dynamodb", max_pool_connections=8, **PATIENT)

    def count(_):
        add = {"UpdateExpression": "SET n = n + :one", "ExpressionAttributeValues": values(one=1)}
        done = client.update_item(TableName=table, Key=item(p="counter"), ReturnValues="UPDATED_NEW", **add)
        return int(done["Attributes"]["n"]["N"])

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(count, range(200))) == list(range(1, 201))

    def take(owner):
        free = {"Item": item(p="lock", owner=owner), "ConditionExpression": "attribute_not_exists(p)"}
        try:
            client.put_item(TableName=table, **free)
            return owner
        except client.exceptions.ConditionalCheckFailedException:
            return None

    with ThreadPoolExecutor(8) as pool:
        [owner] = [owner for owner in pool.map(take, range(16)) if owner is not None]
    assert get(dynamodb, table, p="lock")["owner"] == owner
