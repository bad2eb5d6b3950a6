"""Delivery streams through boto3: what is put or streamed arrives in the bucket, once, transformed, in AWS's form."""

import base64
import gzip
import io
import json
import random
import re
import threading
import time
import zipfile

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from headwater import wait_for

ROLE = "arn:aws:iam::000000000000:role/delivery"
ACCOUNT = "000000000000"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
HOURS = r"\d{4}/\d{2}/\d{2}/\d{2}/"

# Puts the arrival behind each line; throws for the whole batch when a record is "poison".
TRANSFORM = """
import base64

def transform(record):
    text = base64.b64decode(record["data"]).decode()
    if text.startswith("poison"):
        raise ValueError("poison")
    if text.startswith("drop"):
        return {"recordId": record["recordId"], "result": "Dropped", "data": record["data"]}
    if text.startswith("fail"):
        return {"recordId": record["recordId"], "result": "ProcessingFailed", "data": record["data"]}
    arrival = record["kinesisRecordMetadata"]["approximateArrivalTimestamp"]
    assert arrival == record["approximateArrivalTimestamp"]
    data = base64.b64encode(f"{text.strip()} {arrival}\\n".encode()).decode()
    return {"recordId": record["recordId"], "result": "Ok", "data": data}

def handler(event, context):
    assert event["sourceKinesisStreamArn"].startswith("arn:aws:kinesis:")
    assert event["deliveryStreamArn"].startswith("arn:aws:firehose:") and event["invocationId"] and event["region"]
    return {"records": [transform(record) for record in event["records"]]}
"""


def destination(bucket, **more):
    fixed = {
        "RoleARN": ROLE,
        "BucketARN": f"arn:aws:s3:::{bucket}",
        "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 1},
    }
    return {**fixed, **more}


def objects(s3, bucket, prefix=""):
    """All objects under a prefix, unpacked, by key."""
    found = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            answer = s3.get_object(Bucket=bucket, Key=entry["Key"])
            body = answer["Body"].read()
            packed = entry["Key"].endswith(".gz")
            assert (answer.get("ContentEncoding") == "gzip") == packed
            found[entry["Key"]] = gzip.decompress(body) if packed else body
    return found


def lines(found):
    return [line for body in found.values() for line in body.decode().splitlines()]


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def zipped(source):
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("handler.py", source)
    return package.getvalue()


class Account:
    """The services that a test needs, all of one server."""

    def __init__(self, make_client):
        self.firehose = make_client("firehose")
        self.kinesis = make_client("kinesis")
        self.s3 = make_client("s3")
        self.functions = make_client("lambda")

    def direct(self, name, **more):
        """A bucket and a delivery stream into it, of one name."""
        self.s3.create_bucket(Bucket=name)
        self.firehose.create_delivery_stream(
            DeliveryStreamName=name, ExtendedS3DestinationConfiguration=destination(name, **more)
        )

    def reading(self, name, shards=2, **more):
        """A stream, a bucket and a delivery stream from one to the other, of one name."""
        self.s3.create_bucket(Bucket=name)
        self.kinesis.create_stream(StreamName=name, ShardCount=shards)
        stream = f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{name}"
        self.kinesis.get_waiter("stream_exists").wait(StreamName=name)
        self.firehose.create_delivery_stream(
            DeliveryStreamName=name,
            DeliveryStreamType="KinesisStreamAsSource",
            KinesisStreamSourceConfiguration={"KinesisStreamARN": stream, "RoleARN": ROLE},
            ExtendedS3DestinationConfiguration=destination(name, **more),
        )

    def transformer(self, name):
        """A function, and the setting that sends records through it."""
        arn = self.functions.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=ROLE,
            Handler="handler.handler",
            Timeout=30,
            Code={"ZipFile": zipped(TRANSFORM)},
        )["FunctionArn"]
        parameters = {"LambdaArn": arn, "BufferSizeInMBs": "0.2", "BufferIntervalInSeconds": "60", "NumberOfRetries": "1"}
        listed = [{"ParameterName": name, "ParameterValue": value} for name, value in parameters.items()]
        return {"Enabled": True, "Processors": [{"Type": "Lambda", "Parameters": listed}]}

    def put(self, stream, records):
        entries = [{"Data": record, "PartitionKey": str(i)} for i, record in enumerate(records)]
        for start in range(0, len(entries), 500):
            done = self.kinesis.put_records(StreamName=stream, Records=entries[start : start + 500])
            assert done["FailedRecordCount"] == 0

    def wait_for_lines(self, bucket, count, prefix="", seconds=60):
        def enough():
            found = objects(self.s3, bucket, prefix)
            return found if len(lines(found)) >= count else None

        return wait_for(f"{count} lines in {bucket}/{prefix}", enough, seconds=seconds)


@pytest.fixture(scope="module")
def account(client):
    return Account(client)


def test_direct_puts_arrive_as_they_are(account, name):
    account.direct(name, Prefix="raw/")
    one = account.firehose.put_record(DeliveryStreamName=name, Record={"Data": b"first\n"})
    assert len(base64.b64decode(one["RecordId"])) == 168 and one["Encrypted"] is False
    many = account.firehose.put_record_batch(
        DeliveryStreamName=name, Records=[{"Data": b"second\n"}, {"Data": b""}, {"Data": bytes(range(256))}, {"Data": b"\n"}]
    )
    assert many["FailedPutCount"] == 0 and len({r["RecordId"] for r in many["RequestResponses"]}) == 4

    whole = b"first\nsecond\n" + bytes(range(256)) + b"\n"
    found = wait_for("delivery", lambda: b"".join(objects(account.s3, name).values()) == whole and objects(account.s3, name))
    pattern = rf"raw/{HOURS}{name}-1-\d{{4}}-\d{{2}}-\d{{2}}-\d{{2}}-\d{{2}}-\d{{2}}-{UUID}"
    assert all(re.fullmatch(pattern, key) for key in found), list(found)


def test_a_stream_is_read_from_its_end_and_packed(account, name):
    account.s3.create_bucket(Bucket=name)
    account.kinesis.create_stream(StreamName=name, ShardCount=2)
    account.kinesis.get_waiter("stream_exists").wait(StreamName=name)
    account.put(name, [b"before\n"] * 10)
    account.firehose.create_delivery_stream(
        DeliveryStreamName=name,
        DeliveryStreamType="KinesisStreamAsSource",
        KinesisStreamSourceConfiguration={
            "KinesisStreamARN": f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{name}",
            "RoleARN": ROLE,
        },
        ExtendedS3DestinationConfiguration=destination(
            name,
            Prefix="year=!{timestamp:yyyy}/!{firehose:random-string}/",
            ErrorOutputPrefix="errors/!{firehose:error-output-type}/",
            CompressionFormat="GZIP",
        ),
    )
    account.put(name, [b"line %d\n" % i for i in range(1000)])
    found = account.wait_for_lines(name, 1000)
    assert sorted(lines(found)) == sorted(f"line {i}" for i in range(1000))
    assert all(re.fullmatch(rf"year=\d{{4}}/[A-Za-z0-9]{{11}}/{name}-1-[-\d]{{20}}{UUID}\.gz", key) for key in found)


def test_an_hour_of_patience_is_cut_short_by_size(account, name):
    hints = {"SizeInMBs": 1, "IntervalInSeconds": 900}
    account.direct(name, BufferingHints=hints)
    for _ in range(3):
        account.firehose.put_record_batch(DeliveryStreamName=name, Records=[{"Data": b"x" * 99_999 + b"\n"}] * 7)
    found = account.wait_for_lines(name, 11)
    assert all(1024 * 1024 <= len(body) < 1024 * 1024 + 100_000 for body in found.values())


def test_a_function_sees_every_record(account, name):
    account.reading(name, Prefix="out/", CompressionFormat="GZIP", ProcessingConfiguration=account.transformer(name))
    account.put(name, [b"keep %d\n" % i for i in range(500)])
    account.put(name, [b"drop\n", b"fail\n"])
    account.wait_for_lines(name, 500, "out/")
    [failed] = lines(account.wait_for_lines(name, 1, "processing-failed/"))
    failed = json.loads(failed)
    assert base64.b64decode(failed["rawData"]) == b"fail\n"
    assert failed["errorCode"] == "Lambda.ProcessingFailedStatus" and failed["attemptsMade"] == 1

    arrivals = {}
    for shard in account.kinesis.list_shards(StreamName=name)["Shards"]:
        iterator = account.kinesis.get_shard_iterator(
            StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        for record in account.kinesis.get_records(ShardIterator=iterator)["Records"]:
            arrivals[record["Data"].decode().strip()] = int(record["ApproximateArrivalTimestamp"].timestamp() * 1000 + 0.5)
    delivered = dict(line.rsplit(" ", 1) for line in lines(objects(account.s3, name, "out/")))
    assert len(delivered) == 500
    assert all(int(arrival) == arrivals[text] for text, arrival in delivered.items())


def test_a_poisonous_record_takes_only_its_batch_along(account, name):
    account.reading(name, shards=1, Prefix="out/", ProcessingConfiguration=account.transformer(name))
    records = [b"keep %d " % i + b"x" * 1000 + b"\n" for i in range(1000)]
    records[500] = b"poison\n"
    account.put(name, records)
    failed = [json.loads(line) for line in lines(account.wait_for_lines(name, 1, "processing-failed/"))]
    wait_for(
        "all records", lambda: len(lines(objects(account.s3, name, "out/"))) + len(failed) == 1000
    )
    assert 1 < len(failed) <= 220, "one call takes at most 0.2 MiB"
    originals = [base64.b64decode(line["rawData"]) for line in failed]
    assert b"poison\n" in originals
    delivered = {line.split(" ")[1] for line in lines(objects(account.s3, name, "out/"))}
    assert delivered | {o.split(b" ")[1].decode() for o in originals if o != b"poison\n"} == {
        str(i) for i in range(1000) if i != 500
    }
    line = failed[0]
    assert line["errorCode"] == "Lambda.FunctionError" and line["attemptsMade"] == 2
    assert line["lambdaARN"] == f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"
    assert line["arrivalTimestamp"] <= line["attemptEndingTimestamp"]


def test_errors_are_logged_where_that_is_configured(account, client, name):
    logging = {"Enabled": True, "LogGroupName": f"/aws/kinesisfirehose/{name}", "LogStreamName": "errors"}
    missing = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:missing-{name}"
    parameters = [{"ParameterName": "LambdaArn", "ParameterValue": missing}]
    processing = {"Enabled": True, "Processors": [{"Type": "Lambda", "Parameters": parameters}]}
    account.direct(name, CloudWatchLoggingOptions=logging, ProcessingConfiguration=processing)
    account.firehose.put_record(DeliveryStreamName=name, Record={"Data": b"x"})
    account.wait_for_lines(name, 1, "processing-failed/")
    logs = client("logs")
    events = logs.filter_log_events(logGroupName=logging["LogGroupName"])["events"]
    assert json.loads(events[0]["message"])["errorCode"] == "Lambda.ResourceNotFound"


def test_a_description_says_what_was_made(account, name):
    account.direct(name, CompressionFormat="GZIP")
    described = account.firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
    arn = f"arn:aws:firehose:us-east-1:{ACCOUNT}:deliverystream/{name}"
    assert (described["DeliveryStreamARN"], described["DeliveryStreamStatus"]) == (arn, "ACTIVE")
    assert (described["VersionId"], described["DeliveryStreamType"]) == ("1", "DirectPut")
    [target] = described["Destinations"]
    assert target["DestinationId"] == "destinationId-000000000001"
    assert target["ExtendedS3DestinationDescription"]["BufferingHints"] == {"SizeInMBs": 1, "IntervalInSeconds": 1}
    assert target["ExtendedS3DestinationDescription"]["S3BackupMode"] == "Disabled"
    assert target["S3DestinationDescription"]["CompressionFormat"] == "GZIP"
    names = account.firehose.list_delivery_streams(Limit=10000)["DeliveryStreamNames"]
    assert name in names and names == sorted(names)
    account.firehose.delete_delivery_stream(DeliveryStreamName=name)
    not_found = ("ResourceNotFoundException", f"Firehose {name} under account {ACCOUNT} not found.")
    assert refusal(account.firehose.describe_delivery_stream, DeliveryStreamName=name) == not_found
    assert refusal(account.firehose.delete_delivery_stream, DeliveryStreamName=name) == not_found
    assert refusal(account.firehose.put_record, DeliveryStreamName=name, Record={"Data": b"x"}) == not_found


def test_a_destination_is_changed_for_what_is_not_batched_yet(account, name):
    account.direct(name, BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 900}, Prefix="old/")
    firehose = account.firehose
    firehose.put_record(DeliveryStreamName=name, Record={"Data": b"waits\n"})
    change = {
        "DeliveryStreamName": name,
        "DestinationId": "destinationId-000000000001",
        "ExtendedS3DestinationUpdate": {
            "Prefix": "new/", "CompressionFormat": "GZIP", "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 1}
        },
    }
    firehose.update_destination(CurrentDeliveryStreamVersionId="1", **change)
    found = account.wait_for_lines(name, 1, "new/")
    [key] = found
    assert key.endswith(".gz") and f"/{name}-2-" in key and lines(found) == ["waits"]
    described = firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
    assert described["VersionId"] == "2"
    [target] = described["Destinations"]
    hints = target["ExtendedS3DestinationDescription"]["BufferingHints"]
    assert hints == {"SizeInMBs": 1, "IntervalInSeconds": 1}
    code, _ = refusal(firehose.update_destination, CurrentDeliveryStreamVersionId="1", **change)
    assert code == "ConcurrentModificationException"


@pytest.mark.alone
@pytest.mark.parametrize("limits, taken", [("aws", 5), ("off", 8)])
def test_direct_puts_have_the_quotas_of_aws(new_server, limits, taken):
    account = Account(new_server("--limits", limits).client)
    account.direct("quotas")
    started = time.monotonic()
    answers = 0
    for _ in range(8):
        try:
            account.firehose.put_record(DeliveryStreamName="quotas", Record={"Data": b"x" * 1_000_000})
            answers += 1
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ServiceUnavailableException"
            assert error.response["Error"]["Message"] == "Slow down."
    allowed = taken + (5 * (time.monotonic() - started) + 1 if limits == "aws" else 0)
    assert taken <= answers <= allowed


def test_refusals_are_those_of_aws(account, client, name):
    account.direct(name)
    create = account.firehose.create_delivery_stream
    assert refusal(
        create, DeliveryStreamName=name, ExtendedS3DestinationConfiguration=destination(name)
    ) == ("ResourceInUseException", f"Firehose {name} under accountId {ACCOUNT} already exists")
    assert refusal(
        create,
        DeliveryStreamName=f"{name}-2",
        ExtendedS3DestinationConfiguration=destination(name, Prefix="!{timestamp:yyyy}/"),
    ) == (
        "InvalidArgumentException",
        "Ths supplied prefix(es) do not satisfy the following constraint: "
        "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions",
    )
    code, message = refusal(
        create,
        DeliveryStreamName=f"{name}-2",
        ExtendedS3DestinationConfiguration=destination(
            name, S3BackupMode="Disabled", S3BackupConfiguration=destination(name)
        ),
    )
    assert code == "NotImplemented" and "S3BackupConfiguration" in message
    code, message = refusal(
        create,
        DeliveryStreamName=f"{name}-2",
        DeliveryStreamType="KinesisStreamAsSource",
        KinesisStreamSourceConfiguration={
            "KinesisStreamARN": f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/missing",
            "RoleARN": ROLE,
        },
        ExtendedS3DestinationConfiguration=destination(name),
    )
    assert code == "InvalidArgumentException" and "Stream missing under account" in message
    unchecked = client("firehose", parameter_validation=False)
    code, message = refusal(
        unchecked.put_record_batch, DeliveryStreamName=name, Records=[{"Data": b"x"}] * 501
    )
    assert code == "ValidationException" and "'records' failed to satisfy constraint" in message
    code, message = refusal(
        unchecked.put_record, DeliveryStreamName=name, Record={"Data": b"x" * 1_024_001}
    )
    assert code == "ValidationException" and "'record.data' failed to satisfy constraint" in message
    assert refusal(
        account.firehose.put_record_batch, DeliveryStreamName=name, Records=[{"Data": b"x" * 1_000_000}] * 5
    ) == ("InvalidArgumentException", "Records size exceeds 4 MB limit")


def test_tags_are_kept(account, name):
    account.direct(name)
    firehose = account.firehose
    firehose.tag_delivery_stream(DeliveryStreamName=name, Tags=[{"Key": "b", "Value": "1"}, {"Key": "a", "Value": "2"}])
    page = firehose.list_tags_for_delivery_stream(DeliveryStreamName=name, Limit=1)
    assert (page["Tags"], page["HasMoreTags"]) == ([{"Key": "a", "Value": "2"}], True)
    firehose.untag_delivery_stream(DeliveryStreamName=name, TagKeys=["a"])
    assert firehose.list_tags_for_delivery_stream(DeliveryStreamName=name)["Tags"] == [{"Key": "b", "Value": "1"}]


@pytest.mark.parametrize("through_function", [False, True])
def test_kills_neither_lose_nor_double(new_server, through_function):
    """Records are put while the server is killed at random moments, and once stopped in order; what was acknowledged
    arrives, and once."""
    server = new_server()
    account = Account(server.client)
    processing = {"ProcessingConfiguration": account.transformer("f")} if through_function else {}
    account.reading("kills", Prefix="out/", CompressionFormat="GZIP", **processing)
    acknowledged, tried, done = set(), 0, threading.Event()

    def produce():
        nonlocal tried
        kinesis = server.client("kinesis")
        while not done.is_set():
            tried += 1
            record = f"record-{tried}"
            try:
                kinesis.put_record(StreamName="kills", Data=f"{record}\n".encode(), PartitionKey=record)
                acknowledged.add(record)
            except (ClientError, BotoCoreError):
                done.wait(0.02)

    producer = threading.Thread(target=produce)
    producer.start()
    try:
        for i in range(6):
            done.wait(random.uniform(0.3, 2.5))
            if i == 3:
                assert server.stop() == 0
                server.start()
            else:
                server.restart()
        done.wait(1)
    finally:
        done.set()
        producer.join()

    def delivered():
        texts = [line.split(" ")[0] for line in lines(objects(account.s3, "kills", "out/"))]
        return texts if acknowledged <= set(texts) else None

    texts = wait_for("delivery of all acknowledged records", delivered)
    # A put without an answer may have been kept too, and then it arrives once as well.
    assert len(texts) == len(set(texts)) and len(acknowledged) > 50
    assert not objects(account.s3, "kills", "processing-failed/")
