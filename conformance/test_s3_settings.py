"""Settings of buckets with boto3: those that no bucket has, those that are kept, and pages of other origins."""

import boto3
import pytest
import urllib3
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def s3(client):
    return client("s3")


@pytest.fixture
def bucket(s3, name):
    s3.create_bucket(Bucket=name)
    return name


def refused(call, **named):
    with pytest.raises(ClientError) as caught:
        call(**named)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]


def test_what_a_new_bucket_does_not_have(s3, bucket):
    for call, code, message in [
        (s3.get_bucket_policy, "NoSuchBucketPolicy", "The bucket policy does not exist"),
        (s3.get_bucket_policy_status, "NoSuchBucketPolicy", "The bucket policy does not exist"),
        (s3.get_bucket_cors, "NoSuchCORSConfiguration", "The CORS configuration does not exist"),
        (
            s3.get_bucket_website,
            "NoSuchWebsiteConfiguration",
            "The specified bucket does not have a website configuration",
        ),
        (
            s3.get_bucket_replication,
            "ReplicationConfigurationNotFoundError",
            "The replication configuration was not found",
        ),
        (
            s3.get_object_lock_configuration,
            "ObjectLockConfigurationNotFoundError",
            "Object Lock configuration does not exist for this bucket",
        ),
        (s3.get_bucket_tagging, "NoSuchTagSet", "The TagSet does not exist"),
    ]:
        status, error = refused(call, Bucket=bucket)
        assert (status, error["Code"], error["Message"], error["BucketName"]) == (404, code, message, bucket)
    for call in [
        s3.get_bucket_analytics_configuration,
        s3.get_bucket_intelligent_tiering_configuration,
        s3.get_bucket_inventory_configuration,
        s3.get_bucket_metrics_configuration,
        s3.delete_bucket_analytics_configuration,
        s3.delete_bucket_intelligent_tiering_configuration,
        s3.delete_bucket_inventory_configuration,
        s3.delete_bucket_metrics_configuration,
    ]:
        status, error = refused(call, Bucket=bucket, Id="x")
        assert (status, error["Code"]) == (404, "NoSuchConfiguration")
    for call in [s3.get_object_retention, s3.get_object_legal_hold]:
        status, error = refused(call, Bucket=bucket, Key="k")
        assert (status, error["Code"]) == (400, "InvalidRequest")
        assert error["Message"] == "Bucket is missing Object Lock Configuration"
    assert refused(s3.get_bucket_cors, Bucket="not-there")[1]["Code"] == "NoSuchBucket"


def test_what_a_new_bucket_has(s3, bucket):
    def body(answer):
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

    assert body(s3.get_bucket_accelerate_configuration(Bucket=bucket)) == {}
    assert body(s3.get_bucket_logging(Bucket=bucket)) == {}
    assert body(s3.get_bucket_notification_configuration(Bucket=bucket)) == {}
    assert body(s3.get_bucket_request_payment(Bucket=bucket)) == {"Payer": "BucketOwner"}
    assert body(s3.list_bucket_analytics_configurations(Bucket=bucket)) == {"IsTruncated": False}
    assert body(s3.list_bucket_intelligent_tiering_configurations(Bucket=bucket)) == {"IsTruncated": False}
    assert body(s3.list_bucket_inventory_configurations(Bucket=bucket)) == {"IsTruncated": False}
    assert body(s3.list_bucket_metrics_configurations(Bucket=bucket)) == {"IsTruncated": False}
    encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert encryption == [
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
    ]
    ownership = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
    assert ownership == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert len(block) == 4 and all(block.values())
    acl = s3.get_bucket_acl(Bucket=bucket)
    grantee = {"ID": acl["Owner"]["ID"], "Type": "CanonicalUser"}
    assert acl["Grants"] == [{"Grantee": grantee, "Permission": "FULL_CONTROL"}]
    for call in [s3.delete_bucket_policy, s3.delete_bucket_website, s3.delete_bucket_replication]:
        assert call(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_settings_with_one_value(s3, bucket):
    s3.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": "BucketOwner"})
    s3.put_bucket_accelerate_configuration(Bucket=bucket, AccelerateConfiguration={"Status": "Suspended"})
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    for call, named in [
        (s3.put_bucket_request_payment, {"RequestPaymentConfiguration": {"Payer": "Requester"}}),
        (s3.put_bucket_accelerate_configuration, {"AccelerateConfiguration": {"Status": "Enabled"}}),
        (
            s3.put_bucket_logging,
            {"BucketLoggingStatus": {"LoggingEnabled": {"TargetBucket": bucket, "TargetPrefix": ""}}},
        ),
        (s3.put_bucket_notification_configuration, {"NotificationConfiguration": {"EventBridgeConfiguration": {}}}),
        (s3.put_bucket_policy, {"Policy": "{}"}),
    ]:
        assert refused(call, Bucket=bucket, **named)[0] == 501


def test_tags_of_buckets(s3, bucket, name):
    tags = [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": ""}]
    put = s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags
    status, error = refused(
        s3.put_bucket_tagging, Bucket=bucket, Tagging={"TagSet": [{"Key": "aws:x", "Value": "y"}]}
    )
    assert (status, error["Message"]) == (400, "System tags cannot be added/updated by requester")
    s3.delete_bucket_tagging(Bucket=bucket)
    assert refused(s3.get_bucket_tagging, Bucket=bucket)[1]["Code"] == "NoSuchTagSet"
    other = f"{name}-tagged"
    s3.create_bucket(Bucket=other, CreateBucketConfiguration={"Tags": tags})
    assert s3.get_bucket_tagging(Bucket=other)["TagSet"] == tags
    again = refused(s3.create_bucket, Bucket=other, CreateBucketConfiguration={"Tags": tags})
    assert again[1]["Code"] == "BucketAlreadyOwnedByYou"
    s3.delete_bucket(Bucket=other)
    s3.create_bucket(Bucket=other)
    assert refused(s3.get_bucket_tagging, Bucket=other)[1]["Code"] == "NoSuchTagSet"


def test_settings_outlive_the_server(new_server, name):
    server = new_server()
    server.client("s3").create_bucket(Bucket=name)
    rules = [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]
    server.client("s3").put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": rules})
    server.restart()
    assert server.client("s3").get_bucket_cors(Bucket=name)["CORSRules"] == rules


def test_objects_are_encrypted_as_their_bucket_says(s3, bucket):
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/lake"}}
    rule["BucketKeyEnabled"] = True
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"] == [rule]
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert (put["ServerSideEncryption"], put["BucketKeyEnabled"]) == ("aws:kms", True)
    assert put["SSEKMSKeyId"].endswith(":alias/lake")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")
    assert upload["ServerSideEncryption"] == "aws:kms"
    s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload["UploadId"])
    s3.delete_bucket_encryption(Bucket=bucket)
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ServerSideEncryption"] == "AES256"


def test_ownership_and_access_lists(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.put_bucket_acl(Bucket=bucket, ACL="private")
    s3.put_object_acl(Bucket=bucket, Key="k", ACL="private")
    assert s3.get_object_acl(Bucket=bucket, Key="k")["Grants"][0]["Permission"] == "FULL_CONTROL"
    for call, named in [
        (s3.put_bucket_acl, {}),
        (s3.put_object_acl, {"Key": "k"}),
        (s3.put_object, {"Key": "k", "Body": b"y"}),
        (s3.create_multipart_upload, {"Key": "k"}),
    ]:
        status, error = refused(call, Bucket=bucket, ACL="public-read", **named)
        assert (status, error["Code"]) == (400, "AccessControlListNotSupported")
        assert error["Message"] == "The bucket does not allow ACLs"
    controls = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=controls)
    assert s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"] == controls
    assert refused(s3.put_bucket_acl, Bucket=bucket, ACL="public-read")[0] == 501
    s3.delete_bucket_ownership_controls(Bucket=bucket)
    error = refused(s3.get_bucket_ownership_controls, Bucket=bucket)[1]
    assert error["Code"] == "OwnershipControlsNotFoundError"
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert (block["BlockPublicAcls"], block["BlockPublicPolicy"]) == (True, False)
    s3.delete_public_access_block(Bucket=bucket)
    error = refused(s3.get_public_access_block, Bucket=bucket)[1]
    assert error["Code"] == "NoSuchPublicAccessBlockConfiguration"


def test_pages_of_other_origins(s3, bucket, endpoint):
    def ask(method, origin=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if origin:
            headers["Origin"] = origin
        return urllib3.request(method, f"{endpoint}/{bucket}/k", headers=headers, retries=False)

    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    answer = ask("OPTIONS", "https://a.example.com", Access_Control_Request_Method="GET")
    assert answer.status == 403
    assert b"CORSResponse: CORS is not enabled for this bucket." in answer.data
    rule = {
        "AllowedMethods": ["GET", "PUT"],
        "AllowedOrigins": ["https://*.example.com"],
        "AllowedHeaders": ["x-amz-*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 3000,
    }
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    answer = ask(
        "OPTIONS",
        "https://a.example.com",
        Access_Control_Request_Method="PUT",
        Access_Control_Request_Headers="X-Amz-Date,x-amz-acl",
    )
    assert (answer.status, answer.data) == (200, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "https://a.example.com"
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, PUT"
    assert answer.headers["Access-Control-Allow-Headers"] == "x-amz-date, x-amz-acl"
    assert answer.headers["Access-Control-Max-Age"] == "3000"
    assert answer.headers["Vary"] == "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
    answer = ask("GET", "https://a.example.com")
    assert answer.headers["Access-Control-Expose-Headers"] == "ETag"
    assert "Access-Control-Allow-Origin" not in ask("GET", "https://other.com").headers
    assert ask("OPTIONS").status == 400
    s3.delete_bucket_cors(Bucket=bucket)
    assert "Access-Control-Allow-Origin" not in ask("GET", "https://a.example.com").headers


def test_a_preflight_is_not_signed(new_server, name):
    server = new_server("--access-key-id", "AKIDEXAMPLE", "--secret-access-key", "secret")
    s3 = boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
    )
    s3.create_bucket(Bucket=name)
    rules = [{"AllowedMethods": ["PUT"], "AllowedOrigins": ["*"]}]
    s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": rules})
    headers = {"Origin": "http://a", "Access-Control-Request-Method": "PUT"}
    answer = urllib3.request("OPTIONS", f"{server.endpoint}/{name}/k", headers=headers)
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")


def test_attributes_of_objects(s3, bucket):
    attributes = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"text", ChecksumAlgorithm="SHA256", StorageClass="STANDARD_IA")
    found = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=attributes)
    assert (found["ObjectSize"], found["StorageClass"]) == (4, "STANDARD_IA")
    assert found["Checksum"]["ChecksumType"] == "FULL_OBJECT" and "ObjectParts" not in found
    algorithm = {"ChecksumAlgorithm": "SHA256"}
    upload = s3.create_multipart_upload(Bucket=bucket, Key="p", **algorithm)["UploadId"]
    parts = []
    for number, size in [(1, 5 << 20), (2, 1)]:
        part = s3.upload_part(Bucket=bucket, Key="p", UploadId=upload, PartNumber=number, Body=bytes(size), **algorithm)
        parts.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]})
    s3.complete_multipart_upload(Bucket=bucket, Key="p", UploadId=upload, MultipartUpload={"Parts": parts})
    found = s3.get_object_attributes(Bucket=bucket, Key="p", ObjectAttributes=attributes, MaxParts=1)
    page = found["ObjectParts"]
    assert (page["TotalPartsCount"], page["IsTruncated"], page["NextPartNumberMarker"]) == (2, True, 1)
    assert page["Parts"] == [{"PartNumber": 1, "Size": 5 << 20, "ChecksumSHA256": parts[0]["ChecksumSHA256"]}]
    assert "-" not in found["Checksum"]["ChecksumSHA256"]


def test_storage_classes_are_kept(s3, bucket):
    for name in ["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "REDUCED_REDUNDANCY"]:
        s3.put_object(Bucket=bucket, Key=name, Body=b"x", StorageClass=name)
        assert s3.get_object(Bucket=bucket, Key=name)["StorageClass"] == name
    listed = {found["Key"]: found["StorageClass"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    assert all(key == word for key, word in listed.items())
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/GLACIER_IR")
    assert "StorageClass" not in s3.head_object(Bucket=bucket, Key="copy")
    for name, status, code in [
        ("GLACIER", 501, "NotImplemented"),
        ("DEEP_ARCHIVE", 501, "NotImplemented"),
        ("OUTPOSTS", 400, "InvalidStorageClass"),
    ]:
        told = refused(s3.put_object, Bucket=bucket, Key="k", Body=b"x", StorageClass=name)
        assert (told[0], told[1]["Code"]) == (status, code)


def test_faults_that_aws_tells_otherwise(s3, bucket):
    no_upload = refused(s3.complete_multipart_upload, Bucket=bucket, Key="k", UploadId="fakeid")
    assert no_upload[1]["Code"] == "NoSuchUpload"
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    no_parts = refused(s3.complete_multipart_upload, Bucket=bucket, Key="k", UploadId=upload)
    assert no_parts == (400, {"Code": "InvalidRequest", "Message": "You must specify at least one part"})
    uploads = s3.list_multipart_uploads(Bucket=bucket)
    assert "Prefix" not in uploads and uploads["NextKeyMarker"] == "k"
    marker = refused(s3.list_multipart_uploads, Bucket=bucket, KeyMarker="j", UploadIdMarker=upload)
    assert marker[1]["Message"] == "Invalid uploadId marker"
    s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload)
    assert "Buckets" in s3.list_buckets(ContinuationToken="", MaxBuckets=1)
    digest = refused(s3.put_object, Bucket=bucket, Key="k", Body=b"x", ContentMD5="CYketZBSTjX8czcs3cXVlg==")
    assert digest[1]["ExpectedDigest"] == "09891eb590524e35fc73372cddc5d596"
    tags = refused(s3.put_object, Bucket=bucket, Key="k", Body=b"x", Tagging="key1=val1,key2=val2")
    assert tags[1]["Code"] == "InvalidArgument"
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata={"a": "=?UTF-8?B?YWJj?=", "b": "=?UTF-8?Q?=C3=84?="})
    assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {"a": "abc", "b": "=?UTF-8?B?w4Q=?="}
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": []})
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    bypass = refused(s3.delete_object, Bucket=bucket, Key="k", BypassGovernanceRetention=True)
    assert (bypass[0], bypass[1]["ArgumentName"]) == (400, "x-amz-bypass-governance-retention")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="ü/—")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="ü/—", UploadId=upload, PartNumber=1, Body=b"x")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    done = s3.complete_multipart_upload(Bucket=bucket, Key="ü/—", UploadId=upload, MultipartUpload=parts)
    assert done["Location"].endswith(f"/{bucket}/%C3%BC%2F%E2%80%94")
