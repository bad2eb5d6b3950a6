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
    return read_on(streams, iterator, **more)[0]


def read_on(streams, iterator, **more):
    """The same, and the iterator with which reading goes on; None at the shard's end."""
    found = []
    while iterator:
        page = streams.get_records(ShardIterator=iterator, **more)
        iterator = page.get("NextShardIterator")
        if not page["Records"]:
            break
        found += page["Records"]
    return found, iterator


def all_records(streams, arn):
    """The records of all shards, those of parents before those of their children."""
    ids = [shard["ShardId"] for shard in shards(streams, arn)]
    return [record for id in ids for record in read(streams, iterator(streams, arn, id))]


def seen(record):
    """What a record tells of an item: the event's name, the item before and after, as plain values."""
    change = record["dynamodb"]
    images = (change.get(image) for image in ("OldImage", "NewImage"))
    return record["eventName"], *(image and plain(image) for image in images)


class Fold:
    """The items that changes make, one after the other. One that is missing, or comes twice or too early, does not fit."""

    def __init__(self):
        self.items, self.last = {}, {}

    def add(self, record):
        change = record["dynamodb"]
        key = tuple(sorted(plain(change["Keys"]).items()))
        known, last = self.items.get(key), self.last.get(key, 0)
        # Those that went into a Kinesis stream have no number of their own, and always both images.
        number = int(change.get("SequenceNumber", last + 1))
        assert number > last, record
        self.last[key] = number
        kind, before, after = seen(record)
        assert (known is None) == (kind == "INSERT"), record
        if change.get("StreamViewType", "NEW_AND_OLD_IMAGES") == "NEW_AND_OLD_IMAGES":
            assert before == known, (record, known)
        if kind == "REMOVE":
            del self.items[key]
        else:
            self.items[key] = after


class Follower:
    """A reader of a stream, which goes on where it was."""

    def __init__(self, streams, arn):
        self.streams, self.arn, self.at, self.fold = streams, arn, {}, Fold()

    def follow(self):
        """Reads what is new, of parents before their children; gives the items that all changes until now make."""
        for shard in shards(self.streams, self.arn):
            id = shard["ShardId"]
            at = self.at[id] if id in self.at else iterator(self.streams, self.arn, id)
            records, self.at[id] = read_on(self.streams, at)
            for record in records:
                self.fold.add(record)
        return list(self.fold.items.values())


def folded(records):
    """The items that are left when all changes were made, in an order that is the same each time."""
    fold = Fold()
    for record in records:
        fold.add(record)
    return sorted(fold.items.values(), key=repr)
