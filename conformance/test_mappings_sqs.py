"""Event source mappings of queues through boto3, and what mappings of streams leave in queues and topics."""

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
from test_lambda import error_of
from test_mappings import PRELUDE, Place

REFUSED = (400, "InvalidParameterValueException")
NO_QUEUE = (
    "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
    "SQS Error Message: The specified queue does not exist."
)
WINDOW = "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
BODIES = PRELUDE + """
def handler(event, context):
    write([[record["body"] for record in event["Records"]]])
"""


class Queues(Place):
    """A place with queues."""

    def connect(self, server):
        super().connect(server)
        self.sqs = server.client("sqs")

    def queue(self, name, **attributes):
        attributes = {key: str(value) for key, value in attributes.items()}
        url = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url, f"arn:aws:sqs:us-east-1:000000000000:{name}"

    def poll(self, queue, function, **settings):
        made = self.lambda_.create_event_source_mapping(EventSourceArn=queue, FunctionName=function, **settings)
        wait_for("the mapping", lambda: self.show(made["UUID"])["State"] in ("Enabled", "Disabled"))
        return made["UUID"]

    def send(self, url, *bodies, **more):
        for body in bodies:
            self.sqs.send_message(QueueUrl=url, MessageBody=body, **more)

    def is_empty(self, url):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return all(told[name] == "0" for name in names)

    def receive(self, url):
        """One message, as soon as there is one."""
        found = []

        def one():
            found.extend(self.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", []))
            return found

        wait_for("a message", one)
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=found[0]["ReceiptHandle"])
        return found[0]


@pytest.fixture
def place(tmp_path, server):
    return Queues(tmp_path, server)


def test_an_answer_has_what_the_one_of_aws_has(place, name):
    url, queue = place.queue(name)
    place.function(name, BODIES)
    create = lambda **more: place.lambda_.create_event_source_mapping(EventSourceArn=queue, FunctionName=name, **more)
    answer = create()
    assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == 202
    uuid, _ = answer.pop("UUID"), answer.pop("LastModified")
    assert answer == {
        "BatchSize": 10,
        "EventSourceArn": queue,
        "EventSourceMappingArn": f"arn:aws:lambda:us-east-1:000000000000:event-source-mapping:{uuid}",
        "FunctionArn": f"arn:aws:lambda:us-east-1:000000000000:function:{name}",
        "FunctionResponseTypes": [],
        "MaximumBatchingWindowInSeconds": 0,
        "State": "Creating",
        "StateTransitionReason": "USER_INITIATED",
    }
    taken = f'An event source mapping with SQS arn (" {queue} ") and function (" {name} ") already exists. '
    taken += f"Please update or delete the existing mapping with UUID {uuid}"
    assert error_of(create) == (409, "ResourceConflictException", taken)
    update = place.lambda_.update_event_source_mapping
    assert error_of(lambda: update(UUID=uuid, BatchSize=11)) == (*REFUSED, WINDOW)
    changed = update(UUID=uuid, BatchSize=100, MaximumBatchingWindowInSeconds=1, ScalingConfig={"MaximumConcurrency": 3})
    assert (changed["State"], changed["ScalingConfig"]) == ("Updating", {"MaximumConcurrency": 3})
    assert "ScalingConfig" not in update(UUID=uuid, ScalingConfig={})
    [listed] = place.lambda_.list_event_source_mappings(EventSourceArn=queue)["EventSourceMappings"]
    assert (listed["UUID"], listed["State"], listed["BatchSize"]) == (uuid, "Enabled", 100)
    assert place.lambda_.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    off = create(Enabled=False)
    assert off["State"] == "Disabled"
    assert update(UUID=off["UUID"], Enabled=True)["State"] == "Enabling"


def test_a_queue_that_hides_nothing_any_more_is_polled_all_the_same(place, name):
    url, queue = place.queue(name)
    place.function(name, BODIES)
    uuid = place.poll(queue, name)
    place.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "0"})
    place.send(url, "a")
    wait_for("the call", lambda: place.written() and place.is_empty(url))
    assert place.written()[0] == ["a"]
    assert place.show(uuid)["State"] == "Enabled"


def test_what_queues_do_not_have_is_refused(place, name):
    _, queue = place.queue(name)
    _, fifo = place.queue(f"{name}.fifo", FifoQueue="true")
    place.function(name, BODIES)
    place.function(f"{name}-slow", BODIES, timeout=31)

    def refused(**more):
        named = {"EventSourceArn": queue, "FunctionName": name, **more}
        answer = error_of(lambda: place.lambda_.create_event_source_mapping(**named))
        assert answer[:2] == REFUSED
        return answer[2]

    assert refused(StartingPosition="LATEST") == "StartingPosition is not valid for SQS event sources."
    assert refused(BatchSize=11) == WINDOW
    assert refused(EventSourceArn=fifo, BatchSize=11) == WINDOW
    window = refused(EventSourceArn=fifo, MaximumBatchingWindowInSeconds=1)
    assert window == "Batching window is not supported for FIFO queues"
    assert refused(EventSourceArn=f"{queue}-not") == NO_QUEUE
    slow = refused(FunctionName=f"{name}-slow")
    assert slow == "Queue visibility timeout: 30 seconds is less than Function timeout: 31 seconds"
    for pattern in ("None", "simple string", '{"eventSource": "aws:sqs"}', '{"eventSource": []}'):
        filters = {"Filters": [{"Pattern": pattern}]}
        assert refused(FilterCriteria=filters) == "Invalid filter pattern definition."
    for setting, value in {
        "BisectBatchOnFunctionError": True,
        "ParallelizationFactor": 2,
        "MaximumRetryAttempts": 1,
        "MaximumRecordAgeInSeconds": 60,
        "TumblingWindowInSeconds": 1,
    }.items():
        assert refused(**{setting: value}) == f"Unsupported {setting} parameter for given event source mapping type."
    assert place.lambda_.list_event_source_mappings(FunctionName=name)["EventSourceMappings"] == []


def test_messages_reach_the_function_in_the_form_of_aws(place, name):
    url, queue = place.queue(name)
    place.function(name, PRELUDE + "def handler(event, context): write(event['Records'])")
    place.poll(queue, name)
    attributes = {
        "Author": {"DataType": "String", "StringValue": "John Grisham"},
        "WeeksOn": {"DataType": "Number", "StringValue": "6"},
        "Bytes": {"DataType": "Binary", "BinaryValue": b"\x00"},
    }
    sent = place.sqs.send_message(QueueUrl=url, MessageBody="hello", MessageAttributes=attributes)
    [record] = wait_for("the message", place.written)
    system = record["attributes"]
    assert system.pop("ApproximateReceiveCount") == "1" and system.pop("SenderId")
    for moment in ("SentTimestamp", "ApproximateFirstReceiveTimestamp"):
        assert abs(int(system.pop(moment)) / 1000 - time.time()) < 60
    assert record.pop("receiptHandle")
    lists = {"stringListValues": [], "binaryListValues": []}
    assert record == {
        "messageId": sent["MessageId"],
        "body": "hello",
        "attributes": {},
        "messageAttributes": {
            "Author": {"stringValue": "John Grisham", "dataType": "String", **lists},
            "WeeksOn": {"stringValue": "6", "dataType": "Number", **lists},
            "Bytes": {"binaryValue": "AA==", "dataType": "Binary", **lists},
        },
        "md5OfMessageAttributes": sent["MD5OfMessageAttributes"],
        "md5OfBody": sent["MD5OfMessageBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue,
        "awsRegion": "us-east-1",
    }
    wait_for("the deletion", lambda: place.is_empty(url))


def test_a_batch_is_gathered_for_its_window(place, name):
    url, queue = place.queue(name)
    place.send(url, *map(str, range(25)))
    place.function(name, BODIES)
    place.poll(queue, name, BatchSize=1000, MaximumBatchingWindowInSeconds=2)
    [batch] = wait_for("the batch", place.written)
    assert sorted(map(int, batch)) == list(range(25))


def test_only_what_matches_a_filter_comes_and_the_rest_is_deleted(place, name):
    url, queue = place.queue(name)
    place.function(name, BODIES)
    pattern = json.dumps({"body": {"kind": ["a"], "n": [{"numeric": [">", 1]}]}})
    place.poll(queue, name, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    place.send(url, '{"kind": "a", "n": 1}', '{"kind": "a", "n": 2}', "text", '"a"')
    wait_for("the deletion", lambda: place.is_empty(url))
    assert place.written() == [['{"kind": "a", "n": 2}']]


def test_a_failed_batch_comes_again_and_ends_as_a_dead_letter(place, name):
    dead, dead_arn = place.queue(f"{name}-dead")
    policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})
    url, queue = place.queue(name, VisibilityTimeout=2, RedrivePolicy=policy)
    place.function(name, PRELUDE + "def handler(event, context): write(event['Records']); raise ValueError()", timeout=2)
    place.poll(queue, name, BatchSize=1)
    place.send(url, "bad")
    assert place.receive(dead)["Body"] == "bad"
    assert [record["attributes"]["ApproximateReceiveCount"] for record in place.written()] == ["1", "2"]
    assert place.is_empty(url)


def test_messages_that_are_named_stay(place, name):
    """The recorded course of a FIFO queue: of four messages three fail, then one, which ends as a dead letter."""
    dead, dead_arn = place.queue(f"{name}-dead.fifo", FifoQueue="true")
    policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})
    url, queue = place.queue(f"{name}.fifo", FifoQueue="true", VisibilityTimeout=2, RedrivePolicy=policy)
    code = PRELUDE + """
def handler(event, context):
    records = event["Records"]
    write([[json.loads(record["body"])["message"] for record in records]])
    fails = lambda record: json.loads(record["body"])["fail_attempts"] >= int(record["attributes"]["ApproximateReceiveCount"])
    return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in records if fails(r)]}
"""
    place.function(name, code, timeout=2)
    for n, attempts in enumerate([0, 1, 1, 2], start=1):
        body = json.dumps({"message": n, "fail_attempts": attempts})
        place.send(url, body, MessageGroupId="1", MessageDeduplicationId=f"dedup-{n}")
    place.poll(queue, name, FunctionResponseTypes=["ReportBatchItemFailures"])
    assert json.loads(place.receive(dead)["Body"])["message"] == 4
    assert place.written() == [[1, 2, 3, 4], [2, 3, 4]]


def test_a_group_keeps_its_order_beside_others(place, name):
    url, queue = place.queue(f"{name}.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    place.function(name, PRELUDE + "def handler(event, context): write(event['Records'])")
    place.poll(queue, name, BatchSize=1)
    for n in range(30):
        place.send(url, str(n), MessageGroupId=str(n % 3))
    wait_for("all", lambda: place.is_empty(url))
    records = place.written()
    assert set(records[0]["attributes"]) == {
        "ApproximateFirstReceiveTimestamp",
        "ApproximateReceiveCount",
        "MessageDeduplicationId",
        "MessageGroupId",
        "SenderId",
        "SentTimestamp",
        "SequenceNumber",
    }
    for group in range(3):
        of_group = [int(r["body"]) for r in records if r["attributes"]["MessageGroupId"] == str(group)]
        assert of_group == list(range(group, 30, 3))


def test_the_function_starts_within_moments_of_the_send(place, name):
    url, queue = place.queue(name)
    place.function(name, PRELUDE + "def handler(event, context): write([[float(event['Records'][0]['body']), time.time()]])")
    place.poll(queue, name)
    for n in range(31):
        place.send(url, str(time.time()))
        wait_for("the call", lambda: len(place.written()) == n + 1, every=0.002)
    delays = sorted(began - sent for sent, began in place.written()[1:])
    print(f"send to handler: median {delays[15] * 1000:.1f} ms, longest {delays[-1] * 1000:.1f} ms")
    assert delays[15] < 0.5, delays


def test_powertools_processes_batches(place, name):
    """aws-lambda-powertools' BatchProcessor as it is: the message that fails comes again, the others do not."""
    code = PRELUDE + """
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

processor = BatchProcessor(event_type=EventType.SQS)

def one(record):
    write([int(record.body)])
    if record.body == "3" and record.attributes.approximate_receive_count == "1":
        raise ValueError("once")

def handler(event, context):
    return process_partial_response(event=event, record_handler=one, processor=processor, context=context)
"""
    url, queue = place.queue(name, VisibilityTimeout=10)
    libraries = next(pathlib.Path(path) for path in sys.path if path.endswith("site-packages"))
    place.function(name, code, timeout=10, PYTHONPATH=str(libraries))
    place.send(url, *map(str, range(6)))
    place.poll(queue, name, FunctionResponseTypes=["ReportBatchItemFailures"])
    wait_for("all", lambda: place.is_empty(url))
    assert sorted(place.written()) == [0, 1, 2, 3, 3, 4, 5]


def test_no_more_batches_are_worked_on_than_allowed(place, name):
    url, queue = place.queue(name)
    code = PRELUDE + """
def handler(event, context):
    write([["begin"]])
    time.sleep(0.3)
    write([["end"]])
"""
    place.function(name, code)
    place.send(url, *map(str, range(12)))
    place.poll(queue, name, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    wait_for("all", lambda: place.is_empty(url))
    running, most = 0, 0
    for [what] in place.written():
        running += 1 if what == "begin" else -1
        most = max(most, running)
    assert most == 2


def test_what_a_stream_gives_up_goes_to_a_queue(place, name):
    stream = place.stream(name)
    url, queue = place.queue(name)
    place.function(name, "def handler(event, context): raise ValueError('no')")
    given = {"OnFailure": {"Destination": queue}}
    made = place.mapping(stream, name, BatchSize=1, MaximumRetryAttempts=1, DestinationConfig=given)
    assert place.show(made)["DestinationConfig"] == given
    put = place.kinesis.put_record(StreamARN=stream, PartitionKey="key", Data=b"1")
    told = json.loads(place.receive(url)["Body"])
    assert_told(told, put, stream, name)


def test_what_a_stream_gives_up_goes_to_a_topic(place, name):
    stream = place.stream(name)
    url, queue = place.queue(name)
    allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:*", "Resource": queue}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    place.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns = place.server.client("sns")
    topic = sns.create_topic(Name=name)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    place.function(name, "def handler(event, context): raise ValueError('no')")
    given = {"OnFailure": {"Destination": topic}}
    place.mapping(stream, name, BatchSize=1, MaximumRetryAttempts=1, DestinationConfig=given)
    put = place.kinesis.put_record(StreamARN=stream, PartitionKey="key", Data=b"1")
    notified = json.loads(place.receive(url)["Body"])
    assert (notified["Type"], notified["TopicArn"]) == ("Notification", topic)
    assert_told(json.loads(notified["Message"]), put, stream, name)


def assert_told(told, put, stream, name):
    assert told["requestContext"].pop("requestId") and told.pop("timestamp")
    batch = told.pop("KinesisBatchInfo")
    assert told == {
        "requestContext": {
            "functionArn": f"arn:aws:lambda:us-east-1:000000000000:function:{name}",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 2,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
    }
    assert batch.pop("approximateArrivalOfFirstRecord") == batch.pop("approximateArrivalOfLastRecord")
    assert batch == {
        "shardId": "shardId-000000000000",
        "startSequenceNumber": put["SequenceNumber"],
        "endSequenceNumber": put["SequenceNumber"],
        "batchSize": 1,
        "streamArn": stream,
    }


MESSAGES = size(3_000, 60_000)
MOODY = PRELUDE + """
def handler(event, context):
    fate = random.random()
    if fate < 0.02:
        raise ValueError("no")
    if fate < 0.03:
        sys.exit(1)
    failed = [record for record in event["Records"] if random.random() < 0.01]
    write([json.loads(record["body"]) for record in event["Records"] if record not in failed])
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}
"""


class Sender(threading.Thread):
    """Sends numbered messages, each until it is acknowledged, whatever happens to the server."""

    def __init__(self, server, url):
        super().__init__(daemon=True)
        self.server, self.url = server, url

    def run(self):
        sqs = self.server.client("sqs", read_timeout=10)
        for first in range(0, MESSAGES, 10):
            entries = [{"Id": str(n), "MessageBody": str(n)} for n in range(first, first + 10)]
            while entries:
                try:
                    answer = sqs.send_message_batch(QueueUrl=self.url, Entries=entries)
                except (BotoCoreError, ClientError):
                    time.sleep(0.05)
                    continue
                done = {sent["Id"] for sent in answer["Successful"]}
                entries = [entry for entry in entries if entry["Id"] not in done]


@pytest.mark.long
@pytest.mark.alone
def test_every_message_is_handled_through_kills(tmp_path, name):
    """A function that fails and dies, and a server that is killed six times: no message is lost."""
    server = Server(tmp_path / "data").start()
    place, chance = Queues(tmp_path, server), random.Random(3)
    url, queue = place.queue(name, VisibilityTimeout=3)
    place.function(name, MOODY, timeout=3)
    place.poll(queue, name, FunctionResponseTypes=["ReportBatchItemFailures"])
    sender = Sender(server, url)
    sender.start()
    for _ in range(6):
        time.sleep(0.3 + chance.random())
        server.restart()
    sender.join()
    everything = set(range(MESSAGES))
    wait_for("the last message", lambda: set(place.written()) == everything, seconds=size(120, 900), every=0.5)
    wait_for("the last deletion", lambda: place.is_empty(url), seconds=60)
    times = collections.Counter(place.written())
    print(f"{MESSAGES} messages: {sum(times.values()) - MESSAGES} times more than once")
    assert server.stop() == 0
