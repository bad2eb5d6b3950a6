"""Tables of DynamoDB under writers while the server is killed: what was acknowledged stays, indexes and streams agree with
their items, and no transaction is done by halves."""

import itertools
import random
import threading
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import BotoCoreError, ClientError

from changes import all_records, folded
from headwater import size, wait_for
from tables import PATIENT, defined, fill, index_of, item, make, put, scanned, wait_active

ROUNDS = size(5, 60)
WRITERS = 4


class Writer:
    """Writes until told to stop, through all kills, and knows what the items that are its alone must be."""

    def __init__(self, server, number, done):
        self.server, self.number, self.done = server, number, done
        self.chance = random.Random(number)
        # What may be there by its key: one value when the last write was acknowledged, two when nobody knows.
        self.maybe = {}
        self.acknowledged = 0

    def run(self):
        client = self.server.client("dynamodb", connect_timeout=2, read_timeout=10)
        for n in itertools.count():
            if self.done.is_set():
                return self
            act = self.chance.choice([self.put, self.put, self.delete, self.pair])
            keys, after, call = act(n)
            before = {key: self.maybe.get(key, [None]) for key in keys}
            for key in keys:
                self.maybe[key] = [*before[key], after(key)]
            try:
                call(client)
            except (BotoCoreError, ClientError):
                # It may have been done or not. The server answers its own end with an error of the service.
                continue
            for key in keys:
                self.maybe[key] = [after(key)]
            self.acknowledged += 1

    def key(self):
        return f"{self.number}-{self.chance.randrange(40)}"

    def put(self, n):
        key, g = self.key(), f"g{self.chance.randrange(5)}"
        made = {"p": key, "g": g, "n": n, "pad": "x" * self.chance.randrange(500)}
        return [key], lambda _: made, lambda client: client.put_item(TableName="rows", Item=item(**made))

    def delete(self, _):
        key = self.key()
        return [key], lambda _: None, lambda client: client.delete_item(TableName="rows", Key=item(p=key))

    def pair(self, n):
        """Two items of a pair are always the same, for a transaction writes both."""
        pair = self.chance.randrange(10)
        made = {f"{self.number}-pair-{pair}-{side}": n for side in "ab"}
        item_of = lambda key: {"p": key, "g": "pair", "n": n}
        puts = [{"Put": {"TableName": "rows", "Item": item(**item_of(key))}} for key in made]
        return list(made), item_of, lambda client: client.transact_write_items(TransactItems=puts)

    def check(self, found):
        for key, maybe in self.maybe.items():
            assert found.get(key) in maybe, f"{key} is {found.get(key)}, and may be {maybe}"
            # From here on it is known what the kill left.
            self.maybe[key] = [found.get(key)]


def check(dynamodb, writers):
    """Whether the table is what the writers know, its index agrees, and pairs are whole. Gives the items."""
    items = scanned(dynamodb, "rows", ConsistentRead=True)
    found = {entry["p"]: entry for entry in items}
    assert len(found) == len(items)
    for writer in writers:
        writer.check(found)
    in_order = lambda items: sorted(items, key=lambda entry: entry["p"])
    assert in_order(scanned(dynamodb, "rows", IndexName="by-g")) == in_order(items)
    for key, entry in found.items():
        if key.endswith("-a") and "-pair-" in key:
            assert found[key[:-1] + "b"]["n"] == entry["n"], "half a transaction"
    table = dynamodb.describe_table(TableName="rows")["Table"]
    assert table["ItemCount"] == len(items) == table["GlobalSecondaryIndexes"][0]["ItemCount"]
    return items


def test_kills_under_writers(new_server):
    server = new_server()
    dynamodb = server.client("dynamodb", **PATIENT)
    make(
        dynamodb, "rows", {"p": "S", "g": "S", "n": "N"}, GlobalSecondaryIndexes=[index_of("by-g", "g", "n")],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    writers = [Writer(server, number, None) for number in range(WRITERS)]
    for round_ in range(ROUNDS):
        before = sum(writer.acknowledged for writer in writers)
        done = threading.Event()
        for writer in writers:
            writer.done = done
        with ThreadPoolExecutor(WRITERS) as pool:
            running = [pool.submit(writer.run) for writer in writers]
            some = before + random.Random(round_).randrange(50, 400)
            try:
                wait_for("some writes", lambda: sum(w.acknowledged for w in writers) > some, every=0.01)
            finally:
                server.kill()
                done.set()
        assert all(writer.result() for writer in running)
        server.start()
        check(dynamodb, writers)
    server.restart()
    items = check(dynamodb, writers)
    arn = dynamodb.describe_table(TableName="rows")["Table"]["LatestStreamArn"]
    assert folded(all_records(server.client("dynamodbstreams"), arn)) == sorted(items, key=repr) != []


def test_a_kill_while_an_index_is_filled(new_server):
    server = new_server()
    dynamodb = server.client("dynamodb", **PATIENT)
    make(dynamodb, "rows")
    fill(dynamodb, "rows", ({"p": f"{n}", "g": f"g{n % 5}", "n": n} for n in range(5000)))
    dynamodb.update_table(
        TableName="rows", AttributeDefinitions=defined(p="S", g="S", n="N"),
        GlobalSecondaryIndexUpdates=[{"Create": index_of("by-g", "g", "n")}],
    )
    for _ in range(2):
        server.restart()
        put(dynamodb, "rows", {"p": "late", "g": "late", "n": 0})
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
