"""TLS: clients that trust the server's authority, in both versions of HTTP, and those that do not."""

import json
import os
import socket
import ssl
import stat
import subprocess
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import SSLError

from headwater import ROOT, clean_environment, wait_for


@pytest.fixture
def secure(new_server):
    """Starts a server with a TLS port; gives it, its address there and its authority's certificate."""

    def start(*arguments):
        server = new_server("--tls-listen", "127.0.0.1:0", *arguments)
        line = server.process.stdout.readline().decode().strip()
        assert line.startswith("headwater listening on https://127.0.0.1:")
        return server, line.rsplit(" ", 1)[1], str(server.data_dir / "tls/ca.pem")

    return start


def client(service, endpoint, verify):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        verify=verify,
        config=Config(retries={"max_attempts": 0}),
    )


def curl(*arguments):
    done = subprocess.run(["curl", "-sS", *arguments], capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout + done.stderr


def test_boto3_trusts_the_authority_and_nobody_else(secure):
    server, endpoint, authority = secure()
    assert f"authority={authority}" in server.log.read_text()
    kinesis = client("kinesis", endpoint, authority)
    kinesis.create_stream(StreamName="s", ShardCount=1)
    s3 = client("s3", endpoint, authority)
    s3.create_bucket(Bucket="bucket")
    body = os.urandom(12_000_000)
    s3.put_object(Bucket="bucket", Key="k", Body=body)
    assert s3.get_object(Bucket="bucket", Key="k")["Body"].read() == body
    with pytest.raises(SSLError):
        client("kinesis", endpoint, True).list_streams()
    # The plain port is there beside it, with the same data.
    assert server.client("kinesis").list_streams()["StreamNames"] == ["s"]


def test_http2_by_alpn(secure):
    _, endpoint, authority = secure()
    url = f"{endpoint}/_headwater/health"
    told = ["-o", "/dev/null", "-w", "%{http_version} %{http_code}", "--cacert", authority]
    assert curl("--http2", *told, url) == (0, "2 200")
    assert curl("--http1.1", *told, url) == (0, "1.1 200")
    assert curl("--tlsv1.2", "--tls-max", "1.2", *told, url) == (0, "2 200")
    assert curl(*told, url.replace("127.0.0.1", "localhost")) == (0, "2 200")
    port = endpoint.rsplit(":", 1)[1]
    # OpenSSL takes no `*.localhost`, others do.
    name = f"bucket.s3.localhost:{port}"
    code, said = curl("--resolve", f"{name}:127.0.0.1", *told, f"https://{name}/_headwater/health")
    assert (code, said) == (0, "2 200")
    assert curl(url)[0] != 0, "curl does not know the authority"


def test_the_authority_outlives_a_restart_and_its_key_is_private(secure, tmp_path):
    server, _, authority = secure()
    kept = open(authority).read()
    key = os.stat(server.data_dir / "tls/ca-key.pem")
    assert stat.S_IMODE(key.st_mode) == 0o600
    server.restart()
    endpoint = server.process.stdout.readline().decode().strip().rsplit(" ", 1)[1]
    assert open(authority).read() == kept
    assert client("kinesis", endpoint, authority).list_streams()["StreamNames"] == []


def test_a_certificate_of_ones_own(secure, authority, tmp_path):
    certificate, key, trusted = tmp_path / "c.pem", tmp_path / "k.pem", tmp_path / "ca.pem"
    issued = authority.issue_cert("localhost", "127.0.0.1")
    for blob in issued.cert_chain_pems:
        blob.write_to_path(certificate, append=True)
    issued.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(trusted)
    server, endpoint, _ = secure("--tls-cert", certificate, "--tls-key", key)
    assert client("kinesis", endpoint, str(trusted)).list_streams()["StreamNames"] == []
    assert not (server.data_dir / "tls").exists()


def test_signatures_over_tls_and_http2(secure):
    secret = "s3cret"
    _, endpoint, authority = secure("--access-key-id", "KEY", "--secret-access-key", secret)
    call = ["--http2", "--cacert", authority, "-H", "X-Amz-Target: Kinesis_20131202.ListStreams"]
    call += ["-H", "Content-Type: application/x-amz-json-1.1", "-d", "{}", "--aws-sigv4", "aws:amz:us-east-1:kinesis"]
    code, said = curl("-w", "\n%{http_version}", *call, "-u", f"KEY:{secret}", endpoint)
    assert code == 0 and json.loads(said.splitlines()[0])["StreamNames"] == [] and said.endswith("\n2")
    assert "InvalidSignatureException" in curl(*call, "-u", "KEY:guess", endpoint)[1]


def test_node_trusts_the_authority(secure):
    _, endpoint, authority = secure()
    code = f"fetch('{endpoint}/_headwater/health').then(a => console.log(a.status))"
    environment = clean_environment(NODE_EXTRA_CA_CERTS=authority)
    done = subprocess.run(["node", "-e", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "200", done.stderr


def test_peers_that_speak_no_tls_cost_nothing(secure):
    server, endpoint, authority = secure()
    port = int(endpoint.rsplit(":", 1)[1])
    for said in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\xff" + b"\x00" * 40, os.urandom(500), b""):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as peer:
            peer.sendall(said)
    context = ssl.create_default_context(cafile=authority)
    answer = urllib.request.urlopen(f"{endpoint}/_headwater/health", context=context)
    assert answer.status == 200
