"""Event source mappings of tables' streams through boto3: functions get what GetRecords gives, each change at least once."""

import base64
import json
import pathlib
import sys
import time

import pytest

from changes import all_records
from clocked import Clocked
from headwater import Server, size, wait_for
from tables import item, make, put, values
from test_lambda import error_of
from test_mappings import PRELUDE, Place

HOUR = 3600
REFUSED = (400, "InvalidParameterValueException")
EVENTS = PRELUDE + "def handler(event, context): write([event])"
# Of each batch the values of `n`.
NUMBERS = PRELUDE + """
def n(record):
    return int(record["dynamodb"]["NewImage"]["n"]["N"])

def handler(event, context):
    write([[n(record) for record in event["Records"]]])
"""
ONE_SHARD = {
    "BillingMode": "PROVISIONED",
    "ProvisionedThroughput": {"ReadCapacityUnits": 100, "WriteCapacityUnits": 100},
}


class Tables(Place):
    """A place with tables."""

    def connect(self, server):
        super().connect(server)
        self.dynamodb, self.streams, self.sqs = (server.client(name) for name in ("dynamodb", "dynamodbstreams", "sqs"))

    def streamed(self, table, view="NEW_AND_OLD_IMAGES", **more):
        """A table with a stream; gives the stream's ARN."""
        make(self.dynamodb, table, StreamSpecification={"StreamEnabled": True, "StreamViewType": view}, **more)
        return self.dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]

    def put(self, table, **attributes):
        put(self.dynamodb, table, attributes)

    def count(self, table, p, n):
        """Sets a number of an item."""
        key, expression = item(p=p), "SET n = :n"
        self.dynamodb.update_item(
            TableName=table, Key=key, UpdateExpression=expression, ExpressionAttributeValues=values(n=n)
        )

    def records(self, arn):
        """What GetRecords gives, as functions get it."""
        return [as_told(record, arn) for record in all_records(self.streams, arn)]


def as_told(record, arn):
    """A record of GetRecords as functions get it."""
    change = dict(record["dynamodb"])
    change["ApproximateCreationDateTime"] = change["ApproximateCreationDateTime"].timestamp()
    told = {**record, "dynamodb": change, "eventSourceARN": arn}
    if identity := record.get("userIdentity"):
        told["userIdentity"] = {"principalId": identity["PrincipalId"], "type": identity["Type"]}
    return json.loads(json.dumps(told, default=lambda value: base64.b64encode(value).decode()))


def by_number(records):
    return sorted(records, key=lambda record: (record["dynamodb"]["Keys"]["p"]["S"], record["dynamodb"]["SequenceNumber"]))


@pytest.fixture
def place(tmp_path, server):
    return Tables(tmp_path, server)


@pytest.fixture
def own(tmp_path):
    server = Server(tmp_path / "data").start()
    yield Tables(tmp_path, server)
    server.stop()


def told(place):
    """The records of all events so far."""
    return [record for event in place.written() for record in event["Records"]]


@pytest.mark.parametrize("view", ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"])
def test_functions_get_what_readers_get(place, name, view):
    arn = place.streamed(name, view)
    place.function(name, EVENTS)
    uuid = place.mapping(arn, name)
    everything = {
        "s": "text \N{WATER WAVE}", "n": 12, "b": b"foobar", "none": None, "yes": True,
        "list": ["a", b"\x00", {"deep": [1]}], "ss": {"a", "b"}, "ns": {1, 2}, "bs": {b"x"},
    }
    place.put(name, p="a", **everything)
    place.count(name, "a", 13)
    place.put(name, p="b")
    place.dynamodb.delete_item(TableName=name, Key=item(p="a"))
    records = place.records(arn)
    assert [record["eventName"] for record in by_number(records)] == ["INSERT", "MODIFY", "REMOVE", "INSERT"]
    wait_for("all", lambda: len(told(place)) == 4)
    assert by_number(told(place)) == by_number(records)
    [first] = [record for record in told(place) if record["eventName"] == "MODIFY"]
    assert (first["eventVersion"], first["eventSource"], first["awsRegion"]) == ("1.1", "aws:dynamodb", "us-east-1")
    assert first["dynamodb"]["StreamViewType"] == view
    assert isinstance(first["dynamodb"]["ApproximateCreationDateTime"], float)
    wait_for("the result", lambda: place.show(uuid)["LastProcessingResult"] == "OK")


def test_a_function_learns_that_an_item_expired(place, name):
    arn = place.streamed(name)
    place.function(name, EVENTS)
    pattern = json.dumps({"userIdentity": {"type": ["Service"], "principalId": ["dynamodb.amazonaws.com"]}})
    place.mapping(arn, name, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    ttl = {"Enabled": True, "AttributeName": "until"}
    place.put(name, p="deleted")
    place.dynamodb.delete_item(TableName=name, Key=item(p="deleted"))
    place.put(name, p="expires", until=int(time.time()) - 60)
    place.dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)
    [record] = wait_for("the end of the item", lambda: told(place))
    assert (record["eventName"], record["dynamodb"]["Keys"]) == ("REMOVE", item(p="expires"))
    assert record["userIdentity"] == {"principalId": "dynamodb.amazonaws.com", "type": "Service"}
    assert record in place.records(arn)


@pytest.mark.parametrize(
    ("pattern", "seen"),
    [
        ({"eventName": ["INSERT"]}, [1, 2, 3]),
        ({"eventName": ["INSERT", "MODIFY"], "eventSource": ["aws:dynamodb"]}, [1, 2, 3, 4]),
        ({"dynamodb": {"NewImage": {"x": {"S": ["a"]}}}, "eventName": ["INSERT"]}, [1]),
        ({"dynamodb": {"NewImage": {"x": {"S": [{"prefix": "b"}]}}}}, [2, 4]),
        ({"dynamodb": {"NewImage": {"x": {"S": [{"exists": True}]}}}}, [1, 2, 4]),
        # Recorded on AWS: only leaves are there or not, so that this matches every item.
        ({"dynamodb": {"NewImage": {"x": [{"exists": False}]}}}, [1, 2, 3, 4]),
        # Recorded on AWS: a number of a table is a text, with which no number compares.
        ({"dynamodb": {"NewImage": {"n": {"N": [{"numeric": [">", 1]}, {"anything-but": "2"}]}}}}, [1, 3, 4]),
        ({"dynamodb": {"OldImage": {"x": {"S": ["a"]}}}}, [4]),
    ],
)
def test_only_changes_that_match_a_pattern_come(place, name, pattern, seen):
    arn = place.streamed(name, **ONE_SHARD)
    place.function(name, NUMBERS)
    place.put(name, p="a", n=1, x="a")
    place.put(name, p="b", n=2, x="bb")
    place.put(name, p="c", n=3)
    place.put(name, p="a", n=4, x="b")
    place.put(name, p="last", n=99, last="yes")
    last = {"dynamodb": {"NewImage": {"last": {"S": ["yes"]}}}}
    place.mapping(arn, name, FilterCriteria={"Filters": [{"Pattern": json.dumps(it)} for it in (pattern, last)]})
    wait_for("the last", lambda: [n for batch in place.written() for n in batch][-1:] == [99])
    assert [n for batch in place.written() for n in batch] == [*seen, 99]


def queue(place, name):
    url = place.sqs.create_queue(QueueName=name)["QueueUrl"]
    return url, f"arn:aws:sqs:us-east-1:000000000000:{name}"


def received(place, url):
    found = []

    def one():
        found.extend(place.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", []))
        return found

    wait_for("a message", one)
    return json.loads(found[0]["Body"])


def test_what_is_given_up_is_told_to_a_queue(place, name):
    arn = place.streamed(name, **ONE_SHARD)
    url, target = queue(place, name)
    place.function(name, "def handler(event, context): raise ValueError('no')")
    for n in (1, 2):
        place.put(name, p="a", n=n)
    uuid = place.mapping(
        arn, name, MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": target}}
    )
    body = received(place, url)
    first, last = [record["dynamodb"] for record in place.records(arn)]
    [shard] = place.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    request, timestamp = body["requestContext"].pop("requestId"), body.pop("timestamp")
    arrivals = [body["DDBStreamBatchInfo"].pop(f"approximateArrivalOf{which}Record") for which in ("First", "Last")]
    assert request and timestamp.endswith("Z")
    for arrival, change in zip(arrivals, (first, last)):
        seconds = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(change["ApproximateCreationDateTime"]))
        assert arrival == seconds
    assert body == {
        "requestContext": {
            "functionArn": f"arn:aws:lambda:us-east-1:000000000000:function:{name}",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 2,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "DDBStreamBatchInfo": {
            "shardId": shard["ShardId"],
            "startSequenceNumber": first["SequenceNumber"],
            "endSequenceNumber": last["SequenceNumber"],
            "batchSize": 2,
            "streamArn": arn,
        },
    }
    assert place.show(uuid)["LastProcessingResult"] == "PROBLEM: Function call failed"


def test_what_is_given_up_lies_in_the_bucket_with_its_changes(place, name):
    arn = place.streamed(name)
    place.s3.create_bucket(Bucket=name)
    place.function(name, "def handler(event, context): raise ValueError('no')")
    to = {"OnFailure": {"Destination": f"arn:aws:s3:::{name}"}}
    uuid = place.mapping(arn, name, MaximumRetryAttempts=0, DestinationConfig=to)
    place.put(name, p="a", n=1)
    [(key, body)] = wait_for("the object", lambda: place.failed(name)).items()
    assert key.startswith(f"aws/lambda/{uuid}/{body['DDBStreamBatchInfo']['shardId']}/")
    assert body["payload"]["Records"] == place.records(arn)


def test_an_answer_names_the_changes_that_failed(place, name):
    code = NUMBERS + """
tried = set()
def handler(event, context):
    write([[n(record) for record in event["Records"]]])
    for record in event["Records"]:
        if n(record) == 2 and not tried:
            tried.add(2)
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
"""
    arn = place.streamed(name, **ONE_SHARD)
    place.function(name, code)
    for n in (1, 2, 3):
        place.put(name, p="a", n=n)
    place.mapping(arn, name, FunctionResponseTypes=["ReportBatchItemFailures"])
    wait_for("the rest", lambda: place.written() == [[1, 2, 3], [2, 3]])


def test_halves_find_the_change_that_fails(place, name):
    code = NUMBERS + """
def handler(event, context):
    numbers = [n(record) for record in event["Records"]]
    if 3 in numbers:
        raise ValueError("three")
    write(numbers)
"""
    arn = place.streamed(name, **ONE_SHARD)
    url, target = queue(place, name)
    place.function(name, code)
    for n in range(6):
        place.put(name, p="a", n=n)
    to = {"OnFailure": {"Destination": target}}
    place.mapping(arn, name, BisectBatchOnFunctionError=True, MaximumRetryAttempts=0, DestinationConfig=to)
    body = received(place, url)
    assert body["DDBStreamBatchInfo"]["startSequenceNumber"] == place.records(arn)[3]["dynamodb"]["SequenceNumber"]
    assert body["DDBStreamBatchInfo"]["batchSize"] == 1
    wait_for("the others", lambda: place.written() == [0, 1, 2, 4, 5])


def test_powertools_processes_changes(place, name):
    """aws-lambda-powertools' BatchProcessor as it is: the change that fails is tried again."""
    code = PRELUDE + """
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

processor = BatchProcessor(event_type=EventType.DynamoDBStreams)
tried = set()

def one(record):
    n = int(record.dynamodb.new_image["n"])
    write([n])
    if n == 1 and n not in tried:
        tried.add(n)
        raise ValueError("once")

def handler(event, context):
    return process_partial_response(event=event, record_handler=one, processor=processor, context=context)
"""
    arn = place.streamed(name, **ONE_SHARD)
    libraries = next(pathlib.Path(path) for path in sys.path if path.endswith("site-packages"))
    place.function(name, code, PYTHONPATH=str(libraries))
    for n in range(3):
        place.put(name, p="a", n=n)
    place.mapping(arn, name, FunctionResponseTypes=["ReportBatchItemFailures"])
    wait_for("all", lambda: place.written() == [0, 1, 2, 1, 2])


def test_latest_begins_with_what_comes_after_the_creation(place, name):
    arn = place.streamed(name)
    place.function(name, NUMBERS)
    place.put(name, p="a", n=1)
    place.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName=name, StartingPosition="LATEST")
    place.put(name, p="a", n=2)
    wait_for("the change", lambda: place.written() == [[2]])


def test_a_mapping_that_rests_goes_on_where_it_was(place, name):
    arn = place.streamed(name)
    place.function(name, NUMBERS)
    uuid = place.mapping(arn, name)
    place.put(name, p="a", n=1)
    wait_for("the first change", lambda: place.written() == [[1]])
    place.lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)
    wait_for("the stop", lambda: place.show(uuid)["State"] == "Disabled")
    for n in (2, 3):
        place.put(name, p="a", n=n)
    place.lambda_.update_event_source_mapping(UUID=uuid, Enabled=True, BatchSize=1)
    wait_for("the rest", lambda: place.written() == [[1], [2], [3]])
    assert place.lambda_.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    assert error_of(lambda: place.show(uuid))[:2] == (404, "ResourceNotFoundException")


def test_windows_sum_up_changes(place, name):
    code = NUMBERS + """
def handler(event, context):
    state = event["state"] or {"sum": 0}
    state["sum"] = state.get("sum", 0) + sum(n(record) for record in event["Records"])
    if event["isFinalInvokeForWindow"]:
        write([[state["sum"], event["shardId"], event["eventSourceARN"], event["isWindowTerminatedEarly"], event["window"]]])
    return {"state": state}
"""
    arn = place.streamed(name, **ONE_SHARD)
    place.function(name, code)
    place.mapping(arn, name, TumblingWindowInSeconds=2, BatchSize=2)
    for n in range(1, 11):
        place.put(name, p=str(n), n=n)
    wait_for("the last window", lambda: sum(total for total, *_ in place.written()) == 55)
    [shard] = place.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    for _, *more, window in place.written():
        assert more == [shard["ShardId"], arn, False] and set(window) == {"start", "end"}


def test_what_cannot_be_made(place, name):
    arn = place.streamed(name)
    place.function(name, EVENTS)
    table = arn.partition("/stream/")[0]
    missing, other = f"{arn[:-1]}x", arn.replace(name, f"{name}-other")
    for source, position, text in [
        (missing, {"StartingPosition": "LATEST"}, f"Stream not found: {missing}"),
        (other, {"StartingPosition": "LATEST"}, f"Stream not found: {other}"),
        (table, {"StartingPosition": "LATEST"}, "Unrecognized event source."),
        (
            arn,
            {"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 1},
            f"Unsupported starting position for arn type: {arn}",
        ),
    ]:
        refused = error_of(lambda: place.mapping(source, name, **position))
        assert refused == (*REFUSED, text)
    answer = place.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName=name, StartingPosition="LATEST")
    again = error_of(lambda: place.mapping(arn, name))
    assert again[1] == "ResourceConflictException" and answer["UUID"] in again[2]


def test_a_stream_that_ends_is_read_to_its_end_and_one_that_is_gone_is_told_of(place, name):
    arn = place.streamed(name)
    place.function(name, NUMBERS)
    place.put(name, p="a", n=1)
    place.dynamodb.update_table(TableName=name, StreamSpecification={"StreamEnabled": False})
    place.put(name, p="a", n=2)
    uuid = place.mapping(arn, name)
    wait_for("the change", lambda: place.written() == [[1]])
    wait_for("the result", lambda: place.show(uuid)["LastProcessingResult"] == "OK")
    place.dynamodb.delete_table(TableName=name)
    # It is looked for again when the mapping is.
    place.lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)
    wait_for("the stop", lambda: place.show(uuid)["State"] == "Disabled")
    place.lambda_.update_event_source_mapping(UUID=uuid, Enabled=True)
    gone = f"PROBLEM: the stream {arn} does not exist"
    wait_for("the problem", lambda: place.show(uuid)["LastProcessingResult"] == gone)
    make(place.dynamodb, name, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
    place.put(name, p="a", n=3)
    assert place.written() == [[1]]


def test_children_come_after_their_parents(tmp_path):
    clocked = Clocked(tmp_path)
    place = Tables(tmp_path, clocked.server)
    place.dynamodb, place.lambda_, place.streams = map(clocked.client, ("dynamodb", "lambda", "dynamodbstreams"))
    arn = place.streamed("rows", **ONE_SHARD)
    place.function("f", NUMBERS)
    uuid = place.mapping(arn, "f", BatchSize=2)
    for n in range(0, 9, 3):
        for more in range(3):
            place.count("rows", "a", n + more)
        if n == 3:
            place.lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)
        clocked.advance(4 * HOUR)
        shards = lambda: place.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]  # noqa: E731
        wait_for("a shard's child", lambda: len(shards()) == n // 3 + 2, seconds=20)
    place.lambda_.update_event_source_mapping(UUID=uuid, Enabled=True)
    wait_for("all", lambda: [n for batch in place.written() for n in batch] == list(range(9)), seconds=60)
    assert clocked.server.stop() == 0


KEYS, ROUNDS = 8, size(40, 400)


def test_each_change_comes_in_order_through_kills(own, name):
    """Several changes of an item are under way at once, and the server is killed in between."""
    code = NUMBERS + """
def handler(event, context):
    if random.random() < 0.1:
        raise ValueError("now and then")
    write([[r["dynamodb"]["Keys"]["p"]["S"], r["dynamodb"]["SequenceNumber"], n(r)] for r in event["Records"]])
"""
    arn = own.streamed(name)
    own.function(name, code)
    own.mapping(arn, name, BatchSize=5, ParallelizationFactor=3, BisectBatchOnFunctionError=True)
    for n in range(ROUNDS):
        for key in range(KEYS):
            own.count(name, str(key), n)
        if n % (ROUNDS // 4) == ROUNDS // 8:
            own.server.restart()
            own.connect(own.server)
    every = {(str(key), n) for key in range(KEYS) for n in range(ROUNDS)}
    wait_for("all", lambda: {(key, n) for key, _, n in own.written()} == every, seconds=120)
    newest = {}
    for key, number, n in own.written():
        if number not in newest.setdefault(key, []):
            assert n == len(newest[key]), f"{n} of {key} came out of its turn"
            newest[key].append(number)
    numbers = {(record["dynamodb"]["Keys"]["p"]["S"], record["dynamodb"]["SequenceNumber"]) for record in own.records(arn)}
    assert numbers == {(key, number) for key, all_ in newest.items() for number in all_}
