"""Version 2 of the AWS CLI, where it is installed: streams, deliveries, buckets, functions and logs.

Debian's package `awscli` is one. It may be too old to know AWS_ENDPOINT_URL, and is told where to go in each command.
"""

import base64
import functools
import json
import os
import pathlib
import subprocess

import pytest

from headwater import clean_environment, wait_for
from test_firehose import ROLE, destination, zipped

HANDLER = """
def handler(event, context):
    print("seen", event["number"])
    return {"twice": 2 * event["number"]}
"""


@functools.cache
def program():
    """The first `aws` of version 2: virtual environments and shims may have others before it."""
    folders = [*os.get_exec_path(), "/usr/local/bin", "/usr/bin"]
    for path in (pathlib.Path(folder) / "aws" for folder in folders):
        if os.access(path, os.X_OK):
            told = subprocess.run([path, "--version"], capture_output=True, text=True, env=clean_environment())
            if told.stdout.startswith("aws-cli/2."):
                return str(path)
    return None


@pytest.fixture
def aws(endpoint):
    """Runs a command; its parsed JSON where it printed some, its text otherwise."""
    if not program():
        pytest.skip("version 2 of the AWS CLI is not tried: it is not installed")

    def run(*words, **options):
        command = [program(), *map(str, words), "--endpoint-url", endpoint]
        done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=120, **options)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout

    return run


def test_streams(aws, name, tmp_path):
    stream = ("--stream-name", name)
    aws("kinesis", "create-stream", *stream, "--shard-count", 2)
    aws("kinesis", "wait", "stream-exists", *stream)
    batch = tmp_path / "batch.json"
    data = [bytes([at]) * 100 for at in range(200)]
    # Version 2 takes what is binary as base64.
    entries = [{"Data": base64.b64encode(text).decode(), "PartitionKey": str(at % 20)} for at, text in enumerate(data)]
    batch.write_text(json.dumps(entries))
    assert aws("kinesis", "put-records", *stream, "--records", f"file://{batch}")["FailedRecordCount"] == 0
    aws("kinesis", "put-record", *stream, "--partition-key", "raw", "--data", "plain", "--cli-binary-format", "raw-in-base64-out")
    found = []
    for shard in aws("kinesis", "list-shards", *stream)["Shards"]:
        start = aws(
            *("kinesis", "get-shard-iterator", *stream, "--shard-id", shard["ShardId"]),
            *("--shard-iterator-type", "TRIM_HORIZON"),
        )
        records = aws("kinesis", "get-records", "--shard-iterator", start["ShardIterator"])["Records"]
        numbers = [base64.b64decode(record["Data"])[0] for record in records if record["PartitionKey"] != "raw"]
        assert numbers == sorted(numbers) and records
        found += [base64.b64decode(record["Data"]) for record in records]
    assert sorted(found) == sorted([*data, b"plain"])
    aws("kinesis", "delete-stream", *stream)
    aws("kinesis", "wait", "stream-not-exists", *stream)


def test_deliveries(aws, client, name, tmp_path):
    aws("s3", "mb", f"s3://{name}")
    stream = ("--delivery-stream-name", name)
    # Old ones hold an interval under a minute to be none, and ask for nothing.
    settings = destination(name, Prefix="out/")
    client("firehose").create_delivery_stream(DeliveryStreamName=name, ExtendedS3DestinationConfiguration=settings)
    described = aws("firehose", "describe-delivery-stream", *stream)["DeliveryStreamDescription"]
    assert described["DeliveryStreamStatus"] == "ACTIVE"
    records = [{"Data": base64.b64encode(b"%03d\n" % at).decode()} for at in range(500)]
    batch = tmp_path / "batch.json"
    batch.write_text(json.dumps(records))
    assert aws("firehose", "put-record-batch", *stream, "--records", f"file://{batch}")["FailedPutCount"] == 0
    back = tmp_path / "back"

    def lines():
        aws("s3", "sync", f"s3://{name}/out", back)
        return [line for file in sorted(back.rglob("*")) if file.is_file() for line in file.read_text().splitlines()]

    found = wait_for("500 lines", lambda: len(found := lines()) >= 500 and found, every=1)
    assert sorted(found) == [f"{at:03}" for at in range(500)]


def test_buckets(aws, name, tmp_path):
    bucket, up, down = f"s3://{name}", tmp_path / "up", tmp_path / "down"
    (up / "deep folder").mkdir(parents=True)
    files = {"small": b"x", "empty": b"", "deep folder/ü": b"y" * 1000, "large": bytes(range(256)) * (80 << 10)}
    for path, content in files.items():
        (up / path).write_bytes(content)
    aws("s3", "mb", bucket)
    aws("s3", "cp", "--recursive", up, f"{bucket}/all/")
    listed = [line.split(None, 3)[2:] for line in aws("s3", "ls", "--recursive", f"{bucket}/all/").splitlines()]
    assert listed == [[str(len(content)), f"all/{path}"] for path, content in sorted(files.items())]
    assert aws("s3", "ls", f"{bucket}/all/").splitlines()[0].split() == ["PRE", "deep", "folder/"]
    aws("s3", "sync", f"{bucket}/all", down)
    assert {str(path.relative_to(down)): path.read_bytes() for path in down.rglob("*") if path.is_file()} == files
    assert aws("s3", "sync", f"{bucket}/all", down) == "", "nothing has changed"
    aws("s3", "cp", f"{bucket}/all/large", f"{bucket}/copied")
    aws("s3", "mv", f"{bucket}/copied", tmp_path / "moved")
    assert (tmp_path / "moved").read_bytes() == files["large"]
    (down / "small").unlink()
    aws("s3", "sync", "--delete", down, f"{bucket}/all")
    assert aws("s3api", "list-objects-v2", "--bucket", name, "--query", "{keys: Contents[].Key}")["keys"] == [
        "all/deep folder/ü",
        "all/empty",
        "all/large",
    ]
    aws("s3", "cp", "-", f"{bucket}/piped", input="from a pipe")
    assert aws("s3", "cp", f"{bucket}/piped", "-") == "from a pipe"
    signed = aws("s3", "presign", f"{bucket}/piped").strip()
    assert subprocess.run(["curl", "-sf", signed], capture_output=True, check=True).stdout == b"from a pipe"
    aws("s3", "rb", "--force", bucket)
    assert name not in aws("s3", "ls").split()


def test_functions_and_their_logs(aws, name, tmp_path):
    package, out = tmp_path / "package.zip", tmp_path / "out.json"
    package.write_bytes(zipped(HANDLER))
    function = ("--function-name", name)
    aws(
        *("lambda", "create-function", *function, "--runtime", "python3.12", "--role", ROLE),
        *("--handler", "handler.handler", "--zip-file", f"fileb://{package}"),
    )
    aws("lambda", "wait", "function-active-v2", *function)
    for number in range(3):
        payload = ("--cli-binary-format", "raw-in-base64-out", "--payload", json.dumps({"number": number}))
        answer = aws("lambda", "invoke", *function, *payload, "--log-type", "Tail", out)
        assert f"seen {number}" in base64.b64decode(answer["LogResult"]).decode()
        assert (answer["StatusCode"], json.loads(out.read_text())) == (200, {"twice": 2 * number})
    tail = ("logs", "tail", f"/aws/lambda/{name}", "--format", "short")
    seen = lambda: [line.split(None, 1)[1] for line in aws(*tail).splitlines() if "seen" in line]
    wait_for("the lines of the log", lambda: len(seen()) == 3)
    assert seen() == ["seen 0", "seen 1", "seen 2"]
    assert len(aws(*tail, "--since", "1h", "--filter-pattern", "seen").splitlines()) == 3
