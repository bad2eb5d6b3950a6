"""Delivery to OpenSearch, with boto3 on the one side and a cluster's bulk interface on the other."""

import datetime
import json

import pytest
from botocore.exceptions import ClientError

from beside import ROLE, SOON, bucket, described, objects, put, raw, wait_for_failures
from headwater import wait_for
from receivers import SearchCluster

KINDS = {
    "AmazonopensearchserviceDestination": "ClusterEndpoint",
    "ElasticsearchDestination": "ClusterEndpoint",
    "AmazonOpenSearchServerlessDestination": "CollectionEndpoint",
}


@pytest.fixture
def aws(client):
    return client("firehose"), client("s3")


def make(aws, name, cluster, kind="AmazonopensearchserviceDestination", retry=60, **more):
    firehose, s3 = aws
    s3.create_bucket(Bucket=name)
    settings = {
        "RoleARN": ROLE,
        KINDS[kind]: cluster.url,
        "IndexName": "rides",
        "BufferingHints": SOON,
        "RetryOptions": {"DurationInSeconds": retry},
        "S3Configuration": bucket(name),
        **more,
    }
    firehose.create_delivery_stream(DeliveryStreamName=name, **{f"{kind}Configuration": settings})


def documents(count):
    return [{"n": i} for i in range(count)]


def put_documents(aws, name, given):
    put(aws[0], name, [json.dumps(document, indent=1).encode() for document in given])


@pytest.mark.parametrize("kind", KINDS)
def test_records_become_documents(aws, name, kind):
    with SearchCluster().running() as cluster:
        more = {} if "Serverless" in kind else {"IndexRotationPeriod": "OneMonth"}
        make(aws, name, cluster, kind, **more)
        put_documents(aws, name, documents(100))
        wait_for("all documents", lambda: len(cluster.documents) == 100)
        suffix = f"-{datetime.datetime.now(datetime.UTC):%Y-%m}" if more else ""
        assert {index for index, _ in cluster.documents} == {f"rides{suffix}"}
        assert sorted(d["n"] for d in cluster.documents.values()) == list(range(100))
        shown = described(aws[0], name, f"{kind}Description")
        assert shown[KINDS[kind]] == cluster.url and shown["S3BackupMode"] == "FailedDocumentsOnly"
    assert objects(aws[1], name) == {}


def test_only_what_failed_is_sent_again_and_what_does_not_fit_is_in_the_bucket(aws, name):
    with SearchCluster().running() as cluster:
        cluster.plan = [503]
        make(aws, name, cluster, IndexRotationPeriod="NoRotation")
        put_documents(aws, name, [{"n": 0}, {"busy": 1}, {"refuse": 2}])
        put(aws[0], name, [b"no document"])
        failed = wait_for_failures(aws[1], name, 2, "AmazonOpenSearchService_failed/")
        by_code = {line["errorCode"]: line for line in failed}
        assert raw(by_code["OS.MalformedData"]) == b"no document"
        assert json.loads(raw(by_code["400"])) == {"refuse": 2}
        assert json.loads(by_code["400"]["errorMessage"])["type"] == "mapper_parsing_exception"
        assert by_code["400"]["esIndexName"] == "rides" and by_code["400"]["esDocumentId"]
        assert list(cluster.documents.values()) == [{"n": 0}, {"busy": 1}]
        assert len(set(cluster.documents)) == 2


def test_without_ids_of_ours_the_cluster_makes_them(aws, name):
    with SearchCluster().running() as cluster:
        make(aws, name, cluster, DocumentIdOptions={"DefaultDocumentIdFormat": "NO_DOCUMENT_ID"})
        put_documents(aws, name, documents(2))
        wait_for("both documents", lambda: len(cluster.documents) == 2)
        assert all(key.startswith("made-") for _, key in cluster.documents)


def test_a_domain_without_its_address_is_refused(aws, name):
    domain = "arn:aws:es:us-east-1:000000000000:domain/rides"
    settings = {"RoleARN": ROLE, "DomainARN": domain, "IndexName": "rides", "S3Configuration": bucket(name)}
    with pytest.raises(ClientError) as refused:
        aws[0].create_delivery_stream(
            DeliveryStreamName=name, AmazonopensearchserviceDestinationConfiguration=settings
        )
    assert "ClusterEndpoint" in refused.value.response["Error"]["Message"]
