"""docs/deliveries.md holds every member of the model to a test that sees what it does, or says that it is refused.

And what no other suite tries of them: what all destinations beside the bucket have in common, and all refusals.
"""

import fnmatch
import json
import re

import botocore.session
import pytest
from botocore.exceptions import ClientError

from beside import ROLE, SOON, bucket, objects, put, raw, wait_for_failures
from headwater import ROOT, wait_for
from receivers import HttpEndpoint, SearchCluster, SplunkCollector

TITLE = "## Every member, and who sees what it does"
# What updates call otherwise than configurations do.
OF_UPDATES = {
    "S3Update": "S3Configuration",
    "S3BackupUpdate": "S3BackupConfiguration",
    "S3DestinationUpdate": "S3DestinationConfiguration",
    "DestinationUpdate": "DestinationConfiguration",
}
NOT_OF_DESTINATIONS = {"DeliveryStreamName", "CurrentDeliveryStreamVersionId", "DestinationId"}


def leaves(shape, path=""):
    """The dotted names of all members of a structure that hold no other members."""
    if shape.type_name == "list":
        return leaves(shape.member, path) if shape.member.type_name in ("list", "structure") else {path}
    if shape.type_name != "structure":
        return {path}
    return {leaf for name, member in shape.members.items() for leaf in leaves(member, f"{path}.{name}" if path else name)}


def model(operation):
    service = botocore.session.get_session().get_service_model("firehose")
    return leaves(service.operation_model(operation).input_shape)


def table():
    """Rows: patterns of members, whether they are refused, and the names of tests."""
    lines = (ROOT / "docs/deliveries.md").read_text().split(TITLE)[1].split("\n## ")[0].splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| `")]
    code = lambda text: re.findall(r"`([^`]+)`", text)
    return [(code(members), what.startswith("refused"), code(tests)) for members, what, tests in rows]


def first_row(rows, member):
    matches = lambda row: any(fnmatch.fnmatchcase(member, pattern) for pattern in row[0])
    return next((number for number, row in enumerate(rows) if matches(row)), None)


def test_every_member_of_the_model_is_in_the_table():
    rows = table()
    found = {member: first_row(rows, member) for member in model("CreateDeliveryStream")}
    assert [member for member, row in found.items() if row is None] == []
    unused = [patterns for number, (patterns, _, _) in enumerate(rows) if number not in found.values()]
    assert unused == [], "rows for members that there are not"
    for patterns, _, _ in rows:
        for pattern in patterns:
            assert fnmatch.filter(found, pattern), f"no member is called {pattern}"


def test_updates_have_no_members_of_their_own():
    def as_configured(member):
        for update, configuration in OF_UPDATES.items():
            member = re.sub(rf"\b(\w*){update}\b", rf"\1{configuration}", member)
        return member

    updates = {as_configured(member) for member in model("UpdateDestination") - NOT_OF_DESTINATIONS}
    assert updates <= model("CreateDeliveryStream"), updates - model("CreateDeliveryStream")


def test_every_test_of_the_table_is_there():
    sources = [*ROOT.glob("conformance/test_*.py"), *ROOT.glob("crates/*/*/src/**/*.rs")]
    text = "\n".join(path.read_text() for path in sources)
    there = set(re.findall(r"^\s*(?:async )?(?:def|fn) (\w+)\(", text, re.MULTILINE))
    for members, _, tests in table():
        assert tests, members
        assert set(tests) <= there, f"{members}: {set(tests) - there}"


SECRETS = {"Enabled": True, "SecretARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:s", "RoleARN": ROLE}
VPC = {"SubnetIds": ["subnet-1"], "RoleARN": ROLE, "SecurityGroupIds": ["sg-1"]}
S3 = bucket("refused")
PLAIN = {"ExtendedS3DestinationConfiguration": S3}
NAMES = {"RoleARN": ROLE, "IndexName": "i", "S3Configuration": S3}
CLUSTER = {**NAMES, "ClusterEndpoint": "https://search.example.com"}
LOGGING = {"Enabled": True, "LogGroupName": "g", "LogStreamName": "s"}
KEPT = {**S3, "CloudWatchLoggingOptions": LOGGING}
WAREHOUSE = {
    "RoleARN": ROLE, "ClusterJDBCURL": "jdbc:postgresql://127.0.0.1:5432/d", "CopyCommand": {"DataTableName": "t"},
    "Username": "user", "Password": "password1", "S3Configuration": S3,
}  # fmt: skip
BLOOM = {
    "SchemaConfiguration": {"RoleARN": ROLE, "DatabaseName": "d", "TableName": "t"},
    "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
    "OutputFormatConfiguration": {"Serializer": {"OrcSerDe": {"BloomFilterColumns": ["c"]}}},
}
DATABASE = {
    "Type": "MySQL", "Endpoint": "db.example.com", "Port": 3306, "Databases": {"Include": ["d"]},
    "Tables": {"Include": ["d.t"]}, "SnapshotWatermarkTable": "d.w",
    "DatabaseSourceAuthenticationConfiguration": {"SecretsManagerConfiguration": SECRETS},
    "DatabaseSourceVPCConfiguration": {"VpcEndpointServiceName": "com.amazonaws.vpce.us-east-1.vpce-svc-00000000000000000"},
}  # fmt: skip
SNOWFLAKE = {
    "AccountUrl": "a.snowflakecomputing.com", "Database": "d", "Schema": "s", "Table": "t", "RoleARN": ROLE,
    "S3Configuration": S3,
}  # fmt: skip

REFUSED = {
    "DirectPutSourceConfiguration": {**PLAIN, "DirectPutSourceConfiguration": {"ThroughputHintInMBs": 5}},
    "MSKSourceConfiguration": {
        **PLAIN,
        "DeliveryStreamType": "MSKAsSource",
        "MSKSourceConfiguration": {
            "MSKClusterARN": "arn:aws:kafka:us-east-1:000000000000:cluster/c/1",
            "TopicName": "t",
            "AuthenticationConfiguration": {"RoleARN": ROLE, "Connectivity": "PUBLIC"},
        },
    },
    "DatabaseSourceConfiguration": {**PLAIN, "DeliveryStreamType": "DatabaseAsSource", "DatabaseSourceConfiguration": DATABASE},
    "SnowflakeDestinationConfiguration": {"SnowflakeDestinationConfiguration": SNOWFLAKE},
    "IcebergDestinationConfiguration": {
        "IcebergDestinationConfiguration": {
            "RoleARN": ROLE,
            "CatalogConfiguration": {"CatalogARN": "arn:aws:glue:us-east-1:000000000000:catalog"},
            "S3Configuration": S3,
        }
    },
    "HttpEndpointDestinationConfiguration.SecretsManagerConfiguration": {
        "HttpEndpointDestinationConfiguration": {
            "EndpointConfiguration": {"Url": "https://example.com"},
            "S3Configuration": S3,
            "SecretsManagerConfiguration": SECRETS,
        }
    },
    "SplunkDestinationConfiguration.SecretsManagerConfiguration": {
        "SplunkDestinationConfiguration": {
            "HECEndpoint": "https://splunk.example.com",
            "HECEndpointType": "Raw",
            "S3Configuration": S3,
            "SecretsManagerConfiguration": SECRETS,
        }
    },
    "RedshiftDestinationConfiguration.SecretsManagerConfiguration": {
        "RedshiftDestinationConfiguration": {**WAREHOUSE, "SecretsManagerConfiguration": SECRETS}
    },
    "RedshiftDestinationConfiguration.S3BackupConfiguration.CloudWatchLoggingOptions": {
        "RedshiftDestinationConfiguration": {**WAREHOUSE, "S3BackupMode": "Enabled", "S3BackupConfiguration": KEPT}
    },
    "AmazonopensearchserviceDestinationConfiguration.VpcConfiguration": {
        "AmazonopensearchserviceDestinationConfiguration": {**CLUSTER, "VpcConfiguration": VPC}
    },
    "ElasticsearchDestinationConfiguration.VpcConfiguration": {
        "ElasticsearchDestinationConfiguration": {**CLUSTER, "VpcConfiguration": VPC}
    },
    "AmazonOpenSearchServerlessDestinationConfiguration.VpcConfiguration": {
        "AmazonOpenSearchServerlessDestinationConfiguration": {
            **NAMES, "CollectionEndpoint": "https://search.example.com", "VpcConfiguration": VPC
        }
    },  # fmt: skip
    "AmazonopensearchserviceDestinationConfiguration.DomainARN": {
        "AmazonopensearchserviceDestinationConfiguration": {**NAMES, "DomainARN": "arn:aws:es:us-east-1:000000000000:domain/rides"}
    },
    "ElasticsearchDestinationConfiguration.DomainARN": {
        "ElasticsearchDestinationConfiguration": {**NAMES, "DomainARN": "arn:aws:es:us-east-1:000000000000:domain/rides"}
    },
    "ExtendedS3DestinationConfiguration.DataFormatConversionConfiguration.OutputFormatConfiguration.Serializer.OrcSerDe.BloomFilterColumns": {
        "ExtendedS3DestinationConfiguration": {**S3, "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 1}, "DataFormatConversionConfiguration": BLOOM}
    },
    "ExtendedS3DestinationConfiguration.S3BackupConfiguration.CloudWatchLoggingOptions": {
        "ExtendedS3DestinationConfiguration": {**S3, "S3BackupMode": "Enabled", "S3BackupConfiguration": KEPT}
    },
}


@pytest.mark.parametrize("member", REFUSED)
def test_what_is_not_done_is_refused_by_its_name(client, name, member):
    with pytest.raises(ClientError) as refused:
        client("firehose").create_delivery_stream(DeliveryStreamName=name, **REFUSED[member])
    error = refused.value.response["Error"]
    part = member.split(".")[-1]
    assert error["Code"] == "NotImplemented" and part in error["Message"], error


def test_all_that_the_table_calls_refused_is_refused():
    rows = table()
    members = [member for member in model("CreateDeliveryStream") if rows[first_row(rows, member)][1]]
    tried = lambda member: any(f"{member}.".startswith(f"{refused}.") for refused in REFUSED)
    assert [member for member in members if not tried(member)] == []
    assert members


BESIDE = {
    "http": (
        lambda: HttpEndpoint("key"),
        lambda url: ("HttpEndpointDestinationConfiguration", {"EndpointConfiguration": {"Url": url, "AccessKey": "key"}}),
        lambda receiver: receiver.records,
        "AllData",
    ),
    "splunk": (
        lambda: SplunkCollector("token"),
        lambda url: ("SplunkDestinationConfiguration", {"HECEndpoint": url, "HECEndpointType": "Raw", "HECToken": "token"}),
        lambda receiver: receiver.taken,
        "AllEvents",
    ),
    "opensearch": (
        SearchCluster,
        lambda url: (
            "AmazonopensearchserviceDestinationConfiguration",
            {"RoleARN": ROLE, "ClusterEndpoint": url, "IndexName": "i", "IndexRotationPeriod": "NoRotation"},
        ),
        lambda receiver: list(receiver.documents.values()),
        "AllDocuments",
    ),
}
KEY = "arn:aws:kms:us-east-1:000000000000:key/k"


def settings(name, kind, url, **more):
    member, own = BESIDE[kind][1](url)
    return {member: {**own, "BufferingHints": SOON, "RetryOptions": {"DurationInSeconds": 0}, **more}}


@pytest.mark.parametrize("kind", BESIDE)
def test_all_records_are_kept_as_they_came(client, name, kind):
    """S3BackupMode and the bucket's own settings, with a processor before the destination."""
    firehose, s3 = client("firehose"), client("s3")
    s3.create_bucket(Bucket=name)
    make, _, taken, mode = BESIDE[kind]
    delimiter = [{"ParameterName": "Delimiter", "ParameterValue": "\\n"}]
    processing = {"Enabled": True, "Processors": [{"Type": "AppendDelimiterToRecord", "Parameters": delimiter}]}
    kept = bucket(name, Prefix="kept/", CompressionFormat="GZIP", EncryptionConfiguration={"KMSEncryptionConfig": {"AWSKMSKeyARN": KEY}})
    with make().running() as receiver:
        more = {"S3BackupMode": mode, "S3Configuration": kept, "ProcessingConfiguration": processing}
        firehose.create_delivery_stream(DeliveryStreamName=name, **settings(name, kind, receiver.url, **more))
        put(firehose, name, [b'{"n":1}'])
        wait_for("the record", lambda: taken(receiver))
        assert taken(receiver) == ([{"n": 1}] if kind == "opensearch" else [b'{"n":1}\n'])
        (key,) = wait_for("the backup", lambda: objects(s3, name, "kept/"))
        assert key.endswith(".gz") and s3.head_object(Bucket=name, Key=key)["SSEKMSKeyId"] == KEY


@pytest.mark.parametrize("kind, logs_of", [*((kind, "destination") for kind in BESIDE), ("http", "bucket")])
def test_failures_are_logged_and_encrypted_where_that_is_configured(client, name, kind, logs_of):
    firehose, s3, logs = client("firehose"), client("s3"), client("logs")
    s3.create_bucket(Bucket=name)
    make = BESIDE[kind][0]
    logging = {"Enabled": True, "LogGroupName": f"/firehose/{name}", "LogStreamName": "errors"}
    logged = {"CloudWatchLoggingOptions": logging}
    encrypted = {"EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": KEY}}}
    failures = bucket(name, ErrorOutputPrefix="bad/", **encrypted, **(logged if logs_of == "bucket" else {}))
    with make().running() as receiver:
        url = receiver.url
    more = {"S3Configuration": failures, **(logged if logs_of == "destination" else {})}
    firehose.create_delivery_stream(DeliveryStreamName=name, **settings(name, kind, url, **more))
    put(firehose, name, [b'{"n":1}'])
    (line,) = wait_for_failures(s3, name, 1, "bad/")
    (key,) = objects(s3, name, "bad/")
    assert raw(line) == b'{"n":1}' and s3.head_object(Bucket=name, Key=key)["SSEKMSKeyId"] == KEY
    (event, *_) = wait_for("the log line", lambda: logs.filter_log_events(logGroupName=logging["LogGroupName"])["events"])
    assert json.loads(event["message"])["errorCode"] == line["errorCode"]
