"""Streams of tables as tests read them."""

from tables import plain


def shards(streams, arn, **more):
    """All shards of a stream."""
    found, request = [], {"StreamArn": arn, **more}
    while True:
        page = streams.describe_stream(**request)["StreamDescription"]
        found += page["Shards"]
        if "LastEvaluatedShardId" not in page:
            return found
        request["ExclusiveStartShardId"] = page["LastEvaluatedShardId"]


def iterator(streams, arn, shard, kind="TRIM_HORIZON", **more):
    request = {"StreamArn": arn, "ShardId": shard, "ShardIteratorType": kind, **more}
    return streams.get_shard_iterator(**request)["ShardIterator"]


def read(streams, iterator, **more):
    """The records from an iterator to the end, or to where there are none now."""
    found = []
    while iterator:
        page = streams.get_records(ShardIterator=iterator, **more)
        iterator = page.get("NextShardIterator")
        if not page["Records"]:
            break
        found += page["Records"]
    return found


def all_records(streams, arn):
    """The records of all shards, those of parents before those of their children."""
    ids = [shard["ShardId"] for shard in shards(streams, arn)]
    return [record for id in ids for record in read(streams, iterator(streams, arn, id))]


def seen(record):
    """What a record tells of an item: the event's name, the item before and after, as plain values."""
    change = record["dynamodb"]
    images = (change.get(image) for image in ("OldImage", "NewImage"))
    return record["eventName"], *(image and plain(image) for image in images)


def folded(records):
    """The items that are left when all changes were made, by their keys."""
    items = {}
    for record in records:
        key = tuple(sorted(plain(record["dynamodb"]["Keys"]).items()))
        if record["eventName"] == "REMOVE":
            del items[key]
        else:
            assert (key in items) == (record["eventName"] == "MODIFY"), record
            items[key] = plain(record["dynamodb"]["NewImage"])
    return sorted(items.values(), key=repr)
