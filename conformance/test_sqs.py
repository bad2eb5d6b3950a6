"""Queues of messages through boto3, the query protocol and the AWS CLI."""

import hashlib
import json
import random
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from headwater import Server

NAMESPACE = "{http://queue.amazonaws.com/doc/2012-11-05/}"
OURS, THEIRS = "111111111111", "222222222222"


@pytest.fixture
def sqs(client):
    return client("sqs")


@pytest.fixture
def url(sqs, name):
    """The address of a queue of the test's own."""
    return sqs.create_queue(QueueName=name)["QueueUrl"]


@pytest.fixture
def fifo(sqs, name):
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    return sqs.create_queue(QueueName=f"{name}.fifo", Attributes=attributes)["QueueUrl"]


def error_of(call):
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]


def arn_of(sqs, url):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def drain(sqs, url, visibility=120):
    """All messages that can be received now, deleted."""
    bodies = []
    while messages := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=visibility
    ).get("Messages"):
        bodies += [message["Body"] for message in messages]
        entries = [
            {"Id": str(at), "ReceiptHandle": message["ReceiptHandle"]} for at, message in enumerate(messages)
        ]
        answer = sqs.delete_message_batch(QueueUrl=url, Entries=entries)
        assert "Failed" not in answer
    return bodies


def test_a_message_is_sent_received_and_deleted(sqs, url):
    attributes = {
        "Foo": {"DataType": "String", "StringValue": "Bar"},
        "Raw": {"DataType": "Binary.png", "BinaryValue": b"\x00\xff"},
        "Count": {"DataType": "Number", "StringValue": "12.5"},
    }
    # boto3 checks the digests of what it sent and received.
    sent = sqs.send_message(QueueUrl=url, MessageBody="grüße", MessageAttributes=attributes)
    received = sqs.receive_message(
        QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"], WaitTimeSeconds=2
    )["Messages"]
    assert len(received) == 1
    message = received[0]
    assert (message["MessageId"], message["Body"]) == (sent["MessageId"], "grüße")
    assert message["MessageAttributes"] == attributes
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    again = sqs.receive_message(QueueUrl=url)["Messages"][0]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])
    # Deleting is idempotent.
    sqs.delete_message(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_a_long_poll_ends_with_the_first_message(sqs, url):
    sender = threading.Timer(1, lambda: sqs.send_message(QueueUrl=url, MessageBody="late"))
    sender.start()
    began = time.monotonic()
    received = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    assert received[0]["Body"] == "late" and 0.9 < time.monotonic() - began < 15
    sender.join()


def test_batches_answer_each_entry(sqs, url):
    entries = [{"Id": str(i), "MessageBody": f"m{i}"} for i in range(10)]
    answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert [entry["Id"] for entry in answer["Successful"]] == [str(i) for i in range(10)]
    assert "Failed" not in answer
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    handles = [{"Id": m["Body"], "ReceiptHandle": m["ReceiptHandle"]} for m in messages]
    shown = [{**handle, "VisibilityTimeout": 0} for handle in handles]
    assert len(sqs.change_message_visibility_batch(QueueUrl=url, Entries=shown)["Successful"]) == 10
    assert sorted(drain(sqs, url)) == sorted(f"m{i}" for i in range(10))
    wrong = sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": "x", "ReceiptHandle": "nonsense"}])
    assert wrong["Failed"][0]["Code"] == "ReceiptHandleIsInvalid" and "Successful" not in wrong
    twenty = [{"Id": str(i), "MessageBody": "m"} for i in range(20)]
    error = error_of(lambda: sqs.send_message_batch(QueueUrl=url, Entries=twenty))
    assert error["Code"] == "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"
    assert error["QueryErrorCode"] == "TooManyEntriesInBatchRequest"


def test_a_message_of_a_mebibyte_passes_and_one_byte_more_does_not(sqs, url):
    body = "x" * 1_048_576
    sqs.send_message(QueueUrl=url, MessageBody=body)
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == body
    error = error_of(lambda: sqs.send_message(QueueUrl=url, MessageBody=body + "x"))
    assert error["Code"] == "InvalidParameterValue"
    assert error["Message"] == (
        "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."
    )
    halves = [{"Id": "1", "MessageBody": body[: 1 << 19]}, {"Id": "2", "MessageBody": body[: (1 << 19) + 1]}]
    error = error_of(lambda: sqs.send_message_batch(QueueUrl=url, Entries=halves))
    assert error["Message"] == "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes."


def test_groups_are_in_order_and_an_id_is_sent_once(sqs, fifo):
    sent = [sqs.send_message(QueueUrl=fifo, MessageBody=f"a{i}", MessageGroupId="a") for i in range(3)]
    again = sqs.send_message(QueueUrl=fifo, MessageBody="a0", MessageGroupId="a")
    assert again["MessageId"] == sent[0]["MessageId"] and again["SequenceNumber"] == sent[0]["SequenceNumber"]
    assert sorted(s["SequenceNumber"] for s in sent) == [s["SequenceNumber"] for s in sent]
    sqs.send_message(QueueUrl=fifo, MessageBody="b0", MessageGroupId="b", MessageDeduplicationId="b0")
    first = sqs.receive_message(QueueUrl=fifo, MessageSystemAttributeNames=["All"])["Messages"][0]
    assert first["Body"] == "a0" and first["Attributes"]["MessageGroupId"] == "a"
    assert first["Attributes"]["MessageDeduplicationId"] == hashlib.sha256(b"a0").hexdigest()
    other = sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in other] == ["b0"]
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=first["ReceiptHandle"])
    attempt = {"QueueUrl": fifo, "MaxNumberOfMessages": 10, "ReceiveRequestAttemptId": "1"}
    rest = sqs.receive_message(**attempt)["Messages"]
    assert [message["Body"] for message in rest] == ["a1", "a2"]
    assert sqs.receive_message(**attempt)["Messages"] == rest


def test_dead_letters_go_to_their_queue(sqs, url, name):
    dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    policy = {"deadLetterTargetArn": arn_of(sqs, dead), "maxReceiveCount": "1"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]
    sqs.send_message(QueueUrl=url, MessageBody="bad")
    sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    letter = sqs.receive_message(QueueUrl=dead, MessageSystemAttributeNames=["All"])["Messages"][0]
    assert letter["Body"] == "bad"
    assert letter["Attributes"]["ApproximateReceiveCount"] == "2"
    assert letter["Attributes"]["DeadLetterQueueSourceArn"] == arn_of(sqs, url)


def test_queues_are_listed_tagged_purged_and_deleted(sqs, url, name):
    assert sqs.get_queue_url(QueueName=name)["QueueUrl"] == url
    made = [sqs.create_queue(QueueName=f"{name}-{i}")["QueueUrl"] for i in range(3)]
    page = sqs.list_queues(QueueNamePrefix=f"{name}-", MaxResults=2)
    rest = sqs.list_queues(QueueNamePrefix=f"{name}-", MaxResults=2, NextToken=page["NextToken"])
    assert page["QueueUrls"] + rest["QueueUrls"] == made and "NextToken" not in rest
    sqs.tag_queue(QueueUrl=url, Tags={"a": "1", "b": ""})
    sqs.untag_queue(QueueUrl=url, TagKeys=["a"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"b": ""}
    sqs.send_message(QueueUrl=url, MessageBody="gone")
    sqs.purge_queue(QueueUrl=url)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    error = error_of(lambda: sqs.purge_queue(QueueUrl=url))
    assert error["Code"] == "AWS.SimpleQueueService.PurgeQueueInProgress"
    sqs.delete_queue(QueueUrl=url)
    error = error_of(lambda: sqs.send_message(QueueUrl=url, MessageBody="m"))
    assert (error["Code"], error["QueryErrorCode"]) == (
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
    )
    assert error["Message"] == "The specified queue does not exist."


def test_permissions_are_added_and_removed(sqs, url):
    sqs.add_permission(QueueUrl=url, Label="l", AWSAccountIds=[THEIRS], Actions=["SendMessage"])
    policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    assert json.loads(policy)["Statement"][0]["Sid"] == "l"
    sqs.remove_permission(QueueUrl=url, Label="l")
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])


def test_other_accounts_do_what_the_policy_allows(tmp_path):
    keys = {"owner": ("AKIDOWNER", "one", OURS), "ann": ("AKIDANN", "two", THEIRS)}
    profile = "[{}]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_account_id = {}\n"
    credentials = tmp_path / "credentials"
    credentials.write_text("".join(profile.format(name, *key) for name, key in keys.items()))
    server = Server(tmp_path / "data", "--account", OURS, "--credentials", credentials).start()
    try:
        def as_(who, **changed):
            id, secret, _ = keys[who]
            config = Config(retries={"max_attempts": 0})
            keyed = {"aws_access_key_id": id, "aws_secret_access_key": secret, **changed}
            return boto3.client(
                "sqs", endpoint_url=server.endpoint, region_name="us-east-1", config=config, **keyed
            )

        url = as_("owner").create_queue(QueueName="q")["QueueUrl"]
        error = error_of(lambda: as_("ann").send_message(QueueUrl=url, MessageBody="m"))
        assert error["Code"] == "AccessDenied"
        as_("owner").add_permission(QueueUrl=url, Label="l", AWSAccountIds=[THEIRS], Actions=["SendMessage"])
        as_("ann").send_message(QueueUrl=url, MessageBody="from ann")
        entries = [{"Id": "1", "MessageBody": "in a batch"}]
        as_("ann").send_message_batch(QueueUrl=url, Entries=entries)
        assert error_of(lambda: as_("ann").receive_message(QueueUrl=url))["Code"] == "AccessDenied"
        assert sorted(drain(as_("owner"), url)) == ["from ann", "in a batch"]
        error = error_of(lambda: as_("owner", aws_access_key_id="AKIDNONE").list_queues())
        assert error["Code"] == "InvalidClientTokenId"
    finally:
        server.stop()


def query(address, method="POST", **fields):
    """The status and the document of a request in the query protocol."""
    form = urllib.parse.urlencode(fields)
    if method == "GET":
        request = urllib.request.Request(f"{address}?{form}")
    else:
        request = urllib.request.Request(address, data=form.encode())
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, ElementTree.fromstring(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, ElementTree.fromstring(error.read())


def text(root, path):
    return root.findtext("/".join(f"{NAMESPACE}{name}" for name in path.split("/")))


def test_the_query_protocol_does_the_same(endpoint, name):
    version = {"Version": "2012-11-05"}
    status, root = query(
        endpoint + "/",
        Action="CreateQueue",
        QueueName=name,
        **{"Attribute.1.Name": "VisibilityTimeout", "Attribute.1.Value": "60", "Tag.1.Key": "k", "Tag.1.Value": "v"},
        **version,
    )
    assert status == 200 and root.tag == f"{NAMESPACE}CreateQueueResponse"
    url = text(root, "CreateQueueResult/QueueUrl")
    assert url.endswith(f"/000000000000/{name}")
    status, root = query(
        url,
        Action="SendMessage",
        MessageBody="a & b",
        **{
            "MessageAttribute.1.Name": "Foo",
            "MessageAttribute.1.Value.DataType": "String",
            "MessageAttribute.1.Value.StringValue": "Bar",
        },
        **version,
    )
    assert text(root, "SendMessageResult/MD5OfMessageBody") == hashlib.md5(b"a & b").hexdigest()
    assert text(root, "SendMessageResult/MD5OfMessageAttributes") == "ae7155c6026991b6d54b11589678bf9c"
    names = {"MessageAttributeName.1": "All", "AttributeName.1": "SenderId"}
    status, root = query(url, "GET", Action="ReceiveMessage", MaxNumberOfMessages="10", **names, **version)
    assert status == 200
    assert text(root, "ReceiveMessageResult/Message/Body") == "a & b"
    assert text(root, "ReceiveMessageResult/Message/Attribute/Name") == "SenderId"
    assert text(root, "ReceiveMessageResult/Message/MessageAttribute/Value/StringValue") == "Bar"
    handle = text(root, "ReceiveMessageResult/Message/ReceiptHandle")
    entry = {"DeleteMessageBatchRequestEntry.1.Id": "1", "DeleteMessageBatchRequestEntry.1.ReceiptHandle": handle}
    status, root = query(url, Action="DeleteMessageBatch", **entry, **version)
    assert text(root, "DeleteMessageBatchResult/DeleteMessageBatchResultEntry/Id") == "1"
    status, root = query(url, Action="GetQueueAttributes", **{"AttributeName.1": "All"}, **version)
    attributes = {
        attribute.findtext(f"{NAMESPACE}Name"): attribute.findtext(f"{NAMESPACE}Value")
        for attribute in root.iter(f"{NAMESPACE}Attribute")
    }
    assert attributes["VisibilityTimeout"] == "60" and attributes["ApproximateNumberOfMessages"] == "0"
    status, root = query(url, Action="ListQueueTags", **version)
    assert text(root, "ListQueueTagsResult/Tag/Key") == "k"
    status, root = query(endpoint + "/", Action="ListQueues", QueueNamePrefix=name, **version)
    assert text(root, "ListQueuesResult/QueueUrl") == url


def test_the_query_protocol_says_no_in_its_own_words(endpoint, name):
    status, root = query(f"{endpoint}/000000000000/{name}", Action="ReceiveMessage", Version="2012-11-05")
    assert status == 400
    assert text(root, "Error/Code") == "AWS.SimpleQueueService.NonExistentQueue"
    assert text(root, "Error/Message") == "The specified queue does not exist for this wsdl version."
    assert text(root, "Error/Type") == "Sender"
    assert root.find(f"{NAMESPACE}Error/{NAMESPACE}Detail") is not None
    status, root = query(endpoint + "/", Action="Nonsense", Version="2012-11-05")
    assert (status, text(root, "Error/Code")) == (400, "InvalidAction")


def test_a_form_of_another_page_is_refused(endpoint):
    form = urllib.parse.urlencode({"Action": "ListQueues", "Version": "2012-11-05"}).encode()
    for headers, status in [
        ({"Origin": "https://example.com"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": endpoint}, 200),
        ({}, 200),
    ]:
        request = urllib.request.Request(endpoint + "/", data=form, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                assert answer.status == status
        except urllib.error.HTTPError as error:
            assert error.code == status


def test_addresses_take_what_is_of_queues(endpoint, sqs, url):
    # As on AWS, the version may be left out there.
    status, root = query(url, "GET", Action="FooBar")
    assert (status, text(root, "Error/Message")) == (400, "The action FooBar is not valid for this endpoint.")
    for action in ["CreateQueue", "ListQueues"]:
        status, root = query(url, "GET", Action=action, QueueName="other")
        assert (status, text(root, "Error/Code")) == (400, "InvalidAction")
    status, root = query(url, "GET", Action="SendMessage")
    assert (status, text(root, "Error/Code")) == (400, "MissingParameter")
    assert text(root, "Error/Message") == "The request must contain the parameter MessageBody."
    status, root = query(url, "GET", Action="GetQueueAttributes", **{"AttributeName.1": "Foobar"})
    assert text(root, "Error/Message") == "Unknown Attribute Foobar."
    status, root = query(url, "GET", Action="DeleteMessageBatch")
    assert text(root, "Error/Code") == "AWS.SimpleQueueService.EmptyBatchRequest"
    signed = botocore.awsrequest.AWSRequest("GET", url)
    keys = botocore.credentials.Credentials("test", "test")
    botocore.auth.SigV4Auth(keys, "sqs", "us-east-1").add_auth(signed)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(url, headers=dict(signed.headers)), timeout=30)
    assert caught.value.code == 404 and b"UnknownOperationException" in caught.value.read()
    traced = urllib.request.Request(
        url, data=b"Action=SendMessage&MessageBody=traced", headers={"X-Amzn-Trace-Id": "Root=1-2-3"}
    )
    urllib.request.urlopen(traced, timeout=30)
    message = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["AWSTraceHeader"])["Messages"][0]
    assert message["Attributes"] == {"AWSTraceHeader": "Root=1-2-3"}


def test_the_page_of_metrics_loads_no_queue(endpoint, sqs, url, name):
    page = lambda: urllib.request.urlopen(f"{endpoint}/_headwater/metrics", timeout=30).read().decode()
    sqs.send_message(QueueUrl=url, MessageBody="m")
    assert f'queue="{name}"' not in page()
    sqs.receive_message(QueueUrl=url)
    assert f'headwater_sqs_messages{{region="us-east-1",queue="{name}",state="in_flight"}} 1\n' in page()


def test_the_cli_sends_and_receives(server, name):
    # Version 1 of the CLI passes over AWS_ENDPOINT_URL for this service.
    here = ["sqs", "--endpoint-url", server.endpoint]
    url = server.aws(*here, "create-queue", "--queue-name", name)["QueueUrl"]
    server.aws(*here, "send-message", "--queue-url", url, "--message-body", "hello")
    received = server.aws(*here, "receive-message", "--queue-url", url)
    assert received["Messages"][0]["Body"] == "hello"


def test_move_tasks_are_refused_by_name(sqs, url):
    error = error_of(lambda: sqs.start_message_move_task(SourceArn=arn_of(sqs, url)))
    assert error["Code"] == "NotImplemented" and "StartMessageMoveTask" in error["Message"]


def work_until_killed(sqs, url, worker, sent, deleted, started):
    """Sends and deletes until the server is gone; what was acknowledged is noted, and what was being deleted."""
    count = 0
    try:
        while True:
            body = f"{worker}-{count}"
            count += 1
            sent["tried"].add(body)
            sqs.send_message(QueueUrl=url, MessageBody=body)
            sent["done"].add(body)
            started.set()
            for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1).get("Messages", []):
                deleted["tried"].add(message["Body"])
                if count % 2:
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                    deleted["done"].add(message["Body"])
    except (BotoCoreError, ClientError):
        return


def test_kills_lose_no_message_and_bring_none_back(new_server):
    server = new_server()
    chance = random.Random(35)
    attributes = {"VisibilityTimeout": "0"}
    url = server.client("sqs").create_queue(QueueName="kills", Attributes=attributes)["QueueUrl"]
    sent, deleted = ({"tried": set(), "done": set()} for _ in range(2))
    for round in range(6):
        started = threading.Event()
        workers = [
            threading.Thread(
                target=work_until_killed,
                args=(server.client("sqs"), url, f"{round}-{i}", sent, deleted, started),
            )
            for i in range(4)
        ]
        [worker.start() for worker in workers]
        assert started.wait(30)
        time.sleep(chance.uniform(0.1, 0.6))
        server.kill()
        [worker.join() for worker in workers]
        server.start()
    left = drain(server.client("sqs"), url)
    assert len(left) == len(set(left))
    missing = sent["done"] - deleted["tried"] - set(left)
    assert not missing, f"{len(missing)} acknowledged messages are lost"
    back = deleted["done"] & set(left)
    assert not back, f"{len(back)} deleted messages came back"
    assert set(left) <= sent["tried"]
    assert len(sent["done"]) > 50
