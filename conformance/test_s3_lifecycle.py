"""Rules of S3 lifecycles with boto3, and days that pass in a moment."""

import datetime
import email.utils
import re

import pytest
from botocore.exceptions import ClientError

from clocked import Clocked
from headwater import wait_for

DAY = 86400


@pytest.fixture(scope="module")
def s3(client):
    return client("s3")


def refused(call, **named):
    with pytest.raises(ClientError) as caught:
        call(**named)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]


def put_rules(s3, bucket, *rules, **named):
    rules = [{"Status": "Enabled", **rule} for rule in rules]
    return s3.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": rules}, **named
    )


def test_rules_are_kept_told_and_removed(s3, name):
    s3.create_bucket(Bucket=name)
    status, error = refused(s3.get_bucket_lifecycle_configuration, Bucket=name)
    assert (status, error["Code"], error["BucketName"]) == (404, "NoSuchLifecycleConfiguration", name)
    assert error["Message"] == "The lifecycle configuration does not exist"
    s3.delete_bucket_lifecycle(Bucket=name)

    tags = [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}]
    midnight = datetime.datetime(2023, 1, 1, tzinfo=datetime.timezone.utc)
    rules = [
        {"ID": "days", "Filter": {"Prefix": ""}, "Expiration": {"Days": 7}},
        {"ID": "date", "Filter": {"Prefix": "none/"}, "Expiration": {"Date": midnight}},
        {"ID": "old form", "Prefix": "p", "Expiration": {"Days": 1}},
        {"ID": "tag", "Filter": {"Tag": tags[0]}, "Expiration": {"Days": 1}},
        {"ID": "and", "Filter": {"And": {"Tags": tags}}, "Expiration": {"Days": 1}},
        {"ID": "size", "Filter": {"ObjectSizeGreaterThan": 20}, "Expiration": {"Days": 1}},
        {
            "ID": "versions",
            "Filter": {},
            "Expiration": {"ExpiredObjectDeleteMarker": True},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 2},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
        },
    ]
    rules = [{"Status": "Enabled", **rule} for rule in rules]
    put_rules(s3, name, *rules)
    got = s3.get_bucket_lifecycle_configuration(Bucket=name)
    assert got["Rules"] == rules
    assert got["TransitionDefaultMinimumObjectSize"] == "all_storage_classes_128K"
    put_rules(s3, name, rules[0], TransitionDefaultMinimumObjectSize="varies_by_storage_class")
    got = s3.get_bucket_lifecycle_configuration(Bucket=name)
    assert got["TransitionDefaultMinimumObjectSize"] == "varies_by_storage_class"
    s3.delete_bucket_lifecycle(Bucket=name)
    assert refused(s3.get_bucket_lifecycle_configuration, Bucket=name)[0] == 404
    put_rules(s3, name, {"Filter": {}, "Expiration": {"Days": 7}})
    [given] = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert given["ID"], "a rule without a name is given one"
    # Rules go with their bucket.
    s3.delete_bucket(Bucket=name)
    s3.create_bucket(Bucket=name)
    assert refused(s3.get_bucket_lifecycle_configuration, Bucket=name)[0] == 404
    s3.delete_bucket(Bucket=name)


def test_wrong_rules_are_refused(s3, name):
    s3.create_bucket(Bucket=name)
    day = {"Days": 1}
    twice = [{"Key": "a", "Value": "b"}, {"Key": "a", "Value": "c"}]
    for rule, code, message in [
        ({"Expiration": day}, "MalformedXML", "The XML you provided"),
        ({"ID": "r", "Expiration": day}, "MalformedXML", "The XML you provided"),
        ({"ID": "r", "Filter": {}, "Expiration": day, "NoncurrentVersionExpiration": {}}, "MalformedXML", ""),
        ({"ID": "r", "Filter": {"And": {"Prefix": "t"}, "Prefix": ""}, "Expiration": day}, "MalformedXML", ""),
        ({"ID": "r", "Filter": {"ObjectSizeGreaterThan": 500, "Prefix": ""}, "Expiration": day}, "MalformedXML", ""),
        ({"ID": "r", "Filter": {}, "Expiration": {"Days": 1, "ExpiredObjectDeleteMarker": True}}, "MalformedXML", ""),
        (
            {"ID": "r", "Filter": {"And": {"Tags": twice}}, "Expiration": day},
            "InvalidRequest",
            "Duplicate Tag Keys are not allowed.",
        ),
        (
            {"ID": "r", "Filter": {}, "Expiration": {"Date": datetime.datetime(2023, 1, 1, 2, 2)}},
            "InvalidArgument",
            "'Date' must be at midnight GMT",
        ),
        (
            {"ID": "r", "Filter": {}, "Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]},
            "NotImplemented",
            "Headwater does not support Transition yet.",
        ),
    ]:
        status, error = refused(lambda: put_rules(s3, name, rule))
        assert error["Code"] == code and error["Message"].startswith(message), rule
    rule = {"Filter": {}, "Expiration": day}
    status, error = refused(lambda: put_rules(s3, name, rule, TransitionDefaultMinimumObjectSize="value"))
    assert error["Message"] == "Invalid TransitionDefaultMinimumObjectSize found: value"
    s3.delete_bucket(Bucket=name)


def test_an_object_says_when_it_expires(s3, name):
    s3.create_bucket(Bucket=name)
    put_rules(
        s3,
        name,
        {"ID": "one two", "Filter": {"Prefix": "t"}, "Expiration": {"Days": 3}},
        {"ID": "small", "Filter": {"ObjectSizeLessThan": 2}, "Expiration": {"Days": 9}},
    )
    put = s3.put_object(Bucket=name, Key="test", Body=b"test")
    written = s3.head_object(Bucket=name, Key="test")
    date, rule = re.fullmatch('expiry-date="(.+)", rule-id="(.+)"', put["Expiration"]).groups()
    assert rule == "one%20two"
    midnight = written["LastModified"].replace(hour=0, minute=0, second=0)
    assert email.utils.parsedate_to_datetime(date) == midnight + datetime.timedelta(days=4)
    assert written["Expiration"] == s3.get_object(Bucket=name, Key="test")["Expiration"] == put["Expiration"]
    assert "small" in s3.put_object(Bucket=name, Key="k", Body=b"x")["Expiration"]
    assert "Expiration" not in s3.put_object(Bucket=name, Key="k", Body=b"xyz")
    # Asked for by its version, it does not.
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=name, Key="test", Body=b"new")["VersionId"]
    assert "Expiration" in s3.head_object(Bucket=name, Key="test")
    assert "Expiration" not in s3.head_object(Bucket=name, Key="test", VersionId=version)


@pytest.fixture
def clocked(tmp_path):
    clocked = Clocked(tmp_path)
    yield clocked
    clocked.server.stop()


def after(clocked, seconds):
    """A client of its own for the later time: the connections of the one before ended with the jump."""
    clocked.advance(seconds)
    return clocked.server.client("s3")


def test_days_pass_and_what_expired_is_gone(clocked, tmp_path):
    s3 = clocked.server.client("s3")
    for bucket in ("plain", "kept"):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    put_rules(
        s3,
        "plain",
        {"ID": "old", "Filter": {"Prefix": "old/"}, "Expiration": {"Days": 2}},
        {"ID": "uploads", "Filter": {}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
    )
    put_rules(
        s3,
        "kept",
        {
            "ID": "whole",
            "Filter": {},
            "Expiration": {"Days": 1},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 3},
        },
    )
    for key in ("old/1", "old/2", "young"):
        s3.put_object(Bucket="plain", Key=key, Body=b"x")
    s3.create_multipart_upload(Bucket="plain", Key="u")
    s3.put_object(Bucket="kept", Key="k", Body=b"one")

    keys = lambda: [found["Key"] for found in s3.list_objects_v2(Bucket="plain").get("Contents", [])]
    uploads = lambda: s3.list_multipart_uploads(Bucket="plain").get("Uploads", [])
    kinds = lambda: [
        len(s3.list_object_versions(Bucket="kept").get(kind, [])) for kind in ("Versions", "DeleteMarkers")
    ]
    assert (len(keys()), len(uploads()), kinds()) == (3, 1, [1, 0])
    s3 = after(clocked, 2 * DAY)
    wait_for("the upload to be aborted", lambda: not uploads(), seconds=20)
    wait_for("a delete marker", lambda: kinds() == [1, 1], seconds=20)
    assert len(keys()) == 3
    s3 = after(clocked, 1 * DAY)
    wait_for("the old objects to go", lambda: keys() == ["young"], seconds=20)
    assert kinds() == [1, 1]
    # What came due while the server was away goes when it is back.
    clocked.server.stop()
    clocked.ahead += 3 * DAY
    clocked.write()
    clocked.server.start()
    s3 = clocked.server.client("s3")
    wait_for("the version to go, and its marker", lambda: kinds() == [0, 0], seconds=20)
    assert len(list((tmp_path / "data" / "objects").glob("??/*"))) == 1
    s3.delete_bucket(Bucket="kept")
