"""Functions through boto3 and the AWS CLI: made, run in every way, failing in AWS's words, logged, surviving kills."""

import base64
import io
import json
import stat
import subprocess
import threading
import time
import zipfile

import pytest
from botocore.exceptions import ClientError

from headwater import wait_for

ROLE = "arn:aws:iam::000000000000:role/function"


def package(**files):
    """A zip file: `index_py="…"` is `index.py`; a `bootstrap` may be executed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo(name.replace("_", "."))
            info.external_attr = (stat.S_IFREG | (0o755 if name == "bootstrap" else 0o644)) << 16
            archive.writestr(info, text)
    return buffer.getvalue()


@pytest.fixture
def lambda_(client):
    return client("lambda", read_timeout=120)


@pytest.fixture
def logs(client):
    return client("logs")


@pytest.fixture
def make(lambda_, name):
    """Makes functions of the test's own; `make(index_py=CODE)` is named as the test is."""

    def make(function=None, runtime="python3.12", handler="index.handler", settings=None, **files):
        function = function or name
        lambda_.create_function(
            FunctionName=function,
            Runtime=runtime,
            Handler=handler,
            Role=ROLE,
            Code={"ZipFile": package(**files)},
            **{"Timeout": 30, **(settings or {})},
        )
        lambda_.get_waiter("function_active_v2").wait(FunctionName=function)
        return function

    return make


def invoke(lambda_, function, payload=None, **more):
    """The answer and its payload as JSON."""
    if payload is not None:
        more["Payload"] = json.dumps(payload)
    answer = lambda_.invoke(FunctionName=function, **more)
    return answer, json.loads(answer["Payload"].read() or "null")


def error_of(call):
    with pytest.raises(ClientError) as caught:
        call()
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def messages(logs, function, **more):
    try:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{function}", **more)
        return [event["message"] for page in pages for event in page["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []


ECHO = "def handler(event, context): return event"


def test_a_function_lives(lambda_, make, name):
    make(index_py=ECHO, settings={"Description": "says it again", "Environment": {"Variables": {"AB": "c"}}})
    found = lambda_.get_function(FunctionName=name)
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    configuration = found["Configuration"]
    assert configuration["FunctionArn"] == arn and configuration["State"] == "Active"
    assert configuration["Environment"] == {"Variables": {"AB": "c"}}
    assert arn in [f["FunctionArn"] for p in lambda_.get_paginator("list_functions").paginate() for f in p["Functions"]]

    answer, payload = invoke(lambda_, arn, {"a": [1, "ü"]})
    assert (answer["StatusCode"], answer["ExecutedVersion"], payload) == (200, "$LATEST", {"a": [1, "ü"]})
    assert "FunctionError" not in answer and "LogResult" not in answer
    assert invoke(lambda_, name)[1] == {}, "no payload is an empty object"

    updated = lambda_.update_function_code(FunctionName=name, ZipFile=package(index_py="def handler(e, c): return 2"))
    lambda_.get_waiter("function_updated_v2").wait(FunctionName=name)
    assert updated["CodeSha256"] != configuration["CodeSha256"]
    assert invoke(lambda_, name)[1] == 2
    lambda_.update_function_configuration(FunctionName=name, Timeout=7)
    assert lambda_.get_function_configuration(FunctionName=name)["Timeout"] == 7
    lambda_.tag_resource(Resource=arn, Tags={"team": "taxi"})
    assert lambda_.list_tags(Resource=arn)["Tags"] == {"team": "taxi"}

    lambda_.delete_function(FunctionName=name)
    missing = (404, "ResourceNotFoundException", f"Function not found: {arn}")
    assert error_of(lambda: lambda_.get_function(FunctionName=name)) == missing
    assert error_of(lambda: lambda_.invoke(FunctionName=name)) == missing


def test_refusals_are_in_awss_words(lambda_, make, name):
    make(index_py=ECHO)
    create = lambda **more: lambda_.create_function(
        **{
            "FunctionName": name,
            "Runtime": "python3.12",
            "Handler": "index.handler",
            "Role": ROLE,
            "Code": {"ZipFile": package(index_py=ECHO)},
            **more,
        }
    )
    assert error_of(create) == (409, "ResourceConflictException", f"Function already exist: {name}")
    bad_zip = "Could not unzip uploaded file. Please check your file, then try to upload again."
    other = f"{name}-2"
    refused = error_of(lambda: create(FunctionName=other, Code={"ZipFile": b"no zip"}))
    assert refused == (400, "InvalidParameterValueException", bad_zip)
    assert error_of(lambda: create(FunctionName=other, Role="r1"))[1] == "ValidationException"
    assert error_of(lambda: create(FunctionName=other, Timeout=901))[1] == "InvalidParameterValueException"
    status, code, message = error_of(lambda: create(FunctionName=other, Publish=True))
    assert (status, code) == (501, "NotImplemented") and "Publish" in message
    stale = lambda: lambda_.update_function_configuration(FunctionName=name, Timeout=9, RevisionId="stale")
    assert error_of(stale)[:2] == (412, "PreconditionFailedException")
    not_json = lambda: lambda_.invoke(FunctionName=name, Payload=b"{")
    assert error_of(not_json)[:2] == (400, "InvalidRequestContentException")
    version = lambda: lambda_.invoke(FunctionName=name, Qualifier="3")
    assert error_of(version)[2] == f"Function not found: arn:aws:lambda:us-east-1:000000000000:function:{name}:3"


@pytest.mark.alone
def test_errors_of_functions(lambda_, make, name):
    make(
        index_py="""
import os, time
def handler(event, context):
    if event == "raise": raise ValueError("no")
    if event == "exit": os._exit(7)
    if event == "stay": time.sleep(60)
    return "x" * event
""",
        settings={"Timeout": 1},
    )
    answer, payload = invoke(lambda_, name, "raise", LogType="Tail")
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert (payload["errorType"], payload["errorMessage"], payload["requestId"]) == ("ValueError", "no", request_id)
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert tail.startswith(f"START RequestId: {request_id} Version: $LATEST\n[ERROR] ValueError: no\n")

    answer, payload = invoke(lambda_, name, "exit")
    request_id = answer["ResponseMetadata"]["RequestId"]
    text = f"RequestId: {request_id} Error: Runtime exited with error: exit status 7"
    assert (answer["FunctionError"], payload) == ("Unhandled", {"errorType": "Runtime.ExitError", "errorMessage": text})

    started = time.monotonic()
    answer, payload = invoke(lambda_, name, "stay")
    request_id = answer["ResponseMetadata"]["RequestId"]
    text = f"RequestId: {request_id} Error: Task timed out after 1.00 seconds"
    assert (answer["FunctionError"], payload) == ("Unhandled", {"errorType": "Sandbox.Timedout", "errorMessage": text})
    assert time.monotonic() - started < 20

    answer, payload = invoke(lambda_, name, 6 * 1024 * 1024 + 100)
    text = "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
    assert payload == {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": text}
    large = lambda: lambda_.invoke(FunctionName=name, Payload=b'"' + b"x" * 6 * 1024 * 1024 + b'"')
    assert error_of(large)[0] == 413
    assert invoke(lambda_, name, 3)[1] == "xxx"


def test_output_is_in_the_log_group(server, lambda_, logs, make, name):
    make(runtime="nodejs22.x", index_mjs='export const handler = async (event) => { console.log("said", event); };')
    answer, payload = invoke(lambda_, name, "hello")
    assert payload is None
    request_id = answer["ResponseMetadata"]["RequestId"]
    lines = wait_for("the report", lambda: (m := messages(logs, name)) and "REPORT" in m[-1] and m)
    assert lines[0] == f"START RequestId: {request_id} Version: $LATEST"
    assert lines[1].endswith(f"\t{request_id}\tINFO\tsaid hello")
    assert lines[2] == f"END RequestId: {request_id}"
    assert lines[3].startswith(f"REPORT RequestId: {request_id}\tDuration: ")

    group = f"/aws/lambda/{name}"
    (stream,) = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime")["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)
    assert [event["message"] for event in events["events"]] == lines
    found = server.aws("logs", "filter-log-events", "--log-group-name", group, "--filter-pattern", "said")
    assert [event["message"] for event in found["events"]] == [lines[1]]


def test_the_cli_invokes(server, make, name, tmp_path):
    make(index_py=ECHO)
    out = tmp_path / "answer"
    answer = server.aws("lambda", "invoke", "--function-name", name, "--payload", '{"x":1}', out)
    assert json.loads(out.read_text()) == {"x": 1}
    assert answer["ExecutedVersion"] == "$LATEST"


def test_a_function_uses_the_server_itself(lambda_, make, name, client):
    """Its environment leads boto3 back to the server that runs it."""
    client("s3").create_bucket(Bucket=name)
    if subprocess.run(["python3", "-c", "import boto3"], capture_output=True).returncode:
        code = """
import os, urllib.request
def handler(event, context):
    request = urllib.request.Request(f"{os.environ['AWS_ENDPOINT_URL']}/{event}/made", b"by a function", method="PUT")
    return urllib.request.urlopen(request).status
"""
    else:
        code = """
import boto3
from botocore.config import Config
def handler(event, context):
    s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
    return s3.put_object(Bucket=event, Key="made", Body=b"by a function")["ResponseMetadata"]["HTTPStatusCode"]
"""
    make(index_py=code)
    assert invoke(lambda_, name, name)[1] == 200
    assert client("s3").get_object(Bucket=name, Key="made")["Body"].read() == b"by a function"


def test_a_bootstrap_of_ones_own(lambda_, make, name):
    make(
        runtime="provided.al2023",
        bootstrap="""#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while :; do
  event=$(curl -sS -D "$0.$$" "$api/next") || exit 1
  id=$(sed -n 's/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: *\\([^[:space:]]*\\).*/\\1/p' "$0.$$")
  curl -sS "$api/$id/response" -d "{\\"saw\\":$event}" >/dev/null
done
""",
    )
    for event in (1, [2]):
        assert invoke(lambda_, name, event)[1] == {"saw": event}


def test_events_and_dry_runs(lambda_, logs, make, name):
    make(index_py="def handler(event, context): print('ran', event, context.aws_request_id)")
    dry = lambda_.invoke(FunctionName=name, InvocationType="DryRun")
    assert (dry["StatusCode"], dry["Payload"].read()) == (204, b"")
    event = lambda_.invoke(FunctionName=name, InvocationType="Event", Payload=b'"later"')
    assert (event["StatusCode"], event["Payload"].read()) == (202, b"")
    request_id = event["ResponseMetadata"]["RequestId"]
    wait_for("the event", lambda: f"ran later {request_id}" in messages(logs, name))


def test_invocations_run_side_by_side(lambda_, make, name):
    make(index_py="import os, time\ndef handler(event, context):\n    time.sleep(0.5)\n    return os.getpid()")
    pids = []
    threads = [threading.Thread(target=lambda: pids.append(invoke(lambda_, name)[1])) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(pids)) == 6, "a process has one invocation at a time"
    assert invoke(lambda_, name)[1] in pids, "and is kept for the next"


def test_functions_and_their_events_survive_a_kill(new_server):
    server = new_server()
    lambda_, logs = server.client("lambda"), server.client("logs")
    code = "import os, time\ndef handler(event, context):\n    print('ran', event, os.getpid())\n    time.sleep(event)"
    lambda_.create_function(
        FunctionName="f",
        Runtime="python3.12",
        Handler="index.handler",
        Role=ROLE,
        Timeout=600,
        Code={"ZipFile": package(index_py=code)},
    )
    lambda_.invoke(FunctionName="f", InvocationType="Event", Payload=b"300")
    (line,) = wait_for("the first run", lambda: messages(logs, "f", filterPattern="ran"))
    process = int(line.split()[-1])
    server.restart()
    lines = wait_for("the second run", lambda: len(m := messages(logs, "f", filterPattern="ran")) > 1 and m)
    assert lines[0] == line, "what was logged is still there"

    def runs(process):
        """Whether it runs; who is ended but not yet buried does not."""
        try:
            with open(f"/proc/{process}/stat") as file:
                return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
        except FileNotFoundError:
            return False

    wait_for("the end of the first server's process", lambda: not runs(process))
    lambda_.update_function_code(FunctionName="f", ZipFile=package(index_py=ECHO))
    assert invoke(lambda_, "f", 1)[1] == 1
    second = int(lines[1].split()[-1])
    assert runs(second), "what runs is not ended by new code"
    server.restart()
    wait_for("the end of the second server's process", lambda: not runs(second))
