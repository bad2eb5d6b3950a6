"""CloudWatch's metrics and dashboards with boto3 in each of the service's three protocols, with requests of our own, and with
the CLI.

What is expected of answers is what localstack's tests recorded on AWS.
"""

import concurrent.futures
import copy
import gzip
import http.client
import json
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

import sdks

PROTOCOLS = ["json", "smithy-rpc-v2-cbor", "query"]
NAMESPACE = "{http://monitoring.amazonaws.com/doc/2010-08-01/}"
MINUTE = timedelta(minutes=1)


def speaking(protocol):
    """A session whose clients of CloudWatch know no other protocol."""
    session = botocore.session.Session()
    loader = session.get_component("data_loader")
    load = loader.load_service_model

    def only(service, *arguments, **options):
        model = load(service, *arguments, **options)
        if service == "cloudwatch" and arguments[:1] != ("waiters-2",) and "protocols" in model.get("metadata", {}):
            model = copy.deepcopy(model)
            model["metadata"].update(protocol=protocol, protocols=[protocol])
        return model

    loader.load_service_model = only
    return session


def client_of(server, protocol, region="us-east-1"):
    return boto3.Session(botocore_session=speaking(protocol)).client(
        "cloudwatch",
        endpoint_url=server.endpoint,
        region_name=region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 0}),
    )


@pytest.fixture(params=PROTOCOLS)
def protocol(request):
    return request.param


@pytest.fixture
def cloudwatch(server, protocol):
    return client_of(server, protocol)


@pytest.fixture(scope="module")
def plain(server):
    """A client as people make it."""
    return server.client("cloudwatch")


def now():
    return datetime.now(UTC)


def error_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    error = answer["Error"]
    return answer["ResponseMetadata"]["HTTPStatusCode"], error["Code"], error.get("QueryErrorCode"), error["Message"]


def stat(namespace, id="m1", metric="m", period=60, stat="Sum", **more):
    named = {"Namespace": namespace, "MetricName": metric, **more.pop("Metric", {})}
    return {"Id": id, "MetricStat": {"Metric": named, "Period": period, "Stat": stat, **more}}


def asked(cloudwatch, *queries, start=None, end=None, **more):
    range = {"StartTime": start or now() - 5 * MINUTE, "EndTime": end or now() + 5 * MINUTE}
    return cloudwatch.get_metric_data(MetricDataQueries=list(queries), **range, **more)


def values_of(answer):
    return {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}


class Raw:
    """Requests as botocore makes them, without botocore around their answers."""

    def __init__(self, server, protocol):
        session = speaking(protocol)
        self.model = ServiceModel(session.get_component("data_loader").load_service_model("cloudwatch", "service-2"))
        self.server, self.protocol = server, protocol

    def call(self, operation, packed=None, more=None, **parameters):
        """The status, the headers and the body of an answer."""
        request = create_serializer(self.protocol, include_validation=False).serialize_to_request(
            parameters, self.model.operation_model(operation)
        )
        body = request["body"]
        if self.protocol == "query":
            body = "&".join(f"{key}={quote(str(value), safe='')}" for key, value in body.items())
        body = body.encode() if isinstance(body, str) else body
        headers = dict(request["headers"])
        if packed:
            body, headers["Content-Encoding"] = gzip.compress(body), packed
        headers.update(more or {})
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port)
        connection.request("POST", request["url_path"], body, headers)
        answer = connection.getresponse()
        found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        connection.close()
        return found

    def parsed(self, operation, found):
        status, headers, body = found
        shape = self.model.operation_model(operation).output_shape
        response = {"status_code": status, "headers": headers, "body": body}
        return create_parser(self.protocol).parse(response, shape)


@pytest.fixture
def raw(server, protocol):
    return Raw(server, protocol)


# What the service says of itself in each protocol.
KINDS = {"json": "application/x-amz-json-1.0", "smithy-rpc-v2-cbor": "application/cbor", "query": "text/xml"}


def test_answers_are_in_the_protocol_of_their_requests(raw, name):
    start = now().replace(second=0, microsecond=0)
    for value in (23, 18):
        data = [{"MetricName": "some", "Value": value, "Timestamp": start}]
        status, headers, _ = raw.call("PutMetricData", Namespace=name, MetricData=data)
        assert (status, headers["content-type"]) == (200, KINDS[raw.protocol])
        assert re.fullmatch("[0-9a-f-]{36}", headers["x-amzn-requestid"])
    queries = [stat(name, "some", "some"), stat(name, "none", "none")]
    range = {"StartTime": start - MINUTE, "EndTime": start + 5 * MINUTE}
    status, headers, body = raw.call("GetMetricData", MetricDataQueries=queries, **range)
    assert (status, headers["content-type"]) == (200, KINDS[raw.protocol])
    if raw.protocol == "query":
        (result, *_), messages = (ET.fromstring(body)[0].find(NAMESPACE + tag) for tag in ("MetricDataResults", "Messages"))
        assert len(messages) == 0, "it is there, and empty"
        assert [member.text for member in result.find(NAMESPACE + "Values")] == ["41.0"]
        times = [member.text for member in result.find(NAMESPACE + "Timestamps")]
        assert times == [start.strftime("%Y-%m-%dT%H:%M:%SZ")]
    else:
        if raw.protocol == "json":
            assert json.loads(body)["MetricDataResults"][0]["Timestamps"] == [start.timestamp()]
        else:
            assert headers["smithy-protocol"] == "rpc-v2-cbor"
            assert b"\xc1\xfbA" in body, "times are tagged doubles"
        parsed = raw.parsed("GetMetricData", (status, headers, body))
        assert parsed["MetricDataResults"] == [
            {"Id": "some", "Label": "some", "Timestamps": parsed["MetricDataResults"][0]["Timestamps"],
             "Values": [41.0], "StatusCode": "Complete"},
            {"Id": "none", "Label": "none", "Timestamps": [], "Values": [], "StatusCode": "Complete"},
        ]
        assert parsed["Messages"] == []


def told(raw, found):
    """The status of an error, its type or code, its text, and the code of the query protocol."""
    status, headers, body = found
    if raw.protocol == "query":
        (error,) = ET.fromstring(body).findall(NAMESPACE + "Error")
        parts = {member.tag.removeprefix(NAMESPACE): member.text for member in error}
        assert parts["Type"] == "Sender"
        return status, parts["Code"], parts.get("Message"), None
    if raw.protocol == "json":
        parts = json.loads(body)
    else:
        parser = create_parser(raw.protocol)
        parts = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body))
    return status, parts["__type"], parts.get("message"), headers["x-amzn-query-error"]


def test_errors_have_the_codes_of_both_protocols(raw, name):
    broken = "1 validation error detected: Value ':a' at 'namespace' failed to satisfy constraint: Member must satisfy " \
        "regular expression pattern: [^:].*"
    absent = f"Dashboard {name} does not exist"
    mode = {"x-amzn-query-mode": "true"}
    wrong = told(raw, raw.call("ListMetrics", Namespace=":a"))
    # Of who does not say that it wants the query protocol's errors, all are one status.
    without = told(raw, raw.call("GetDashboard", DashboardName=name, more={"x-amzn-query-mode": "false"}))
    within = told(raw, raw.call("GetDashboard", DashboardName=name, more=mode))
    if raw.protocol == "query":
        assert wrong == (400, "ValidationError", broken, None)
        assert without == within == (404, "ResourceNotFound", absent, None)
    else:
        assert wrong == (400, "com.amazon.coral.validate#ValidationException", broken, "ValidationError;Sender")
        kind = "com.amazonaws.cloudwatch.v2010_08_01#DashboardNotFoundError"
        assert without == (400, kind, absent, "ResourceNotFound;Sender")
        assert within == (404, kind, absent, "ResourceNotFound;Sender")


def test_what_is_not_there_is_named_as_forms_name_it(raw, name):
    datum = {"MetricName": "m", "Value": 1, "Dimensions": [{"Name": "d"}]}
    found = told(raw, raw.call("PutMetricData", Namespace=name, MetricData=[datum]))
    assert found[2] == "The parameter MetricData.member.1.Dimensions.member.1.Value is required."
    assert "MissingParameter" in (found[1], (found[3] or "").partition(";")[0])
    none = told(raw, raw.call("PutMetricData", Namespace=name))
    assert none[2] == "The parameter MetricData is required."


@pytest.mark.parametrize("encoding", ["gzip", "GZIP"])
def test_bodies_may_be_packed(raw, plain, name, encoding):
    data = [{"MetricName": "m", "Value": 7, "Timestamp": now()}]
    assert raw.call("PutMetricData", packed=encoding, Namespace=name, MetricData=data)[0] == 200
    assert values_of(asked(plain, stat(name))) == {"m1": [7.0]}
    # What is packed well may not be more than what is not.
    many = [{"MetricName": "m" * 250, "Value": 1, "Dimensions": [{"Name": "d", "Value": "v" * 1000}]}] * 1000
    status, _, _ = raw.call("PutMetricData", packed=encoding, Namespace=name, MetricData=many)
    assert status == 413


def test_a_large_body_of_boto3(cloudwatch, name):
    """Which packs what is over 10,240 bytes."""
    data = [{"MetricName": f"m-{n % 10}", "Value": n, "Unit": "Count"} for n in range(1000)]
    cloudwatch.put_metric_data(Namespace=name, MetricData=data)
    found = asked(cloudwatch, *(stat(name, f"m{n}", f"m-{n}") for n in range(10)))
    sums = {id: sum(values) for id, values in values_of(found).items()}
    assert sums == {f"m{n}": sum(range(n, 1000, 10)) for n in range(10)}


def test_values_and_their_counts(cloudwatch, name):
    at = now()
    datum = {"MetricName": "m", "Timestamp": at, "Values": [1.0, 10.0], "Counts": [2, 4], "Unit": "Count"}
    cloudwatch.put_metric_data(Namespace=name, MetricData=[datum])
    found = cloudwatch.get_metric_statistics(
        Namespace=name, MetricName="m", StartTime=at - MINUTE, EndTime=at + MINUTE, Period=60,
        Statistics=["SampleCount", "Sum", "Maximum"],
    )
    point = {"Maximum": 10.0, "SampleCount": 6.0, "Sum": 42.0, "Unit": "Count"}
    assert found["Label"] == "m"
    assert found["Datapoints"] == [{**point, "Timestamp": at.replace(second=0, microsecond=0)}]


def test_what_may_not_be_put(cloudwatch, protocol, name):
    def refused(**datum):
        data = [{"MetricName": "m", "Timestamp": now(), **datum}]
        return error_of(cloudwatch.put_metric_data, Namespace=name, MetricData=data)

    def expected(code, text):
        return 400, code, None if protocol == "query" else f"{code}Exception", text

    both = "The parameters MetricData.member.1.Value and MetricData.member.1.{} are mutually exclusive and you have " \
        "specified both."
    set = {"SampleCount": 10, "Sum": 55, "Minimum": 1, "Maximum": 10}
    assert refused(Value=1.5, Values=[1.0, 10.0]) == expected("InvalidParameterCombination", both.format("Values"))
    assert refused(Value=1.5, StatisticValues=set) == expected(
        "InvalidParameterCombination", both.format("StatisticValues")
    )
    sizes = "The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size."
    assert refused(Values=[1.0, 10.0], Counts=[2, 4, 5]) == expected("InvalidParameterValue", sizes)
    old = "The parameter MetricData.member.1.Timestamp must specify a time within the past two weeks."
    assert refused(Value=1, Timestamp=now() - timedelta(days=15)) == expected("InvalidParameterValue", old)
    if protocol != "json":  # JSON has no such number.
        no_number = "The value NaN for parameter MetricData.member.1.Value is invalid."
        assert refused(Value=float("nan")) == expected("InvalidParameterValue", no_number)
    # AWS takes both.
    datum = {"MetricName": "m", "Values": [1.0, 10.0], "StatisticValues": set}
    cloudwatch.put_metric_data(Namespace=name, MetricData=[datum])
    aws = error_of(cloudwatch.put_metric_data, Namespace="AWS/Own", MetricData=[{"MetricName": "m", "Value": 1}])
    assert aws == expected("InvalidParameterValue", "The value AWS/Own for parameter Namespace is invalid.")
    many = [{"MetricName": "m", "Value": 1}] * 1001
    too_many = "The collection MetricData must not have a size greater than 1000."
    assert error_of(cloudwatch.put_metric_data, Namespace=name, MetricData=many) == expected(
        "InvalidParameterValue", too_many
    )


@pytest.mark.parametrize(
    ("statistic", "value"), {"Sum": 66.0, "SampleCount": 11.0, "Minimum": 1.0, "Maximum": 11.0, "Average": 6.0}.items()
)
def test_values_and_sets_are_summed_up(cloudwatch, name, statistic, value):
    at = now()
    set = {"SampleCount": 10, "Sum": 55, "Minimum": 1, "Maximum": 10}
    for datum in ({"Value": 11}, {"StatisticValues": set}):
        data = [{"MetricName": "m", "Unit": "Seconds", "Timestamp": at, **datum}]
        cloudwatch.put_metric_data(Namespace=name, MetricData=data)
    found = asked(cloudwatch, stat(name, stat=statistic), start=at - MINUTE, end=at + MINUTE)
    assert values_of(found) == {"m1": [value]}


PAIRS = [
    ([("Sum", 60, "Seconds"), ("Minimum", 30, "Seconds")], [("m Sum 60", [109.0]), ("m Minimum 30", [0.0])]),
    ([("Sum", 60, "Seconds"), ("Minimum", 60, "Seconds")], [("m Sum", [109.0]), ("m Minimum", [0.0])]),
    ([("Sum", 60, "Seconds"), ("Sum", 30, "Seconds")], [("m 60", [109.0]), ("m 30", [109.0])]),
    ([("Sum", 60, "Seconds"), ("Minimum", 30, "Milliseconds")], [("m Sum 60", [109.0]), ("m Minimum 30", [])]),
    ([("Sum", 60, "Seconds"), ("Minimum", 60, "Milliseconds")], [("m Sum", [109.0]), ("m Minimum", [])]),
    ([("Sum", 60, "Seconds"), ("Sum", 30, "Milliseconds")], [("m 60", [109.0]), ("m 30", [])]),
    ([("Sum", 60, "Seconds"), ("Sum", 60, "Milliseconds")], [("m", [109.0]), ("m", [])]),
]


@pytest.mark.parametrize(("pairs", "expected"), PAIRS)
def test_labels_say_what_differs(cloudwatch, name, pairs, expected):
    data = [{"MetricName": "m", "Value": value, "Unit": "Seconds", "Timestamp": now()} for value in (0, 2, 7, 100)]
    cloudwatch.put_metric_data(Namespace=name, MetricData=data)
    queries = [stat(name, f"m{n}", stat=what, period=period, Unit=unit) for n, (what, period, unit) in enumerate(pairs)]
    results = asked(cloudwatch, *queries)["MetricDataResults"]
    assert [(result["Label"], result["Values"]) for result in results] == expected


def test_units_are_not_converted(cloudwatch, name):
    at = now()
    units = {"Milliseconds": 60_000, "Seconds": 60, "Count": 5}
    data = [{"MetricName": "m", "Timestamp": at, "Value": value, "Unit": unit} for unit, value in units.items()]
    cloudwatch.put_metric_data(Namespace=name, MetricData=data)
    found = cloudwatch.get_metric_statistics(
        Namespace=name, MetricName="m", StartTime=at - MINUTE, EndTime=at + MINUTE, Period=60, Statistics=["Sum"]
    )
    assert {point["Unit"]: point["Sum"] for point in found["Datapoints"]} == units
    (one,) = asked(cloudwatch, stat(name, Unit="Seconds"))["MetricDataResults"]
    assert (one["Values"], one.get("Messages", [])) == ([60.0], [])
    (first,) = asked(cloudwatch, stat(name))["MetricDataResults"]
    text = "Multiple units returned: '[Count, Milliseconds, Seconds]'"
    assert (first["Values"], first["Messages"]) == ([5.0], [{"Code": "MultipleUnits", "Value": text}])


def test_a_metric_is_its_dimensions(cloudwatch, name):
    dimensions = [{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}]
    data = [{"MetricName": "m", "Value": 5, "Timestamp": now(), "Dimensions": dimensions}]
    cloudwatch.put_metric_data(Namespace=name, MetricData=data)
    queries = [stat(name, "none"), stat(name, "one", Metric={"Dimensions": dimensions[:1]})]
    queries.append(stat(name, "both", Metric={"Dimensions": dimensions[::-1]}))
    assert values_of(asked(cloudwatch, *queries)) == {"none": [], "one": [], "both": [5.0]}
    (metric,) = cloudwatch.list_metrics(Namespace=name)["Metrics"]
    assert metric == {"Namespace": name, "MetricName": "m", "Dimensions": dimensions[::-1]}


def test_metrics_are_listed_by_what_they_are(cloudwatch, name):
    assert cloudwatch.list_metrics(Namespace=name)["Metrics"] == []
    for metric, instance in (("cpu", None), ("memory", "one"), ("reads", "two"), ("writes", "two")):
        dimensions = [{"Name": "Id", "Value": instance}] if instance else []
        data = [{"MetricName": metric, "Value": 15, "Dimensions": dimensions}]
        cloudwatch.put_metric_data(Namespace=name, MetricData=data)

    def listed(**filter):
        return [metric["MetricName"] for metric in cloudwatch.list_metrics(Namespace=name, **filter)["Metrics"]]

    assert listed() == ["cpu", "memory", "reads", "writes"]
    assert listed(MetricName="cpu", RecentlyActive="PT3H") == ["cpu"]
    assert listed(Dimensions=[{"Name": "Id"}]) == ["memory", "reads", "writes"]
    assert listed(Dimensions=[{"Name": "Id", "Value": "two"}]) == ["reads", "writes"]


def test_pages_of_points(cloudwatch, name):
    start = now().replace(second=0, microsecond=0) - 20 * MINUTE
    data = [{"MetricName": "m", "Value": n, "Timestamp": start + n * MINUTE} for n in range(20)]
    cloudwatch.put_metric_data(Namespace=name, MetricData=data)

    def ask(order, **more):
        return asked(cloudwatch, stat(name), start=start, end=start + 20 * MINUTE, ScanBy=order, **more)

    up, down = (ask(f"Timestamp{order}ending")["MetricDataResults"][0] for order in ("Asc", "Desc"))
    assert up["Values"] == [float(n) for n in range(20)] == down["Values"][::-1]
    assert up["Timestamps"] == [datum["Timestamp"] for datum in data] == down["Timestamps"][::-1]
    first = asked(cloudwatch, stat(name), start=start, end=start + 20 * MINUTE, MaxDatapoints=15)
    assert first["MetricDataResults"][0]["StatusCode"] == "PartialData"
    rest = ask("TimestampDescending", MaxDatapoints=15, NextToken=first["NextToken"])
    assert "NextToken" not in rest
    parts = [answer["MetricDataResults"][0] for answer in (first, rest)]
    assert [len(part["Values"]) for part in parts] == [15, 5]
    assert parts[0]["Values"] + parts[1]["Values"] == down["Values"]


def test_expressions_calculate_with_metrics(cloudwatch, protocol, name):
    start = now().replace(second=0, microsecond=0) - 3 * MINUTE
    data = [
        {"MetricName": metric, "Value": value, "Timestamp": start + n * MINUTE}
        for metric, values in (("errors", (1, 2)), ("calls", (10, 40, 50)))
        for n, value in enumerate(values)
    ]
    cloudwatch.put_metric_data(Namespace=name, MetricData=data)
    queries = [
        {**stat(name, "errors", "errors"), "ReturnData": False},
        stat(name, "calls", "calls"),
        {"Id": "rate", "Expression": "errors / calls * 100", "Label": "rate"},
        {"Id": "filled", "Expression": "FILL(errors, 0) + 1"},
        {"Id": "total", "Expression": "SUM(METRICS())"},
    ]
    found = asked(cloudwatch, *queries, start=start, end=start + 3 * MINUTE, ScanBy="TimestampAscending")
    labels = {result["Id"]: result["Label"] for result in found["MetricDataResults"]}
    assert labels == {"calls": "calls", "rate": "rate", "filled": "filled", "total": "total"}
    values = values_of(found)
    assert (values["calls"], values["rate"], values["filled"]) == ([10.0, 40.0, 50.0], [10.0, 5.0], [2.0, 3.0, 1.0])
    assert values["total"][:2] == [11.0, 42.0]
    for expression, part in (("none + 1", "none"), ("calls +", "Error in expression 'e'"), ("e", "Error in expression")):
        range = {"StartTime": start, "EndTime": now()}
        queries = [stat(name, "calls", "calls"), {"Id": "e", "Expression": expression}]
        status, code, _, text = error_of(cloudwatch.get_metric_data, MetricDataQueries=queries, **range)
        assert (status, code) == (400, "ValidationError") and part in text, text


def test_labels_say_what_was_measured(plain, name):
    data = [{"MetricName": "m", "Value": value, "Timestamp": now()} for value in (2, 3)]
    plain.put_metric_data(Namespace=name, MetricData=data)
    query = {**stat(name), "Label": "${LABEL} of ${PROP('Namespace')}: ${MAX}"}
    (result,) = asked(plain, query)["MetricDataResults"]
    assert result["Label"] == f"m of {name}: 5"


def test_ranges_are_bounded(cloudwatch, protocol):
    def refused(**range):
        asked = {"Namespace": "n", "MetricName": "m", "Statistics": ["SampleCount"], "Period": 1, **range}
        status, code, _, text = error_of(cloudwatch.get_metric_statistics, **asked)
        return status, code, text

    at = now()
    points = "You have requested up to 86400 datapoints, which exceeds the limit of 1440. You may reduce the datapoints " \
        "requested by increasing Period, or decreasing the time range."
    assert refused(StartTime=at, EndTime=at + timedelta(days=1)) == (400, "InvalidParameterCombination", points)
    before = "The parameter StartTime must be less than the parameter EndTime."
    assert refused(StartTime=at, EndTime=at) == (400, "InvalidParameterValue", before)


def test_dashboards_are_kept_as_they_came(cloudwatch, protocol, name):
    metrics = [["AWS/Kinesis", "IncomingRecords", "StreamName", "s"]]
    properties = {"metrics": metrics, "region": "us-east-1", "view": "timeSeries", "stacked": False}
    body = json.dumps({"widgets": [{"type": "metric", "x": 0, "y": 0, "width": 6, "height": 6, "properties": properties}]})
    arn = f"arn:aws:cloudwatch::000000000000:dashboard/{name}"
    assert cloudwatch.put_dashboard(DashboardName=name, DashboardBody=body)["DashboardValidationMessages"] == []
    found = cloudwatch.get_dashboard(DashboardName=name)
    assert [found[f"Dashboard{part}"] for part in ("Arn", "Body", "Name")] == [arn, body, name]
    (entry,) = cloudwatch.list_dashboards(DashboardNamePrefix=name)["DashboardEntries"]
    assert abs(entry.pop("LastModified") - now()) < MINUTE
    assert entry == {"DashboardName": name, "DashboardArn": arn, "Size": len(body)}
    assert cloudwatch.list_dashboards(DashboardNamePrefix="no-valid")["DashboardEntries"] == []
    invalid = "The value for field DashboardName contains invalid characters. It can only contain alphanumerics, dash (-) " \
        "and underscore (_).\n"
    code = "InvalidParameterValue"
    query_code = None if protocol == "query" else f"{code}Exception"
    wrong = error_of(cloudwatch.put_dashboard, DashboardName="a b", DashboardBody="{}")
    assert wrong == (400, code, query_code, invalid)
    status, code, _, text = error_of(cloudwatch.put_dashboard, DashboardName=name, DashboardBody='{"widgets": [1]}')
    assert (status, code) == (400, "InvalidParameterInput")
    assert text.startswith("The dashboard body is invalid, there are 1 validation errors:")
    assert json.loads(text.partition(":")[2]) == [{"dataPath": "/widgets/0", "message": "Should be object"}]
    cloudwatch.delete_dashboards(DashboardNames=[name])
    assert error_of(cloudwatch.get_dashboard, DashboardName=name)[:2] == (404, "ResourceNotFound")
    assert error_of(cloudwatch.delete_dashboards, DashboardNames=[name])[:2] == (404, "ResourceNotFound")


def test_dashboards_are_the_same_in_all_regions_and_have_tags(server, cloudwatch, protocol, name):
    tag = {"Key": "first", "Value": "1"}
    cloudwatch.put_dashboard(DashboardName=name, DashboardBody='{"widgets": []}', Tags=[tag])
    elsewhere = client_of(server, protocol, "eu-west-1")
    arn = elsewhere.get_dashboard(DashboardName=name)["DashboardArn"]
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [tag]
    elsewhere.tag_resource(ResourceARN=arn, Tags=[{"Key": "second", "Value": "2"}])
    # Tags of one that is there are left as they are.
    cloudwatch.put_dashboard(DashboardName=name, DashboardBody='{"widgets": []}', Tags=[{"Key": "third", "Value": ""}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["first"])
    assert elsewhere.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "second", "Value": "2"}]


def test_metrics_are_of_a_region(server, cloudwatch, protocol, name):
    cloudwatch.put_metric_data(Namespace=name, MetricData=[{"MetricName": "m", "Value": 1}])
    assert client_of(server, protocol, "eu-west-1").list_metrics(Namespace=name)["Metrics"] == []


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("put_anomaly_detector", {}),
        ("describe_insight_rules", {}),
        ("list_metric_streams", {}),
        ("get_metric_widget_image", {"MetricWidget": "{}"}),
    ],
)
def test_what_is_not_built_is_refused_by_its_name(cloudwatch, protocol, operation, arguments):
    status, code, _, text = error_of(getattr(cloudwatch, operation), **arguments)
    named = "".join(part.title() for part in operation.split("_"))
    assert (status, code) == (501, "NotImplemented") and named in text


def test_statistics_with_the_aws_cli(server, plain, name):
    at = now().replace(second=0, microsecond=0)
    dimensions = [{"Name": "Id", "Value": "one"}]
    data = [{"MetricName": "m", "Value": value, "Timestamp": at, "Dimensions": dimensions} for value in (1, 2, 4)]
    plain.put_metric_data(Namespace=name, MetricData=data)
    words = ["--namespace", name, "--metric-name", "m", "--dimensions", "Name=Id,Value=one", "--period", "60"]
    words += ["--start-time", at.isoformat(), "--end-time", (at + MINUTE).isoformat(), "--statistics", "Sum", "Average"]
    (point,) = server.aws("cloudwatch", "get-metric-statistics", *words)["Datapoints"]
    assert (point["Sum"], point["Average"], point["Unit"]) == (7.0, 7 / 3, "None")
    percentile = [*words[:-3], "--extended-statistics", "p50"]
    (point,) = server.aws("cloudwatch", "get-metric-statistics", *percentile)["Datapoints"]
    assert point["ExtendedStatistics"] == {"p50": 2.0}


def test_what_was_acknowledged_outlives_kills_once(new_server, name):
    """Several put at once, and the server is killed in the midst: what was answered is there, and nothing is twice."""
    server = new_server()
    at = now().replace(second=0, microsecond=0)
    acknowledged, doubtful = 0, 0

    def put(count):
        cloudwatch, done = server.client("cloudwatch"), 0
        for n in range(count):
            data = [{"MetricName": "m", "Value": 1, "Timestamp": at}]
            try:
                cloudwatch.put_metric_data(Namespace=name, MetricData=data)
            except Exception:  # The connection ends with the server.
                return done, 1
            done += 1
        return done, 0

    for _ in range(3):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            puts = [pool.submit(put, 5000) for _ in range(4)]
            first = concurrent.futures.wait(puts, timeout=1, return_when=concurrent.futures.FIRST_COMPLETED)
            assert not first.done, "all were put before the kill"
            server.kill()
            for done, failed in (put.result() for put in puts):
                acknowledged, doubtful = acknowledged + done, doubtful + failed
        server.start()
        cloudwatch = server.client("cloudwatch")
        (values,) = values_of(asked(cloudwatch, stat(name), start=at, end=at + MINUTE)).values()
        assert acknowledged <= values[0] <= acknowledged + doubtful
    cloudwatch.put_dashboard(DashboardName=name, DashboardBody='{"widgets": []}')
    assert server.stop() == 0
    server.start()
    again = server.client("cloudwatch")
    assert values_of(asked(again, stat(name), start=at, end=at + MINUTE)) == {"m1": values}
    assert again.get_dashboard(DashboardName=name)["DashboardBody"] == '{"widgets": []}'


def test_javascript_speaks_json(endpoint, name):
    found = sdks.run([*sdks.javascript("metrics"), name], endpoint)
    assert found == {"sum": 13.5, "spoken": [KINDS["json"]]}


def test_java_speaks_cbor(endpoint, name):
    found = sdks.run([*sdks.java("Metrics"), name], endpoint)
    assert found == {"sum": 13.5, "spoken": [KINDS["smithy-rpc-v2-cbor"]]}


def test_go_packs_its_cbor(endpoint, name):
    assert sdks.run([*sdks.go(), "metrics", name, "http1"], endpoint)["samples"] == 6
