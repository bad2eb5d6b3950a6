"""The Kinesis Client Library itself, with its streams and its tables of leases in one server.

Two workers share a stream that is written to all the time. A shard is split, one worker is frozen until the other has
its leases, and the other, which leads, is killed. Every record is processed, and at no time do both hold a shard.
What they send to CloudWatch, in CBOR, the server keeps.

Another time one of the workers is of our own library: they share the leases in the same table.
"""

import pytest

import leases
import sdks
from leases import Application


@pytest.mark.parametrize("mode", ["polling", pytest.param("fanout", marks=sdks.SLOW)])
def test_every_record_is_processed_by_one_worker_or_the_other(new_server, tmp_path, name, mode):
    application = Application(new_server(), tmp_path, name, mode)
    try:
        flow(application)
    finally:
        application.close()


def test_a_worker_of_our_own_library_shares_the_leases(new_server, tmp_path, name):
    application = Application(new_server(), tmp_path, name, "polling")
    try:
        mixed_flow(application)
    finally:
        application.close()


def mixed_flow(application):
    until, ours = application.until, application.start("ours", leases.rust())
    until("all leases, without a leader", lambda: len(ours.holds()) == leases.SHARDS)
    theirs = application.start("theirs", leases.java())
    until("leases that were handed over", lambda: theirs.holds() and ours.holds())
    assert application.leader() == theirs.name
    parent, children = leases.split(application)
    until("the children", lambda: all(ours.count(child, "reads") + theirs.count(child, "reads") for child in children))
    cloudwatch = application.server.client("cloudwatch")
    until("what theirs measured", lambda: cloudwatch.list_metrics(Namespace=application.table)["Metrics"])
    application.kill(ours)
    open_shards = set(application.shards()) - {parent}
    until("all leases", lambda: theirs.holds() >= open_shards)
    again = application.start("again", leases.rust())
    until("leases that the leader gave", lambda: again.holds() and theirs.holds())
    application.stop(theirs)
    until("all leases, without a leader again", lambda: again.holds() >= open_shards)
    wanted = set(range(application.producer.stop()))
    until("all records", lambda: application.read() >= wanted)
    late = application.leases()
    application.stop(again)
    assert application.read() == wanted
    assert {key for key, lease in late.items() if lease.get("leaseOwner") == {"S": "again"}} >= open_shards
    assert not any("leaseOwner" in lease for key, lease in application.leases().items() if key in open_shards)


def flow(application):
    until, first = application.until, application.start("first", leases.java())
    # Of two that begin with a new table at once, one may give up: both write the version, and the one refused never
    # learns how leases are assigned.
    until("a table", lambda: "Started LeaseAssignmentManager" in first.log.read_text())
    second = application.start("second", leases.java())
    until("leases of both", lambda: first.holds() and second.holds())
    early = application.leases()
    parent, children = leases.split(application)
    until("the children", lambda: all(first.count(child, "reads") + second.count(child, "reads") for child in children))
    leads, follows = (first, second) if application.leader() == first.name else (second, first)
    leases.freeze(application, follows, leads)
    until("leases of the one that was frozen", follows.holds)
    application.kill(leads)
    until("all leases", lambda: follows.holds() >= set(application.shards()) - {parent})
    wanted = set(range(application.producer.stop()))
    until("all records", lambda: application.read() >= wanted)
    late = application.leases()
    assert application.leader() == follows.name
    assert follows.stop() == 0
    assert application.read() == wanted
    leases_are_right(early, late, parent, application.shards(), follows.name)
    assert leases.held_by_one([first, second])


def leases_are_right(early, late, parent, shards, owner):
    """Of a parent that is closed, its children, and shards that are as they were."""
    counter = lambda lease: int(lease["leaseCounter"]["N"])
    still = [key for key in early if counter(late[key]) <= counter(early[key])]
    assert not still, (early, late)
    assert set(late) == set(shards)
    closed = late.pop(parent)
    assert closed["checkpoint"]["S"] == "SHARD_END"
    children = {key for key, lease in late.items() if lease.get("parentShardId") == {"SS": [parent]}}
    assert set(closed["childShardIds"]["SS"]) == children == {key for key in late if key not in early}
    for key, lease in late.items():
        assert lease["leaseOwner"]["S"] == owner
        assert int(lease["checkpoint"]["S"]) >= int(shards[key]["SequenceNumberRange"]["StartingSequenceNumber"])
