//! AWS's contract for functions that transform: the request that they are sent, and what their answer says of each
//! record.
//!
//! Written and read for speed, since base64 and JSON are most of what a transformation costs outside the function:
//! a request into one buffer, an answer's data into another, and texts of the answer are borrowed from it.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    io::Write,
    ops::Range,
    sync::LazyLock,
};

use base64::{
    Engine,
    engine::{Simd, general_purpose::PAD},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    limits::INVOKE_RECORD_FRAME_BYTES,
    records::{Failure, Item, UserRecord, key_text},
};

const INVALID: &str = "Check your function and make sure the output is in required format. In addition to that, make \
                       sure the processed records contain valid result status of Dropped, Ok, or ProcessingFailed";

/// Base64 with the vector instructions of the machine, where it has any.
static BASE64: LazyLock<Simd> = LazyLock::new(|| Simd::standard(PAD));

/// The members of a request besides its records.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Frame {
    /// The id of the call.
    pub invocation_id: String,
    /// The stream that the delivery stream reads, if it reads one; records have metadata then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_kinesis_stream_arn: Option<String>,
    /// The delivery stream.
    pub delivery_stream_arn: String,
    /// Where it is.
    pub region: String,
}

/// A request.
pub struct Request {
    /// Its text.
    pub body: Bytes,
    /// Where in it the id of each record is.
    ids: Vec<Range<usize>>,
}

/// A function's verdict on one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<Data = Bytes> {
    /// It goes on with this data, and the partition keys that it was given.
    Ok(Data, BTreeMap<String, String>),
    /// It is wanted no longer.
    Dropped,
    /// It cannot go on.
    Failed(Failure),
}

impl Request {
    /// The request about a group of items.
    pub fn of(frame: &Frame, group: &[Item]) -> Self {
        let mut body = Vec::with_capacity(1024 + group.iter().map(record_bytes).sum::<usize>());
        serde_json::to_writer(&mut body, frame).expect("a frame of ours is always JSON");
        body.pop();
        body.extend_from_slice(b",\"records\":[");
        let has_metadata = frame.source_kinesis_stream_arn.is_some();
        let mut ids = Vec::with_capacity(group.len());
        for (item, part) in group.iter().zip(parts(group)) {
            if !ids.is_empty() {
                body.push(b',');
            }
            ids.push(write_record(&mut body, item, part, has_metadata));
        }
        body.extend_from_slice(b"]}");
        Self {
            body: body.into(),
            ids,
        }
    }

    fn ids(&self) -> impl ExactSizeIterator<Item = &str> {
        self.ids
            .iter()
            .map(|at| str::from_utf8(&self.body[at.clone()]).expect("an id is digits"))
    }
}

/// The bytes of an item in a request, at the most: base64, a key of which JSON escapes every byte, and its frame.
pub fn record_bytes(item: &Item) -> usize {
    item.data.len().div_ceil(3) * 4
        + 6 * item.origin.partition_key.len()
        + INVOKE_RECORD_FRAME_BYTES
}

/// The place of each item among those that a step made of one record.
fn parts(group: &[Item]) -> impl Iterator<Item = usize> {
    let mut before: Option<&UserRecord> = None;
    let mut part = 0;
    group.iter().map(move |item| {
        let record = &*item.origin;
        let is_next = before.is_some_and(|before| {
            (before.sequence_number, before.sub) == (record.sequence_number, record.sub)
        });
        part = if is_next { part + 1 } else { 0 };
        before = Some(record);
        part
    })
}

/// Writes an item, and says where its id is. The id is the sequence number, the sub-index and the place among the
/// parts of the record, where there are several; the same in every execution.
fn write_record(to: &mut Vec<u8>, item: &Item, part: usize, has_metadata: bool) -> Range<usize> {
    let UserRecord {
        shard,
        sequence_number,
        sub,
        partition_key,
        arrival,
        ..
    } = &*item.origin;
    to.extend_from_slice(b"{\"recordId\":\"");
    let from = to.len();
    put(to, format_args!("{sequence_number}"));
    let number = from..to.len();
    put_six_digits(to, *sub);
    if part > 0 {
        put_six_digits(to, part);
    }
    let id = from..to.len();
    to.extend_from_slice(b"\",\"approximateArrivalTimestamp\":");
    put_json(to, &arrival.0);
    to.extend_from_slice(b",\"data\":\"");
    let (at, length) = (to.len(), item.data.len().div_ceil(3) * 4);
    to.resize(at + length, 0);
    BASE64
        .encode_slice(&item.data, &mut to[at..])
        .expect("it is as long as base64 is");
    to.push(b'"');
    if has_metadata {
        to.extend_from_slice(b",\"kinesisRecordMetadata\":{\"sequenceNumber\":\"");
        to.extend_from_within(number);
        to.extend_from_slice(b"\",\"subsequenceNumber\":");
        put_json(to, sub);
        to.extend_from_slice(b",\"partitionKey\":");
        put_json(to, &String::from_utf8_lossy(partition_key));
        to.extend_from_slice(b",\"shardId\":\"");
        to.extend_from_slice(shard.as_bytes());
        to.extend_from_slice(b"\",\"approximateArrivalTimestamp\":");
        put_json(to, &arrival.0);
        to.push(b'}');
    }
    to.push(b'}');
    id
}

/// Numbers without the machinery of `fmt`, which costs as much as all else about a small record.
fn put_json(to: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(to, value).expect("a text or a number is always JSON");
}

/// At least six.
fn put_six_digits(to: &mut Vec<u8>, n: usize) {
    const PLACES: [usize; 6] = [100_000, 10_000, 1_000, 100, 10, 1];
    match n < 1_000_000 {
        true => to.extend_from_slice(&PLACES.map(|place| b'0' + (n / place % 10) as u8)),
        false => put_json(to, &n),
    }
}

fn put(to: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    to.write_fmt(text).expect("writing to memory does not fail");
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow)]
    records: Option<Vec<ResponseRecord<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResponseRecord<'a> {
    #[serde(borrow)]
    record_id: Option<Text<'a>>,
    #[serde(borrow)]
    result: Option<Text<'a>>,
    #[serde(borrow)]
    data: Option<Text<'a>>,
    metadata: Option<ResponseMetadata>,
}

/// Borrowed where nothing in it is escaped.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResponseMetadata {
    partition_keys: Option<BTreeMap<String, Value>>,
}

/// One verdict a record, in the request's order. An answer without a list of records fails the whole group; what is wrong
/// with one record of the answer fails that record only, as probed on AWS for an `Ok` without data and recorded for ids.
pub fn verdicts(request: &Request, answer: &[u8]) -> Result<Vec<Verdict>, Failure> {
    let text = str::from_utf8(answer).map_err(|_| unreadable())?;
    let records = answered(text).ok_or_else(unreadable)?;
    let (mut ids, mut judged) = (
        Vec::with_capacity(records.len()),
        Vec::with_capacity(records.len()),
    );
    let mut data = Vec::with_capacity(answer.len() / 4 * 3);
    for mut record in records {
        // Whichever record this was to be, its id was not returned.
        let Some(id) = record.record_id.take() else {
            continue;
        };
        ids.push(id.0);
        judged.push(judge(record, &mut data).unwrap_or_else(|| Verdict::Failed(invalid())));
    }
    let data = Bytes::from(data);
    let with_data = |verdict: Verdict<Range<usize>>| match verdict {
        Verdict::Ok(at, keys) => Verdict::Ok(data.slice(at), keys),
        Verdict::Dropped => Verdict::Dropped,
        Verdict::Failed(failure) => Verdict::Failed(failure),
    };
    let judged: Vec<Verdict> = judged.into_iter().map(with_data).collect();
    match request.ids().eq(ids.iter().map(|id| &**id)) {
        true => Ok(judged),
        false => Ok(by_id(request, &ids, judged)),
    }
}

/// The records of an answer, in which members of another type than the contract's are as if they were not there.
fn answered(text: &str) -> Option<Vec<ResponseRecord<'_>>> {
    if let Ok(response) = serde_json::from_str::<Response<'_>>(text) {
        return Some(response.records.unwrap_or_default());
    }
    let mut response: Value = serde_json::from_str(text).ok()?;
    match response.as_object_mut()?.remove("records")? {
        Value::Array(records) => Some(records.into_iter().map(loosely).collect()),
        _ => None,
    }
}

/// A record of an answer, of which any member may be of another type.
fn loosely<'a>(mut record: Value) -> ResponseRecord<'a> {
    let mut text = |name: &str| match record.get_mut(name).map(Value::take) {
        Some(Value::String(text)) => Some(Text(text.into())),
        _ => None,
    };
    let (record_id, result, data) = (text("recordId"), text("result"), text("data"));
    let keys = record.pointer_mut("/metadata/partitionKeys");
    let partition_keys = keys.and_then(|keys| serde_json::from_value(keys.take()).ok());
    ResponseRecord {
        record_id,
        result,
        data,
        metadata: Some(ResponseMetadata { partition_keys }),
    }
}

/// The verdict of one record of an answer, whose data is appended to `to`; nothing where it breaks the contract.
fn judge(record: ResponseRecord<'_>, to: &mut Vec<u8>) -> Option<Verdict<Range<usize>>> {
    match &*record.result?.0 {
        "Ok" => {
            let from = to.len();
            if BASE64.decode_vec(&*record.data?.0, to).is_err() {
                to.truncate(from);
                return None;
            }
            Some(Verdict::Ok(from..to.len(), keys_in(record.metadata)))
        }
        "Dropped" => Some(Verdict::Dropped),
        "ProcessingFailed" => Some(Verdict::Failed(processing_failed())),
        _ => None,
    }
}

/// The verdicts of an answer that has not the request's records in the request's order.
fn by_id(request: &Request, ids: &[Cow<'_, str>], judged: Vec<Verdict>) -> Vec<Verdict> {
    let mut known: HashMap<&str, Verdict> = HashMap::with_capacity(ids.len());
    for (id, verdict) in ids.iter().zip(judged) {
        let twice = || Verdict::Failed(duplicated());
        known
            .entry(id)
            .and_modify(|known| *known = twice())
            .or_insert(verdict);
    }
    request
        .ids()
        .map(|id| {
            known
                .remove(id)
                .unwrap_or_else(|| Verdict::Failed(missing()))
        })
        .collect()
}

fn keys_in(metadata: Option<ResponseMetadata>) -> BTreeMap<String, String> {
    let keys = metadata
        .and_then(|metadata| metadata.partition_keys)
        .unwrap_or_default();
    keys.into_iter()
        .filter_map(|(name, value)| Some((name, key_text(&value)?)))
        .collect()
}

fn unreadable() -> Failure {
    Failure::new(
        "Lambda.JsonProcessingException",
        "There was an error parsing returned records from the Lambda function. Ensure that the returned records \
         follow the status model required by Firehose.",
    )
}

fn invalid() -> Failure {
    Failure::new("Lambda.FunctionError", INVALID)
}

fn processing_failed() -> Failure {
    Failure::new(
        "Lambda.ProcessingFailedStatus",
        "ProcessingFailed status set for record",
    )
}

fn duplicated() -> Failure {
    Failure::new(
        "Lambda.DuplicatedRecordId",
        "Multiple records were returned with the same record ID. Ensure that the Lambda function returns unique \
         record IDs for each record.",
    )
}

fn missing() -> Failure {
    Failure::new(
        "Lambda.MissingRecordId",
        "One or more record Ids were not returned. Ensure that the Lambda function returns all received record Ids.",
    )
}

#[cfg(test)]
mod tests {
    use headwater_types::Millis;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{
        records::Outcome,
        testing::{item, number},
    };

    fn request(group: &[Item]) -> Request {
        let frame = Frame {
            invocation_id: "i".into(),
            source_kinesis_stream_arn: Some("s".into()),
            delivery_stream_arn: "d".into(),
            region: "r".into(),
        };
        Request::of(&frame, group)
    }

    /// A group with these keys and data.
    fn group(records: Vec<(String, Vec<u8>)>) -> Vec<Item> {
        let record = |(i, (key, data)): (u64, (String, Vec<u8>))| UserRecord {
            shard: "shardId-000000000000".into(),
            sequence_number: number(0, i),
            sub: 0,
            partition_key: key.into(),
            data: data.into(),
            arrival: Millis(7),
        };
        Outcome::of((0..).zip(records).map(record).collect()).items
    }

    #[test]
    fn parts_of_one_record_have_ids_of_their_own() {
        let whole = item("x");
        let request = request(&[whole.clone(), whole.clone(), item("y")]);
        let ids: Vec<&str> = request.ids().collect();
        let first = format!("{}000000", number(0, 0));
        assert_eq!(
            ids,
            [
                &*first,
                &format!("{first}000001"),
                &format!("{first}000002")
            ]
        );
    }

    #[test]
    fn verdicts_are_in_the_order_of_the_request() {
        let group = group(
            ["a", "b", "c"]
                .map(|text| (String::new(), text.into()))
                .into(),
        );
        let request = request(&group);
        let mut answers: Vec<Value> = request
            .ids()
            .map(|id| json!({"recordId": id, "result": "Dropped"}))
            .collect();
        answers[1]["result"] = "Ok".into();
        answers[1]["data"] = "Qg==".into();
        let verdicts_of = |answers: &[Value]| {
            verdicts(&request, json!({"records": answers}).to_string().as_bytes()).unwrap()
        };
        let kept = Verdict::Ok(Bytes::from_static(b"B"), BTreeMap::new());
        let expected = vec![Verdict::Dropped, kept.clone(), Verdict::Dropped];
        assert_eq!(verdicts_of(&answers), expected);
        answers.rotate_left(1);
        assert_eq!(verdicts_of(&answers), expected);
        answers.push(answers[1].clone());
        assert_eq!(
            verdicts_of(&answers),
            [Verdict::Dropped, kept, Verdict::Failed(duplicated())]
        );
        assert_eq!(verdicts_of(&answers[..1])[0], Verdict::Failed(missing()));
    }

    /// A function's fault in one record is that record's alone; without a list of records nobody can say whose it is.
    #[test]
    fn what_is_wrong_with_one_record_fails_that_record_only() {
        let group = group(
            ["a", "b", "c"]
                .map(|text| (String::new(), text.into()))
                .into(),
        );
        let request = request(&group);
        let ids: Vec<&str> = request.ids().collect();
        let fine = |at: usize| json!({"recordId": ids[at], "result": "Ok", "data": "Qg=="});
        let kept = Verdict::Ok(Bytes::from_static(b"B"), BTreeMap::new());
        let (broken, lost) = (Verdict::Failed(invalid()), Verdict::Failed(missing()));
        let cases = [
            (json!({"recordId": ids[1], "result": "Ok"}), &broken),
            (
                json!({"recordId": ids[1], "result": "Ok", "data": null}),
                &broken,
            ),
            (
                json!({"recordId": ids[1], "result": "Ok", "data": 7}),
                &broken,
            ),
            (
                json!({"recordId": ids[1], "result": "Ok", "data": "Qg=!"}),
                &broken,
            ),
            (
                json!({"recordId": ids[1], "result": "ok", "data": "Qg=="}),
                &broken,
            ),
            (
                json!({"recordId": ids[1], "result": ["Ok"], "data": "Qg=="}),
                &broken,
            ),
            (json!({"recordId": ids[1], "data": "Qg=="}), &broken),
            (
                json!({"recordId": 1, "result": "Ok", "data": "Qg=="}),
                &lost,
            ),
            (json!({"result": "Ok", "data": "Qg=="}), &lost),
            (
                json!({"recordId": "other", "result": "Ok", "data": "Qg=="}),
                &lost,
            ),
            (json!("Ok"), &lost),
            (json!(null), &lost),
        ];
        for (record, expected) in cases {
            let answer = json!({"records": [fine(0), record, fine(2)]}).to_string();
            let judged = verdicts(&request, answer.as_bytes()).unwrap();
            assert_eq!(
                judged,
                [kept.clone(), expected.clone(), kept.clone()],
                "{answer}"
            );
        }
        let all_missing = verdicts(&request, b"{}").unwrap();
        assert_eq!(all_missing, [lost.clone(), lost.clone(), lost]);
        for answer in [
            "",
            "[]",
            "7",
            "{\"records\": 7}",
            "{\"records\": {}}",
            "\u{fffd}",
        ] {
            assert_eq!(
                verdicts(&request, answer.as_bytes()),
                Err(unreadable()),
                "{answer}"
            );
        }
    }

    #[test]
    fn places_have_six_digits_or_more() {
        for n in [0, 7, 500, 123_456, 999_999, 1_000_000, 12_345_678] {
            let mut digits = Vec::new();
            put_six_digits(&mut digits, n);
            assert_eq!(str::from_utf8(&digits), Ok(&*format!("{n:06}")));
        }
    }

    proptest! {
        #[test]
        fn any_record_is_in_its_request(
            records in prop::collection::vec((any::<String>(), prop::collection::vec(any::<u8>(), 0..70)), 1..5),
        ) {
            let group = group(records.clone());
            let request = request(&group);
            prop_assert!(request.body.len() <= 1024 + group.iter().map(record_bytes).sum::<usize>());
            let told: Value = serde_json::from_slice(&request.body).unwrap();
            for ((told, id), (key, data)) in told["records"].as_array().unwrap().iter().zip(request.ids()).zip(records) {
                prop_assert_eq!(&told["recordId"], id);
                prop_assert_eq!(&told["kinesisRecordMetadata"]["partitionKey"], &key);
                prop_assert_eq!(BASE64.decode(told["data"].as_str().unwrap()).unwrap(), data);
            }
        }

        #[test]
        fn any_bytes_are_judged(answer in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(judged) = verdicts(&request(&[item("x")]), &answer) {
                prop_assert_eq!(judged.len(), 1);
            }
        }

        #[test]
        fn any_member_is_judged(id in any::<Option<String>>(), result in "Ok|Dropped|.*", data in any::<Option<String>>()) {
            let answer = json!({"records": [{"recordId": id, "result": result, "data": data}]}).to_string();
            if let Ok(judged) = verdicts(&request(&[item("x")]), answer.as_bytes()) {
                prop_assert_eq!(judged.len(), 1);
            }
        }
    }
}
