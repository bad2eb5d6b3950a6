"""The Kinesis Producer Library itself, with its native daemon, over TLS with signatures.

It asks STS for the account that its stream is in, and does not start without an answer: a stand-in for STS gives that
one. CloudWatch, which it would send metrics to, is turned off.
"""

import http.server
import ssl
import threading

import pytest

import pipeline
import sdks

RECORDS = 5000

CALLER = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::000000000000:root</Arn><UserId>000000000000</UserId><Account>000000000000</Account>
</GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"""


class CallerIdentity(http.server.BaseHTTPRequestHandler):
    """GetCallerIdentity, whoever asks."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(CALLER)))
        self.end_headers()
        self.wfile.write(CALLER.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def sts(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), CallerIdentity) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever).start()
        yield f"https://localhost:{server.server_address[1]}"
        server.shutdown()


def test_its_aggregates_are_taken_and_given_back(new_server, authority, sts, name, tmp_path):
    program = sdks.java("Aggregate", "kpl")
    # The key that all clients have here: so signatures are looked at.
    server = new_server("--tls-listen", "127.0.0.1:0", "--access-key-id", "test", "--secret-access-key", "test")
    port = server.process.stdout.readline().decode().rsplit(":", 1)[1].strip()
    # Both authorities in one file: the server's and the other's.
    trusted = tmp_path / "trusted.pem"
    trusted.write_text((server.data_dir / "tls/ca.pem").read_text() + authority.cert_pem.bytes().decode())
    variables = {"AWS_CA_BUNDLE": str(trusted), "AWS_ENDPOINT_URL_STS": sts}
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=2)
    native = sdks.BUILT / "kpl/native"
    native.mkdir(exist_ok=True)
    told = sdks.run([*program, name, str(RECORDS), str(native)], f"https://localhost:{port}", **variables)
    assert (told["put"], told["shards"]) == (RECORDS, 2)
    found = pipeline.Consumer(kinesis, name).result()
    stored = [record for records in found.records.values() for record in records]
    # What it sends before it knows the shards is not packed.
    assert len(stored) < RECORDS
    texts = sorted(text for record in stored for text in pipeline.user_data(record))
    assert texts == sorted(f"record {i}".encode() for i in range(RECORDS))
