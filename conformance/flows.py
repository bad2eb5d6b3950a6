"""A server with something to look at: streams, deliveries, functions and mappings, some of which are held up."""

import json
import threading
import urllib.request

from headwater import wait_for
from lambdas import ROLE, create

ACCOUNT = "000000000000"
POISON = b'{"order": 9007199254740993123, "note": "poison <img src=x onerror=alert(1)>"}'
WAITING = b'{"trip": 1, "from": "<script>alert(1)</script>"}'
REFUSED = b'{"reading": "not a number <b>bold</b>"}'

ENRICH = """
import base64
def handler(event, context):
    for record in event["Records"]:
        text = base64.b64decode(record["kinesis"]["data"]).decode()
        if "poison" in text:
            raise ValueError("poison: order has no price <i>at all</i>")
"""

CHECK = """
import base64, json
def handler(event, context):
    def of(record):
        value = json.loads(base64.b64decode(record["data"])).get("reading")
        result = "Ok" if isinstance(value, (int, float)) else "ProcessingFailed"
        return {"recordId": record["recordId"], "result": result, "data": record["data"]}
    return {"records": [of(record) for record in event["records"]]}
"""


class Flows:
    """What `build` made, by the names that a person sees."""

    stuck = "trips-to-archive"
    mapping = "orders → enrich"
    refusing = "readings-to-lake"

    def __init__(self, server):
        self.server = server
        self.kinesis, self.firehose, self.s3, self.sns = map(server.client, ["kinesis", "firehose", "s3", "sns"])
        self.lambda_ = server.client("lambda")
        self.ended, self.producer = threading.Event(), None

    def build(self):
        for name, shards in {"clicks": 2, "orders": 1, "trips": 1, "readings": 1}.items():
            self.kinesis.create_stream(StreamName=name, ShardCount=shards)
            self.kinesis.get_waiter("stream_exists").wait(StreamName=name)
        for bucket in ["lake", "archive"]:
            self.s3.create_bucket(Bucket=bucket)
        for name, text in {"enrich": ENRICH, "check": CHECK}.items():
            create(self.lambda_, name, {"index.py": text})
        self.deliver("clicks", "lake", Prefix="clicks/")
        self.deliver("trips", "archive")
        self.deliver("readings", "lake", Prefix="readings/", ErrorOutputPrefix="failed/!{firehose:error-output-type}/",
                     ProcessingConfiguration=processed_by("check"))
        self.firehose.create_delivery_stream(
            DeliveryStreamName="audit", ExtendedS3DestinationConfiguration=to("lake", Prefix="audit/")
        )
        self.ready("audit")
        self.subscribe("alerts")
        self.s3.delete_bucket(Bucket="archive")
        self.map_orders()
        self.put("trips", WAITING)
        self.put("readings", REFUSED)
        self.put("orders", POISON)
        return self.wait()

    def map_orders(self):
        source = f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/orders"
        self.lambda_.create_event_source_mapping(
            EventSourceArn=source, FunctionName="enrich", StartingPosition="TRIM_HORIZON", BatchSize=1
        )

    def deliver(self, stream, bucket, **more):
        source = {"KinesisStreamARN": f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{stream}", "RoleARN": ROLE}
        name = f"{stream}-to-{bucket}"
        self.firehose.create_delivery_stream(
            DeliveryStreamName=name,
            DeliveryStreamType="KinesisStreamAsSource",
            KinesisStreamSourceConfiguration=source,
            ExtendedS3DestinationConfiguration=to(bucket, **more),
        )
        self.ready(name)

    def ready(self, name):
        describe = self.firehose.describe_delivery_stream
        wait_for(name, lambda: describe(DeliveryStreamName=name)["DeliveryStreamDescription"]["DeliveryStreamStatus"] == "ACTIVE")

    def subscribe(self, name):
        """A topic with a queue of the same name behind it."""
        topic = self.sns.create_topic(Name=name)["TopicArn"]
        queue = topic.replace(":sns:", ":sqs:")
        may = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": queue}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
        self.server.client("sqs").create_queue(QueueName=name, Attributes={"Policy": policy})
        self.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
        self.sns.publish(TopicArn=topic, Message="a door is open")

    def put(self, stream, data, key="k"):
        self.kinesis.put_record(StreamName=stream, PartitionKey=key, Data=data)

    def wait(self):
        """Returns once what is to be held up is, and the record that is refused was set aside."""
        def set_aside():
            return self.s3.list_objects_v2(Bucket="lake", Prefix="failed/").get("KeyCount")

        wait_for("a stuck delivery", lambda: self.incident())
        wait_for("a record that was set aside", set_aside)
        return self

    def incident(self):
        """What the server says of the stuck delivery."""
        with urllib.request.urlopen(f"{self.server.endpoint}/_headwater/health", timeout=5) as answer:
            return json.load(answer)["stuck_deliveries"].get(self.stuck)

    def keep_putting(self):
        """Puts clicks until the end, as a producer does."""
        def put():
            number = 0
            while not self.ended.wait(0.2):
                entries = [{"PartitionKey": str(number + at), "Data": json.dumps({"click": number + at, "page": "/start"}).encode()} for at in range(20)]
                self.kinesis.put_records(StreamName="clicks", Records=entries)
                if number % 200 == 0:
                    self.put("readings", b'{"reading": 21.5}')
                    self.firehose.put_record(DeliveryStreamName="audit", Record={"Data": b"somebody came in\n"})
                number += 20

        self.producer = threading.Thread(target=put, daemon=True)
        self.producer.start()
        return self

    def end(self):
        self.ended.set()
        if self.producer:
            self.producer.join()


def to(bucket, **more):
    """A bucket that is written to at once."""
    hints = {"IntervalInSeconds": 0, "SizeInMBs": 1}
    return {"RoleARN": ROLE, "BucketARN": f"arn:aws:s3:::{bucket}", "BufferingHints": hints, **more}


def processed_by(function):
    parameters = {"LambdaArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function}", "BufferSizeInMBs": "0.2", "BufferIntervalInSeconds": "0"}
    listed = [{"ParameterName": name, "ParameterValue": value} for name, value in parameters.items()]
    return {"Enabled": True, "Processors": [{"Type": "Lambda", "Parameters": listed}]}
