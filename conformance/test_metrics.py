"""GET /_headwater/metrics after boto3's calls: exact counts, in Prometheus' text, of everything that the document names."""

import io
import re
import urllib.request
import zipfile

import pytest
from botocore.exceptions import ClientError

from headwater import ROOT, wait_for
from tables import error_of, make

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"
HERE = {"region": "us-east-1"}
LABEL = r'(\w+)="((?:[^"\\\n]|\\[\\"n])*)"'
LINE = re.compile(rf"(\w+)(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)")


class Page:
    """The page, read as strictly as the format is described."""

    def __init__(self, server):
        with urllib.request.urlopen(f"{server.endpoint}/_headwater/metrics", timeout=10) as answer:
            assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            self.text = answer.read().decode()
        lines = self.text.split("\n")
        assert lines.pop() == ""
        self.kinds, self.samples = {}, {}
        for line in lines:
            if line.startswith("# HELP "):
                continue
            if line.startswith("# TYPE "):
                name, kind = line.removeprefix("# TYPE ").split(" ")
                assert name not in self.kinds
                self.kinds[name] = kind
                continue
            read = LINE.fullmatch(line)
            labels = frozenset(re.findall(LABEL, read[2] or ""))
            family = re.sub("_(bucket|sum|count)$", "", read[1]) if kind == "histogram" else read[1]
            assert family == name and (read[1], labels) not in self.samples, line
            self.samples[read[1], labels] = float(read[7])

    def __call__(self, metric, **labels):
        """The one value of a metric with these labels; none where there is none."""
        found = [value for (name, has), value in self.samples.items() if name == metric and has >= labels.items()]
        assert len(found) < 2, found
        return found[0] if found else None

    def names(self, prefix):
        return {name for name, _ in self.samples if name.startswith(prefix)}


def requests(page, operation, service="kinesis"):
    """How many requests of an operation had which class of status."""
    classes = ["2xx", "3xx", "4xx", "5xx"]
    counts = {c: page("headwater_requests_total", service=service, operation=operation, status=c) for c in classes}
    return {status: count for status, count in counts.items() if count is not None}


def test_every_request_is_counted_once(new_server):
    server = new_server()
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName="s", ShardCount=1)
    for i in range(5):
        kinesis.put_record(StreamName="s", PartitionKey=str(i), Data=b"x" * 100)
    with pytest.raises(kinesis.exceptions.ResourceNotFoundException):
        kinesis.put_record(StreamName="none", PartitionKey="k", Data=b"")
    server.client("s3").create_bucket(Bucket="bucket")
    page = Page(server)
    assert requests(page, "CreateStream") == {"2xx": 1}
    assert requests(page, "PutRecord") == {"2xx": 5, "4xx": 1}
    assert requests(page, "CreateBucket", "s3") == {"2xx": 1}
    labels = {"service": "kinesis", "operation": "PutRecord"}
    assert page("headwater_request_duration_seconds_count", **labels) == 6
    assert page("headwater_request_duration_seconds_bucket", le="+Inf", **labels) == 6
    assert 0 < page("headwater_request_duration_seconds_sum", **labels) < 60
    # In base64, with its frame.
    assert 5 * 136 < page("headwater_request_bytes_total", **labels) < 5 * 250 + 150
    assert page("headwater_response_bytes_total", **labels) > 5 * 56
    assert {op for (_, has) in page.samples for label, op in has if label == "operation"} == {
        "CreateStream",
        "PutRecord",
        "CreateBucket",
    }, "the page does not count itself"
    assert page("headwater_stream_incoming_records_total", stream="s", **HERE) == 5
    assert page("headwater_stream_incoming_bytes_total", stream="s", **HERE) == 5 * 101
    assert page("headwater_log_commits_total") == 5


def test_shards_are_shown_while_enhanced_monitoring_is_on(new_server):
    server = new_server()
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName="s", ShardCount=2)
    kinesis.create_stream(StreamName="other", ShardCount=1)
    for shard, count in enumerate([3, 4]):
        for _ in range(count):
            key = str(shard << 127)
            kinesis.put_record(StreamName="s", PartitionKey="k", Data=b"12345", ExplicitHashKey=key)
    iterator = kinesis.get_shard_iterator(StreamName="s", ShardId="shardId-000000000001", ShardIteratorType="TRIM_HORIZON")
    assert len(kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]) == 4
    assert Page(server).names("headwater_shard") == set()

    kinesis.enable_enhanced_monitoring(StreamName="s", ShardLevelMetrics=["IncomingRecords", "OutgoingBytes"])
    page = Page(server)
    names = {"headwater_shard_incoming_records_total", "headwater_shard_outgoing_bytes_total"}
    assert page.names("headwater_shard") == names
    for shard, incoming, outgoing in [("shardId-000000000000", 3, 0), ("shardId-000000000001", 4, 4 * 6)]:
        labels = {"stream": "s", "shard": shard, **HERE}
        assert page("headwater_shard_incoming_records_total", **labels) == incoming
        assert page("headwater_shard_outgoing_bytes_total", **labels) == outgoing
    assert page("headwater_shard_incoming_records_total", stream="other") is None

    kinesis.enable_enhanced_monitoring(StreamName="s", ShardLevelMetrics=["ALL"])
    assert len(Page(server).names("headwater_shard")) == 7
    kinesis.disable_enhanced_monitoring(StreamName="s", ShardLevelMetrics=["OutgoingBytes"])
    assert len(Page(server).names("headwater_shard")) == 6
    kinesis.disable_enhanced_monitoring(StreamName="s", ShardLevelMetrics=["ALL"])
    page = Page(server)
    assert page.names("headwater_shard") == set()
    assert page("headwater_stream_outgoing_records_total", stream="s") == 4


def zipped(source):
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("handler.py", source)
    return package.getvalue()


def deliver(server, name, data):
    """A bucket, a delivery stream into it, and a record that is put into that."""
    server.client("s3").create_bucket(Bucket=name)
    firehose = server.client("firehose")
    destination = {
        "RoleARN": ROLE,
        "BucketARN": f"arn:aws:s3:::{name}",
        "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 0},
    }
    firehose.create_delivery_stream(DeliveryStreamName=name, ExtendedS3DestinationConfiguration=destination)
    if data is not None:
        firehose.put_record(DeliveryStreamName=name, Record={"Data": data})


def test_a_server_that_does_everything_shows_all_that_the_document_names(new_server):
    server = new_server("--limits", "off", "--otlp-endpoint", "http://127.0.0.1:9")  # Where nobody listens.
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName="s", StreamModeDetails={"StreamMode": "ON_DEMAND"})
    kinesis.enable_enhanced_monitoring(StreamName="s", ShardLevelMetrics=["ALL"])
    arn = f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/s"
    start = {"StreamARN": arn, "StartingPosition": {"Type": "TRIM_HORIZON"}}
    queue = kinesis.create_queue(QueueName="q", StreamConfigurationList=[start])["QueueDescription"]["QueueARN"]
    consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="c")["Consumer"]["ConsumerARN"]
    for _ in range(3):
        kinesis.put_record(StreamName="s", PartitionKey="k", Data=b"12345", ExplicitHashKey="0")
    kinesis.receive_queue_records(QueueARN=queue, Limit=1, WaitTimeSeconds=1)
    subscription = kinesis.subscribe_to_shard(
        ConsumerARN=consumer, ShardId="shardId-000000000000", StartingPosition={"Type": "TRIM_HORIZON"}
    )["EventStream"]
    assert len(next(iter(subscription))["SubscribeToShardEvent"]["Records"]) == 3

    sqs = server.client("sqs")
    messages = sqs.create_queue(QueueName="m")["QueueUrl"]
    sqs.send_message_batch(QueueUrl=messages, Entries=[{"Id": str(i), "MessageBody": "m"} for i in range(3)])
    sqs.send_message(QueueUrl=messages, MessageBody="later", DelaySeconds=900)
    sqs.receive_message(QueueUrl=messages)

    dynamodb = server.client("dynamodb")
    make(dynamodb, "table")
    item = {"p": {"S": "a"}}
    dynamodb.put_item(TableName="table", Item=item)
    assert dynamodb.get_item(TableName="table", Key=item)["Item"] == item
    put = {"TableName": "table", "Item": item, "ConditionExpression": "attribute_not_exists(p)"}
    assert error_of(dynamodb.put_item, **put)[1] == "ConditionalCheckFailedException"
    assert error_of(dynamodb.transact_write_items, TransactItems=[{"Put": put}])[1] == "TransactionCanceledException"

    functions = server.client("lambda")
    source = "def handler(event, context):\n    return event['x']\n"
    code = {"ZipFile": zipped(source)}
    functions.create_function(FunctionName="f", Runtime="python3.12", Role=ROLE, Handler="handler.handler", Code=code)
    assert "FunctionError" not in functions.invoke(FunctionName="f", Payload=b'{"x":1}')
    assert "FunctionError" in functions.invoke(FunctionName="f", Payload=b"{}")

    code = {"ZipFile": zipped("def handler(event, context):\n    pass\n")}
    functions.create_function(FunctionName="g", Runtime="python3.12", Role=ROLE, Handler="handler.handler", Code=code)
    functions.create_event_source_mapping(EventSourceArn=arn, FunctionName="g", StartingPosition="TRIM_HORIZON")

    sns = server.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    nowhere = f"arn:aws:sqs:us-east-1:{ACCOUNT}:nowhere"
    subscribed = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=nowhere)["SubscriptionArn"]
    sns.publish(TopicArn=topic, Message="m")

    deliver(server, "works", b"a record")
    deliver(server, "fails", None)
    server.client("s3").delete_bucket(Bucket="fails")
    server.client("firehose").put_record(DeliveryStreamName="fails", Record={"Data": b"another"})

    def settled():
        page = Page(server)
        works, fails = ({"kind": "delivery_stream", "delivery": name, **HERE} for name in ("works", "fails"))
        is_done = page("headwater_delivery_batches_total", **works) == 1 and page("headwater_delivery_lag_seconds", **works) == 0
        is_stuck = page("headwater_delivery_stuck_errors", code="S3.NoSuchBucket", **fails)
        is_mapped = page("headwater_mapping_records_total", function="g") == 3
        is_given_up = page("headwater_subscription_given_up_messages_total", topic="t") == 1
        return is_done and is_stuck and is_mapped and is_given_up and page("headwater_delivery_lag_seconds", **fails) > 0 and page

    page = wait_for("the deliveries", settled)
    works, fails = {"delivery": "works"}, {"delivery": "fails"}
    assert page("headwater_delivery_records_total", **works) == page("headwater_delivery_incoming_records_total", **works) == 1
    assert page("headwater_delivery_bytes_total", **works) == page("headwater_delivery_incoming_bytes_total", **works) == 8
    assert [page("headwater_delivery_stuck", **each) for each in (works, fails)] == [0, 1]
    assert [page("headwater_delivery_backlog_records", **each) for each in (works, fails)] == [0, 1]
    assert page("headwater_delivery_failures_total", **fails) > 0

    labels = {"topic": "t", "subscription": subscribed.rpartition(":")[2], **HERE}
    assert page("headwater_topic_published_messages_total", topic="t") == 1
    assert page("headwater_subscription_failed_tries_total", **labels) == 1
    assert page("headwater_subscription_given_up_messages_total", **labels) == 1
    assert page("headwater_subscription_open_messages", **labels) == 0
    states = {state: page("headwater_queue_records", queue="q", state=state) for state in ["waiting", "in_flight", "dead_letter"]}
    assert states == {"waiting": 2, "in_flight": 1, "dead_letter": 0}
    states = {state: page("headwater_sqs_messages", queue="m", state=state) for state in ["visible", "in_flight", "delayed"]}
    assert states == {"visible": 2, "in_flight": 1, "delayed": 1}
    assert 0 < page("headwater_queue_oldest_record_age_seconds", queue="q") < 60
    assert page("headwater_consumer_subscriptions", stream="s", consumer="c") == 1
    assert page("headwater_consumer_outgoing_records_total", consumer="c") == 3
    assert page("headwater_consumer_outgoing_bytes_total", consumer="c") == 3 * 6
    assert page("headwater_function_invocations_total", function="f") == 2
    assert page("headwater_function_errors_total", function="f") == page("headwater_function_cold_starts_total", function="f") == 1
    assert page("headwater_function_duration_seconds_total", function="f") > 0
    assert page("headwater_mapping_calls_total", function="g") > 0
    assert page("headwater_table_written_items_total", table="table") == page("headwater_table_read_items_total", table="table") == 1
    assert page("headwater_table_failed_conditions_total", table="table") == 2
    assert page("headwater_table_cancelled_transactions_total", table="table") == 1
    assert page("headwater_table_partitions", table="table") > 0
    assert page("headwater_mapping_blocked_lanes", function="g") == 0
    resident = page("headwater_process_resident_memory_bytes") / (1 << 20)
    assert 0.5 * resident < server.memory_mib() < 2 * resident

    named = re.findall(r"^\| `(headwater_\w+)` \| (\w+) \|", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE)
    assert page.kinds == dict(named)
    subscription.close()


def test_counts_of_deliveries_outlive_the_process(new_server):
    server = new_server()
    deliver(server, "kept", b"12345")
    labels = {"kind": "delivery_stream", "delivery": "kept", **HERE}
    wait_for("the delivery", lambda: Page(server)("headwater_delivery_batches_total", **labels) == 1)
    server.restart()
    page = wait_for("the engine's start", lambda: (page := Page(server))("headwater_delivery_lag_seconds", **labels) == 0 and page)
    assert page("headwater_delivery_bytes_total", **labels) == 5
    assert page("headwater_delivery_incoming_bytes_total", **labels) == 0


def test_the_page_asks_for_no_key_and_tells_none(new_server):
    key, secret = "AKIDFORMETRICS", "a-secret-that-nobody-else-has"
    server = new_server("--access-key-id", key, "--secret-access-key", secret)
    with pytest.raises(ClientError):
        server.client("kinesis").list_streams()
    page = Page(server)
    assert requests(page, "ListStreams") == {"4xx": 1}
    assert key not in page.text and secret not in page.text
