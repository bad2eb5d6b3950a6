// A transformation for a delivery stream: adds to each event the time at which the stream received it.
//
// The event keeps its text as it was put, so that numbers keep their spelling (10.0 stays 10.0); the new attribute
// stands first, and the event ends in a line feed. One record that is not a JSON object fails the whole batch: the
// delivery stream then tries again and, in the end, keeps the originals under its error prefix.
"use strict";

const ATTRIBUTE = "approximate_arrival_timestamp";
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function enrich(text, arrival) {
  const event = JSON.parse(text);
  if (event === null || typeof event !== "object" || Array.isArray(event)) {
    throw new Error("an event is not a JSON object");
  }
  const added = JSON.stringify({ [ATTRIBUTE]: new Date(arrival).toISOString() });
  if (Object.hasOwn(event, ATTRIBUTE)) {
    // It went through a stream before: the new time takes the old one's place.
    const { [ATTRIBUTE]: _, ...rest } = event;
    return enrich(JSON.stringify(rest), arrival);
  }
  const rest = text.trim().slice(1);
  const separator = Object.keys(event).length === 0 ? "" : ",";
  return added.slice(0, -1) + separator + rest + "\n";
}

exports.handler = async (batch) => ({
  records: batch.records.map((record) => {
    const arrival = record.kinesisRecordMetadata.approximateArrivalTimestamp;
    const text = utf8.decode(Buffer.from(record.data, "base64"));
    const data = Buffer.from(enrich(text, arrival)).toString("base64");
    return { recordId: record.recordId, result: "Ok", data };
  }),
});
