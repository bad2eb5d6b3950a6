"""Delivery streams through boto3, setting by setting: what each does to what arrives."""

import base64
import csv
import datetime
import gzip
import io
import json
import re
import struct
import zipfile
import zoneinfo
from collections import Counter, defaultdict
from decimal import Decimal

import cramjam
import pyarrow.orc
import pyarrow.parquet
import pytest

import pipeline
from faults import FaultyStore
from headwater import Server, wait_for
from test_firehose import ACCOUNT, HOURS, ROLE, UUID, Account, destination, refusal, zipped

ERRORS = "errors/!{firehose:error-output-type}/"
LARGE = {"SizeInMBs": 64, "IntervalInSeconds": 1}


@pytest.fixture(scope="module")
def account(client):
    return Account(client)


def processor(kind, **parameters):
    listed = [{"ParameterName": name, "ParameterValue": value} for name, value in parameters.items()]
    return {"Type": kind, **({"Parameters": listed} if listed else {})}


def query(text):
    return processor("MetadataExtraction", MetadataExtractionQuery=text, JsonParsingEngine="JQ-1.6")


def processing(*processors):
    return {"Enabled": True, "Processors": list(processors)}


def partitioned(prefix, *processors, **more):
    return {
        "Prefix": prefix,
        "ErrorOutputPrefix": ERRORS,
        "BufferingHints": LARGE,
        "DynamicPartitioningConfiguration": {"Enabled": True, "RetryOptions": {"DurationInSeconds": 300}},
        "ProcessingConfiguration": processing(*processors),
        **more,
    }


def put(account, name, records):
    for start in range(0, len(records), 500):
        batch = [{"Data": record} for record in records[start : start + 500]]
        assert account.firehose.put_record_batch(DeliveryStreamName=name, Records=batch)["FailedPutCount"] == 0


def bodies(s3, bucket, prefix=""):
    found = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            found[entry["Key"]] = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
    return found


def delivered(account, bucket, enough, seconds=60):
    """All objects of a bucket, once `enough` says so of them."""

    def found():
        objects = bodies(account.s3, bucket)
        return objects if enough(objects) else None

    return wait_for(f"delivery into {bucket}", found, seconds=seconds)


def failed(objects):
    """The originals of what failed, by the kind of error, with code and text."""
    kinds = defaultdict(list)
    for key, body in objects.items():
        if key.startswith("errors/"):
            for line in body.splitlines():
                line = json.loads(line)
                code = (line.get("errorCode"), line.get("errorMessage"))
                kinds[key.split("/")[1]].append((base64.b64decode(line["rawData"]), *code))
    return kinds


def unzip(body):
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        (only,) = archive.namelist()
        return archive.read(only)


def hadoop(body):
    """Hadoop's block format: lengths of what is in a block and of its one piece, then the piece."""
    out, at = b"", 0
    while at < len(body):
        whole, piece = struct.unpack_from(">II", body, at)
        data = bytes(cramjam.snappy.decompress_raw(body[at + 8 : at + 8 + piece]))
        assert len(data) == whole
        out, at = out + data, at + 8 + piece
    return out


def snappy_java(body):
    """snappy-java's format: a head with its versions, then blocks, each behind its length."""
    assert body[:16] == b"\x82SNAPPY\0" + struct.pack(">II", 1, 1)
    out, at = b"", 16
    while at < len(body):
        (length,) = struct.unpack_from(">I", body, at)
        out += bytes(cramjam.snappy.decompress_raw(body[at + 4 : at + 4 + length]))
        at += 4 + length
    return out


@pytest.mark.parametrize(
    "format, extension, encoding, unpack",
    [
        ("GZIP", ".gz", "gzip", gzip.decompress),
        ("ZIP", ".zip", "zip", unzip),
        ("Snappy", ".snappy", "snappy-java", snappy_java),
        ("HADOOP_SNAPPY", ".snappy", "hadoop-snappy", hadoop),
    ],
)
def test_other_software_unpacks_what_is_compressed(account, name, format, extension, encoding, unpack):
    account.direct(name, CompressionFormat=format, BufferingHints={"SizeInMBs": 5, "IntervalInSeconds": 1})
    whole = b"".join(b"%07d " % i * 100 + b"\n" for i in range(2000))
    put(account, name, [whole[i : i + 100_000] for i in range(0, len(whole), 100_000)])
    size = lambda objects: sum(len(unpack(body)) for body in objects.values())
    found = delivered(account, name, lambda objects: size(objects) == len(whole))
    assert b"".join(unpack(found[key]) for key in sorted(found, key=lambda key: unpack(found[key]))) == whole
    assert all(re.fullmatch(rf"{HOURS}{name}-1-[-\d]{{20}}{UUID}\{extension}", key) for key in found)
    assert sum(map(len, found.values())) < len(whole) / 3
    heads = [account.s3.head_object(Bucket=name, Key=key) for key in found]
    assert {head["ContentEncoding"] for head in heads} == {encoding}


def test_a_file_extension_takes_the_place_of_the_compressions(account, name):
    account.direct(name, CompressionFormat="GZIP", FileExtension=".jsonl.gz")
    put(account, name, [b"{}\n"])
    (key,) = delivered(account, name, len)
    assert key.endswith(".jsonl.gz")


def test_times_in_names_are_those_of_the_time_zone(account, name):
    hour = lambda: datetime.datetime.now(zoneinfo.ZoneInfo("Asia/Kolkata")).strftime("%Y-%m-%dT%H")
    before = hour()
    account.direct(name, Prefix="!{timestamp:yyyy-MM-dd'T'HH}/", ErrorOutputPrefix="errors/", CustomTimeZone="Asia/Kolkata")
    put(account, name, [b"{}\n"])
    (key,) = delivered(account, name, len)
    assert key.split("/")[0] in (before, hour())


def test_objects_are_encrypted_under_the_key_that_is_named(account, name):
    keys = {name: f"arn:aws:kms:us-east-1:{ACCOUNT}:key/data", f"{name}-backup": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/raw"}
    none = {"NoEncryptionConfig": "NoEncryption"}
    kms = {bucket: {"KMSEncryptionConfig": {"AWSKMSKeyARN": key}} for bucket, key in keys.items()}
    account.s3.create_bucket(Bucket=f"{name}-backup")
    account.reading(
        name,
        ErrorOutputPrefix="errors/",
        EncryptionConfiguration=kms[name],
        ProcessingConfiguration=account.transformer(name),
        S3BackupMode="Enabled",
        S3BackupConfiguration=destination(f"{name}-backup", EncryptionConfiguration=kms[f"{name}-backup"]),
    )

    def described():
        (found,) = account.firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]["Destinations"]
        extended = found["ExtendedS3DestinationDescription"]
        return extended["EncryptionConfiguration"], extended["S3BackupDescription"]["EncryptionConfiguration"]

    def encryption(bucket, key):
        head = account.s3.head_object(Bucket=bucket, Key=key)
        return head.get("ServerSideEncryption"), head.get("SSEKMSKeyId")

    assert described() == (kms[name], kms[f"{name}-backup"])
    account.put(name, [b"keep\n", b"fail\n"])
    for bucket, count in ((name, 2), (f"{name}-backup", 1)):
        found = delivered(account, bucket, lambda objects: len(objects) >= count)
        assert {encryption(bucket, key) for key in found} == {("aws:kms", keys[bucket])}
    before = set(bodies(account.s3, name))
    assert any(key.startswith("errors/") for key in before)

    account.firehose.update_destination(
        DeliveryStreamName=name,
        CurrentDeliveryStreamVersionId="1",
        DestinationId="destinationId-000000000001",
        ExtendedS3DestinationUpdate={"EncryptionConfiguration": none},
    )
    assert described() == (none, kms[f"{name}-backup"])
    account.put(name, [b"keep\n"])
    found = delivered(account, name, lambda objects: len(objects) > len(before))
    assert {encryption(name, key) for key in set(found) - before} == {("AES256", None)}


@pytest.mark.alone
def test_nothing_is_buffered_with_an_interval_of_zero(account, name):
    account.direct(name, BufferingHints={"SizeInMBs": 5, "IntervalInSeconds": 0})
    put(account, name, [b"at once\n"])
    assert list(delivered(account, name, len, seconds=5).values()) == [b"at once\n"]


def test_records_are_partitioned_by_a_query(account, name):
    account.direct(
        name,
        **partitioned(
            "b=!{partitionKeyFromQuery:b}/y=!{partitionKeyFromQuery:y}/",
            processor("AppendDelimiterToRecord", Delimiter="\\n"),
            query('{b: .borough, y: .time | strftime("%Y")}'),
            CompressionFormat="GZIP",
        ),
    )
    trips = [{"n": i, "borough": ["Queens", "Bronx", "EWR"][i % 3], "time": 1514764800 + i % 2 * 40_000_000} for i in range(300)]
    put(account, name, [json.dumps(trip).encode() for trip in trips] + [b"no json", b'{"borough": "", "time": 1}'])
    data = lambda objects: {key: body for key, body in objects.items() if key.startswith("b=")}
    count = lambda objects: sum(len(gzip.decompress(body).splitlines()) for body in data(objects).values())
    found = delivered(account, name, lambda objects: count(objects) == 300 and sum(map(len, failed(objects).values())) == 2)
    for key, body in data(found).items():
        borough, year = re.fullmatch(rf"b=(\w+)/y=(\d+)/{name}-1-[-\d]{{20}}{UUID}\.gz", key).groups()
        for line in map(json.loads, gzip.decompress(body).splitlines()):
            assert (line["borough"], str(2018 + line["n"] % 2)) == (borough, year)
    code = "DynamicPartitioning.MetadataExtractionFailed"
    assert sorted(failed(found)["metadata-extraction-failed"]) == [
        (b"no json", code, "Non JSON record provided"),
        (b'{"borough": "", "time": 1}', code, "partitionKeys values must not be null or empty"),
    ]


class OnePrefixRefused(FaultyStore):
    """A store that stores what is put under a prefix, and says that it has not."""

    def fault(self, method, path):
        return "stored and denied" if method == "PUT" and path.startswith(self.prefix) else None


def test_a_partition_that_cannot_be_put_counts_as_failed_after_its_retry_duration(new_server, tmp_path):
    backend = Server(tmp_path / "store").start()
    store = OnePrefixRefused(("127.0.0.1", backend.port), "/lake/p%3Dbad/", 0)
    try:
        account = Account(new_server("--objects", "s3", "--objects-endpoint-url", store.endpoint).client)
        settings = partitioned("p=!{partitionKeyFromQuery:p}/", query("{p: .p}"))
        settings["DynamicPartitioningConfiguration"]["RetryOptions"] = {"DurationInSeconds": 2}
        account.direct("lake", **settings)
        records = {p: b'{"p": "%s"}' % p.encode() for p in ("good", "bad")}
        put(account, "lake", list(records.values()))
        found = delivered(account, "lake", lambda objects: len(objects) == 2 and failed(objects))
        ((code, record, text),) = [(code, record, text) for record, code, text in failed(found)["processing-failed"]]
        assert (code, record) == ("S3.InternalServerError", records["bad"]) and text
        assert [body for key, body in found.items() if key.startswith("p=")] == [records["good"]]
        (line,) = [json.loads(body) for key, body in found.items() if key.startswith("errors/")]
        assert line["attemptsMade"] > 1 and line["attemptEndingTimestamp"] - line["arrivalTimestamp"] > 2000
    finally:
        store.close()
        backend.kill()


class SecondPartHangs(FaultyStore):
    """A store that stores the second part of an upload, and gives no answer while it is not honest."""

    def fault(self, method, path):
        return "hung" if not self.is_honest and method == "PUT" and "partNumber=2" in path else None


def test_parts_of_an_object_that_was_cut_short_by_a_death_are_removed(new_server, tmp_path):
    backend = Server(tmp_path / "store").start()
    store = SecondPartHangs(("127.0.0.1", backend.port), "/lake/", 0)
    try:
        server = new_server("--limits", "off", "--objects", "s3", "--objects-endpoint-url", store.endpoint)
        Account(server.client).direct("lake", BufferingHints={"SizeInMBs": 24, "IntervalInSeconds": 60})
        for _ in range(7):
            put(Account(server.client), "lake", [bytes(1_000_000)] * 4)
        s3 = backend.client("s3")
        uploads = lambda: s3.list_multipart_uploads(Bucket="lake").get("Uploads", [])
        wait_for("an upload", uploads)
        server.kill()
        store.be_honest()
        server.start()
        (body,) = delivered(Account(server.client), "lake", len).values()
        assert len(body) == 26_000_000 and uploads() == []
    finally:
        store.close()
        backend.kill()


def test_records_wait_while_there_is_no_bucket_for_failures_either(account, client, name):
    logging = {"Enabled": True, "LogGroupName": f"/firehose/{name}", "LogStreamName": "errors"}
    logs = client("logs")

    def codes():
        events = logs.filter_log_events(logGroupName=logging["LogGroupName"])["events"]
        return {json.loads(event["message"])["errorCode"] for event in events}

    settings = partitioned("p=!{partitionKeyFromQuery:p}/", query("{p: .p}"))
    settings["DynamicPartitioningConfiguration"]["RetryOptions"] = {"DurationInSeconds": 0}
    account.direct(name, CloudWatchLoggingOptions=logging, **settings)
    logs.create_log_group(logGroupName=logging["LogGroupName"])
    account.s3.delete_bucket(Bucket=name)
    put(account, name, [b'{"p": 1}'])
    wait_for("a failure", lambda: "S3.NoSuchBucket" in codes())
    account.s3.create_bucket(Bucket=name)
    found = delivered(account, name, len)
    assert list(found.values()) == [b'{"p": 1}'] and not failed(found)


def test_partitions_over_the_limit_go_to_the_error_prefix(account, name):
    account.direct(name, **partitioned("!{partitionKeyFromQuery:n}/", query("{n: .n}")))
    put(account, name, [json.dumps({"n": i}).encode() for i in range(500)])
    account.firehose.put_record_batch(DeliveryStreamName=name, Records=[{"Data": b'{"n": %d}' % i} for i in range(500, 510)])
    found = delivered(account, name, lambda objects: len(objects) >= 501, seconds=120)
    data = {key: body for key, body in found.items() if not key.startswith("errors/")}
    over = failed(found)["activePartitionExceeded"]
    # All in one batch, or in two that have their own limits.
    assert len(data) + len(over) == 510
    assert all(json.loads(body)["n"] == int(key.split("/")[0]) for key, body in data.items())
    assert {(code, text) for _, code, text in over} <= {
        (
            "DynamicPartitioning.ActivePartitionLimitExceeded",
            "The number of active partitions has exceeded the configured limit",
        )
    }


@pytest.mark.parametrize(
    "how, records",
    [
        ({"SubRecordType": "JSON"}, [b'{"k": "a", "n": 1}{"k": "b", "n": 2}\n{"k": "a", "n": 3}']),
        (
            {"SubRecordType": "DELIMITED", "Delimiter": base64.b64encode(b"####").decode()},
            [b'{"k": "a", "n": 1}####{"k": "b", "n": 2}####{"k": "a", "n": 3}'],
        ),
    ],
)
def test_records_are_taken_apart(account, name, how, records):
    taken_apart = processor("RecordDeAggregation", **how)
    delimiter = processor("AppendDelimiterToRecord")
    account.direct(name, **partitioned("!{partitionKeyFromQuery:k}/", query("{k: .k}"), delimiter, taken_apart))
    put(account, name, records)
    found = delivered(account, name, lambda objects: len(objects) == 2)
    by_key = {key.split("/")[0]: [json.loads(line)["n"] for line in body.splitlines()] for key, body in found.items()}
    assert by_key == {"a": [1, 3], "b": [2]}


KEYED = """
import base64, json

def handler(event, context):
    def keyed(record):
        n = int(base64.b64decode(record["data"]))
        keys = {"parity": "odd" if n % 2 else "even"} if n else {}
        return {**record, "result": "Ok", "metadata": {"partitionKeys": keys}}
    return {"records": [keyed(record) for record in event["records"]]}
"""


def test_records_are_partitioned_by_a_functions_keys(account, name):
    arn = account.functions.create_function(
        FunctionName=name, Runtime="python3.12", Role=ROLE, Handler="handler.handler", Code={"ZipFile": zipped(KEYED)}
    )["FunctionArn"]
    account.direct(
        name,
        **partitioned("p=!{partitionKeyFromLambda:parity}/", processor("Lambda", LambdaArn=arn), processor("AppendDelimiterToRecord")),
    )
    put(account, name, [b"%d" % i for i in range(100)])
    found = delivered(account, name, lambda objects: sum(len(body.splitlines()) for body in objects.values()) == 100)
    for key, body in found.items():
        if key.startswith("p="):
            assert {int(line) % 2 for line in body.splitlines()} == {key.startswith("p=odd")}
    (lacking,) = failed(found)["metadata-extraction-failed"]
    assert lacking[0] == b"0"


def test_logs_are_unpacked_and_their_messages_taken(account, name):
    account.direct(
        name,
        ProcessingConfiguration=processing(
            processor("CloudWatchLogProcessing", DataMessageExtraction="true"),
            processor("Decompression", CompressionFormat="GZIP"),
        ),
    )
    events = [{"id": str(i), "timestamp": i, "message": f"message {i}"} for i in range(3)]
    data = {"messageType": "DATA_MESSAGE", "owner": ACCOUNT, "logGroup": "g", "logStream": "s", "logEvents": events}
    control = {**data, "messageType": "CONTROL_MESSAGE"}
    put(account, name, [gzip.compress(json.dumps(record).encode()) for record in (control, data)] + [b"plain"])
    found = delivered(account, name, lambda objects: len(objects) == 2)
    bad, good = sorted(found.items(), key=lambda item: not item[0].startswith("processing-failed/"))
    assert good[1] == b"message 0\nmessage 1\nmessage 2\n"
    assert json.loads(bad[1])["errorCode"] == "Decompression.Failed"


def test_records_are_kept_as_they_came(account, name):
    backup = f"{name}-backup"
    account.s3.create_bucket(Bucket=backup)
    account.reading(
        name,
        ProcessingConfiguration=account.transformer(name),
        S3BackupMode="Enabled",
        S3BackupConfiguration=destination(backup, Prefix="raw/", CompressionFormat="GZIP"),
    )
    records = [b"keep %d\n" % i for i in range(50)] + [b"drop\n", b"fail\n"]
    account.put(name, records)
    lines = lambda objects: [line for body in objects.values() for line in gzip.decompress(body).splitlines(keepends=True)]
    found = delivered(account, backup, lambda objects: len(lines(objects)) == 52)
    assert sorted(lines(found)) == sorted(records)
    assert all(re.fullmatch(rf"raw/{HOURS}{name}-1-[-\d]{{20}}{UUID}\.gz", key) for key in found)
    described = account.firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
    s3 = described["Destinations"][0]["ExtendedS3DestinationDescription"]
    assert s3["S3BackupMode"] == "Enabled" and s3["S3BackupDescription"]["Prefix"] == "raw/"
    code, text = refusal(
        account.firehose.update_destination,
        DeliveryStreamName=name,
        CurrentDeliveryStreamVersionId="1",
        DestinationId="destinationId-000000000001",
        ExtendedS3DestinationUpdate={"S3BackupMode": "Disabled"},
    )
    assert code == "InvalidArgumentException", text


def table(glue, name, **columns):
    glue.create_database(DatabaseInput={"Name": name})
    change(glue.create_table, name, **columns)


def change(call, name, **columns):
    listed = [{"Name": column, "Type": kind} for column, kind in columns.items()]
    call(DatabaseName=name, TableInput={"Name": "trips", "StorageDescriptor": {"Columns": listed}})


def converted(name, serializer, **schema):
    return {
        "Enabled": True,
        "SchemaConfiguration": {"RoleARN": ROLE, "DatabaseName": name, "TableName": "trips", "Region": "us-east-1", **schema},
        "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
        "OutputFormatConfiguration": {"Serializer": serializer},
    }


@pytest.mark.parametrize(
    "serializer, extension, read",
    [
        ({"ParquetSerDe": {"Compression": "GZIP"}}, "parquet", lambda body: pyarrow.parquet.read_table(io.BytesIO(body))),
        ({"OrcSerDe": {}}, "orc", lambda body: pyarrow.orc.read_table(io.BytesIO(body))),
    ],
)
def test_records_become_rows(account, client, name, serializer, extension, read):
    table(client("glue"), name, n="int", what="string")
    account.direct(
        name,
        Prefix="t/",
        ErrorOutputPrefix=ERRORS,
        BufferingHints=LARGE,
        DataFormatConversionConfiguration=converted(name, serializer),
    )
    good = [json.dumps({"n": i, "what": f"row {i}"}).encode() for i in range(100)]
    put(account, name, [*good, b'{"n": "no number"}', b"no json"])
    rows = lambda objects: [row for key, body in objects.items() if key.startswith("t/") for row in read(body).to_pylist()]
    lines = lambda objects: [json.loads(line) for key, body in objects.items() if key.startswith("errors/") for line in body.splitlines()]
    found = delivered(account, name, lambda objects: len(rows(objects)) == 100 and len(lines(objects)) == 2)
    assert sorted(row["n"] for row in rows(found)) == list(range(100))
    assert all(row["what"] == f"row {row['n']}" for row in rows(found))
    assert all(key.endswith(f".{extension}") for key in found if key.startswith("t/"))
    assert all("/format-conversion-failed/" in key for key in found if key.startswith("errors/"))
    bad = lines(found)
    assert {base64.b64decode(line["rawData"]) for line in bad} == {b'{"n": "no number"}', b"no json"}
    for line in bad:
        assert line["lastErrorCode"].startswith("DataFormatConversion.") and line["sequenceNumber"]
        of_table = line["dataCatalogTable"]
        assert (of_table["databaseName"], of_table["tableName"], of_table["catalogId"]) == (name, "trips", ACCOUNT)


def test_a_table_may_come_later_and_change(account, client, name):
    glue = client("glue")
    account.direct(
        name, BufferingHints=LARGE, DataFormatConversionConfiguration=converted(name, {"ParquetSerDe": {}})
    )
    columns = lambda objects: {tuple(pyarrow.parquet.read_schema(io.BytesIO(body)).names) for body in objects.values()}
    put(account, name, [b'{"a": 1, "b": 2}'])
    table(glue, name, a="int")
    assert columns(delivered(account, name, len)) == {("a",)}
    change(glue.update_table, name, a="int", b="int")
    put(account, name, [b'{"a": 1, "b": 2}'])
    assert columns(delivered(account, name, lambda objects: len(objects) == 2)) == {("a",), ("a", "b")}


TAXI = {"trip_id": "bigint", "pickup_location_id": "int", "total_amount": "decimal(10,2)", "pickup_datetime": "timestamp"}


def test_the_trips_become_parquet_by_borough(new_server, tmp_path, name):
    """The pipeline's trips, as the issue wants them: partitioned, converted, and exact."""
    server = new_server("--limits", "off")
    account = Account(server.client)
    trips = pipeline.real_or_made(tmp_path / "trips", 20_000)
    boroughs = {}
    if pipeline.REAL.is_dir():
        with open(pipeline.REAL.parent.parent / "taxi_zone_lookup.csv") as zones:
            boroughs = {int(row["LocationID"]): row["Borough"] for row in csv.DictReader(zones)}
    borough = lambda trip: boroughs.get(trip["pickup_location_id"], "Unknown")
    table(server.client("glue"), name, **TAXI)
    account.direct(
        name,
        **partitioned(
            "borough=!{partitionKeyFromQuery:borough}/",
            query("{borough: .borough}"),
            DataFormatConversionConfiguration=converted(name, {"ParquetSerDe": {}}),
        ),
    )
    encoded = [json.dumps({**trip, "borough": borough(trip)}, default=str).encode() for trip in trips.by_id.values()]
    put(account, name, encoded)
    rows = lambda objects: sum(pyarrow.parquet.read_metadata(io.BytesIO(body)).num_rows for body in objects.values())
    found = delivered(account, name, lambda objects: rows(objects) >= len(trips), seconds=120)
    counts, amount, ids = Counter(), Decimal(0), set()
    for key, body in found.items():
        read = pyarrow.parquet.read_table(io.BytesIO(body))
        counts[re.match(r"borough=([^/]+)/", key).group(1)] += read.num_rows
        amount += sum(read["total_amount"].to_pylist())
        ids.update(read["trip_id"].to_pylist())
    assert (ids, amount) == (set(trips.by_id), trips.total)
    assert counts == Counter(map(borough, trips.by_id.values()))
    if pipeline.REAL.is_dir():
        assert (sum(counts.values()), amount, counts["Queens"]) == (119_996, Decimal("2404639.18"), 7_658)
