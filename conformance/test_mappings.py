"""Event source mappings through boto3: streams that call functions, exact through failures, resharding and kills."""

import base64
import collections
import json
import pathlib
import random
import sys
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from headwater import Server, size, wait_for
from test_lambda import error_of, package

ROLE = "arn:aws:iam::000000000000:role/function"
# Where the function leaves what it has done: one line a record, written at once before it answers.
PRELUDE = """
import base64, json, os, random, sys, time

def data(record):
    return json.loads(base64.b64decode(record["kinesis"]["data"]))

def write(lines):
    file = os.open(os.environ["OUT"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, "".join(json.dumps(line) + "\\n" for line in lines).encode())
    os.close(file)
"""
ALL = PRELUDE + """
def handler(event, context):
    write([data(record) for record in event["Records"]])
"""


class Place:
    """A server, and a file that its functions write to."""

    def __init__(self, folder, server):
        self.out = folder / "out.jsonl"
        self.connect(server)

    def connect(self, server):
        self.server = server
        self.kinesis, self.lambda_ = server.client("kinesis"), server.client("lambda", read_timeout=60)
        self.s3, self.logs = server.client("s3"), server.client("logs")

    def stream(self, name, shards=1):
        self.kinesis.create_stream(StreamName=name, ShardCount=shards)
        self.kinesis.get_waiter("stream_exists").wait(StreamName=name)
        return f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}"

    def function(self, name, code, timeout=30, **variables):
        self.lambda_.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Handler="index.handler",
            Role=ROLE,
            Code={"ZipFile": package(index_py=code)},
            Timeout=timeout,
            Environment={"Variables": {"OUT": str(self.out), **variables}},
        )
        return name

    def mapping(self, stream, function, **settings):
        settings = {"StartingPosition": "TRIM_HORIZON", **settings}
        made = self.lambda_.create_event_source_mapping(EventSourceArn=stream, FunctionName=function, **settings)
        wait_for("the mapping", lambda: self.show(made["UUID"])["State"] in ("Enabled", "Disabled"))
        return made["UUID"]

    def show(self, uuid):
        return self.lambda_.get_event_source_mapping(UUID=uuid)

    def put(self, stream, *values, key="k"):
        for value in values:
            self.kinesis.put_record(StreamARN=stream, PartitionKey=key, Data=json.dumps(value).encode())

    def written(self):
        return [json.loads(line) for line in self.out.read_text().splitlines()] if self.out.exists() else []

    def failed(self, bucket):
        """What was told of batches that were given up."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
        return {key: json.loads(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys}


@pytest.fixture
def place(tmp_path, server):
    return Place(tmp_path, server)


def test_records_reach_the_function_in_the_form_of_aws(place, name):
    stream = place.stream(name)
    place.function(name, PRELUDE + "def handler(event, context): write([event])")
    uuid = place.mapping(stream, name)
    put = place.kinesis.put_record(StreamARN=stream, PartitionKey="key", Data=b"hello")
    [event] = wait_for("the event", place.written)
    [record] = event["Records"]
    assert abs(record["kinesis"].pop("approximateArrivalTimestamp") - time.time()) < 60
    assert record == {
        "awsRegion": "us-east-1",
        "eventID": f"shardId-000000000000:{put['SequenceNumber']}",
        "eventName": "aws:kinesis:record",
        "eventSource": "aws:kinesis",
        "eventSourceARN": stream,
        "eventVersion": "1.0",
        "invokeIdentityArn": ROLE,
        "kinesis": {
            "data": "aGVsbG8=",
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "key",
            "sequenceNumber": put["SequenceNumber"],
        },
    }
    wait_for("the result", lambda: place.show(uuid)["LastProcessingResult"] == "OK")
    [listed] = place.lambda_.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    assert listed["UUID"] == uuid and listed["State"] == "Enabled"
    deleted = place.lambda_.delete_event_source_mapping(UUID=uuid)
    assert deleted["State"] == "Deleting"
    assert error_of(lambda: place.show(uuid))[:2] == (404, "ResourceNotFoundException")


def test_the_function_starts_within_moments_of_the_put(place, name):
    """The records come from the tail: no polling lies between a put and the function."""
    stream = place.stream(name)
    place.function(name, PRELUDE + "def handler(event, context): write([[data(event['Records'][0]), time.time()]])")
    place.mapping(stream, name)
    place.put(stream, time.time())
    wait_for("a warm process", place.written)
    for n in range(30):
        place.put(stream, time.time())
        wait_for("the call", lambda: len(place.written()) == n + 2, every=0.002)
    delays = sorted(began - put for put, began in place.written()[1:])
    print(f"put to handler: median {delays[15] * 1000:.1f} ms, longest {delays[-1] * 1000:.1f} ms")
    assert delays[15] < 0.5, delays


def test_a_change_takes_effect_from_where_the_mapping_was(place, name):
    stream = place.stream(name)
    place.function(name, PRELUDE + "def handler(event, context): write([[data(r) for r in event['Records']]])")
    uuid = place.mapping(stream, name)
    place.put(stream, 1)
    wait_for("the first record", lambda: place.written() == [[1]])
    stopped = place.lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)
    assert stopped["State"] in ("Disabling", "Disabled")
    wait_for("the stop", lambda: place.show(uuid)["State"] == "Disabled")
    place.put(stream, 2, 3)
    changed = place.lambda_.update_event_source_mapping(UUID=uuid, Enabled=True, BatchSize=1)
    assert changed["BatchSize"] == 1
    wait_for("the rest", lambda: place.written() == [[1], [2], [3]])
    with pytest.raises(ClientError) as refused:
        place.lambda_.update_event_source_mapping(UUID=uuid, ParallelizationFactor=2, TumblingWindowInSeconds=10)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_only_what_matches_a_filter_comes(place, name):
    stream = place.stream(name)
    place.function(name, ALL)
    pattern = json.dumps({"data": {"kind": ["a", {"prefix": "b"}], "n": [{"numeric": [">", 1]}]}})
    place.mapping(stream, name, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    place.put(stream, {"kind": "a", "n": 1}, {"kind": "a", "n": 2}, {"kind": "c", "n": 3}, "text", {"kind": "bb", "n": 4})
    wait_for("both", lambda: len(place.written()) == 2)
    assert place.written() == [{"kind": "a", "n": 2}, {"kind": "bb", "n": 4}]


def test_what_is_given_up_lies_in_the_bucket(place, name):
    stream = place.stream(name)
    place.s3.create_bucket(Bucket=name)
    place.function(name, "def handler(event, context): raise ValueError('no')")
    uuid = place.mapping(
        stream,
        name,
        BatchSize=1,
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": f"arn:aws:s3:::{name}"}},
    )
    put = place.kinesis.put_record(StreamARN=stream, PartitionKey="key", Data=b'{"a": 1}')
    failed = wait_for("the object", lambda: place.failed(name))
    [(key, told)] = failed.items()
    assert key.startswith(f"aws/lambda/{uuid}/shardId-000000000000/{time.strftime('%Y/%m/%d/', time.gmtime())}")
    assert told["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert told["requestContext"]["approximateInvokeCount"] == 2
    assert told["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert told["KinesisBatchInfo"]["startSequenceNumber"] == put["SequenceNumber"]
    assert told["payload"]["Records"][0]["kinesis"]["sequenceNumber"] == put["SequenceNumber"]
    assert place.show(uuid)["LastProcessingResult"] == "PROBLEM: Function call failed"


def test_a_registered_consumer_is_a_source(place, name):
    stream = place.stream(name)
    consumer = place.kinesis.register_stream_consumer(StreamARN=stream, ConsumerName="c")["Consumer"]["ConsumerARN"]
    place.function(name, PRELUDE + "def handler(event, context): write([event['Records'][0]['eventSourceARN']])")
    place.mapping(consumer, name)
    place.put(stream, 1)
    assert wait_for("the record", place.written) == [consumer]
    other = consumer.replace("consumer/c", "consumer/d")
    refused = error_of(lambda: place.mapping(other, name))
    assert refused == (400, "InvalidParameterValueException", f"Stream not found: {other}")


def test_powertools_processes_batches(place, name):
    """aws-lambda-powertools' BatchProcessor as it is: the record that fails is tried again, the others are not."""
    code = PRELUDE + """
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

processor = BatchProcessor(event_type=EventType.KinesisDataStreams)
tried = set()

def one(record):
    n = record.kinesis.data_as_json()
    write([n])
    if n == 3 and n not in tried:
        tried.add(n)
        raise ValueError("once")

def handler(event, context):
    return process_partial_response(event=event, record_handler=one, processor=processor, context=context)
"""
    stream = place.stream(name)
    libraries = next(pathlib.Path(path) for path in sys.path if path.endswith("site-packages"))
    place.function(name, code, PYTHONPATH=str(libraries))
    uuid = place.mapping(
        stream, name, FunctionResponseTypes=["ReportBatchItemFailures"], BatchSize=10, MaximumBatchingWindowInSeconds=1
    )
    records = [{"Data": json.dumps(n).encode(), "PartitionKey": "k"} for n in range(6)]
    place.kinesis.put_records(StreamARN=stream, Records=records)
    wait_for("all", lambda: place.show(uuid)["LastProcessingResult"] == "OK" and len(place.written()) >= 9)
    assert place.written() == [0, 1, 2, 3, 4, 5, 3, 4, 5]


SUMS = PRELUDE + """
def handler(event, context):
    state = event["state"] or {"sum": 0}
    state["sum"] = state.get("sum", 0) + sum(data(record) for record in event["Records"])
    if event["isFinalInvokeForWindow"]:
        write([[event["shardId"], event["window"]["start"], state["sum"]]])
    return {"state": state}
"""


@pytest.fixture
def own(tmp_path):
    server = Server(tmp_path / "data").start()
    yield Place(tmp_path, server)
    server.stop()


def test_windows_sum_up_to_the_batch_answer_through_kills(own, name):
    stream = own.stream(name, shards=2)
    own.function(name, SUMS)
    own.mapping(stream, name, TumblingWindowInSeconds=3, BatchSize=7)
    chance, put = random.Random(5), 0
    for kills in range(3):
        for _ in range(25):
            records = [{"Data": str(n).encode(), "PartitionKey": str(n)} for n in range(put, put + 8)]
            assert own.kinesis.put_records(StreamARN=stream, Records=records)["FailedRecordCount"] == 0
            put += 8
            time.sleep(chance.random() / 10)
        own.server.restart()
    expected = collections.Counter()
    for shard in own.kinesis.list_shards(StreamARN=stream)["Shards"]:
        place = {"StreamARN": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = own.kinesis.get_shard_iterator(**place)["ShardIterator"]
        for record in own.kinesis.get_records(ShardIterator=iterator)["Records"]:
            window = int(record["ApproximateArrivalTimestamp"].timestamp()) // 3 * 3
            start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(window))
            expected[shard["ShardId"], start] += int(record["Data"])
    assert sum(expected.values()) == sum(range(put))
    wait_for("the last window", lambda: {(shard, start) for shard, start, _ in own.written()} == set(expected))
    # A kill behind the last call repeats it, with the same state.
    assert {(shard, start): total for shard, start, total in own.written()} == expected


RECORDS = size(20_000, 200_000)
KEYS = 200
MOODY = PRELUDE + """
def handler(event, context):
    done, failed = [], None
    for record in event["Records"]:
        value, fate = data(record), random.random()
        if value["n"] % 997 == 0 or fate < 0.0005:
            failed = record
            break
        if fate < 0.0008:
            sys.exit(1)
        if fate < 0.0009:
            time.sleep(60)
        done.append([value["n"], value["key"], record["kinesis"]["sequenceNumber"]])
    if failed and random.random() < 0.5:
        raise ValueError("a record fails")
    write(done)
    if failed:
        return {"batchItemFailures": [{"itemIdentifier": failed["kinesis"]["sequenceNumber"]}]}
"""


class Producer(threading.Thread):
    """Puts numbered records one call after the other, each until it is acknowledged, whatever happens to the server."""

    def __init__(self, server, stream):
        super().__init__(daemon=True)
        self.server, self.stream, self.puts = server, stream, 0

    def run(self):
        kinesis = self.server.client("kinesis", read_timeout=10)
        for first in range(0, RECORDS, 100):
            records = [self.record(n) for n in range(first, min(first + 100, RECORDS))]
            while records:
                try:
                    answers = kinesis.put_records(StreamARN=self.stream, Records=records)["Records"]
                except (BotoCoreError, ClientError):
                    time.sleep(0.05)
                    continue
                records = [record for record, answer in zip(records, answers) if "ErrorCode" in answer]
            self.puts = first + 100

    def record(self, n):
        return {"Data": json.dumps({"n": n, "key": n % KEYS}).encode(), "PartitionKey": str(n % KEYS)}


def reshard(kinesis, stream, chance):
    """Splits a shard or merges two, if the stream may be changed now."""
    try:
        shards = kinesis.list_shards(StreamARN=stream, ShardFilter={"Type": "AT_LATEST"})["Shards"]
        shards.sort(key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))
        if len(shards) > 4:
            one, two = shards[:2]
            kinesis.merge_shards(StreamARN=stream, ShardToMerge=one["ShardId"], AdjacentShardToMerge=two["ShardId"])
        else:
            shard = chance.choice(shards)["HashKeyRange"]
            middle = (int(shard["StartingHashKey"]) + int(shard["EndingHashKey"])) // 2
            of = next(s for s in shards if s["HashKeyRange"] == shard)
            kinesis.split_shard(StreamARN=stream, ShardToSplit=of["ShardId"], NewStartingHashKey=str(middle))
        return 1
    except (BotoCoreError, ClientError):
        return 0


@pytest.mark.long
@pytest.mark.alone
def test_every_record_is_handled_or_told_of(tmp_path, name):
    """A function that fails, dies and hangs, shards that split and merge, a server that is killed ten times."""
    server = Server(tmp_path / "data", "--limits", "off").start()
    place, chance = Place(tmp_path, server), random.Random(11)
    stream = place.stream(name, shards=4)
    place.s3.create_bucket(Bucket=name)
    place.function(name, MOODY, timeout=2)
    place.mapping(
        stream,
        name,
        BatchSize=200,
        ParallelizationFactor=2,
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=2,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        DestinationConfig={"OnFailure": {"Destination": f"arn:aws:s3:::{name}"}},
    )
    producer = Producer(server, stream)
    producer.start()
    kills = changes = 0
    while kills < 10:
        time.sleep(0.3 + chance.random())
        changes += reshard(place.kinesis, stream, chance)
        server.restart()
        kills += 1
    producer.join()

    def told():
        records = (record for told in place.failed(name).values() for record in told["payload"]["Records"])
        return {json.loads(base64.b64decode(record["kinesis"]["data"]))["n"] for record in records}

    everything = set(range(RECORDS))
    wait_for(
        "the last record",
        lambda: {n for n, _, _ in place.written()} | told() == everything,
        seconds=size(180, 900),
        every=1,
    )
    written, given_up = place.written(), told()
    assert {n for n in everything if n % 997 == 0} <= given_up, "what always fails is told of"
    newest, seen = {}, set()
    for n, key, number in written:
        if number not in seen:
            seen.add(number)
            assert int(number) > newest.get(key, 0), f"{n} of key {key} came after a later one"
            newest[key] = int(number)
    twice = len(written) - len(seen)
    print(f"{RECORDS} records, {changes} splits and merges, {kills} kills: {len(given_up)} told of, {twice} handled twice")
    assert twice < 10 * 8 * 200 + len(given_up) * 200, "no more than what was under way at a kill"
    assert server.stop() == 0
