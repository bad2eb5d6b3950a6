//! One call on a table, written once and then patched in place.

use std::collections::HashMap;

use bytes::Bytes;
use http::HeaderValue;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};

use super::{
    args::What,
    items::{Digits, ITEM_BYTES, Items, item, key, text},
};
use crate::bench::{
    calls::{hexadecimal, patch, places, writable},
    connection::Failure,
};

/// What stands in a body until it is patched.
const PARTITION: &Digits = b"partition-holder";
const SORT: &Digits = b"sort-key--holder";
const STAMP: &Digits = b"stamp-----holder";

/// A call that is sent again and again, about other items each time.
pub struct TableCall {
    what: What,
    items: Items,
    target: HeaderValue,
    body: Bytes,
    partitions: Vec<usize>,
    sorts: Vec<usize>,
    stamps: Vec<usize>,
}

impl TableCall {
    /// A call on a table.
    pub fn new(what: What, table: &str, items: Items) -> Self {
        let body = Bytes::from(template(what, table).to_string());
        Self {
            what,
            items,
            target: target(what.operation()),
            partitions: places(&body, PARTITION),
            sorts: places(&body, SORT),
            stamps: places(&body, STAMP),
            body,
        }
    }

    /// The target and the body of a call about the item of that number and those that follow it, or about its
    /// collection. What it writes gets this stamp.
    pub fn next(&mut self, first: u64, stamp: u64) -> (HeaderValue, Bytes) {
        let mut body = writable(std::mem::take(&mut self.body));
        for (at, number) in self.partitions.iter().zip(first..) {
            patch(&mut body, *at, &self.items.partition(number));
        }
        for (at, number) in self.sorts.iter().zip(first..) {
            patch(&mut body, *at, &self.items.sort(number));
        }
        for at in &self.stamps {
            patch(&mut body, *at, &hexadecimal(stamp));
        }
        self.body = body.freeze();
        (self.target.clone(), self.body.clone())
    }

    /// Whether a successful answer is one about all the items.
    ///
    /// # Errors
    /// When it has not what was asked for, or did not do all.
    pub fn check(&self, answer: &[u8]) -> Result<(), Failure> {
        if !self.what.writes() && answer.len() < ITEM_BYTES * self.what.items() as usize {
            return Err(Failure::unreadable(&"it is shorter than its items"));
        }
        if self.what.operation() != "BatchWriteItem" {
            return Ok(());
        }
        let BatchAnswer { unprocessed_items } =
            serde_json::from_slice(answer).map_err(|error| Failure::unreadable(&error))?;
        match unprocessed_items.is_none_or(|tables| tables.is_empty()) {
            true => Ok(()),
            false => Err(Failure {
                code: "UnprocessedItems".to_owned(),
                throttled: true,
                unclear: true,
            }),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchAnswer {
    unprocessed_items: Option<HashMap<String, IgnoredAny>>,
}

/// The header that names an operation.
pub fn target(operation: &str) -> HeaderValue {
    let target = format!("DynamoDB_20120810.{operation}");
    HeaderValue::from_str(&target).expect("names of operations are plain ASCII")
}

fn template(what: What, table: &str) -> Value {
    let (key, item) = (key(PARTITION, SORT), item(PARTITION, SORT, STAMP));
    match what {
        What::Put => json!({"TableName": table, "Item": item}),
        What::Get => json!({"TableName": table, "Key": key}),
        What::Update => json!({
            "TableName": table, "Key": key,
            "UpdateExpression": "SET v = :v",
            "ExpressionAttributeValues": {":v": {"S": text(STAMP)}},
        }),
        What::Query => json!({
            "TableName": table,
            "KeyConditionExpression": "p = :p",
            "ExpressionAttributeValues": {":p": {"S": text(PARTITION)}},
        }),
        What::Transact => {
            let put = json!({"Put": {"TableName": table, "Item": item}});
            // A token comes with each, as AWS's SDKs have it.
            json!({"TransactItems": vec![put; 2], "ClientRequestToken": text(STAMP)})
        }
        What::Load | What::Batch => {
            let put = json!({"PutRequest": {"Item": item}});
            json!({"RequestItems": {table: vec![put; what.items() as usize]}})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITEMS: Items = Items { count: 1000 };

    fn sent(what: What, first: u64) -> Value {
        let mut call = TableCall::new(what, "t", ITEMS);
        drop(call.next(3, 5));
        serde_json::from_slice(&call.next(first, 9).1).unwrap()
    }

    fn wanted(number: u64) -> Value {
        item(
            &ITEMS.partition(number),
            &ITEMS.sort(number),
            &hexadecimal(9),
        )
    }

    #[test]
    fn each_call_is_about_its_items() {
        assert_eq!(sent(What::Put, 17)["Item"], wanted(17));
        let get = sent(What::Get, 17);
        assert_eq!(get["Key"], key(&ITEMS.partition(17), &ITEMS.sort(17)));
        let update = sent(What::Update, 17);
        assert_eq!(update["Key"], get["Key"]);
        assert_eq!(
            update["ExpressionAttributeValues"][":v"],
            wanted(17)["v"],
            "the stamp"
        );
        let query = sent(What::Query, 17);
        assert_eq!(query["ExpressionAttributeValues"][":p"], wanted(17)["p"]);
        let both = sent(What::Transact, 17);
        assert_eq!(both["TransactItems"][1]["Put"]["Item"], wanted(18));
        assert_eq!(both["ClientRequestToken"], wanted(17)["v"]["S"]);
        let batch = sent(What::Batch, 17);
        assert_eq!(
            batch["RequestItems"]["t"][24]["PutRequest"]["Item"],
            wanted(41)
        );
    }

    #[test]
    fn an_answer_without_all_items_is_none() {
        let get = TableCall::new(What::Get, "t", ITEMS);
        assert!(get.check(b"{}").is_err() && get.check(&[b'x'; 200]).is_ok());
        let batch = TableCall::new(What::Batch, "t", ITEMS);
        assert!(batch.check(br#"{"UnprocessedItems":{}}"#).is_ok() && batch.check(b"{}").is_ok());
        let unprocessed = batch.check(br#"{"UnprocessedItems":{"t":[{}]}}"#);
        assert_eq!(unprocessed.unwrap_err().code, "UnprocessedItems");
    }
}
