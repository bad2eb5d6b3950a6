"""What the server itself emits into CloudWatch each minute: of streams and shards exactly what their records say, through
SIGKILL. The clock is moved, so that minutes need not pass."""

import collections
import datetime
import json
import threading

import pytest
from botocore.exceptions import BotoCoreError, ClientError

import lambdas
from clocked import Clocked
from headwater import size, wait_for

ROLE = "arn:aws:iam::000000000000:role/delivery"
KINDS = [
    "IncomingBytes", "IncomingRecords", "OutgoingBytes", "OutgoingRecords", "WriteProvisionedThroughputExceeded",
    "ReadProvisionedThroughputExceeded", "IteratorAgeMilliseconds",
]


def minute_of(moment):
    return moment.astimezone(datetime.timezone.utc).replace(second=0, microsecond=0)


class Watched(Clocked):
    """A server and what it tells of each minute since the test began."""

    def __init__(self, folder, *arguments):
        super().__init__(folder, *arguments)
        self.began = self.now()

    def now(self):
        return datetime.datetime.fromtimestamp(self.time(), datetime.timezone.utc)

    def points(self, namespace, name, statistic="Sum", **dimensions):
        """A statistic of a metric by minute."""
        answer = self.server.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=minute_of(self.began),
            EndTime=self.now() + datetime.timedelta(minutes=1),
            Period=60,
            Statistics=[statistic],
        )
        return {point["Timestamp"].astimezone(datetime.timezone.utc): point[statistic] for point in answer["Datapoints"]}

    def total(self, *named, **dimensions):
        return sum(self.points(*named, **dimensions).values())

    def pass_minute(self):
        """Lets the minute end, and waits until what happened in it is told: at least the put of a stream's record."""
        kinesis = self.server.client("kinesis")
        now = self.now()
        kinesis.put_record(StreamName="bell", PartitionKey="k", Data=b"x")
        self.advance(61)
        told = lambda: any(at >= minute_of(now) for at in self.points("AWS/Kinesis", "PutRecord.Success", StreamName="bell"))
        wait_for("the minute's metrics", told, seconds=30)


@pytest.fixture
def make(tmp_path):
    made = []

    def make(*arguments):
        made.append(Watched(tmp_path, *arguments))
        made[-1].server.client("kinesis").create_stream(StreamName="bell", ShardCount=1)
        return made[-1]

    yield make
    for watched in made:
        watched.server.stop()


class Putter:
    """Puts records into streams, by one and by many, whatever happens to the server."""

    def __init__(self, watched, streams):
        self.watched, self.streams, self.records, self.stop = watched, streams, 0, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        client, n = self.watched.server.client("kinesis"), 0
        while not self.stop.is_set():
            n += 1
            stream = self.streams[n % len(self.streams)]
            try:
                if n % 3:
                    client.put_record(StreamName=stream, PartitionKey=f"one{n}", Data=bytes(n % 3000))
                    self.records += 1
                    continue
                entries = [{"PartitionKey": f"many{n}-{i}", "Data": bytes(i * n % 500)} for i in range(n % 40 + 1)]
                client.put_records(StreamName=stream, Records=entries)
                self.records += len(entries)
            except (BotoCoreError, ClientError):
                pass  # It was killed, or a shard is being split.

    def until(self, records):
        wait_for(f"{records} puts", lambda: self.records >= records, seconds=300)


def arrived(client, stream):
    """Records and bytes of each shard and minute, as the records say."""
    sums = collections.defaultdict(lambda: [0, 0])
    for shard in client.list_shards(StreamName=stream)["Shards"]:
        place = {"StreamName": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = client.get_shard_iterator(**place)["ShardIterator"]
        while iterator:
            page = client.get_records(ShardIterator=iterator)
            for record in page["Records"]:
                of = sums[shard["ShardId"], minute_of(record["ApproximateArrivalTimestamp"])]
                of[0] += 1
                of[1] += len(record["Data"]) + len(record["PartitionKey"])
            iterator = page.get("NextShardIterator") if page["Records"] or page["MillisBehindLatest"] else None
    return sums


def test_sums_of_streams_and_shards_are_what_their_records_say_through_kills(make):
    watched = make("--limits", "off")
    kinesis = watched.server.client("kinesis")
    for stream, shards in (("plain", 3), ("shown", 2)):
        kinesis.create_stream(StreamName=stream, ShardCount=shards)
    kinesis.enable_enhanced_monitoring(StreamName="shown", ShardLevelMetrics=["ALL"])
    putter, most = Putter(watched, ["plain", "shown"]), size(10_000, 100_000)
    putter.thread.start()
    try:
        for step in range(1, 9):
            putter.until(most * step // 8)
            watched.advance(23)
            if step == 3:
                middle = str(1 << 126)
                kinesis.split_shard(StreamName="shown", ShardToSplit="shardId-000000000000", NewStartingHashKey=middle)
            if step % 2 == 0:
                watched.server.restart()
    finally:
        putter.stop.set()
        putter.thread.join()
    watched.pass_minute()
    watched.server.restart()
    watched.pass_minute()
    for stream in ("plain", "shown"):
        sums = arrived(watched.server.client("kinesis"), stream)
        assert len({minute for _, minute in sums}) > 2
        by_stream = collections.defaultdict(lambda: [0, 0])
        for (shard, minute), of in sums.items():
            by_stream[minute] = [sum(pair) for pair in zip(by_stream[minute], of)]
        for place, name in enumerate(("IncomingRecords", "IncomingBytes")):
            points = watched.points("AWS/Kinesis", name, StreamName=stream)
            assert points == {minute: of[place] for minute, of in by_stream.items()}, (stream, name)
            for shard in {shard for shard, _ in sums}:
                points = watched.points("AWS/Kinesis", name, StreamName=stream, ShardId=shard)
                of_shard = {minute: of[place] for (id, minute), of in sums.items() if id == shard}
                assert points == (of_shard if stream == "shown" else {}), (stream, shard, name)
    records = sum(of[0] for of in arrived(watched.server.client("kinesis"), "shown").values())
    command = ["cloudwatch", "get-metric-statistics", "--namespace", "AWS/Kinesis", "--metric-name", "IncomingRecords"]
    told = watched.server.aws(
        *command, "--dimensions", "Name=StreamName,Value=shown", "--period", "60", "--statistics", "Sum",
        "--start-time", minute_of(watched.began).isoformat(), "--end-time", watched.now().isoformat(),
    )
    assert sum(point["Sum"] for point in told["Datapoints"]) == records


def test_calls_of_streams_and_their_consumers(make):
    watched = make()
    kinesis = watched.server.client("kinesis")
    kinesis.create_stream(StreamName="s", ShardCount=1)
    kinesis.enable_enhanced_monitoring(StreamName="s", ShardLevelMetrics=KINDS)
    kinesis.put_record(StreamName="s", PartitionKey="k", Data=b"12345")
    with pytest.raises(kinesis.exceptions.ProvisionedThroughputExceededException):
        for _ in range(20):
            kinesis.put_record(StreamName="s", PartitionKey="k", Data=bytes(1_000_000))
    entries = [{"PartitionKey": "k", "Data": bytes(400_000)} for _ in range(5)]
    failed = kinesis.put_records(StreamName="s", Records=entries)["FailedRecordCount"]
    place = {"StreamName": "s", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    iterator = kinesis.get_shard_iterator(**place)["ShardIterator"]
    page = kinesis.get_records(ShardIterator=iterator, Limit=1)
    assert len(page["Records"]) == 1
    arn = kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]["StreamARN"]
    consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="c")["Consumer"]["ConsumerARN"]
    start = {"ConsumerARN": consumer, "ShardId": place["ShardId"], "StartingPosition": {"Type": "TRIM_HORIZON"}}
    events = watched.server.client("kinesis").subscribe_to_shard(**start)["EventStream"]
    sent = len(next(iter(events))["SubscribeToShardEvent"]["Records"])
    with pytest.raises(kinesis.exceptions.ResourceInUseException):
        kinesis.subscribe_to_shard(**start)
    events.close()
    watched.pass_minute()
    total = lambda name, statistic="Sum", **more: watched.total("AWS/Kinesis", name, statistic, StreamName="s", **more)
    puts = total("PutRecord.Success", "SampleCount")
    assert total("PutRecord.Success") == puts - 1
    assert total("PutRecord.Latency", "SampleCount") == puts - 1
    assert total("PutRecords.TotalRecords") == 5
    assert total("PutRecords.ThrottledRecords") == failed
    assert total("PutRecords.SuccessfulRecords") == 5 - failed
    assert total("WriteProvisionedThroughputExceeded") == 1 + failed
    assert total("GetRecords.Records") == total("OutgoingRecords", ShardId=place["ShardId"]) == 1
    assert total("GetRecords.Bytes") == total("OutgoingBytes", ShardId=place["ShardId"]) == 6
    assert total("GetRecords.Success", "SampleCount") == total("GetRecords.IteratorAgeMilliseconds", "SampleCount") == 1
    of_consumer = {"ConsumerName": "c"}
    assert total("SubscribeToShard.Success", "SampleCount", **of_consumer) == 2
    assert total("SubscribeToShard.Success", **of_consumer) == 1
    assert total("SubscribeToShard.RateExceeded", **of_consumer) == 1
    assert total("SubscribeToShardEvent.Records", **of_consumer) >= sent


def test_capacity_and_calls_of_tables(make):
    watched = make()
    tables = watched.server.client("dynamodb")
    key = {"AttributeName": "k", "KeyType": "HASH"}
    tables.create_table(
        TableName="items",
        KeySchema=[key],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 7, "WriteCapacityUnits": 1},
    )
    tables.get_waiter("table_exists").wait(TableName="items", WaiterConfig={"Delay": 1})
    consumed = refused = puts = 0
    with pytest.raises(tables.exceptions.ProvisionedThroughputExceededException):
        for n in range(100):
            item = {"k": {"S": f"{n}"}, "data": {"B": bytes(9_500)}}
            answer = tables.put_item(TableName="items", Item=item, ReturnConsumedCapacity="TOTAL")
            consumed += answer["ConsumedCapacity"]["CapacityUnits"]
            puts += 1
    reads = sum(
        tables.get_item(TableName="items", Key={"k": {"S": "1"}}, ConsistentRead=consistent, ReturnConsumedCapacity="TOTAL")[
            "ConsumedCapacity"
        ]["CapacityUnits"]
        for consistent in (True, False)
    )
    found = tables.scan(TableName="items", Select="COUNT")["Count"]
    watched.pass_minute()
    total = lambda name, statistic="Sum", **more: watched.total("AWS/DynamoDB", name, statistic, TableName="items", **more)
    assert total("ConsumedWriteCapacityUnits") == consumed
    assert total("ConsumedReadCapacityUnits") > reads
    assert total("ConsumedReadCapacityUnits", "SampleCount") == 3
    assert total("WriteThrottleEvents") == 1
    assert total("ThrottledRequests", Operation="PutItem") == 1
    assert total("SuccessfulRequestLatency", "SampleCount", Operation="PutItem") == puts
    assert total("SuccessfulRequestLatency", "SampleCount", Operation="GetItem") == 2
    assert total("ReturnedItemCount", Operation="Scan") == found
    assert set(watched.points("AWS/DynamoDB", "ProvisionedReadCapacityUnits", "Maximum", TableName="items").values()) == {7}


def test_invocations_and_deliveries(make):
    watched = make()
    functions, firehose, s3 = (watched.server.client(name) for name in ("lambda", "firehose", "s3"))
    source = "def handler(event, context):\n    return 1 / event['by']\n"
    lambdas.create(functions, "f", {"index.py": source})
    for by in (1, 2, 0):
        functions.invoke(FunctionName="f", Payload=json.dumps({"by": by}))
    s3.create_bucket(Bucket="lake")
    firehose.create_delivery_stream(
        DeliveryStreamName="d",
        ExtendedS3DestinationConfiguration={
            "RoleARN": ROLE,
            "BucketARN": "arn:aws:s3:::lake",
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 0},
        },
    )
    firehose.put_record(DeliveryStreamName="d", Record={"Data": b"12345"})
    firehose.put_record_batch(DeliveryStreamName="d", Records=[{"Data": b"1"}, {"Data": b"22"}])
    delivered = lambda: sum(entry["Size"] for entry in s3.list_objects_v2(Bucket="lake").get("Contents", [])) == 8
    wait_for("the delivery", delivered)
    watched.pass_minute()
    for dimensions in ({"FunctionName": "f"}, {}):
        total = lambda name, statistic="Sum": watched.total("AWS/Lambda", name, statistic, **dimensions)
        assert (total("Invocations"), total("Errors"), total("Throttles")) == (3, 1, 0)
        assert total("Duration", "SampleCount") == 3
        assert total("ConcurrentExecutions", "Maximum") == 1
    total = lambda name, statistic="Sum": watched.total("AWS/Firehose", name, statistic, DeliveryStreamName="d")
    assert (total("IncomingRecords"), total("IncomingBytes"), total("IncomingPutRequests")) == (3, 8, 2)
    # A batch may be told a moment after its object is there.
    wait_for("the metrics of the delivery", lambda: watched.pass_minute() or total("DeliveryToS3.Records") == 3)
    assert total("DeliveryToS3.Bytes") == 8
    assert total("DeliveryToS3.Success") == total("DeliveryToS3.Success", "SampleCount")


def test_a_long_jump_makes_no_empty_minutes(make):
    watched = make()
    kinesis = watched.server.client("kinesis")
    kinesis.put_record(StreamName="bell", PartitionKey="k", Data=b"x")
    first = minute_of(watched.now())
    watched.advance(5 * 3600)
    points = lambda: watched.points("AWS/Kinesis", "IncomingRecords", StreamName="bell")
    wait_for("the first minute", points, seconds=30)
    watched.pass_minute()
    assert points()[first] == 1 and len(points()) == 2


def test_messages_of_queues(make):
    watched = make()
    queues = watched.server.client("sqs")
    url = queues.create_queue(QueueName="q")["QueueUrl"]
    for body in ("12345", "1"):
        queues.send_message(QueueUrl=url, MessageBody=body)
    [message] = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=1)["Messages"]
    queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    queues.receive_message(QueueUrl=url, MaxNumberOfMessages=1)
    assert "Messages" not in queues.receive_message(QueueUrl=url)
    watched.pass_minute()
    total = lambda name, statistic="Sum": watched.total("AWS/SQS", name, statistic, QueueName="q")
    assert (total("NumberOfMessagesSent"), total("SentMessageSize")) == (2, 6)
    assert (total("NumberOfMessagesReceived"), total("NumberOfMessagesDeleted"), total("NumberOfEmptyReceives")) == (2, 1, 1)
