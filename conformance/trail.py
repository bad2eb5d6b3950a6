"""What CloudTrail has of a server, held against the server's own counts of requests."""

import collections
import json
import re
import urllib.request

from headwater import ROOT, Server

# Operations of S3 whose events have other names. (Lambda's have a date behind theirs.)
RENAMED = {
    "DeleteBucketPublicAccessBlock": "DeletePublicAccessBlock",
    "GetBucketLifecycle": "GetBucketLifecycleConfiguration",
    "GetBucketNotification": "GetBucketNotificationConfiguration",
    "GetBucketPublicAccessBlock": "GetPublicAccessBlock",
    "PutBucketLifecycle": "PutBucketLifecycleConfiguration",
    "PutBucketNotification": "PutBucketNotificationConfiguration",
    "PutBucketPublicAccessBlock": "PutPublicAccessBlock",
}
# Services that are signed for under another's name.
SIGNED_AS = {"dynamodbstreams": "dynamodb", "cloudwatch": "monitoring"}
REQUESTS = re.compile(r'headwater_requests_total\{service="([\w-]+)",operation="(\w+)",status="(\w+)"\} (\d+)')


def data_operations():
    """Data operations by service, as the document lists them."""
    _, rows = (ROOT / "docs/trail.md").read_text().split("## Data operations")
    cells = [line.strip("| ").split(" | ") for line in rows.splitlines() if line.startswith("| ")]
    return {service: set(operations.split(", ")) for service, operations in cells[1:]}


def requests(server):
    """How many requests for management operations the server has answered with success, and how many not, by service as
    it is signed for and operation."""
    with urllib.request.urlopen(f"{server.endpoint}/_headwater/metrics", timeout=10) as answer:
        counted = REQUESTS.findall(answer.read().decode())
    data, counts = data_operations(), collections.defaultdict(lambda: [0, 0])
    for service, operation, status, count in counted:
        if operation != "other" and operation not in data.get(service, ()):
            key = SIGNED_AS.get(service, service), operation
            counts[key][status != "2xx"] += int(count)
    return dict(counts)


def events(client, **search):
    """All events of a search, the newest first."""
    pages = client.get_paginator("lookup_events").paginate(**search)
    return [event for page in pages for event in page["Events"]]


def calls(found):
    """How many of these events tell of success, and how many do not, by service as it is signed for and operation."""
    counts = collections.defaultdict(lambda: [0, 0])
    for event in found:
        service, name = event["EventSource"].removesuffix(".amazonaws.com"), event["EventName"]
        operation = re.sub(r"20\d{6}(v\d)?$", "", name)
        operation = RENAMED.get(operation, operation) if service == "s3" else operation
        counts[service, operation]["errorCode" in json.loads(event["CloudTrailEvent"])] += 1
    return dict(counts)


def assert_complete(counted, found, unread=False):
    """Every management operation that the server counted is in the trail, once. With `unread`, requests may be missing that
    were refused before it was known who sent them: those whose bodies could not be read."""
    assert len({event["EventId"] for event in found}) == len(found)
    kept = calls(found)
    assert kept.keys() <= counted.keys()

    def agree(counts, events):
        return counts[0] == events[0] and (counts[1] == events[1] or unread and counts[1] > events[1])

    both = {key: (counts, kept.get(key, [0, 0])) for key, counts in counted.items()}
    differences = {key: it for key, it in both.items() if not agree(*it)}
    assert not differences, f"counted and kept: {differences}"


def regions(server):
    """The regions in which the server has anything."""
    with urllib.request.urlopen(f"{server.endpoint}/_headwater/metrics", timeout=10) as answer:
        return {"us-east-1", *re.findall(r'region="([^"]+)"', answer.read().decode())}


def check(server, counted, places):
    """The same of a server that was stopped. It is started again without bounds on searches; a search does not find
    itself."""
    again = Server(server.data_dir, "--limits", "off", port=server.port).start()
    try:
        found = [event for place in places for event in events(again.client("cloudtrail", region=place))]
    finally:
        assert again.stop() == 0
    assert_complete(counted, found, unread=True)
