"""An acknowledged record survives SIGKILL, whatever was under way."""

import random
import threading

from botocore.exceptions import BotoCoreError, ClientError

ROUNDS = 20
WRITERS = 4
SHARDS = 4


def records_of(kinesis, stream):
    """Everything in the stream: sequence number to data, a shard's numbers in order."""
    found = {}
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        last = 0
        while True:
            page = kinesis.get_records(ShardIterator=iterator, Limit=10_000)
            for record in page["Records"]:
                number = int(record["SequenceNumber"])
                assert number > last, "a shard's sequence numbers only grow"
                last = number
                found[shard["ShardId"], record["SequenceNumber"]] = record["Data"]
            if not page["Records"] and page["MillisBehindLatest"] == 0:
                break
            iterator = page["NextShardIterator"]
    return found


def write_until_killed(kinesis, stream, writer, acknowledged, started):
    count = 0
    try:
        while True:
            data = [f"{writer}-{count + i}".encode() * 20 for i in range(25)]
            if count % 2:
                answer = kinesis.put_record(StreamName=stream, PartitionKey=f"{writer}{count}", Data=data[0])
                acknowledged[answer["ShardId"], answer["SequenceNumber"]] = data[0]
            else:
                entries = [{"PartitionKey": f"{writer}{count + i}", "Data": d} for i, d in enumerate(data)]
                answer = kinesis.put_records(StreamName=stream, Records=entries)
                for entry, result in zip(data, answer["Records"]):
                    if "SequenceNumber" in result:
                        acknowledged[result["ShardId"], result["SequenceNumber"]] = entry
            count += 25
            started.set()
    except (BotoCoreError, ClientError):
        # The server was killed in the middle of this call, so nothing was acknowledged.
        return


def test_twenty_kills_lose_no_acknowledged_record(new_server):
    server = new_server("--limits", "off")
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName="kills", ShardCount=SHARDS)
    acknowledged = {}
    chance = random.Random(2018)
    for number in range(ROUNDS):
        started = threading.Event()
        writers = [
            threading.Thread(
                target=write_until_killed,
                args=(server.client("kinesis"), "kills", f"{number}-{w}-", acknowledged, started),
            )
            for w in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        assert started.wait(30), "no put was acknowledged"
        threading.Event().wait(chance.uniform(0.01, 0.2))
        server.kill()
        for writer in writers:
            writer.join()
        server.start()
        kinesis = server.client("kinesis")
    found = records_of(kinesis, "kills")
    lost = [key for key, data in acknowledged.items() if found.get(key) != data]
    assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged records are gone"
    assert len(acknowledged) > ROUNDS * 25
    print(f"{ROUNDS} kills, {len(acknowledged)} acknowledged records, {len(found)} in the stream, none lost")


def test_a_stopped_server_answers_what_it_has_and_exits_cleanly(new_server):
    server = new_server()
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName="drain", ShardCount=1)
    put = kinesis.put_record(StreamName="drain", PartitionKey="k", Data=b"kept")
    assert server.stop() == 0
    server.start()
    found = records_of(server.client("kinesis"), "drain")
    assert found == {(put["ShardId"], put["SequenceNumber"]): b"kept"}


def test_two_servers_do_not_share_a_data_folder(new_server):
    import subprocess

    from headwater import BINARY, clean_environment

    server = new_server()
    second = subprocess.run(
        [BINARY, "serve", "--listen", "127.0.0.1:0", "--data-dir", server.data_dir],
        capture_output=True, text=True, env=clean_environment(), timeout=30,
    )
    assert second.returncode != 0
    assert "another" in second.stderr, second.stderr
