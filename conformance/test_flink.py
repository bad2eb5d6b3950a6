"""Flink reads a stream and writes another, while shards are split and merged, the server is killed, and Flink is.

Its state counts each record once, whatever happens; its sink may write a line again, never another, and not before what
came before it.
"""

import subprocess
from collections import Counter, defaultdict

import pytest

import sdks
from headwater import clean_environment, size, wait_for

pytestmark = pytest.mark.long

KEYS = 40
RECORDS = size(8_000, 200_000)
BATCH = 400
STEP = 250  # Milliseconds of event time from one record to the next.
FAR = 10**12
OPEN = [word for module in ("lang", "util", "time") for word in ("--add-opens", f"java.base/java.{module}=ALL-UNNAMED")]


class Job:
    """The job, in a process of its own."""

    def __init__(self, server, folder, *words):
        folder.mkdir()
        java, *rest = sdks.java("Count", "flink")
        self.command = [java, "-Xmx768m", *OPEN, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", *rest, *words, str(folder)]
        self.environment = clean_environment(AWS_ENDPOINT_URL=server.endpoint)
        self.folder, self.log = folder, folder.with_suffix(".log")
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, env=self.environment)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def running(self):
        assert self.process.poll() is None, self.log.read_text()[-4000:]
        return True

    def checkpoints(self):
        """The numbers of the whole ones that are kept."""
        return {int(path.parent.name.removeprefix("chk-")) for path in self.folder.rglob("_metadata")}


class Lines:
    """What the sink wrote, read on from where it was read before."""

    def __init__(self, kinesis, stream):
        self.kinesis = kinesis
        shards = kinesis.list_shards(StreamName=stream)["Shards"]
        self.iterators = [self.start(stream, shard["ShardId"]) for shard in shards]
        self.windows, self.again = Counter(), 0
        # Each shard's and key's numbers, in the order in which they were written first.
        self.seen = defaultdict(dict)

    def start(self, stream, shard):
        start = {"StreamName": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
        return self.kinesis.get_shard_iterator(**start)["ShardIterator"]

    def read(self):
        for at, iterator in enumerate(self.iterators):
            page = self.kinesis.get_records(ShardIterator=iterator)
            self.iterators[at] = page["NextShardIterator"]
            for record in page["Records"]:
                self.take(*record["Data"].decode().split())
        return self

    def take(self, kind, key, *more):
        assert kind != "bad", (key, more)
        if kind == "window":
            self.windows[key, *more] += 1
            return
        number, shard = int(more[0]), more[1]
        self.again += number in self.seen[shard, key]
        self.seen[shard, key][number] = True

    def count(self):
        return sum(map(len, self.read().seen.values()))


class Producer:
    """Puts the records one batch after the other, so that nothing is put while something else is done."""

    def __init__(self, kinesis, stream):
        self.kinesis, self.stream, self.next = kinesis, stream, 0

    def put(self, until):
        while self.next < until:
            batch = range(self.next, min(self.next + BATCH, until))
            entries = [{"Data": f"k{at % KEYS} {at} {at * STEP}".encode(), "PartitionKey": f"k{at % KEYS}"} for at in batch]
            assert self.kinesis.put_records(StreamName=self.stream, Records=entries)["FailedRecordCount"] == 0
            self.next = batch.stop

    def end(self):
        """Moves the time in every shard that is open."""
        shards = self.kinesis.list_shards(StreamName=self.stream)["Shards"]
        hashes = [s["HashKeyRange"]["StartingHashKey"] for s in shards if "EndingSequenceNumber" not in s["SequenceNumberRange"]]
        entries = [{"Data": f"end 0 {FAR}".encode(), "PartitionKey": "end", "ExplicitHashKey": at} for at in hashes]
        assert self.kinesis.put_records(StreamName=self.stream, Records=entries)["FailedRecordCount"] == 0


def reshard(kinesis, stream):
    """Splits the first shard, and merges the second and the third."""
    active = lambda: kinesis.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1})
    first, second, third, _ = kinesis.list_shards(StreamName=stream)["Shards"]
    middle = str(int(first["HashKeyRange"]["EndingHashKey"]) // 2)
    kinesis.split_shard(StreamName=stream, ShardToSplit=first["ShardId"], NewStartingHashKey=middle)
    active()
    shards = {"ShardToMerge": second["ShardId"], "AdjacentShardToMerge": third["ShardId"]}
    kinesis.merge_shards(StreamName=stream, **shards)
    active()


@pytest.mark.parametrize("mode", ["polling", "fanout", "source"])
def test_what_it_counts_is_exact(new_server, tmp_path, mode):
    server = new_server("--limits", "off")
    kinesis = server.client("kinesis")
    for stream, shards in (("from", 4), ("to", 2)):
        kinesis.create_stream(StreamName=stream, ShardCount=shards)
        kinesis.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1})
    job, producer, lines = Job(server, tmp_path / "flink", mode, "from", "to"), Producer(kinesis, "from"), Lines(kinesis, "to")
    job.start()
    try:
        flow(server, kinesis, job, producer, lines)
    finally:
        job.kill()


def flow(server, kinesis, job, producer, lines):
    count = lambda: job.running() and lines.count()
    arrived = lambda share: wait_for(f"{share} of all", lambda: count() >= RECORDS * share, seconds=size(180, 900))
    newer = lambda before: wait_for("a checkpoint", lambda: job.running() and max(job.checkpoints(), default=0) > before)
    producer.put(RECORDS // 4)
    arrived(0.1)
    reshard(kinesis, "from")
    producer.put(RECORDS // 2)
    server.restart()
    producer.put(RECORDS * 3 // 4)
    arrived(0.5)
    newer(max(job.checkpoints(), default=0))
    producer.put(RECORDS * 9 // 10)
    arrived(0.8)
    job.kill()
    job.start()
    # Every shard gets some more: once they have arrived, the second run has read all that the first one did not keep.
    producer.put(RECORDS)
    arrived(1)
    shards_are_exact(lines)
    producer.end()
    windows = Counter((f"k{at % KEYS}", str(at * STEP // 10_000 * 10_000)) for at in range(RECORDS))
    wanted = {(key, start, str(many)): 1 for (key, start), many in windows.items()}
    wait_for("the windows", lambda: count() and len(lines.windows) >= len(wanted), seconds=120)
    assert lines.windows == wanted
    print(f"{lines.again} lines were written again")


def shards_are_exact(lines):
    """Every number of every key is there once, in order within its shard; and every shard has had some."""
    numbers = defaultdict(list)
    for (_, key), seen in lines.seen.items():
        assert list(seen) == sorted(seen)
        numbers[key] += seen
    assert {key: sorted(seen) for key, seen in numbers.items()} == {
        f"k{key}": list(range(key, RECORDS, KEYS)) for key in range(KEYS)
    }
    assert len({shard for shard, _ in lines.seen}) == 7
