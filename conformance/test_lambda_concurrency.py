"""Concurrency that functions have to themselves, reserved and provisioned, through boto3. Texts as recorded on AWS."""

import json
import os
import pathlib
import signal
import threading
import urllib.request

import pytest

from headwater import wait_for
from test_lambda import OF, ROLE, package
from test_lambda_policies import refused

INVALID, MISSING, CONFLICT = "InvalidParameterValueException", "ResourceNotFoundException", "ResourceConflictException"
# Says how its process was started, and waits for a file where it is told to.
CODE = """
import os, pathlib, time
def handler(event, context):
    if event.get('wait'): pathlib.Path(event['wait'] + '-started').touch()
    while event.get('wait') and not pathlib.Path(event['wait']).exists(): time.sleep(0.01)
    return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE'], os.getpid()
"""
ON_DEMAND, PROVISIONED = "on-demand", "provisioned-concurrency"


@pytest.fixture
def lambda_(client):
    return client("lambda", read_timeout=120)


@pytest.fixture
def make(lambda_):
    def make(function, code=CODE, **more):
        lambda_.create_function(
            FunctionName=function, Runtime="python3.12", Handler="index.handler", Role=ROLE, Timeout=30,
            Code={"ZipFile": package(index_py=code)}, **more,
        )
        return function

    return make


@pytest.fixture
def function(make, name, lambda_):
    yield make(name)
    try:  # What it has claimed is for other tests again.
        lambda_.delete_function(FunctionName=name)
    except lambda_.exceptions.ResourceNotFoundException:
        pass


def invoke(lambda_, function, event=None, **more):
    answer = lambda_.invoke(FunctionName=function, Payload=json.dumps(event or {}), **more)
    return json.loads(answer["Payload"].read())


def ready(lambda_, function, qualifier):
    """Waits until all processes that were asked for are kept."""

    def look():
        found = lambda_.get_provisioned_concurrency_config(FunctionName=function, Qualifier=qualifier)
        assert found["Status"] != "FAILED", found
        return found if found["Status"] == "READY" else None

    return wait_for("the processes", look)


class Busy:
    """An invocation that runs until `done`."""

    def __init__(self, lambda_, function, tmp_path, **more):
        self.file, self.result = tmp_path / f"go-{id(self)}", None
        self.thread = threading.Thread(target=self.run, args=(lambda_, function, more))
        self.thread.start()
        wait_for("the call to run", pathlib.Path(f"{self.file}-started").exists)

    def run(self, lambda_, function, more):
        self.result = invoke(lambda_, function, {"wait": str(self.file)}, **more)

    def done(self):
        self.file.touch()
        self.thread.join()
        return self.result


def processes(server):
    page = urllib.request.urlopen(f"{server.endpoint}/_headwater/metrics").read().decode()
    return {
        state: int(line.split()[-1])
        for line in page.splitlines()
        for state in ("busy", "idle")
        if line.startswith("headwater_function_processes{") and f'state="{state}"' in line
    }


def test_reserved_concurrency_lives(lambda_, function):
    get = lambda: lambda_.get_function_concurrency(FunctionName=function).get("ReservedConcurrentExecutions")
    assert get() is None
    for count in (0, 1, 3):
        put = lambda_.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=count)
        assert (put["ReservedConcurrentExecutions"], get()) == (count, count)
    assert lambda_.get_function(FunctionName=function)["Concurrency"] == {"ReservedConcurrentExecutions": 3}
    deleted = lambda_.delete_function_concurrency(FunctionName=function)
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204 and get() is None
    assert "Concurrency" not in lambda_.get_function(FunctionName=function)


def test_reserving_has_awss_errors(lambda_, function):
    put = lambda_.put_function_concurrency
    text = f"Function not found: {OF}doesnotexist:$LATEST"
    for count in (0, 1):
        error = refused(put, FunctionName="doesnotexist", ReservedConcurrentExecutions=count)
        assert error == (404, MISSING, text, "User")
    text = (
        "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
        "Please specify either a function name or an unqualified function ARN."
    )
    error = refused(put, FunctionName=f"{OF}{function}:$LATEST", ReservedConcurrentExecutions=1)
    assert error == (400, INVALID, text, "User")
    text = (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
        "minimum value of [100]."
    )
    limits = lambda_.get_account_settings()["AccountLimit"]
    unreserved = limits["UnreservedConcurrentExecutions"]
    assert limits["ConcurrentExecutions"] == 1000
    for count in (1001, unreserved - 99):
        error = refused(put, FunctionName=function, ReservedConcurrentExecutions=count)
        assert error == (400, INVALID, text, None)


def test_what_is_reserved_bounds_calls(lambda_, function, tmp_path):
    lambda_.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    call = lambda: lambda_.invoke(FunctionName=function)
    with pytest.raises(lambda_.exceptions.TooManyRequestsException) as caught:
        call()
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert (answer["Error"]["Message"], answer["Type"]) == ("Rate Exceeded.", "User")
    assert answer["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    lambda_.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=1)
    busy = Busy(lambda_, function, tmp_path)
    assert refused(call)[0] == 429
    assert busy.done()[0] == ON_DEMAND
    assert call()["StatusCode"] == 200


def test_events_run_as_soon_as_there_is_room(lambda_, function, tmp_path):
    """Those that were put off are run when the function is free, not a while later."""
    lambda_.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=1)
    busy = Busy(lambda_, function, tmp_path)
    made = tmp_path / "made"
    code = f"import pathlib\ndef handler(event, context): pathlib.Path({str(made)!r}).touch()"
    lambda_.update_function_code(FunctionName=function, ZipFile=package(index_py=code))
    for _ in range(3):
        lambda_.invoke(FunctionName=function, InvocationType="Event")
    assert not made.exists()
    busy.done()
    wait_for("the event", made.exists, seconds=4)


def test_provisioned_concurrency_lives(lambda_, function):
    version = lambda_.publish_version(FunctionName=function)["Version"]
    lambda_.create_alias(FunctionName=function, Name="live", FunctionVersion=version)
    of = lambda qualifier: {"FunctionName": function, "Qualifier": qualifier}
    put = lambda qualifier, count=1: lambda_.put_provisioned_concurrency_config(
        **of(qualifier), ProvisionedConcurrentExecutions=count
    )
    none = (404, "ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found for this function", "User")
    assert refused(lambda_.get_provisioned_concurrency_config, **of(version)) == none
    begun = put(version)
    assert begun.pop("ResponseMetadata")["HTTPStatusCode"] == 202
    assert begun.pop("LastModified")
    assert begun == {
        "RequestedProvisionedConcurrentExecutions": 1, "AvailableProvisionedConcurrentExecutions": 0,
        "AllocatedProvisionedConcurrentExecutions": 0, "Status": "IN_PROGRESS",
    }
    text = "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
    assert refused(lambda: put("live")) == (409, CONFLICT, text, "User")
    found = ready(lambda_, function, version)
    assert found["AllocatedProvisionedConcurrentExecutions"] == found["AvailableProvisionedConcurrentExecutions"] == 1
    assert invoke(lambda_, function, Qualifier=version)[0] == PROVISIONED
    assert invoke(lambda_, function)[0] == ON_DEMAND, "the latest version has no part in it"
    listed = lambda_.list_provisioned_concurrency_configs(FunctionName=function)["ProvisionedConcurrencyConfigs"]
    assert [one["FunctionArn"] for one in listed] == [f"{OF}{function}:{version}"]
    deleted = lambda_.delete_provisioned_concurrency_config(**of(version))
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refused(lambda_.get_provisioned_concurrency_config, **of(version)) == none
    assert invoke(lambda_, function, Qualifier=version)[0] == ON_DEMAND
    lambda_.delete_provisioned_concurrency_config(**of(version))
    put("live")
    text = "Version is pointed by a Provisioned Concurrency alias"
    assert refused(lambda: put(version)) == (409, CONFLICT, text, "User")
    ready(lambda_, function, "live")
    assert invoke(lambda_, function, Qualifier="live")[0] == PROVISIONED
    lambda_.delete_alias(FunctionName=function, Name="live")
    gone = (404, MISSING, f"Cannot find alias arn: {OF}{function}:live", "User")
    assert refused(lambda_.get_provisioned_concurrency_config, **of("live")) == gone
    assert lambda_.list_provisioned_concurrency_configs(FunctionName=function)["ProvisionedConcurrencyConfigs"] == []
    assert invoke(lambda_, function, Qualifier=version)[0] == ON_DEMAND


def test_provisioning_has_awss_errors(lambda_, function):
    version = lambda_.publish_version(FunctionName=function)["Version"]
    lambda_.create_alias(FunctionName=function, Name="latest", FunctionVersion="$LATEST")
    alias = lambda name, qualifier: f"Cannot find alias arn: {OF}{name}:{qualifier}"
    missing = lambda name, qualifier: f"Function not found: {OF}{name}:{qualifier}"
    latest = "The function resource provided must be an alias or a published version."
    unpublished = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
    calls = {
        "get": (lambda_.get_provisioned_concurrency_config, {}),
        "delete": (lambda_.delete_provisioned_concurrency_config, {}),
        "put": (lambda_.put_provisioned_concurrency_config, {"ProvisionedConcurrentExecutions": 1}),
    }
    for which, (call, more) in calls.items():
        for name, qualifier, error in [
            ("doesnotexist", "noalias", (404, MISSING, alias("doesnotexist", "noalias"))),
            ("doesnotexist", "1", (404, MISSING, missing("doesnotexist", "1"))),
            (function, "noalias", (404, MISSING, alias(function, "noalias"))),
            (function, "10", (404, MISSING, missing(function, "10"))),
            (function, "$LATEST", (400, INVALID, unpublished if which == "put" else latest)),
        ]:
            assert refused(call, FunctionName=name, Qualifier=qualifier, **more) == (*error, "User"), (which, name, qualifier)
    put = lambda count, qualifier=version: refused(
        lambda_.put_provisioned_concurrency_config, FunctionName=function, Qualifier=qualifier,
        ProvisionedConcurrentExecutions=count,
    )
    assert put(1, "latest") == (400, INVALID, unpublished, "User")
    unreserved = lambda_.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    text = f"Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [{unreserved}]."
    assert put(unreserved + 1) == (400, INVALID, text, None)
    text = (
        "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum "
        "value of [100]."
    )
    assert put(unreserved) == (400, INVALID, text, None)
    error = refused(lambda_.list_provisioned_concurrency_configs, FunctionName="doesnotexist")
    assert error == (404, MISSING, f"Function not found: {OF}doesnotexist", "User")
    assert lambda_.list_provisioned_concurrency_configs(FunctionName=function)["ProvisionedConcurrencyConfigs"] == []


def test_reserved_and_provisioned_go_together(lambda_, function):
    version = lambda_.publish_version(FunctionName=function)["Version"]
    provision = lambda count, qualifier=version: lambda_.put_provisioned_concurrency_config(
        FunctionName=function, Qualifier=qualifier, ProvisionedConcurrentExecutions=count
    )
    reserve = lambda count: lambda_.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=count)
    provision(2)
    text = " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned concurrency [2]."
    assert refused(lambda: reserve(1)) == (400, INVALID, text, None)
    reserve(2)
    ready(lambda_, function, version)
    with pytest.raises(lambda_.exceptions.TooManyRequestsException) as caught:
        lambda_.invoke(FunctionName=function)
    assert caught.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert invoke(lambda_, function, Qualifier=version)[0] == PROVISIONED
    lambda_.update_function_configuration(FunctionName=function, Timeout=15)
    other = lambda_.publish_version(FunctionName=function)["Version"]
    text = "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
    for call in (lambda: provision(1, other), lambda: provision(3)):
        assert refused(call) == (400, INVALID, text, "User")


def test_kept_processes_move_with_their_alias(lambda_, function):
    first = lambda_.publish_version(FunctionName=function)["Version"]
    alias = {"FunctionName": function, "Name": "live"}
    lambda_.create_alias(**alias, FunctionVersion=first)
    lambda_.put_provisioned_concurrency_config(FunctionName=function, Qualifier="live", ProvisionedConcurrentExecutions=1)
    ready(lambda_, function, "live")
    code = CODE.replace("os.getpid()", "'second'")
    lambda_.update_function_code(FunctionName=function, ZipFile=package(index_py=code))
    second = lambda_.publish_version(FunctionName=function)["Version"]
    lambda_.update_alias(**alias, FunctionVersion=second)
    ready(lambda_, function, "live")
    assert invoke(lambda_, function, Qualifier="live") == [PROVISIONED, "second"]
    assert invoke(lambda_, function, Qualifier=first)[0] == ON_DEMAND
    text = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
    to_latest = refused(lambda_.update_alias, **alias, FunctionVersion="$LATEST")
    assert to_latest == (400, INVALID, text, "User")
    lambda_.update_alias(**alias, RoutingConfig={"AdditionalVersionWeights": {first: 0.5}})
    put = {"FunctionName": function, "Qualifier": "live", "ProvisionedConcurrentExecutions": 2}
    text = "Alias with weights can not be used with Provisioned Concurrency"
    assert refused(lambda_.put_provisioned_concurrency_config, **put) == (400, INVALID, text, "User")


def test_kept_processes_come_again_and_make_room(new_server, tmp_path):
    server = new_server("--function-concurrency", "4")
    lambda_ = server.client("lambda")
    for function in ("f", "g", "h", "i"):
        lambda_.create_function(
            FunctionName=function, Runtime="python3.12", Handler="index.handler", Role=ROLE,
            Code={"ZipFile": package(index_py=CODE.replace("def handler", "pid = os.getpid()\ndef handler"))}, Publish=True,
        )
        invoke(lambda_, function)
    wait_for("idle processes", lambda: processes(server)["idle"] == 4)
    provision = lambda count: lambda_.put_provisioned_concurrency_config(
        FunctionName="f", Qualifier="1", ProvisionedConcurrentExecutions=count
    )
    provision(3)
    ready(lambda_, "f", "1")
    assert sum(processes(server).values()) <= 4
    busy = [Busy(lambda_, "f", tmp_path, Qualifier="1") for _ in range(3)]
    assert invoke(lambda_, "g")[0] == ON_DEMAND, "one place is left for the others"
    kept = [one.done() for one in busy]
    assert {how for how, _ in kept} == {PROVISIONED} and len({pid for _, pid in kept}) == 3
    provision(4)
    failed = lambda_.get_provisioned_concurrency_config(FunctionName="f", Qualifier="1")
    assert failed["Status"] == "FAILED" and "--function-concurrency" in failed["StatusReason"]
    provision(2)
    server.restart()
    ready(lambda_, "f", "1")
    _, pid = invoke(lambda_, "f", Qualifier="1")
    os.kill(pid, signal.SIGKILL)
    # Until the server has seen its end, it would give it the next invocation, which would fail with it.
    wait_for("the end of the process", lambda: not pathlib.Path(f"/proc/{pid}").exists())
    assert invoke(lambda_, "f", Qualifier="1")[0] in (PROVISIONED, ON_DEMAND)
    again = lambda: len({invoke(lambda_, "f", Qualifier="1")[1] for _ in range(3)}) and pid not in {
        invoke(lambda_, "f", Qualifier="1")[1] for _ in range(3)
    }
    wait_for("another process", again)
    # A function of the same name has none of it.
    lambda_.delete_function(FunctionName="f")
    limits = lambda_.get_account_settings()["AccountLimit"]
    assert limits["UnreservedConcurrentExecutions"] == 1000
    lambda_.create_function(
        FunctionName="f", Runtime="python3.12", Handler="index.handler", Role=ROLE,
        Code={"ZipFile": package(index_py=CODE)}, Publish=True,
    )
    assert invoke(lambda_, "f", Qualifier="1")[0] == ON_DEMAND


def test_what_does_not_start_is_not_kept(lambda_, make, name):
    make(name, "raise ValueError('no')", Publish=True)
    lambda_.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
    status = lambda: lambda_.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    failed = wait_for("the failure", lambda: status() if status()["Status"] == "FAILED" else None)
    assert failed["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"
    assert failed["AllocatedProvisionedConcurrentExecutions"] == 0
    lambda_.delete_function(FunctionName=name)
