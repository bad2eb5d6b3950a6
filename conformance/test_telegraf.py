"""Telegraf from one stream to another, while shards are split and merged: its input and its output for Kinesis."""

import subprocess
from collections import defaultdict

import sdks
from headwater import clean_environment, wait_for
from test_flink import reshard

pytestmark = sdks.SLOW

KEYS = 40
RECORDS = 20_000
CONFIG = """
[agent]
  interval = "1s"
  flush_interval = "1s"
  metric_batch_size = 500
  metric_buffer_limit = 100000
  omit_hostname = true

[[inputs.kinesis_consumer]]
  region = "us-east-1"
  endpoint_url = "{endpoint}"
  streamname = "from"
  shard_update_interval = "1s"
  max_undelivered_messages = 5000
  data_format = "influx"

[[outputs.kinesis]]
  region = "us-east-1"
  endpoint_url = "{endpoint}"
  streamname = "to"
  data_format = "influx"
  [outputs.kinesis.partition]
    method = "tag"
    key = "key"
"""


def put(kinesis, numbers):
    for start in range(numbers.start, numbers.stop, 500):
        batch = range(start, min(start + 500, numbers.stop))
        lines = {at: f"trip,key=k{at % KEYS} number={at}i {1_700_000_000_000_000_000 + at}" for at in batch}
        entries = [{"Data": line.encode(), "PartitionKey": f"k{at % KEYS}"} for at, line in lines.items()]
        assert kinesis.put_records(StreamName="from", Records=entries)["FailedRecordCount"] == 0


class Output:
    """What Telegraf wrote, as the numbers of each key in the order of their shard."""

    def __init__(self, kinesis):
        self.kinesis, self.numbers = kinesis, defaultdict(list)
        self.iterators = []
        for shard in kinesis.list_shards(StreamName="to")["Shards"]:
            start = {"ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
            self.iterators.append(kinesis.get_shard_iterator(StreamName="to", **start)["ShardIterator"])

    def count(self):
        for at, iterator in enumerate(self.iterators):
            page = self.kinesis.get_records(ShardIterator=iterator)
            self.iterators[at] = page["NextShardIterator"]
            for record in page["Records"]:
                for line in record["Data"].decode().splitlines():
                    key, number, _ = line.removeprefix("trip,key=").split()
                    self.numbers[key].append(int(number.removeprefix("number=").removesuffix("i")))
        return sum(map(len, self.numbers.values()))


def test_each_metric_comes_through_once_and_in_order(new_server, tmp_path):
    program = sdks.go("telegraf")
    server = new_server("--limits", "off")
    kinesis = server.client("kinesis")
    for stream, shards in (("from", 4), ("to", 2)):
        kinesis.create_stream(StreamName=stream, ShardCount=shards)
        kinesis.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1})
    config, log, output = tmp_path / "telegraf.conf", tmp_path / "telegraf.log", Output(kinesis)
    config.write_text(CONFIG.format(endpoint=server.endpoint))
    with open(log, "wb") as out:
        telegraf = subprocess.Popen([*program, str(config)], env=clean_environment(), stdout=out, stderr=out)
    try:
        put(kinesis, range(RECORDS // 2))
        wait_for("some", lambda: output.count() > RECORDS // 10, seconds=120)
        reshard(kinesis, "from")
        put(kinesis, range(RECORDS // 2, RECORDS))
        wait_for("all", lambda: telegraf.poll() is not None or output.count() >= RECORDS, seconds=180)
        assert telegraf.poll() is None, log.read_text()[-4000:]
    finally:
        telegraf.kill()
        telegraf.wait()
    assert output.numbers == {f"k{key}": list(range(key, RECORDS, KEYS)) for key in range(KEYS)}
