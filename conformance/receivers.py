"""Destinations that deliveries are made to, written from their public contracts and apart from the sender.

Each is an HTTP server on this machine that keeps what it takes, checks the form of what it is sent (a request that
breaks the contract is a failure of the test, not of the destination), and does what `plan` says first.
"""

import base64
import contextlib
import gzip
import json
import re
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")


class Receiver:
    """What all receivers share: the server, the plan, and what was wrong with requests. Over TLS where it is told to be."""

    def __init__(self):
        self.scheme = "http"
        self.lock = threading.Lock()
        self.plan = []
        self.broken = []
        self.requests = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    with receiver.lock:
                        receiver.requests.append((self.path, dict(self.headers), body))
                        status, answer = receiver.answer(self.path, self.headers, body)
                except AssertionError as error:
                    receiver.broken.append(str(error) or repr(error))
                    status, answer = 500, {"broken": str(error)}
                answer = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.server.server_address[1]}"

    def secured(self, certificate):
        """The same with TLS, under a certificate of trustme's."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.scheme = "https"
        return self

    def answer(self, path, headers, body):
        raise NotImplementedError

    def next_of_plan(self):
        return self.plan.pop(0) if self.plan else None

    @contextlib.contextmanager
    def running(self):
        self.thread.start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()
            self.thread.join()
        assert not self.broken, self.broken


class HttpEndpoint(Receiver):
    """An endpoint after AWS's "HTTP endpoint delivery request and response specifications".

    A step of the plan is a status to refuse with, "stored" (taken, and answered with an error all the same) or "other"
    (taken, and answered with another request's id).
    """

    def __init__(self, access_key=None):
        super().__init__()
        self.access_key = access_key
        self.taken = {}

    @property
    def records(self):
        return [record for records in list(self.taken.values()) for record in records]

    def answer(self, path, headers, body):
        request_id = headers["X-Amz-Firehose-Request-Id"]
        assert headers["X-Amz-Firehose-Protocol-Version"] == "1.0"
        assert GUID.fullmatch(request_id), request_id
        assert headers["Content-Type"] == "application/json"
        assert headers["X-Amz-Firehose-Source-Arn"].startswith("arn:aws:firehose:")
        assert headers["X-Amz-Firehose-Access-Key"] == self.access_key
        attributes = json.loads(headers["X-Amz-Firehose-Common-Attributes"])["commonAttributes"]
        assert all(isinstance(value, str) for value in attributes.values())
        assert headers["Content-Encoding"] in (None, "gzip")
        body = json.loads(gzip.decompress(body) if headers["Content-Encoding"] else body)
        assert set(body) == {"requestId", "timestamp", "records"} and body["requestId"] == request_id
        assert isinstance(body["timestamp"], int) and 1 <= len(body["records"]) <= 10_000
        assert all(set(record) == {"data"} for record in body["records"])
        records = [base64.b64decode(record["data"], validate=True) for record in body["records"]]
        step = self.next_of_plan()
        thanks = {"requestId": request_id, "timestamp": int(time.time() * 1000)}
        if isinstance(step, int):
            return step, {**thanks, "errorMessage": "as planned"}
        assert self.taken.setdefault(request_id, records) == records, "one id for different records"
        if step == "stored":
            return 500, thanks
        if step == "other":
            return 200, {**thanks, "requestId": "00000000-0000-0000-0000-000000000000"}
        return 200, thanks


class SplunkCollector(Receiver):
    """A HEC after Splunk's documentation. A step of the plan is (status, code) to refuse data with; "late" answers the
    first question for an acknowledgement with "not yet", "never" every one."""

    def __init__(self, token):
        super().__init__()
        self.token = token
        self.channels = {}
        self.late, self.never = set(), set()
        self.taken = []

    def answer(self, path, headers, body):
        assert headers["Authorization"] == f"Splunk {self.token}"
        channel = headers["X-Splunk-Request-Channel"]
        assert GUID.fullmatch(channel), channel
        acks = self.channels.setdefault(channel, [])
        if path == "/services/collector/ack":
            asked = json.loads(body)["acks"]
            assert all(isinstance(ack, int) and ack < len(acks) for ack in asked)
            known = {str(ack): (channel, ack) not in self.late | self.never for ack in asked}
            self.late -= {(channel, ack) for ack in asked}
            return 200, {"acks": known}
        assert path in ("/services/collector/raw", "/services/collector/event"), path
        step = self.next_of_plan()
        if isinstance(step, tuple):
            return step[0], {"text": "as planned", "code": step[1]}
        if path.endswith("event"):
            assert all("event" in event for event in json_objects(body.decode()))
        acks.append(body)
        self.taken.append(body)
        if step in ("late", "never"):
            {"late": self.late, "never": self.never}[step].add((channel, len(acks) - 1))
        return 200, {"text": "Success", "code": 0, "ackId": len(acks) - 1}


def json_objects(text):
    """JSON objects that stand one behind the other."""
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(text):
        value, at = decoder.raw_decode(text, at)
        found.append(value)
        at += len(text[at:]) - len(text[at:].lstrip())
    return found


class SearchCluster(Receiver):
    """The bulk interface of OpenSearch. Documents with "refuse" in them do not fit the mapping; "busy" ones are refused
    once. A step of the plan is a status for a whole request."""

    def __init__(self):
        super().__init__()
        self.documents = {}
        self.busy = set()

    def answer(self, path, headers, body):
        assert path == "/_bulk" and headers["Content-Type"] == "application/x-ndjson"
        assert body.endswith(b"\n")
        step = self.next_of_plan()
        if isinstance(step, int):
            return step, {"error": "as planned"}
        lines = body.decode().splitlines()
        assert len(lines) % 2 == 0
        items = [self.index(json.loads(about), json.loads(document)) for about, document in zip(lines[::2], lines[1::2])]
        return 200, {"took": 1, "errors": any("error" in item for item in items), "items": [{"index": i} for i in items]}

    def index(self, about, document):
        (action, place), *rest = about.items()
        assert action == "index" and not rest and set(place) <= {"_index", "_id"}
        key = (place["_index"], place.get("_id", f"made-{len(self.documents)}"))
        if "refuse" in document:
            return {"status": 400, "error": {"type": "mapper_parsing_exception", "reason": "as planned"}}
        if "busy" in document and key not in self.busy:
            self.busy.add(key)
            return {"status": 429, "error": {"type": "rejected_execution_exception"}}
        status = 200 if key in self.documents else 201
        self.documents[key] = document
        return {"status": status}
