"""CloudTrail with boto3 and the CLI: every management call of every service, found again, and delivered into buckets once."""

import gzip
import json
import subprocess
import time
from datetime import datetime, timedelta, timezone

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from clocked import Clocked
from headwater import BINARY, Server, clean_environment, wait_for
from lambdas import ROLE, package
from tables import error_of
from trail import assert_complete, events, requests

ACCOUNT = "000000000000"
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
DAY = 24 * 3600


def text_of(event):
    return json.loads(event["CloudTrailEvent"])


def by(key, value):
    return {"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server on which every service was called, with success and without."""
    server = Server(tmp_path_factory.mktemp("trail") / "data", "--limits", "off").start()
    call_everything(server)
    yield server
    assert server.stop() == 0


@pytest.fixture
def trail(server):
    return server.client("cloudtrail")


def call_everything(server):
    kinesis, s3, lambda_ = (server.client(name) for name in ("kinesis", "s3", "lambda"))
    kinesis.create_stream(StreamName="taxi", ShardCount=1)
    stream = kinesis.describe_stream_summary(StreamName="taxi")["StreamDescriptionSummary"]["StreamARN"]
    kinesis.put_record(StreamName="taxi", Data=b"data", PartitionKey="k")
    error_of(kinesis.create_stream, StreamName="taxi", ShardCount=1)
    error_of(kinesis.delete_stream, StreamName="none")
    error_of(kinesis.list_streams, Limit=20_000)
    s3.create_bucket(Bucket="trips")
    s3.put_object(Bucket="trips", Key="k", Body=b"b")
    s3.list_objects_v2(Bucket="trips")
    error_of(s3.delete_bucket, Bucket="none")
    s3.put_bucket_tagging(Bucket="trips", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    error_of(s3.delete_bucket, Bucket="trips")
    code = {"ZipFile": package({"index.py": "def handler(event, context): return 1"})}
    lambda_.create_function(
        FunctionName="f", Runtime="python3.12", Handler="index.handler", Role=ROLE, Code=code,
        Environment={"Variables": {"PASSWORD": "hush"}},
    )
    lambda_.get_function(FunctionName="f")
    splunk = {
        "HECEndpoint": "https://127.0.0.1:1", "HECEndpointType": "Raw", "HECToken": "11111111-2222-3333-4444-555555555555",
        "S3Configuration": {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::trips"},
    }
    server.client("firehose").create_delivery_stream(DeliveryStreamName="d", SplunkDestinationConfiguration=splunk)
    server.client("logs").create_log_group(logGroupName="/g")
    topic = server.client("sns").create_topic(Name="t")["TopicArn"]
    queue = server.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    server.client("sqs").send_message(QueueUrl=queue, MessageBody="m")
    server.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{ACCOUNT}:q")
    server.client("sts").get_caller_identity()
    server.client("sts").assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/r", RoleSessionName="session")
    server.client("glue").create_database(DatabaseInput={"Name": "db"})
    keys = {
        "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
    }
    server.client("dynamodb").create_table(TableName="items", BillingMode="PAY_PER_REQUEST", **keys)
    server.client("dynamodbstreams").list_streams()
    error_of(server.client("cloudtrail").get_trail, Name="none")
    assert stream.endswith("stream/taxi")


def test_every_management_call_is_there_once_and_no_data(server, trail):
    counted = requests(server)
    found = events(trail)
    assert_complete(counted, found)
    assert len(found) > 20 and counted["kinesis", "CreateStream"] == [1, 1]
    names = {event["EventName"] for event in found}
    assert not names & {"PutRecord", "PutObject", "ListObjects", "SendMessage", "Publish"}
    times = [event["EventTime"] for event in found]
    assert times == sorted(times, reverse=True)


def test_an_event_tells_who_did_what(trail):
    made, _ = sorted(events(trail, **by("EventName", "CreateStream")), key=lambda e: "errorCode" in text_of(e))
    assert (made["ReadOnly"], made["EventSource"], made["Username"]) == ("false", "kinesis.amazonaws.com", "root")
    assert made["Resources"] == [{"ResourceType": "AWS::Kinesis::Stream", "ResourceName": "taxi"}]
    text = text_of(made)
    assert text["eventID"] == made["EventId"] and text["eventVersion"] == "1.11"
    assert text["userIdentity"] == {
        "type": "Root", "principalId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT,
    }
    assert text["requestParameters"] == {"streamName": "taxi", "shardCount": 1}
    assert text["responseElements"] is None and text["readOnly"] is False
    assert (text["awsRegion"], text["sourceIPAddress"]) == ("us-east-1", "127.0.0.1")
    assert text["userAgent"].startswith("Boto3/") and text["recipientAccountId"] == ACCOUNT
    arn = f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/taxi"
    assert text["resources"] == [{"accountId": ACCOUNT, "type": "AWS::Kinesis::Stream", "ARN": arn}]
    assert (text["eventType"], text["managementEvent"], text["eventCategory"]) == ("AwsApiCall", True, "Management")
    assert text["eventTime"] == made["EventTime"].astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_what_was_refused_is_there_with_its_error(trail):
    (refused,) = events(trail, **by("EventName", "DeleteStream"))
    text = text_of(refused)
    assert text["errorCode"] == "ResourceNotFoundException" and "none" in text["errorMessage"]
    assert text["requestParameters"] == {"streamName": "none"} and text["responseElements"] is None
    listed = events(trail, **by("EventName", "ListStreams"))
    (invalid,) = [event for event in listed if event["EventSource"] == "kinesis.amazonaws.com"]
    assert text_of(invalid)["errorCode"] == "ValidationException"
    codes = {text_of(event).get("errorCode") for event in events(trail, **by("EventName", "DeleteBucket"))}
    assert codes == {"NoSuchBucket", "BucketNotEmpty"}


def test_secrets_and_bytes_are_not_there(trail):
    found = events(trail)
    assert not any(secret in event["CloudTrailEvent"] for event in found for secret in ("hush", "11111111-2222", "UEsD"))
    (function,) = events(trail, **by("EventName", "CreateFunction20150331"))
    parameters = text_of(function)["requestParameters"]
    assert parameters["environment"] == {"variables": HIDDEN} and parameters["code"] == {}
    assert text_of(function)["responseElements"]["functionName"] == "f"
    (delivery,) = events(trail, **by("EventName", "CreateDeliveryStream"))
    splunk = text_of(delivery)["requestParameters"]["splunkDestinationConfiguration"]
    assert splunk["hECToken"] == HIDDEN and splunk["hECEndpointType"] == "Raw"
    (role,) = events(trail, **by("EventName", "AssumeRole"))
    credentials = text_of(role)["responseElements"]["credentials"]
    assert credentials["secretAccessKey"] == HIDDEN and credentials["accessKeyId"].startswith("ASIA")


def test_each_attribute_finds_what_has_it(trail):
    found = events(trail)
    (taxi, *_) = [event for event in found if event["EventName"] == "DescribeStreamSummary"]
    assert [event["EventId"] for event in events(trail, **by("EventId", taxi["EventId"]))] == [taxi["EventId"]]
    writes = events(trail, **by("ReadOnly", "false"))
    assert {event["ReadOnly"] for event in writes} == {"false"}
    assert {event["EventName"] for event in writes} >= {"CreateStream", "CreateBucket", "CreateTable", "CreateTopic"}
    assert {event["EventName"] for event in events(trail, **by("ReadOnly", "true"))} >= {"GetFunction20150331v2"}
    about = events(trail, **by("ResourceName", "trips"))
    assert {event["EventName"] for event in about} == {"CreateBucket", "PutBucketTagging", "DeleteBucket"}
    assert {e["EventName"] for e in events(trail, **by("ResourceType", "AWS::DynamoDB::Table"))} == {"CreateTable"}
    assert {event["EventSource"] for event in events(trail, **by("EventSource", "s3.amazonaws.com"))} == {"s3.amazonaws.com"}
    assert len(events(trail, **by("Username", "root"))) >= len(found)
    assert events(trail, **by("AccessKeyId", "AKIANONE")) == []


def test_pages_and_times(server, trail):
    names = lambda found: [event["EventName"] for event in found]
    search = by("EventSource", "kinesis.amazonaws.com")
    whole = names(events(trail, **search))
    first = trail.lookup_events(MaxResults=2, **search)
    assert names(first["Events"]) == whole[:2]
    second = trail.lookup_events(MaxResults=2, NextToken=first["NextToken"], **search)
    assert names(second["Events"]) == whole[2:4]
    code = error_of(trail.lookup_events, NextToken=first["NextToken"])[1]
    assert code == "InvalidNextTokenException"
    now = datetime.now(timezone.utc)
    hour = timedelta(hours=1)
    assert names(events(trail, StartTime=now - hour, EndTime=now + hour, **search)) == whole
    assert events(trail, StartTime=now + hour, EndTime=now + 2 * hour) == []
    assert events(trail, EndTime=now - hour) == []


def test_what_is_no_search_is_refused(trail):
    now = datetime.now(timezone.utc)
    twice = [{"AttributeKey": "EventName", "AttributeValue": "a"}] * 2
    for code, arguments in [
        ("InvalidTimeRangeException", {"StartTime": now, "EndTime": now - timedelta(hours=1)}),
        ("InvalidLookupAttributesException", {"LookupAttributes": twice}),
        ("InvalidLookupAttributesException", by("Colour", "red")),
        ("InvalidMaxResultsException", {"MaxResults": 51}),
        ("InvalidNextTokenException", {"NextToken": "no token"}),
        ("NotImplemented", {"EventCategory": "insight"}),
    ]:
        assert error_of(trail.lookup_events, **arguments)[1] == code


def test_two_searches_a_second_are_taken(new_server):
    trail = new_server().client("cloudtrail")
    outcomes = []
    for _ in range(12):
        try:
            trail.lookup_events()
            outcomes.append("taken")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])
    assert set(outcomes) == {"taken", "ThrottlingException"}
    refused = wait_for("a search", lambda: try_search(trail, **by("EventName", "LookupEvents")), seconds=10)
    codes = [text_of(event).get("errorCode") for event in refused["Events"]]
    assert codes.count("ThrottlingException") >= outcomes.count("ThrottlingException")


def try_search(trail, **search):
    try:
        return trail.lookup_events(**search)
    except ClientError:
        return None


def test_the_short_target_is_known_and_the_cli_finds_events(server):
    found = server.aws("cloudtrail", "lookup-events", "--lookup-attributes", "AttributeKey=EventName,AttributeValue=CreateTopic")
    assert [event["EventName"] for event in found["Events"]] == ["CreateTopic"]


def test_events_outlive_a_kill_and_a_stop(new_server):
    server = new_server("--limits", "off")
    kinesis = server.client("kinesis")
    kinesis.list_streams()
    assert len(events(server.client("cloudtrail"), **by("EventName", "ListStreams"))) == 1
    server.restart()
    kinesis.list_streams()
    assert len(events(server.client("cloudtrail"), **by("EventName", "ListStreams"))) == 2
    for _ in range(40):
        kinesis.describe_limits()
    assert server.stop() == 0
    server.start()
    assert len(events(server.client("cloudtrail"), **by("EventName", "DescribeLimits"))) == 40


def test_each_region_has_its_own(server):
    server.client("kinesis", region="eu-west-1").list_streams()
    (event,) = events(server.client("cloudtrail", region="eu-west-1"), **by("EventName", "ListStreams"))
    assert text_of(event)["awsRegion"] == "eu-west-1"


# Keys, users, roles.

KEYS = """[default]
aws_access_key_id = AKIDROOT
aws_secret_access_key = root-secret
aws_account_id = 000000000000
[ann]
aws_access_key_id = AKIDANN
aws_secret_access_key = ann-secret
aws_account_id = 000000000000
[eve]
aws_access_key_id = AKIDEVE
aws_secret_access_key = eve-secret
aws_account_id = 222222222222
"""


@pytest.fixture
def signed(tmp_path):
    file = tmp_path / "credentials"
    file.write_text(KEYS)
    server = Server(tmp_path / "data", "--limits", "off", "--credentials", file).start()

    def client(service, key, secret, token=None):
        return boto3.client(
            service, endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id=key,
            aws_secret_access_key=secret, aws_session_token=token, config=Config(retries={"max_attempts": 0}),
        )

    server.by = client
    yield server
    assert server.stop() == 0


def test_callers_are_told_apart_and_forged_signatures_leave_nothing(signed):
    trail = signed.by("cloudtrail", "AKIDROOT", "root-secret")
    ann = signed.by("kinesis", "AKIDANN", "ann-secret")
    ann.list_streams()
    assert error_of(signed.by("kinesis", "AKIDANN", "wrong").describe_limits)[1] == "InvalidSignatureException"
    assert error_of(signed.by("kinesis", "AKIDEVE", "eve-secret").describe_limits)[1] == "AccessDeniedException"
    role = signed.by("sts", "AKIDANN", "ann-secret").assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/path/r", RoleSessionName="session", SourceIdentity="who"
    )["Credentials"]
    names = ["AccessKeyId", "SecretAccessKey", "SessionToken"]
    signed.by("s3", *(role[name] for name in names)).list_buckets()

    (event,) = events(trail, **by("EventName", "ListStreams"))
    assert (event["Username"], event["AccessKeyId"]) == ("ann", "AKIDANN")
    identity = text_of(event)["userIdentity"]
    assert (identity["type"], identity["userName"], identity["accessKeyId"]) == ("IAMUser", "ann", "AKIDANN")
    (refused,) = events(trail, **by("EventName", "DescribeLimits"))
    assert text_of(refused)["errorCode"] == "AccessDenied" + "Exception"
    assert text_of(refused)["userIdentity"]["accountId"] == "222222222222"
    (session,) = events(trail, **by("EventName", "ListBuckets"))
    identity = text_of(session)["userIdentity"]
    assert session["Username"] == "session" and identity["type"] == "AssumedRole"
    assert identity["sessionContext"]["sessionIssuer"]["userName"] == "r"
    assert identity["sessionContext"]["sourceIdentity"] == "who"
    assert [event["EventName"] for event in events(trail, **by("AccessKeyId", role["AccessKeyId"]))] == ["ListBuckets"]


def policy(server, *arguments, key="AKIDROOT", secret="root-secret"):
    """What `headwater trail policy` prints, and what it says beside."""
    environment = clean_environment(AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret)
    command = [str(BINARY), "trail", "policy", "--endpoint-url", server.endpoint, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_the_least_policy_of_what_somebody_called(signed):
    ann = lambda service: signed.by(service, "AKIDANN", "ann-secret")
    ann("kinesis").create_stream(StreamName="taxi", ShardCount=1)
    ann("kinesis").list_streams()
    ann("s3").create_bucket(Bucket="trips")
    ann("s3").list_buckets()
    ann("s3").put_bucket_encryption(Bucket="trips", ServerSideEncryptionConfiguration={
        "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}],
    })
    ann("sts").get_caller_identity()
    error_of(ann("kinesis").delete_stream, StreamName="none")
    signed.by("kinesis", "AKIDROOT", "root-secret").describe_limits()
    printed, said = policy(signed, "--username", "ann", "--since", "1h")
    assert printed["Version"] == "2012-10-17"
    allowed = {(action, resource) for statement in printed["Statement"] for action in statement["Action"]
               for resource in statement["Resource"]}
    assert {statement["Effect"] for statement in printed["Statement"]} == {"Allow"}
    assert allowed == {
        ("kinesis:CreateStream", f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/taxi"),
        ("kinesis:ListStreams", "*"),
        ("s3:CreateBucket", "arn:aws:s3:::trips"),
        ("s3:ListAllMyBuckets", "*"),
        ("s3:PutEncryptionConfiguration", "arn:aws:s3:::trips"),
    }
    assert "data operations" in said and said.startswith("6 calls")


# Trails.


@pytest.fixture
def clocked(tmp_path):
    clocked = Clocked(tmp_path, "--limits", "off")
    yield clocked
    assert clocked.server.stop() == 0


def make_trail(clocked, name="audit", **settings):
    trail = clocked.client("cloudtrail")
    clocked.client("s3").create_bucket(Bucket="audit-bucket")
    made = trail.create_trail(Name=name, S3BucketName="audit-bucket", **settings)
    return trail, made


def delivered(clocked):
    """The keys of the bucket, and the events in its files."""
    s3 = clocked.client("s3")
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket="audit-bucket").get("Contents", [])]
    found = []
    for key in keys:
        got = s3.get_object(Bucket="audit-bucket", Key=key)
        assert got["ContentType"] == "application/json" and got["ContentEncoding"] == "gzip"
        found += json.loads(gzip.decompress(got["Body"].read()))["Records"]
    return keys, found


def test_trails_are_made_changed_and_deleted(clocked):
    trail, made = make_trail(clocked, S3KeyPrefix="a/b", TagsList=[{"Key": "team", "Value": "taxi"}])
    arn = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/audit"
    assert (made["TrailARN"], made["S3KeyPrefix"], made["IsMultiRegionTrail"]) == (arn, "a/b", False)
    assert trail.get_trail(Name=arn)["Trail"]["HomeRegion"] == "us-east-1"
    assert [it["Name"] for it in trail.describe_trails()["trailList"]] == ["audit"]
    assert trail.list_trails()["Trails"] == [{"TrailARN": arn, "Name": "audit", "HomeRegion": "us-east-1"}]
    trail.add_tags(ResourceId=arn, TagsList=[{"Key": "stage", "Value": "test"}])
    trail.remove_tags(ResourceId=arn, TagsList=[{"Key": "team"}])
    assert trail.list_tags(ResourceIdList=[arn])["ResourceTagList"] == [
        {"ResourceId": arn, "TagsList": [{"Key": "stage", "Value": "test"}]}
    ]
    trail.update_trail(Name="audit", S3KeyPrefix="")
    assert "S3KeyPrefix" not in trail.get_trail(Name="audit")["Trail"]
    selectors = [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]
    trail.put_event_selectors(TrailName="audit", EventSelectors=selectors)
    assert trail.get_event_selectors(TrailName="audit")["EventSelectors"][0]["ReadWriteType"] == "WriteOnly"
    assert trail.get_trail(Name="audit")["Trail"]["HasCustomEventSelectors"] is True
    assert trail.get_trail_status(Name="audit")["IsLogging"] is False
    for code, call, arguments in [
        ("TrailAlreadyExistsException", "create_trail", {"Name": "audit", "S3BucketName": "audit-bucket"}),
        ("S3BucketDoesNotExistException", "create_trail", {"Name": "other", "S3BucketName": "no-such-bucket"}),
        ("InvalidTrailNameException", "create_trail", {"Name": "a", "S3BucketName": "audit-bucket"}),
        ("TrailNotFoundException", "start_logging", {"Name": "other"}),
        ("CloudTrailARNInvalidException", "list_tags", {"ResourceIdList": ["audit"]}),
        ("NotImplemented", "create_trail", {"Name": "all", "S3BucketName": "audit-bucket", "IsMultiRegionTrail": True}),
        ("NotImplemented", "put_event_selectors", {"TrailName": "audit", "EventSelectors": [
            {"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::"]}]}]}),
    ]:
        assert error_of(getattr(trail, call), **arguments)[1] == code, call
    trail.delete_trail(Name="audit")
    assert error_of(trail.get_trail, Name="audit")[1] == "TrailNotFoundException"


def test_each_event_is_delivered_once_also_through_kills(clocked):
    trail, _ = make_trail(clocked, S3KeyPrefix="logs")
    kinesis = clocked.client("kinesis")
    kinesis.describe_account_settings()
    trail.start_logging(Name="audit")
    for round_ in range(4):
        for _ in range(30):
            kinesis.list_streams()
        kinesis.create_stream(StreamName=f"s{round_}", ShardCount=1)
        # What was found is on disk, so that a kill leaves it there.
        events(trail, **by("EventName", "CreateStream"))
        clocked.advance(301)
        if round_ % 2:
            clocked.server.restart()
            clocked.advance(301)
    trail.stop_logging(Name="audit")
    kinesis.describe_limits()
    clocked.advance(301)
    expected = {event["EventId"] for event in events(trail) if event["EventName"] in ("ListStreams", "CreateStream")}
    assert len(expected) == 4 * 31

    def ids():
        return [e["eventID"] for e in delivered(clocked)[1] if e["eventName"] in ("ListStreams", "CreateStream")]

    wait_for("all events", lambda: len(ids()) >= len(expected), seconds=30)
    keys, found = delivered(clocked)
    assert sorted(ids()) == sorted(expected)
    assert len({event["eventID"] for event in found}) == len(found)
    names = {event["eventName"] for event in found}
    assert "DescribeLimits" not in names and "DescribeAccountSettings" not in names
    folder = f"logs/AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/20"
    assert all(key.startswith(folder) and key.endswith(".json.gz") for key in keys)
    status = trail.get_trail_status(Name="audit")
    assert status["IsLogging"] is False and status["LatestDeliveryTime"]


def test_a_trail_has_what_its_selectors_name_and_says_what_fails(clocked):
    trail, _ = make_trail(clocked)
    trail.put_event_selectors(TrailName="audit", EventSelectors=[{"ReadWriteType": "WriteOnly"}])
    trail.start_logging(Name="audit")
    clocked.client("kinesis").list_streams()
    clocked.client("kinesis").create_stream(StreamName="s", ShardCount=1)
    clocked.client("s3").delete_bucket(Bucket="audit-bucket")
    clocked.advance(301)
    failed = lambda: trail.get_trail_status(Name="audit").get("LatestDeliveryError")
    assert wait_for("the failure", failed) == "NoSuchBucket"
    clocked.client("s3").create_bucket(Bucket="audit-bucket")
    clocked.advance(301)
    wait_for("the delivery", lambda: delivered(clocked)[1])
    names = [event["eventName"] for event in delivered(clocked)[1]]
    assert names == ["StartLogging", "CreateStream", "DeleteBucket"]
    assert not failed()


def test_events_are_kept_for_90_days(clocked):
    trail = clocked.client("cloudtrail")
    clocked.client("kinesis").list_streams()
    clocked.advance(89 * DAY)
    clocked.client("kinesis").describe_limits()
    names = lambda: [event["EventName"] for event in events(trail) if event["EventSource"].startswith("kinesis")]
    assert names() == ["DescribeLimits", "ListStreams"]
    clocked.advance(2 * DAY)
    assert names() == ["DescribeLimits"]
