"""The Java replay of AWS's workshop (aws-samples/amazon-kinesis-replay): a bucket's trips, put into a stream.

No registry has it: HEADWATER_WORKSHOP_REPLAY names a folder with its sources. At its end it drops what its sender still
holds, wherever it sends it.
"""

import os
import pathlib
import subprocess
from collections import Counter

import pytest

import pipeline
import sdks
from headwater import clean_environment
from pipeline import Consumer, parse

TRIPS = 5_000
# Its sender's buffer, and the one batch that may be under way.
HELD = 500 + 500
BUFFERS = ["-readerBufferSize", "100", "-kinesisProducerBuffer", "500", "-kinesisSenderThreads", "1"]
MAIN = "com.amazonaws.samples.kinesis.replay.RePlayer"


@pytest.fixture(scope="module")
def replay():
    """The command that runs it."""
    named = os.environ.get("HEADWATER_WORKSHOP_REPLAY")
    if not named:
        pytest.skip("the workshop's replay is not tried: HEADWATER_WORKSHOP_REPLAY names no folder with its sources")
    sdks.need("workshop's replay", "javac", "java", "mvn")
    source, made = pathlib.Path(named), sdks.BUILT / "workshop"
    files = sorted(source.glob("src/main/java/**/*.java"))
    copy = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
    fetch = ["mvn", "-q", "-B", copy, "-DincludeScope=runtime", f"-DoutputDirectory={made}/jars"]
    compile_ = ["javac", "-cp", f"{made}/jars/*", "-d", f"{made}/classes", *files]
    sdks.build(made, [source / "pom.xml", *files], ["rm", "-rf", made], fetch, compile_)
    return ["java", "-Xmx512m", "-cp", f"{made}/classes:{source}/src/main/resources:{made}/jars/*", MAIN]


def test_no_trip_is_put_twice(replay, new_server, tmp_path, name):
    server = new_server("--limits", "off")
    kinesis, s3 = server.client("kinesis"), server.client("s3")
    trips = pipeline.made(tmp_path / "trips", TRIPS)
    s3.create_bucket(Bucket=name)
    for number, file in enumerate(trips.files):
        s3.put_object(Bucket=name, Key=f"trips/part-{number:05}.json.lz4", Body=file.read_bytes())
    kinesis.create_stream(StreamName=name, ShardCount=4)
    kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
    arn = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    words = ["-streamArn", arn, "-bucketRegion", "us-east-1", "-bucketName", name, "-objectPrefix", "trips/"]
    done = subprocess.run(
        [*replay, *words, *BUFFERS, "-speedup", "1000000000"],
        env=clean_environment(AWS_ENDPOINT_URL=server.endpoint),
        capture_output=True,
        text=True,
        timeout=120,
    )
    # It ends with 1 when its sender is stopped in a call.
    assert "All events have been sent" in done.stdout, done.stdout[-4000:] + done.stderr[-4000:]
    found = Consumer(kinesis, name).result().records
    events = [parse(record["Data"]) for records in found.values() for record in records]
    assert set(Counter(event["trip_id"] for event in events).values()) == {1}
    assert len(events) >= TRIPS - HELD
    assert all(event == trips.by_id[event["trip_id"]] for event in events)
