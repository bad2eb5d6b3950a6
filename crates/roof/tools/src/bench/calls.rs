//! Requests written once and then patched in place, and answers read as far as they matter.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};
use headwater_shapes::Blob;
use headwater_shapes_kinesis as kinesis;
use headwater_wire::cbor;
use http::HeaderValue;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::bench::{
    connection::Failure,
    payload::{Data, Payload, Stamp, Tally, mix},
};

/// How bodies are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// AWS JSON 1.1.
    Json,
    /// AWS CBOR 1.1.
    Cbor,
}

impl Codec {
    /// Writes a request down.
    pub fn write(self, input: &impl Serialize) -> Bytes {
        let bytes = match self {
            Codec::Json => serde_json::to_vec(input).map_err(|e| e.to_string()),
            Codec::Cbor => cbor::to_vec(input).map_err(|e| e.to_string()),
        };
        bytes.expect("inputs of Kinesis have a form in both").into()
    }

    /// Reads an answer.
    pub fn read<T: DeserializeOwned>(self, body: &[u8]) -> Result<T, Failure> {
        match self {
            Codec::Json => serde_json::from_slice(body).map_err(|e| Failure::unreadable(&e)),
            Codec::Cbor => cbor::from_slice(body).map_err(|e| Failure::unreadable(&e)),
        }
    }
}

/// Characters of keys: 16 hexadecimal digits.
pub const KEY_CHARS: usize = 16;
const KEY_PLACEHOLDER: &str = "bench-key-holder";

/// A record's number is its worker's, and below these bits its own among the worker's.
const NUMBER_BITS: u32 = 40;

/// The worker that put the record of that number, and which of its records it is.
pub fn place_of(serial: u64) -> (usize, u64) {
    (
        (serial >> NUMBER_BITS) as usize,
        serial & ((1 << NUMBER_BITS) - 1),
    )
}

/// One PutRecords (or PutRecord) request, sent again and again with other stamps and keys in it.
pub struct PutCall {
    target: HeaderValue,
    codec: Codec,
    body: Bytes,
    spots: Vec<Spot>,
    run: u64,
    next_serial: u64,
    one: bool,
}

/// Where one record's stamp and partition key stand in the body.
struct Spot {
    stamp: usize,
    key: usize,
}

impl PutCall {
    /// A call of `records` records (one is a PutRecord) by the worker of that number, into the shard of `hash_key`
    /// or anywhere.
    pub fn new(
        codec: Codec,
        stream: &str,
        payload: &Payload,
        records: usize,
        worker: u32,
        hash_key: Option<&str>,
    ) -> Self {
        let (body, one) = (
            template(codec, stream, payload, records, hash_key),
            records == 1,
        );
        let target = if one {
            "Kinesis_20131202.PutRecord"
        } else {
            "Kinesis_20131202.PutRecords"
        };
        Self {
            target: HeaderValue::from_static(target),
            spots: spots(codec, &body, payload, records),
            codec,
            body,
            run: payload.run(),
            next_serial: u64::from(worker) << NUMBER_BITS,
            one,
        }
    }

    /// The target and the body of the next call, and the number of its first record.
    pub fn next(&mut self, sent: u64) -> (HeaderValue, Bytes, u64) {
        let first = self.next_serial;
        self.next_serial += self.spots.len() as u64;
        let mut body = writable(std::mem::take(&mut self.body));
        for (spot, serial) in self.spots.iter().zip(first..) {
            let stamp = Stamp {
                run: self.run,
                serial,
                sent,
            };
            match self.codec {
                Codec::Json => patch(&mut body, spot.stamp, &stamp.text()),
                Codec::Cbor => patch(&mut body, spot.stamp, &stamp.bytes()),
            }
            patch(&mut body, spot.key, &hexadecimal(mix(serial)));
        }
        self.body = body.freeze();
        (self.target.clone(), self.body.clone(), first)
    }

    /// How many records a call has.
    pub fn records(&self) -> u64 {
        self.spots.len() as u64
    }

    /// The outcome of the records of the call whose first has the number `first`.
    pub fn outcome(&self, first: u64, answer: &[u8]) -> Result<PutOutcome, Failure> {
        let mut outcome = PutOutcome::default();
        if self.one {
            let _: OneOutcome = self.codec.read(answer)?;
            outcome.stored.add(first);
            return Ok(outcome);
        }
        let ManyOutcomes { records } = self.codec.read(answer)?;
        if records.len() != self.spots.len() {
            return Err(Failure::unreadable(
                &"it has not as many entries as the request",
            ));
        }
        for (entry, serial) in records.into_iter().zip(first..) {
            match entry.error_code {
                None => outcome.stored.add(serial),
                Some(code) => outcome.refused.push(code),
            }
        }
        Ok(outcome)
    }
}

/// The outcome of a call's records.
#[derive(Debug, Default)]
pub struct PutOutcome {
    /// Those that are stored.
    pub stored: Tally,
    /// The error codes of the others.
    pub refused: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OneOutcome {
    #[serde(rename = "SequenceNumber")]
    _sequence_number: serde::de::IgnoredAny,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ManyOutcomes {
    records: Vec<EntryOutcome>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EntryOutcome {
    error_code: Option<String>,
}

fn template(
    codec: Codec,
    stream: &str,
    payload: &Payload,
    records: usize,
    hash_key: Option<&str>,
) -> Bytes {
    let data = Blob(payload.record(payload.placeholder()));
    let (partition_key, explicit_hash_key) = (
        Some(KEY_PLACEHOLDER.to_owned()),
        hash_key.map(str::to_owned),
    );
    let stream_name = Some(stream.to_owned());
    if records == 1 {
        let rest = kinesis::PutRecordInput::default();
        return codec.write(&kinesis::PutRecordInput {
            stream_name,
            data,
            partition_key,
            explicit_hash_key,
            ..rest
        });
    }
    let entry = kinesis::PutRecordsRequestEntry {
        data,
        partition_key,
        explicit_hash_key,
    };
    let records = vec![entry; records];
    codec.write(&kinesis::PutRecordsInput {
        stream_name,
        records,
        ..Default::default()
    })
}

fn spots(codec: Codec, body: &[u8], payload: &Payload, records: usize) -> Vec<Spot> {
    let stamp: &[u8] = match codec {
        Codec::Json => &payload.placeholder().text(),
        Codec::Cbor => &payload.placeholder().bytes(),
    };
    let stamps = places(body, stamp);
    let keys = places(body, KEY_PLACEHOLDER.as_bytes());
    let spots: Vec<Spot> = stamps
        .into_iter()
        .zip(keys)
        .map(|(stamp, key)| Spot { stamp, key })
        .collect();
    assert_eq!(spots.len(), records, "every record has its placeholders");
    spots
}

/// A body to be patched. Nobody holds the last one any more once its answer is there: then it is not copied.
pub fn writable(body: Bytes) -> BytesMut {
    body.try_into_mut()
        .unwrap_or_else(|held| BytesMut::from(&held[..]))
}

/// Where in a body a placeholder stands.
pub fn places(body: &[u8], wanted: &[u8]) -> Vec<usize> {
    body.windows(wanted.len())
        .enumerate()
        .filter(|(_, window)| *window == wanted)
        .map(|(at, _)| at)
        .collect()
}

/// Puts others in the place of bytes.
pub fn patch(body: &mut [u8], at: usize, bytes: &[u8]) {
    body[at..at + bytes.len()].copy_from_slice(bytes);
}

/// A number's digits.
pub fn hexadecimal(number: u64) -> [u8; KEY_CHARS] {
    std::array::from_fn(|i| b"0123456789abcdef"[(number >> (60 - 4 * i) & 0xf) as usize])
}

/// A page of records, as GetRecords answers.
#[derive(Debug, Default)]
pub struct Page {
    /// Where to go on; none at the end of a closed shard.
    pub next: Option<String>,
    /// Whether nothing lies behind it.
    pub at_tip: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct JsonPage<'a> {
    #[serde(borrow)]
    records: Vec<JsonRecord<'a>>,
    next_shard_iterator: Option<String>,
    continuation_sequence_number: Option<String>,
    millis_behind_latest: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct JsonRecord<'a> {
    #[serde(borrow)]
    data: Cow<'a, str>,
    #[serde(borrow)]
    sequence_number: Cow<'a, str>,
}

/// Reads a page, and gives each record's sequence number and payload to `take`.
pub fn read_page(
    codec: Codec,
    body: &[u8],
    mut take: impl FnMut(&str, Data<'_>),
) -> Result<Page, Failure> {
    match codec {
        Codec::Json => {
            let page: JsonPage<'_> =
                serde_json::from_slice(body).map_err(|e| Failure::unreadable(&e))?;
            page.records
                .iter()
                .for_each(|record| take(&record.sequence_number, Data::Text(&record.data)));
            Ok(Page {
                next: page.next_shard_iterator,
                at_tip: page.millis_behind_latest == Some(0),
            })
        }
        Codec::Cbor => {
            let page: kinesis::GetRecordsOutput = codec.read(body)?;
            page.records
                .iter()
                .for_each(|record| take(&record.sequence_number, Data::Bytes(&record.data.0)));
            Ok(Page {
                next: page.next_shard_iterator,
                at_tip: page.millis_behind_latest == Some(0),
            })
        }
    }
}

/// Reads an event of SubscribeToShard as [`read_page`] does; where to go on after it, none at the end of the shard.
pub fn read_event(
    codec: Codec,
    body: &[u8],
    mut take: impl FnMut(&str, Data<'_>),
) -> Result<Option<String>, Failure> {
    match codec {
        Codec::Json => {
            let event: JsonPage<'_> =
                serde_json::from_slice(body).map_err(|e| Failure::unreadable(&e))?;
            event
                .records
                .iter()
                .for_each(|record| take(&record.sequence_number, Data::Text(&record.data)));
            Ok(event.continuation_sequence_number)
        }
        Codec::Cbor => {
            let event: kinesis::SubscribeToShardEvent = codec.read(body)?;
            event
                .records
                .iter()
                .for_each(|record| take(&record.sequence_number, Data::Bytes(&record.data.0)));
            Ok(event.continuation_sequence_number)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(call: &mut PutCall, codec: Codec) -> kinesis::PutRecordsInput {
        codec.read(&call.next(5).1).unwrap()
    }

    #[test]
    fn each_call_has_records_of_its_own() {
        for codec in [Codec::Json, Codec::Cbor] {
            let payload = Payload::new(9, 100);
            let mut call = PutCall::new(codec, "s", &payload, 3, 2, Some("17"));
            let calls = [sent(&mut call, codec), sent(&mut call, codec)];
            let records: Vec<_> = calls.into_iter().flat_map(|call| call.records).collect();
            for (i, record) in records.iter().enumerate() {
                let serial = (2 << 40) + i as u64;
                let found = payload.check(Data::Bytes(&record.data.0));
                assert_eq!(
                    found,
                    crate::bench::payload::RecordCheck::Ours(Stamp {
                        run: 9,
                        serial,
                        sent: 5
                    })
                );
                assert_eq!(record.partition_key, Some(format!("{:016x}", mix(serial))));
                assert_eq!(record.explicit_hash_key.as_deref(), Some("17"));
            }
            assert_eq!(records.len(), 6);
        }
    }

    #[test]
    fn a_body_is_patched_where_it_lies_once_nobody_else_holds_it() {
        let mut call = PutCall::new(Codec::Json, "s", &Payload::new(9, 100), 2, 0, None);
        let (_, first, _) = call.next(0);
        let (_, copied, _) = call.next(0);
        assert_ne!(first.as_ptr(), copied.as_ptr());
        let place = copied.as_ptr();
        drop(copied);
        assert_eq!(call.next(0).1.as_ptr(), place);
    }

    #[test]
    fn refused_entries_are_not_counted_as_stored() {
        let call = PutCall::new(Codec::Json, "s", &Payload::new(9, 100), 2, 0, None);
        let answer =
            br#"{"FailedRecordCount":1,"Records":[{"ShardId":"s","SequenceNumber":"1"},{"ErrorCode":"X"}]}"#;
        let outcome = call.outcome(7, answer).unwrap();
        let mut expected = Tally::default();
        expected.add(7);
        assert_eq!(
            (outcome.stored, outcome.refused),
            (expected, vec!["X".to_owned()])
        );
        assert!(call.outcome(7, br#"{"Records":[]}"#).is_err() && call.outcome(7, b"[").is_err());
        let one = PutCall::new(Codec::Json, "s", &Payload::new(9, 100), 1, 0, None);
        assert_eq!(
            one.outcome(7, br#"{"SequenceNumber":"1"}"#).unwrap().stored,
            expected
        );
        assert!(one.outcome(7, b"{}").is_err());
    }

    #[test]
    fn pages_are_read_in_both_codecs() {
        let payload = Payload::new(9, 50);
        let stamp = Stamp {
            run: 9,
            serial: 1,
            sent: 2,
        };
        let record = kinesis::Record {
            sequence_number: "12".into(),
            data: Blob(payload.record(stamp)),
            ..Default::default()
        };
        let page = kinesis::GetRecordsOutput {
            records: vec![record],
            next_shard_iterator: Some("n".into()),
            millis_behind_latest: Some(0),
            ..Default::default()
        };
        for codec in [Codec::Json, Codec::Cbor] {
            let mut seen = Vec::new();
            let read = read_page(codec, &codec.write(&page), |number, data| {
                seen.push((number.to_owned(), payload.check(data)));
            });
            let read = read.unwrap();
            assert_eq!((read.next.as_deref(), read.at_tip), (Some("n"), true));
            assert_eq!(
                seen,
                [(
                    "12".to_owned(),
                    crate::bench::payload::RecordCheck::Ours(stamp)
                )]
            );
        }
    }
}
