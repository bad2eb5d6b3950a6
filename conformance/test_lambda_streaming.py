"""InvokeWithResponseStream through boto3: pieces as they come, errors behind them, callers who hang up."""

import base64
import json

import pytest

from lambdas import create, error_of

CODE = """
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
let runs = 0;
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  runs += 1;
  if (event.early) throw new TypeError('before');
  stream.setContentType('text/plain');
  for (const piece of event.pieces ?? []) { stream.write(piece); await wait(20); }
  for (let n = 0; n < (event.large ?? 0); n++) {
    if (!stream.write(Buffer.alloc(65536, 'x'))) await new Promise((done) => stream.once('drain', done));
  }
  if (event.late) { const error = new Error('after'); error.name = event.late; throw error; }
  stream.end(event.count ? String(runs) : undefined);
});
export const plain = async (event) => ({ given: event });
"""


@pytest.fixture
def lambda_(client):
    return client("lambda", read_timeout=120)


@pytest.fixture
def stream(lambda_, name):
    """Calls the test's function; gives the answer and an iterator over its events."""

    def stream(payload=None, **more):
        if payload is not None:
            more["Payload"] = json.dumps(payload)
        answer = lambda_.invoke_with_response_stream(FunctionName=name, **more)
        return answer, iter(answer["EventStream"])

    return stream


def split(events):
    """The pieces, and what the last event says."""
    *pieces, last = events
    return [each["PayloadChunk"]["Payload"] for each in pieces], last["InvokeComplete"]


def test_pieces_come_one_by_one(lambda_, stream, name):
    create(lambda_, name, {"index.mjs": CODE}, runtime="nodejs22.x")
    answer, events = stream({"pieces": ["one ", "two ", "drei ü"]}, LogType="Tail")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert answer["ResponseStreamContentType"] == "application/vnd.amazon.eventstream"
    pieces, end = split(events)
    assert b"".join(pieces).decode() == "one two drei ü" and len(pieces) > 1
    assert set(end) == {"LogResult"} and b"REPORT RequestId" in base64.b64decode(end["LogResult"])
    pieces, end = split(stream({"large": 160})[1])
    assert (sum(map(len, pieces)), end) == (160 * 65536, {}), "10 MB, which no whole answer may have"
    # Who takes no stream gets the whole.
    whole = lambda_.invoke(FunctionName=name, Payload='{"pieces": ["a", "b"]}')
    assert whole["Payload"].read() == b"ab"


def test_errors_are_told(lambda_, stream, name):
    create(lambda_, name, {"index.mjs": CODE}, runtime="nodejs22.x")
    pieces, end = split(stream({"early": True})[1])
    assert (pieces, end["ErrorCode"]) == ([], "Unhandled")
    assert json.loads(end["ErrorDetails"])["errorType"] == "TypeError"
    for kind in ("Late", "Fehler ä€ 漢", "a\r\nb: c"):
        pieces, end = split(stream({"pieces": ["part"], "late": kind})[1])
        assert (b"".join(pieces), end["ErrorCode"]) == (b"part", "Unhandled"), kind
        details = json.loads(end["ErrorDetails"])
        assert (details["errorType"], details["errorMessage"]) == (kind, "after")
    missing = error_of(lambda: lambda_.invoke_with_response_stream(FunctionName=f"{name}-none"))
    assert missing[1] == "ResourceNotFoundException"
    bad = error_of(lambda: lambda_.invoke_with_response_stream(FunctionName=name, Payload="no json"))
    assert bad[1] == "InvalidRequestContentException"
    dry = lambda_.invoke_with_response_stream(FunctionName=name, InvocationType="DryRun")
    assert dry["StatusCode"] == 204


def test_a_function_that_does_not_stream_answers_in_one_piece(lambda_, stream, name):
    create(lambda_, name, {"index.mjs": CODE}, runtime="nodejs22.x", handler="index.plain")
    pieces, end = split(stream({"a": 1})[1])
    assert (json.loads(b"".join(pieces)), end) == ({"given": {"a": 1}}, {})


def test_a_timeout_ends_the_stream(lambda_, stream, name):
    code = "export const handler = awslambda.streamifyResponse(async (e, s) => { s.write('x'); setInterval(() => {}, 9); });"
    create(lambda_, name, {"index.mjs": code}, runtime="nodejs22.x", Timeout=1)
    pieces, end = split(stream()[1])
    assert pieces == [b"x"] and "timed out after 1.00 seconds" in end["ErrorDetails"]


def test_a_caller_who_hangs_up_does_not_end_the_function(lambda_, stream, name):
    create(lambda_, name, {"index.mjs": CODE}, runtime="nodejs22.x")
    answer, events = stream({"large": 800})
    next(events)
    answer["EventStream"].close()
    # The process runs to its end and takes the next.
    pieces, _ = split(stream({"count": True})[1])
    assert b"".join(pieces) in (b"1", b"2")


OWN = r'''#!/usr/bin/env python3
import base64, json, os, socket
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
API = "/2018-06-01/runtime/invocation/"
def read(sock):
    data = b""
    while b"\r\n\r\n" not in data: data += sock.recv(65536)
    head, body = data.split(b"\r\n\r\n", 1)
    headers = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
    while len(body) < int(headers["content-length"]): body += sock.recv(65536)
    return headers, body
sock = socket.create_connection((host, int(port)))
while True:
    sock.sendall(f"GET {API}next HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    headers, event = read(sock)
    path = API + headers["lambda-runtime-aws-request-id"] + "/response"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: Lambda-Runtime-Function-Error-Type\r\n"
    sock.sendall(head.encode() + b"Lambda-Runtime-Function-Response-Mode: streaming\r\n\r\n4\r\npart\r\n")
    kind = json.loads(event).get("kind")
    body = base64.b64encode(json.dumps({"errorType": kind}).encode()).decode()
    trailers = f"Lambda-Runtime-Function-Error-Type: {kind}\r\nLambda-Runtime-Function-Error-Body: {body}\r\n" if kind else ""
    sock.sendall(f"0\r\n{trailers}\r\n".encode())
    read(sock)
'''


def test_a_runtime_of_its_own_streams(lambda_, stream, name):
    create(lambda_, name, {"bootstrap": OWN}, runtime="provided.al2023")
    assert split(stream({})[1]) == ([b"part"], {})
    pieces, end = split(stream({"kind": "Own.Error"})[1])
    assert (pieces, json.loads(end["ErrorDetails"])) == ([b"part"], {"errorType": "Own.Error"})
    failed = lambda_.invoke(FunctionName=name, Payload='{"kind": "Own.Error"}')
    assert (failed["FunctionError"], json.load(failed["Payload"])) == ("Unhandled", {"errorType": "Own.Error"})
