"""Queues over a stream through boto3: what is received, acknowledged, received again, set aside and restored."""

import datetime
import threading
import time

import pytest
from botocore.exceptions import ClientError

from headwater import Server, wait_for

ACCOUNT = "000000000000"
NO_QUEUE = f"arn:aws:kinesis:us-east-1:{ACCOUNT}:queue/none"
HANDLE = [{"ReceiptHandle": "no handle of ours"}]
HIDDEN_HANDLE = [{"ReceiptHandle": "no handle of ours", "VisibilityTimeoutSeconds": 1}]


@pytest.fixture(scope="module")
def kinesis(tmp_path_factory):
    """A server of this suite's own: there may be only so many on-demand streams."""
    server = Server(tmp_path_factory.mktemp("queues") / "data").start()
    yield server.client("kinesis", parameter_validation=False)
    assert server.stop() == 0


def stream_arn(name):
    return f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{name}"


def on_demand(kinesis, name):
    kinesis.create_stream(StreamName=name, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    kinesis.get_waiter("stream_exists").wait(StreamName=name)
    return stream_arn(name)


def create(kinesis, name, start="TRIM_HORIZON", **more):
    """A queue `name` on the stream `name`."""
    configuration = {"StreamARN": stream_arn(name), "StartingPosition": {"Type": start}}
    queue = kinesis.create_queue(QueueName=name, StreamConfigurationList=[configuration], **more)
    return queue["QueueDescription"]["QueueARN"]


@pytest.fixture
def queue(kinesis, name):
    on_demand(kinesis, name)
    return create(kinesis, name)


def put(kinesis, name, *data):
    records = [{"PartitionKey": str(n), "Data": part} for n, part in enumerate(data)]
    assert kinesis.put_records(StreamName=name, Records=records)["FailedRecordCount"] == 0


def receive(kinesis, queue, wait=1, **more):
    return kinesis.receive_queue_records(QueueARN=queue, WaitTimeSeconds=wait, **more)["QueueRecords"]


def receive_dead(kinesis, queue, wait=1, **more):
    return kinesis.receive_dead_letter_queue_records(QueueARN=queue, WaitTimeSeconds=wait, **more)["QueueRecords"]


def handles(records):
    return [{"ReceiptHandle": record["ReceiptHandle"]} for record in records]


def hidden(records, seconds):
    return [{**handle, "VisibilityTimeoutSeconds": seconds} for handle in handles(records)]


def data(records):
    return sorted(record["Data"] for record in records)


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def failures(answer):
    assert answer["Successful"] == []
    return [(entry["ErrorCode"], bool(entry["ErrorMessage"])) for entry in answer["Failed"]]


def dead_letters(kinesis, name, *parts):
    """A queue whose records, each received once, are dead letters."""
    on_demand(kinesis, name)
    attributes = {
        "VisibilityTimeoutSeconds": 0,
        "DeadLetterConfiguration": {"TargetType": "BUILT_IN", "MaxReceiveCount": 1},
    }
    queue = create(kinesis, name, QueueAttributes=attributes)
    put(kinesis, name, *parts)
    assert data(receive(kinesis, queue)) == sorted(parts)
    return queue


def test_a_queue_is_described_as_it_was_made(kinesis, name):
    stream = on_demand(kinesis, name)
    configuration = {"StreamARN": stream}
    made = kinesis.create_queue(QueueName=name, StreamConfigurationList=[configuration], Tags={"a": "1"})
    made = made["QueueDescription"]
    queue = made["QueueARN"]
    assert queue.startswith(f"arn:aws:kinesis:us-east-1:{ACCOUNT}:queue/") and name not in queue
    assert (made["QueueStatus"], made["QueueName"]) == ("CREATING", name)
    assert made["StreamConfigurationList"] == [{"StreamARN": stream, "StartingPosition": {"Type": "LATEST"}}]
    described = kinesis.describe_queue(QueueARN=queue)["QueueDescription"]
    assert described["QueueStatus"] == "ACTIVE"
    start = described["StreamConfigurationList"][0]["StartingPosition"]
    assert start == {"Type": "LATEST", "Timestamp": made["QueueCreationTimestamp"]}
    assert described["QueueAttributes"] == {
        "VisibilityTimeoutSeconds": 30,
        "DeadLetterConfiguration": {"TargetType": "BUILT_IN", "MaxReceiveCount": 6},
    }
    summary = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    assert summary["QueueCount"] == 1
    kinesis.tag_resource(ResourceARN=queue, Tags={"b": "2"})
    kinesis.untag_resource(ResourceARN=queue, TagKeys=["a"])
    assert kinesis.list_tags_for_resource(ResourceARN=queue)["Tags"] == [{"Key": "b", "Value": "2"}]


def test_what_cannot_be_a_queue_is_refused(kinesis, name):
    stream = on_demand(kinesis, name)
    create(kinesis, name)

    def code(configurations=None, **more):
        arguments = {"QueueName": f"{name}-2", "StreamConfigurationList": configurations or [{"StreamARN": stream}]}
        return refusal(kinesis.create_queue, **{**arguments, **more})[0]

    assert code(QueueName=name) == "ResourceInUseException"
    assert code([{"StreamARN": stream_arn("none")}]) == "ResourceNotFoundException"
    kinesis.create_stream(StreamName=f"{name}-p", ShardCount=1)
    assert code([{"StreamARN": stream_arn(f"{name}-p")}]) == "ValidationException"
    assert code([{"StreamARN": stream}] * 2) == "ValidationException"
    now = datetime.datetime.now(datetime.timezone.utc)
    for position in ({"Type": "AT_TIMESTAMP"}, {"Type": "LATEST", "Timestamp": now}, {"Type": "NOW"}):
        assert code([{"StreamARN": stream, "StartingPosition": position}]) == "ValidationException"
    for dead in ({"TargetType": "BUILT_IN"}, {"TargetType": "BUILT_IN", "MaxReceiveCount": 1001}):
        assert code(QueueAttributes={"DeadLetterConfiguration": dead}) == "ValidationException"
    assert code(QueueAttributes={"VisibilityTimeoutSeconds": 43201}) == "ValidationException"
    assert code(Tags={str(n): "x" for n in range(51)}) == "InvalidArgumentException"


def test_queues_and_consumers_share_a_limit(kinesis, name):
    stream = on_demand(kinesis, name)
    for n in range(19):
        kinesis.create_queue(QueueName=f"{name}-{n}", StreamConfigurationList=[{"StreamARN": stream}])
    kinesis.register_stream_consumer(StreamARN=stream, ConsumerName="c")
    more = {"QueueName": f"{name}-19", "StreamConfigurationList": [{"StreamARN": stream}]}
    assert refusal(kinesis.create_queue, **more)[0] == "LimitExceededException"
    consumer = {"StreamARN": stream, "ConsumerName": "d"}
    assert refusal(kinesis.register_stream_consumer, **consumer)[0] == "LimitExceededException"
    kinesis.deregister_stream_consumer(StreamARN=stream, ConsumerName="c")
    kinesis.create_queue(**more)


def test_queues_are_listed_in_pages_and_by_stream(kinesis, name):
    mine, other = on_demand(kinesis, name), on_demand(kinesis, f"{name}-other")
    names = [f"{name}-{n}" for n in range(5)]
    for queue in names:
        kinesis.create_queue(QueueName=queue, StreamConfigurationList=[{"StreamARN": mine}])
    kinesis.create_queue(QueueName=f"{name}-x", StreamConfigurationList=[{"StreamARN": other}])
    created = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamCreationTimestamp"]
    listed, page = [], {"StreamFilter": [{"StreamARN": mine, "StreamCreationTimestamp": created}], "MaxResults": 2}
    while page:
        answer = kinesis.list_queues(**page)
        assert len(answer["QueueSummaries"]) <= 2
        listed += answer["QueueSummaries"]
        page = {"MaxResults": 2, "NextToken": answer["NextToken"]} if "NextToken" in answer else None
    assert [queue["QueueName"] for queue in listed] == names
    assert {queue["QueueStatus"] for queue in listed} == {"ACTIVE"}
    assert listed[0]["Streams"] == [{"StreamARN": mine, "StreamCreationTimestamp": created}]
    assert f"{name}-x" in {queue["QueueName"] for queue in kinesis.list_queues(MaxResults=10000)["QueueSummaries"]}
    earlier = created - datetime.timedelta(days=1)
    of_earlier = [{"StreamARN": mine, "StreamCreationTimestamp": earlier}]
    assert kinesis.list_queues(StreamFilter=of_earlier)["QueueSummaries"] == []


def test_lists_of_queues_are_refused(kinesis):
    assert refusal(kinesis.list_queues, NextToken="nonsense")[0] == "InvalidArgumentException"
    assert refusal(kinesis.list_queues, MaxResults=0)[0] == "ValidationException"
    assert refusal(kinesis.list_queues, StreamFilter=[])[0] == "ValidationException"


def test_an_update_changes_what_it_names(kinesis, name, queue):
    updated = kinesis.update_queue(QueueARN=queue, QueueAttributes={"VisibilityTimeoutSeconds": 0})
    assert updated["QueueDescription"]["QueueStatus"] == "UPDATING"
    none = {"DeadLetterConfiguration": {"TargetType": "NONE"}}
    kinesis.update_queue(QueueARN=queue, QueueAttributes=none)
    described = kinesis.describe_queue(QueueARN=queue)["QueueDescription"]
    assert described["QueueStatus"] == "ACTIVE"
    assert described["QueueAttributes"] == {"VisibilityTimeoutSeconds": 0, **none}
    put(kinesis, name, b"a")
    for count in range(1, 9):
        assert [record["ReceiveCount"] for record in receive(kinesis, queue)] == [count]


def test_updates_are_refused(kinesis, queue):
    change = {"VisibilityTimeoutSeconds": 1}
    assert refusal(kinesis.update_queue, QueueARN=NO_QUEUE, QueueAttributes=change)[0] == "ResourceNotFoundException"
    dead = {"DeadLetterConfiguration": {"TargetType": "BUILT_IN"}}
    assert refusal(kinesis.update_queue, QueueARN=queue, QueueAttributes=dead)[0] == "ValidationException"


def test_a_deleted_queue_is_gone_and_its_stream_is_not(kinesis, name, queue):
    put(kinesis, name, b"a")
    assert data(receive(kinesis, queue)) == [b"a"]
    code, message = refusal(kinesis.delete_stream, StreamName=name, EnforceConsumerDeletion=True)
    assert code == "ResourceInUseException" and "queue" in message
    mode = {"StreamARN": stream_arn(name), "StreamModeDetails": {"StreamMode": "PROVISIONED"}}
    assert refusal(kinesis.update_stream_mode, **mode)[0] == "ResourceInUseException"
    kinesis.delete_queue(QueueARN=queue)
    assert refusal(kinesis.receive_queue_records, QueueARN=queue)[0] == "ResourceNotFoundException"
    assert data(receive(kinesis, create(kinesis, name))) == [b"a"]


def test_queues_that_are_not_there_are_not_described_or_deleted(kinesis):
    for call in (kinesis.describe_queue, kinesis.delete_queue):
        assert refusal(call, QueueARN=NO_QUEUE)[0] == "ResourceNotFoundException"
        assert refusal(call, QueueARN="arn:aws:kinesis:us-east-1:1:queue/x")[0] == "ValidationException"
        foreign = NO_QUEUE.replace(ACCOUNT, "111111111111")
        assert refusal(call, QueueARN=foreign)[0] == "ResourceNotFoundException"


def test_a_record_is_received_once_and_again_after_its_time(kinesis, name, queue):
    before = datetime.datetime.now(datetime.timezone.utc)
    put(kinesis, name, b"a", b"b")
    first = receive(kinesis, queue, VisibilityTimeoutSeconds=2)
    assert data(first) == [b"a", b"b"]
    record = first[0]
    assert record["ReceiveCount"] == 1 and record["PartitionKey"] in "01" and record["RecordId"].isalnum()
    times = record["ApproximateArrivalTimestamp"], record["FirstReceiveTimestamp"]
    assert all(abs(time - before) < datetime.timedelta(minutes=1) for time in times)
    assert receive(kinesis, queue) == []
    again = wait_for("its time", lambda: receive(kinesis, queue, wait=5))
    assert {record["ReceiveCount"] for record in again} == {2}
    assert {record["RecordId"] for record in again} <= {record["RecordId"] for record in first}
    assert not {record["ReceiptHandle"] for record in again} & {record["ReceiptHandle"] for record in first}
    firsts = {record["FirstReceiveTimestamp"] for record in first}
    assert {record["FirstReceiveTimestamp"] for record in again} <= firsts


@pytest.mark.alone
def test_a_receive_waits_for_a_record(kinesis, name, queue):
    received, sent = [], threading.Event()
    kinesis.meta.events.register_first("before-send.kinesis.ReceiveQueueRecords", lambda **_: sent.set())
    waiting = threading.Thread(target=lambda: received.extend(receive(kinesis, queue, wait=20)))
    waiting.start()
    assert sent.wait(10)
    began = time.monotonic()
    put(kinesis, name, b"late")
    waiting.join(timeout=10)
    assert data(received) == [b"late"] and time.monotonic() - began < 5


def test_receives_are_refused(kinesis, queue):
    for call in (kinesis.receive_queue_records, kinesis.receive_dead_letter_queue_records):
        assert refusal(call, QueueARN=NO_QUEUE)[0] == "ResourceNotFoundException"
        for wrong in ({"Limit": 11}, {"WaitTimeSeconds": 21}, {"WaitTimeSeconds": 0}, {"VisibilityTimeoutSeconds": -1}):
            assert refusal(call, QueueARN=queue, **wrong)[0] == "ValidationException"


def test_acknowledged_records_stay_away(kinesis, name, queue):
    put(kinesis, name, *(str(n).encode() for n in range(25)))
    seen = []
    while records := receive(kinesis, queue, VisibilityTimeoutSeconds=1):
        assert len(records) <= 10
        seen += data(records)
        answer = kinesis.acknowledge_queue_records(QueueARN=queue, Entries=handles(records))
        assert answer["Failed"] == [] and answer["Successful"] == handles(records)
    assert sorted(seen) == sorted(str(n).encode() for n in range(25))
    assert receive(kinesis, queue, wait=2) == []


def test_receipt_handles_that_are_not_good_are_named(kinesis, name, queue):
    put(kinesis, name, b"a")
    old = receive(kinesis, queue, VisibilityTimeoutSeconds=0)
    new = receive(kinesis, queue)
    invalid, gone = ("InvalidArgumentException", True), ("ResourceNotFoundException", True)
    assert failures(kinesis.acknowledge_queue_records(QueueARN=queue, Entries=handles(old))) == [invalid]
    assert failures(kinesis.update_queue_records_visibility(QueueARN=queue, Entries=hidden(old, 5))) == [invalid]
    assert failures(kinesis.acknowledge_queue_records(QueueARN=queue, Entries=HANDLE)) == [invalid]
    assert failures(kinesis.acknowledge_dead_letter_queue_records(QueueARN=queue, Entries=handles(new))) == [invalid]
    kinesis.acknowledge_queue_records(QueueARN=queue, Entries=handles(new))
    mixed = kinesis.acknowledge_queue_records(QueueARN=queue, Entries=handles(new) + HANDLE)
    assert sorted(failures(mixed)) == [invalid, gone]


@pytest.mark.parametrize(
    "operation, entries",
    [
        ("acknowledge_queue_records", HANDLE),
        ("acknowledge_dead_letter_queue_records", HANDLE),
        ("restore_dead_letter_queue_records", HANDLE),
        ("update_queue_records_visibility", HIDDEN_HANDLE),
        ("update_dead_letter_queue_records_visibility", HIDDEN_HANDLE),
    ],
)
def test_entries_are_refused(kinesis, queue, operation, entries):
    call = getattr(kinesis, operation)
    assert failures(call(QueueARN=queue, Entries=entries)) == [("InvalidArgumentException", True)]
    assert refusal(call, QueueARN=NO_QUEUE, Entries=entries)[0] == "ResourceNotFoundException"
    assert refusal(call, QueueARN=queue, Entries=[])[0] == "ValidationException"
    assert refusal(call, QueueARN=queue, Entries=entries * 11)[0] == "ValidationException"


def test_visibility_is_extended_and_ended(kinesis, name, queue):
    put(kinesis, name, b"a")
    records = receive(kinesis, queue, VisibilityTimeoutSeconds=1)
    longer = kinesis.update_queue_records_visibility(QueueARN=queue, Entries=hidden(records, 600))
    assert (longer["Successful"], longer["Failed"]) == (handles(records), [])
    assert receive(kinesis, queue, wait=2) == []
    kinesis.update_queue_records_visibility(QueueARN=queue, Entries=hidden(records, 0))
    assert [record["ReceiveCount"] for record in receive(kinesis, queue)] == [2]


def test_dead_letters_are_received_apart(kinesis, name):
    queue = dead_letters(kinesis, name, b"a", b"b")
    assert receive(kinesis, queue) == []
    dead = receive_dead(kinesis, queue, VisibilityTimeoutSeconds=1)
    assert data(dead) == [b"a", b"b"] and {record["ReceiveCount"] for record in dead} == {2}
    again = wait_for("their time", lambda: receive_dead(kinesis, queue, wait=5))
    assert {record["ReceiveCount"] for record in again} == {3}


def test_dead_letters_are_acknowledged(kinesis, name):
    queue = dead_letters(kinesis, name, b"a", b"b")
    dead = receive_dead(kinesis, queue, Limit=1, VisibilityTimeoutSeconds=600)
    done = kinesis.acknowledge_dead_letter_queue_records(QueueARN=queue, Entries=handles(dead))
    assert (done["Successful"], done["Failed"]) == (handles(dead), [])
    left = receive_dead(kinesis, queue, VisibilityTimeoutSeconds=0)
    assert data(dead + left) == [b"a", b"b"] and len(left) == 1


def test_dead_letters_are_hidden_and_shown(kinesis, name):
    queue = dead_letters(kinesis, name, b"a")
    dead = receive_dead(kinesis, queue, VisibilityTimeoutSeconds=1)
    hide = kinesis.update_dead_letter_queue_records_visibility(QueueARN=queue, Entries=hidden(dead, 600))
    assert (hide["Successful"], hide["Failed"]) == (handles(dead), [])
    assert receive_dead(kinesis, queue, wait=2) == []
    kinesis.update_dead_letter_queue_records_visibility(QueueARN=queue, Entries=hidden(dead, 0))
    assert data(receive_dead(kinesis, queue)) == [b"a"]


def test_dead_letters_are_restored(kinesis, name):
    queue = dead_letters(kinesis, name, b"a")
    dead = receive_dead(kinesis, queue)
    done = kinesis.restore_dead_letter_queue_records(QueueARN=queue, Entries=handles(dead))
    assert (done["Successful"], done["Failed"]) == (handles(dead), [])
    restored = receive(kinesis, queue)
    assert data(restored) == [b"a"] and restored[0]["ReceiveCount"] == 1
    assert data(receive_dead(kinesis, queue)) == [b"a"]


def test_a_kill_loses_no_acknowledgement_count_or_record(new_server, name):
    server = new_server()
    kinesis = server.client("kinesis")
    on_demand(kinesis, name)
    attributes = {"DeadLetterConfiguration": {"TargetType": "BUILT_IN", "MaxReceiveCount": 2}}
    queue = create(kinesis, name, QueueAttributes=attributes)
    parts = [str(n).encode() for n in range(10)]
    put(kinesis, name, *parts)
    received = []
    while len(received) < 10:
        received += receive(kinesis, queue, VisibilityTimeoutSeconds=600)
    done, kept = received[:4], received[4:]
    kinesis.acknowledge_queue_records(QueueARN=queue, Entries=handles(done))
    server.restart()
    assert receive(kinesis, queue) == [], "what is in flight stays so"
    kinesis.update_queue_records_visibility(QueueARN=queue, Entries=hidden(kept, 0))
    again = []
    while len(again) < 6:
        again += receive(kinesis, queue, VisibilityTimeoutSeconds=600)
    assert data(again) == data(kept) and {record["ReceiveCount"] for record in again} == {2}
    kinesis.update_queue_records_visibility(QueueARN=queue, Entries=hidden(again, 0))
    server.restart()
    dead = []
    while len(dead) < 6:
        dead += receive_dead(kinesis, queue, VisibilityTimeoutSeconds=600)
    assert data(dead) == data(kept)


@pytest.mark.alone
def test_a_stop_ends_what_waits(new_server, name):
    server = new_server()
    kinesis = server.client("kinesis")
    on_demand(kinesis, name)
    queue = create(kinesis, name)
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(receive(kinesis, queue, wait=20)))
    waiting.start()
    # Nothing tells from outside that the server has the request.
    time.sleep(0.5)
    began = time.monotonic()
    assert server.stop() == 0
    waiting.join(timeout=10)
    assert answers == [[]] and time.monotonic() - began < 10


WAITERS = 50
READS = 100
# A reader that waits for a poll's end waits for seconds; noise of the machine is far below.
SLOWEST_READ_SECONDS = 1


@pytest.mark.alone
def test_receives_that_wait_do_not_hold_up_reads(new_server):
    server = new_server("--limits", "off")
    kinesis = server.client("kinesis", max_pool_connections=2)
    arn = on_demand(kinesis, "s")
    queue = create(kinesis, "s")
    kinesis.create_stream(StreamName="read", ShardCount=1)
    kinesis.put_record(StreamName="read", PartitionKey="a", Data=b"x" * 100_000)
    consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="c")["Consumer"]["ConsumerARN"]
    wait_for("the consumer", lambda: is_active(kinesis, consumer))
    waiting = [threading.Thread(target=wait_at, args=(server, queue)) for _ in range(WAITERS)]
    for thread in waiting:
        thread.start()
    pushed = server.client("kinesis", read_timeout=30)
    shard = kinesis.list_shards(StreamName="s")["Shards"][0]["ShardId"]
    pushed.subscribe_to_shard(ConsumerARN=consumer, ShardId=shard, StartingPosition={"Type": "LATEST"})
    took = sorted(timed_read(kinesis) for _ in range(READS))
    assert any(thread.is_alive() for thread in waiting), "some still wait when the last read is done"
    assert took[-1] < SLOWEST_READ_SECONDS, f"median {took[READS // 2]:.3f} s, slowest {took[-1]:.3f} s"
    put(kinesis, "s", *[b"wake"] * WAITERS)
    for thread in waiting:
        thread.join()


def is_active(kinesis, consumer):
    described = kinesis.describe_stream_consumer(ConsumerARN=consumer)["ConsumerDescription"]
    return described["ConsumerStatus"] == "ACTIVE"


def wait_at(server, queue):
    receive(server.client("kinesis", read_timeout=60), queue, wait=20)


def timed_read(kinesis):
    began = time.monotonic()
    place = {"StreamName": "read", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    iterator = kinesis.get_shard_iterator(**place)["ShardIterator"]
    assert len(kinesis.get_records(ShardIterator=iterator)["Records"]) == 1
    return time.monotonic() - began
