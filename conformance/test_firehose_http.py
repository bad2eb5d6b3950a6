"""Delivery to HTTP endpoints, with boto3 on the one side and an endpoint after AWS's contract on the other."""

import pytest
from botocore.exceptions import ClientError

from beside import SOON, bucket, described, objects, put, raw, wait_for_failures
from headwater import wait_for
from receivers import HttpEndpoint


@pytest.fixture
def aws(client):
    return client("firehose"), client("s3")


def make(aws, name, endpoint, retry=60, key="sesame", **more):
    firehose, s3 = aws
    s3.create_bucket(Bucket=name)
    settings = {
        "EndpointConfiguration": {"Url": f"{endpoint.url}/intake?k=v", "Name": "test", "AccessKey": key},
        "BufferingHints": SOON,
        "RetryOptions": {"DurationInSeconds": retry},
        "S3Configuration": bucket(name),
        **more,
    }
    firehose.create_delivery_stream(DeliveryStreamName=name, HttpEndpointDestinationConfiguration=settings)


@pytest.mark.parametrize("encoding", ["NONE", "GZIP"])
def test_records_arrive_in_the_published_form(aws, name, encoding):
    with HttpEndpoint("sesame").running() as endpoint:
        attributes = [{"AttributeName": "stage", "AttributeValue": "tést"}]
        request = {"ContentEncoding": encoding, "CommonAttributes": attributes}
        make(aws, name, endpoint, RequestConfiguration=request)
        records = [f"record {i}\n".encode() for i in range(300)]
        put(aws[0], name, records)
        wait_for("all records", lambda: len(endpoint.records) >= len(records))
        assert endpoint.records == records
        path, headers, _ = endpoint.requests[0]
        assert path == "/intake?k=v" and headers.get("content-encoding") == (None if encoding == "NONE" else "gzip")
    assert objects(aws[1], name) == {}


def test_a_request_that_was_stored_and_not_acknowledged_comes_again_under_its_id(aws, name):
    with HttpEndpoint("sesame").running() as endpoint:
        endpoint.plan = ["stored", "other", 503]
        make(aws, name, endpoint)
        put(aws[0], name, [b"one", b"two"])
        wait_for("four requests", lambda: len(endpoint.requests) >= 4)
        assert endpoint.records == [b"one", b"two"]
    assert objects(aws[1], name) == {}


@pytest.mark.parametrize("status, retry, again", [(500, 0, False), (413, 7200, False), (429, 1, True)])
def test_what_is_refused_is_under_the_error_prefix(aws, name, status, retry, again):
    with HttpEndpoint("sesame").running() as endpoint:
        endpoint.plan = [status] * 9
        make(aws, name, endpoint, retry, S3Configuration=bucket(name, Prefix="all/"))
        put(aws[0], name, [b"one", b"two"])
        failed = wait_for_failures(aws[1], name, 2, "http-endpoint-failed/")
        assert [raw(line) for line in failed] == [b"one", b"two"]
        for line in failed:
            assert line["errorCode"] == "HttpEndpoint.DestinationException" and f"{status}: " in line["errorMessage"]
            assert line["attemptsMade"] == len(endpoint.requests) and (len(endpoint.requests) > 1) == again
            assert line["arrivalTimestamp"] <= line["attemptEndingTimestamp"]
            assert line["dataId"] and line["subsequenceNumber"] == 0


def test_all_data_is_kept_in_the_bucket_where_that_is_asked_for(aws, name):
    with HttpEndpoint("sesame").running() as endpoint:
        make(aws, name, endpoint, S3BackupMode="AllData", S3Configuration=bucket(name, Prefix="all/"))
        put(aws[0], name, [b"one\n", b"two\n"])
        found = wait_for("the backup", lambda: objects(aws[1], name, "all/"))
        assert list(found.values()) == [b"one\ntwo\n"] and endpoint.records == [b"one\n", b"two\n"]


def test_settings_are_described_without_the_key_and_updates_keep_it(aws, name):
    with HttpEndpoint("sesame").running() as endpoint:
        make(aws, name, endpoint, retry=9)
        shown = described(aws[0], name, "HttpEndpointDestinationDescription")
        assert shown["EndpointConfiguration"] == {"Url": f"{endpoint.url}/intake?k=v", "Name": "test"}
        assert shown["RetryOptions"] == {"DurationInSeconds": 9} and shown["S3BackupMode"] == "FailedDataOnly"
        assert "sesame" not in str(aws[0].describe_delivery_stream(DeliveryStreamName=name))
        aws[0].update_destination(
            DeliveryStreamName=name,
            CurrentDeliveryStreamVersionId="1",
            DestinationId="destinationId-000000000001",
            HttpEndpointDestinationUpdate={"RetryOptions": {"DurationInSeconds": 5}, "S3Update": {"Prefix": "p/"}},
        )
        shown = described(aws[0], name, "HttpEndpointDestinationDescription")
        assert shown["RetryOptions"] == {"DurationInSeconds": 5}
        assert shown["S3DestinationDescription"]["Prefix"] == "p/"
        put(aws[0], name, [b"after"])
        wait_for("the record", lambda: endpoint.records == [b"after"])


def test_what_cannot_be_done_is_refused(aws, name):
    firehose, _ = aws
    secrets = {"Enabled": True, "SecretARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:s", "RoleARN": bucket(name)["RoleARN"]}
    for url, more, code in [
        ("http://example.com/", {}, "ValidationException"),
        ("ftp://127.0.0.1/", {}, "ValidationException"),
        ("https://example.com/", {"SecretsManagerConfiguration": secrets}, "NotImplemented"),
    ]:
        settings = {"EndpointConfiguration": {"Url": url}, "S3Configuration": bucket(name), **more}
        with pytest.raises(ClientError) as refused:
            firehose.create_delivery_stream(DeliveryStreamName=name, HttpEndpointDestinationConfiguration=settings)
        assert refused.value.response["Error"]["Code"] == code, url
