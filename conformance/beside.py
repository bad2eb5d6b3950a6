"""What suites of destinations beside the bucket share."""

import base64
import json

from headwater import wait_for

ROLE = "arn:aws:iam::000000000000:role/delivery"
SOON = {"SizeInMBs": 1, "IntervalInSeconds": 1}


def bucket(name, **more):
    return {"RoleARN": ROLE, "BucketARN": f"arn:aws:s3:::{name}", "BufferingHints": SOON, **more}


def objects(s3, name, prefix=""):
    listed = s3.list_objects_v2(Bucket=name, Prefix=prefix).get("Contents", [])
    return {entry["Key"]: s3.get_object(Bucket=name, Key=entry["Key"])["Body"].read() for entry in listed}


def wait_for_failures(s3, name, count, prefix, seconds=60):
    """The lines of what failed, once there are `count`."""

    def enough():
        found = [json.loads(line) for body in objects(s3, name, prefix).values() for line in body.splitlines()]
        return found if len(found) >= count else None

    found = wait_for(f"{count} failures under {prefix}", enough, seconds)
    assert len(found) == count
    return found


def raw(line):
    return base64.b64decode(line["rawData"])


def put(firehose, name, records):
    done = firehose.put_record_batch(DeliveryStreamName=name, Records=[{"Data": record} for record in records])
    assert done["FailedPutCount"] == 0


def described(firehose, name, destination):
    stream = firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
    return stream["Destinations"][0][destination]
