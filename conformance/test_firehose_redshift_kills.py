"""SIGKILLs amid loads into a warehouse: what was accepted is in the table once, whatever was under way."""

import json
import os
import random
import threading

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from beside import ROLE, bucket
from headwater import wait_for
from postgres import PASSWORD, USER, Postgres, Relay

KILLS = 15
BATCH = 200


@pytest.fixture
def warehouse(tmp_path):
    folder = tmp_path / "postgres"
    folder.mkdir()
    postgres = Postgres(folder)
    relay = Relay(postgres.port)
    postgres.sql("create table rides (id integer, text text)")
    yield postgres, relay
    relay.close()
    postgres.stop()


def make(server, relay):
    server.client("s3").create_bucket(Bucket="staged")
    settings = {
        "RoleARN": ROLE,
        "ClusterJDBCURL": f"jdbc:postgresql://127.0.0.1:{relay.port}/postgres",
        "CopyCommand": {"DataTableName": "rides", "CopyOptions": "JSON 'auto' GZIP"},
        "Username": USER,
        "Password": PASSWORD,
        "RetryOptions": {"DurationInSeconds": 600},
        "S3Configuration": bucket("staged", CompressionFormat="GZIP"),
    }
    firehose = server.client("firehose")
    firehose.create_delivery_stream(DeliveryStreamName="rides", RedshiftDestinationConfiguration=settings)
    return firehose


def records(ids):
    return [{"Data": json.dumps({"id": i, "text": f"ride {i}"}).encode()} for i in ids]


class Producer:
    """Puts batches until it is told to stop, and keeps which ids were accepted. None is put twice."""

    def __init__(self, firehose):
        self.firehose, self.accepted, self.put = firehose, [], 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stopping.wait(0.1):
            ids = range(self.put, self.put + BATCH)
            self.put += BATCH
            try:
                answer = self.firehose.put_record_batch(DeliveryStreamName="rides", Records=records(ids))
            except (BotoCoreError, ClientError):  # Killed: nobody knows what became of these.
                continue
            self.accepted += [i for i, result in zip(ids, answer["RequestResponses"]) if "RecordId" in result]

    def stop(self):
        self.stopping.set()
        self.thread.join()


def test_a_load_that_was_committed_and_not_heard_of_is_not_made_again(new_server, warehouse):
    postgres, relay = warehouse
    server = new_server()
    firehose = make(server, relay)
    relay.keep_next_commit()
    firehose.put_record_batch(DeliveryStreamName="rides", Records=records(range(BATCH)))
    assert relay.kept_commit.wait(60), "the warehouse did not commit"
    server.kill()
    assert postgres.sql("select count(*) from rides") == [str(BATCH)]
    assert (relay.statements(b"begin;"), relay.statements(b"copy rides")) == (1, 1)
    server.start()
    wait_for("the same load again", lambda: relay.statements(b"begin;") == 2)
    # A later batch is loaded when this one has ended.
    firehose.put_record_batch(DeliveryStreamName="rides", Records=records([BATCH]))
    wait_for("the later row", lambda: postgres.sql(f"select count(*) from rides where id = {BATCH}") == ["1"])
    assert postgres.sql("select count(*), count(distinct id) from rides") == [f"{BATCH + 1}|{BATCH + 1}"]
    assert relay.statements(b"copy rides") == 2


def test_kills_amid_loads_lose_nothing_and_repeat_nothing(new_server, warehouse):
    seed = int(os.environ.get("HEADWATER_KILLS_SEED", random.randrange(1 << 32)))
    print(f"HEADWATER_KILLS_SEED={seed}")
    chance = random.Random(seed)
    postgres, relay = warehouse
    server = new_server()
    producer = Producer(make(server, relay))
    try:
        for _ in range(KILLS):
            # Some messages between server and warehouse later: a load has about twenty.
            for _ in range(chance.randrange(1, 40)):
                assert relay.passed.acquire(timeout=60), "nothing is loaded any more"
            server.restart()
    finally:
        producer.stop()
    accepted = set(producer.accepted)
    assert len(accepted) >= KILLS * BATCH

    def found():
        return [int(line) for line in postgres.sql("select id from rides")]

    wait_for("all accepted rows", lambda: accepted <= set(found()), seconds=120, every=0.5)
    ids = found()
    assert len(ids) == len(set(ids)), f"{len(ids) - len(set(ids))} rows are there again"
    loads = relay.statements(b"begin;"), relay.statements(b"copy rides")
    print(f"{len(accepted)} of {producer.put} records accepted, {len(ids)} rows; {loads} loads begun and rows sent")
