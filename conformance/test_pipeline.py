"""The taxi pipeline from one end to the other: replay, stream, function, delivery, bucket, and back."""

import csv
import random
import time
from collections import Counter
from decimal import Decimal

import pytest

import pipeline
from pipeline import Consumer, Pipeline, once, same, without_arrival

KILLS = 7


@pytest.fixture(scope="module")
def trips(tmp_path_factory):
    return pipeline.real_or_made(tmp_path_factory.mktemp("trips"))


def delivered_is(pipe, trips, events):
    """The bucket holds what the stream does, each trip once, with the arrival that GetRecords reports."""
    lines = pipe.delivered(len(events))
    assert len(lines) == len(events)
    in_bucket, watermarks = once(lines)
    same({trip: without_arrival(line) for trip, line in in_bucket.items()}, trips.by_id)
    arrivals = {event["trip_id"]: arrival for event, arrival in events if event["type"] == "trip"}
    for trip, line in in_bucket.items():
        assert line["approximate_arrival_timestamp"] == pipeline.iso(arrivals[trip])
    assert watermarks == sum(event["type"] == "watermark" for event, _ in events)
    return in_bucket


def totals_are(found, trips):
    assert len(found) == len(trips)
    assert sum(trip["total_amount"] for trip in found.values()) == trips.total
    if pipeline.REAL.is_dir():
        # What is known of the real trips.
        assert (len(found), trips.total) == (119_996, Decimal("2404639.18"))
        with open(pipeline.REAL.parent.parent / "taxi_zone_lookup.csv") as table:
            boroughs = {int(row["LocationID"]): row["Borough"] for row in csv.DictReader(table)}
        counts = Counter(boroughs.get(trip["pickup_location_id"], "Unknown") for trip in found.values())
        assert counts == {
            "Manhattan": 108_755,
            "Queens": 7_658,
            "Unknown": 1_952,
            "Brooklyn": 1_465,
            "Bronx": 147,
            "EWR": 16,
            "Staten Island": 3,
        }


def test_trips_come_through_whole_and_can_be_replayed_again(new_server, tmp_path, trips):
    pipe = Pipeline(new_server(), tmp_path)
    pipe.upload(trips)
    replay = pipe.replay()
    # Two that know nothing of each other; the second stops for a while.
    consumers = [Consumer(pipe.kinesis, pipe.stream), Consumer(pipe.kinesis, pipe.stream, pause_after=5_000)]
    summary = replay.summary()
    assert (summary["events"], summary["failed"]) == (len(trips), 0)
    first, second = [consumer.result().events() for consumer in consumers]
    assert all(consumers[0].records.values()) and len(consumers[0].records) == 4, "no shard is empty"
    for events in (first, second):
        found, watermarks = once([event for event, _ in events])
        same(found, trips.by_id)
        totals_are(found, trips)
        assert watermarks == summary["watermarks"] > 0
    totals_are(delivered_is(pipe, trips, first), trips)
    assert pipe.failed() == []

    pipe.create_stream("again")
    again = pipe.replay("--no-watermark", stream="again", prefix="historic-trip-events/", speedup=1e9)
    assert again.summary()["events"] == len(trips)
    found, _ = once([event for event, _ in Consumer(pipe.kinesis, "again").result().events()])
    totals_are({trip: without_arrival(event) for trip, event in found.items()}, trips)


@pytest.mark.parametrize("aggregate", [False, True], ids=["plain", "aggregated"])
def test_kills_at_random_moments_lose_nothing_and_repeat_nothing(new_server, tmp_path, trips, aggregate):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    server = new_server()
    pipe = Pipeline(server, tmp_path, interval=5, size=5)
    pipe.upload(trips)
    replay = pipe.replay(*(["--aggregate"] if aggregate else []), speedup=788_400)
    kills = 0
    while replay.running or kills < KILLS:
        time.sleep(chance.uniform(1, 8))
        server.restart()
        kills += 1
    summary = replay.summary()
    print(f"{kills} kills, {summary}")
    assert (summary["events"], summary["failed"]) == (len(trips), 0)
    events = Consumer(pipe.kinesis, pipe.stream).result().events()
    found, watermarks = once([event for event, _ in events])
    same(found, trips.by_id)
    assert watermarks == summary["watermarks"]
    delivered_is(pipe, trips, events)
    assert pipe.failed() == []


def any_record(pipe):
    first = {"ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    iterator = pipe.kinesis.get_shard_iterator(StreamName=pipe.stream, **first)["ShardIterator"]
    return pipe.kinesis.get_records(ShardIterator=iterator, Limit=1)["Records"]


def test_a_record_that_is_not_json_fails_its_batch_alone(new_server, tmp_path):
    trips = pipeline.made(tmp_path / "trips", 20_000)
    pipe = Pipeline(new_server(), tmp_path, interval=5, size=5)
    pipe.upload(trips)
    replay = pipe.replay("--no-watermark", speedup=3_000_000)
    pipeline.wait_for("the first trips", lambda: any_record(pipe), every=0.3)
    pipe.kinesis.put_record(StreamName=pipe.stream, Data=b"not json", PartitionKey="k")
    assert replay.summary()["events"] == len(trips)

    originals = pipeline.wait_for("what failed", pipe.failed, seconds=120, every=1)
    assert originals.count(b"not json") == 1
    lost = [pipeline.parse(original) for original in originals if original != b"not json"]
    # A batch for a function is at most 3 MB, far less than there is.
    assert sum(map(len, originals)) <= 3 << 20
    lines = [without_arrival(line) for line in pipe.delivered(len(trips) - len(lost))]
    found, _ = once(lines + lost)
    same(found, trips.by_id)
