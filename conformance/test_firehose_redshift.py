"""Loading into a warehouse: a PostgreSQL, which each run starts and ends."""

import json

import pytest

from beside import ROLE, bucket, described, objects, put
from headwater import wait_for
from postgres import PASSWORD, USER, Postgres


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    postgres = Postgres(tmp_path_factory.mktemp("postgres"))
    yield postgres
    postgres.stop()


@pytest.fixture
def aws(client):
    return client("firehose"), client("s3")


def make(aws, name, postgres, copy, retry=60, password=PASSWORD, **more):
    firehose, s3 = aws
    s3.create_bucket(Bucket=name)
    settings = {
        "RoleARN": ROLE,
        "ClusterJDBCURL": f"jdbc:postgresql://127.0.0.1:{postgres.port}/postgres",
        "CopyCommand": copy,
        "Username": USER,
        "Password": password,
        "RetryOptions": {"DurationInSeconds": retry},
        "S3Configuration": bucket(name, **more),
    }
    firehose.create_delivery_stream(DeliveryStreamName=name, RedshiftDestinationConfiguration=settings)


@pytest.mark.parametrize(
    "table, options, compression, write",
    [
        ("as_json", "JSON 'auto' GZIP", "GZIP", lambda i, text: json.dumps({"text": text, "n": i, "more": [1]})),
        ("as_csv", "CSV", "UNCOMPRESSED", lambda i, text: f'{i},"{text}"\n'),
        ("as_lines", "DELIMITER '|' GZIP", "GZIP", lambda i, text: f"{i}|{text}\n"),
    ],
)
def test_rows_arrive_once(aws, name, postgres, table, options, compression, write):
    postgres.sql(f"create table {table} (n integer, text text, made text default 'by default')")
    copy = {"DataTableName": table, "DataTableColumns": "n, text", "CopyOptions": options}
    make(aws, name, postgres, copy, CompressionFormat=compression, Prefix="staged/")
    texts = [rf"ride {i} \ ü" for i in range(300)]
    put(aws[0], name, [write(i, text).encode() for i, text in enumerate(texts)])
    wait_for("all rows", lambda: postgres.sql(f"select count(*) from {table}") == ["300"])
    assert postgres.sql(f"select text from {table} order by n") == texts
    assert postgres.sql(f"select distinct made from {table}") == ["by default"]
    (manifest,) = [json.loads(body) for body in objects(aws[1], name, "staged/manifests/").values()]
    staged = set(objects(aws[1], name, "staged/2"))
    assert {entry["url"] for entry in manifest["entries"]} == {f"s3://{name}/{key}" for key in staged}
    assert objects(aws[1], name, "staged/errors/") == {}
    assert PASSWORD not in str(aws[0].describe_delivery_stream(DeliveryStreamName=name))
    assert described(aws[0], name, "RedshiftDestinationDescription")["Username"] == USER


@pytest.mark.parametrize(
    "copy, password, code",
    [
        ({"DataTableName": "nowhere", "CopyOptions": "CSV"}, PASSWORD, "Redshift.TableNotFound"),
        ({"DataTableName": "pg_class", "CopyOptions": "LZOP"}, PASSWORD, "Redshift.IncorrectCopyOptions"),
        ({"DataTableName": "nowhere", "CopyOptions": "CSV"}, "another", "Redshift.AuthenticationFailed"),
    ],
)
def test_what_cannot_be_loaded_is_listed(aws, name, client, postgres, copy, password, code):
    logs = client("logs")
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="errors")
    logging = {"Enabled": True, "LogGroupName": name, "LogStreamName": "errors"}
    make(aws, name, postgres, copy, retry=0, password=password, CloudWatchLoggingOptions=logging)
    put(aws[0], name, [b"1,2\n"])
    (body,) = wait_for("the manifest", lambda: objects(aws[1], name, "errors/manifests/")).values()
    (entry,) = json.loads(body)["entries"]
    key = entry["url"].removeprefix(f"s3://{name}/")
    assert entry["mandatory"] is True and objects(aws[1], name, key) == {key: b"1,2\n"}
    events = wait_for("the log line", lambda: logs.get_log_events(logGroupName=name, logStreamName="errors")["events"])
    assert json.loads(events[0]["message"])["errorCode"] == code


def test_a_warehouse_that_is_away_is_waited_for(aws, name, postgres):
    copy = {"DataTableName": "later", "CopyOptions": "CSV"}
    make(aws, name, postgres, copy, retry=600)
    put(aws[0], name, [b"1\n", b"2\n"])
    wait_for("the first attempt", lambda: objects(aws[1], name, "manifests/"))
    postgres.sql("create table later (n integer)")
    wait_for("both rows", lambda: postgres.sql("select n from later order by n") == ["1", "2"])
