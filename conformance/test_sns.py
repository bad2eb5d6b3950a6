"""SNS through boto3: topics whose messages go to queues, functions, delivery streams and addresses, through kills."""

import base64
import json
import subprocess
import threading
import time
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.exceptions import ClientError

from headwater import wait_for
from receivers import Receiver
from test_lambda import error_of, package

ROLE = "arn:aws:iam::000000000000:role/any"
NOTIFICATION = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
CONFIRMATION = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


def verify(message, folder):
    """Checks a message's signature as AWS documents it, with OpenSSL and the certificate that the message names."""
    fields = NOTIFICATION if message["Type"] == "Notification" else CONFIRMATION
    text = "".join(f"{field}\n{message[field]}\n" for field in fields if field in message)
    folder.mkdir(exist_ok=True)
    (folder / "cert.pem").write_bytes(get(message["SigningCertURL"]))
    (folder / "text").write_text(text)
    (folder / "signature").write_bytes(base64.b64decode(message["Signature"]))
    key = subprocess.run(
        ["openssl", "x509", "-in", folder / "cert.pem", "-pubkey", "-noout"], check=True, capture_output=True
    )
    (folder / "key.pem").write_bytes(key.stdout)
    digest = {"1": "-sha1", "2": "-sha256"}[message["SignatureVersion"]]
    checked = subprocess.run(
        ["openssl", "dgst", digest, "-verify", folder / "key.pem", "-signature", folder / "signature", folder / "text"],
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0 and "Verified OK" in checked.stdout, checked.stdout + checked.stderr


class Subscriber(Receiver):
    """An address that is subscribed: it keeps what it takes, and fails as its plan says."""

    def __init__(self):
        super().__init__()
        self.taken = []

    def answer(self, path, headers, body):
        step = self.next_of_plan()
        if step:
            return step, {}
        self.taken.append(({name.lower(): value for name, value in headers.items()}, body))
        return 200, {}

    def of_kind(self, kind):
        return [(headers, body) for headers, body in list(self.taken) if headers["x-amz-sns-message-type"] == kind]

    def bodies(self, kind="Notification"):
        return [body for _, body in self.of_kind(kind)]


@pytest.fixture
def subscriber():
    with Subscriber().running() as subscriber:
        yield subscriber


@pytest.fixture
def sns(server):
    return server.client("sns")


@pytest.fixture
def topic(sns, name):
    return sns.create_topic(Name=name)["TopicArn"]


def confirmed(sns, topic, subscriber, **attributes):
    """An address's subscription, confirmed by the link that it was sent."""
    subscribed = sns.subscribe(
        TopicArn=topic,
        Protocol="http",
        Endpoint=f"{subscriber.url}/sns",
        ReturnSubscriptionArn=True,
        Attributes=attributes,
    )
    wait_for("the request to confirm", lambda: subscriber.bodies("SubscriptionConfirmation"))
    asked = json.loads(subscriber.bodies("SubscriptionConfirmation")[-1])
    answer = get(asked["SubscribeURL"]).decode()
    assert f"<SubscriptionArn>{subscribed['SubscriptionArn']}</SubscriptionArn>" in answer
    return subscribed["SubscriptionArn"]


def test_topics_are_made_listed_changed_and_deleted(sns, name):
    arn = sns.create_topic(Name=name, Attributes={"DisplayName": "d"}, Tags=[{"Key": "a", "Value": "b"}])["TopicArn"]
    assert arn == f"arn:aws:sns:us-east-1:000000000000:{name}"
    assert sns.create_topic(Name=name)["TopicArn"] == arn
    listed = [topic["TopicArn"] for page in sns.get_paginator("list_topics").paginate() for topic in page["Topics"]]
    assert arn in listed
    sns.set_topic_attributes(TopicArn=arn, AttributeName="SignatureVersion", AttributeValue="2")
    attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert attributes["DisplayName"] == "d" and attributes["SignatureVersion"] == "2"
    policy = json.loads(attributes["Policy"])
    assert policy["Statement"][0]["Condition"] == {"StringEquals": {"AWS:SourceOwner": "000000000000"}}
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    sns.tag_resource(ResourceArn=arn, Tags=[{"Key": "c", "Value": "d"}])
    sns.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "c", "Value": "d"}]
    sns.add_permission(TopicArn=arn, Label="l", AWSAccountId=["222222222222"], ActionName=["Publish"])
    policy = json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])
    assert policy["Statement"][1]["Action"] == "SNS:Publish"
    sns.remove_permission(TopicArn=arn, Label="l")
    policy = json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])
    assert len(policy["Statement"]) == 1
    sns.delete_topic(TopicArn=arn)
    assert error_of(lambda: sns.publish(TopicArn=arn, Message="m")) == (404, "NotFound", "Topic does not exist")


def test_what_is_not_there_is_refused_by_name(sns, topic):
    for call, text in [
        (lambda: sns.create_platform_application(Name="a", Platform="GCM", Attributes={}), "CreatePlatformApplication"),
        (lambda: sns.put_data_protection_policy(ResourceArn=topic, DataProtectionPolicy="{}"), "PutDataProtectionPolicy"),
        (lambda: sns.get_data_protection_policy(ResourceArn=topic), "GetDataProtectionPolicy"),
        (lambda: sns.publish(PhoneNumber="+15551234567", Message="m"), "phone numbers"),
        (lambda: sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@b.c"), "protocol email"),
        (lambda: sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint="+15551234567"), "protocol sms"),
        (lambda: sns.create_topic(Name="a.fifo", Attributes={"FifoTopic": "true"}), "FIFO topics"),
    ]:
        assert text in error_of(call)[2]


def test_what_is_wrong_is_refused_as_on_aws(sns, topic):
    string = {"DataType": "String", "StringValue": ""}
    for call, expected in [
        (lambda: sns.publish(TopicArn=topic, Message=""), ("InvalidParameter", "Invalid parameter: Empty message")),
        (
            lambda: sns.publish(TopicArn=topic, Message="a" * (256 * 1024 + 1)),
            ("InvalidParameter", "Invalid parameter: Message too long"),
        ),
        (
            lambda: sns.publish(TopicArn=topic, Message="m", MessageAttributes={"attr1": string}),
            (
                "ParameterValueInvalid",
                "The message attribute 'attr1' must contain non-empty message attribute value for message attribute type "
                "'String'.",
            ),
        ),
        (
            lambda: sns.publish_batch(
                TopicArn=topic, PublishBatchRequestEntries=[{"Id": str(i), "Message": "m"} for i in range(11)]
            ),
            ("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible."),
        ),
        (
            lambda: sns.unsubscribe(SubscriptionArn=""),
            ("InvalidParameter", "Invalid parameter: SubscriptionArn Reason: no value for required parameter"),
        ),
        (
            lambda: sns.confirm_subscription(TopicArn=topic, Token="randomtoken"),
            ("InvalidParameter", "Invalid token"),
        ),
        (
            lambda: sns.confirm_subscription(TopicArn=topic, Token="ab" * 144),
            ("InvalidParameter", "Invalid parameter: Token"),
        ),
    ]:
        assert error_of(call) == (400, *expected)


@pytest.mark.parametrize("version", ["1", "2"])
def test_an_address_confirms_and_checks_what_it_gets(sns, topic, subscriber, tmp_path, version):
    sns.set_topic_attributes(TopicArn=topic, AttributeName="SignatureVersion", AttributeValue=version)
    arn = confirmed(sns, topic, subscriber)
    headers, asked = subscriber.of_kind("SubscriptionConfirmation")[0]
    verify(json.loads(asked), tmp_path / "asked")
    assert headers["user-agent"] == "Amazon Simple Notification Service Agent"
    assert headers["content-type"] == "text/plain; charset=UTF-8" and headers["accept-encoding"] == "gzip,deflate"
    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert attributes["PendingConfirmation"] == "false" and attributes["ConfirmationWasAuthenticated"] == "false"
    published = sns.publish(
        TopicArn=topic,
        Message="ö\n\"m\"",
        Subject="s",
        MessageAttributes={"n": {"DataType": "Number", "StringValue": "9.5"}},
    )
    wait_for("the message", subscriber.bodies)
    headers, body = subscriber.of_kind("Notification")[0]
    message = json.loads(body)
    verify(message, tmp_path / "message")
    assert message["MessageId"] == published["MessageId"] == headers["x-amz-sns-message-id"]
    assert message["Message"] == "ö\n\"m\"" and message["Subject"] == "s"
    assert message["MessageAttributes"] == {"n": {"Type": "Number", "Value": "9.5"}}
    assert message["SignatureVersion"] == version and headers["x-amz-sns-subscription-arn"] == arn
    # The link in a message cancels, and the link in what comes then brings it back.
    get(message["UnsubscribeURL"])
    wait_for("the request to bring it back", lambda: subscriber.bodies("UnsubscribeConfirmation"))
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []
    asked = json.loads(subscriber.bodies("UnsubscribeConfirmation")[0])
    verify(asked, tmp_path / "cancelled")
    get(asked["SubscribeURL"])
    [listed] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"] == arn


def test_filters_and_raw_delivery(sns, topic, subscriber):
    policy = {"kind": ["a", {"prefix": "b"}], "size": [{"numeric": [">", 5]}]}
    arn = confirmed(sns, topic, subscriber, FilterPolicy=json.dumps(policy), RawMessageDelivery="true")

    def publish(text, kind, size):
        attributes = {
            "kind": {"DataType": "String", "StringValue": kind},
            "size": {"DataType": "Number", "StringValue": str(size)},
        }
        sns.publish(TopicArn=topic, Message=text, MessageAttributes=attributes)

    for text, kind, size in [("1", "a", 6), ("2", "a", 5), ("3", "c", 6), ("4", "bx", 7), ("5", "a", 9)]:
        publish(text, kind, size)
    wait_for("what it wants", lambda: len(subscriber.bodies()) == 3)
    assert sorted(subscriber.bodies()) == [b"1", b"4", b"5"]
    headers, _ = subscriber.of_kind("Notification")[0]
    assert headers["x-amz-sns-rawdelivery"] == "true"
    sns.set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="FilterPolicyScope", AttributeValue="MessageBody"
    )
    sns.set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue=json.dumps({"a": {"b": [1]}})
    )
    shown = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert (shown["FilterPolicy"], shown["FilterPolicyScope"]) == ('{"a": {"b": [1]}}', "MessageBody")
    for body in ['{"a": {"b": 2}}', "no json", '{"a": {"b": 1}}']:
        sns.publish(TopicArn=topic, Message=body)
    wait_for("the body that it wants", lambda: len(subscriber.bodies()) == 4)
    assert subscriber.bodies()[-1] == b'{"a": {"b": 1}}'


def test_an_address_that_fails_is_tried_again_after_its_policy(sns, topic, subscriber):
    retries = {"healthyRetryPolicy": {"minDelayTarget": 1, "maxDelayTarget": 1, "numRetries": 3, "numNoDelayRetries": 2}}
    confirmed(sns, topic, subscriber, DeliveryPolicy=json.dumps(retries))
    subscriber.plan = [500, 503, 429]
    sns.publish(TopicArn=topic, Message="m")
    wait_for("the message", subscriber.bodies)
    assert len(subscriber.requests) == 5


def test_a_message_has_a_body_for_each_protocol(sns, topic, subscriber):
    confirmed(sns, topic, subscriber, RawMessageDelivery="true")
    bodies = {"default": "for all", "http": "for addresses", "email": "for letters"}
    sns.publish(TopicArn=topic, MessageStructure="json", Message=json.dumps(bodies))
    wait_for("the message", subscriber.bodies)
    assert subscriber.bodies() == [b"for addresses"]


def test_links_lead_to_their_region(server, subscriber, name):
    west = server.client("sns", region="us-west-2")
    topic = west.create_topic(Name=name)["TopicArn"]
    arn = confirmed(west, topic, subscriber)
    assert arn.startswith("arn:aws:sns:us-west-2:")
    west.publish(TopicArn=topic, Message="m")
    wait_for("the message", subscriber.bodies)
    get(json.loads(subscriber.bodies()[0])["SigningCertURL"])
    get(json.loads(subscriber.bodies()[0])["UnsubscribeURL"])
    assert west.list_subscriptions()["Subscriptions"] == []
    # A region that nobody has opened is opened by no link.
    nowhere = topic.replace("us-west-2", "eu-north-1")
    with pytest.raises(urllib.error.HTTPError):
        get(f"{server.endpoint}/?Action=ConfirmSubscription&TopicArn={nowhere}&Token={'ab' * 144}")
    assert error_of(lambda: server.client("sns").publish(TopicArn=topic, Message="m"))[2] == "Invalid parameter: TopicArn"


def test_a_function_that_is_gone_leaves_dead_letters(server, sns, topic, name):
    sqs, url, dead = queue_of(server, name)
    gone = "arn:aws:lambda:us-east-1:000000000000:function:gone"
    redrive = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead})}
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=gone, Attributes=redrive)
    sns.publish(TopicArn=topic, Message="m")
    [message] = receive(sqs, url, 1)
    assert json.loads(message["Body"])["Message"] == "m"


def test_a_function_gets_an_event(server, sns, topic, tmp_path, name):
    out = tmp_path / "out.jsonl"
    code = """
import json, os

def handler(event, context):
    with open(os.environ["OUT"], "a") as out:
        out.write(json.dumps(event) + "\\n")
"""
    lambda_ = server.client("lambda")
    function = lambda_.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="index.handler",
        Role=ROLE,
        Code={"ZipFile": package(index_py=code)},
        Environment={"Variables": {"OUT": str(out)}},
    )["FunctionArn"]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="SignatureVersion", AttributeValue="2")
    lambda_.add_permission(
        FunctionName=name,
        StatementId="topic",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=topic,
    )
    subscribed = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function, ReturnSubscriptionArn=True)
    sns.publish(TopicArn=topic, Message="Hello world.", Subject="s")
    wait_for("the event", lambda: out.exists() and out.read_text().endswith("\n"), seconds=60)
    [event] = [json.loads(line) for line in out.read_text().splitlines()]
    [record] = event["Records"]
    assert record["EventSource"] == "aws:sns" and record["EventVersion"] == "1.0"
    assert record["EventSubscriptionArn"] == subscribed["SubscriptionArn"]
    message = record["Sns"]
    assert message["Message"] == "Hello world." and message["Subject"] == "s" and message["MessageAttributes"] == {}
    # As on AWS, events have the first version of signatures, whatever the topic's is.
    assert message["SignatureVersion"] == "1"
    message = {**message, "SigningCertURL": message["SigningCertUrl"]}
    verify(message, tmp_path / "event")


def test_a_delivery_stream_fills_a_bucket(server, sns, topic, name):
    s3, firehose = server.client("s3"), server.client("firehose")
    s3.create_bucket(Bucket=name)
    stream = firehose.create_delivery_stream(
        DeliveryStreamName=name,
        ExtendedS3DestinationConfiguration={
            "BucketARN": f"arn:aws:s3:::{name}",
            "RoleARN": ROLE,
            "BufferingHints": {"IntervalInSeconds": 1, "SizeInMBs": 1},
        },
    )["DeliveryStreamARN"]
    with pytest.raises(ClientError):
        sns.subscribe(TopicArn=topic, Protocol="firehose", Endpoint=stream)
    sns.subscribe(
        TopicArn=topic, Protocol="firehose", Endpoint=stream, Attributes={"SubscriptionRoleArn": ROLE}
    )
    entries = [{"Id": str(i), "Message": f"message {i}"} for i in range(10)]
    done = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert len(done["Successful"]) == 10 and done["Failed"] == []

    def lines():
        objects = s3.list_objects_v2(Bucket=name).get("Contents", [])
        bodies = [s3.get_object(Bucket=name, Key=found["Key"])["Body"].read().decode() for found in objects]
        return [json.loads(line) for body in bodies for line in body.splitlines()]

    wait_for("the messages", lambda: len(lines()) == 10, seconds=60)
    assert {line["Message"] for line in lines()} == {entry["Message"] for entry in entries}
    assert "Signature" not in lines()[0] and lines()[0]["TopicArn"] == topic


def queue_of(server, name, is_let_in=True):
    sqs = server.client("sqs")
    arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:us-east-1:000000000000:*"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]}) if is_let_in else ""
    url = sqs.create_queue(QueueName=name, Attributes={"Policy": policy} if policy else {})["QueueUrl"]
    return sqs, url, arn


def receive(sqs, url, count, seconds=30):
    """So many messages of a queue, which are deleted."""
    received, end = [], time.monotonic() + seconds
    while len(received) < count and time.monotonic() < end:
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=1,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        for message in answer.get("Messages", []):
            received.append(message)
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert len(received) == count, received
    return received


def test_a_queue_gets_messages_in_their_envelope_or_without(server, sns, topic, name, tmp_path):
    sqs, url, queue = queue_of(server, name)
    arn = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)["SubscriptionArn"]
    attributes = {
        "text": {"DataType": "String", "StringValue": "ö"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\x02\x03\x04"},
    }
    sns.publish(TopicArn=topic, Message="m", MessageAttributes=attributes, MessageGroupId="g")
    [message] = receive(sqs, url, 1)
    body = json.loads(message["Body"])
    verify(body, tmp_path / "message")
    assert body["MessageAttributes"] == {
        "text": {"Type": "String", "Value": "ö"},
        "bytes": {"Type": "Binary", "Value": "AgME"},
    }
    assert "MessageAttributes" not in message and message["Attributes"]["MessageGroupId"] == "g"
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue="true")
    sns.publish(TopicArn=topic, Message="m", MessageAttributes=attributes)
    [message] = receive(sqs, url, 1)
    assert message["Body"] == "m" and message["MessageAttributes"] == attributes


def test_what_a_queue_does_not_take_becomes_a_dead_letter(server, sns, topic, name):
    sqs, url, dead = queue_of(server, name)
    gone = f"{dead}-gone"
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=gone,
        Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead}), "RawMessageDelivery": "true"},
    )
    attributes = {"n": {"DataType": "Number", "StringValue": "111"}}
    sns.publish(TopicArn=topic, Message="m", MessageAttributes=attributes)
    [message] = receive(sqs, url, 1)
    assert message["Body"] == "m" and message["MessageAttributes"] == attributes


def test_endpoints_let_topics_in_by_their_policies(server, sns, topic, name):
    sqs, url, closed = queue_of(server, f"{name}-closed", is_let_in=False)
    _, dead_url, dead = queue_of(server, f"{name}-dead")
    redrive = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead}), "RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=closed, Attributes=redrive)
    sns.publish(TopicArn=topic, Message="m")
    assert receive(sqs, dead_url, 1)[0]["Body"] == "m"
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": closed}
    deny = {
        "Effect": "Deny",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": closed,
        "Condition": {"StringEquals": {"aws:SourceAccount": "000000000000"}},
    }
    for statements, reached in [([allow], url), ([allow, deny], dead_url)]:
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        sns.publish(TopicArn=topic, Message="m")
        assert receive(sqs, reached, 1)[0]["Body"] == "m"


def test_kills_lose_no_message(new_server):
    server = new_server()
    sns, topic = server.client("sns"), None
    with Subscriber().running() as subscriber:
        topic = sns.create_topic(Name="t")["TopicArn"]
        confirmed(sns, topic, subscriber, RawMessageDelivery="true")
        published = []
        for round in range(5):
            stop = threading.Event()

            def publish():
                while not stop.is_set():
                    text = f"{round}-{len(published)}"
                    try:
                        sns.publish(TopicArn=topic, Message=text)
                    except Exception:  # The server is gone: whether the message is there is not known.
                        return
                    published.append(text)

            publisher = threading.Thread(target=publish)
            publisher.start()
            before = len(published)
            wait_for("some messages", lambda: len(published) > before + 30)
            server.kill()
            stop.set()
            publisher.join()
            server.start()
            sns = server.client("sns")
        wait_for("all messages", lambda: {text.encode() for text in published} <= set(subscriber.bodies()), seconds=60)
    assert len(published) > 150


def test_a_slow_address_holds_up_no_other(new_server):
    server = new_server()
    sns = server.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    with Subscriber().running() as slow, Subscriber().running() as quick:
        confirmed(sns, topic, slow, RawMessageDelivery="true")
        confirmed(sns, topic, quick, RawMessageDelivery="true")
        sns.publish(TopicArn=topic, Message="first")
        wait_for("the first", lambda: slow.bodies() and quick.bodies())
        slow.lock.acquire()  # From now on it answers nothing.
        try:
            body = "x" * 100_000
            before = server.memory_mib()
            for start in range(0, 400, 2):
                entries = [{"Id": str(i), "Message": f"{start + i} {body}"} for i in range(2)]
                sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
            wait_for("all others", lambda: len(quick.bodies()) == 401, seconds=60)
            assert server.memory_mib() - before < 300
        finally:
            slow.lock.release()


def test_links_are_for_everybody_and_the_rest_is_not(new_server, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(
        "[default]\naws_access_key_id=A\naws_secret_access_key=s\n"
        "[bob]\naws_access_key_id=B\naws_secret_access_key=t\naws_account_id=222222222222\n"
    )
    server = new_server("--credentials", keys)

    def client(key, secret):
        return boto3.client(
            "sns",
            endpoint_url=server.endpoint,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
        )

    ours, theirs = client("A", "s"), client("B", "t")
    topic = ours.create_topic(Name="t")["TopicArn"]
    with Subscriber().running() as subscriber:
        confirmed(ours, topic, subscriber)
        ours.publish(TopicArn=topic, Message="m")
        wait_for("the message", subscriber.bodies)
        get(json.loads(subscriber.bodies()[0])["UnsubscribeURL"])
        wait_for("the end", lambda: not ours.list_subscriptions()["Subscriptions"])
    with pytest.raises(urllib.error.HTTPError):
        get(f"{server.endpoint}/?Action=Publish&TopicArn={topic}&Message=m&Version=2010-03-31")
    assert error_of(lambda: theirs.publish(TopicArn=topic, Message="m"))[:2] == (403, "AuthorizationError")
    ours.add_permission(TopicArn=topic, Label="l", AWSAccountId=["222222222222"], ActionName=["Publish"])
    theirs.publish(TopicArn=topic, Message="m")
    assert error_of(lambda: theirs.get_topic_attributes(TopicArn=topic))[:2] == (403, "AuthorizationError")
