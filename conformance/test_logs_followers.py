"""Who follows log groups: subscription filters, metric filters, live tails; and tags."""

import gzip
import json
import subprocess
import threading
from datetime import UTC, datetime, timedelta

import lambdas
from headwater import ROOT, clean_environment, wait_for
from test_durability import records_of
from test_logs import error_of, put

ROLE = "arn:aws:iam::000000000000:role/r"
ACCOUNT = "arn:aws:{}:us-east-1:000000000000:{}"
# It leaves what it gets as files, by the ids of their messages.
KEEPER = """
import base64, gzip, os, uuid
def handler(event, context):
    text = gzip.decompress(base64.b64decode(event["awslogs"]["data"]))
    path = os.path.join(os.environ["KEPT"], str(uuid.uuid4()))
    with open(path + ".part", "wb") as file:
        file.write(text)
    os.rename(path + ".part", path)
"""


def make_destinations(server, folder):
    """A stream, a delivery stream into a bucket, and a function that keeps what it gets in a folder; their ARNs."""
    server.client("kinesis").create_stream(StreamName="s", ShardCount=2)
    server.client("kinesis").get_waiter("stream_exists").wait(StreamName="s")
    server.client("s3").create_bucket(Bucket="logs-bucket")
    settings = {"BucketARN": "arn:aws:s3:::logs-bucket", "RoleARN": ROLE}
    settings["BufferingHints"] = {"IntervalInSeconds": 1, "SizeInMBs": 1}
    server.client("firehose").create_delivery_stream(DeliveryStreamName="d", ExtendedS3DestinationConfiguration=settings)
    function = server.client("lambda")
    lambdas.create(function, "f", {"index.py": KEEPER}, Environment={"Variables": {"KEPT": str(folder)}})
    return ACCOUNT.format("kinesis", "stream/s"), ACCOUNT.format("firehose", "deliverystream/d"), ACCOUNT.format(
        "lambda", "function:f"
    )


def permit(server, group):
    server.client("lambda").add_permission(
        FunctionName="f",
        StatementId=group.strip("/").replace("/", "-"),
        Principal="logs.us-east-1.amazonaws.com",
        Action="lambda:InvokeFunction",
        SourceArn=ACCOUNT.format("logs", f"log-group:{group}:*"),
        SourceAccount="000000000000",
    )


def subscribe(server, group, name, destination, **more):
    role = {} if ":lambda:" in destination else {"roleArn": ROLE}
    server.client("logs").put_subscription_filter(
        logGroupName=group, filterName=name, destinationArn=destination, **{"filterPattern": "", **role, **more}
    )


def in_stream(server):
    return [json.loads(gzip.decompress(data)) for data in records_of(server.client("kinesis"), "s").values()]


def in_bucket(server):
    s3, found = server.client("s3"), []
    for item in s3.list_objects_v2(Bucket="logs-bucket").get("Contents", []):
        body = s3.get_object(Bucket="logs-bucket", Key=item["Key"])["Body"].read()
        text, decoder = gzip.decompress(body).decode(), json.JSONDecoder()
        while text:
            message, end = decoder.raw_decode(text)
            found.append(message)
            text = text[end:]
    return found


def in_folder(folder):
    paths = sorted((p for p in folder.iterdir() if p.suffix != ".part"), key=lambda p: p.stat().st_mtime_ns)
    return [json.loads(path.read_text()) for path in paths]


def texts_by_stream(messages):
    """The texts of each stream, each where it came first."""
    by_stream = {}
    for message in messages:
        if message["messageType"] == "DATA_MESSAGE":
            texts = by_stream.setdefault(message["logStream"], {})
            for event in message["logEvents"]:
                texts.setdefault(event["message"], event["id"])
    return {stream: list(texts) for stream, texts in by_stream.items()}


def test_every_event_comes_at_least_once_and_in_order_through_kills(new_server, tmp_path):
    folder = tmp_path / "kept"
    folder.mkdir()
    server = new_server("--limits", "off")  # It reads the stream more often than five times a second.
    stream, delivery, function = make_destinations(server, folder)
    for group, destinations in [("g", [stream, delivery]), ("h", [function])]:
        server.client("logs").create_log_group(logGroupName=group)
        for name in ["one", "two"]:
            server.client("logs").create_log_stream(logGroupName=group, logStreamName=name)
        if function in destinations:
            permit(server, group)
        for destination in destinations:
            subscribe(server, group, destination.split(":")[2], destination, filterPattern="-quiet")
    expected = []
    for round in range(4):
        logs = server.client("logs")
        for part in range(5):
            texts = [f"event {round:02} {part:02} {n:02}" for n in range(10)]
            expected += texts
            for group in ["g", "h"]:
                for name in ["one", "two"]:
                    put(logs, {"logGroupName": group, "logStreamName": name}, *texts, "quiet")
        server.restart()
    expected = {"one": expected, "two": expected}
    for what, found in [
        ("the stream", lambda: in_stream(server)),
        ("the function", lambda: in_folder(folder)),
        ("the bucket", lambda: in_bucket(server)),
    ]:
        wait_for(f"every event in {what}", lambda: {s: sorted(t) for s, t in texts_by_stream(found()).items()} == expected)
    # A stream's records of one log stream are in one shard, in their order; a function's runs may pass each other.
    assert texts_by_stream(in_stream(server)) == expected
    controls = [m for m in in_stream(server) if m["messageType"] == "CONTROL_MESSAGE"]
    text = "CWL CONTROL MESSAGE: Checking health of destination Kinesis stream."
    assert [m["logEvents"][0]["message"] for m in controls] == [text]
    message = next(m for m in in_stream(server) if m["messageType"] == "DATA_MESSAGE")
    assert (message["owner"], message["logGroup"], message["subscriptionFilters"]) == ("000000000000", "g", ["kinesis"])
    shown = server.client("logs").describe_subscription_filters(logGroupName="g")["subscriptionFilters"]
    assert [(f["filterName"], f["distribution"], f["applyOnTransformedLogs"]) for f in shown] == [
        ("firehose", "ByLogStream", False),
        ("kinesis", "ByLogStream", False),
    ]


def test_destinations_are_tried_when_a_filter_is_put(new_server, tmp_path):
    server = new_server()
    logs = server.client("logs")
    logs.create_log_group(logGroupName="g")
    filters = lambda arn, **more: error_of(lambda: subscribe(server, "g", "f", arn, **more))
    invalid = "InvalidParameterException"
    state = "Check if the given {} stream is in ACTIVE state."
    gone = "Could not deliver test message to specified {} stream. "
    assert filters(ACCOUNT.format("kinesis", "stream/gone")) == (
        invalid, gone.format("Kinesis") + state.format("kinesis")
    )
    assert filters(ACCOUNT.format("firehose", "deliverystream/gone")) == (
        invalid, gone.format("Firehose") + state.format("Firehose")
    )
    lambdas.create(server.client("lambda"), "f", {"index.py": "def handler(event, context): pass"})
    function = ACCOUNT.format("lambda", "function:f")
    text = "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function."
    assert filters(function) == (invalid, text)
    permit(server, "g")
    subscribe(server, "g", "f", function)
    logs.delete_subscription_filter(logGroupName="g", filterName="f")
    none = ("ResourceNotFoundException", "The specified subscription filter does not exist.")
    assert error_of(lambda: logs.delete_subscription_filter(logGroupName="g", filterName="f")) == none


def sums(server, metric):
    """The sum and the count of a metric's values of the last hours."""
    cloudwatch, end = server.client("cloudwatch"), datetime.now(UTC) + timedelta(minutes=5)
    points = cloudwatch.get_metric_statistics(
        Namespace="n",
        MetricName=metric,
        StartTime=end - timedelta(hours=3),
        EndTime=end,
        Period=60,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    return sum(p["Sum"] for p in points), sum(p["SampleCount"] for p in points)


def test_metric_filters_count_each_event_once_through_kills(new_server):
    server = new_server()
    names = {"logGroupName": "g", "logStreamName": "s"}
    logs = server.client("logs")
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(**names)
    put(logs, names, '{"latency": 1000000}')
    for metric, value in [("events", "1"), ("latency", "$.latency")]:
        transformation = {"metricName": metric, "metricNamespace": "n", "metricValue": value}
        logs.put_metric_filter(
            logGroupName="g",
            filterName=metric,
            filterPattern="{ $.latency = * }",
            metricTransformations=[transformation],
        )
    assert logs.describe_log_groups()["logGroups"][0]["metricFilterCount"] == 2
    count = 0
    for round in range(4):
        for _ in range(20):
            put(server.client("logs"), names, *(json.dumps({"latency": n}) for n in range(10)), "not JSON")
            count += 10
        server.restart()
    wait_for("all counted", lambda: sums(server, "events")[0] >= count)
    put(server.client("logs"), names, '{"latency": 5}')
    wait_for("one more", lambda: sums(server, "events")[0] > count)
    assert sums(server, "events") == (count + 1, count + 1)
    assert sums(server, "latency") == (count // 10 * 45 + 5, count + 1)
    shown = server.client("logs").describe_metric_filters(metricName="latency", metricNamespace="n")["metricFilters"]
    assert [f["metricTransformations"][0]["metricValue"] for f in shown] == ["$.latency"]
    found = server.aws(
        *("logs", "test-metric-filter", "--filter-pattern", "[a, b = 4*]"),
        *("--log-event-messages", "x 404", "x 500"),
    )
    matched = {"eventNumber": 1, "eventMessage": "x 404", "extractedValues": {"$a": "x", "$b": "404"}}
    assert found == {"matches": [matched]}


def test_a_live_tail_tells_events_as_they_come(server, name):
    # Clients put `stream-` before the host's name, which an address has not.
    logs = server.client("logs", inject_host_prefix=False)
    names = {"logGroupName": f"/test/{name}", "logStreamName": "s"}
    logs.create_log_group(logGroupName=names["logGroupName"])
    logs.create_log_stream(**names)
    arn = logs.describe_log_groups(logGroupNamePrefix=names["logGroupName"])["logGroups"][0]["logGroupArn"]
    session = logs.start_live_tail(logGroupIdentifiers=[arn], logEventFilterPattern="ERROR")["responseStream"]
    events = iter(session)
    start = next(events)["sessionStart"]
    assert start["logGroupIdentifiers"] == [arn] and start["logEventFilterPattern"] == "ERROR"
    put(logs, names, "fine", "an ERROR")
    for event in events:
        if found := event["sessionUpdate"]["sessionResults"]:
            break
    assert [(e["message"], e["logStreamName"], e["logGroupIdentifier"]) for e in found] == [
        ("an ERROR", "s", f"000000000000:{names['logGroupName']}")
    ]
    session.close()
    none = ("ResourceNotFoundException", "The specified log group does not exist.")
    assert error_of(lambda: logs.start_live_tail(logGroupIdentifiers=[arn + "-none"])) == none


def test_the_cli_tails_a_group(server, name):
    logs = server.client("logs")
    names = {"logGroupName": f"/test/{name}", "logStreamName": "s"}
    logs.create_log_group(logGroupName=names["logGroupName"])
    logs.create_log_stream(**names)
    arn = logs.describe_log_groups(logGroupNamePrefix=names["logGroupName"])["logGroups"][0]["logGroupArn"]
    more = {"AWS_ENDPOINT_URL": server.endpoint, "AWS_DISABLE_HOST_PREFIX_INJECTION": "true", "PYTHONUNBUFFERED": "1"}
    command = [str(ROOT / ".venv/bin/aws"), "logs", "start-live-tail", "--log-group-identifiers", arn]
    tail = subprocess.Popen(command, env=clean_environment(**more), stdout=subprocess.PIPE, text=True)
    stop = threading.Event()

    def write():
        while not stop.wait(0.2):
            put(logs, names, "told")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert "told" in tail.stdout.readline()
    finally:
        stop.set()
        writer.join()
        tail.kill()
        tail.wait()
        tail.stdout.close()


def test_tags_are_kept_through_a_kill(new_server):
    server = new_server()
    logs = server.client("logs")
    logs.create_log_group(logGroupName="g", tags={"env": "one"})
    arn = ACCOUNT.format("logs", "log-group:g")
    logs.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
    logs.tag_log_group(logGroupName="g", tags={"a": "3"})
    logs.untag_resource(resourceArn=arn, tagKeys=["env"])
    logs.untag_log_group(logGroupName="g", tags=["b"])
    server.restart()
    logs = server.client("logs")
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "3"}
    assert logs.list_tags_log_group(logGroupName="g")["tags"] == {"a": "3"}
    many = {f"k{n}": "" for n in range(50)}
    assert error_of(lambda: logs.tag_resource(resourceArn=arn, tags=many))[0] == "TooManyTagsException"


def test_what_is_not_built_is_refused_by_name(server):
    logs = server.client("logs")
    for call in [
        lambda: logs.start_query(startTime=0, endTime=1, queryString="fields @message", logGroupName="g"),
        lambda: logs.put_destination(destinationName="d", targetArn="t", roleArn=ROLE),
        lambda: logs.put_delivery_source(name="n", resourceArn="r", logType="t"),
        lambda: logs.create_log_anomaly_detector(logGroupArnList=[ACCOUNT.format("logs", "log-group:g")]),
        lambda: logs.put_data_protection_policy(logGroupIdentifier="g", policyDocument="{}"),
        lambda: logs.put_transformer(logGroupIdentifier="g", transformerConfig=[{"parseJSON": {}}]),
        lambda: logs.put_account_policy(policyName="p", policyDocument="{}", policyType="DATA_PROTECTION_POLICY"),
        lambda: logs.create_export_task(logGroupName="g", fromTime=0, to=1, destination="b"),
    ]:
        assert error_of(call)[0] == "NotImplemented"
