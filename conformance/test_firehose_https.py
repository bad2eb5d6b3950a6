"""Destinations over TLS: those under an authority that the server was told to trust, and no others."""

import json

import pytest

from beside import ROLE, SOON, bucket, put, raw, wait_for_failures
from headwater import Server, wait_for
from receivers import HttpEndpoint, SearchCluster, SplunkCollector

HERE = ("localhost", "127.0.0.1")
ELSEWHERE = ("destination.example.com",)
TOKEN = "0f1e2d3c-0000-4000-8000-000000000000"
RECORD = b'{"event": 1}'


class ToEndpoint:
    make, folder, code = HttpEndpoint, "http-endpoint-failed/", "HttpEndpoint.SSLHandshakeFailure"

    @staticmethod
    def settings(url):
        endpoint = {"Url": url, "Name": "test"}
        return {"HttpEndpointDestinationConfiguration": {"EndpointConfiguration": endpoint}}

    @staticmethod
    def taken(receiver):
        return receiver.records == [RECORD]


class ToSearch:
    make, folder, code = SearchCluster, "AmazonOpenSearchService_failed/", "OS.SSLHandshakeFailure"

    @staticmethod
    def settings(url):
        settings = {"RoleARN": ROLE, "ClusterEndpoint": url, "IndexName": "rides"}
        return {"AmazonopensearchserviceDestinationConfiguration": settings}

    @staticmethod
    def taken(receiver):
        return list(receiver.documents.values()) == [json.loads(RECORD)]


class ToSplunk:
    folder, code = "splunk-failed/", "Splunk.SSLHandshake"

    @staticmethod
    def make():
        return SplunkCollector(TOKEN)

    @staticmethod
    def settings(url):
        settings = {"HECEndpoint": url, "HECEndpointType": "Event", "HECToken": TOKEN}
        return {"SplunkDestinationConfiguration": settings}

    @staticmethod
    def taken(receiver):
        return receiver.taken == [RECORD]


def deliver(server, name, kind, receiver):
    server.client("s3").create_bucket(Bucket=name)
    ((member, settings),) = kind.settings(receiver.url).items()
    more = {"BufferingHints": SOON, "RetryOptions": {"DurationInSeconds": 0}, "S3Configuration": bucket(name)}
    firehose = server.client("firehose")
    firehose.create_delivery_stream(DeliveryStreamName=name, **{member: {**settings, **more}})
    put(firehose, name, [RECORD])


@pytest.fixture
def trusting(new_server, authority, tmp_path):
    """A server that trusts the tests' authority."""
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    return new_server("--trust-ca", file)


@pytest.mark.parametrize("kind", [ToEndpoint, ToSearch, ToSplunk])
def test_a_destination_under_a_trusted_authority_is_delivered_to(trusting, authority, name, kind):
    with kind.make().secured(authority.issue_cert(*HERE)).running() as receiver:
        deliver(trusting, name, kind, receiver)
        wait_for("the record", lambda: kind.taken(receiver))


def is_refused(server, name, kind, certificate, why):
    with kind.make().secured(certificate).running() as receiver:
        deliver(server, name, kind, receiver)
        (line,) = wait_for_failures(server.client("s3"), name, 1, kind.folder)
        assert raw(line) == RECORD and line["errorCode"] == kind.code
        assert why in line["errorMessage"]
        assert receiver.requests == []


@pytest.mark.parametrize("kind", [ToEndpoint, ToSearch, ToSplunk])
def test_an_authority_that_nobody_named_is_not_trusted(server, authority, name, kind):
    is_refused(server, name, kind, authority.issue_cert(*HERE), "UnknownIssuer")


@pytest.mark.parametrize("kind", [ToEndpoint, ToSearch, ToSplunk])
def test_a_certificate_of_another_host_is_not_trusted(trusting, authority, name, kind):
    is_refused(trusting, name, kind, authority.issue_cert(*ELSEWHERE), "not valid for name")


def test_a_file_without_authorities_is_named(tmp_path):
    file = tmp_path / "ca.pem"
    file.write_text("nothing")
    with pytest.raises(AssertionError, match=f"--trust-ca names {file}: there is no certificate in it"):
        Server(tmp_path / "data", "--trust-ca", file).start()
