"""Policies of streams and consumers: boto3 with keys of two accounts, allowed and denied."""

import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from headwater import Server

OURS, THEIRS = "111111111111", "222222222222"
KEYS = {
    "owner": ("AKIDOWNER", "owner-secret", OURS),
    "bob": ("AKIDBOB", "bob-secret", OURS),
    "ann": ("AKIDANN", "ann-secret", THEIRS),
    "eve": ("AKIDEVE", "eve-secret", THEIRS),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("policies")
    file = folder / "credentials"
    profile = "[{}]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_account_id = {}\n"
    file.write_text("".join(profile.format(name, *key) for name, key in KEYS.items()))
    server = Server(folder / "data", "--account", OURS, "--credentials", file).start()
    yield server
    assert server.stop() == 0


@pytest.fixture
def as_(server):
    """Clients of one of the four: `as_("ann")`, `as_("ann", "s3")`."""

    def make(who, service="kinesis"):
        id, secret, _ = KEYS[who]
        return boto3.client(
            service,
            endpoint_url=server.endpoint,
            region_name="us-east-1",
            aws_access_key_id=id,
            aws_secret_access_key=secret,
            config=Config(retries={"max_attempts": 0}),
        )

    return make


@pytest.fixture
def stream(as_, name):
    """A stream's ARN."""
    as_("owner").create_stream(StreamName=name, ShardCount=1)
    return f"arn:aws:kinesis:us-east-1:{OURS}:stream/{name}"


def arn_of(who):
    return f"arn:aws:iam::{KEYS[who][2]}:user/{who}"


def statement(resource, *actions, principal=THEIRS, effect="Allow", **more):
    actions = [f"kinesis:{action}" for action in actions]
    return {"Effect": effect, "Principal": {"AWS": principal}, "Action": actions, "Resource": resource, **more}


def put_policy(kinesis, resource, *statements):
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    kinesis.put_resource_policy(ResourceARN=resource, Policy=document)
    return document


def error_of(call, *arguments, **more):
    with pytest.raises(ClientError) as caught:
        call(*arguments, **more)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"].get("Message")


def denied(who, action, resource, explicit=False):
    why = "with an explicit deny in a resource-based policy"
    if not explicit:
        why = f"because no resource-based policy allows the kinesis:{action} action"
    text = f"User: {arn_of(who)} is not authorized to perform: kinesis:{action} on resource: {resource} {why}"
    return 400, "AccessDeniedException", text


def put(kinesis, stream, data=b"x"):
    return kinesis.put_record(StreamARN=stream, PartitionKey="k", Data=data)


def read_all(kinesis, stream):
    shard = kinesis.list_shards(StreamARN=stream)["Shards"][0]["ShardId"]
    position = {"StreamARN": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    iterator = kinesis.get_shard_iterator(**position)["ShardIterator"]
    return [record["Data"] for record in kinesis.get_records(StreamARN=stream, ShardIterator=iterator)["Records"]]


def test_another_account_may_do_what_it_is_allowed(as_, stream):
    owner, ann = as_("owner"), as_("ann")
    assert error_of(put, ann, stream) == denied("ann", "PutRecord", stream)
    write = statement(stream, "PutRecord", "PutRecords")
    put_policy(owner, stream, write)
    put(ann, stream, b"one")
    ann.put_records(StreamARN=stream, Records=[{"PartitionKey": "k", "Data": b"two"}])
    assert error_of(ann.list_shards, StreamARN=stream) == denied("ann", "ListShards", stream)
    assert error_of(ann.describe_stream_summary, StreamARN=stream) == denied("ann", "DescribeStreamSummary", stream)
    read = ("DescribeStream", "DescribeStreamSummary", "ListShards", "GetShardIterator", "GetRecords")
    put_policy(owner, stream, statement(stream, *read))
    assert read_all(ann, stream) == [b"one", b"two"]
    described = ann.describe_stream_summary(StreamARN=stream)["StreamDescriptionSummary"]
    assert described["StreamARN"] == stream
    assert ann.describe_stream(StreamARN=stream)["StreamDescription"]["StreamARN"] == stream
    assert error_of(put, ann, stream) == denied("ann", "PutRecord", stream), "the policy was replaced"


def test_a_user_alone_may_be_allowed(as_, stream):
    put_policy(as_("owner"), stream, statement(stream, "PutRecord", principal=[arn_of("eve")]))
    put(as_("eve"), stream)
    assert error_of(put, as_("ann"), stream) == denied("ann", "PutRecord", stream)


def test_a_denial_wins_and_counts_in_the_owners_account(as_, stream):
    owner, bob, ann = as_("owner"), as_("bob"), as_("ann")
    allow = statement(stream, "PutRecord", principal=[OURS, THEIRS])
    deny = statement(stream, "PutRecord", "DescribeStream", effect="Deny", principal=[arn_of("bob"), arn_of("ann")])
    put_policy(owner, stream, allow, deny)
    put(owner, stream)
    put(as_("eve"), stream)
    assert error_of(put, bob, stream) == denied("bob", "PutRecord", stream, explicit=True)
    assert error_of(put, ann, stream) == denied("ann", "PutRecord", stream, explicit=True)
    by_name = {"StreamName": stream.rpartition("/")[2]}
    assert error_of(bob.describe_stream, **by_name) == denied("bob", "DescribeStream", stream, explicit=True)
    assert bob.describe_stream_summary(**by_name)
    owner.delete_resource_policy(ResourceARN=stream)
    put(bob, stream)
    assert error_of(put, as_("eve"), stream) == denied("eve", "PutRecord", stream)


@pytest.mark.parametrize(
    "condition, met",
    [
        ({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "127.0.0.0/8"]}}, True),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
        ({"NotIpAddress": {"aws:SourceIp": "127.0.0.1"}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, False),
        ({"StringEquals": {"aws:username": "ann"}, "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/a*"}}, True),
        ({"StringLike": {"aws:UserAgent": "Boto3/*"}}, True),
        ({"DateGreaterThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}, False),
        ({"Null": {"aws:PrincipalOrgID": "true"}}, True),
    ],
)
def test_conditions(as_, stream, condition, met):
    put_policy(as_("owner"), stream, statement(stream, "PutRecord", Condition=condition))
    if met:
        put(as_("ann"), stream)
    else:
        assert error_of(put, as_("ann"), stream) == denied("ann", "PutRecord", stream)


def test_a_consumer_has_a_policy_of_its_own(as_, stream):
    owner, ann = as_("owner"), as_("ann")
    consumer = owner.register_stream_consumer(StreamARN=stream, ConsumerName="fan")["Consumer"]["ConsumerARN"]
    start = {"ConsumerARN": consumer, "ShardId": "shardId-000000000000", "StartingPosition": {"Type": "TRIM_HORIZON"}}
    put_policy(owner, stream, statement(stream, "DescribeStreamSummary", "ListShards"))
    assert error_of(ann.subscribe_to_shard, **start) == denied("ann", "SubscribeToShard", consumer)
    assert error_of(ann.describe_stream_consumer, ConsumerARN=consumer) == denied("ann", "DescribeStreamConsumer", consumer)
    put_policy(owner, consumer, statement(consumer, "SubscribeToShard", "DescribeStreamConsumer"))
    put(owner, stream, b"fanned out")
    assert ann.describe_stream_consumer(ConsumerARN=consumer)["ConsumerDescription"]["ConsumerName"] == "fan"
    events = ann.subscribe_to_shard(**start)["EventStream"]
    records = next(iter(events))["SubscribeToShardEvent"]["Records"]
    events.close()
    assert [record["Data"] for record in records] == [b"fanned out"]


def test_names_mean_streams_of_ones_own_account(as_, stream):
    name = stream.rpartition("/")[2]
    put_policy(as_("owner"), stream, statement(stream, "PutRecord", "GetRecords", "GetShardIterator", "ListShards"))
    call = {"StreamName": name, "PartitionKey": "k", "Data": b""}
    missing = (400, "ResourceNotFoundException", f"Stream {name} under account {THEIRS} not found.")
    assert error_of(as_("ann").put_record, **call) == missing
    assert as_("bob").put_record(**call)
    other = stream.replace(name, "no-such")
    assert error_of(put, as_("ann"), other) == denied("ann", "PutRecord", other)


def test_what_cannot_be_shared_is_the_owners(as_, stream, name):
    ann = as_("ann")
    for call, action in [
        (lambda: ann.delete_stream(StreamARN=stream), "DeleteStream"),
        (lambda: ann.list_streams(), "ListStreams"),
        (lambda: ann.create_stream(StreamName="mine", ShardCount=1), "CreateStream"),
        (lambda: ann.get_resource_policy(ResourceARN=stream), "GetResourcePolicy"),
        (lambda: put_policy(ann, stream, statement(stream, "PutRecord")), "PutResourcePolicy"),
    ]:
        status, code, text = error_of(call)
        assert (status, code) == (400, "AccessDeniedException")
        assert text == (
            f"User: {arn_of('ann')} is not authorized to perform: kinesis:{action} "
            f"because no identity-based policy allows the kinesis:{action} action"
        )
    as_("owner", "s3").create_bucket(Bucket=name)
    for who, allowed in (("bob", True), ("ann", False)):
        if allowed:
            as_(who, "s3").put_object(Bucket=name, Key="k", Body=b"x")
            continue
        assert error_of(as_(who, "s3").put_object, Bucket=name, Key="k", Body=b"x") == (403, "AccessDenied", "Access Denied")
        assert error_of(as_(who, "s3").list_buckets)[:2] == (403, "AccessDenied")
        assert error_of(as_(who, "firehose").list_delivery_streams)[:2] == (400, "AccessDeniedException")
        assert error_of(as_(who, "logs").describe_log_groups)[:2] == (400, "AccessDeniedException")
        assert error_of(as_(who, "lambda").list_functions)[:2] == (403, "AccessDeniedException")


def test_policies_survive_a_crash_and_go_with_their_stream(as_, server, stream):
    owner, ann = as_("owner"), as_("ann")
    consumer = owner.register_stream_consumer(StreamARN=stream, ConsumerName="fan")["Consumer"]["ConsumerARN"]
    written = {
        stream: put_policy(owner, stream, statement(stream, "PutRecord")),
        consumer: put_policy(owner, consumer, statement(consumer, "DescribeStreamConsumer")),
    }
    server.restart()
    for resource, document in written.items():
        assert owner.get_resource_policy(ResourceARN=resource)["Policy"] == document
    put(ann, stream)
    assert ann.describe_stream_consumer(ConsumerARN=consumer)
    assert error_of(ann.list_shards, StreamARN=stream) == denied("ann", "ListShards", stream)
    name = stream.rpartition("/")[2]
    owner.delete_stream(StreamName=name, EnforceConsumerDeletion=True)
    assert error_of(put, ann, stream) == denied("ann", "PutRecord", stream)
    owner.create_stream(StreamName=name, ShardCount=1)
    assert json.loads(owner.get_resource_policy(ResourceARN=stream)["Policy"]) == {}
    assert error_of(put, ann, stream) == denied("ann", "PutRecord", stream)


@pytest.mark.parametrize("everybody", ["*", {"AWS": "*"}])
def test_everybody_may_be_allowed(as_, stream, everybody):
    """Callers of all accounts, but only for what is allowed and as long as the condition holds."""
    document = statement(stream, "PutRecord")
    document.update(Principal=everybody)
    put_policy(as_("owner"), stream, document)
    for name in ["ann", "eve"]:
        put(as_(name), stream)
        assert error_of(as_(name).list_shards, StreamARN=stream) == denied(name, "ListShards", stream)
    document.update(Condition={"StringEquals": {"aws:username": "ann"}})
    put_policy(as_("owner"), stream, document)
    put(as_("ann"), stream)
    assert error_of(put, as_("eve"), stream) == denied("eve", "PutRecord", stream)


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda s: s.update(NotPrincipal=s.pop("Principal")), "Policy validation error: Has prohibited field NotPrincipal"),
        (lambda s: s.update(Principal={"AWS": "nobody"}), "nobody"),
        (lambda s: s.update(Principal={"Service": "lambda.amazonaws.com"}), "lambda.amazonaws.com"),
        (lambda s: s.update(Action="kinesis:*"), "kinesis:*"),
        (lambda s: s.update(Action="kinesis:SubscribeToShard"), "kinesis:SubscribeToShard"),
        (lambda s: s.update(Effect="Maybe"), "Effect"),
        (lambda s: s.update(Resource="arn:aws:kinesis:us-east-1:111111111111:stream/other"), "must be the same as the resource ARN."),
        (lambda s: s.update(Resource="arn:aws:kinesis:us-east-1:111111111111:stream/*"), "must be the same as the"),
        (lambda s: s.update(Condition={"StringIs": {"aws:username": "x"}}), "StringIs"),
        (lambda s: s.pop("Principal"), "Principal"),
        (lambda s: s.update(Sid="x" * 20_480), "20480 bytes"),
    ],
)
def test_invalid_documents(as_, stream, change, said):
    document = statement(stream, "PutRecord")
    change(document)
    status, code, text = error_of(put_policy, as_("owner"), stream, document)
    assert (status, code) == (400, "InvalidArgumentException") and said in text, text
    assert as_("owner").get_resource_policy(ResourceARN=stream)["Policy"] == "{}"
    error = error_of(as_("owner").delete_resource_policy, ResourceARN=stream)
    assert error == (400, "ResourceNotFoundException", f"No resource policy found for resource ARN {stream}.")


def test_dry_runs_check_and_change_nothing(as_, stream):
    owner, ann = as_("owner"), as_("ann")
    call = {"StreamARN": stream, "PartitionKey": "k", "Data": b"x", "DryRun": True}
    would = (400, "DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
    assert error_of(owner.put_record, **call) == would
    assert error_of(ann.put_record, **call) == denied("ann", "PutRecord", stream)
    put_policy(owner, stream, statement(stream, "PutRecord"))
    assert error_of(ann.put_record, **call) == would
    assert read_all(owner, stream) == []


def test_a_queue_is_shared_by_its_policy(as_, name):
    owner, ann = as_("owner"), as_("ann")
    owner.create_stream(StreamName=name, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    stream = f"arn:aws:kinesis:us-east-1:{OURS}:stream/{name}"
    created = owner.create_queue(QueueName=name, StreamConfigurationList=[{"StreamARN": stream}])
    queue = created["QueueDescription"]["QueueARN"]
    assert error_of(ann.receive_queue_records, QueueARN=queue) == denied("ann", "ReceiveQueueRecords", queue)
    put_policy(owner, queue, statement(queue, "ReceiveQueueRecords", "AcknowledgeQueueRecords"))
    put(owner, stream, b"queued")
    received = ann.receive_queue_records(QueueARN=queue, WaitTimeSeconds=9)["QueueRecords"]
    assert [record["Data"] for record in received] == [b"queued"]
    entries = [{"ReceiptHandle": record["ReceiptHandle"]} for record in received]
    assert len(ann.acknowledge_queue_records(QueueARN=queue, Entries=entries)["Successful"]) == 1
    assert error_of(ann.describe_queue, QueueARN=queue) == denied("ann", "DescribeQueue", queue)
    assert error_of(ann.delete_queue, QueueARN=queue)[1] == "AccessDeniedException"
