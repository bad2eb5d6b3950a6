"""Queries and scans of DynamoDB through boto3: ranges, pages, filters, segments, and indexes of both kinds."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from headwater import wait_for
from tables import (
    PATIENT, all_of, defined, error_of, fill, index_of, invalid, item, make, plain, put, scanned, values, wait_active, wrong,
)


@pytest.fixture
def dynamodb(client):
    return client("dynamodb", **PATIENT)


@pytest.fixture(scope="module")
def trips(client):
    """A table of 300 trips: by place and number; by driver, who is not always known; by place and fare."""
    dynamodb = client("dynamodb", **PATIENT)
    make(
        dynamodb, "trips-queried", {"place": "S", "n": "N", "driver": "S", "fare": "N"}, ("place", "n"),
        LocalSecondaryIndexes=[index_of("by-fare", "place", "fare", projected=["driver"])],
        GlobalSecondaryIndexes=[index_of("by-driver", "driver", "n"), index_of("keys", "driver", projected="KEYS_ONLY")],
    )
    fill(dynamodb, "trips-queried", TRIPS)
    return "trips-queried"


def trip(n):
    trip = {"place": f"place-{n % 3}", "n": n - 150, "fare": n * 7 % 50, "name": f"trip {n}"}
    return trip if n % 5 == 0 else {**trip, "driver": f"driver-{n % 4}"}


TRIPS = [trip(n) for n in range(300)]


def at(place):
    return sorted((trip for trip in TRIPS if trip["place"] == place), key=lambda trip: trip["n"])


def of(driver):
    return [trip for trip in TRIPS if trip.get("driver") == driver]


def by_n(items):
    return sorted(items, key=lambda item: item["n"])


def query(dynamodb, table, keys, sent, **more):
    request = {"TableName": table, "KeyConditionExpression": keys, "ExpressionAttributeValues": values(**sent)}
    return all_of(dynamodb.query, **request, **more)


def test_a_query_gives_a_partition_in_the_order_of_numbers(dynamodb, trips):
    wanted = at("place-1")
    assert query(dynamodb, trips, "place = :p", {"p": "place-1"}) == wanted
    assert query(dynamodb, trips, "place = :p", {"p": "place-1"}, ScanIndexForward=False) == wanted[::-1]
    assert query(dynamodb, trips, "place = :p", {"p": "none"}) == []


@pytest.mark.parametrize(
    "keys, sent, holds",
    [
        ("n = :a", {"a": -149}, lambda n: n == -149),
        ("n < :a", {"a": -10}, lambda n: n < -10),
        ("n <= :a", {"a": -11}, lambda n: n <= -11),
        ("n > :a", {"a": 100}, lambda n: n > 100),
        ("n >= :a", {"a": 100}, lambda n: n >= 100),
        ("n BETWEEN :a AND :b", {"a": -20, "b": 20}, lambda n: -20 <= n <= 20),
    ],
)
@pytest.mark.parametrize("forward", [True, False])
def test_ranges(dynamodb, trips, keys, sent, holds, forward):
    found = query(dynamodb, trips, f"place = :p AND {keys}", {"p": "place-1", **sent}, ScanIndexForward=forward)
    wanted = [trip for trip in at("place-1") if holds(trip["n"])]
    assert wanted and found == (wanted if forward else wanted[::-1])


@pytest.mark.parametrize("limit", [1, 7, 100, 101])
@pytest.mark.parametrize("forward", [True, False])
def test_pages(dynamodb, trips, limit, forward):
    paged = query(dynamodb, trips, "place = :p", {"p": "place-2"}, Limit=limit, ScanIndexForward=forward)
    assert paged == (at("place-2") if forward else at("place-2")[::-1])


def test_strings_and_bytes_are_in_the_order_of_their_bytes(dynamodb, name):
    texts = ["", "A", "B", "a", "aa", "ab", "z", "ä", "中", "🚕"][1:]
    make(dynamodb, name, {"p": "S", "s": "S"}, ("p", "s"))
    put(dynamodb, name, *({"p": "a", "s": text} for text in random.Random(1).sample(texts, len(texts))))
    found = query(dynamodb, name, "p = :p", {"p": "a"})
    assert [entry["s"] for entry in found] == texts
    found = query(dynamodb, name, "p = :p AND begins_with(s, :a)", {"p": "a", "a": "a"})
    assert [entry["s"] for entry in found] == ["a", "aa", "ab"]
    raw = make(dynamodb, f"{name}-bytes", {"p": "S", "s": "B"}, ("p", "s"))
    all_bytes = [bytes([0]), bytes([0, 0]), bytes([0, 255]), bytes([1]), bytes([127]), bytes([128]), bytes([255])]
    put(dynamodb, raw, *({"p": "a", "s": sort} for sort in all_bytes[::-1]))
    assert [bytes(entry["s"].value) for entry in query(dynamodb, raw, "p = :p", {"p": "a"})] == all_bytes


def test_a_page_has_one_megabyte_before_its_filter(dynamodb, name):
    make(dynamodb, name, {"p": "S", "s": "N"}, ("p", "s"))
    put(dynamodb, name, *({"p": "a", "s": n, "n": n, "text": "x" * 100_000} for n in range(25)))
    request = {"TableName": name, "KeyConditionExpression": "p = :p", "FilterExpression": "n > :last"}
    request["ExpressionAttributeValues"] = values(p="a", last=22)
    first = dynamodb.query(**request)
    assert (first["Count"], first["ScannedCount"]) == (0, 11) and plain(first["LastEvaluatedKey"]) == {"p": "a", "s": 10}
    assert [entry["s"] for entry in all_of(dynamodb.query, **request)] == [23, 24]


def test_filters_projections_and_counts(dynamodb, trips):
    request = {"TableName": trips, "KeyConditionExpression": "place = :p", "FilterExpression": "fare < :f"}
    cheap = [trip for trip in at("place-0") if trip["fare"] < 10]
    page = dynamodb.query(**request, ExpressionAttributeValues=values(p="place-0", f=10))
    assert (page["Count"], page["ScannedCount"]) == (len(cheap), 100)
    assert [plain(entry) for entry in page["Items"]] == cheap
    counted = dynamodb.query(**request, ExpressionAttributeValues=values(p="place-0", f=10), Select="COUNT")
    assert counted["Count"] == len(cheap) and "Items" not in counted
    page = dynamodb.query(
        **request, ExpressionAttributeValues=values(p="place-0", f=10), ProjectionExpression="#n, driver",
        ExpressionAttributeNames={"#n": "n"},
    )
    some = [{name: trip[name] for name in ("n", "driver") if name in trip} for trip in cheap]
    assert [plain(entry) for entry in page["Items"]] == some
    of_key = error_of(
        dynamodb.query, **{**request, "FilterExpression": "n < :f"}, ExpressionAttributeValues=values(p="place-0", f=1)
    )
    assert of_key == invalid(
        "Filter Expression can only contain non-primary key attributes: Primary key attribute: n"
    )


def test_the_older_dialect(dynamodb, trips):
    one = lambda operator, *wanted: {"ComparisonOperator": operator, "AttributeValueList": list(wanted)}
    found = dynamodb.query(
        TableName=trips, KeyConditions={"place": one("EQ", {"S": "place-1"}), "n": one("BETWEEN", {"N": "-5"}, {"N": "9"})},
        QueryFilter={"fare": one("GE", {"N": "20"})}, AttributesToGet=["n"],
    )
    wanted = [{"n": trip["n"]} for trip in at("place-1") if -5 <= trip["n"] <= 9 and trip["fare"] >= 20]
    assert [plain(entry) for entry in found["Items"]] == wanted
    scan = dynamodb.scan(
        TableName=trips, ConditionalOperator="OR",
        ScanFilter={"name": one("EQ", {"S": "trip 7"}), "fare": one("IN", {"N": "1"}, {"N": "2"})},
    )
    wanted = [trip for trip in TRIPS if trip["name"] == "trip 7" or trip["fare"] in (1, 2)]
    assert by_n(map(plain, scan["Items"])) == wanted


@pytest.mark.parametrize("segments", [1, 4, 7, 64])
def test_segments_are_the_table_cut_up(dynamodb, trips, segments):
    parts = [
        scanned(dynamodb, trips, Segment=segment, TotalSegments=segments, Limit=10) for segment in range(segments)
    ]
    assert by_n(entry for part in parts for entry in part) == TRIPS


def test_a_scan_goes_on_where_it_was(dynamodb, trips):
    whole = scanned(dynamodb, trips)
    assert by_n(whole) == TRIPS
    for limit in (1, 13, 299):
        assert scanned(dynamodb, trips, Limit=limit) == whole


def test_a_global_index(dynamodb, trips):
    found = query(dynamodb, trips, "driver = :d", {"d": "driver-1"}, IndexName="by-driver")
    assert found == of("driver-1")
    paged = query(
        dynamodb, trips, "driver = :d AND n > :n", {"d": "driver-1", "n": 0}, IndexName="by-driver", Limit=4,
        ScanIndexForward=False,
    )
    assert paged == [trip for trip in of("driver-1")[::-1] if trip["n"] > 0]
    known = [trip for trip in TRIPS if "driver" in trip]
    assert by_n(scanned(dynamodb, trips, IndexName="by-driver", Limit=11)) == known
    keys = [{name: trip[name] for name in ("place", "n", "driver")} for trip in of("driver-2")]
    assert by_n(query(dynamodb, trips, "driver = :d", {"d": "driver-2"}, IndexName="keys")) == keys
    page = dynamodb.scan(TableName=trips, IndexName="by-driver", Limit=1)
    assert set(page["LastEvaluatedKey"]) == {"driver", "n", "place"}
    consistent = error_of(dynamodb.scan, TableName=trips, IndexName="by-driver", ConsistentRead=True)
    assert consistent == invalid("Consistent reads are not supported on global secondary indexes")
    more = error_of(
        dynamodb.scan, TableName=trips, IndexName="keys", Select="ALL_ATTRIBUTES"
    )
    assert more == wrong(
        "Select type ALL_ATTRIBUTES is not supported for global secondary index keys because its projection type is "
        "not ALL"
    )


def test_a_local_index(dynamodb, trips):
    request = {"IndexName": "by-fare", "ConsistentRead": True}
    found = query(dynamodb, trips, "place = :p AND fare >= :f", {"p": "place-1", "f": 40}, **request)
    wanted = [trip for trip in at("place-1") if trip["fare"] >= 40]
    names = ("place", "n", "fare", "driver")
    shown = [{name: trip[name] for name in names if name in trip} for trip in wanted]
    assert by_n(found) == shown and [entry["fare"] for entry in found] == sorted(entry["fare"] for entry in found)
    whole = query(
        dynamodb, trips, "place = :p AND fare >= :f", {"p": "place-1", "f": 40}, Select="ALL_ATTRIBUTES", Limit=3, **request
    )
    assert by_n(whole) == wanted


@pytest.mark.parametrize(
    "request_, text",
    [
        ({"KeyConditionExpression": "fare = :p"}, "Query condition missed key schema element: place"),
        ({"KeyConditionExpression": "place > :p"}, "Query key condition not supported"),
        ({"KeyConditionExpression": "place = :p AND name = :p"}, None),
        ({"IndexName": "none"}, "The table does not have the specified index: none"),
        ({"ExpressionAttributeValues": {":p": {"N": "1"}}}, "One or more parameter values were invalid: Condition "
         "parameter type does not match schema type"),
        ({"Limit": 0}, None),
        ({"ExclusiveStartKey": {"place": {"S": "x"}}}, "The provided starting key is invalid"),
        ({"Select": "SPECIFIC_ATTRIBUTES"}, None),
    ],
)
def test_a_query_that_cannot_be(server, trips, request_, text):
    lenient = server.client("dynamodb", parameter_validation=False)
    asked = {"TableName": trips, "KeyConditionExpression": "place = :p", "ExpressionAttributeValues": values(p="a")}
    status, code, said = error_of(lenient.query, **{**asked, **request_})
    assert (status, code) == (400, "ValidationException") and (text is None or said == text), said


def test_an_index_follows_its_items(dynamodb, name):
    make(
        dynamodb, name, {"p": "S", "g": "S", "h": "N"},
        GlobalSecondaryIndexes=[index_of("by-g", "g", "h"), index_of("some", "g", projected=["x"])],
    )
    put(dynamodb, name, {"p": "a", "g": "1", "h": 1, "x": 1, "y": 1}, {"p": "b", "g": "1"})
    entries = lambda index: scanned(dynamodb, name, IndexName=index)
    assert entries("by-g") == [{"p": "a", "g": "1", "h": 1, "x": 1, "y": 1}]
    assert sorted(entries("some"), key=lambda entry: entry["p"]) == [{"p": "a", "g": "1", "x": 1}, {"p": "b", "g": "1"}]
    change = lambda expression, **sent: dynamodb.update_item(
        TableName=name, Key=item(p="a"), UpdateExpression=expression,
        **({"ExpressionAttributeValues": values(**sent)} if sent else {}),
    )
    change("SET g = :g, x = :x", g="2", x=2)
    assert entries("by-g") == [{"p": "a", "g": "2", "h": 1, "x": 2, "y": 1}]
    change("REMOVE h")
    assert entries("by-g") == [] and {"p": "a", "g": "2", "x": 2} in entries("some")
    change("REMOVE g")
    assert entries("some") == [{"p": "b", "g": "1"}]
    dynamodb.delete_item(TableName=name, Key=item(p="b"))
    assert entries("some") == []


def test_an_index_made_later_has_all_that_is_written_meanwhile(dynamodb, server, name):
    make(dynamodb, name)
    rows = 3000
    fill(dynamodb, name, ({"p": f"{n}", "g": f"g{n % 7}", "n": n} for n in range(rows)))
    done = threading.Event()

    def write(seed):
        """Changes, deletes and adds items until told to stop; gives how many."""
        chance, client, count = random.Random(seed), server.client("dynamodb", **PATIENT), 0
        while not done.is_set():
            # Each writer has keys of its own.
            key = item(p=f"{chance.randrange(rows // 4) * 4 + seed}")
            if chance.random() < 0.2:
                client.delete_item(TableName=name, Key=key)
            else:
                change = {"UpdateExpression": "SET g = :g, n = :n"}
                sent = values(g=f"g{chance.randrange(7)}", n=chance.randrange(1000))
                client.update_item(TableName=name, Key=key, ExpressionAttributeValues=sent, **change)
            count += 1
        return count

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, seed) for seed in range(4)]
        try:
            made = dynamodb.update_table(
                TableName=name, AttributeDefinitions=defined(g="S", p="S", n="N"),
                GlobalSecondaryIndexUpdates=[{"Create": index_of("by-g", "g", "n")}],
            )["TableDescription"]
            [index] = made["GlobalSecondaryIndexes"]
            assert (made["TableStatus"], index["IndexStatus"], index["Backfilling"]) == ("UPDATING", "CREATING", True)
            wait_active(dynamodb, name)
        finally:
            done.set()
    assert sum(writer.result() for writer in writers) > 0
    rows_of = lambda **more: sorted(scanned(dynamodb, name, **more), key=lambda entry: entry["p"])
    assert rows_of(IndexName="by-g") == rows_of()
    [index] = dynamodb.describe_table(TableName=name)["Table"]["GlobalSecondaryIndexes"]
    assert index["ItemCount"] == len(rows_of()) and "Backfilling" not in index
    gone = dynamodb.update_table(TableName=name, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-g"}}])
    assert gone["TableDescription"]["GlobalSecondaryIndexes"][0]["IndexStatus"] == "DELETING"
    shown = lambda: dynamodb.describe_table(TableName=name)["Table"]
    wait_for("the index's end", lambda: "GlobalSecondaryIndexes" not in shown())
    assert shown()["AttributeDefinitions"] == defined(p="S")
    assert error_of(dynamodb.scan, TableName=name, IndexName="by-g") == invalid(
        "The table does not have the specified index: by-g"
    )


def test_indexes_change_one_at_a_time(client, name):
    # A patient client asks again when a limit is exceeded.
    dynamodb = client("dynamodb")
    make(dynamodb, name)
    two = [{"Create": index_of(index, index[0])} for index in ("ggg", "hhh")]
    refused = error_of(
        dynamodb.update_table, TableName=name, AttributeDefinitions=defined(p="S", g="S", h="S"),
        GlobalSecondaryIndexUpdates=two,
    )
    assert refused == (
        400, "LimitExceededException",
        "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
    )
    none = error_of(dynamodb.update_table, TableName=name, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "none"}}])
    assert none[:2] == (400, "ResourceNotFoundException")
