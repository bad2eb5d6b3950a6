"""Functions through boto3 and the AWS CLI: made, run in every way, failing in AWS's words, logged, surviving kills."""

import base64
import hashlib
import io
import json
import stat
import subprocess
import threading
import time
import urllib.error
import urllib.request
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
        return [event["message"].removesuffix("\n") for page in pages for event in page["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []


ECHO = "def handler(event, context): return event"
OF = "arn:aws:lambda:us-east-1:000000000000:function:"


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
    assert error_of(lambda: lambda_.invoke(FunctionName=name)) == (*missing[:2], f"{missing[2]}:$LATEST")


def test_a_change_is_answered_as_begun(lambda_, make, name):
    """With the states and revisions that AWS shows; the change itself is done by then."""
    create = {"Runtime": "python3.12", "Handler": "index.handler", "Role": ROLE}
    made = lambda_.create_function(FunctionName=name, Code={"ZipFile": package(index_py=ECHO)}, **create)
    assert (made["State"], made["StateReason"]) == ("Pending", "The function is being created.")
    assert "LastUpdateStatus" not in made and "Environment" not in made
    assert invoke(lambda_, name, 1)[1] == 1, "nobody has to wait"
    get = lambda: lambda_.get_function_configuration(FunctionName=name)
    found = get()
    assert (found["State"], found["LastUpdateStatus"]) == ("Active", "Successful")
    update = {"FunctionName": name, "Environment": {"Variables": {}}}
    stale = lambda: lambda_.update_function_configuration(RevisionId=made["RevisionId"], **update)
    assert error_of(stale)[:2] == (412, "PreconditionFailedException")
    updated = lambda_.update_function_configuration(RevisionId=found["RevisionId"], **update)
    assert (updated["State"], updated["LastUpdateStatus"]) == ("Active", "InProgress")
    assert updated["Environment"] == {"Variables": {}}
    lambda_.get_waiter("function_updated_v2").wait(FunctionName=name)
    lambda_.tag_resource(Resource=made["FunctionArn"], Tags={"a": "b"})
    revisions = {made["RevisionId"], found["RevisionId"], updated["RevisionId"], get()["RevisionId"]}
    assert len(revisions) == 4
    assert get()["RuntimeVersionConfig"]["RuntimeVersionArn"].startswith("arn:aws:lambda:us-east-1::runtime:")


def test_a_package_is_fetched_from_its_address(lambda_, make, name):
    make(index_py=ECHO)
    found = lambda_.get_function(FunctionName=name)
    assert found["Code"]["RepositoryType"] == "S3"
    address = found["Code"]["Location"]
    with urllib.request.urlopen(address, timeout=10) as answer:
        assert answer.headers["Content-Type"] == "application/zip"
        content = answer.read()
    assert len(content) == found["Configuration"]["CodeSize"]
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    assert digest == found["Configuration"]["CodeSha256"]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.read("index.py").decode() == ECHO

    def status(address):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(address, timeout=10)
        return caught.value.code

    assert status(address.replace("Expires=1", "Expires=2")) == 403
    assert status(address.split("?")[0]) == 403
    lambda_.update_function_code(FunctionName=name, ZipFile=package(index_py="handler = print"))
    assert status(address) == 404, "it is the address of the code that was"


def test_a_large_package_comes_from_a_bucket(lambda_, client, name):
    """More than the 50 MB that a request may hold."""
    client("s3").create_bucket(Bucket=name)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("index.py", "import os\ndef handler(event, context): return os.path.getsize('data')")
        archive.writestr("data", bytes(60_000_000))
    client("s3").put_object(Bucket=name, Key="code.zip", Body=content.getvalue())
    settings = {"FunctionName": name, "Runtime": "python3.12", "Handler": "index.handler", "Role": ROLE, "Timeout": 30}
    lambda_.create_function(Code={"S3Bucket": name, "S3Key": "code.zip"}, **settings)
    assert invoke(lambda_, name)[1] == 60_000_000
    with urllib.request.urlopen(lambda_.get_function(FunctionName=name)["Code"]["Location"], timeout=30) as answer:
        assert answer.read() == content.getvalue()
    with zipfile.ZipFile(content := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data", bytes(262_144_000))
    client("s3").put_object(Bucket=name, Key="huge.zip", Body=content.getvalue())
    huge = lambda: lambda_.update_function_code(FunctionName=name, S3Bucket=name, S3Key="huge.zip")
    text = "Unzipped size must be smaller than 262144000 bytes"
    assert error_of(huge) == (400, "InvalidParameterValueException", text)


@pytest.mark.parametrize(
    ("function", "qualifier", "code", "text"),
    [
        ("a" * 65, None, "ResourceNotFoundException", f"Function not found: {OF}{'a' * 65}"),
        ("a.b", None, "ResourceNotFoundException", f"Function not found: {OF}a.b"),
        ("function", None, "ResourceNotFoundException", f"Function not found: {OF}function"),
        ("my-function", "$latest", "ResourceNotFoundException", f"Function not found: {OF}my-function:$latest"),
        ("my-function", "a" * 65, "ResourceNotFoundException", f"Function not found: {OF}my-function:{'a' * 65}"),
        ("my-function", "a" * 129, "ValidationException", "less than or equal to 128"),
        ("my-function", "invalid!", "ValidationException", r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"),
        ("f:$LATEST", "1", "InvalidParameterValueException", "The derived qualifier from the function name does not"),
        ("*", None, "ValidationException", "Value '*' at 'functionName' failed to satisfy constraint: Member must"),
        ("invalid-account:function:f", None, "ValidationException", "regular expression"),
        (OF.replace("us-east-1", "") + "f", None, "ValidationException", "regular expression"),
        (OF.replace("lambda", "ec2") + "f", None, "ValidationException", "regular expression"),
        (OF + "f:1:2", None, "ValidationException", "regular expression"),
        (OF + "f:$LATES", None, "ValidationException", "regular expression"),
    ],
)
def test_names_that_lead_nowhere(lambda_, function, qualifier, code, text):
    """As AWS answers them, recorded by localstack's tests."""
    named = {"FunctionName": function} | ({"Qualifier": qualifier} if qualifier else {})
    refused = error_of(lambda: lambda_.get_function(**named))
    assert (refused[1], text in refused[2]) == (code, True), refused
    deleted = error_of(lambda: lambda_.delete_function(**named))
    if qualifier == "a" * 65:
        assert deleted[1:] == ("InvalidParameterValueException", "Deletion of aliases is not currently supported.")
    else:
        assert deleted[1] == code, deleted
    if code == "ResourceNotFoundException":
        found = error_of(lambda: lambda_.invoke(**named))[2]
        assert found == (text if qualifier else f"{text}:$LATEST")


def test_names_that_no_function_may_have(lambda_):
    new = {"Runtime": "python3.12", "Handler": "index.handler", "Role": ROLE, "Code": {"ZipFile": package(a="")}}
    refused = lambda **more: error_of(lambda: lambda_.create_function(**{**new, "FunctionName": "f", **more}))[1:]
    code, text = refused(FunctionName="a" * 65)
    assert code == "InvalidParameterValueException"
    value = f"Value '{'a' * 65}' at 'functionName' failed to satisfy constraint"
    assert text == f"1 validation error detected: {value}: Member must have length less than or equal to 64"
    code, text = refused(FunctionName=OF + "a" * 170)
    assert code == "ValidationException" and "less than or equal to 140" in text
    code, text = refused(FunctionName="invalid:function:name")
    assert code == "ValidationException" and "regular expression" in text
    code, text = refused(Runtime="non-existent-runtime")
    assert code == "InvalidParameterValueException"
    assert text.startswith("Value non-existent-runtime at 'runtime' failed to satisfy constraint: Member must satisfy enum")
    code, text = refused(Runtime="python3.7")
    assert code == "InvalidParameterValueException"
    assert text.startswith("The runtime parameter of python3.7 is no longer supported for creating or updating AWS")


def test_tags_are_of_functions(lambda_, make, name):
    make(index_py=ECHO)
    arn = OF + name
    tag = lambda resource, tags: error_of(lambda: lambda_.tag_resource(Resource=resource, Tags=tags))[1:]
    many = {f"{at}_key": "v" for at in range(51)}
    assert tag(arn, many) == ("InvalidParameterValueException", "Number of tags exceeds resource tag limit.")
    words = "An error occurred and the request cannot be processed."
    assert tag(arn, {}) == ("InvalidParameterValueException", words)
    words = "Tags on function aliases and versions are not supported. Please specify a function ARN."
    for qualifier in ("$LATEST", "1", "alias"):
        assert tag(f"{arn}:{qualifier}", {"a": "b"}) == ("InvalidParameterValueException", words)
    assert tag(OF + "none", {"a": "b"}) == ("ResourceNotFoundException", f"Function not found: {OF}none")
    empty = error_of(lambda: lambda_.untag_resource(Resource=arn, TagKeys=[]))
    words = "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null"
    assert empty == (400, "ValidationException", words)
    lambda_.untag_resource(Resource=arn, TagKeys=["nothing"])
    assert lambda_.list_tags(Resource=arn)["Tags"] == {}


VERSIONS = """
def handler(event, context):
    print("ran", context.function_version, event)
    return ["{}", context.function_version, context.invoked_function_arn.split(":")[6:]]
"""


def test_versions_and_aliases(lambda_, logs, make, name):
    make(index_py=VERSIONS.format("old"))
    first = lambda_.publish_version(FunctionName=name, Description="the first")
    assert (first["Version"], first["FunctionArn"], first["Description"]) == ("1", f"{OF}{name}:1", "the first")
    lambda_.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="1")
    assert lambda_.publish_version(FunctionName=name)["Version"] == "1", "nothing has changed since"
    new = package(index_py=VERSIONS.format("new"))
    second = lambda_.update_function_code(FunctionName=name, ZipFile=new, Publish=True)
    assert (second["Version"], second["State"]) == ("2", "Pending")
    invoked = lambda **more: invoke(lambda_, name, 0, **more)[1]
    assert invoked() == ["new", "$LATEST", [name]]
    assert invoked(Qualifier="1") == ["old", "1", [name, "1"]]
    assert invoke(lambda_, f"{name}:2", 0)[1] == ["new", "2", [name, "2"]]
    with urllib.request.urlopen(lambda_.get_function(FunctionName=f"{name}:1")["Code"]["Location"], timeout=10) as answer:
        with zipfile.ZipFile(io.BytesIO(answer.read())) as archive:
            assert archive.read("index.py").decode() == VERSIONS.format("old")

    make_alias = {"FunctionName": name, "Name": "live", "FunctionVersion": "1"}
    alias = lambda_.create_alias(**make_alias, RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
    assert alias["AliasArn"] == f"{OF}{name}:live" and alias["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.5}}
    ran = {invoke(lambda_, alias["AliasArn"], 0)[0]["ExecutedVersion"] for _ in range(40)}
    assert ran == {"1", "2"}
    lambda_.update_alias(FunctionName=name, Name="live", FunctionVersion="2", RoutingConfig={})
    assert invoked(Qualifier="live") == ["new", "2", [name, "live"]]
    lambda_.invoke(FunctionName=name, Qualifier="1", InvocationType="Event", Payload=b'"later"')
    wait_for("the event", lambda: "ran 1 later" in messages(logs, name))
    versions = lambda_.get_paginator("list_versions_by_function").paginate(FunctionName=name, PaginationConfig={"PageSize": 1})
    assert [version["Version"] for page in versions for version in page["Versions"]] == ["$LATEST", "1", "2"]
    everything = [f["FunctionArn"] for p in lambda_.get_paginator("list_functions").paginate(FunctionVersion="ALL") for f in p["Functions"]]
    assert [arn for arn in everything if arn.startswith(f"{OF}{name}:")] == [f"{OF}{name}:{v}" for v in ("$LATEST", "1", "2")]
    assert [a["Name"] for a in lambda_.list_aliases(FunctionName=name, FunctionVersion="2")["Aliases"]] == ["live"]

    used = error_of(lambda: lambda_.delete_function(FunctionName=name, Qualifier="2"))
    assert used[:2] == (409, "ResourceConflictException")
    lambda_.delete_alias(FunctionName=name, Name="live")
    gone = error_of(lambda: lambda_.get_alias(FunctionName=name, Name="live"))
    assert gone == (404, "ResourceNotFoundException", f"Cannot find alias arn: {OF}{name}:live")
    lambda_.delete_function(FunctionName=name, Qualifier="2")
    assert error_of(lambda: invoked(Qualifier="2"))[2] == f"Function not found: {OF}{name}:2"
    assert invoked() == ["new", "$LATEST", [name]], "it shared the package of the version"


def test_aliases_that_aws_refuses(lambda_, make, name):
    make(index_py=ECHO)
    for timeout in (5, 6):
        lambda_.update_function_configuration(FunctionName=name, Timeout=timeout)
        lambda_.publish_version(FunctionName=name)

    def refused(version, weights=None, alias="x"):
        routing = {"RoutingConfig": {"AdditionalVersionWeights": weights}} if weights else {}
        make_alias = {"FunctionName": name, "Name": alias, "FunctionVersion": version}
        return error_of(lambda: lambda_.create_alias(**make_alias, **routing))[1:]

    bounds = (
        "[Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, "
        "Member must not be null]"
    )
    place = "at 'routingConfig.additionalVersionWeights' failed to satisfy constraint"
    text = f"1 validation error detected: Value '{{2=2.0}}' {place}: Map value must satisfy constraint: {bounds}"
    assert refused("1", {"2": 2.0}) == ("ValidationException", text)
    code, text = refused("1", {"$LATEST": 0.5})
    assert code == "ValidationException" and "Map keys must satisfy constraint" in text
    words = "$LATEST is not supported for an alias pointing to more than 1 version"
    assert refused("$LATEST", {"1": 0.5}) == ("InvalidParameterValueException", words)
    assert refused("1", {"10": 0.5}) == ("ResourceNotFoundException", f"Function not found: {OF}{name}:10")
    code, text = refused("1", alias="2024")
    pattern = r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)"
    value = "1 validation error detected: Value '2024' at 'name' failed to satisfy constraint"
    words = f"{value}: Member must satisfy regular expression pattern: {pattern}"
    assert (code, text) == ("ValidationException", words)


def test_what_deployment_tools_ask(lambda_, make, name):
    make(index_py=ECHO)
    settings = lambda_.get_account_settings()
    assert settings["AccountLimit"]["CodeSizeZipped"] == 52_428_800
    assert settings["AccountUsage"]["FunctionCount"] >= 1
    (version,) = lambda_.list_versions_by_function(FunctionName=name)["Versions"]
    assert (version["Version"], version["FunctionArn"]) == ("$LATEST", f"{OF}{name}:$LATEST")
    assert "State" not in version
    assert lambda_.list_aliases(FunctionName=name)["Aliases"] == []
    assert "CodeSigningConfigArn" not in lambda_.get_function_code_signing_config(FunctionName=name)
    assert "ReservedConcurrentExecutions" not in lambda_.get_function_concurrency(FunctionName=name)
    words = "The resource you requested does not exist."
    assert error_of(lambda: lambda_.get_policy(FunctionName=name)) == (404, "ResourceNotFoundException", words)


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
    assert error_of(lambda: create(FunctionName=other, Timeout=901))[1] == "ValidationException"
    status, code, message = error_of(lambda: create(FunctionName=other, Layers=[f"{OF}f:1".replace("function", "layer")]))
    assert (status, code) == (501, "NotImplemented") and "Layers" in message
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
    assert lines[0].startswith("INIT_START Runtime Version: nodejs:22.v1\tRuntime Version ARN: arn:aws:lambda:")
    assert lines[1] == f"START RequestId: {request_id} Version: $LATEST"
    assert lines[2].endswith(f"\t{request_id}\tINFO\tsaid hello")
    assert lines[3] == f"END RequestId: {request_id}"
    assert lines[4].startswith(f"REPORT RequestId: {request_id}\tDuration: ")
    assert "\tInit Duration: " in lines[4]

    group = f"/aws/lambda/{name}"
    (stream,) = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime")["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)
    assert [event["message"] for event in events["events"]] == lines
    found = server.aws("logs", "filter-log-events", "--log-group-name", group, "--filter-pattern", "said")
    assert [event["message"] for event in found["events"]] == [lines[2]]


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
    lambda_.publish_version(FunctionName="f")
    lambda_.update_function_code(FunctionName="f", ZipFile=package(index_py=ECHO))
    assert invoke(lambda_, "f", 1)[1] == 1
    second = int(lines[1].split()[-1])
    assert runs(second), "what runs is not ended by new code"
    server.restart()
    wait_for("the end of the second server's process", lambda: not runs(second))
    assert invoke(lambda_, "f", 0, Qualifier="1")[1] is None, "the code of a version is kept"
    assert invoke(lambda_, "f", 1)[1] == 1
