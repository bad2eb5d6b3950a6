"""Signatures: boto3, the AWS CLI and raw requests, signed rightly, wrongly and not at all; botocore is the oracle."""

import hashlib
import html
import http.client
import io
import json
import re
import socket
import subprocess
import urllib.parse
import urllib.request
import zlib
from base64 import b64encode
from datetime import datetime, timedelta, timezone
from unittest import mock

import boto3
import botocore.auth
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from headwater import BINARY, ROOT, clean_environment
from test_lambda import ROLE, package

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TEMPORARY = ("ASIDEXAMPLE", "temporary-secret", "token/+==")
JSON = "application/x-amz-json-1.1"
ODD_KEYS = ["plain", "a b+c", "a+b", "ü/日本 語", "%41%2F", "a//b", "./..", "q?x=1&y=2#z", "~tilde*'()!", "a=b:c@d,e;f"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    from headwater import Server

    folder = tmp_path_factory.mktemp("auth")
    file = folder / "credentials"
    id, secret, token = TEMPORARY
    file.write_text(
        f"[temporary]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\naws_session_token = {token}\n"
    )
    keys = ["--access-key-id", KEY, "--secret-access-key", SECRET, "--credentials", file]
    server = Server(folder / "data", *keys).start()
    yield server
    assert server.stop() == 0
    assert SECRET not in server.log.read_text() and secret not in server.log.read_text()


@pytest.fixture
def client(server):
    def make(service, key=KEY, secret=SECRET, token=None, region="us-east-1", **config):
        return boto3.client(
            service,
            endpoint_url=server.endpoint,
            region_name=region,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"max_attempts": 0}, **config),
        )

    return make


@pytest.fixture
def bucket(client, name):
    client("s3").create_bucket(Bucket=name)
    return name


def error_of(call, *arguments, **more):
    with pytest.raises(ClientError) as caught:
        call(*arguments, **more)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"].get("Message")


def clock(offset):
    """botocore's clock, so many seconds off."""
    now = datetime.now(timezone.utc) + timedelta(seconds=offset)
    naive = now.replace(tzinfo=None)
    names = {"get_current_datetime": lambda *_, **__: naive}
    return mock.patch.multiple(botocore.auth, **names)


def send(server, request, body=None, headers=None):
    """A prepared request as it is, byte for byte; status, headers and body of the answer."""
    parts = urllib.parse.urlsplit(request.url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        body = request.body if body is None else body
        length = {"Content-Length": str(len(body))} if body else {}
        connection.request(request.method, path, body, {**dict(request.headers), **length, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def kinesis(server, body=b"{}", key=KEY, secret=SECRET, token=None, region="us-east-1", service="kinesis", signer=SigV4Auth):
    headers = {"X-Amz-Target": "Kinesis_20131202.ListStreams", "Content-Type": JSON, "Host": f"127.0.0.1:{server.port}"}
    request = AWSRequest("POST", f"{server.endpoint}/", data=body, headers=headers)
    signer(Credentials(key, secret, token), service, region).add_auth(request)
    return request.prepare()


def json_error(answer):
    status, _, body = answer
    error = json.loads(body)
    return status, error["__type"], error["message"]


def xml_error(answer):
    status, _, body = answer
    text = html.unescape(body.decode())
    return status, re.search("<Code>(.*)</Code>", text)[1], re.search("<Message>(.*?)</Message>", text, re.S)[1]


INVALID = "The security token included in the request is invalid."
MISMATCH = "The request signature we calculated does not match the signature you provided."


class TestJsonServices:
    def test_signed_requests_of_all_services_are_answered(self, client, name):
        kinesis = client("kinesis")
        kinesis.create_stream(StreamName=name, ShardCount=1)
        kinesis.get_waiter("stream_exists").wait(StreamName=name)
        kinesis.put_record(StreamName=name, PartitionKey="k", Data=b"x" * 1000)
        assert client("firehose").list_delivery_streams()["DeliveryStreamNames"] == []
        client("logs").create_log_group(logGroupName=name)
        assert client("lambda").list_functions()["Functions"] == []
        assert "Buckets" in client("s3").list_buckets()

    def test_who_has_no_key_is_refused_by_all(self, client):
        calls = {
            "kinesis": (400, lambda c: c.list_streams),
            "firehose": (400, lambda c: c.list_delivery_streams),
            "logs": (400, lambda c: c.describe_log_groups),
            "lambda": (403, lambda c: c.list_functions),
        }
        for service, (status, call) in calls.items():
            unknown = error_of(call(client(service, key="NOBODY")))
            assert unknown == (status, "UnrecognizedClientException", INVALID), service
            wrong = error_of(call(client(service, secret="guess")))
            assert wrong[:2] == (status, "InvalidSignatureException") and wrong[2].startswith(MISMATCH), service
        assert error_of(client("s3", key="NOBODY").list_buckets)[:2] == (403, "InvalidAccessKeyId")
        assert error_of(client("s3", secret="guess").list_buckets)[:2] == (403, "SignatureDoesNotMatch")

    def test_no_signature_is_a_missing_token(self, server):
        bare = kinesis(server)
        del bare.headers["Authorization"]
        missing = (400, "MissingAuthenticationTokenException", "Missing Authentication Token")
        assert json_error(send(server, bare)) == missing
        # As recorded on AWS: what is no request at all is told first.
        bare.body = b"hello"
        assert json.loads(send(server, bare)[2]) == {"__type": "SerializationException"}
        bare.headers["X-Amz-Target"] = "Kinesis_20131202.Nothing"
        bare.body = b"{}"
        assert json.loads(send(server, bare)[2]) == {"__type": "UnknownOperationException"}

    def test_a_lambda_without_signature(self, server):
        with pytest.raises(urllib.request.HTTPError) as caught:
            urllib.request.urlopen(f"{server.endpoint}/2015-03-31/functions/")
        assert caught.value.code == 403
        assert caught.value.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"
        assert json.loads(caught.value.read()) == {"message": "Missing Authentication Token"}

    def test_the_signature_covers_body_headers_and_address(self, server):
        good = kinesis(server)
        assert send(server, good)[0] == 200
        for tampered in (
            send(server, good, body=b'{"Limit": 1}'),
            send(server, good, headers={"X-Amz-Target": "Kinesis_20131202.DescribeLimits"}),
            send(server, kinesis(server, secret="guess")),
        ):
            status, code, text = json_error(tampered)
            assert (status, code) == (400, "InvalidSignatureException")
            assert "The Canonical String for this request should have been\n'POST\n/\n\n" in text
        good.url += "?a=b"
        assert json_error(send(server, good))[1] == "InvalidSignatureException"

    def test_scope(self, server):
        text = "Credential should be scoped to a valid region, not 'nowhere'."
        assert json_error(send(server, kinesis(server, region="nowhere"))) == (400, "InvalidSignatureException", text)
        text = "Credential should be scoped to correct service: 'kinesis'."
        assert json_error(send(server, kinesis(server, service="ec2"))) == (400, "InvalidSignatureException", text)

    @pytest.mark.parametrize("offset, text", [(-290, None), (290, None), (-310, "expired"), (310, "not yet current")])
    def test_clocks(self, server, offset, text):
        with clock(offset):
            request = kinesis(server)
        answer = send(server, request)
        if text is None:
            assert answer[0] == 200
        else:
            status, code, message = json_error(answer)
            assert (status, code) == (400, "InvalidSignatureException")
            assert re.match(rf"Signature {text}: \d{{8}}T\d{{6}}Z is .* 5 min\.\)$", message), message

    def test_session_tokens(self, server, client):
        id, secret, token = TEMPORARY
        assert "StreamNames" in client("kinesis", id, secret, token).list_streams()
        assert "Buckets" in client("s3", id, secret, token).list_buckets()
        for given in (None, "other"):
            status, code, _ = error_of(client("kinesis", id, secret, given).list_streams)
            assert (status, code) == (400, "UnrecognizedClientException")
        assert error_of(client("s3", id, secret, "other").list_buckets)[:2] == (400, "InvalidToken")

    def test_a_presigned_call(self, server):
        class Presigner(SigV4QueryAuth):
            """botocore makes the body a part of the address, and signs an empty one."""

            def payload(self, request):
                return hashlib.sha256(b"{}").hexdigest()

        request = kinesis(server, signer=Presigner)
        assert "X-Amz-Signature" in request.url and send(server, request, body=b"{}")[0] == 200
        assert json_error(send(server, request, body=b"{ }"))[1] == "InvalidSignatureException"
        request.url = request.url.replace("X-Amz-SignedHeaders", "X-Amz-SignedHeads")
        status, code, text = json_error(send(server, request, body=b"{}"))
        assert (status, code) == (400, "IncompleteSignatureException")
        assert text.startswith("AWS query-string parameters must include 'X-Amz-SignedHeaders'. Re-examine")

    def test_cbor_is_refused_in_cbor(self, server):
        request = kinesis(server, secret="guess")
        request.headers["Content-Type"] = "application/x-amz-cbor-1.1"
        status, headers, body = send(server, request, body=b"\xa0")
        assert (status, headers["content-type"]) == (400, "application/x-amz-cbor-1.1")
        assert b"InvalidSignatureException" in body

    def test_lambda_with_characters_that_are_escaped_twice(self, client):
        for function in ("arn:aws:lambda:us-east-1:000000000000:function:f", "f:1"):
            assert error_of(client("lambda").get_function, FunctionName=function)[0] in (400, 404)
        tags = client("lambda")
        arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
        assert error_of(tags.untag_resource, Resource=arn, TagKeys=["a b", "ü+/=@"])[1] == "ResourceNotFoundException"

    def test_health_and_preflight_stay_open(self, server):
        assert server.health() == 200
        asked = {"Origin": "x", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-amz-target"}
        request = urllib.request.Request(f"{server.endpoint}/", headers=asked, method="OPTIONS")
        assert urllib.request.urlopen(request).status == 200


class TestS3:
    def test_keys_with_odd_characters(self, client, bucket):
        s3 = client("s3")
        for key in ODD_KEYS:
            s3.put_object(Bucket=bucket, Key=key, Body=key.encode(), Metadata={"note": "two  blanks"})
            assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
        listed = s3.list_objects_v2(Bucket=bucket)["Contents"]
        assert sorted(o["Key"] for o in listed) == sorted(ODD_KEYS)
        for key in ODD_KEYS:
            found = s3.list_objects_v2(Bucket=bucket, Prefix=key, StartAfter=" +&=ü")
            assert found["ResponseMetadata"]["HTTPStatusCode"] == 200, key
        copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "ü/日本 語"})
        assert copied["ResponseMetadata"]["HTTPStatusCode"] == 200
        deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in [*ODD_KEYS, "copy"]]})
        assert len(deleted["Deleted"]) == len(ODD_KEYS) + 1

    # Without being told otherwise boto3 presigns in version 2 here.
    @pytest.mark.parametrize("version", [None, "s3v4"])
    def test_presigned_addresses(self, client, bucket, version):
        s3 = client("s3", signature_version=version)
        for key in [*ODD_KEYS[:5], ODD_KEYS[-1]]:
            params = {"Bucket": bucket, "Key": key}
            put = s3.generate_presigned_url("put_object", Params=params, ExpiresIn=60)
            request = urllib.request.Request(put, data=b"there", method="PUT", headers={"Content-Type": ""})
            assert urllib.request.urlopen(request).status == 200
            get = s3.generate_presigned_url(
                "get_object", Params={**params, "ResponseContentDisposition": 'attachment; filename="a b+ü.txt"'}
            )
            answer = urllib.request.urlopen(get)
            assert (answer.read(), answer.headers["content-disposition"] is not None) == (b"there", True)
        id, secret, token = TEMPORARY
        get = client("s3", id, secret, token, signature_version=version).generate_presigned_url("get_object", Params=params)
        assert urllib.request.urlopen(get).read() == b"there"

    def test_presigned_addresses_of_version_2(self, client, bucket):
        s3 = client("s3")
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
        assert "AWSAccessKeyId=" in url and urllib.request.urlopen(url).read() == b"x"
        assert self.presigned_error(url.replace("/k?", "/j?"))[:2] == (403, "SignatureDoesNotMatch")
        assert self.presigned_error(url, method="DELETE")[:2] == (403, "SignatureDoesNotMatch")
        late = re.sub("Expires=[0-9]+", "Expires=1000000000", url)
        assert self.presigned_error(late) == (403, "AccessDenied", "Request has expired")
        header = {"Authorization": "AWS " + KEY + ":c2ln"}
        assert self.presigned_error(url.split("?")[0], headers=header)[1] == "InvalidRequest"

    def presigned_error(self, url, **more):
        with pytest.raises(urllib.request.HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request(url, **more))
        return xml_error((caught.value.code, None, caught.value.read()))

    def test_presigned_addresses_that_are_no_good(self, client, bucket):
        s3 = client("s3", signature_version="s3v4")
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        params = {"Bucket": bucket, "Key": "k"}
        with clock(-120):
            old = s3.generate_presigned_url("get_object", Params=params, ExpiresIn=60)
            new = s3.generate_presigned_url("get_object", Params=params, ExpiresIn=180)
        assert urllib.request.urlopen(new).read() == b"x"
        assert self.presigned_error(old) == (403, "AccessDenied", "Request has expired")
        other = new.replace("/k?", "/other?")
        assert self.presigned_error(other)[:2] == (403, "SignatureDoesNotMatch")
        assert self.presigned_error(new, method="DELETE")[:2] == (403, "SignatureDoesNotMatch")
        longer = new.replace("X-Amz-Expires=180", "X-Amz-Expires=1800")
        assert self.presigned_error(longer)[:2] == (403, "SignatureDoesNotMatch")
        assert self.presigned_error(new, headers={"x-amz-acl": "public-read"})[2].startswith("There were headers")
        forever = s3.generate_presigned_url("get_object", Params=params, ExpiresIn=604801)
        assert self.presigned_error(forever)[:2] == (400, "AuthorizationQueryParametersError")
        far = client("s3", region="nowhere", signature_version="s3v4").generate_presigned_url("get_object", Params=params)
        text = "Error parsing the X-Amz-Credential parameter; the region 'nowhere' is wrong; expecting 'us-east-1'"
        assert self.presigned_error(far) == (400, "AuthorizationQueryParametersError", text)

    def request(self, server, method, path, body=b"", service="s3", region="us-east-1", headers=None):
        headers = {"Host": f"127.0.0.1:{server.port}", **(headers or {})}
        request = AWSRequest(method, server.endpoint + path, data=body, headers=headers)
        signer = S3SigV4Auth(Credentials(KEY, SECRET), service, region)
        signer.add_auth(request)
        return request.prepare()

    def test_errors_in_s3s_words(self, server, bucket):
        def error(request, **more):
            return xml_error(send(server, request, **more))

        anonymous = AWSRequest("GET", f"{server.endpoint}/{bucket}").prepare()
        assert error(anonymous) == (403, "AccessDenied", "Access Denied")
        malformed = "The authorization header is malformed; "
        assert error(self.request(server, "GET", f"/{bucket}", region="nowhere")) == (
            400,
            "AuthorizationHeaderMalformed",
            f"{malformed}the region 'nowhere' is wrong; expecting 'us-east-1'",
        )
        status, code, text = error(self.request(server, "GET", f"/{bucket}", service="nothing"))
        assert (status, code) == (400, "AuthorizationHeaderMalformed") and "belongs to" in text
        with clock(-16 * 60):
            old = self.request(server, "GET", f"/{bucket}")
        assert error(old)[:2] == (403, "RequestTimeTooSkewed")
        with clock(-14 * 60):
            assert send(server, self.request(server, "GET", f"/{bucket}"))[0] == 200
        put = self.request(server, "PUT", f"/{bucket}/k", b"one")
        assert error(put, body=b"two")[:2] == (400, "XAmzContentSHA256Mismatch")
        assert error(put, headers={"x-amz-copy-source": f"/{bucket}/k"})[2].startswith("There were headers")
        body = send(server, self.request(server, "GET", f"/{bucket}/k"), headers={"x-amz-date": put.headers["X-Amz-Date"][:-2] + "1Z"})[2]
        for field in ("AWSAccessKeyId", "StringToSign", "SignatureProvided", "StringToSignBytes", "CanonicalRequest"):
            assert f"<{field}>".encode() in body, body
        head = self.request(server, "HEAD", f"/{bucket}", region="nowhere")
        assert send(server, head)[::2] == (400, b"")

    def test_nothing_of_a_refused_body_is_kept(self, server, client, bucket):
        put = self.request(server, "PUT", f"/{bucket}/k", b"one")
        send(server, put, body=b"two")
        assert error_of(client("s3").get_object, Bucket=bucket, Key="k")[1] == "NoSuchKey"

    def test_unsigned_payloads(self, server, client, bucket):
        s3 = client("s3", s3={"payload_signing_enabled": False})
        s3.put_object(Bucket=bucket, Key="k", Body=io.BytesIO(b"y" * 300_000))
        assert s3.get_object(Bucket=bucket, Key="k")["ContentLength"] == 300_000

    @pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
    def test_uploads_of_boto3_with_trailing_checksums(self, client, bucket, algorithm):
        s3 = client("s3")
        body = bytes(range(256)) * 4096
        s3.put_object(Bucket=bucket, Key="k", Body=io.BytesIO(body), ChecksumAlgorithm=algorithm)
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == body

    def test_multipart_uploads(self, client, bucket, tmp_path):
        file = tmp_path / "large"
        file.write_bytes(b"0123456789" * 1_800_000)
        client("s3").upload_file(str(file), bucket, "large")
        assert client("s3").head_object(Bucket=bucket, Key="large")["ContentLength"] == 18_000_000


class Chunks:
    """A body in signed chunks, made after AWS's documentation and independent of the server."""

    def __init__(self, server, path, chunks, trailer=None):
        kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
        headers = {
            "Host": f"127.0.0.1:{server.port}",
            "Content-Encoding": "aws-chunked",
            "X-Amz-Content-SHA256": kind + ("-TRAILER" if trailer else ""),
            "X-Amz-Decoded-Content-Length": str(sum(map(len, chunks))),
        }
        if trailer:
            headers["X-Amz-Trailer"] = trailer[0]
        request = AWSRequest("PUT", server.endpoint + path, headers=headers)
        self.auth = S3SigV4Auth(Credentials(KEY, SECRET), "s3", "us-east-1")
        # botocore puts a hash of its own in the place of the words.
        with mock.patch.object(self.auth, "payload", lambda _: headers["X-Amz-Content-SHA256"]):
            self.auth.add_auth(request)
        self.prepared = request.prepare()
        self.prepared.headers["X-Amz-Content-SHA256"] = headers["X-Amz-Content-SHA256"]
        self.request = request
        self.previous = re.search("Signature=([0-9a-f]+)", request.headers["Authorization"])[1]
        self.parts = [self.chunk(chunk) for chunk in [*chunks, b""]]
        if trailer:
            line = f"{trailer[0]}:{trailer[1]}\n".encode()
            signature = self.sign("AWS4-HMAC-SHA256-TRAILER", hashlib.sha256(line).hexdigest())
            self.parts[-1] = self.parts[-1][:-2]
            self.parts.append(line.strip() + f"\r\nx-amz-trailer-signature:{signature}\r\n\r\n".encode())

    def sign(self, algorithm, rest):
        time = self.request.context["timestamp"]
        text = f"{algorithm}\n{time}\n{self.auth.credential_scope(self.request)}\n{self.previous}\n{rest}"
        self.previous = self.auth.signature(text, self.request)
        return self.previous

    def chunk(self, data):
        empty, hashed = hashlib.sha256().hexdigest(), hashlib.sha256(data).hexdigest()
        signature = self.sign("AWS4-HMAC-SHA256-PAYLOAD", f"{empty}\n{hashed}")
        return f"{len(data):x};chunk-signature={signature}\r\n".encode() + data + b"\r\n"


class TestSignedChunks:
    DATA = [b"a" * 65_536, b"b" * 65_536, b"c" * 1000]

    def put(self, server, bucket, change=lambda parts: parts, trailer=None):
        chunks = Chunks(server, f"/{bucket}/k", self.DATA, trailer)
        body = b"".join(change(chunks.parts))
        return send(server, chunks.prepared, body=body)

    def test_they_are_believed(self, server, client, bucket):
        assert self.put(server, bucket)[0] == 200
        answer = client("s3").get_object(Bucket=bucket, Key="k")
        assert answer["Body"].read() == b"".join(self.DATA)

    @pytest.mark.parametrize(
        "change",
        [
            lambda parts: [parts[0], parts[1].replace(b"b", b"x"), *parts[2:]],
            lambda parts: [parts[0].replace(b"chunk-signature=", b"chunk-signature=0", 1), *parts[1:]],
            lambda parts: [re.sub(rb";chunk-signature=\w+", b"", part) for part in parts],
            lambda parts: [parts[1], parts[0], *parts[2:]],
            lambda parts: [*parts[:-1], b"0;chunk-signature=" + b"0" * 64 + b"\r\n\r\n"],
        ],
        ids=["data", "signature", "none", "order", "end"],
    )
    def test_one_that_was_changed_is_not(self, server, client, bucket, change):
        status, code, text = xml_error(self.put(server, bucket, change))
        assert (status, code) == (403, "SignatureDoesNotMatch") and text.startswith(MISMATCH)
        assert error_of(client("s3").get_object, Bucket=bucket, Key="k")[1] == "NoSuchKey"

    def test_trailers_are_signed_too(self, server, client, bucket):
        crc = b64encode(zlib.crc32(b"".join(self.DATA)).to_bytes(4)).decode()
        trailer = ("x-amz-checksum-crc32", crc)
        assert self.put(server, bucket, trailer=trailer)[0] == 200

        def other(parts):
            return [*parts[:-1], re.sub(rb"signature:\w\w", b"signature:zz", parts[-1])]

        assert xml_error(self.put(server, bucket, other, trailer))[:2] == (403, "SignatureDoesNotMatch")

        def without(parts):
            return [*parts[:-1], parts[-1].split(b"x-amz-trailer-signature")[0] + b"\r\n"]

        assert xml_error(self.put(server, bucket, without, trailer))[:2] == (403, "SignatureDoesNotMatch")


CALLS_BACK = '''
import datetime, hashlib, hmac, json, os, urllib.request

def handler(event, context):
    url, region, body = os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_REGION"], b"{}"
    host, time = url.split("//")[1], datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    hashed = lambda data: hashlib.sha256(data).hexdigest()
    token, signed = os.environ["AWS_SESSION_TOKEN"], "host;x-amz-date;x-amz-security-token"
    named = f"host:{host}\\nx-amz-date:{time}\\nx-amz-security-token:{token}\\n"
    canonical = f"POST\\n/\\n\\n{named}\\n{signed}\\n{hashed(body)}"
    scope = f"{time[:8]}/{region}/kinesis/aws4_request"
    text = f"AWS4-HMAC-SHA256\\n{time}\\n{scope}\\n{hashed(canonical.encode())}"
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in [*scope.split("/"), text]:
        key = hmac.new(key, part.encode(), "sha256").digest()
    credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
    headers = {
        "X-Amz-Date": time, "X-Amz-Target": "Kinesis_20131202.ListStreams",
        "Content-Type": "application/x-amz-json-1.1", "X-Amz-Security-Token": token,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature={key.hex()}",
    }
    answer = urllib.request.urlopen(urllib.request.Request(url, body, headers))
    return {"status": answer.status, "key": os.environ["AWS_ACCESS_KEY_ID"]}
'''


def test_functions_get_a_key_that_works(client, name):
    functions = client("lambda", read_timeout=60)
    functions.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="index.handler",
        Role=ROLE,
        Timeout=20,
        Code={"ZipFile": package(index_py=CALLS_BACK)},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    said = json.loads(functions.invoke(FunctionName=name, Payload=b"{}")["Payload"].read())
    assert said.get("status") == 200, said
    assert said["key"] != KEY


def test_the_aws_cli(server, bucket, tmp_path):
    def aws(*arguments, **environment):
        keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, **environment}
        environment = clean_environment(AWS_ENDPOINT_URL=server.endpoint, **keys)
        return subprocess.run([ROOT / ".venv/bin/aws", *arguments], env=environment, capture_output=True, text=True)

    file = tmp_path / "a b.txt"
    file.write_bytes(b"z" * 9_000_000)
    assert aws("s3", "cp", str(file), f"s3://{bucket}/a b+ü.txt").returncode == 0
    assert "a b+ü.txt" in aws("s3", "ls", f"s3://{bucket}/").stdout
    assert aws("kinesis", "list-streams").returncode == 0
    refused = aws("kinesis", "list-streams", AWS_SECRET_ACCESS_KEY="guess")
    assert refused.returncode != 0 and "InvalidSignatureException" in refused.stderr


class TestStart:
    def serve(self, tmp_path, *arguments, **environment):
        command = [BINARY, "serve", "--data-dir", tmp_path / "data", *arguments]
        done = subprocess.run(
            [str(part) for part in command],
            env=clean_environment(**environment),
            capture_output=True,
            text=True,
            timeout=20,
        )
        return done.returncode, done.stdout + done.stderr

    @pytest.mark.parametrize(
        "arguments, said",
        [
            (["--listen", "0.0.0.0:0"], "no keys are given"),
            (["--listen", "127.0.0.1:0", "--tls-listen", "0.0.0.0:0"], "no keys are given"),
            (["--auth", "signed"], "needs keys"),
            (["--access-key-id", "A"], "go together"),
            (["--access-key-id", "A", "--secret-access-key", "hush", "--auth", "none"], "leave out"),
            (["--access-key-id", "", "--secret-access-key", "hush"], "needs an id"),
            (["--credentials", "/does/not/exist"], "/does/not/exist"),
        ],
    )
    def test_settings_that_contradict_each_other(self, tmp_path, arguments, said):
        code, text = self.serve(tmp_path, *arguments)
        assert code == 1 and said in text and "hush" not in text, text

    def test_the_secret_is_not_in_the_help(self, tmp_path):
        code, text = self.serve(tmp_path, "--help", HEADWATER_SECRET_ACCESS_KEY="hush")
        assert code == 0 and "--secret-access-key" in text and "hush" not in text

    def test_every_address_with_keys(self, new_server):
        server = new_server("--access-key-id", KEY, "--secret-access-key", SECRET)
        assert server.health() == 200

    def test_without_keys_any_are_taken_on_loopback(self, new_server):
        server = new_server()
        assert "StreamNames" in server.client("kinesis").list_streams()
        bare = kinesis(server)
        del bare.headers["Authorization"]
        assert send(server, bare)[0] == 200
