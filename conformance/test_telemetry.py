"""OTLP to a collector: its own definitions read every span and metric; and what balancers are told."""

import json
import re
import urllib.error
import urllib.request

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from headwater import ROOT, wait_for
from receivers import Receiver

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector(Receiver):
    """Keeps spans and metrics. Statuses of its plan come first."""

    def __init__(self):
        super().__init__()
        self.spans, self.metrics, self.resources = {}, {}, []

    def answer(self, path, headers, body):
        if status := self.next_of_plan():
            return status, {}
        assert headers["Content-Type"] == "application/json"
        told = json.loads(body)
        if path == "/v1/traces":
            json_format.ParseDict(told, ExportTraceServiceRequest())
            of = told["resourceSpans"][0]
            spans = [span for scope in of["scopeSpans"] for span in scope["spans"]]
            assert spans and not {span["spanId"] for span in spans} & set(self.spans)
            self.spans.update({span["spanId"]: span for span in spans})
        else:
            assert path == "/v1/metrics"
            json_format.ParseDict(told, ExportMetricsServiceRequest())
            of = told["resourceMetrics"][0]
            self.metrics = {metric["name"]: metric for metric in of["scopeMetrics"][0]["metrics"]}
        self.resources.append(flat(of["resource"]["attributes"]))
        return 200, {}

    def named(self, name):
        with self.lock:
            return [span for span in self.spans.values() if span["name"] == name]


def flat(attributes):
    return {one["key"]: next(iter(one["value"].values())) for one in attributes}


@pytest.fixture
def collector():
    with Collector().running() as collector:
        yield collector


def test_requests_become_spans_and_counts_metrics(new_server, collector):
    server = new_server("--otlp-endpoint", collector.url)
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName="s", ShardCount=1)
    with pytest.raises(kinesis.exceptions.ResourceNotFoundException):
        kinesis.describe_stream_summary(StreamName="none")
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01", "X-Amz-Target": "Kinesis_20131202.ListStreams"}
    for last in (1, 0):
        headers = {**headers, "traceparent": f"00-{TRACE}-{SPAN}-0{last}", "Content-Type": "application/x-amz-json-1.1"}
        request = urllib.request.Request(server.endpoint, b"{}", headers)
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert answer.status == 200
    [created] = wait_for("the span", lambda: collector.named("kinesis/CreateStream"))
    [failed] = wait_for("the span", lambda: collector.named("kinesis/DescribeStreamSummary"))
    [listed] = wait_for("the span", lambda: collector.named("kinesis/ListStreams"))
    assert (listed["traceId"], listed["parentSpanId"]) == (TRACE, SPAN)
    assert "parentSpanId" not in created and created["traceId"] != failed["traceId"]
    assert int(created["startTimeUnixNano"]) <= int(created["endTimeUnixNano"])
    of = flat(failed["attributes"])
    assert (of["rpc.method"], of["http.response.status_code"]) == ("DescribeStreamSummary", "400")
    assert of["error.type"] == "ResourceNotFoundException" and "status" not in failed
    assert collector.resources[0]["service.name"] == "headwater"

    assert server.stop() == 0  # What is told last is told of everything.
    requests = collector.metrics["headwater_requests_total"]["sum"]["dataPoints"]
    counts = {tuple(sorted(flat(point["attributes"]).items())): point["asInt"] for point in requests}
    listed = (("operation", "ListStreams"), ("service", "kinesis"), ("status", "2xx"))
    assert counts[listed] == "2"
    took = collector.metrics["headwater_request_duration_seconds"]["histogram"]["dataPoints"]
    assert all(int(point["count"]) == sum(map(int, point["bucketCounts"])) for point in took)
    assert not collector.broken


def test_a_collector_that_is_away_gets_the_spans_later(new_server, collector):
    collector.plan = [503, 503]
    server = new_server("--otlp-endpoint", collector.url)
    server.client("kinesis").list_streams()
    [_] = wait_for("the span", lambda: collector.named("kinesis/ListStreams"))
    assert not collector.plan and not collector.broken
    assert "takes nothing" in server.log.read_text() and "takes what it is sent" in server.log.read_text()


def test_a_share_of_none_sends_no_span_of_its_own(new_server, collector):
    server = new_server("--otlp-endpoint", collector.url, "--otlp-ratio", "0")
    server.client("kinesis").list_streams()
    assert server.stop() == 0
    assert collector.metrics and not collector.spans and not collector.broken


@pytest.mark.parametrize("wrong", [("--otlp-endpoint", "localhost"), ("--otlp-endpoint", "http://x", "--otlp-ratio", "2")])
def test_settings_that_say_nothing_are_refused(new_server, wrong):
    with pytest.raises(AssertionError, match="did not start(.|\n)*(otlp|share)"):
        new_server(*wrong)


def test_balancers_are_told_whether_to_send_requests(server):
    with urllib.request.urlopen(f"{server.endpoint}/_headwater/ready", timeout=5) as answer:
        assert (answer.status, json.load(answer)) == (200, {"ready": True, "reasons": {}})


def test_the_dashboard_asks_for_metrics_that_there_are():
    dashboard = json.loads((ROOT / "docs/grafana/headwater.json").read_text())
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    asked = {name for panel in panels for target in panel["targets"] for name in re.findall(r"headwater_\w+", target["expr"])}
    lines = (ROOT / "docs/metrics.md").read_text()
    kinds = dict(re.findall(r"^\| `(headwater_\w+)` \| (\w+) \|", lines, re.MULTILINE))
    told = set(kinds) | {f"{name}_{end}" for name, kind in kinds.items() if kind == "histogram" for end in ("bucket", "sum", "count")}
    assert len(panels) > 20 and asked <= told, asked - told
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
