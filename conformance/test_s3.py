"""S3 with boto3 and the AWS CLI, unmodified."""

import base64
import datetime
import hashlib
import io
import os
import socket
import threading
import urllib.error
import urllib.parse
import urllib.request
import zlib

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

MIB = 1 << 20
KEY_ID = "134f2428-cec1-4b25-a1ae-9048164dba47"


@pytest.fixture(scope="module")
def s3(client):
    return client("s3")


@pytest.fixture
def bucket(s3, name):
    s3.create_bucket(Bucket=name)
    yield name
    uploads = s3.list_multipart_uploads(Bucket=name)
    assert "Uploads" not in uploads, "a test left an upload behind"
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
        if page["KeyCount"]:
            objects = [{"Key": found["Key"]} for found in page["Contents"]]
            assert "Errors" not in s3.delete_objects(Bucket=name, Delete={"Objects": objects})
    s3.delete_bucket(Bucket=name)


def refused(call, *arguments, **named):
    """The status and the error of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(*arguments, **named)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]


def crc(data, bits, polynomial):
    """A reflected CRC as AWS writes it, by the book and slowly: boto3 has the newer ones only with extras."""
    ones = (1 << bits) - 1
    value = ones
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (polynomial if value & 1 else 0)
    return (value ^ ones).to_bytes(bits // 8, "big")


def body(s3, bucket, key, **named):
    return s3.get_object(Bucket=bucket, Key=key, **named)["Body"].read()


def keys(s3, bucket, **named):
    return [found["Key"] for found in s3.list_objects_v2(Bucket=bucket, **named).get("Contents", [])]


class TestBuckets:
    def test_life(self, s3, name):
        assert s3.create_bucket(Bucket=name)["Location"] == f"/{name}"
        s3.create_bucket(Bucket=name)
        assert s3.head_bucket(Bucket=name)["BucketRegion"] == "us-east-1"
        assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] is None
        assert "Status" not in s3.get_bucket_versioning(Bucket=name)
        assert name in [found["Name"] for found in s3.list_buckets()["Buckets"]]
        s3.put_object(Bucket=name, Key="k", Body=b"x")
        status, error = refused(s3.delete_bucket, Bucket=name)
        assert (status, error["Code"], error["BucketName"]) == (409, "BucketNotEmpty", name)
        s3.delete_object(Bucket=name, Key="k")
        assert s3.delete_bucket(Bucket=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
        status, error = refused(s3.head_bucket, Bucket=name)
        assert (status, error["Code"]) == (404, "404")
        status, error = refused(s3.list_objects_v2, Bucket=name)
        assert (status, error["Code"], error["BucketName"]) == (404, "NoSuchBucket", name)
        assert error["Message"] == "The specified bucket does not exist"

    def test_names_are_checked(self, s3):
        for bad in ["Upper-Case", "a_b", "ab", "192.168.0.1", "xn--abc"]:
            status, error = refused(s3.create_bucket, Bucket=bad)
            assert (status, error["Code"], error["Message"]) == (
                400,
                "InvalidBucketName",
                "The specified bucket is not valid.",
            )

    def test_pages(self, s3, name):
        names = [f"{name}-{letter}" for letter in "abc"]
        for one in names:
            s3.create_bucket(Bucket=one)
        pages = s3.get_paginator("list_buckets").paginate(Prefix=f"{name}-", PaginationConfig={"PageSize": 2})
        assert [[found["Name"] for found in page["Buckets"]] for page in pages] == [names[:2], names[2:]]
        for one in names:
            s3.delete_bucket(Bucket=one)

    def test_what_is_not_built_says_so(self, s3, bucket):
        status, error = refused(s3.put_bucket_policy, Bucket=bucket, Policy="{}")
        assert (status, error["Code"]) == (501, "NotImplemented")
        assert "PutBucketPolicy" in error["Message"]
        status, error = refused(
            s3.put_object, Bucket=bucket, Key="k", Body=b"x", ObjectLockLegalHoldStatus="ON"
        )
        assert (status, error["Code"]) == (501, "NotImplemented")
        assert "x-amz-object-lock-legal-hold" in error["Message"]
        assert keys(s3, bucket) == []


class TestObjects:
    @pytest.mark.parametrize("size", [0, 1, 131_072, 131_073, 3 * MIB])
    def test_round_trip(self, s3, bucket, size):
        data = os.urandom(size)
        put = s3.put_object(Bucket=bucket, Key="k", Body=data)
        assert put["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
        got = s3.get_object(Bucket=bucket, Key="k")
        assert got["ContentLength"] == size
        assert got["Body"].read() == data
        assert s3.head_object(Bucket=bucket, Key="k")["ETag"] == put["ETag"]

    def test_an_answer_without_100_continue_leaves_the_next_request_alone(self, s3, bucket):
        # boto3 waits for it before every body, and a body of nothing is never asked for.
        for data in [b"", b"x", b"", b"", b"y"]:
            s3.put_object(Bucket=bucket, Key="k", Body=data)
            assert refused(s3.put_object, Bucket="not-there", Key="k", Body=data)[0] == 404
            assert body(s3, bucket, "k") == data

    def test_everything_that_is_kept(self, s3, bucket):
        kept = {
            "ContentType": "text/csv",
            "CacheControl": "max-age=60",
            "ContentDisposition": 'attachment; filename="x"',
            "ContentEncoding": "identity",
            "ContentLanguage": "de",
            "Metadata": {"color": "blue", "with-dash": "1"},
        }
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="a=1&b=2", **kept)
        head = s3.head_object(Bucket=bucket, Key="k")
        assert {name: head[name] for name in kept} == kept
        tags = s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]
        assert tags == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
        s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "c", "Value": "3"}]})
        assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "c", "Value": "3"}]
        s3.delete_object_tagging(Bucket=bucket, Key="k")
        assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
        replaced = s3.get_object(Bucket=bucket, Key="k", ResponseContentType="text/plain")
        assert replaced["ContentType"] == "text/plain"

    @pytest.mark.parametrize(
        "asked, told",
        [
            ({}, {"ServerSideEncryption": "AES256"}),
            ({"ServerSideEncryption": "AES256"}, {}),
            (
                {"ServerSideEncryption": "aws:kms"},
                {"SSEKMSKeyId": "arn:aws:kms:us-east-1:000000000000:alias/aws/s3"},
            ),
            (
                {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY_ID, "BucketKeyEnabled": True},
                {"SSEKMSKeyId": f"arn:aws:kms:us-east-1:000000000000:key/{KEY_ID}"},
            ),
        ],
    )
    def test_encryption_is_told_by_every_answer(self, s3, bucket, asked, told):
        names = "ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled"
        told = {**asked, **told}
        of = lambda answer: {name: answer[name] for name in names if name in answer}
        assert of(s3.put_object(Bucket=bucket, Key="a", Body=b"x", **asked)) == told
        assert of(s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a", **asked)) == told
        begun = s3.create_multipart_upload(Bucket=bucket, Key="c", **asked)
        upload = {"Bucket": bucket, "Key": "c", "UploadId": begun["UploadId"]}
        copied = s3.upload_part_copy(**upload, PartNumber=2, CopySource=f"{bucket}/a")
        part = s3.upload_part(**upload, PartNumber=1, Body=b"x")
        parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
        done = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        assert of(begun) == of(copied) == of(part) == of(done) == told
        for key in "abc":
            assert of(s3.head_object(Bucket=bucket, Key=key)) == told
            assert of(s3.get_object(Bucket=bucket, Key=key)) == told
            assert of(s3.get_object(Bucket=bucket, Key=key, Range="bytes=0-0")) == told
        s3.copy_object(Bucket=bucket, Key="unasked", CopySource=f"{bucket}/a")
        assert of(s3.head_object(Bucket=bucket, Key="unasked")) == {"ServerSideEncryption": "AES256"}

    def test_encryption_that_is_not_done_or_contradicts_itself_is_refused(self, s3, bucket):
        put = lambda **more: refused(s3.put_object, Bucket=bucket, Key="k", Body=b"x", **more)
        status, error = put(ServerSideEncryption="AES256", SSEKMSKeyId="k")
        assert (status, error["Code"]) == (400, "InvalidArgument") and "aws:kms" in error["Message"]
        status, error = put(ServerSideEncryption="DES")
        assert (status, error["Code"], error["ArgumentValue"]) == (400, "InvalidArgument", "DES")
        status, error = put(ServerSideEncryption="aws:kms", SSEKMSKeyId="fake-key-id")
        assert (status, error["Code"]) == (400, "KMS.NotFoundException")
        assert error["Message"] == "Invalid keyId 'fake-key-id'"
        status, error = put(ServerSideEncryption="aws:kms:dsse")
        assert (status, error["Code"]) == (501, "NotImplemented") and "aws:kms:dsse" in error["Message"]
        status, error = put(SSECustomerAlgorithm="AES256", SSECustomerKey="k" * 32)
        assert (status, error["Code"]) == (501, "NotImplemented") and "customer" in error["Message"]
        assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0

    def test_encryption_is_not_asked_for_where_nothing_is_written(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
        part = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"x")
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        ask = lambda request, **_: request.headers.add_header("x-amz-server-side-encryption", "AES256")
        for call, more in [
            (s3.get_object, {}),
            (s3.head_object, {}),
            (s3.complete_multipart_upload, {"UploadId": upload, "MultipartUpload": parts}),
        ]:
            s3.meta.events.register("before-sign.s3", ask)
            try:
                status, error = refused(call, Bucket=bucket, Key="k", **more)
            finally:
                s3.meta.events.unregister("before-sign.s3", ask)
            assert status == 400
            if call != s3.head_object:
                assert error["Code"] == "InvalidArgument"
                assert error["Message"] == "x-amz-server-side-encryption header is not supported for this operation."
        s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload=parts)

    def test_odd_keys(self, s3, bucket):
        odd = ["/", "a//b", "../x", "a b+c%20d?e#f&g=h", "日本語", "tab\tkey", "trailing/", "k" * 1024, "\u00e9", "'\"<>&"]
        for key in odd:
            s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
            assert body(s3, bucket, key) == key.encode()
        assert keys(s3, bucket) == sorted(odd, key=str.encode)
        status, error = refused(s3.put_object, Bucket=bucket, Key="k" * 1025, Body=b"")
        assert (status, error["Code"], error["MaxSizeAllowed"]) == (400, "KeyTooLongError", "1024")

    def test_ranges(self, s3, bucket):
        data = os.urandom(300_000)
        s3.put_object(Bucket=bucket, Key="k", Body=data)
        part = s3.get_object(Bucket=bucket, Key="k", Range="bytes=131070-131080")
        assert part["ResponseMetadata"]["HTTPStatusCode"] == 206
        assert part["ContentRange"] == "bytes 131070-131080/300000"
        assert part["Body"].read() == data[131070:131081]
        assert body(s3, bucket, "k", Range="bytes=-7") == data[-7:]
        assert body(s3, bucket, "k", Range="bytes=299990-") == data[299990:]
        status, error = refused(s3.get_object, Bucket=bucket, Key="k", Range="bytes=300000-")
        assert (status, error["Code"]) == (416, "InvalidRange")
        assert (error["ActualObjectSize"], error["RangeRequested"]) == ("300000", "bytes=300000-")

    def test_conditions(self, s3, bucket):
        etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
        modified = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
        for known in [{"IfNoneMatch": etag}, {"IfModifiedSince": modified}]:
            with pytest.raises(ClientError) as caught:
                s3.get_object(Bucket=bucket, Key="k", **known)
            response = caught.value.response
            assert response["ResponseMetadata"]["HTTPStatusCode"] == 304
            assert response["ResponseMetadata"]["HTTPHeaders"]["etag"] == etag
        status, error = refused(s3.get_object, Bucket=bucket, Key="k", IfMatch='"other"')
        assert (status, error["Code"], error["Condition"]) == (412, "PreconditionFailed", "If-Match")
        status, error = refused(s3.head_object, Bucket=bucket, Key="k", IfMatch='"other"')
        assert (status, error["Code"]) == (412, "412")
        assert body(s3, bucket, "k", IfMatch=etag, IfUnmodifiedSince=modified) == b"x"
        future = modified + datetime.timedelta(days=1)
        assert body(s3, bucket, "k", IfModifiedSince=future) == b"x", "a time that is still to come is ignored"
        source = f"{bucket}/k"
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, CopySourceIfModifiedSince=future)

        status, error = refused(s3.put_object, Bucket=bucket, Key="k", Body=b"y", IfNoneMatch="*")
        assert (status, error["Condition"]) == (412, "If-None-Match")
        s3.put_object(Bucket=bucket, Key="k", Body=b"y", IfMatch=etag)
        status, error = refused(s3.put_object, Bucket=bucket, Key="k", Body=b"z", IfMatch=etag)
        assert (status, error["Condition"]) == (412, "If-Match")
        assert body(s3, bucket, "k") == b"y"

    def test_missing(self, s3, bucket):
        status, error = refused(s3.get_object, Bucket=bucket, Key="k")
        assert (status, error["Code"], error["Key"]) == (404, "NoSuchKey", "k")
        assert error["Message"] == "The specified key does not exist."
        assert refused(s3.head_object, Bucket=bucket, Key="k")[0] == 404
        assert s3.delete_object(Bucket=bucket, Key="k")["ResponseMetadata"]["HTTPStatusCode"] == 204

    CHECKSUMS = {
        "CRC32": lambda data: crc(data, 32, 0xEDB88320),
        "CRC32C": lambda data: crc(data, 32, 0x82F63B78),
        "CRC64NVME": lambda data: crc(data, 64, 0x9A6C9329AC4BC9B5),
        "SHA1": lambda data: hashlib.sha1(data).digest(),
        "SHA256": lambda data: hashlib.sha256(data).digest(),
    }

    @pytest.mark.parametrize("algorithm", CHECKSUMS)
    def test_checksums(self, s3, bucket, algorithm):
        field = f"Checksum{algorithm}"
        value = base64.b64encode(self.CHECKSUMS[algorithm](b"hello")).decode()
        assert s3.put_object(Bucket=bucket, Key="k", Body=b"hello", **{field: value})[field] == value
        head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
        assert (head[field], head["ChecksumType"]) == (value, "FULL_OBJECT")
        assert field not in s3.head_object(Bucket=bucket, Key="k")
        other = base64.b64encode(self.CHECKSUMS[algorithm](b"other")).decode()
        status, error = refused(s3.put_object, Bucket=bucket, Key="k", Body=b"hello", **{field: other})
        assert (status, error["Code"]) == (400, "BadDigest")
        assert error["Message"] == f"The {algorithm} you specified did not match the calculated checksum."

    def test_wrong_digests(self, s3, bucket):
        md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()
        status, error = refused(s3.put_object, Bucket=bucket, Key="k", Body=b"hello", ContentMD5=md5)
        assert error["Message"] == "The Content-MD5 you specified did not match what we received."
        status, error = refused(s3.put_object, Bucket=bucket, Key="k", Body=b"hello", ContentMD5="nonsense")
        assert error["Code"] == "InvalidDigest"
        assert keys(s3, bucket) == []

    def test_delete_many(self, s3, bucket):
        names = [f"k{number:04}" for number in range(1000)]
        for one in names[:20]:
            s3.put_object(Bucket=bucket, Key=one, Body=b"x")
        objects = [{"Key": one} for one in names]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
        assert [found["Key"] for found in answer["Deleted"]] == names
        assert keys(s3, bucket) == []
        quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects[:2], "Quiet": True})
        assert "Deleted" not in quiet
        status, error = refused(s3.delete_objects, Bucket=bucket, Delete={"Objects": objects + [{"Key": "x"}]})
        assert (status, error["Code"]) == (400, "MalformedXML")

    def test_a_part_may_be_copied(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="whole", Body=b"0123456789" * 600_000)
        upload = s3.create_multipart_upload(Bucket=bucket, Key="copied")["UploadId"]
        place = {"Bucket": bucket, "Key": "copied", "UploadId": upload, "PartNumber": 1}
        source = {"Bucket": bucket, "Key": "whole"}
        part = s3.upload_part_copy(**place, CopySource=source, CopySourceRange="bytes=5-5242889")
        etag = part["CopyPartResult"]["ETag"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
        s3.complete_multipart_upload(Bucket=bucket, Key="copied", UploadId=upload, MultipartUpload=parts)
        body = s3.get_object(Bucket=bucket, Key="copied")["Body"].read()
        assert body == (b"0123456789" * 600_000)[5:5242890]
        status, error = refused(s3.upload_part_copy, **place, CopySource=source)
        assert (status, error["Code"]) == (404, "NoSuchUpload")

    def test_copy(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="a b", Body=b"hello", ContentType="text/plain", Metadata={"color": "blue"})
        source = {"Bucket": bucket, "Key": "a b"}
        copied = s3.copy_object(Bucket=bucket, Key="c", CopySource=source)["CopyObjectResult"]
        assert copied["ETag"] == f'"{hashlib.md5(b"hello").hexdigest()}"'
        head = s3.head_object(Bucket=bucket, Key="c")
        assert (head["ContentType"], head["Metadata"]) == ("text/plain", {"color": "blue"})
        status, error = refused(s3.copy_object, Bucket=bucket, Key="a b", CopySource=source)
        assert (status, error["Code"]) == (400, "InvalidRequest")
        s3.copy_object(
            Bucket=bucket, Key="a b", CopySource=source, MetadataDirective="REPLACE", Metadata={"new": "1"}
        )
        assert s3.head_object(Bucket=bucket, Key="a b")["Metadata"] == {"new": "1"}
        status, error = refused(
            s3.copy_object, Bucket=bucket, Key="d", CopySource={"Bucket": bucket, "Key": "missing"}
        )
        assert (status, error["Code"], error["Key"]) == (404, "NoSuchKey", "missing")

    def test_presigned_and_plain_requests(self, s3, bucket, endpoint):
        s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
        url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
        assert urllib.request.urlopen(url).read() == b"hello"
        url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "p"})
        urllib.request.urlopen(urllib.request.Request(url, data=b"by url", method="PUT"))
        assert body(s3, bucket, "p") == b"by url"
        anonymous = boto3.client(
            "s3", endpoint_url=endpoint, region_name="us-east-1", config=Config(signature_version=UNSIGNED)
        )
        assert body(anonymous, bucket, "k") == b"hello"
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{endpoint}/{bucket}/missing")
        assert caught.value.code == 404 and b"<Code>NoSuchKey</Code>" in caught.value.read()

    @staticmethod
    def put_raw(endpoint, path, data, **headers):
        request = urllib.request.Request(f"{endpoint}/{path}", data=data, method="PUT", headers=headers)
        try:
            return urllib.request.urlopen(request).status, b""
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def test_framed_bodies_with_trailers(self, s3, bucket, endpoint):
        data = os.urandom(100_000)
        headers = {
            "Content-Encoding": "aws-chunked",
            "X-Amz-Content-Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "X-Amz-Decoded-Content-Length": str(len(data)),
            "X-Amz-Trailer": "x-amz-checksum-crc32c",
        }

        def framed(checksum):
            chunks = b"".join(
                b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (data[:65536], data[65536:])
            )
            value = base64.b64encode(crc(checksum, 32, 0x82F63B78))
            return chunks + b"0\r\nx-amz-checksum-crc32c:" + value + b"\r\n\r\n"

        status, answer = self.put_raw(endpoint, f"{bucket}/k", framed(b"other"), **headers)
        assert status == 400 and b"<Code>BadDigest</Code>" in answer
        assert keys(s3, bucket) == []
        assert self.put_raw(endpoint, f"{bucket}/k", framed(data), **headers) == (200, b"")
        assert body(s3, bucket, "k") == data
        head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
        assert head["ChecksumCRC32C"] and "ContentEncoding" not in head

    def test_a_body_that_is_cut_off_leaves_nothing(self, s3, bucket, endpoint):
        host, port = endpoint.removeprefix("http://").split(":")
        for sent in [b"", b"x" * 500_000]:
            with socket.create_connection((host, int(port))) as connection:
                connection.sendall(
                    f"PUT /{bucket}/k HTTP/1.1\r\nHost: s3\r\nContent-Length: 1000000\r\n\r\n".encode() + sent
                )
        assert keys(s3, bucket) == []
        assert refused(s3.get_object, Bucket=bucket, Key="k")[1]["Code"] == "NoSuchKey"

    def test_virtual_hosts(self, s3, bucket, endpoint):
        s3.put_object(Bucket=bucket, Key="a/k", Body=b"hello")
        port = endpoint.rsplit(":", 1)[1]
        request = urllib.request.Request(f"{endpoint}/a/k", headers={"Host": f"{bucket}.localhost:{port}"})
        assert urllib.request.urlopen(request).read() == b"hello"

    def test_a_reader_keeps_what_it_began(self, s3, bucket):
        data = os.urandom(8 * MIB)
        s3.put_object(Bucket=bucket, Key="k", Body=data)
        reading = s3.get_object(Bucket=bucket, Key="k")["Body"]
        first = reading.read(1000)
        s3.put_object(Bucket=bucket, Key="k", Body=b"new")
        s3.delete_object(Bucket=bucket, Key="k")
        assert first + reading.read() == data


class TestListing:
    KEYS = ["a", "a/1", "a/2", "b/1", "c", "d/e/f", "é", "\U00010000"]

    @pytest.fixture
    def filled(self, s3, bucket):
        for key in self.KEYS:
            s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        return bucket

    @pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
    @pytest.mark.parametrize("size", [1, 2, 1000])
    def test_pages(self, s3, filled, operation, size):
        lines = []
        pages = s3.get_paginator(operation)
        for page in pages.paginate(Bucket=filled, Delimiter="/", PaginationConfig={"PageSize": size}):
            found = [one["Key"] for one in page.get("Contents", [])]
            found += [one["Prefix"] for one in page.get("CommonPrefixes", [])]
            assert len(found) <= size
            lines += sorted(found, key=str.encode)
        assert lines == ["a", "a/", "b/", "c", "d/", "é", "\U00010000"]

    def test_prefixes_and_places(self, s3, filled):
        assert keys(s3, filled) == self.KEYS
        assert keys(s3, filled, Prefix="a/") == ["a/1", "a/2"]
        assert keys(s3, filled, StartAfter="c") == ["d/e/f", "é", "\U00010000"]
        assert s3.list_objects_v2(Bucket=filled, MaxKeys=0)["KeyCount"] == 0
        first = s3.list_objects_v2(Bucket=filled, Prefix="d/", Delimiter="/")
        assert first["CommonPrefixes"] == [{"Prefix": "d/e/"}]
        assert "Owner" not in s3.list_objects_v2(Bucket=filled)["Contents"][0]
        assert s3.list_objects_v2(Bucket=filled, FetchOwner=True)["Contents"][0]["Owner"]["ID"]
        status, error = refused(s3.list_objects_v2, Bucket=filled, ContinuationToken="forged")
        assert (status, error["Message"]) == (400, "The continuation token provided is incorrect")
        status, error = refused(s3.list_objects_v2, Bucket=filled, MaxKeys=-1)
        assert (status, error["Code"]) == (400, "InvalidArgument")


class TestMultipart:
    CONFIG = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=4)

    def test_transfer(self, s3, bucket, tmp_path):
        data = os.urandom(17 * MIB + 123)
        (tmp_path / "up").write_bytes(data)
        s3.upload_file(str(tmp_path / "up"), bucket, "k", Config=self.CONFIG)
        head = s3.head_object(Bucket=bucket, Key="k")
        digests = b"".join(
            hashlib.md5(data[start : start + 5 * MIB]).digest() for start in range(0, len(data), 5 * MIB)
        )
        assert head["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-4"'
        s3.download_file(bucket, "k", str(tmp_path / "down"), Config=self.CONFIG)
        assert (tmp_path / "down").read_bytes() == data
        assert body(s3, bucket, "k", Range="bytes=5242870-5242890") == data[5242870:5242891]
        part = s3.get_object(Bucket=bucket, Key="k", PartNumber=4)
        assert (part["PartsCount"], part["Body"].read()) == (4, data[15 * MIB :])
        s3.copy({"Bucket": bucket, "Key": "k"}, bucket, "copy", Config=self.CONFIG)
        assert body(s3, bucket, "copy") == data

    def test_by_hand(self, s3, bucket):
        at = {"Bucket": bucket, "Key": "k"}
        at["UploadId"] = s3.create_multipart_upload(**at, Metadata={"color": "blue"})["UploadId"]
        big = os.urandom(5 * MIB)
        etags = {
            number: s3.upload_part(**at, PartNumber=number, Body=part)["ETag"]
            for number, part in [(7, b"end"), (2, big), (9, b"unused")]
        }
        listed = s3.list_parts(**at, MaxParts=2)
        assert [part["PartNumber"] for part in listed["Parts"]] == [2, 7]
        assert listed["IsTruncated"] and listed["NextPartNumberMarker"] == 7
        assert refused(s3.head_object, Bucket=bucket, Key="k")[0] == 404

        def complete(*numbers):
            parts = [{"PartNumber": number, "ETag": etags.get(number, '"x"')} for number in numbers]
            return s3.complete_multipart_upload(**at, MultipartUpload={"Parts": parts})

        status, error = refused(complete, 7, 2)
        assert (status, error["Code"], error["UploadId"]) == (400, "InvalidPartOrder", at["UploadId"])
        status, error = refused(complete, 2, 3)
        assert (error["Code"], error["PartNumber"]) == ("InvalidPart", "3")
        status, error = refused(complete, 7, 9)
        assert (error["Code"], error["ProposedSize"], error["MinSizeAllowed"]) == ("EntityTooSmall", "3", "5242880")
        done = complete(2, 7)
        assert done["ETag"].endswith('-2"')
        assert complete(2, 7)["ETag"] == done["ETag"], "a retry gets the same answer"
        assert body(s3, bucket, "k") == big + b"end"
        assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {"color": "blue"}

    @pytest.mark.parametrize("kind", ["FULL_OBJECT", "COMPOSITE"])
    def test_the_checksum_of_the_object(self, s3, bucket, kind):
        at = {"Bucket": bucket, "Key": "k"}
        at["UploadId"] = s3.create_multipart_upload(**at, ChecksumAlgorithm="CRC32", ChecksumType=kind)["UploadId"]
        bodies = [os.urandom(5 * MIB), b"end"]
        crcs = [zlib.crc32(part).to_bytes(4, "big") for part in bodies]
        values = [base64.b64encode(value).decode() for value in crcs]
        parts = []
        for number, (part, value) in enumerate(zip(bodies, values), 1):
            sent = s3.upload_part(**at, PartNumber=number, Body=part, ChecksumCRC32=value)
            parts.append({"PartNumber": number, "ETag": sent["ETag"], "ChecksumCRC32": value})
        whole = b"".join(bodies if kind == "FULL_OBJECT" else crcs)
        whole = base64.b64encode(zlib.crc32(whole).to_bytes(4, "big")).decode()
        whole += "" if kind == "FULL_OBJECT" else "-2"
        complete = lambda **more: s3.complete_multipart_upload(**at, MultipartUpload={"Parts": parts}, **more)
        assert refused(complete, ChecksumCRC32="AAAAAA==")[1]["Code"] == "BadDigest"
        done = complete(ChecksumCRC32=whole)
        assert (done["ChecksumCRC32"], done["ChecksumType"]) == (whole, kind)
        at.pop("UploadId")
        told = lambda answer: (answer["ChecksumCRC32"], answer["ChecksumType"])
        for number, value in enumerate(values, 1):
            for read in (s3.head_object, s3.get_object):
                assert told(read(**at, PartNumber=number, ChecksumMode="ENABLED")) == (value, kind)
        assert told(s3.head_object(**at, ChecksumMode="ENABLED")) == (whole, kind)

    def test_conditions_against_what_happens_in_between(self, s3, bucket):
        at = {"Bucket": bucket, "Key": "k"}

        def begin():
            upload = s3.create_multipart_upload(**at)["UploadId"]
            part = s3.upload_part(**at, UploadId=upload, PartNumber=1, Body=b"x")
            parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
            return lambda **more: s3.complete_multipart_upload(**at, UploadId=upload, MultipartUpload=parts, **more)

        def code(complete, **condition):
            status, error = refused(complete, **condition)
            return status, error["Code"], error.get("Condition")

        old = s3.put_object(**at, Body=b"old")["ETag"]
        complete = begin()
        new = s3.put_object(**at, Body=b"new")["ETag"]
        assert code(complete, IfMatch=old) == (412, "PreconditionFailed", "If-Match")
        assert code(complete, IfMatch=new) == (409, "ConditionalRequestConflict", "If-Match")
        s3.delete_object(**at)
        assert code(complete, IfMatch=new)[:2] == (404, "NoSuchKey")
        assert code(complete, IfNoneMatch="*") == (409, "ConditionalRequestConflict", "If-None-Match")
        again = begin()
        again(IfNoneMatch="*")
        assert code(begin(), IfNoneMatch="*") == (412, "PreconditionFailed", "If-None-Match")
        for upload in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]:
            s3.abort_multipart_upload(**at, UploadId=upload["UploadId"])

    def test_abort(self, s3, bucket):
        at = {"Bucket": bucket, "Key": "k"}
        at["UploadId"] = s3.create_multipart_upload(**at)["UploadId"]
        s3.upload_part(**at, PartNumber=1, Body=b"x")
        assert len(s3.list_multipart_uploads(Bucket=bucket)["Uploads"]) == 1
        s3.abort_multipart_upload(**at)
        for call in [s3.abort_multipart_upload, s3.list_parts]:
            status, error = refused(call, **at)
            assert (status, error["Code"], error["UploadId"]) == (404, "NoSuchUpload", at["UploadId"])
        status, error = refused(s3.upload_part, **at, PartNumber=1, Body=b"x")
        assert (status, error["Code"]) == (404, "NoSuchUpload")


class TestCommandLine:
    def test_files_and_folders(self, server, s3, name, tmp_path):
        here, back = tmp_path / "here", tmp_path / "back"
        files = {"one.txt": b"one", "sub/two.bin": os.urandom(9 * MIB), "sub/a b+c.txt": b"three"}
        for path, data in files.items():
            (here / path).parent.mkdir(parents=True, exist_ok=True)
            (here / path).write_bytes(data)
        server.aws("s3", "mb", f"s3://{name}")
        server.aws("s3", "cp", "--recursive", here, f"s3://{name}/all/")
        assert keys(s3, name) == sorted(f"all/{path}" for path in files)
        listed = server.aws("s3", "ls", f"s3://{name}/all/")
        assert "PRE sub/" in listed and "one.txt" in listed
        server.aws("s3", "sync", f"s3://{name}/all", back)
        assert {path: (back / path).read_bytes() for path in files} == files
        assert server.aws("s3", "sync", f"s3://{name}/all", back) == "", "nothing has changed"
        (back / "one.txt").unlink()
        server.aws("s3", "sync", "--delete", back, f"s3://{name}/all")
        assert keys(s3, name) == ["all/sub/a b+c.txt", "all/sub/two.bin"]
        server.aws("s3", "mv", f"s3://{name}/all/sub/two.bin", f"s3://{name}/moved")
        assert body(s3, name, "moved") == files["sub/two.bin"]
        server.aws("s3", "rm", "--recursive", f"s3://{name}/all")
        assert keys(s3, name) == ["moved"]
        server.aws("s3", "rb", "--force", f"s3://{name}")
        assert name not in server.aws("s3", "ls")

    def test_pipes(self, server, s3, bucket):
        server.aws("s3", "cp", "-", f"s3://{bucket}/k", input="from a pipe")
        assert server.aws("s3", "cp", f"s3://{bucket}/k", "-") == "from a pipe"


class TestAnotherStore:
    """Objects kept in another S3-compatible store: here in a second server."""

    @pytest.fixture
    def near(self, new_server):
        self.far = new_server()
        return new_server("--objects", "s3", "--objects-endpoint-url", self.far.endpoint)

    def test_objects_are_there(self, near, tmp_path):
        s3, far = near.client("s3"), self.far.client("s3")
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="a b", Body=b"hello", Metadata={"color": "blue"})
        assert far.head_object(Bucket="bucket", Key="a b")["Metadata"] == {"color": "blue"}
        assert body(s3, "bucket", "a b", Range="bytes=1-3") == b"ell"
        encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "arn:aws:kms:us-east-1:000000000000:key/k"}
        s3.put_object(Bucket="bucket", Key="a c", Body=b"hello", **encrypted)
        for client in (s3, far):
            assert client.head_object(Bucket="bucket", Key="a c").items() >= encrypted.items()
        s3.delete_object(Bucket="bucket", Key="a c")
        data = os.urandom(17 * MIB)
        (tmp_path / "up").write_bytes(data)
        s3.upload_file(str(tmp_path / "up"), "bucket", "big", Config=TestMultipart.CONFIG)
        s3.download_file("bucket", "big", str(tmp_path / "down"), Config=TestMultipart.CONFIG)
        assert (tmp_path / "down").read_bytes() == data
        assert keys(far, "bucket") == keys(s3, "bucket") == ["a b", "big"]
        near.aws("s3", "cp", tmp_path / "up", "s3://bucket/by/cli")
        assert near.aws("s3", "ls", "s3://bucket").split()[:2] == ["PRE", "by/"]
        status, error = refused(s3.get_object, Bucket="bucket", Key="missing")
        assert (status, error["Code"], error["Key"]) == (404, "NoSuchKey", "missing")
        near.aws("s3", "rb", "--force", "s3://bucket")
        assert far.list_buckets()["Buckets"] == []


class Pattern(io.RawIOBase):
    """A file of `size` bytes that is never in memory."""

    def __init__(self, size):
        self.size, self.at = size, 0
        self.block = bytes(range(256)) * 4096

    def readable(self):
        return True

    def read(self, count=-1):
        left = self.size - self.at
        count = min(left if count < 0 else count, len(self.block))
        self.at += min(count, left)
        return self.block[: min(count, left)]


class TestMemoryAndCrashes:
    @pytest.mark.alone
    def test_memory_stays_flat(self, new_server):
        server = new_server()
        s3 = server.client("s3", read_timeout=300)
        s3.create_bucket(Bucket="big")
        before = server.memory_mib()
        size = 256 * MIB
        url = s3.generate_presigned_url("put_object", Params={"Bucket": "big", "Key": "k"})
        request = urllib.request.Request(
            url, data=Pattern(size), method="PUT", headers={"Content-Length": str(size)}
        )
        urllib.request.urlopen(request).read()
        assert s3.head_object(Bucket="big", Key="k")["ContentLength"] == size
        reading, read = s3.get_object(Bucket="big", Key="k")["Body"], 0
        for chunk in reading.iter_chunks(MIB):
            read += len(chunk)
        assert read == size
        assert server.memory_mib(peak=True) < before + 32

    def test_what_was_acknowledged_survives_a_kill(self, new_server):
        server = new_server()
        s3 = server.client("s3")
        s3.create_bucket(Bucket="bucket")
        kept = {}
        for number in range(30):
            data = os.urandom(10_000 * (number % 5))
            s3.put_object(Bucket="bucket", Key=f"k{number % 7}", Body=data)
            kept[f"k{number % 7}"] = data
        # A put that is still going on when the server dies.
        dying = threading.Thread(target=lambda: _try_put(s3, "half", Pattern(64 * MIB), 64 * MIB))
        dying.start()
        server.restart()
        dying.join()
        s3 = server.client("s3")
        found = {key: body(s3, "bucket", key) for key in keys(s3, "bucket") if key != "half"}
        assert found == kept


def _try_put(s3, key, data, size):
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "bucket", "Key": key})
    request = urllib.request.Request(url, data=data, method="PUT", headers={"Content-Length": str(size)})
    try:
        urllib.request.urlopen(request).read()
    except OSError:
        pass


def test_a_presigned_address_says_what_headers_would(server, bucket):
    """boto3 with version 2, and the JavaScript SDK with version 4, put what would be headers into the address."""
    s3 = server.client("s3", signature_version="s3")
    params = {"Bucket": bucket, "Key": "k", "Metadata": {"colour": "blue"}, "Tagging": "a=1"}
    address = s3.generate_presigned_url("put_object", Params=params)
    assert "x-amz-meta-colour=blue" in address and "x-amz-tagging=a" in address

    def put(body, more=""):
        request = urllib.request.Request(address + more, data=body, method="PUT", headers={"Content-Type": ""})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    assert put(b"first") == 200
    assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {"colour": "blue"}
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "a", "Value": "1"}]
    assert put(b"second", "&if-none-match=*") == 412
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    assert put(b"third", "&x-amz-checksum-sha256=" + urllib.parse.quote(wrong)) == 400
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"first"
