"""STS with boto3 and the CLI: who calls, and sessions that sign, outlive a kill, and expire."""

import json
import re
from datetime import timedelta
from unittest import mock

import boto3
import botocore.auth
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from clocked import Clocked
from headwater import Server

OURS, THEIRS = "000000000000", "222222222222"
ROLE = f"arn:aws:iam::{OURS}:role/path/r"
KEYS = {
    "default": ("AKIDROOT", "root-secret", OURS),
    "ann": ("AKIDANN", "ann-secret", OURS),
    "eve": ("AKIDEVE", "eve-secret", THEIRS),
}
SERVICES = ["kinesis", "dynamodb", "lambda", "s3", "sns", "sqs"]
EXPIRED = "The security token included in the request is expired"


def keys_file(folder):
    profile = "[{}]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_account_id = {}\n"
    file = folder / "credentials"
    file.write_text("".join(profile.format(name, *key) for name, key in KEYS.items()))
    return file


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    """A server whose requests must be signed."""
    folder = tmp_path_factory.mktemp("sts")
    server = Server(folder / "data", "--credentials", keys_file(folder)).start()
    yield server
    assert server.stop() == 0


def client(server, service, key, secret, token=None):
    return boto3.client(
        service,
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"max_attempts": 0}),
    )


def of(server, who, service="sts"):
    return client(server, service, *KEYS[who][:2])


def within(server, credentials, service="sts"):
    """A client with the key of a session."""
    names = ["AccessKeyId", "SecretAccessKey", "SessionToken"]
    return client(server, service, *(credentials[name] for name in names))


def error_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def identity(sts):
    found = sts.get_caller_identity()
    return found["Account"], found["Arn"], found["UserId"]


def signing_later(seconds):
    """Signs with a clock that is ahead as the server's is."""
    now = botocore.auth.get_current_datetime
    return mock.patch.object(botocore.auth, "get_current_datetime", lambda: now() + timedelta(seconds=seconds))


def any_list(server, credentials, service):
    """An operation of a service that lists what there is."""
    name = {"kinesis": "list_streams", "dynamodb": "list_tables", "lambda": "list_functions", "s3": "list_buckets",
            "sns": "list_topics", "sqs": "list_queues"}[service]
    return getattr(within(server, credentials, service), name)


def test_a_server_without_keys_says_that_its_root_calls(server):
    assert identity(server.client("sts")) == (OURS, f"arn:aws:iam::{OURS}:root", OURS)
    assert server.aws("sts", "get-caller-identity")["Arn"] == f"arn:aws:iam::{OURS}:root"


def test_callers_are_who_their_keys_say(signed):
    assert identity(of(signed, "default")) == (OURS, f"arn:aws:iam::{OURS}:root", OURS)
    account, arn, id = identity(of(signed, "ann"))
    assert (account, arn) == (OURS, f"arn:aws:iam::{OURS}:user/ann")
    assert re.fullmatch(r"AIDA[A-Z2-7]{17}", id)
    account, arn, other = identity(of(signed, "eve"))
    assert (account, arn) == (THEIRS, f"arn:aws:iam::{THEIRS}:user/eve") and other != id


@pytest.mark.parametrize("kind", ["server", "signed"])
def test_a_role_is_assumed_in_every_service(kind, request):
    server = request.getfixturevalue(kind)
    taken = of(server, "ann").assume_role(RoleArn=ROLE, RoleSessionName="s@x", SourceIdentity="ann", ExternalId="any")
    user, credentials = taken["AssumedRoleUser"], taken["Credentials"]
    arn = f"arn:aws:sts::{OURS}:assumed-role/r/s@x"
    assert user["Arn"] == arn and taken["SourceIdentity"] == "ann" and "PackedPolicySize" not in taken
    assert re.fullmatch(r"AROA[A-Z2-7]{17}:s@x", user["AssumedRoleId"])
    assert re.fullmatch(r"ASIA[A-Z2-7]{16}", credentials["AccessKeyId"])
    assert len(credentials["SecretAccessKey"]) == 40
    left = credentials["Expiration"].timestamp() - taken_at(taken)
    assert 3590 <= left <= 3605
    assert identity(within(server, credentials)) == (OURS, arn, user["AssumedRoleId"])
    for service in SERVICES:
        any_list(server, credentials, service)()
    sts = of(server, "ann")
    assert sts.get_access_key_info(AccessKeyId=credentials["AccessKeyId"])["Account"] == OURS


def taken_at(answer):
    from email.utils import parsedate_to_datetime

    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()


def test_another_session_of_the_same_role_has_the_same_id_before_its_name(signed):
    sts = of(signed, "ann")
    ids = [sts.assume_role(RoleArn=ROLE, RoleSessionName=name)["AssumedRoleUser"]["AssumedRoleId"] for name in ["aa", "bb"]]
    assert [id.split(":")[1] for id in ids] == ["aa", "bb"]
    assert len({id.split(":")[0] for id in ids}) == 1


def test_a_session_of_ones_own_is_the_user_still(signed):
    credentials = of(signed, "ann").get_session_token(DurationSeconds=900)["Credentials"]
    sts = within(signed, credentials)
    assert identity(sts)[1] == f"arn:aws:iam::{OURS}:user/ann"
    refused = (403, "AccessDenied", "Cannot call GetSessionToken with session credentials")
    assert error_of(sts.get_session_token) == refused
    assert sts.assume_role(RoleArn=ROLE, RoleSessionName="s1", DurationSeconds=7200)["Credentials"]


def test_a_chain_of_roles_is_an_hour_long_and_keeps_its_source(signed):
    first = of(signed, "ann").assume_role(RoleArn=ROLE, RoleSessionName="s1", SourceIdentity="ann", DurationSeconds=43200)
    sts = within(signed, first["Credentials"])
    second = sts.assume_role(RoleArn=f"{ROLE}2", RoleSessionName="s2")
    assert second["SourceIdentity"] == "ann"
    text = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
    assert error_of(sts.assume_role, RoleArn=ROLE, RoleSessionName="s2", DurationSeconds=3601) == (400, "ValidationError", text)
    assert error_of(sts.assume_role, RoleArn=ROLE, RoleSessionName="s2", SourceIdentity="bob")[:2] == (403, "AccessDenied")


def test_what_is_wrong_is_refused_as_on_aws(signed):
    sts = of(signed, "ann")
    # The first four texts and the last two are as LocalStack's tests recorded them on AWS.
    for arn in ["nothing-valid-in-here", "arn::b:::something/test-role", "arn:a::::something/test-role", "arn:a:a::aaaaaaaaaa:"]:
        assert error_of(sts.assume_role, RoleArn=arn, RoleSessionName="s1") == (400, "ValidationError", f"{arn} is invalid")
    name = "Session1:2"
    text = f"Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"
    told = error_of(sts.assume_role, RoleArn=ROLE, RoleSessionName=name)
    assert told == (400, "ValidationError", f"1 validation error detected: {text}")
    name = "s" * 65
    text = f"Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member must have length less than or equal to 64"
    told = error_of(sts.assume_role, RoleArn=ROLE, RoleSessionName=name)
    assert told == (400, "ValidationError", f"1 validation error detected: {text}")
    theirs = ROLE.replace(OURS, THEIRS)
    text = f"User: arn:aws:iam::{OURS}:user/ann is not authorized to perform: sts:AssumeRole on resource: {theirs}"
    assert error_of(sts.assume_role, RoleArn=theirs, RoleSessionName="s1") == (403, "AccessDenied", text)


def test_what_would_not_be_heeded_is_refused_by_name(signed):
    sts = of(signed, "ann")
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    for name, value in [
        ("Policy", policy),
        ("PolicyArns", [{"arn": "arn:aws:iam::aws:policy/AdministratorAccess"}]),
        ("Tags", [{"Key": "a", "Value": "b"}]),
        ("SerialNumber", "GAHT12345678"),
    ]:
        status, _, text = error_of(sts.assume_role, RoleArn=ROLE, RoleSessionName="s1", **{name: value})
        assert status == 501 and f"STS's setting {name} yet" in text
    assert "GetFederationToken" in error_of(sts.get_federation_token, Name="bob")[2]
    # Of this one AWS asks for no signature.
    unsigned = boto3.client("sts", endpoint_url=signed.endpoint, region_name="us-east-1", config=Config(signature_version=UNSIGNED))
    status, _, text = error_of(
        unsigned.assume_role_with_web_identity, RoleArn=ROLE, RoleSessionName="s1", WebIdentityToken="eyJhbGciOiJub25lIn0.e30."
    )
    assert status == 501 and "AssumeRoleWithWebIdentity" in text


def test_a_forged_or_foreign_token_is_refused(signed, server):
    begun = of(signed, "ann").assume_role(RoleArn=ROLE, RoleSessionName="s1")["Credentials"]
    elsewhere = of(server, "ann").assume_role(RoleArn=ROLE, RoleSessionName="s1")["Credentials"]
    other = of(signed, "ann").assume_role(RoleArn=ROLE, RoleSessionName="s1")["Credentials"]
    for forged in [
        elsewhere,
        begun | {"SessionToken": begun["SessionToken"][:-4] + "AAAA"},
        begun | {"SessionToken": other["SessionToken"]},
        begun | {"AccessKeyId": other["AccessKeyId"]},
    ]:
        assert error_of(within(signed, forged).get_caller_identity)[:2] == (403, "InvalidClientTokenId")
        assert error_of(within(signed, forged, "kinesis").list_streams)[:2] == (400, "UnrecognizedClientException")
    wrong = begun | {"SecretAccessKey": other["SecretAccessKey"]}
    assert error_of(within(signed, wrong).get_caller_identity)[:2] == (403, "SignatureDoesNotMatch")


def test_a_role_that_a_policy_names_is_each_of_its_sessions(signed, name):
    kinesis = of(signed, "default", "kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    stream = f"arn:aws:kinesis:us-east-1:{OURS}:stream/{name}"
    role = f"arn:aws:iam::{THEIRS}:role/reader"
    statement = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "kinesis:ListShards", "Resource": stream}
    kinesis.put_resource_policy(ResourceARN=stream, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    sts = of(signed, "eve")
    reader, other = (
        within(signed, sts.assume_role(RoleArn=arn, RoleSessionName="s1")["Credentials"], "kinesis") for arn in [role, f"{role}2"]
    )
    assert len(reader.list_shards(StreamARN=stream)["Shards"]) == 1
    assert error_of(other.list_shards, StreamARN=stream)[1] == "AccessDeniedException"


def test_a_session_ends_with_the_key_behind_it(tmp_path):
    keys = keys_file(tmp_path)
    server = Server(tmp_path / "data", "--credentials", keys).start()
    try:
        first = of(server, "ann").assume_role(RoleArn=ROLE, RoleSessionName="s1")["Credentials"]
        second = within(server, first).assume_role(RoleArn=ROLE, RoleSessionName="s2")["Credentials"]
        other = of(server, "default").assume_role(RoleArn=ROLE, RoleSessionName="s3")["Credentials"]
        keys.write_text(keys.read_text().replace("AKIDANN", "AKIDANNA"))
        server.restart()
        for ended in [first, second]:
            assert error_of(within(server, ended).get_caller_identity)[:2] == (403, "InvalidClientTokenId")
        assert identity(within(server, other))[1].endswith("/s3")
    finally:
        server.kill()


def test_a_session_outlives_a_kill_and_expires(tmp_path):
    clocked = Clocked(tmp_path, "--credentials", keys_file(tmp_path))
    server = clocked.server
    try:
        begun = of(server, "ann").assume_role(RoleArn=ROLE, RoleSessionName="s1", DurationSeconds=900)["Credentials"]
        server.restart()
        assert identity(within(server, begun))[1].endswith("assumed-role/r/s1")
        clocked.advance(901)
        with signing_later(901):
            assert error_of(within(server, begun).get_caller_identity) == (403, "ExpiredToken", EXPIRED)
            told = {service: error_of(any_list(server, begun, service))[1:] for service in SERVICES}
        in_json, in_forms = ("ExpiredTokenException", EXPIRED), ("ExpiredToken", EXPIRED)
        assert told == {
            "kinesis": in_json,
            "dynamodb": in_json,
            "lambda": in_json,
            "s3": ("ExpiredToken", "The provided token has expired."),
            "sns": in_forms,
            "sqs": in_forms,
        }
    finally:
        server.kill()
