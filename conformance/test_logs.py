"""Log groups through boto3 and the AWS CLI."""

import time

import pytest
from botocore.exceptions import ClientError

from headwater import Server


@pytest.fixture
def logs(client):
    return client("logs")


@pytest.fixture
def stream(logs, name):
    """A group and a stream of the test's own; the arguments that name them."""
    names = {"logGroupName": f"/test/{name}", "logStreamName": "s"}
    logs.create_log_group(logGroupName=names["logGroupName"])
    logs.create_log_stream(**names)
    return names


def now():
    return int(time.time() * 1000)


def put(logs, stream, *texts, at=None):
    at = at or now()
    events = [{"timestamp": at + i, "message": text} for i, text in enumerate(texts)]
    return logs.put_log_events(**stream, logEvents=events)


def texts(events):
    return [event["message"] for event in events]


def error_of(call):
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_groups_know_their_bytes_and_puts_give_tokens(tmp_path):
    server = Server(tmp_path / "data").start()
    try:
        names = {"logGroupName": "g", "logStreamName": "s"}
        logs = server.client("logs")
        logs.create_log_group(logGroupName="g")
        logs.create_log_stream(**names)
        stored = lambda: server.client("logs").describe_log_groups()["logGroups"][0]["storedBytes"]
        assert stored() == 0
        tokens = [put(logs, names, "one", "zwölf")["nextSequenceToken"] for _ in range(3)]
        assert len(set(tokens)) == 3 and all(len(token) == 56 and token.isdigit() for token in tokens)
        logs.put_log_events(**names, sequenceToken=tokens[0], logEvents=[{"timestamp": now(), "message": "x" * 1000}])
        expected = 3 * (3 + 26 + 6 + 26) + 1000 + 26
        assert stored() == expected
        server.restart()
        assert stored() == expected
        (shown,) = server.client("logs").describe_log_streams(logGroupName="g")["logStreams"]
        assert shown["storedBytes"] == 0
    finally:
        server.stop()


def test_long_names_are_refused_in_the_words_of_aws(client, stream):
    logs = client("logs", parameter_validation=False)
    text = "Invalid LogGroup or LogStream, both must have length less than or equal to 512."
    group = stream["logGroupName"]
    for call in [
        lambda: logs.create_log_group(logGroupName="a" * 513),
        lambda: logs.create_log_stream(logGroupName=group, logStreamName="a" * 513),
        lambda: logs.put_log_events(logGroupName="a" * 513, logStreamName="s", logEvents=[]),
    ]:
        assert error_of(call) == ("InvalidParameterException", text)


def test_groups_and_streams(logs, stream):
    group = stream["logGroupName"]
    (found,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}"
    assert (found["arn"], found["logGroupArn"], found["metricFilterCount"]) == (f"{arn}:*", arn, 0)
    assert "retentionInDays" not in found
    logs.put_retention_policy(logGroupName=group, retentionInDays=14)
    (found,) = logs.describe_log_groups(logGroupNamePattern=group[2:])["logGroups"]
    assert found["retentionInDays"] == 14

    for i in range(120):
        logs.create_log_stream(logGroupName=group, logStreamName=f"n{i:03}")
    pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=group, logStreamNamePrefix="n")
    assert [s["logStreamName"] for p in pages for s in p["logStreams"]] == [f"n{i:03}" for i in range(120)]
    put(logs, stream, "newest")
    (newest,) = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True, limit=1)[
        "logStreams"
    ]
    assert newest["logStreamName"] == "s" and newest["lastEventTimestamp"] == newest["firstEventTimestamp"]

    exists = ("ResourceAlreadyExistsException", "The specified log group already exists")
    assert error_of(lambda: logs.create_log_group(logGroupName=group)) == exists
    logs.delete_log_stream(**stream)
    no_stream = ("ResourceNotFoundException", "The specified log stream does not exist.")
    assert error_of(lambda: put(logs, stream, "late")) == no_stream
    logs.delete_log_group(logGroupName=group)
    no_group = ("ResourceNotFoundException", "The specified log group does not exist.")
    assert error_of(lambda: put(logs, stream, "later")) == no_group


def test_events_are_read_in_pages_both_ways(logs, stream):
    put(logs, stream, *map(str, range(100)))
    seen, token = [], None
    while True:
        more = {"nextToken": token} if token else {"startFromHead": True}
        page = logs.get_log_events(**stream, limit=30, **more)
        seen += texts(page["events"])
        if page["nextForwardToken"] == token:
            break
        token = page["nextForwardToken"]
    assert seen == [str(i) for i in range(100)]
    last = logs.get_log_events(**stream, limit=10)
    assert texts(last["events"]) == [str(i) for i in range(90, 100)]
    before = logs.get_log_events(**stream, limit=10, nextToken=last["nextBackwardToken"])
    assert texts(before["events"]) == [str(i) for i in range(80, 90)]
    forged = ("InvalidParameterException", "The specified nextToken is invalid.")
    assert error_of(lambda: logs.get_log_events(**stream, nextToken="invalid")) == forged


def test_events_are_filtered(server, logs, stream):
    group = stream["logGroupName"]
    at = now() - 60_000
    put(logs, stream, "fine", "ERROR disk full", "ERROR network", "WARN disk", at=at)
    find = lambda **more: texts(
        e for p in logs.get_paginator("filter_log_events").paginate(logGroupName=group, **more) for e in p["events"]
    )
    assert find() == ["fine", "ERROR disk full", "ERROR network", "WARN disk"]
    assert find(filterPattern="ERROR disk") == ["ERROR disk full"]
    assert find(filterPattern="?network ?WARN") == ["ERROR network", "WARN disk"]
    assert find(filterPattern="ERROR -disk") == ["ERROR network"]
    assert find(filterPattern='"disk full"') == ["ERROR disk full"]
    assert find(startTime=at + 1, endTime=at + 2) == ["ERROR disk full", "ERROR network"]
    assert find(logStreamNames=["s"], PaginationConfig={"PageSize": 1}) == find()
    for wrong in ["{ $.a }", "[a", "%(a)%"]:
        refused, text = error_of(lambda: find(filterPattern=wrong))
        assert refused == "InvalidParameterException" and text.startswith("Invalid filter pattern: ")
    found = server.aws("logs", "filter-log-events", "--log-group-name", group, "--filter-pattern", "disk")
    assert texts(found["events"]) == ["ERROR disk full", "WARN disk"]


def test_events_are_filtered_by_what_is_in_them(server, logs, stream):
    lines = [
        '{"level": "ERROR", "latency": 12.5, "user": {"ids": [7, 8]}}',
        '{"level": "INFO", "latency": 250, "user": null}',
        '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534',
        "ERROR 42 of many",
    ]
    put(logs, stream, *lines)
    group = stream["logGroupName"]
    for pattern, wanted in [
        ('{ $.level = "ERROR" }', [0]),
        ("{ $.latency > 100 || $.user.ids[1] = 8 }", [0, 1]),
        ("{ $.user IS NULL && $.level != ERR* }", [1]),
        ("{ $.missing NOT EXISTS }", [0, 1]),
        ("[ip, user, name, time, request = *.html*, status = 4*, bytes > 1000]", [2]),
        ("[level = ERROR, ...]", [3]),
        ("%ERROR [0-9]+%", [3]),
    ]:
        found = server.aws("logs", "filter-log-events", "--log-group-name", group, "--filter-pattern", pattern)
        assert texts(found["events"]) == [lines[n] for n in wanted], pattern


def test_events_have_their_bounds(logs, stream):
    order = "Log events in a single PutLogEvents request must be in chronological order."
    backwards = [{"timestamp": now(), "message": "a"}, {"timestamp": now() - 1000, "message": "b"}]
    assert error_of(lambda: logs.put_log_events(**stream, logEvents=backwards)) == ("InvalidParameterException", order)
    day = 24 * 3600 * 1000
    assert put(logs, stream, "old", at=now() - 15 * day)["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    assert put(logs, stream, "new", at=now() + day)["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 0}
    large = [{"timestamp": now(), "message": "x" * 200_000}] * 6
    assert error_of(lambda: logs.put_log_events(**stream, logEvents=large))[0] == "InvalidParameterException"
    assert logs.get_log_events(**stream)["events"] == []


def test_broken_constraints_have_the_code_of_logs(logs, stream):
    group = stream["logGroupName"]
    for call, place in [
        (lambda: logs.filter_log_events(logGroupName=group, limit=10_001), "limit"),
        (lambda: logs.describe_log_groups(limit=51), "limit"),
        (lambda: logs.create_log_group(logGroupName="a b"), "logGroupName"),
        (lambda: put(logs, {"logGroupName": "a b", "logStreamName": "s"}, "text"), "logGroupName"),
    ]:
        code, message = error_of(call)
        assert code == "InvalidParameterException"
        assert "validation error" in message and f"at '{place}'" in message


def test_events_survive_a_kill(new_server):
    server = new_server()
    logs = server.client("logs")
    names = {"logGroupName": "g", "logStreamName": "s"}
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(**names)
    for i in range(5):
        put(logs, names, f"before kill {i}")
        server.restart()
    assert texts(logs.get_log_events(**names)["events"]) == [f"before kill {i}" for i in range(5)]


def test_what_a_group_was_given_is_taken_again(logs, name):
    logs.create_log_group(logGroupName=name)
    assert [group["logGroupName"] for group in logs.list_log_groups(logGroupNamePattern=name)["logGroups"]] == [name]
    described = lambda: logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]

    logs.put_retention_policy(logGroupName=name, retentionInDays=7)
    assert described()["retentionInDays"] == 7
    logs.delete_retention_policy(logGroupName=name)
    assert "retentionInDays" not in described()

    count = {"metricName": "lines", "metricNamespace": "app", "metricValue": "1"}
    logs.put_metric_filter(logGroupName=name, filterName="f", filterPattern="", metricTransformations=[count])
    assert described()["metricFilterCount"] == 1
    logs.delete_metric_filter(logGroupName=name, filterName="f")
    assert described()["metricFilterCount"] == 0
    assert logs.describe_metric_filters(logGroupName=name)["metricFilters"] == []
    code, _ = error_of(lambda: logs.delete_metric_filter(logGroupName=name, filterName="f"))
    assert code == "ResourceNotFoundException"
