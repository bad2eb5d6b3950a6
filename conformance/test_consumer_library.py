"""The producer's and the consumer's libraries against the server, while the stream is split and merged and workers die.

What is done, and most of what is checked, stands in `crates/roof/consumer/examples/reshard.rs`.
"""

import pytest

import sdks


@pytest.fixture(scope="module")
def application():
    return sdks.example("headwater-consumer", "reshard")


# HTTP/2 is what it negotiates over TLS.
@pytest.mark.parametrize(("reading", "http"), [("poll", "HTTP/1.1"), ("fanout", "HTTP/1.1"), ("fanout", "HTTP/2")])
def test_nothing_is_lost_while_shards_and_workers_come_and_go(application, reading, http, new_server, name):
    server = new_server("--limits", "off", "--tls-listen", "127.0.0.1:0")
    encrypted = server.process.stdout.readline().decode().split()[-1]
    server.client("kinesis").create_stream(StreamName=name, ShardCount=2)
    endpoint = encrypted if http == "HTTP/2" else server.endpoint
    told = sdks.run([application, reading, name], endpoint, AWS_CA_BUNDLE=str(server.data_dir / "tls/ca.pem"))
    assert told["records"] == 51_000
    # 5 changes in each of two phases, of which 4 are splits into two and one is a merge.
    assert told["shards"] == 2 + 2 * (4 * 2 + 1)
    assert told["repeats_in_order"] == 0
    assert told["repeats_after_crash"] > 0
