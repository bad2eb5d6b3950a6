"""Fixtures that every suite shares."""

import itertools

import pytest
import trustme

import trail
from headwater import Server

_names = itertools.count(1)

# What takes longest comes first, so that no worker is left with it at the end.
LONGEST = ["test_pipeline", "test_flink", "test_lakes", "test_sdks", "test_columnar", "test_consumer_library", "test_kcl"]
LONGEST += ["test_consumer_leases", "test_firehose_settings"]


def pytest_collection_modifyitems(items):
    rank = {name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(LONGEST)))


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One server for all tests that do not stop or configure theirs."""
    server = Server(tmp_path_factory.mktemp("server") / "data").start()
    yield server
    counted, places = trail.requests(server), trail.regions(server)
    assert server.stop() == 0
    trail.check(server, counted, places)


@pytest.fixture
def new_server(tmp_path):
    """Makes servers of a test's own: `new_server("--limits", "off")`."""
    made = []

    def make(*arguments):
        made.append(Server(tmp_path / f"data-{len(made)}", *arguments))
        return made[-1].start()

    yield make
    for server in made:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture(scope="session")
def endpoint(server):
    return server.endpoint


@pytest.fixture(scope="session")
def client(server):
    """Makes boto3 clients of the shared server: `client("kinesis")`."""
    return server.client


@pytest.fixture
def name():
    """A name that no other test uses."""
    return f"test-{next(_names)}"


@pytest.fixture(scope="session")
def authority():
    """A certificate authority that only tests trust."""
    return trustme.CA()
