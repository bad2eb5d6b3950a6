"""AWS's SDKs, unmodified, each putting, reading, resharding in mid-flow and refused: see `sdk/`."""

import pytest

import sdks

KINESIS = {
    "javascript-http2": lambda: (sdks.javascript("kinesis"), "http2"),
    "javascript-http1": lambda: (sdks.javascript("kinesis"), "http1"),
}


@pytest.fixture(params=KINESIS)
def kinesis(request, endpoint, name):
    """Runs a scenario with one of the clients, in one of its ways to speak."""
    program, protocol = KINESIS[request.param]()
    return lambda scenario: sdks.run([*program, scenario, f"{name}-{protocol}", protocol], endpoint)


def test_streams(kinesis):
    summary = kinesis("streams")
    assert (summary["records"], summary["shards"]) == (301, 5)
