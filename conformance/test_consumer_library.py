"""The producer's and the consumer's libraries against the server, while the stream is split and merged and workers die.

What is done, and most of what is checked, stands in `crates/consumer/examples/reshard.rs`.
"""

import os
import pathlib
import subprocess

import pytest

import sdks
from headwater import BINARY, ROOT


@pytest.fixture(scope="module")
def application():
    """The program, built as the server under test is."""
    profile = BINARY.parent.name
    made = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / profile / "examples/reshard"
    command = ["cargo", "build", "--quiet", "--locked", "--package", "headwater-consumer", "--example", "reshard"]
    subprocess.run(command + (["--release"] if profile == "release" else []), cwd=ROOT, check=True)
    return made


@pytest.mark.parametrize("reading", ["poll", "fanout"])
def test_nothing_is_lost_while_shards_and_workers_come_and_go(application, reading, new_server, name):
    server = new_server("--limits", "off")
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=2)
    told = sdks.run([application, reading, name], server.endpoint)
    assert told["records"] == 51_000
    # 5 changes in each of two phases, of which 4 are splits into two and one is a merge.
    assert told["shards"] == 2 + 2 * (4 * 2 + 1)
    assert told["repeats_in_order"] == 0
    assert told["repeats_after_crash"] > 0
