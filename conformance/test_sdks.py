"""AWS's SDKs, unmodified: each puts, reads, reshards in mid-flow, is refused, subscribes and is pushed to. See `sdk/`."""

import zipfile

import pytest

import sdks

# Each client, and how it speaks: over which HTTP (2 is with prior knowledge), or in which of Kinesis's protocols.
CLIENTS = {
    "javascript": (lambda: sdks.javascript("kinesis"), ("http2", "http1")),
    "java": (lambda: sdks.java("Kinesis"), ("cbor", "json")),
    "go": (sdks.go, ("http2", "http1")),
    "rust": (sdks.rust, ("http1",)),
}


@pytest.fixture(params=[(client, way) for client, (_, ways) in CLIENTS.items() for way in ways], ids="-".join)
def kinesis(request, endpoint, name):
    """Runs a scenario with one of the clients, in one of its ways to speak."""
    client, way = request.param
    program = CLIENTS[client][0]()
    return lambda scenario: sdks.run([*program, scenario, name, way], endpoint)


def test_streams(kinesis):
    summary = kinesis("streams")
    assert (summary["records"], summary["shards"]) == (301, 5)


def test_fan_out(kinesis):
    assert kinesis("fanout")["pushed"] == 200


@pytest.mark.parametrize("protocol", ["http2", "http1"])
def test_objects_with_go(endpoint, name, protocol):
    assert sdks.run([*sdks.go(), "objects", name, protocol], endpoint)["bytes"] > 0


@pytest.mark.parametrize("scenario", ["objects", "deliveries"])
def test_services_with_javascript(endpoint, name, scenario):
    assert sdks.run([*sdks.javascript("services"), scenario, name], endpoint)


def test_functions_with_javascript(endpoint, name, tmp_path):
    package = tmp_path / "package.zip"
    handler = "export const handler = async (event) => { console.log('seen'); return { echo: event }; };"
    with zipfile.ZipFile(package, "w") as zipped:
        zipped.writestr("index.mjs", handler)
    assert sdks.run([*sdks.javascript("services"), "functions", name, package], endpoint)["invoked"] == 1
