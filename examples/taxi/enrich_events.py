"""A transformation for a delivery stream: adds to each event the time at which the stream received it.

The event keeps its text as it was put, so that numbers keep their spelling (10.0 stays 10.0); the new attribute
stands first, and the event ends in a line feed. One record that is not a JSON object fails the whole batch: the
delivery stream then tries again and, in the end, keeps the originals under its error prefix.
"""

import base64
import json
from datetime import datetime, timedelta, timezone

ATTRIBUTE = "approximate_arrival_timestamp"
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


def enrich(text, arrival):
    event = json.loads(text, parse_constant=refuse)
    if not isinstance(event, dict):
        raise ValueError("an event is not a JSON object")
    if ATTRIBUTE in event:
        # It went through a stream before: the new time takes the old one's place.
        del event[ATTRIBUTE]
        return enrich(json.dumps(event, separators=(",", ":"), ensure_ascii=False), arrival)
    time = (EPOCH + timedelta(milliseconds=arrival)).strftime("%Y-%m-%dT%H:%M:%S")
    added = json.dumps({ATTRIBUTE: f"{time}.{arrival % 1000:03d}Z"}, separators=(",", ":"))
    rest = text.strip()[1:]
    separator = "," if event else ""
    return added[:-1] + separator + rest + "\n"


def enriched(record):
    arrival = record["kinesisRecordMetadata"]["approximateArrivalTimestamp"]
    text = base64.b64decode(record["data"]).decode("utf-8")
    data = base64.b64encode(enrich(text, arrival).encode("utf-8")).decode("ascii")
    return {"recordId": record["recordId"], "result": "Ok", "data": data}


def handler(batch, context):
    return {"records": [enriched(record) for record in batch["records"]]}
