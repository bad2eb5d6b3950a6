"""Layers through boto3: published, listed, given to functions, seen under /opt; answers as recorded on AWS by LocalStack."""

import base64
import hashlib
import json
import urllib.request

import pytest

from headwater import wait_for
from lambdas import ROLE, create, error_of, invoke, package

ACCOUNT = "arn:aws:lambda:us-east-1:000000000000"
GONE = (404, "ResourceNotFoundException", "The resource you requested does not exist.")
INVALID = "InvalidParameterValueException"
RUNTIMES = (
    "nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, python3.10, "
    "python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, java11, "
    "dotnet6, nodejs18.x, provided.al2, java8.al2"
)
PATTERN = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:"
    r"[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)"
)


@pytest.fixture
def lambda_(client):
    return client("lambda", read_timeout=120)


@pytest.fixture
def publish(lambda_, name):
    """Publishes versions of a layer that is named as the test is."""

    def publish(layer=name, files=None, **more):
        content = {"ZipFile": package(files or {"text": layer})}
        return lambda_.publish_layer_version(LayerName=layer, Content=content, **more)

    return publish


def shown(answer):
    return {name: value for name, value in answer.items() if name not in ("ResponseMetadata", "NextMarker")}


def test_a_layer_lives(lambda_, publish, name):
    zip = package({"text": name})
    wishes = {"CompatibleRuntimes": ["python3.12"], "CompatibleArchitectures": ["x86_64"]}
    first = publish(Description="d", LicenseInfo="MIT", **wishes)
    assert first["ResponseMetadata"]["HTTPStatusCode"] == 201
    arn = f"{ACCOUNT}:layer:{name}"
    content = first["Content"]
    assert shown(first) == {
        "Content": content,
        "LayerArn": arn,
        "LayerVersionArn": f"{arn}:1",
        "Description": "d",
        "CreatedDate": first["CreatedDate"],
        "Version": 1,
        "LicenseInfo": "MIT",
        **wishes,
    }
    assert content["CodeSize"] == len(zip)
    assert content["CodeSha256"] == base64.b64encode(hashlib.sha256(zip).digest()).decode()
    assert first["CreatedDate"].endswith("+0000")
    with urllib.request.urlopen(content["Location"]) as answer:
        assert answer.read() == zip

    by_number = lambda_.get_layer_version(LayerName=name, VersionNumber=1)
    by_arn = lambda_.get_layer_version_by_arn(Arn=f"{arn}:1")
    for found in (by_number, by_arn, lambda_.get_layer_version(LayerName=arn, VersionNumber=1)):
        assert found["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert {**shown(found), "Content": None} == {**shown(first), "Content": None}
    second = publish()
    assert second["Version"] == 2 and second["Description"] == "" and "CompatibleRuntimes" not in second

    listed = lambda_.list_layer_versions(LayerName=name)["LayerVersions"]
    assert [version["Version"] for version in listed] == [2, 1]
    assert listed[1] == {k: v for k, v in shown(first).items() if k not in ("Content", "LayerArn")}
    page = lambda_.list_layer_versions(LayerName=name, MaxItems=1)
    rest = lambda_.list_layer_versions(LayerName=name, Marker=page["NextMarker"])
    assert [v["Version"] for v in page["LayerVersions"] + rest["LayerVersions"]] == [2, 1]
    pages = lambda_.get_paginator("list_layers").paginate(CompatibleRuntime="python3.12")
    (layer,) = [layer for page in pages for layer in page["Layers"] if layer["LayerName"] == name]
    assert (layer["LayerArn"], layer["LatestMatchingVersion"]["Version"]) == (arn, 1)

    for number in (1, 2, 2, 9):
        deleted = lambda_.delete_layer_version(LayerName=name, VersionNumber=number)
        assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert lambda_.list_layer_versions(LayerName=name)["LayerVersions"] == []
    assert error_of(lambda: lambda_.get_layer_version(LayerName=name, VersionNumber=1)) == GONE
    assert publish()["Version"] == 3, "numbers go on"


def test_layers_are_listed_by_their_names(lambda_, publish, name):
    names = [f"{name}_b", f"{name}-b", name, f"{name}b"]
    for layer in names:
        publish(layer=layer)
    pages = lambda_.get_paginator("list_layers").paginate(PaginationConfig={"PageSize": 1})
    listed = [layer["LayerName"] for page in pages for layer in page["Layers"]]
    assert [layer for layer in listed if layer in names] == sorted(names)


def test_a_layer_may_come_out_of_a_bucket(client, lambda_, name):
    s3 = client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="layer.zip", Body=package({"a": "b"}))
    made = lambda_.publish_layer_version(LayerName=name, Content={"S3Bucket": name, "S3Key": "layer.zip"})
    assert made["Version"] == 1 and "CompatibleArchitectures" not in made
    refused = error_of(
        lambda: lambda_.publish_layer_version(LayerName=name, Content={"S3Bucket": name, "S3Key": "none"})
    )
    assert refused[1] == INVALID and "NoSuchKey" in refused[2]


def test_what_is_wrong_has_awss_words(lambda_, publish, name):
    empty = publish(CompatibleRuntimes=[], CompatibleArchitectures=[])
    assert empty["CompatibleRuntimes"] == empty["CompatibleArchitectures"] == []
    one = "1 validation error detected: "
    for runtimes, architectures in (
        (["invalidruntime"], ["invalidarch"]),
        (["invalidruntime", "invalidruntime2", "nodejs20.x"], ["invalidarch", "x86_64"]),
    ):
        text = (
            f"2 validation errors detected: Value '[{', '.join(runtimes)}]' at 'compatibleRuntimes' failed to satisfy "
            f"constraint: Member must satisfy enum value set: [{RUNTIMES}]; Value '[{', '.join(architectures)}]' at "
            "'compatibleArchitectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy "
            "enum value set: [x86_64, arm64], Member must not be null]"
        )
        wrong = {"CompatibleRuntimes": runtimes, "CompatibleArchitectures": architectures}
        assert error_of(lambda wrong=wrong: publish(**wrong)) == (400, "ValidationException", text)
    refused = error_of(lambda: lambda_.list_layers(CompatibleRuntime="runtimedoesnotexist"))
    start = (
        f"{one}Value 'runtimedoesnotexist' at 'compatibleRuntime' failed to satisfy constraint: Member must satisfy enum "
        "value set: [ruby3.5, ruby2.6, "
    )
    assert refused[1] == "ValidationException" and refused[2].startswith(start)
    refused = error_of(lambda: lambda_.list_layers(CompatibleArchitecture="archdoesnotexist"))
    assert refused[2] == (
        f"{one}Value 'archdoesnotexist' at 'compatibleArchitecture' failed to satisfy constraint: Member must satisfy "
        "enum value set: [x86_64, arm64]"
    )
    assert lambda_.list_layer_versions(LayerName=f"{name}-none")["LayerVersions"] == []
    less = (400, INVALID, "Layer Version Cannot be less than 1")
    for call in (lambda_.get_layer_version, lambda_.delete_layer_version):
        for number in (-1, 0):
            assert error_of(lambda call=call, number=number: call(LayerName=name, VersionNumber=number)) == less
    for layer, number in ((f"{name}-none", 1), (name, 2)):
        assert error_of(lambda l=layer, n=number: lambda_.get_layer_version(LayerName=l, VersionNumber=n)) == GONE
    arn = empty["LayerArn"]
    refused = error_of(lambda: lambda_.get_layer_version_by_arn(Arn=arn))
    text = (
        f"{one}Value '{arn}' at 'arn' failed to satisfy constraint: Member must satisfy regular expression pattern: "
        f"{PATTERN}"
    )
    assert refused == (400, "ValidationException", text)
    assert error_of(lambda: lambda_.get_layer_version_by_arn(Arn=f"{arn}:9")) == GONE
    elsewhere = arn.replace("000000000000", "111111111111")
    assert error_of(lambda: lambda_.get_layer_version_by_arn(Arn=f"{elsewhere}:1"))[:2] == (403, "AccessDeniedException")
    broken = lambda_.publish_layer_version
    refused = error_of(lambda: broken(LayerName=name, Content={"ZipFile": b"no zip"}))
    assert refused[1] == INVALID and refused[2].startswith("Could not unzip uploaded file.")


def test_a_policy_lives(lambda_, publish, name):
    publish()
    at = {"LayerName": name, "VersionNumber": 1}
    give = {"Action": "lambda:GetLayerVersion", "Principal": "*", "StatementId": "s1"}
    none = (404, "ResourceNotFoundException", "No policy is associated with the given resource.")
    assert error_of(lambda: lambda_.get_layer_version_policy(**at)) == none
    added = lambda_.add_layer_version_permission(**at, **give)
    arn = f"{ACCOUNT}:layer:{name}:1"
    statement = {
        "Sid": "s1",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "lambda:GetLayerVersion",
        "Resource": arn,
    }
    assert added["ResponseMetadata"]["HTTPStatusCode"] == 201 and json.loads(added["Statement"]) == statement
    found = lambda_.get_layer_version_policy(**at)
    assert found["RevisionId"] == added["RevisionId"]
    assert json.loads(found["Policy"]) == {"Version": "2012-10-17", "Id": "default", "Statement": [statement]}

    def add(**more):
        return error_of(lambda: lambda_.add_layer_version_permission(**{**at, **give, **more}))

    def remove(**more):
        return error_of(lambda: lambda_.remove_layer_version_permission(**{**at, "StatementId": "s1", **more}))

    text = (
        "1 validation error detected: Value '*' at 'action' failed to satisfy constraint: Member must satisfy regular "
        "expression pattern: lambda:GetLayerVersion"
    )
    assert add(Action="*") == (400, "ValidationException", text)
    text = (
        "The statement id (s1) provided already exists. Please provide a new statement id, or remove the existing "
        "statement."
    )
    assert add() == (409, "ResourceConflictException", text)
    text = (
        "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve the "
        "latest Revision Id"
    )
    stale = (412, "PreconditionFailedException", text)
    assert add(StatementId="s2", RevisionId="wrong") == stale and remove(RevisionId="wrong") == stale
    for where in ({"LayerName": f"{name}-none"}, {"VersionNumber": 2}):
        missing = f"{ACCOUNT}:layer:{where.get('LayerName', name)}:{where.get('VersionNumber', 1)}"
        gone = (404, "ResourceNotFoundException", f"Layer version {missing} does not exist.")
        get = error_of(lambda where=where: lambda_.get_layer_version_policy(**{**at, **where}))
        assert add(**where) == remove(**where) == get == gone
    text = "Statement doesnotexist is not found in resource policy."
    assert remove(StatementId="doesnotexist") == (404, "ResourceNotFoundException", text)
    second = lambda_.add_layer_version_permission(**at, **{**give, "StatementId": "s2", "Principal": "111111111111"})
    assert json.loads(second["Statement"])["Principal"] == {"AWS": "arn:aws:iam::111111111111:root"}
    removed = lambda_.remove_layer_version_permission(**at, StatementId="s2", RevisionId=second["RevisionId"])
    assert removed["ResponseMetadata"]["HTTPStatusCode"] == 204
    left = lambda_.get_layer_version_policy(**at)
    assert json.loads(left["Policy"])["Statement"] == [statement] and left["RevisionId"] != second["RevisionId"]


def test_layers_of_a_function_are_checked_as_on_aws(lambda_, publish, name):
    versions = [publish()["LayerVersionArn"] for _ in range(3)]
    create(lambda_, name, {"index.py": "def handler(e, c): return 1"})

    def refused(*layers):
        return error_of(lambda: lambda_.update_function_configuration(FunctionName=name, Layers=list(layers)))

    for layers in (versions[:2], versions, [versions[0], versions[0]]):
        text = (
            "Two different versions of the same layer are not allowed to be referenced in the same function. "
            f"{layers[0]} and {layers[1]} are versions of the same layer."
        )
        assert refused(*layers) == (400, INVALID, text)
    for missing in (f"{ACCOUNT}:layer:doesnotexist:1", f"{ACCOUNT}:layer:{name}:9"):
        assert refused(missing) == (400, INVALID, f"Layer version {missing} does not exist.")
    bare = f"{ACCOUNT}:layer:{name}"
    text = (
        f"1 validation error detected: Value '[{bare}]' at 'layers' failed to satisfy constraint: Member must satisfy "
        "constraint: [Member must have length less than or equal to 2048, Member must have length greater than or equal "
        f"to 1, Member must satisfy regular expression pattern: {PATTERN}, Member must not be null]"
    )
    assert refused(bare) == (400, "ValidationException", text)
    text = "Layers are not in the same region as the function. Layers are expected to be in region us-east-1."
    assert refused(versions[0].replace("us-east-1", "eu-west-1")) == (400, INVALID, text)
    assert refused(versions[0].replace("000000000000", "111111111111"))[:2] == (403, "AccessDeniedException")
    six = [publish(layer=f"{name}-{n}")["LayerVersionArn"] for n in range(6)]
    assert refused(*six) == (400, INVALID, "Cannot reference more than 5 layers.")
    with_six = {"FunctionName": f"{name}-6", "Runtime": "python3.12", "Handler": "index.handler", "Role": ROLE}
    code = {"ZipFile": package({"index.py": ""})}
    assert error_of(lambda: lambda_.create_function(**with_six, Code=code, Layers=six))[2].startswith("Cannot reference")


def test_a_function_sees_its_layers_and_keeps_them(lambda_, publish, name):
    version = publish(files={"python/greeting.py": "TEXT = 'hello'", "text": "of the layer"})
    # The layer is at /opt where the machine lets it be mounted there, which the functions crate tests.
    code = "import greeting, os\nTEXT = greeting.__file__.replace('python/greeting.py', 'text')\n"
    code += "def handler(e, c): return [greeting.TEXT, open(TEXT).read()]"
    made = create(lambda_, name, {"index.py": code}, Layers=[version["LayerVersionArn"]])
    layers = [{"Arn": version["LayerVersionArn"], "CodeSize": version["Content"]["CodeSize"]}]
    assert made["Layers"] == layers
    assert invoke(lambda_, name) == ["hello", "of the layer"]
    lambda_.delete_layer_version(LayerName=name, VersionNumber=1)
    assert lambda_.get_function_configuration(FunctionName=name)["Layers"] == layers
    assert lambda_.get_function(FunctionName=name)["Configuration"]["Layers"] == layers
    published = lambda_.publish_version(FunctionName=name)
    assert published["Layers"] == layers
    changed = lambda_.update_function_configuration(FunctionName=name, Layers=[])
    assert "Layers" not in changed
    lambda_.get_waiter("function_updated_v2").wait(FunctionName=name)
    failed = lambda_.invoke(FunctionName=name)
    assert "No module named 'greeting'" in json.load(failed["Payload"])["errorMessage"]
    assert invoke(lambda_, f"{name}:1") == ["hello", "of the layer"]


def test_layers_outlive_kills(new_server):
    server = new_server()
    lambda_ = server.client("lambda", read_timeout=120)
    content = {"ZipFile": package({"python/of.py": "OF = 7"})}
    version = lambda_.publish_layer_version(LayerName="l", Content=content)["LayerVersionArn"]
    create(lambda_, "f", {"index.py": "import of\ndef handler(e, c): return of.OF"}, Layers=[version])
    lambda_.delete_layer_version(LayerName="l", VersionNumber=1)
    server.restart()
    assert wait_for("an answer", lambda: invoke(lambda_, "f")) == 7
    assert lambda_.publish_layer_version(LayerName="l", Content=content)["Version"] == 2


def test_a_package_of_names_alone_is_refused(lambda_, name):
    deep = package({f"{n}{'/d' * 1000}/file": "" for n in range(200)})
    refused = error_of(lambda: lambda_.publish_layer_version(LayerName=name, Content={"ZipFile": deep}))
    assert refused[1] == INVALID and "more than 65535 files" in refused[2]
