"""The load generator: it says what it saw, and leaves nothing behind."""

import json
import subprocess

import pytest

from headwater import BINARY, clean_environment

FEW = ["--records", "10"]
MORE = {"get": ["--preload", "1"], "put": FEW, "mixed": FEW, "fanout": FEW}


@pytest.mark.parametrize(
    ("mode", "measured"),
    [("put", 1), ("get", 1), ("latency", 2), ("mixed", 3), ("fanout", 3), ("function", 2)],
)
def test_every_mode_verifies_what_it_read(new_server, mode, measured):
    server = new_server()
    command = [BINARY, "bench", mode, "--endpoint-url", server.endpoint, "--shards", "2", "--duration", "1"]
    command += ["--warm-up", "0", "--json", *MORE.get(mode, [])]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert len(result["measured"]) == measured and all(one["count"] for one in result["measured"])
    verified = result["verification"]
    assert verified["exact"] and verified["acknowledged"] > 0, verified
    assert server.client("kinesis").list_streams()["StreamNames"] == []
    assert server.client("lambda").list_functions()["Functions"] == []
    assert server.client("logs").describe_log_groups()["logGroups"] == []


@pytest.mark.parametrize("what", ["load", "put", "get", "update", "query", "transact", "batch"])
def test_calls_on_a_table_are_read_back(new_server, what):
    server = new_server()
    command = [BINARY, "bench", "tables", "--endpoint-url", server.endpoint, "--what", what, "--items", "1600"]
    command += ["--duration", "1", "--warm-up", "0", "--json"]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    (measured,) = result["measured"]
    assert measured["count"] and not measured["errors"], measured
    assert result["verification"]["exact"] and result["verification"]["read"] > 0
    assert server.client("dynamodb").list_tables()["TableNames"] == []
