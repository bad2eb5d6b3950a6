"""Policies of functions: boto3 adds and removes permissions, and keys of two accounts call. Texts as recorded on AWS."""

import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from headwater import Server
from test_lambda import ECHO, ROLE, package
from test_policies import KEYS, OURS, THEIRS

BUCKET = "arn:aws:s3:::test-bucket"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("policies")
    file = folder / "credentials"
    profile = "[{}]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_account_id = {}\n"
    file.write_text("".join(profile.format(name, *key) for name, key in KEYS.items()))
    server = Server(folder / "data", "--account", OURS, "--credentials", file).start()
    yield server
    assert server.stop() == 0


@pytest.fixture
def as_(server):
    def make(who):
        id, secret, _ = KEYS[who]
        return boto3.client(
            "lambda",
            endpoint_url=server.endpoint,
            region_name="us-east-1",
            aws_access_key_id=id,
            aws_secret_access_key=secret,
            config=Config(retries={"max_attempts": 0}),
        )

    return make


@pytest.fixture
def lambda_(as_):
    return as_("owner")


@pytest.fixture
def function(lambda_, name):
    lambda_.create_function(
        FunctionName=name, Runtime="python3.12", Handler="index.handler", Role=ROLE, Code={"ZipFile": package(index_py=ECHO)}
    )
    return name


def arn_of(function, qualifier=None):
    return f"arn:aws:lambda:us-east-1:{OURS}:function:{function}" + (f":{qualifier}" if qualifier else "")


def refused(call, **arguments):
    """Status, type, text, and whether the answer says that it is the user's fault."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    error = answer["Error"]
    return answer["ResponseMetadata"]["HTTPStatusCode"], error["Code"], error["Message"], answer.get("Type")


def add(lambda_, function, sid="s3", **more):
    settings = {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com", **more}
    answer = lambda_.add_permission(FunctionName=function, StatementId=sid, **settings)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    return json.loads(answer["Statement"])


def policy(lambda_, function, **more):
    answer = lambda_.get_policy(FunctionName=function, **more)
    return json.loads(answer["Policy"]), answer["RevisionId"]


def statement(function, sid="s3", principal={"Service": "s3.amazonaws.com"}, condition=None, qualifier=None):
    shown = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": principal,
        "Action": "lambda:InvokeFunction",
        "Resource": arn_of(function, qualifier),
    }
    return {**shown, "Condition": condition} if condition else shown


def test_a_policy_grows_and_shrinks(lambda_, function):
    source = {"ArnLike": {"AWS:SourceArn": BUCKET}}
    first = statement(function)
    assert add(lambda_, function) == first
    second = statement(function, "sqs", {"Service": "sqs.amazonaws.com"}, source)
    assert add(lambda_, function, "sqs", Principal="sqs.amazonaws.com", SourceArn=BUCKET) == second
    found, revision = policy(lambda_, function)
    assert found == {"Version": "2012-10-17", "Id": "default", "Statement": [first, second]}
    missing = refused(lambda_.remove_permission, FunctionName=function, StatementId="none")
    text = "Statement none is not found in resource policy."
    assert missing == (404, "ResourceNotFoundException", text, "User")
    lambda_.remove_permission(FunctionName=function, StatementId="sqs")
    found, later = policy(lambda_, function)
    assert found["Statement"] == [first] and later != revision
    lambda_.remove_permission(FunctionName=function, StatementId="s3", RevisionId=later)
    gone = (404, "ResourceNotFoundException", "The resource you requested does not exist.", "User")
    assert refused(lambda_.get_policy, FunctionName=function) == gone


def test_statements_say_who_and_when(lambda_, function):
    account = {"StringEquals": {"AWS:SourceAccount": OURS}}
    token = "amzn1.ask.skill.xxxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
    user = f"arn:aws:iam::{OURS}:user/bob"
    for sid, given, principal, condition in [
        ("star", {"Principal": "*", "SourceAccount": OURS}, "*", account),
        ("service", {"Principal": "lambda.amazonaws.com", "SourceAccount": OURS}, {"Service": "lambda.amazonaws.com"}, account),
        ("account", {"Principal": OURS}, {"AWS": f"arn:aws:iam::{OURS}:root"}, None),
        ("user", {"Principal": user, "SourceAccount": OURS}, {"AWS": user}, account),
        ("alexa", {"Principal": "*", "EventSourceToken": token}, "*", {"StringEquals": {"lambda:EventSourceToken": token}}),
        ("url", {"Principal": "*", "InvokedViaFunctionUrl": True}, "*", {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}),
    ]:
        assert add(lambda_, function, sid, **given) == statement(function, sid, principal, condition)
    every = add(
        lambda_, function, "all", Action="lambda:InvokeFunctionUrl", Principal="*", SourceArn=BUCKET, SourceAccount=OURS,
        PrincipalOrgID="o-1234567890", FunctionUrlAuthType="NONE",
    )
    assert every["Condition"] == {
        "StringEquals": {
            "AWS:SourceAccount": OURS, "lambda:FunctionUrlAuthType": "NONE", "aws:PrincipalOrgID": "o-1234567890"
        },
        "ArnLike": {"AWS:SourceArn": BUCKET},
    }


def test_what_cannot_be_permitted_has_awss_words(lambda_, function):
    invalid, not_found = (400, "InvalidParameterValueException"), (404, "ResourceNotFoundException")
    base = {"Action": "lambda:InvokeFunction", "StatementId": "s3", "Principal": "s3.amazonaws.com"}
    principal = "The provided principal was invalid. Please check the principal and try again."
    qualifier = "The derived qualifier from the function name does not match the specified qualifier."
    for given, error in [
        ({"FunctionName": f"{function}:alias-not-42", "Qualifier": "42"}, (*invalid, qualifier)),
        ({"Qualifier": "$LATEST"}, (*invalid, "We currently do not support adding policies for $LATEST.")),
        ({"Principal": "invalid.nonaws.com"}, (*invalid, principal)),
        ({"FunctionName": "doesnotexist"}, (*not_found, f"Function not found: {arn_of('doesnotexist')}")),
        ({"Qualifier": "42"}, (*not_found, f"Function not found: {arn_of(function, '42')}")),
        ({"FunctionName": f"{function}:none"}, (*not_found, f"Cannot find alias arn: {arn_of(function, 'none')}")),
        ({"Qualifier": "with-$-in-it"}, (*not_found, f"Function not found: {arn_of(function, 'with-$-in-it')}")),
    ]:
        assert refused(lambda_.add_permission, **{"FunctionName": function, **base, **given}) == (*error, "User"), given
    for given, at, pattern in [
        ({"StatementId": "example.com"}, "'example.com' at 'statementId'", "([a-zA-Z0-9-_]+)"),
        ({"Qualifier": "with-?"}, "'with-?' at 'qualifier'", r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"),
    ]:
        text = f"1 validation error detected: Value {at} failed to satisfy constraint: Member must satisfy regular expression pattern: {pattern}"
        error = refused(lambda_.add_permission, **{"FunctionName": function, **base, **given})
        assert error == (400, "ValidationException", text, None)
    for given, text in [
        ({"FunctionName": "doesnotexist"}, f"No policy found for: {arn_of('doesnotexist')}"),
        ({}, "No policy is associated with the given resource."),
        ({"Qualifier": "none"}, f"Cannot find alias arn: {arn_of(function, 'none')}"),
    ]:
        error = refused(lambda_.remove_permission, **{"FunctionName": function, "StatementId": "s3", **given})
        assert error == (*not_found, text, "User")
    for given in ({"FunctionName": "doesnotexist"}, {"FunctionName": function, "Qualifier": "77"}):
        error = refused(lambda_.get_policy, **given)
        assert error == (*not_found, "The resource you requested does not exist.", "User")
    add(lambda_, function)
    text = "The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing statement."
    assert refused(lambda_.add_permission, FunctionName=function, **base) == (409, "ResourceConflictException", text, "User")


def test_policies_have_revisions_of_their_own(lambda_, function):
    text = "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id"
    wrong = (412, "PreconditionFailedException", text, "User")
    add(lambda_, function)
    _, revision = policy(lambda_, function)
    version = lambda_.publish_version(FunctionName=function)["Version"]
    assert policy(lambda_, function)[1] == revision, "publishing changes no policy"
    assert refused(lambda_.get_policy, FunctionName=function, Qualifier=version)[0] == 404
    assert add(lambda_, f"{function}:{version}", Qualifier=version) == statement(function, qualifier=version)
    alias = lambda_.create_alias(FunctionName=function, Name="live", FunctionVersion=version)
    base = {"FunctionName": function, "Qualifier": "live", "Action": "lambda:InvokeFunction", "StatementId": "s3"}
    base["Principal"] = "s3.amazonaws.com"
    assert refused(lambda_.add_permission, **base, RevisionId="wrong") == wrong
    lambda_.add_permission(**base, RevisionId=alias["RevisionId"])
    assert policy(lambda_, function, Qualifier="live")[0]["Statement"] == [statement(function, qualifier="live")]
    assert refused(lambda_.remove_permission, FunctionName=function, StatementId="s3", RevisionId="wrong") == wrong
    add(lambda_, function, "s3_2", RevisionId=revision)
    assert policy(lambda_, function)[1] != revision
    lambda_.delete_alias(FunctionName=function, Name="live")
    lambda_.create_alias(FunctionName=function, Name="live", FunctionVersion=version)
    assert refused(lambda_.get_policy, FunctionName=function, Qualifier="live")[0] == 404, "it goes with its alias"


def test_a_policy_has_20_kilobytes(lambda_, function):
    base = {"FunctionName": function, "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    sid = lambda n: f"{n:03}" + "x" * 97
    with pytest.raises(ClientError) as caught:
        for n in range(200):
            lambda_.add_permission(**base, StatementId=sid(n), SourceArn=BUCKET)
    error = caught.value.response["Error"]
    assert error["Code"] == "PolicyLengthExceededException" and error["Message"].endswith("is bigger than the limit (20480).")
    assert len(lambda_.get_policy(FunctionName=function)["Policy"]) <= 20_480


def test_another_account_calls_what_it_may(server, as_, lambda_, function):
    ann, eve = as_("ann"), as_("eve")
    arn = arn_of(function)
    call = {"FunctionName": arn, "Payload": b"1"}
    denied = refused(ann.invoke, **call)
    who = f"arn:aws:iam::{THEIRS}:user/ann"
    text = (
        f"User: {who} is not authorized to perform: lambda:InvokeFunction on resource: {arn} because no resource-based "
        "policy allows the lambda:InvokeFunction action"
    )
    assert denied[:3] == (403, "AccessDeniedException", text)
    theirs = refused(ann.invoke, FunctionName=function)
    assert theirs[2] == f"Function not found: arn:aws:lambda:us-east-1:{THEIRS}:function:{function}"
    add(lambda_, function, "ann", Principal=who, Action="lambda:*")
    assert ann.invoke(**call)["Payload"].read() == b"1"
    assert refused(eve.invoke, **call)[0] == 403
    version = lambda_.publish_version(FunctionName=function)["Version"]
    qualified = {"FunctionName": arn_of(function, version)}
    assert refused(ann.invoke, **qualified)[0] == 403, "a version has its own policy"
    add(lambda_, function, "all", Principal=THEIRS, Qualifier=version)
    assert ann.invoke(**qualified)["ExecutedVersion"] == version
    server.restart()
    assert eve.invoke(**qualified)["ExecutedVersion"] == version
    lambda_.remove_permission(FunctionName=function, StatementId="ann")
    assert refused(ann.invoke, **call)[0] == 403
    lambda_.delete_function(FunctionName=function)
    lambda_.create_function(
        FunctionName=function, Runtime="python3.12", Handler="index.handler", Role=ROLE, Code={"ZipFile": package(index_py=ECHO)}
    )
    assert refused(lambda_.get_policy, FunctionName=function)[0] == 404, "a policy goes with its function"
