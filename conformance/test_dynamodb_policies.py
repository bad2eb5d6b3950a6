"""Policies of tables: boto3 with keys of two accounts, allowed and denied."""

import json

import boto3
import pytest
from botocore.config import Config

from headwater import Server
from tables import error_of, get, item, make, put

OURS, THEIRS = "111111111111", "222222222222"
KEYS = {"owner": ("AKIDOWNER", OURS), "bob": ("AKIDBOB", OURS), "ann": ("AKIDANN", THEIRS)}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("policies")
    file = folder / "credentials"
    profile = "[{}]\naws_access_key_id = {}\naws_secret_access_key = secret\naws_account_id = {}\n"
    file.write_text("".join(profile.format(name, *key) for name, key in KEYS.items()))
    server = Server(folder / "data", "--account", OURS, "--credentials", file).start()
    yield server
    assert server.stop() == 0


@pytest.fixture
def as_(server):
    """Clients of one of the three: `as_("ann")`."""

    def make(who):
        keys = {"aws_access_key_id": KEYS[who][0], "aws_secret_access_key": "secret"}
        config = Config(retries={"max_attempts": 0})
        return boto3.client("dynamodb", endpoint_url=server.endpoint, region_name="us-east-1", config=config, **keys)

    return make


@pytest.fixture
def table(as_, name):
    """A table's ARN."""
    make(as_("owner"), name)
    return f"arn:aws:dynamodb:us-east-1:{OURS}:table/{name}"


def statement(table, *actions, who="ann", effect="Allow"):
    principal = {"AWS": f"arn:aws:iam::{KEYS[who][1]}:user/{who}"}
    actions = [f"dynamodb:{action}" for action in actions]
    return {"Effect": effect, "Principal": principal, "Action": actions, "Resource": table}


def put_policy(dynamodb, table, *statements, **more):
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    return dynamodb.put_resource_policy(ResourceArn=table, Policy=policy, **more)["RevisionId"]


def denied(who, action, table, why=None):
    why = why or f"because no resource-based policy allows the dynamodb:{action} action"
    user = f"arn:aws:iam::{KEYS[who][1]}:user/{who}"
    text = f"User: {user} is not authorized to perform: dynamodb:{action} on resource: {table} {why}"
    return 400, "AccessDeniedException", text


def test_another_account_may_do_what_it_is_allowed(as_, table):
    owner, ann = as_("owner"), as_("ann")
    write = lambda: put(ann, table, {"p": "a", "n": 1})
    assert error_of(write) == denied("ann", "PutItem", table)
    put_policy(owner, table, statement(table, "PutItem", "Query"))
    write()
    assert get(owner, table, p="a") == {"p": "a", "n": 1}
    assert error_of(get, ann, table, p="a") == denied("ann", "GetItem", table)
    assert error_of(ann.describe_table, TableName=table) == denied("ann", "DescribeTable", table)
    both = [{"Put": {"TableName": table, "Item": item(p="b")}}, {"Delete": {"TableName": table, "Key": item(p="a")}}]
    assert error_of(ann.transact_write_items, TransactItems=both) == denied("ann", "DeleteItem", table)
    ann.transact_write_items(TransactItems=both[:1])
    assert get(owner, table, p="b") == {"p": "b"}
    owner.delete_resource_policy(ResourceArn=table)
    assert error_of(write) == denied("ann", "PutItem", table)


def test_a_denial_counts_in_the_owners_account(as_, table):
    owner, bob = as_("owner"), as_("bob")
    put(bob, table, {"p": "a"})
    put_policy(owner, table, statement(table, "PutItem", who="bob", effect="Deny"))
    explicit = "with an explicit deny in a resource-based policy"
    assert error_of(put, bob, table, {"p": "a"}) == denied("bob", "PutItem", table, explicit)
    assert get(bob, table, p="a") == {"p": "a"}


def test_policies_have_revisions(as_, table):
    owner = as_("owner")
    none = error_of(owner.get_resource_policy, ResourceArn=table)
    assert none[:2] == (400, "PolicyNotFoundException")
    first = put_policy(owner, table, statement(table, "GetItem"), ExpectedRevisionId="NO_POLICY")
    shown = owner.get_resource_policy(ResourceArn=table)
    assert shown["RevisionId"] == first and json.loads(shown["Policy"])["Statement"] == [statement(table, "GetItem")]
    second = put_policy(owner, table, statement(table, "PutItem"), ExpectedRevisionId=first)
    stale = error_of(put_policy, owner, table, statement(table, "Query"), ExpectedRevisionId=first)
    assert stale[:2] == (400, "PolicyNotFoundException") and second != first
