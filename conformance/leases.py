"""Workers that share an application: its stream, the table of its leases, and what they tell.

A worker is a program, `conformance/sdk/kcl/Worker.java` or the consumer's example `worker`. It is called with a stream,
an application, a name and `polling` or `fanout`, tells what happens line by line as "milliseconds what shard numbers",
and ends in order when its standard input ends.
"""

import itertools
import os
import signal
import subprocess
import threading
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

import sdks
from headwater import clean_environment, wait_for

SHARDS = 4
BATCH = 10
PAUSE = 0.1  # Seconds from one batch to the next.
SECONDS = 180  # Of which a step takes some; a table that is new takes a minute, on a machine with nothing else to do.
ENDS = ("loses", "yields", "ends")

Line = namedtuple("Line", "at what shard numbers")


class Worker:
    """A process, and what it told."""

    def __init__(self, command, server, folder, name):
        self.name, self.out, self.log = name, folder / f"{name}.out", folder / f"{name}.log"
        with open(self.out, "wb") as out, open(self.log, "wb") as log:
            environment = clean_environment(AWS_ENDPOINT_URL=server.endpoint)
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=out, stderr=log)

    def told(self):
        """Its whole lines."""
        lines = [line.split() for line in self.out.read_text().split("\n")[:-1]]
        return [Line(int(line[0]), *line[1:], *[""] * (4 - len(line))) for line in lines]

    def count(self, shard, *whats):
        return sum(line.shard == shard and line.what in whats for line in self.told())

    def holds(self):
        """The shards that it began to read and did not stop to read."""
        held = set()
        for line in self.told():
            if line.what == "begins":
                held.add(line.shard)
            elif line.what in ENDS:
                held.discard(line.shard)
        return held

    def read(self):
        return {int(number) for line in self.told() if line.what == "reads" for number in line.numbers.split(",")}

    def tenures(self):
        """Each time that it had a shard: the shard, when it began, and when last the table agreed that it had it."""
        open_, done = {}, []
        for line in self.told():
            if line.what == "begins":
                open_[line.shard] = [line.shard, line.at, line.at]
                done.append(open_[line.shard])
            elif line.what == "keeps" and line.shard in open_:
                open_[line.shard][2] = line.at
        return done

    def runs(self):
        assert self.process.poll() is None, self.log.read_text()[-4000:]
        return True

    def stop(self):
        """Lets it end in order; gives its exit status."""
        self.process.stdin.close()
        try:
            return self.process.wait(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not end\n{self.log.read_text()[-4000:]}") from None

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()


class Producer:
    """Puts numbered records until it is told to stop."""

    def __init__(self, kinesis, stream):
        self.kinesis, self.stream, self.put = kinesis, stream, 0
        self.enough = threading.Event()
        self.pool = ThreadPoolExecutor(1)
        self.running = self.pool.submit(self._run)

    def _run(self):
        while not self.enough.wait(PAUSE):
            numbers = range(self.put, self.put + BATCH)
            entries = [{"Data": number.to_bytes(8, "big"), "PartitionKey": f"k{number}"} for number in numbers]
            # Those that a shard did not take are put again with the others: nothing here counts how often.
            if self.kinesis.put_records(StreamName=self.stream, Records=entries)["FailedRecordCount"] == 0:
                self.put = numbers.stop

    def stop(self):
        """Gives how many there are."""
        self.enough.set()
        self.running.result()
        self.pool.shutdown()
        return self.put


class Application:
    """Workers on one stream, and their table. Of `all` workers, `workers` are those that are to run."""

    def __init__(self, server, folder, stream, mode):
        self.server, self.folder, self.mode = server, folder, mode
        self.stream, self.table = stream, f"app-{stream}"
        self.kinesis, self.tables = server.client("kinesis"), server.client("dynamodb")
        self.kinesis.create_stream(StreamName=stream, ShardCount=SHARDS)
        self.kinesis.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1})
        self.all, self.workers = [], []
        self.producer = Producer(self.kinesis, stream)

    def start(self, name, program):
        command = [*program, self.stream, self.table, name, self.mode]
        worker = Worker(command, self.server, self.folder, name)
        self.all.append(worker)
        self.workers.append(worker)
        return worker

    def until(self, what, condition):
        """Waits while those that are not killed run, and none holds what the other does."""
        met = lambda: all(worker.runs() for worker in self.workers) and held_by_one(self.all) and condition()
        return wait_for(what, met, SECONDS, every=0.5)

    def shards(self):
        return {shard["ShardId"]: shard for shard in self.kinesis.list_shards(StreamName=self.stream)["Shards"]}

    def leases(self):
        """The leases of shards. The table holds more: who leads, and how the workers do."""
        pages = self.tables.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True)
        items = (item for page in pages for item in page["Items"])
        return {item["leaseKey"]["S"]: item for item in items if item["entityType"]["S"] == "LEASE"}

    def leader(self):
        key = {"leaseKey": {"S": "Leader"}}
        return self.tables.get_item(TableName=self.table, Key=key, ConsistentRead=True)["Item"]["ownerName"]["S"]

    def kill(self, worker):
        self.workers.remove(worker)
        worker.kill()

    def stop(self, worker):
        """Has a worker end in order."""
        self.workers.remove(worker)
        assert worker.stop() == 0, worker.log.read_text()[-4000:]

    def read(self):
        return set().union(*(worker.read() for worker in self.all))

    def close(self):
        for worker in self.workers:
            worker.kill()
        self.producer.stop()


def java():
    """A worker of the Kinesis Client Library itself."""
    program, *words = sdks.java("Worker", "kcl")
    return [program, "-Xmx256m", "-Dorg.slf4j.simpleLogger.showDateTime=true", *words]


def rust():
    """A worker of the consumer's library."""
    return [sdks.example("headwater-consumer", "worker")]


def split(application):
    """Splits the first shard; its name and those of its children."""
    known = application.shards()
    parent = min(known)
    middle = int(known[parent]["HashKeyRange"]["EndingHashKey"]) // 2
    application.kinesis.split_shard(StreamName=application.stream, ShardToSplit=parent, NewStartingHashKey=str(middle))
    return parent, set(application.shards()) - set(known)


def freeze(application, worker, other):
    """Stops a worker where it is until the other has its shards; then it has to see that they are no longer its own."""
    worker.process.send_signal(signal.SIGSTOP)
    os.waitpid(worker.process.pid, os.WUNTRACED)
    given_up = {shard: worker.count(shard, *ENDS) for shard in worker.holds()}
    application.until("the shards of the frozen one", lambda: other.holds() >= set(given_up))
    worker.process.send_signal(signal.SIGCONT)
    application.until("what it lost", lambda: all(worker.count(shard, *ENDS) > given_up[shard] for shard in given_up))


def held_by_one(workers):
    """The table let no worker keep a shard that another had begun to read."""
    tenures = [(worker.name, *tenure) for worker in workers for tenure in worker.tenures()]
    for (one, shard, begins, last), (other, same, other_begins, other_last) in itertools.combinations(tenures, 2):
        assert one == other or shard != same or last <= other_begins or other_last <= begins, (shard, tenures)
    return True
