"""The consumer's library with its leases in a table: processes that share a stream, come and go, and die.

The workers are the consumer's example `worker`; the same table shared with KCL's own workers is tried in `test_kcl.py`.
"""

import pytest

import leases
from leases import Application


@pytest.mark.parametrize("mode", ["polling", "fanout"])
def test_every_record_is_processed_by_one_worker_or_the_other(new_server, tmp_path, name, mode):
    application = Application(new_server(), tmp_path, name, mode)
    try:
        flow(application)
    finally:
        application.close()


def flow(application):
    until, program = application.until, leases.rust()
    first, second = application.start("first", program), application.start("second", program)
    until("even shares", lambda: len(first.holds()) == len(second.holds()) == leases.SHARDS / 2)
    early = application.leases()
    parent, children = leases.split(application)
    until("the children", lambda: all(first.count(child, "reads") + second.count(child, "reads") for child in children))
    leases.freeze(application, second, first)
    until("leases of the one that was frozen", second.holds)
    application.kill(first)
    open_shards = set(application.shards()) - {parent}
    until("all leases", lambda: second.holds() >= open_shards)
    wanted = set(range(application.producer.stop()))
    until("all records", lambda: application.read() >= wanted)
    late = application.leases()
    assert {key for key, lease in late.items() if lease.get("leaseOwner") == {"S": "second"}} >= open_shards
    assert all(counter(late[key]) > counter(lease) for key, lease in early.items() if key in late)
    application.stop(second)
    assert application.read() == wanted
    assert not any("leaseOwner" in lease for lease in application.leases().values())
    # They are there for whoever comes next, who is given nothing again.
    third = application.start("third", program)
    until("all leases again", lambda: third.holds() >= open_shards)
    application.stop(third)
    assert third.read() == set()


def counter(lease):
    return int(lease["leaseCounter"]["N"])
