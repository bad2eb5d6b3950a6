"""The taxi pipeline as the tests drive it: its parts, its trips, its readers."""

import base64
import fnmatch
import gzip
import json
import pathlib
import subprocess
import threading
import time
import zipfile
from collections import Counter
from datetime import datetime, timezone
from decimal import Decimal

import lz4.frame
from aws_kinesis_agg.deaggregator import iter_deaggregate_records
from botocore.exceptions import ClientError

from headwater import BINARY, ROOT, clean_environment, wait_for

REAL = ROOT.parent / "shared/data/taxi/taxi-trips-partitioned.json.lz4/dropoff_year=2018"
ROLE = "arn:aws:iam::000000000000:role/test"
EXAMPLE = ROOT / "examples/taxi"


class Trips:
    """The trips that go in: files for the bucket, and what has to come out."""

    def __init__(self, files):
        self.files = files
        self.by_id = {}
        for file in files:
            for line in lz4.frame.decompress(file.read_bytes()).splitlines():
                trip = parse(line)
                self.by_id[trip["trip_id"]] = trip

    def __len__(self):
        return len(self.by_id)

    @property
    def total(self):
        return sum(trip["total_amount"] for trip in self.by_id.values())


def real_or_made(folder, count=120_000):
    """The real trips where they lie beside the repository, else trips made up."""
    if REAL.is_dir():
        return Trips(sorted(REAL.glob("*.lz4")))
    return made(folder, count)


def made(folder, count):
    headwater("trips", "--count", count, "--out", folder)
    return Trips(sorted(pathlib.Path(folder).glob("*.lz4")))


def parse(text):
    return json.loads(text, parse_float=Decimal)


def headwater(*arguments, endpoint=None):
    done = subprocess.run(command(*arguments), env=environment(endpoint), capture_output=True, text=True)
    assert done.returncode == 0, f"{arguments}\n{done.stdout}{done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])


def command(*arguments):
    return [str(part) for part in (BINARY, *arguments)]


def environment(endpoint):
    return clean_environment(**({"AWS_ENDPOINT_URL": endpoint} if endpoint else {}))


class Replay:
    """A replay that runs beside the test."""

    def __init__(self, endpoint, *arguments):
        self.process = subprocess.Popen(
            command("replay", *arguments),
            env=environment(endpoint),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    @property
    def running(self):
        return self.process.poll() is None

    def summary(self, seconds=600):
        out, _ = self.process.communicate(timeout=seconds)
        summary = json.loads(out.splitlines()[-1])
        assert self.process.returncode == 0, summary
        return summary


class Pipeline:
    """Bucket, stream, function and delivery stream, made with the AWS CLI as the example's README does."""

    stream = "beam-workshop"
    delivery = "beam-workshop-s3"
    bucket = "taxi"

    def __init__(self, server, folder, interval=60, size=5):
        self.server = server
        self.kinesis = server.client("kinesis", retries={"max_attempts": 5})
        self.s3 = server.client("s3", retries={"max_attempts": 5})
        self._make(pathlib.Path(folder), interval, size)

    def _make(self, folder, interval, size):
        aws = self.server.aws
        aws("s3", "mb", f"s3://{self.bucket}")
        self.create_stream(self.stream)
        package = folder / "enrich.zip"
        with zipfile.ZipFile(package, "w") as archive:
            archive.write(EXAMPLE / "enrich_events.js", "enrich_events.js")
        aws(
            *("lambda", "create-function", "--function-name", "EnrichEvents", "--runtime", "nodejs22.x"),
            *("--handler", "enrich_events.handler", "--role", ROLE, "--timeout", "60"),
            *("--zip-file", f"fileb://{package}"),
        )
        aws("lambda", "wait", "function-active-v2", "--function-name", "EnrichEvents")
        settings = json.loads((EXAMPLE / "delivery-stream.json").read_text())
        hints = {"IntervalInSeconds": interval, "SizeInMBs": size}
        settings["ExtendedS3DestinationConfiguration"]["BufferingHints"] = hints
        aws("firehose", "create-delivery-stream", "--cli-input-json", json.dumps(settings))
        wait_for("an active delivery stream", self._delivery_active)

    def _delivery_active(self):
        name = ("--delivery-stream-name", self.delivery)
        described = self.server.aws("firehose", "describe-delivery-stream", *name)
        return described["DeliveryStreamDescription"]["DeliveryStreamStatus"] == "ACTIVE"

    def create_stream(self, name):
        self.server.aws("kinesis", "create-stream", "--stream-name", name, "--shard-count", "4")
        self.server.aws("kinesis", "wait", "stream-exists", "--stream-name", name)

    def upload(self, trips):
        for number, file in enumerate(trips.files):
            self.server.aws("s3", "cp", file, f"s3://{self.bucket}/trips/part-{number:05}.json.lz4")

    def replay(self, *arguments, stream=None, prefix="trips/", speedup=1_051_200):
        source = ("--bucket", self.bucket, "--prefix", prefix, "--speedup", speedup)
        return Replay(self.server.endpoint, "--stream", stream or self.stream, *source, *arguments)

    def keys(self, prefix):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def body(self, key):
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def delivered(self, lines, seconds=240):
        """The lines of all objects, once there are as many as are wanted; then none may be missing or twice."""
        known = {}

        def complete():
            for key in self.keys("historic-trip-events/"):
                if key not in known:
                    known[key] = gzip.decompress(self.body(key)).splitlines()
            return sum(map(len, known.values())) >= lines

        try:
            wait_for(f"the delivery of {lines} lines", complete, seconds, every=1)
        except AssertionError as slow:
            raise AssertionError(f"{slow}: there are {sum(map(len, known.values()))}") from None
        for key in known:
            assert fnmatch.fnmatch(key, "historic-trip-events/*/*/*/*/*.gz"), key
            assert key.rsplit("/", 1)[1].startswith(f"{self.delivery}-1-20"), key
        return [parse(line) for lines in known.values() for line in lines]

    def failed(self):
        """The originals of what could not be delivered."""
        lines = []
        for key in self.keys("processing-failed/"):
            body = self.body(key)
            text = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
            lines += [json.loads(line) for line in text.splitlines()]
        return [base64.b64decode(line["rawData"]) for line in lines]


class Consumer:
    """Reads all shards of a stream from their starts, each in a thread, until it is told that no more will come."""

    def __init__(self, kinesis, stream, pause_after=None):
        self.kinesis, self.stream, self.pause_after = kinesis, stream, pause_after
        self.records = {}
        self.no_more = threading.Event()
        self.problems = []
        shards = kinesis.list_shards(StreamName=stream)["Shards"]
        self.threads = [threading.Thread(target=self._run, args=(shard["ShardId"],)) for shard in shards]
        for thread in self.threads:
            thread.start()

    def _run(self, shard):
        try:
            self._read(shard)
        except Exception as problem:  # It is raised where the test waits.
            self.problems.append(problem)

    def _iterator(self, shard, after=None):
        start = {"ShardIteratorType": "TRIM_HORIZON"}
        if after:
            start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": after}
        return self.kinesis.get_shard_iterator(StreamName=self.stream, ShardId=shard, **start)["ShardIterator"]

    def _read(self, shard):
        records = self.records[shard] = []
        iterator = self._iterator(shard)
        while iterator:
            ending = self.no_more.is_set()
            try:
                page = self.kinesis.get_records(ShardIterator=iterator)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ProvisionedThroughputExceededException":
                    raise
                time.sleep(0.3)
                continue
            records += page["Records"]
            iterator = page.get("NextShardIterator")
            if self.pause_after and len(records) >= self.pause_after:
                # It stops for a while, and goes on from its checkpoint.
                self.pause_after = None
                time.sleep(10)
                iterator = self._iterator(shard, after=records[-1]["SequenceNumber"])
            if ending and page["MillisBehindLatest"] == 0:
                return
            time.sleep(0.6)

    def result(self):
        self.no_more.set()
        for thread in self.threads:
            thread.join()
        if self.problems:
            raise self.problems[0]
        return self

    def events(self):
        """Every user record as (event, arrival in milliseconds)."""
        return [
            (parse(data), milliseconds(record["ApproximateArrivalTimestamp"]))
            for records in self.records.values()
            for record in records
            for data in user_data(record)
        ]


def user_data(record):
    """The payloads of one record, taken apart by AWS's own library where they were aggregated."""
    if not record["Data"].startswith(b"\xf3\x89\x9a\xc2"):
        return [record["Data"]]
    parts = list(iter_deaggregate_records([record], "Boto3"))
    assert parts and parts[0]["kinesis"].get("aggregated"), "the library takes it for an aggregated record"
    return [base64.b64decode(part["kinesis"]["data"]) for part in parts]


def milliseconds(time):
    since = time - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return round(since.total_seconds() * 1000)


def iso(millis):
    time = datetime.fromtimestamp(millis // 1000, timezone.utc)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{millis % 1000:03}Z"


def once(events):
    """Trips by their id; each must be there once. And the number of watermarks."""
    trips = [event for event in events if event["type"] == "trip"]
    twice = [trip for trip, count in Counter(trip["trip_id"] for trip in trips).items() if count > 1]
    assert not twice, f"{len(twice)} trips more than once: {twice[:5]}"
    return {trip["trip_id"]: trip for trip in trips}, len(events) - len(trips)


def same(found, wanted):
    """Fails in few words when two maps of trips differ."""
    missing = sorted(wanted.keys() - found.keys())
    assert not missing, f"{len(missing)} trips are missing: {missing[:5]}"
    other = [trip for trip in wanted if found[trip] != wanted[trip]]
    assert not other and len(found) == len(wanted), (other[:3], found[other[0]] if other else len(found))


def without_arrival(line):
    """A delivered line as it was put; the arrival comes first in it."""
    assert next(iter(line)) == "approximate_arrival_timestamp", line
    return {name: value for name, value in line.items() if name != "approximate_arrival_timestamp"}
