"""Forms that browsers post to S3, made by boto3's generate_presigned_post, whose operation is "PostObject"."""

import base64
import json
import os
import xml.etree.ElementTree

import boto3
import pytest
import urllib3
from botocore.config import Config

from headwater import Server

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
MIB = 1 << 20


def signing(endpoint, version):
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        config=Config(signature_version=version, retries={"max_attempts": 0}),
    )


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    """A server that asks for signatures."""
    keys = ["--access-key-id", KEY, "--secret-access-key", SECRET]
    server = Server(tmp_path_factory.mktemp("post") / "data", *keys).start()
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module", params=["s3", "s3v4"])
def s3(request, signed):
    """A client that signs forms in one of the two versions."""
    return signing(signed.endpoint, request.param)


@pytest.fixture(scope="module")
def reader(signed):
    """A client that signs all else in the version that is taken for it."""
    return signing(signed.endpoint, "s3v4")


@pytest.fixture
def bucket(reader, name):
    reader.create_bucket(Bucket=name)
    return name


def post(form, file, filename="file", **more):
    """Posts a form as a browser does: the answer, and its body as XML if it is an error."""
    fields = {**form["fields"], **more}
    parts = [*fields.items(), ("file", (filename, file) if filename else file)]
    body, content_type = urllib3.encode_multipart_formdata(parts)
    headers = {"Content-Type": content_type}
    options = {"redirect": False, "retries": False, "timeout": 120}
    return urllib3.request("POST", form["url"], body=body, headers=headers, **options)


def error(answer):
    root = xml.etree.ElementTree.fromstring(answer.data)
    return answer.status, {element.tag: element.text for element in root}


def read(reader, bucket, key):
    return reader.get_object(Bucket=bucket, Key=key)["Body"].read()


def test_a_file_is_put_as_it_is(s3, reader, bucket):
    data = os.urandom(3 * MIB + 1) + b"\r\n--"
    form = s3.generate_presigned_post(Bucket=bucket, Key="a/${filename}", Conditions=[{"bucket": bucket}])
    answer = post(form, data, "C:\\dir\\ü.txt")
    assert (answer.status, answer.data) == (204, b"")
    assert "Content-Type" not in answer.headers
    assert answer.headers["Location"].endswith(f"/{bucket}/a%2F%C3%BC.txt")
    assert read(reader, bucket, "a/ü.txt") == data


def test_fields_are_what_headers_would_be(s3, reader, bucket):
    fields = {
        "Content-Type": "text/plain",
        "Cache-Control": "no-store",
        "x-amz-meta-Color": "blü",
        "x-amz-storage-class": "STANDARD_IA",
        "x-amz-server-side-encryption": "aws:kms",
        "acl": "private",
        "tagging": "<Tagging><TagSet><Tag><Key>a b</Key><Value>c=d</Value></Tag></TagSet></Tagging>",
        "success_action_status": "201",
    }
    conditions = [["eq", f"${name.upper()}", value] for name, value in fields.items()]
    form = s3.generate_presigned_post(Bucket=bucket, Key="k", Fields=fields, Conditions=conditions)
    answer = post(form, b"text", **{"x-ignore-this": "x"})
    assert answer.status == 201
    told = {element.tag.split("}")[-1]: element.text for element in xml.etree.ElementTree.fromstring(answer.data)}
    assert told["Key"] == "k" and told["Bucket"] == bucket
    assert told["ETag"] == answer.headers["ETag"]
    head = reader.head_object(Bucket=bucket, Key="k")
    assert (head["ContentType"], head["CacheControl"], head["StorageClass"]) == ("text/plain", "no-store", "STANDARD_IA")
    assert head["ServerSideEncryption"] == "aws:kms"
    assert head["Metadata"] == {"color": "=?UTF-8?Q?bl=C3=BC?="}
    tags = reader.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]
    assert tags == [{"Key": "a b", "Value": "c=d"}]


def test_a_browser_is_sent_on(s3, bucket):
    there = "http://example.com/done?a=b"
    form = s3.generate_presigned_post(
        Bucket=bucket,
        Key="k ü",
        Fields={"success_action_redirect": there},
        Conditions=[["starts-with", "$success_action_redirect", "http://example.com/"]],
    )
    answer = post(form, b"text")
    assert answer.status == 303
    assert answer.headers["Location"].startswith(f"{there}&bucket={bucket.replace('-', '%2D')}&key=k%20%C3%BC&etag=%22")


def test_the_policy_holds(s3, reader, bucket):
    def refused(file=b"text", conditions=(), **fields):
        form = s3.generate_presigned_post(Bucket=bucket, Key="k", Conditions=[{"bucket": bucket}, *conditions])
        return error(post(form, file, **fields))

    sizes = [["content-length-range", 5, 10]]
    status, told = refused(b"a" * 12, sizes)
    assert (status, told["Code"], told["ProposedSize"], told["MaxSizeAllowed"]) == (400, "EntityTooLarge", "12", "10")
    status, told = refused(b"a", sizes)
    assert (status, told["Code"], told["ProposedSize"], told["MinSizeAllowed"]) == (400, "EntityTooSmall", "1", "5")
    status, told = refused(color="blue")
    assert (status, told["Code"]) == (403, "AccessDenied")
    assert told["Message"] == "Invalid according to Policy: Extra input fields: color"
    status, told = refused(key="other")
    assert told["Message"] == 'Invalid according to Policy: Policy Condition failed: ["eq", "$key", "k"]'
    form = s3.generate_presigned_post(Bucket=bucket, Key="k", ExpiresIn=-10)
    status, told = error(post(form, b"text"))
    assert (status, told["Message"]) == (403, "Invalid according to Policy: Policy expired.")
    assert "Contents" not in reader.list_objects_v2(Bucket=bucket)


def test_the_signature_holds(s3, reader, bucket):
    def form():
        return s3.generate_presigned_post(Bucket=bucket, Key="k")

    changed = form()
    policy = json.loads(base64.b64decode(changed["fields"]["policy"]))
    policy["conditions"] = [["starts-with", "$key", ""]]
    changed["fields"]["policy"] = base64.b64encode(json.dumps(policy).encode()).decode()
    status, told = error(post(changed, b"text"))
    assert (status, told["Code"]) == (403, "SignatureDoesNotMatch")
    assert told["StringToSign"] == changed["fields"]["policy"]
    bare = form()
    bare["fields"] = {"key": "k", "policy": bare["fields"]["policy"]}
    assert error(post(bare, b"text"))[0] == 403
    lacking = form()
    lacking["fields"] = {k: v for k, v in lacking["fields"].items() if "signature" not in k.lower()}
    status, told = error(post(lacking, b"text"))
    assert (status, told["Code"]) == (400, "InvalidArgument")
    assert "must contain a field named" in told["Message"]
    assert "Contents" not in reader.list_objects_v2(Bucket=bucket)


def test_what_is_no_form_is_told(s3, bucket):
    form = s3.generate_presigned_post(Bucket=bucket, Key="k")
    answer = urllib3.request("POST", form["url"], body=b"x", headers={"Content-Type": "text/html"})
    status, told = error(answer)
    assert (status, told["Code"]) == (412, "PreconditionFailed")
    assert told["Condition"] == "Bucket POST must be of the enclosure-type multipart/form-data"
    body, content_type = urllib3.encode_multipart_formdata(form["fields"])
    answer = urllib3.request("POST", form["url"], body=body, headers={"Content-Type": content_type})
    status, told = error(answer)
    assert (status, told["Message"]) == (400, "POST requires exactly one file upload per request.")


@pytest.mark.alone
def test_a_large_file_takes_no_memory(new_server, name):
    server = new_server()
    s3 = server.client("s3")
    s3.create_bucket(Bucket=name)
    form = s3.generate_presigned_post(Bucket=name, Key="large")
    post(form, b"x")
    before = server.memory_mib(peak=True)
    assert post(form, bytes(128 * MIB)).status == 204
    assert s3.head_object(Bucket=name, Key="large")["ContentLength"] == 128 * MIB
    assert server.memory_mib(peak=True) - before < 40
