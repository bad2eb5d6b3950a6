"""The console in a real browser: what a person finds with clicks alone, what a page must not do, and what is built of it."""

import hashlib
import json
import os
import pathlib
import subprocess
import time
import urllib.error
import urllib.request

import boto3
import pytest

from chromium import CONSOLE, packages, visit
from flows import POISON, REFUSED, WAITING, Flows
from headwater import ROOT, Server, clean_environment, wait_for

DIST = ROOT / "crates/roof/server/src/console/dist"
HTML = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture(scope="module")
def flows(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("console") / "data").start()
    flows = Flows(server).build().keep_putting()
    yield flows
    flows.end()
    assert server.stop() == 0


def get(server, path, **headers):
    request = urllib.request.Request(server.endpoint + path, headers=headers)
    return urllib.request.urlopen(request, timeout=10)


def same(shown, record):
    """Whether a page shows a record's JSON, each number with all its digits."""
    return json.loads(shown) == json.loads(record)


@pytest.mark.alone
def test_a_person_finds_what_is_held_up_since_when_why_and_the_record(flows):
    found = visit("person", flows.server.endpoint, stuck=flows.stuck, mapping=flows.mapping, refusing=flows.refusing)
    assert found["wrong"] == []
    assert found["seconds"] < 60
    delivery, blocked, aside = found["delivery"], found["blocked"], found["aside"]
    told = flows.incident()
    assert "the bucket archive does not exist" in delivery["why"] and "S3.NoSuchBucket" in delivery["why"]
    since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(told["since_ms"] / 1000))
    assert delivery["since"].startswith(since)
    assert same(delivery["record"], WAITING)
    assert "Function call failed" in blocked["why"] and "shardId-000000000000" in blocked["why"]
    assert "order has no price <i>at all</i>" in blocked["log"]
    assert same(blocked["record"], POISON) and "9007199254740993123" in blocked["record"]
    assert "Lambda.ProcessingFailedStatus" in aside["why"]
    assert same(aside["record"], REFUSED)


def test_without_keys_the_console_only_shows_the_feed(new_server, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("[default]\naws_access_key_id = AKIDCONSOLE\naws_secret_access_key = open-sesame/+=\n")
    server = new_server("--credentials", keys)
    words = {"id": "AKIDCONSOLE", "secret": "open-sesame/+=", "stream": "orders"}
    holder = boto3.Session(words["id"], words["secret"], region_name="us-east-1")
    kinesis = holder.client("kinesis", endpoint_url=server.endpoint)
    kinesis.create_stream(StreamName="orders", ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName="orders")
    told = visit("keys", server.endpoint, **words)
    assert told["wrong"] == []
    assert told["before"].startswith("This is read with your own keys")
    assert told["refused"].startswith("InvalidSignatureException")
    assert told["put"].startswith("It is in shardId-000000000000 under ")
    assert told["seen"] == {"test": True, "named": "a b/c'd(e)*f~é"}
    assert told["kept"] == {"cookies": 0, "local": 0, "session": 0}


def test_the_rest_of_the_console(flows):
    """Each view once: what it shows is what there is."""
    kinesis = flows.kinesis
    kinesis.create_stream(StreamName="packed", ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName="packed")
    kinesis.split_shard(StreamName="clicks", ShardToSplit="shardId-000000000000", NewStartingHashKey="1000")
    kinesis.get_waiter("stream_exists").wait(StreamName="clicks")
    flows.put("packed", aggregated(["one", "two"]))
    flows.put("packed", b"\x00\x01binary")
    tables = flows.server.client("dynamodb")
    tables.create_table(
        TableName="prices",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    tables.get_waiter("table_exists").wait(TableName="prices")
    tables.put_item(TableName="prices", Item={"id": {"S": "<u>x</u>"}, "price": {"N": "12345678901234567890.12345"}})
    told = visit("views", flows.server.endpoint)
    assert told["wrong"] == []
    assert told["packed"] == ["one", "two", "no text: base64, 8 B, its"[:15]]
    assert "from 0" in told["lineage"] and "then 2 and 3" in told["lineage"]
    assert "12345678901234567890.12345" in told["item"]
    assert told["filtered"] == 1
    assert json.loads(told["called"]) == {"records": []}
    assert told["object"].startswith('{"click": ')


@pytest.mark.alone
def test_five_thousand_shards_do_not_make_it_stutter(new_server):
    server = new_server("--limits", "off")
    kinesis = server.client("kinesis")
    for number in range(50):
        kinesis.create_stream(StreamName=f"wide-{number:02}", ShardCount=20)
    kinesis.create_stream(StreamName="widest", ShardCount=4000)
    wait_for("streams", lambda: kinesis.describe_stream_summary(StreamName="widest")["StreamDescriptionSummary"]["OpenShardCount"] == 4000)
    told = visit("many", server.endpoint, stream="widest")
    assert told["wrong"] == []
    assert told["rows"] < 100 and told["last"] == "shardId-000000003999"
    assert told["longest"] < 200, f"{told['longest']} ms"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_accessible_in_both_themes(flows, theme):
    folder = os.environ.get("HEADWATER_PICTURES")
    words = {"folder": str(pathlib.Path(folder).resolve())} if folder else {}
    told = visit("pictures", flows.server.endpoint, theme=theme, **words)
    assert told["wrong"] == []
    assert told["violations"] == []


def test_browsers_get_the_console_and_clients_their_buckets(flows):
    with get(flows.server, "/", **HTML) as answer:
        assert answer.url.endswith("/_headwater/console/")
        assert b"<title>Headwater</title>" in answer.read()
        policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';")
    assert "lake" in [bucket["Name"] for bucket in flows.s3.list_buckets()["Buckets"]]
    with get(flows.server, "/") as answer:
        assert b"ListAllMyBucketsResult" in answer.read()
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(flows.server, "/_headwater/console/other")
    assert refused.value.code == 404


def test_the_feed_is_bounded_and_says_only_what_changed(flows):
    listening = [get(flows.server, "/_headwater/console/events") for _ in range(16)]
    try:
        with pytest.raises(urllib.error.HTTPError) as refused:
            get(flows.server, "/_headwater/console/events")
        assert refused.value.code == 503
        whole, changes = event(listening[0]), event(listening[0])
    finally:
        for answer in listening:
            answer.close()
    assert whole["server"]["signed"] is False
    trips = whole["things"]["us-east-1 delivery trips-to-archive"]
    assert trips["trouble"]["code"] == "S3.NoSuchBucket" and trips["to"] == ["bucket archive"]
    assert "us-east-1 stream orders" not in changes["things"], "it did not change"
    assert "us-east-1 stream clicks" in changes["things"]
    text = json.dumps(whole)
    assert "poison" not in text and "<" not in text, "what is in records is nobody's who has no keys"


def test_pages_of_other_sites_read_nothing(flows):
    for refused in [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]:
        for page in ["", "events", "console.js"]:
            with pytest.raises(urllib.error.HTTPError) as error:
                get(flows.server, f"/_headwater/console/{page}", **refused)
            assert error.value.code == 403, refused
    with get(flows.server, "/_headwater/health", Host="evil.example") as answer:
        assert answer.status == 200


def test_what_a_destination_answered_is_for_those_with_keys(flows, new_server, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("[default]\naws_access_key_id = AKIDCONSOLE\naws_secret_access_key = open-sesame/+=\n")
    server = new_server("--credentials", keys)
    session = boto3.Session("AKIDCONSOLE", "open-sesame/+=", region_name="us-east-1")
    firehose = session.client("firehose", endpoint_url=server.endpoint)
    to = {"RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::missing", "BufferingHints": {"IntervalInSeconds": 0, "SizeInMBs": 1}}
    firehose.create_delivery_stream(DeliveryStreamName="stuck", ExtendedS3DestinationConfiguration=to)
    wait_for("the delivery stream", lambda: firehose.describe_delivery_stream(DeliveryStreamName="stuck")["DeliveryStreamDescription"]["DeliveryStreamStatus"] == "ACTIVE")
    firehose.put_record(DeliveryStreamName="stuck", Record={"Data": b"x"})

    def incident():
        with get(server, "/_headwater/health") as answer:
            return json.load(answer)["stuck_deliveries"].get("stuck")

    wait_for("a stuck delivery", incident)
    assert incident()["code"] == "S3.NoSuchBucket" and "error" not in incident()
    with get(server, "/_headwater/console/events") as answer:
        trouble = event(answer)["things"]["us-east-1 delivery stuck"]["trouble"]
    assert trouble["code"] == "S3.NoSuchBucket" and "missing" not in trouble["text"]
    assert "archive" in flows.incident()["error"], "without keys everybody may read all"


def event(answer):
    while not (line := answer.readline()).startswith(b"data: "):
        assert line
    return json.loads(line.removeprefix(b"data: "))


def test_what_is_checked_in_is_what_the_sources_make_and_small(tmp_path):
    packages()
    subprocess.run(["node", "build.mjs", tmp_path], cwd=CONSOLE, check=True, env=clean_environment(), timeout=120)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_bytes() for path in DIST.iterdir()}, "run `npm ci && npm run build` in console/"
    packed = subprocess.run(["gzip", "-9c", *tmp_path.iterdir()], capture_output=True, check=True).stdout
    assert len(packed) < 150_000


def test_its_parts_without_a_browser():
    packages()
    done = subprocess.run(["npm", "test"], cwd=CONSOLE, env=clean_environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-4000:]


def aggregated(texts):
    """Texts as KPL packs them into one record."""
    def field(number, value):
        return bytes([number << 3 | 2, len(value)]) + value

    records = [field(3, b"\x08\x00" + field(3, text.encode())) for text in texts]
    message = field(1, b"key") + b"".join(records)
    return b"\xf3\x89\x9a\xc2" + message + hashlib.md5(message).digest()
