"""Tables of DynamoDB through boto3: made, described, changed, deleted, tagged, through restarts and in regions."""

import json
import re
import urllib.error
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from tables import (
    NO_ITEM_TABLE, by, defined, error_of, get, index_of, invalid, item, key_of, make, plain, put, scanned,
    wait_active, wrong,
)


@pytest.fixture
def dynamodb(client):
    return client("dynamodb")


@pytest.fixture
def table(dynamodb, name):
    """A table of the test's own."""
    return make(dynamodb, name)


def described(dynamodb, table):
    return dynamodb.describe_table(TableName=table)["Table"]


def no_table(name):
    return 400, "ResourceNotFoundException", f"Requested resource not found: Table: {name} not found"


def arn_of(table, account="000000000000", region="us-east-1"):
    return f"arn:aws:dynamodb:{region}:{account}:table/{table}"


def test_the_life_of_a_table(dynamodb, name):
    assert error_of(dynamodb.describe_table, TableName=name) == no_table(name)
    made = dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=defined(p="S", s="N", g="B"),
        KeySchema=key_of("p", "s"),
        BillingMode="PAY_PER_REQUEST",
        LocalSecondaryIndexes=[index_of("local", "p", "g", projected="KEYS_ONLY")],
        GlobalSecondaryIndexes=[index_of("global", "g", projected=["x"])],
        Tags=[{"Key": "team", "Value": "taxi"}],
        DeletionProtectionEnabled=True,
    )["TableDescription"]
    assert made["TableStatus"] == "CREATING" and made["TableArn"] == arn_of(name)
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    shown = described(dynamodb, name)
    assert shown["TableStatus"] == "ACTIVE" and shown["TableName"] == name
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", shown["TableId"])
    assert shown["TableId"] == made["TableId"] and shown["CreationDateTime"] == made["CreationDateTime"]
    assert shown["KeySchema"] == key_of("p", "s")
    by_name = lambda definition: definition["AttributeName"]
    assert sorted(shown["AttributeDefinitions"], key=by_name) == sorted(defined(p="S", s="N", g="B"), key=by_name)
    assert (shown["ItemCount"], shown["TableSizeBytes"]) == (0, 0)
    assert shown["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert shown["BillingModeSummary"]["LastUpdateToPayPerRequestDateTime"]
    none = {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
    assert shown["ProvisionedThroughput"] == none
    warm = {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE"}
    assert shown["WarmThroughput"] == warm and shown["DeletionProtectionEnabled"] is True
    [local], [of_all] = shown["LocalSecondaryIndexes"], shown["GlobalSecondaryIndexes"]
    assert local["IndexArn"] == f"{arn_of(name)}/index/local" and local["KeySchema"] == key_of("p", "g")
    assert (local["ItemCount"], local["IndexSizeBytes"]) == (0, 0)
    assert local["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    assert of_all["IndexStatus"] == "ACTIVE" and of_all["IndexArn"] == f"{arn_of(name)}/index/global"
    assert of_all["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x"]}
    assert of_all["ProvisionedThroughput"] == none
    for absent in ("StreamSpecification", "LatestStreamArn", "SSEDescription", "TableClassSummary", "Replicas"):
        assert absent not in shown
    assert error_of(by(dynamodb.delete_table, name)) == invalid(
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first."
    )
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    assert described(dynamodb, name)["DeletionProtectionEnabled"] is False
    assert dynamodb.delete_table(TableName=name)["TableDescription"]["TableStatus"] == "DELETING"
    dynamodb.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    assert error_of(by(dynamodb.delete_table, name)) == no_table(name)
    assert error_of(dynamodb.get_item, TableName=name, Key=item(p="a")) == NO_ITEM_TABLE


def test_a_table_made_again_is_empty(dynamodb, table):
    put(dynamodb, table, {"p": "a"})
    first = described(dynamodb, table)["TableId"]
    dynamodb.delete_table(TableName=table)
    make(dynamodb, table)
    assert scanned(dynamodb, table) == [] and described(dynamodb, table)["TableId"] != first


def test_a_name_is_given_once(dynamodb, table):
    request = {"AttributeDefinitions": defined(p="S"), "KeySchema": key_of("p"), "BillingMode": "PAY_PER_REQUEST"}
    assert error_of(dynamodb.create_table, TableName=table, **request) == (
        400, "ResourceInUseException", f"Table already exists: {table}",
    )


def test_tables_are_listed_in_pages(new_server):
    dynamodb = new_server().client("dynamodb")
    names = [f"table.{n:02}" for n in range(7)]
    for name in names:
        make(dynamodb, name)
    assert dynamodb.list_tables()["TableNames"] == names
    first = dynamodb.list_tables(Limit=3)
    assert first["TableNames"] == names[:3] and first["LastEvaluatedTableName"] == names[2]
    rest = dynamodb.list_tables(ExclusiveStartTableName=names[2])
    assert rest["TableNames"] == names[3:] and "LastEvaluatedTableName" not in rest
    whole = dynamodb.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 2})
    assert [name for page in whole for name in page["TableNames"]] == names


def test_items_and_bytes_are_counted(dynamodb, name):
    make(dynamodb, name, {"p": "S", "g": "S"}, GlobalSecondaryIndexes=[index_of("by-g", "g", projected="KEYS_ONLY")])
    put(dynamodb, name, {"p": "abc", "g": "de", "text": "x" * 100}, {"p": "f"})
    shown = described(dynamodb, name)
    # Names count, and values.
    assert (shown["ItemCount"], shown["TableSizeBytes"]) == (2, (1 + 3 + 1 + 2 + 4 + 100) + 2)
    assert shown["GlobalSecondaryIndexes"][0]["ItemCount"] == 1
    dynamodb.delete_item(TableName=name, Key=item(p="abc"))
    shown = described(dynamodb, name)
    assert (shown["ItemCount"], shown["TableSizeBytes"]) == (1, 2)
    assert shown["GlobalSecondaryIndexes"][0]["ItemCount"] == 0


def test_tables_are_paid_for_either_way(dynamodb, name):
    units = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 7}
    make(dynamodb, name, BillingMode="PROVISIONED", ProvisionedThroughput=units)
    shown = described(dynamodb, name)
    assert shown["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, **units}
    assert "BillingModeSummary" not in shown
    lower = {"ReadCapacityUnits": 4, "WriteCapacityUnits": 8}
    changed = dynamodb.update_table(TableName=name, ProvisionedThroughput=lower)["TableDescription"]
    assert changed["TableStatus"] == "UPDATING"
    wait_active(dynamodb, name)
    shown = described(dynamodb, name)["ProvisionedThroughput"]
    assert shown["NumberOfDecreasesToday"] == 1 and shown["LastIncreaseDateTime"] and shown["LastDecreaseDateTime"]
    assert (shown["ReadCapacityUnits"], shown["WriteCapacityUnits"]) == (4, 8)
    assert error_of(dynamodb.update_table, TableName=name, ProvisionedThroughput=lower)[:2] == (400, "ValidationException")
    dynamodb.update_table(TableName=name, BillingMode="PAY_PER_REQUEST")
    wait_active(dynamodb, name)
    shown = described(dynamodb, name)
    assert shown["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert shown["ProvisionedThroughput"]["ReadCapacityUnits"] == 0
    maxima = {"MaxReadRequestUnits": 10, "MaxWriteRequestUnits": 20}
    dynamodb.update_table(TableName=name, OnDemandThroughput=maxima)
    wait_active(dynamodb, name)
    assert described(dynamodb, name)["OnDemandThroughput"] == maxima
    both = error_of(
        dynamodb.create_table, TableName=f"{name}-2", AttributeDefinitions=defined(p="S"), KeySchema=key_of("p"),
        BillingMode="PAY_PER_REQUEST", ProvisionedThroughput=units,
    )
    assert both == wrong(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
    )


@pytest.mark.parametrize(
    "changed, text",
    [
        ({"KeySchema": key_of("q")}, "One or more parameter values were invalid: Some index key attributes are not "
         "defined in AttributeDefinitions. Keys: [q], AttributeDefinitions: [p]"),
        ({"AttributeDefinitions": defined(p="S", q="S")}, "One or more parameter values were invalid: Number of "
         "attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions"),
        ({"BillingMode": "PROVISIONED"}, "One or more parameter values were invalid: ReadCapacityUnits and "
         "WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"),
        ({"KeySchema": key_of("p", "p")}, "Invalid KeySchema: Some index key attribute have no definition"),
        ({"GlobalSecondaryIndexes": [index_of("ggg", "nowhere")]}, "One or more parameter values were invalid: Some "
         "index key attributes are not defined in AttributeDefinitions. Keys: [nowhere], AttributeDefinitions: [p]"),
        ({"LocalSecondaryIndexes": [index_of("lll", "p", "p")]}, None),
        ({"TableName": "a"}, "1 validation error detected: Value 'a' at 'tableName' failed to satisfy constraint: "
         "Member must have length greater than or equal to 3"),
        ({"TableName": "a" * 256}, "1 validation error detected: Value '" + "a" * 256 + "' at 'tableName' failed to "
         "satisfy constraint: Member must have length less than or equal to 255"),
    ],
)
def test_a_table_that_cannot_be(server, name, changed, text):
    lenient = server.client("dynamodb", parameter_validation=False)
    request = {"TableName": name, "AttributeDefinitions": defined(p="S"), "KeySchema": key_of("p")}
    status, code, said = error_of(lenient.create_table, **{"BillingMode": "PAY_PER_REQUEST", **request, **changed})
    assert (status, code) == (400, "ValidationException") and (text is None or said == text)


def test_what_is_not_built_is_refused_by_name(dynamodb, table):
    def refused(call, **more):
        status, code, text = error_of(call, **more)
        assert code == "NotImplemented" and status == 501, text
        return text

    new = {"TableName": f"{table}-2", "AttributeDefinitions": defined(p="S"), "KeySchema": key_of("p")}
    new["BillingMode"] = "PAY_PER_REQUEST"
    warm = {"ReadUnitsPerSecond": 13000, "WriteUnitsPerSecond": 5000}
    assert "WarmThroughput" in refused(dynamodb.create_table, **new, WarmThroughput=warm)
    encrypted = {"Enabled": True, "SSEType": "KMS"}
    assert "SSESpecification" in refused(dynamodb.create_table, **new, SSESpecification=encrypted)
    replica = [{"Create": {"RegionName": "eu-west-1"}}]
    assert "ReplicaUpdates" in refused(dynamodb.update_table, TableName=table, ReplicaUpdates=replica)
    assert "CreateBackup" in refused(dynamodb.create_backup, TableName=table, BackupName="backup")


def test_a_class_is_told(dynamodb, table):
    dynamodb.update_table(TableName=table, TableClass="STANDARD_INFREQUENT_ACCESS")
    wait_active(dynamodb, table)
    assert described(dynamodb, table)["TableClassSummary"]["TableClass"] == "STANDARD_INFREQUENT_ACCESS"


def test_tags(dynamodb, table):
    arn = arn_of(table)
    tags = lambda: {tag["Key"]: tag["Value"] for tag in dynamodb.list_tags_of_resource(ResourceArn=arn).get("Tags", [])}
    assert tags() == {}
    dynamodb.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
    dynamodb.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}])
    assert tags() == {"a": "2", "b": ""}
    dynamodb.untag_resource(ResourceArn=arn, TagKeys=["b", "none"])
    assert tags() == {"a": "2"}
    reserved = error_of(dynamodb.tag_resource, ResourceArn=arn, Tags=[{"Key": "aws:a", "Value": ""}])
    assert reserved == invalid("Tag Key cannot be prefixed with aws:, Key: aws:a")
    gone = error_of(dynamodb.list_tags_of_resource, ResourceArn=arn_of("nowhere"))
    assert gone[:2] == (400, "ResourceNotFoundException")


def test_what_clients_ask_of_every_table(dynamodb, table, server):
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert backups["ContinuousBackupsStatus"] == "ENABLED"
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"
    enabled = {"PointInTimeRecoveryEnabled": True}
    backups = dynamodb.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=enabled)
    shown = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert shown["PointInTimeRecoveryStatus"] == "ENABLED" and shown["RecoveryPeriodInDays"] == 35
    assert dynamodb.describe_limits()["TableMaxReadCapacityUnits"] == 40_000
    [endpoint] = dynamodb.describe_endpoints()["Endpoints"]
    assert endpoint["Address"].endswith(str(server.port)) and endpoint["CachePeriodInMinutes"] == 1440
    live = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert live == {"TimeToLiveStatus": "DISABLED"}


def test_tables_are_named_by_arns_too(dynamodb, table):
    arn = arn_of(table)
    put(dynamodb, arn, {"p": "a", "n": 1})
    assert get(dynamodb, arn, p="a") == {"p": "a", "n": 1} == get(dynamodb, table, p="a")
    assert described(dynamodb, arn)["TableArn"] == arn


def test_everything_outlives_restarts(new_server):
    server = new_server()
    dynamodb = server.client("dynamodb")
    make(
        dynamodb, "orders", {"p": "S", "s": "N", "g": "S"}, ("p", "s"),
        GlobalSecondaryIndexes=[index_of("by-g", "g", "s")], Tags=[{"Key": "a", "Value": "1"}],
    )
    dynamodb.update_time_to_live(
        TableName="orders", TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"}
    )
    items = [{"p": f"p{n % 5}", "s": n, "g": f"g{n % 3}", "list": [n, {"deep": {"x"}}]} for n in range(60)]
    put(dynamodb, "orders", *items)
    make(dynamodb, "gone")
    dynamodb.delete_table(TableName="gone")
    before = described(dynamodb, "orders")

    def found(**more):
        return sorted(scanned(dynamodb, "orders", **more), key=lambda found: found["s"])

    for end in (server.kill, server.stop, server.kill):
        end()
        server.start()
        assert described(dynamodb, "orders") == before
        assert dynamodb.list_tables()["TableNames"] == ["orders"]
        assert found() == items and found(IndexName="by-g") == items
        live = dynamodb.describe_time_to_live(TableName="orders")["TimeToLiveDescription"]
        assert live == {"TimeToLiveStatus": "ENABLED", "AttributeName": "until"}
        tags = dynamodb.list_tags_of_resource(ResourceArn=before["TableArn"])["Tags"]
        assert tags == [{"Key": "a", "Value": "1"}]
        items.append({"p": "new", "s": len(items), "g": "new", "list": []})
        put(dynamodb, "orders", items[-1])
        before = described(dynamodb, "orders")


def test_a_table_belongs_to_its_region(new_server):
    server = new_server()
    near, far = server.client("dynamodb"), server.client("dynamodb", region="eu-west-1")
    for dynamodb, place in ((near, "near"), (far, "far")):
        make(dynamodb, "trips")
        put(dynamodb, "trips", {"p": "a", "place": place})
    make(far, "only-far")
    for _ in range(2):
        assert near.list_tables()["TableNames"] == ["trips"]
        assert far.list_tables()["TableNames"] == ["only-far", "trips"]
        assert (get(near, "trips", p="a")["place"], get(far, "trips", p="a")["place"]) == ("near", "far")
        assert described(far, "trips")["TableArn"] == arn_of("trips", region="eu-west-1")
        server.restart()
    assert error_of(by(near.describe_table, "only-far")) == no_table("only-far")


def test_the_cli_and_the_dialect_of_the_protocol(server, table):
    server.aws("dynamodb", "put-item", "--table-name", table, "--item", json.dumps(item(p="cli", n=1)))
    found = server.aws("dynamodb", "get-item", "--table-name", table, "--key", json.dumps(item(p="cli")))
    assert plain(found["Item"]) == {"p": "cli", "n": 1}
    answer = raw(server, "GetItem", {"TableName": table, "Key": item(p="cli")})
    assert answer.headers["Content-Type"] == "application/x-amz-json-1.0" and answer.headers["x-amzn-RequestId"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        raw(server, "DescribeTable", {"TableName": "none"})
    body = json.load(refused.value)
    assert body["__type"].rpartition("#")[2] == "ResourceNotFoundException"
    assert body["message"] == "Requested resource not found: Table: none not found"


def raw(server, operation, body):
    """A signed request as it is on the wire."""
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"DynamoDB_20120810.{operation}"}
    request = botocore.awsrequest.AWSRequest("POST", server.endpoint + "/", headers, json.dumps(body))
    keys = botocore.credentials.Credentials("test", "test")
    botocore.auth.SigV4Auth(keys, "dynamodb", "us-east-1").add_auth(request)
    sent = urllib.request.Request(request.url, json.dumps(body).encode(), dict(request.headers))
    return urllib.request.urlopen(sent, timeout=10)


@pytest.mark.parametrize(
    "value, text",
    [
        ({"S": "a", "N": "1"}, "Supplied AttributeValue has more than one datatypes set, must contain exactly one of "
         "the supported datatypes"),
        ({}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
        ({"NULL": False}, "One or more parameter values were invalid: Null attribute value types must have the value "
         "of true"),
        ({"SS": []}, "One or more parameter values were invalid: An string set  may not be empty"),
        ({"SS": ["a", "a"]}, "One or more parameter values were invalid: Input collection [a, a] contains duplicates."),
        ({"N": ""}, "The parameter cannot be converted to a numeric value"),
        ({"N": "12x"}, "The parameter cannot be converted to a numeric value: 12x"),
    ],
)
def test_a_value_that_is_none(server, table, value, text):
    with pytest.raises(urllib.error.HTTPError) as refused:
        raw(server, "PutItem", {"TableName": table, "Item": {"p": {"S": "a"}, "x": value}})
    body = json.load(refused.value)
    code = body["__type"].rpartition("#")[2]
    assert (refused.value.code, code, body["message"]) == (400, "ValidationException", text)
