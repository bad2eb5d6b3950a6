"""Tables of DynamoDB under writers while the server is killed, a thousand times under `./test long`.

After each kill, what the writers know is held against what is there:

* No write that was acknowledged is lost, and one that was not was done whole or not at all.
* The indexes, a local and a global one that not all items are in, have an entry for each item that belongs there, and none
  without its item. The counts agree.
* Of a transaction both items are there or none.
* A reader of the stream, which goes on where it was before the kill, sees a change for each step from item to item: what was
  there before is what the change before left, the numbers of an item's changes rise, and all of them make what is there.
"""

import itertools
import os
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from changes import Follower, all_records, folded
from headwater import size, wait_for
from tables import PATIENT, defined, fill, index_of, item, make, put, scanned, values, wait_active

# Tables under kills, more of them under `./test long`; HEADWATER_KILLS says how many under writers.
pytestmark = pytest.mark.long
KILLS = int(os.environ.get("HEADWATER_KILLS", size(5, 1_000)))
WRITERS = 4
KEYS = 40
PAIRS = 10


class Writer:
    """Writes until the server is killed, and knows what the items that are its alone may be."""

    def __init__(self, server, number):
        self.client = server.client("dynamodb", connect_timeout=2, read_timeout=20)
        self.number, self.chance = number, random.Random(number)
        # What may be there by its key: one item when the last write was acknowledged, more when nobody knows.
        self.maybe = {}
        self.acts, self.acknowledged = itertools.count(), Counter()

    def run(self, killed):
        while True:
            act = self.chance.choice([self.put, self.put, self.update, self.update, self.delete, self.pair, self.batch])
            steps, call = act(next(self.acts))
            before = {key: self.maybe.get(key, [None]) for key in steps}
            after = {key: [step(entry) for entry in before[key]] for key, step in steps.items()}
            self.maybe.update({key: before[key] + after[key] for key in steps})
            try:
                call()
            except (BotoCoreError, ClientError):
                # It may have been done or not. The server answers its own end with an error of the service.
                if not killed.is_set():
                    raise
                # None of its connections is used again.
                return self.client.close()
            self.maybe.update(after)
            self.acknowledged[act.__name__] += 1

    def key(self):
        """One of its keys, which are in all partitions."""
        s = self.chance.randrange(KEYS)
        return f"{self.number}-{s % 8}", s

    def made(self, key, n):
        """An item, which may be in the global index or not."""
        g = {"g": f"g{self.chance.randrange(5)}"} if self.chance.random() < 0.7 else {}
        return {"p": key[0], "s": key[1], "n": n, "pad": "x" * self.chance.randrange(500), **g}

    def put(self, n):
        key = self.key()
        made = self.made(key, n)
        return {key: lambda _: made}, lambda: self.client.put_item(TableName="rows", Item=item(**made))

    def update(self, n):
        """Counts, and moves the item in both indexes or takes it out of one."""
        p, s = key = self.key()
        g = self.chance.choice([None, "g1", "g2"])

        def step(entry):
            entry = {"count": 0, **(entry or {"p": p, "s": s}), "n": n, "g": g}
            return {name: value for name, value in {**entry, "count": entry["count"] + 1}.items() if value is not None}

        change = {"UpdateExpression": "SET n = :n REMOVE g ADD #c :one", "ExpressionAttributeValues": values(n=n, one=1)}
        if g:
            change = {"UpdateExpression": "SET n = :n, g = :g ADD #c :one", "ExpressionAttributeValues": values(n=n, g=g, one=1)}
        change |= {"TableName": "rows", "Key": item(p=p, s=s), "ExpressionAttributeNames": {"#c": "count"}}
        return {key: step}, lambda: self.client.update_item(**change)

    def delete(self, _):
        p, s = key = self.key()
        return {key: lambda _: None}, lambda: self.client.delete_item(TableName="rows", Key=item(p=p, s=s))

    def pair(self, n):
        """The two items of a pair are always the same, for a transaction writes both."""
        pair = self.chance.randrange(PAIRS)
        made = {(f"{self.number}-pair-{side}", pair): {"g": "pair", "n": n} for side in "ab"}
        made = {key: {"p": key[0], "s": key[1], **entry} for key, entry in made.items()}
        puts = [{"Put": {"TableName": "rows", "Item": item(**entry)}} for entry in made.values()]
        steps = {key: lambda _, entry=entry: entry for key, entry in made.items()}
        return steps, lambda: self.client.transact_write_items(TransactItems=puts)

    def batch(self, n):
        """Some items, of which each may be done alone."""
        made = {key: self.made(key, n) for key in {self.key() for _ in range(5)}}
        puts = [{"PutRequest": {"Item": item(**entry)}} for entry in made.values()]
        steps = {key: lambda _, entry=entry: entry for key, entry in made.items()}
        return steps, lambda: self.whole(self.client.batch_write_item(RequestItems={"rows": puts}))

    def whole(self, answer):
        assert answer["UnprocessedItems"] == {}, "the table has the capacity"

    def check(self, found):
        for key, maybe in self.maybe.items():
            assert found.get(key) in maybe, f"{key} is {found.get(key)}, and may be {maybe}"
            # From here on it is known what the kill left.
            self.maybe[key] = [found.get(key)]
        assert {key for key in found if key[0].startswith(f"{self.number}-")} <= set(self.maybe)


def in_order(items):
    return sorted(items, key=lambda entry: (entry["p"], entry["s"]))


def check(dynamodb, writers):
    """Whether the table is what the writers know, its indexes agree, and pairs are whole. Gives the items."""
    items = in_order(scanned(dynamodb, "rows", ConsistentRead=True))
    found = {(entry["p"], entry["s"]): entry for entry in items}
    assert len(found) == len(items)
    for writer in writers:
        writer.check(found)
    in_global = [entry for entry in items if "g" in entry]
    assert in_order(scanned(dynamodb, "rows", IndexName="by-n")) == items
    assert in_order(scanned(dynamodb, "rows", IndexName="by-g")) == in_global
    for (p, s), entry in found.items():
        if p.endswith("-pair-a"):
            assert found[p[:-1] + "b", s]["n"] == entry["n"], "half a transaction"
    table = dynamodb.describe_table(TableName="rows")["Table"]
    counts = [index[0]["ItemCount"] for index in (table["LocalSecondaryIndexes"], table["GlobalSecondaryIndexes"])]
    assert [table["ItemCount"], *counts] == [len(items), len(items), len(in_global)]
    return items


def make_rows(dynamodb, more_kinds={}, **more):
    kinds = {"p": "S", "s": "N", "n": "N", **more_kinds}
    make(dynamodb, "rows", kinds, ("p", "s"), LocalSecondaryIndexes=[index_of("by-n", "p", "n")], **more)


def write_until_killed(server, writers, writes, meanwhile):
    """Kills the server once so many writes were acknowledged."""
    killed = threading.Event()
    done = lambda: sum(writer.acknowledged.total() for writer in writers)
    enough = done() + writes
    with ThreadPoolExecutor(len(writers)) as pool:
        running = [pool.submit(writer.run, killed) for writer in writers]
        try:
            meanwhile()
            wait_for("some writes", lambda: done() >= enough, every=0.005)
        finally:
            killed.set()
            server.kill()
    for writer in running:
        writer.result()


def test_kills_under_writers(new_server):
    server, chance = new_server(), random.Random(KILLS)
    dynamodb, streams = server.client("dynamodb", **PATIENT), server.client("dynamodbstreams", **PATIENT)
    make_rows(
        dynamodb, {"g": "S"}, GlobalSecondaryIndexes=[index_of("by-g", "g", "n")],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    arn = dynamodb.describe_table(TableName="rows")["Table"]["LatestStreamArn"]
    reader = Follower(streams, arn)
    writers, began = [Writer(server, number) for number in range(WRITERS)], time.monotonic()
    for _ in range(KILLS):
        write_until_killed(server, writers, chance.randrange(1, 100), reader.follow)
        server.start()
        if chance.random() < 0.1:
            # One more while it has hardly begun.
            server.restart()
        items = check(dynamodb, writers)
        assert in_order(reader.follow()) == items
    seconds, acknowledged = time.monotonic() - began, sum((writer.acknowledged for writer in writers), Counter())
    print(f"{KILLS} kills in {seconds:.0f} s, {len(reader.fold.items)} items, {dict(acknowledged)}")
    assert items and in_order(folded(all_records(streams, arn))) == items


def test_a_kill_while_an_index_is_filled(new_server):
    server = new_server()
    dynamodb = server.client("dynamodb", **PATIENT)
    make_rows(dynamodb)
    fill(dynamodb, "rows", ({"p": f"{n}", "s": 0, "g": f"g{n % 5}", "n": n} for n in range(5000)))
    dynamodb.update_table(
        TableName="rows", AttributeDefinitions=defined(p="S", s="N", g="S", n="N"),
        GlobalSecondaryIndexUpdates=[{"Create": index_of("by-g", "g", "n")}],
    )
    for _ in range(2):
        server.restart()
        put(dynamodb, "rows", {"p": "late", "s": 0, "g": "late", "n": 0})
    wait_active(dynamodb, "rows")
    assert len(check(dynamodb, [])) == 5001
    dynamodb.update_table(TableName="rows", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-g"}}])
    server.restart()
    shown = lambda: dynamodb.describe_table(TableName="rows")["Table"]
    wait_for("the index's end", lambda: "GlobalSecondaryIndexes" not in shown())
    assert len(scanned(dynamodb, "rows")) == 5001


def test_kills_while_tables_come_and_go(new_server):
    server = new_server()
    dynamodb = server.client("dynamodb", **PATIENT)
    for round_ in range(size(4, 30)):
        make(dynamodb, "kept" if round_ == 0 else f"round-{round_}")
        put(dynamodb, "kept", {"p": f"{round_}"})
        if round_ > 1:
            dynamodb.delete_table(TableName=f"round-{round_ - 1}")
        server.restart()
        names = ["kept"] if round_ == 0 else ["kept", f"round-{round_}"]
        assert dynamodb.list_tables()["TableNames"] == names
        assert len(scanned(dynamodb, "kept")) == round_ + 1
        if round_ > 0:
            put(dynamodb, f"round-{round_}", {"p": "a"})
