"""The ends of events that nobody waits for: how often they are tried, and where they are told, through boto3.

Answers and records as recorded on AWS; the clock is moved where AWS waits minutes, and the server is killed on the way.
"""

import json
import re
import urllib.request

import pytest

from clocked import Clocked
from headwater import wait_for
from test_lambda import OF, ROLE, package
from test_lambda_policies import refused

INVALID, MISSING = "InvalidParameterValueException", "ResourceNotFoundException"
# Fails where it is told to, and leaves a mark for each run.
CODE = """
def handler(event, context):
    if 'marks' in event: open(event['marks'], 'a').write(context.aws_request_id + '\\n')
    if event.get('fail'): raise Exception('on purpose')
    return {'got': event}
"""
KEEP = """
import json
def handler(event, context): open(KEPT, 'a').write(json.dumps(event) + '\\n')
"""
SETTINGS = {"MaximumRetryAttempts": 1}


class Functions:
    """Functions of a server, and what is told of their events."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        self.lambda_ = server.client("lambda", read_timeout=120)
        self.s3 = server.client("s3")

    def make(self, function, code=CODE, **more):
        self.lambda_.create_function(
            FunctionName=function, Runtime="python3.12", Handler="index.handler", Role=ROLE, Timeout=30,
            Code={"ZipFile": package(index_py=code)}, **more,
        )
        return f"{OF}{function}"

    def bucket(self, name):
        self.s3.create_bucket(Bucket=name)
        return f"arn:aws:s3:::{name}"

    def settings(self, function, failure=None, success=None, **more):
        config = {"OnSuccess": {"Destination": success}} if success else {}
        config |= {"OnFailure": {"Destination": failure}} if failure else {}
        return self.lambda_.put_function_event_invoke_config(FunctionName=function, DestinationConfig=config, **more)

    def send(self, function, event=None, **more):
        answer = self.lambda_.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event or {}), **more)
        assert answer["StatusCode"] == 202
        return answer["ResponseMetadata"]["RequestId"]

    def objects(self, bucket):
        found = self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        read = lambda key: json.loads(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        return {one["Key"]: read(one["Key"]) for one in found}

    def records(self, bucket, count=1):
        """The records of a bucket, once there are so many."""

        def look():
            found = self.objects(bucket)
            return found if len(found) >= count else None

        found = wait_for(f"{count} records", look)
        assert len(found) == count
        return found

    def lines(self, file):
        path = self.folder / file
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def functions(server, tmp_path):
    return Functions(server, tmp_path)


@pytest.fixture
def clocked(tmp_path):
    clocked = Clocked(tmp_path)
    clocked.functions = Functions(clocked.server, tmp_path)
    yield clocked
    clocked.server.stop()


def shown(function, qualifier="$LATEST", **more):
    return {"DestinationConfig": {"OnFailure": {}, "OnSuccess": {}}, "FunctionArn": f"{OF}{function}:{qualifier}", **more}


def bare(answer):
    """An answer without what changes."""
    return {key: value for key, value in answer.items() if key not in ("ResponseMetadata", "LastModified")}


def test_settings_of_events_live(functions, name):
    lambda_ = functions.lambda_
    functions.make(name)
    of = {"FunctionName": name}
    put = lambda_.put_function_event_invoke_config
    assert bare(put(**of, MaximumRetryAttempts=0)) == shown(name, MaximumRetryAttempts=0)
    answer = put(**of, MaximumEventAgeInSeconds=60)
    assert answer["LastModified"].year > 2000 and bare(answer) == shown(name, MaximumEventAgeInSeconds=60)
    update = lambda_.update_function_event_invoke_config
    assert bare(update(**of, MaximumEventAgeInSeconds=60)) == shown(name, MaximumEventAgeInSeconds=60)
    both = shown(name, MaximumEventAgeInSeconds=60, MaximumRetryAttempts=1)
    assert bare(update(**of, MaximumRetryAttempts=1)) == both
    get = lambda_.get_function_event_invoke_config
    assert bare(get(**of)) == bare(get(**of, Qualifier="$LATEST")) == both
    version = lambda_.publish_version(**of)["Version"]
    text = f"The function {OF}{name}:{version} doesn't have an EventInvokeConfig"
    assert refused(get, **of, Qualifier=version) == (404, MISSING, text, "User")
    lambda_.create_alias(**of, Name="live", FunctionVersion=version)
    for qualifier in (version, "live"):
        assert bare(put(**of, Qualifier=qualifier, **SETTINGS)) == shown(name, qualifier, **SETTINGS)
    assert bare(put(FunctionName=f"{OF}{name}:live", Qualifier="live", **SETTINGS)) == shown(name, "live", **SETTINGS)
    listed = lambda **more: lambda_.list_function_event_invoke_configs(**of, **more)
    arns = lambda page: [one["FunctionArn"].rsplit(":", 1)[1] for one in page["FunctionEventInvokeConfigs"]]
    assert arns(listed()) == ["$LATEST", version, "live"]
    first = listed(MaxItems=2)
    assert (arns(first), arns(listed(Marker=first["NextMarker"]))) == (["$LATEST", version], ["live"])
    for qualifier in ("$LATEST", version, "live"):
        deleted = lambda_.delete_function_event_invoke_config(**of, Qualifier=qualifier)
        assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert listed()["FunctionEventInvokeConfigs"] == []
    put(**of, Qualifier="live", **SETTINGS)
    lambda_.delete_alias(**of, Name="live")
    assert listed()["FunctionEventInvokeConfigs"] == [], "they go with their alias"


def test_settings_of_events_have_awss_errors(functions, name):
    lambda_, arn = functions.lambda_, functions.make(name)
    other = functions.make(f"{name}-other")
    put, update = lambda_.put_function_event_invoke_config, lambda_.update_function_event_invoke_config
    get, delete = lambda_.get_function_event_invoke_config, lambda_.delete_function_event_invoke_config
    missing = (404, MISSING, "The function doesn't exist.", "User")
    for of in ({"FunctionName": "doesnotexist"}, {"FunctionName": f"{OF}doesnotexist"}, {"FunctionName": name, "Qualifier": "none"}):
        assert refused(put, **of, **SETTINGS) == missing
    assert refused(update, FunctionName="doesnotexist", **SETTINGS) == missing
    assert refused(lambda_.list_function_event_invoke_configs, FunctionName="doesnotexist") == missing
    nothing = "You must specify at least one of error handling or destination setting."
    assert refused(put, FunctionName=name) == (400, INVALID, nothing, "User")
    none = lambda name, qualifier="$LATEST": (
        404, MISSING, f"The function {OF}{name}:{qualifier} doesn't have an EventInvokeConfig", "User"
    )
    for call, more in ((get, {}), (delete, {}), (update, SETTINGS)):
        assert refused(call, FunctionName=name, **more) == none(name)
    for call in (get, delete):
        assert refused(call, FunctionName="doesnotexist") == none("doesnotexist")
        assert refused(call, FunctionName=name, Qualifier="1221") == none(name, "1221")
    to = lambda success=None, failure=None: {
        "FunctionName": name,
        "DestinationConfig": {
            **({"OnSuccess": {"Destination": success}} if success else {}),
            **({"OnFailure": {"Destination": failure}} if failure else {}),
        },
    }
    wrong = f"{OF}{name}".replace(":lambda:", ":iam:")
    for given, text in [
        (to(f"{OF}doesnotexist"), f"The destination ARN {OF}doesnotexist is invalid."),
        (to(arn), "You can't specify the function as a destination for itself."),
        (to(failure=f"{arn}:$LATEST"), "You can't specify the function as a destination for itself."),
        (to(wrong), f"The provided destination config DestinationConfig(onSuccess=OnSuccess(destination={wrong}), onFailure=null) is invalid."),
        (to(failure="arn:aws:s3:::none-such"), "The destination ARN arn:aws:s3:::none-such is invalid."),
        (
            to(success="arn:aws:s3:::b"),
            "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=arn:aws:s3:::b), onFailure=null) is invalid.",
        ),
    ]:
        assert refused(put, **given) == (400, INVALID, text, "User")
    bus = refused(put, **to("arn:aws:events:us-east-1:000000000000:event-bus/default"))
    assert bus[:2] == (501, "NotImplemented") and "events" in bus[2]
    answer = put(**to(other))
    assert answer["DestinationConfig"] == {"OnFailure": {}, "OnSuccess": {"Destination": other}}
    for empty in ({"OnSuccess": {}}, {"OnFailure": {}}):
        answer = put(FunctionName=name, DestinationConfig=empty)
        assert answer["DestinationConfig"] == {"OnFailure": {}, "OnSuccess": {}}
    pattern = (
        r"$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?"
        r":(\d{12})?:(.*)"
    )
    bad = arn.replace(":lambda:", ":_-/!lambda:")
    text = f"1 validation error detected: Value '{bad}' at 'destinationConfig.onFailure.destination' failed to satisfy constraint: Member must satisfy regular expression pattern: {pattern}"
    assert refused(put, **to(failure=bad)) == (400, "ValidationException", text, None)
    for given in ({"MaximumRetryAttempts": 3}, {"MaximumEventAgeInSeconds": 21601}):
        assert refused(put, FunctionName=name, **given)[1] == "ValidationException"


def test_ends_are_told_in_awss_records(functions, name, tmp_path):
    bucket = functions.bucket(f"{name}-told")
    functions.make(name)
    kept = tmp_path / "kept"
    keeper = functions.make(f"{name}-keeper", f"KEPT = {str(kept)!r}{KEEP}")
    functions.settings(name, bucket, keeper, MaximumRetryAttempts=0)
    good = functions.send(name, {"a": "ü"})
    [told] = wait_for("the success", lambda: functions.lines("kept"))
    told = json.loads(told)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told.pop("timestamp"))
    context = {"requestId": good, "functionArn": f"{OF}{name}:$LATEST", "condition": "Success", "approximateInvokeCount": 1}
    assert told == {
        "version": "1.0",
        "requestContext": context,
        "requestPayload": {"a": "ü"},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": {"got": {"a": "ü"}},
    }
    bad = functions.send(name, {"fail": 1})
    [(key, told)] = functions.records(f"{name}-told").items()
    assert re.fullmatch(rf"aws/lambda/async/{name}/\d{{4}}/\d\d/\d\d/\d{{4}}-\d\d-\d\dT\d\d\.\d\d\.\d\d-{bad}", key)
    assert told["requestContext"] == {**context, "requestId": bad, "condition": "RetriesExhausted"}
    assert told["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    answer = told["responsePayload"]
    assert (answer["errorMessage"], answer["errorType"], answer["requestId"]) == ("on purpose", "Exception", bad)
    assert list(told) == ["version", "timestamp", "requestContext", "requestPayload", "responseContext", "responsePayload"]
    # Without concurrency the end comes at once, without a run.
    functions.lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    stopped = functions.send(name)
    told = [one for key, one in functions.records(f"{name}-told", 2).items() if key.endswith(stopped)]
    assert told[0]["requestContext"] == {
        **context, "requestId": stopped, "condition": "ZeroReservedConcurrency", "approximateInvokeCount": 0
    }
    assert "responseContext" not in told[0] and "responsePayload" not in told[0]
    functions.lambda_.delete_function_concurrency(FunctionName=name)


def test_versions_and_aliases_have_settings_of_their_own(functions, name):
    functions.make(name)
    version = functions.lambda_.publish_version(FunctionName=name)["Version"]
    functions.lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    for qualifier in (version, "live"):
        functions.settings(name, functions.bucket(f"{name}-{qualifier}"), Qualifier=qualifier, MaximumRetryAttempts=0)
        functions.send(name, {"fail": 1}, Qualifier=qualifier)
    for qualifier in (version, "live"):
        [told] = functions.records(f"{name}-{qualifier}").values()
        assert told["requestContext"]["functionArn"] == f"{OF}{name}:{qualifier}"
        assert told["responseContext"]["executedVersion"] == version


def test_tries_are_as_many_as_the_settings_say(clocked):
    functions = clocked.functions
    bucket = functions.bucket("told")
    tries = lambda name: len(functions.lines(name))
    for name, settings, condition in [
        ("none", {"MaximumRetryAttempts": 0}, "RetriesExhausted"),
        ("one", {"MaximumRetryAttempts": 1}, "RetriesExhausted"),
        ("usual", {}, "RetriesExhausted"),
        # A minute after the first try it would be too old: it is given up at once, as on AWS.
        ("young", {"MaximumEventAgeInSeconds": 60}, "EventAgeExceeded"),
    ]:
        functions.make(name)
        functions.settings(name, bucket, **settings)
        functions.send(name, {"fail": 1, "marks": str(functions.folder / name)})
        wait_for(f"a try of {name}", lambda: tries(name) == 1)
    of = lambda name: [one for key, one in functions.objects("told").items() if f"/{name}/" in key]
    wait_for("two ends", lambda: of("none") and of("young"))
    assert of("young")[0]["requestContext"]["condition"] == "EventAgeExceeded"
    assert of("young")[0]["responsePayload"]["errorMessage"] == "on purpose"
    clocked.advance(61)
    wait_for("the second tries", lambda: tries("one") == 2 and tries("usual") == 2 and of("one"))
    clocked.server.restart()
    clocked.advance(121)
    wait_for("the third try", lambda: of("usual"))
    counts = {name: of(name)[0]["requestContext"]["approximateInvokeCount"] for name in ("none", "one", "usual", "young")}
    assert counts == {"none": 1, "one": 2, "usual": 3, "young": 1}
    assert len(set(functions.lines("usual"))) == 1, "an event keeps its id"


def test_events_without_room_grow_too_old(clocked):
    functions = clocked.functions
    bucket = functions.bucket("told")
    functions.make("f", "import time, pathlib\ndef handler(event, context):\n  while not pathlib.Path(event).exists(): time.sleep(0.01)")
    functions.settings("f", bucket, MaximumEventAgeInSeconds=60)
    functions.lambda_.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=1)
    functions.lambda_.update_function_configuration(FunctionName="f", Timeout=900)
    go = functions.folder / "go"
    for _ in range(2):
        functions.lambda_.invoke(FunctionName="f", InvocationType="Event", Payload=json.dumps(str(go)))
    clocked.advance(61)
    clocked.advance(6)
    [told] = functions.records("told").values()
    assert told["requestContext"]["condition"] == "EventAgeExceeded"
    assert told["requestContext"]["approximateInvokeCount"] == 0
    go.touch()


def test_a_broken_destination_holds_up_no_other(functions, name):
    """Ends for a bucket that is gone are given up; those for others are told meanwhile."""
    functions.make(f"{name}-lost")
    functions.settings(f"{name}-lost", functions.bucket(f"{name}-gone"), MaximumRetryAttempts=0)
    functions.s3.delete_bucket(Bucket=f"{name}-gone")
    functions.make(name)
    functions.settings(name, functions.bucket(f"{name}-there"), MaximumRetryAttempts=0)
    for _ in range(20):
        functions.send(f"{name}-lost", {"fail": 1})
    functions.send(name, {"fail": 1})
    functions.records(f"{name}-there")
    def untold():
        page = urllib.request.urlopen(f"{functions.server.endpoint}/_headwater/metrics").read().decode()
        return re.search(rf'headwater_function_untold_outcomes_total{{.*function="{name}-lost"}} 20\n', page)

    wait_for("all to be given up", untold)


def test_no_end_is_lost_in_kills(new_server, tmp_path):
    """The server is killed ten times while events end: each end is told, and told in one record."""
    server = new_server()
    functions = Functions(server, tmp_path)
    functions.bucket("told")
    kept = tmp_path / "kept"
    keeper = functions.make("keeper", f"KEPT = {str(kept)!r}{KEEP}")
    functions.make("f")
    functions.settings("f", "arn:aws:s3:::told", keeper, MaximumRetryAttempts=0)
    sent = []
    for round in range(10):
        sent += [functions.send("f", {"fail": n % 2, "n": n}) for n in range(6)]
        server.restart()
    bad = [id for n, id in enumerate(sent) if n % 2]
    good = set(sent) - set(bad)
    told = lambda: {one["requestContext"]["requestId"] for one in functions.objects("told").values()}
    wait_for("all failures", lambda: told() == set(bad))
    successes = lambda: {json.loads(line)["requestContext"]["requestId"] for line in functions.lines("kept")}
    wait_for("all successes", lambda: successes() == good)
    # The object's name is the event's, so that a second telling of one run writes it again.
    assert len(bad) <= len(functions.objects("told")) <= len(bad) + 30


def queue_of(functions, name, **attributes):
    """A queue's address and ARN."""
    sqs = functions.server.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return sqs, url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def received(sqs, url, count=1):
    found = []

    def look():
        page = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"], WaitTimeSeconds=1
        )
        for message in page.get("Messages", []):
            found.append(message)
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return len(found) >= count

    wait_for(f"{count} messages", look)
    return found


TRACE = r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0"


def test_a_queue_is_told(functions, name):
    sqs, url, queue = queue_of(functions, name)
    functions.make(name)
    answer = functions.settings(name, queue, queue, MaximumRetryAttempts=0)
    assert answer["DestinationConfig"] == {"OnFailure": {"Destination": queue}, "OnSuccess": {"Destination": queue}}
    ids = {functions.send(name, {"fail": fail}): fail for fail in (0, 1)}
    for message in received(sqs, url, 2):
        told = json.loads(message["Body"])
        failed = ids.pop(told["requestContext"]["requestId"])
        assert told["requestContext"]["condition"] == ("RetriesExhausted" if failed else "Success")
        assert re.fullmatch(TRACE, message["Attributes"]["AWSTraceHeader"]) and "MessageAttributes" not in message
    assert not ids
    fifo = queue_of(functions, f"{name}.fifo", FifoQueue="true")[2]
    text = f"The destination ARN {fifo} is invalid."
    put = {"FunctionName": name, "DestinationConfig": {"OnFailure": {"Destination": fifo}}}
    assert refused(functions.lambda_.put_function_event_invoke_config, **put) == (400, INVALID, text, "User")


def test_dead_letters_go_to_their_queue(functions, name):
    sqs, url, queue = queue_of(functions, name)
    functions.make(name, DeadLetterConfig={"TargetArn": queue})
    lambda_ = functions.lambda_
    config = lambda: lambda_.get_function_configuration(FunctionName=name).get("DeadLetterConfig")
    assert config() == {"TargetArn": queue}
    lambda_.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    id = functions.send(name, {"fail": 1})
    [message] = received(sqs, url)
    assert json.loads(message["Body"]) == {"fail": 1}
    assert message["MessageAttributes"] == {
        "RequestID": {"StringValue": id, "DataType": "String"},
        "ErrorCode": {"StringValue": "200", "DataType": "Number"},
        "ErrorMessage": {"StringValue": "on purpose", "DataType": "String"},
    }
    assert re.fullmatch(TRACE, message["Attributes"]["AWSTraceHeader"])
    # As recorded on AWS, a config that names nothing changes nothing; an empty name takes the queue away.
    lambda_.update_function_configuration(FunctionName=name, DeadLetterConfig={})
    assert config() == {"TargetArn": queue}
    lambda_.update_function_configuration(FunctionName=name, DeadLetterConfig={"TargetArn": ""})
    assert config() is None
    for target, error in [
        (queue + "-none", f"The destination ARN {queue}-none is invalid."),
        ("arn:aws:s3:::b", "The provided dead letter target arn:aws:s3:::b is neither a queue of SQS nor a topic of SNS."),
    ]:
        config = {"FunctionName": name, "DeadLetterConfig": {"TargetArn": target}}
        assert refused(lambda_.update_function_configuration, **config) == (400, INVALID, error, "User")


def test_a_topic_is_told(functions, name):
    sqs, url, queue = queue_of(functions, name)
    sns = functions.server.client("sns")
    topic = sns.create_topic(Name=name)["TopicArn"]
    policy = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": queue},
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    functions.make(name, DeadLetterConfig={"TargetArn": topic})
    functions.settings(name, topic, MaximumRetryAttempts=0)
    id = functions.send(name, {"fail": 1})
    bodies = {"requestContext" in json.loads(message["Body"]): message for message in received(sqs, url, 2)}
    assert json.loads(bodies[True]["Body"])["requestContext"]["requestId"] == id
    assert bodies[False]["MessageAttributes"]["RequestID"]["StringValue"] == id


def test_what_is_too_large_for_a_queue_is_given_up_at_once(functions, name):
    """A record has the event and the answer: it may be larger than any message."""
    sqs, url, queue = queue_of(functions, name)
    functions.make(name, "def handler(event, context): return 'x' * event['size']")
    functions.settings(name, success=queue)
    functions.send(name, {"size": 3 * 1024 * 1024})
    small = functions.send(name, {"size": 1})
    assert json.loads(received(sqs, url)[0]["Body"])["requestContext"]["requestId"] == small

    def untold():
        page = urllib.request.urlopen(f"{functions.server.endpoint}/_headwater/metrics").read().decode()
        return re.search(rf'headwater_function_untold_outcomes_total{{.*function="{name}"}} 1\n', page)

    wait_for("the large one to be given up", untold, seconds=20)
