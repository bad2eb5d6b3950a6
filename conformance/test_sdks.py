"""AWS's SDKs, unmodified: each puts, reads, reshards in mid-flow, is refused, subscribes and is pushed to. See `sdk/`."""

import base64
import shutil
import subprocess
import zipfile

import pytest

import sdks
from headwater import Server

# Each client, and how it speaks: over which HTTP (2 is with prior knowledge), or in which of Kinesis's protocols.
CLIENTS = {
    "javascript": (lambda: sdks.javascript("kinesis"), ("http2", "http1")),
    "java": (lambda: sdks.java("Kinesis"), ("cbor", "json")),
    "go": (sdks.go, ("http2", "http1")),
    "rust": (sdks.rust, ("http1",)),
}


ALL_WAYS = [(client, way) for client, (_, ways) in CLIENTS.items() for way in ways]


@pytest.fixture(params=ALL_WAYS, ids="-".join)
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


KEY = {"AWS_ACCESS_KEY_ID": "AKIDHEADWATER", "AWS_SECRET_ACCESS_KEY": "only/the+owner=knows"}


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    """A server that wants signatures of the one key that it knows, and its address for TLS."""
    words = ("--access-key-id", KEY["AWS_ACCESS_KEY_ID"], "--secret-access-key", KEY["AWS_SECRET_ACCESS_KEY"])
    server = Server(tmp_path_factory.mktemp("secure") / "data", "--tls-listen", "127.0.0.1:0", *words).start()
    yield server, server.process.stdout.readline().decode().split()[-1]
    assert server.stop() == 0


@pytest.mark.parametrize("client", CLIENTS)
def test_signatures(client, secure, name):
    program, ways = CLIENTS[client]
    endpoint, command = secure[0].endpoint, [*program(), "streams", name, ways[0]]
    assert sdks.run(command, endpoint, **KEY)["records"] == 301
    refused = sdks.attempt(command, endpoint, **{**KEY, "AWS_SECRET_ACCESS_KEY": "guessed"})
    assert refused.returncode and "The request signature we calculated" in refused.stdout + refused.stderr


@pytest.fixture(scope="module")
def trust(secure, tmp_path_factory):
    """The variables with which the clients trust the server's authority, each in its own way."""
    authority = secure[0].data_dir / "tls/ca.pem"
    variables = {"AWS_CA_BUNDLE": str(authority), "NODE_EXTRA_CA_CERTS": str(authority)}
    if shutil.which("keytool"):
        store = tmp_path_factory.mktemp("trust") / "store.p12"
        made = ["keytool", "-importcert", "-noprompt", "-file", authority, "-keystore", store, "-storepass", "public"]
        subprocess.run(made, check=True, capture_output=True)
        words = f"-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword=public"
        variables["JAVA_TOOL_OPTIONS"] = words
    return variables


@pytest.mark.parametrize(("client", "way"), ALL_WAYS)
def test_fan_out_over_tls(client, way, secure, trust, name):
    command = [*CLIENTS[client][0](), "fanout", name, way]
    assert sdks.run(command, secure[1], **KEY, **trust)["pushed"] == 200


@pytest.mark.parametrize("client", CLIENTS)
def test_streams_over_tls(client, secure, trust, name):
    program, ways = CLIENTS[client]
    command = [*program(), "streams", name, ways[0]]
    assert sdks.run(command, secure[1], **KEY, **trust)["records"] == 301
    stranger = sdks.attempt(command, secure[1], **KEY)
    assert stranger.returncode, "it does not know the authority"


def test_streams_with_the_aws_cli(server, name, tmp_path):
    """Which leaves event streams out, and has no `subscribe-to-shard`."""

    def aws(*command, **options):
        words = [("--" + option.replace("_", "-"), value) for option, value in options.items()]
        return server.aws("kinesis", *command, "--stream-name", name, *(word for pair in words for word in pair))

    def put(data):
        (tmp_path / "data").write_bytes(data)
        return aws("put-record", partition_key="k", data=f"fileb://{tmp_path}/data")["ShardId"]

    def read(shard):
        start = aws("get-shard-iterator", shard_id=shard, shard_iterator_type="TRIM_HORIZON")
        answer = server.aws("kinesis", "get-records", "--shard-iterator", start["ShardIterator"])
        return [base64.b64decode(record["Data"]) for record in answer["Records"]], answer

    aws("create-stream", shard_count=1)
    aws("wait", "stream-exists")
    parent = put(bytes(range(256)))
    aws("split-shard", shard_to_split=parent, new_starting_hash_key=1 << 127)
    aws("wait", "stream-exists")
    child = put(b"after")
    shards = {shard["ShardId"]: shard for shard in aws("list-shards")["Shards"]}
    assert len(shards) == 3 and shards[child]["ParentShardId"] == parent
    records, answer = read(parent)
    assert records == [bytes(range(256))]
    assert child in [shard["ShardId"] for shard in answer["ChildShards"]] and not answer.get("NextShardIterator")
    assert read(child)[0] == [b"after"]
    aws("delete-stream")
    aws("wait", "stream-not-exists")
    gone = server.aws("kinesis", "describe-stream-summary", "--stream-name", name, check=False)
    assert gone.returncode and "(ResourceNotFoundException)" in gone.stderr


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
