"""Versions of S3 objects with boto3, unmodified."""

import boto3
import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def s3(client):
    return client("s3")


@pytest.fixture
def bucket(s3, server, name):
    """A bucket that keeps versions. It is cleaned up as everybody does it."""
    s3.create_bucket(Bucket=name)
    enable(s3, name)
    yield name
    empty(server, name)
    s3.delete_bucket(Bucket=name)


def enable(s3, bucket, status="Enabled"):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def empty(server, bucket):
    resource = boto3.resource(
        "s3",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    resource.Bucket(bucket).object_versions.delete()


def refused(call, **named):
    with pytest.raises(ClientError) as caught:
        call(**named)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"], response["ResponseMetadata"]["HTTPHeaders"]


def put(s3, bucket, key, body, **named):
    return s3.put_object(Bucket=bucket, Key=key, Body=body, **named).get("VersionId")


def body(s3, bucket, key, **named):
    return s3.get_object(Bucket=bucket, Key=key, **named)["Body"].read()


def listed(s3, bucket, **named):
    """Keys and ids, objects and delete markers apart."""
    page = s3.list_object_versions(Bucket=bucket, **named)
    of = lambda kind: [(found["Key"], found["VersionId"], found["IsLatest"]) for found in page.get(kind, [])]
    return of("Versions"), of("DeleteMarkers")


def test_a_bucket_without_versions_is_listed_and_emptied(s3, server, name):
    s3.create_bucket(Bucket=name)
    assert listed(s3, name) == ([], [])
    for key in ("a b", "c"):
        assert put(s3, name, key, b"x") is None
    page = s3.list_object_versions(Bucket=name)
    assert [found["Key"] for found in page["Versions"]] == ["a b", "c"]
    for found in page["Versions"]:
        assert (found["VersionId"], found["IsLatest"], found["Size"]) == ("null", True, 1)
        assert found["StorageClass"] == "STANDARD" and "ID" in found["Owner"]
    assert (page["KeyMarker"], page["VersionIdMarker"], page["IsTruncated"]) == ("", "", False)
    assert "VersionId" not in s3.head_object(Bucket=name, Key="c")
    assert body(s3, name, "c", VersionId="null") == b"x"
    status, error, _ = refused(s3.get_object, Bucket=name, Key="c", VersionId="HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD")
    assert (status, error["Code"], error["Message"]) == (400, "InvalidArgument", "Invalid version id specified")
    assert error["ArgumentName"] == "versionId"
    empty(server, name)
    s3.delete_bucket(Bucket=name)


def test_the_status_of_a_bucket(s3, name):
    s3.create_bucket(Bucket=name)
    assert "Status" not in s3.get_bucket_versioning(Bucket=name)
    for status in ("Suspended", "Enabled"):
        configuration = {"Status": status, "MFADelete": "Disabled"}
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=configuration)
        assert s3.get_bucket_versioning(Bucket=name)["Status"] == status
    put_status = lambda **configuration: refused(
        s3.put_bucket_versioning, Bucket=name, VersioningConfiguration=configuration
    )
    assert put_status(Status="enabled")[1]["Code"] == "MalformedXML"
    status, error, _ = put_status()
    assert (status, error["Code"]) == (400, "IllegalVersioningConfigurationException")
    assert error["Message"] == "The Versioning element must be specified"
    status, error, _ = put_status(Status="Enabled", MFADelete="Enabled")
    assert (status, error["Code"]) == (501, "NotImplemented") and "MfaDelete" in error["Message"]
    status, error, _ = refused(s3.put_bucket_versioning, Bucket=f"{name}-no", VersioningConfiguration={"Status": "Enabled"})
    assert (status, error["Code"]) == (404, "NoSuchBucket")
    s3.delete_bucket(Bucket=name)


def test_the_life_of_versions(s3, bucket):
    one, two = put(s3, bucket, "k", b"one"), put(s3, bucket, "k", b"two")
    assert len(one) == len(two) == 32 and one != two
    assert s3.get_object(Bucket=bucket, Key="k")["VersionId"] == two
    assert s3.head_object(Bucket=bucket, Key="k", VersionId=one)["VersionId"] == one
    assert body(s3, bucket, "k", VersionId=one) == b"one"

    deleted = s3.delete_object(Bucket=bucket, Key="k")
    marker = deleted["VersionId"]
    assert deleted["DeleteMarker"] is True
    assert listed(s3, bucket) == ([("k", two, False), ("k", one, False)], [("k", marker, True)])
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0

    status, error, headers = refused(s3.get_object, Bucket=bucket, Key="k")
    assert (status, error["Code"], error["Key"]) == (404, "NoSuchKey", "k")
    assert (headers["x-amz-delete-marker"], headers["x-amz-version-id"]) == ("true", marker)
    status, error, headers = refused(s3.get_object, Bucket=bucket, Key="k", VersionId=marker)
    assert (status, error["Code"], error["Method"]) == (405, "MethodNotAllowed", "GET")
    assert error["ResourceType"] == "DeleteMarker"
    assert (headers["allow"], headers["x-amz-delete-marker"], headers["x-amz-version-id"]) == ("DELETE", "true", marker)
    assert headers["last-modified"]
    for named, expected in [({}, 404), ({"VersionId": marker}, 405)]:
        status, _, headers = refused(s3.head_object, Bucket=bucket, Key="k", **named)
        assert (status, headers["x-amz-delete-marker"]) == (expected, "true")

    status, error, _ = refused(s3.delete_bucket, Bucket=bucket)
    assert (status, error["Code"]) == (409, "BucketNotEmpty")
    assert error["Message"].endswith("You must delete all versions in the bucket.")

    removed = s3.delete_object(Bucket=bucket, Key="k", VersionId=marker)
    assert (removed["DeleteMarker"], removed["VersionId"]) == (True, marker)
    assert body(s3, bucket, "k") == b"two"
    removed = s3.delete_object(Bucket=bucket, Key="k", VersionId=two)
    assert "DeleteMarker" not in removed and removed["VersionId"] == two
    assert body(s3, bucket, "k") == b"one"
    status, error, headers = refused(s3.get_object, Bucket=bucket, Key="k", VersionId=two)
    assert (status, error["Code"], error["VersionId"]) == (404, "NoSuchVersion", two)
    assert "x-amz-version-id" not in headers
    status, error, _ = refused(s3.delete_object, Bucket=bucket, Key="k", VersionId=two[:-4] + "ABCD")
    assert (status, error["Message"]) == (400, "Invalid version id specified")
    assert s3.delete_object(Bucket=bucket, Key="never there")["DeleteMarker"] is True


def test_many_are_deleted_at_once(s3, bucket):
    one = put(s3, bucket, "k", b"one")
    delete = lambda *objects: s3.delete_objects(
        Bucket=bucket, Delete={"Objects": [dict(zip(("Key", "VersionId"), found)) for found in objects]}
    )
    [marked] = delete(("k",))["Deleted"]
    marker = marked["DeleteMarkerVersionId"]
    assert marked == {"Key": "k", "DeleteMarker": True, "DeleteMarkerVersionId": marker}
    assert delete(("k", marker), ("k", one))["Deleted"] == [
        {"Key": "k", "VersionId": marker, "DeleteMarker": True, "DeleteMarkerVersionId": marker},
        {"Key": "k", "VersionId": one},
    ]
    [wrong] = delete(("k", one[:-4] + "ABCD"))["Errors"]
    assert (wrong["Code"], wrong["Key"], wrong["VersionId"]) == ("NoSuchVersion", "k", one[:-4] + "ABCD")
    assert listed(s3, bucket) == ([], [])


def test_suspended_versions_replace_the_one_without_an_id(s3, server, name):
    s3.create_bucket(Bucket=name)
    put(s3, name, "k", b"before")
    enable(s3, name)
    assert s3.get_object(Bucket=name, Key="k")["VersionId"] == "null"
    one = put(s3, name, "k", b"one")
    assert listed(s3, name)[0] == [("k", one, True), ("k", "null", False)]
    enable(s3, name, "Suspended")
    assert put(s3, name, "k", b"null") is None
    assert listed(s3, name)[0] == [("k", "null", True), ("k", one, False)]
    copied = s3.copy_object(Bucket=name, Key="k", CopySource={"Bucket": name, "Key": "k", "VersionId": one})
    assert (copied["VersionId"], copied["CopySourceVersionId"]) == ("null", one)
    assert body(s3, name, "k") == b"one"
    assert s3.delete_object(Bucket=name, Key="k")["VersionId"] == "null"
    assert listed(s3, name) == ([("k", one, False)], [("k", "null", True)])
    empty(server, name)
    s3.delete_bucket(Bucket=name)


def test_copies_name_their_versions(s3, bucket):
    one, two = put(s3, bucket, "from", b"one"), put(s3, bucket, "from", b"two")
    copied = s3.copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/from")
    assert copied["CopySourceVersionId"] == two and len(copied["VersionId"]) == 32
    s3.copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/from?versionId={one}")
    assert body(s3, bucket, "to") == b"one"
    upload = s3.create_multipart_upload(Bucket=bucket, Key="to")["UploadId"]
    named = {"Bucket": bucket, "Key": "to", "UploadId": upload}
    source = f"{bucket}/from?versionId={one}"
    part = s3.upload_part_copy(PartNumber=1, CopySource=source, **named)
    assert part["CopySourceVersionId"] == one
    parts = [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]
    done = s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **named)
    assert s3.head_object(Bucket=bucket, Key="to")["VersionId"] == done["VersionId"]
    assert body(s3, bucket, "to") == b"one"
    marker = s3.delete_object(Bucket=bucket, Key="from")["VersionId"]
    status, error, _ = refused(s3.copy_object, Bucket=bucket, Key="to", CopySource=f"{bucket}/from")
    assert (status, error["Code"]) == (404, "NoSuchKey")
    status, error, _ = refused(
        s3.copy_object, Bucket=bucket, Key="to", CopySource=f"{bucket}/from?versionId={marker}"
    )
    assert (status, error["Code"]) == (400, "InvalidRequest")


def test_versions_have_tags_of_their_own(s3, bucket):
    one, two = put(s3, bucket, "k", b"one", Tagging="v=1"), put(s3, bucket, "k", b"two")
    tags = lambda value: {"TagSet": [{"Key": "v", "Value": value}]}
    assert s3.put_object_tagging(Bucket=bucket, Key="k", Tagging=tags("2"))["VersionId"] == two
    named = {"Bucket": bucket, "Key": "k", "VersionId": one}
    got = s3.get_object_tagging(**named)
    assert (got["TagSet"], got["VersionId"]) == (tags("1")["TagSet"], one)
    assert s3.put_object_tagging(Tagging=tags("new"), **named)["VersionId"] == one
    assert s3.get_object_tagging(**named)["TagSet"] == tags("new")["TagSet"]
    assert s3.delete_object_tagging(**named)["VersionId"] == one
    assert s3.get_object_tagging(**named)["TagSet"] == []
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == tags("2")["TagSet"]
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    for version in ({}, {"VersionId": marker}):
        named = {"Bucket": bucket, "Key": "k", **version}
        for call, method, more in [
            (s3.get_object_tagging, "GET", {}),
            (s3.put_object_tagging, "PUT", {"Tagging": tags("x")}),
            (s3.delete_object_tagging, "DELETE", {}),
        ]:
            status, error, _ = refused(call, **named, **more)
            assert (status, error["Code"], error["Method"]) == (405, "MethodNotAllowed", method)


def test_a_delete_marker_is_no_object_for_conditions(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    assert refused(s3.put_object, Bucket=bucket, Key="k", IfNoneMatch="*")[0] == 412
    s3.delete_object(Bucket=bucket, Key="k")
    status, error, _ = refused(s3.put_object, Bucket=bucket, Key="k", IfMatch=etag)
    assert (status, error["Code"]) == (404, "NoSuchKey")
    s3.put_object(Bucket=bucket, Key="k", Body=b"y", IfNoneMatch="*")


def test_pages(s3, bucket):
    for key in ("a", "dir/1", "dir/2", "e é"):
        for content in (b"one", b"two"):
            put(s3, bucket, key, content)
    s3.delete_object(Bucket=bucket, Key="a")
    everything = listed(s3, bucket)
    assert [key for key, _, _ in everything[0]] == ["a", "a", "dir/1", "dir/1", "dir/2", "dir/2", "e é", "e é"]
    pages = s3.get_paginator("list_object_versions").paginate
    for size in (1, 2, 4):
        found = ([], [])
        for page in pages(Bucket=bucket, PaginationConfig={"PageSize": size}):
            for kind, all_of_kind in zip(("Versions", "DeleteMarkers"), found):
                all_of_kind += [(v["Key"], v["VersionId"], v["IsLatest"]) for v in page.get(kind, [])]
        assert found == everything
    rolled = list(pages(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 2}))
    assert [p["Prefix"] for page in rolled for p in page.get("CommonPrefixes", [])] == ["dir/"]
    assert sum(len(page.get("Versions", [])) for page in rolled) == 4

    # A page goes on behind a version that is gone by now, and what is left first is the latest.
    versions = [version for key, version, _ in everything[0] if key == "e é"]
    s3.delete_object(Bucket=bucket, Key="e é", VersionId=versions[0])
    assert listed(s3, bucket, KeyMarker="e é", VersionIdMarker=versions[0])[0] == [("e é", versions[1], True)]
    assert listed(s3, bucket, KeyMarker="e é") == ([], [])
    status, error, _ = refused(s3.list_object_versions, Bucket=bucket, VersionIdMarker=versions[1])
    assert (status, error["Code"], error["ArgumentName"]) == (400, "InvalidArgument", "version-id-marker")
    assert error["Message"] == "A version-id marker cannot be specified without a key marker."


def test_versions_outlive_the_server(tmp_path):
    from headwater import Server

    server = Server(tmp_path / "data").start()
    s3 = server.client("s3")
    s3.create_bucket(Bucket="kept")
    put(s3, "kept", "k", b"before")
    enable(s3, "kept")
    one = put(s3, "kept", "k", b"one")
    s3.delete_object(Bucket="kept", Key="k")
    before = listed(s3, "kept")
    server.kill()
    server.start()
    s3 = server.client("s3")
    assert listed(s3, "kept") == before
    assert body(s3, "kept", "k", VersionId=one) == b"one"
    assert body(s3, "kept", "k", VersionId="null") == b"before"
    empty(server, "kept")
    blobs = list((tmp_path / "data" / "objects").glob("??/*"))
    assert blobs == []
    s3.delete_bucket(Bucket="kept")
    server.stop()
