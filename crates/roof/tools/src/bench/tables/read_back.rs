//! A sample of the items, read back and compared with what was written.

use std::{collections::HashMap, sync::Arc};

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    args::What,
    call::target,
    items::{Items, item, key, text},
};
use crate::bench::{
    calls::hexadecimal,
    connection::{Connection, Failure},
    endpoint::Endpoint,
};

/// What was read back.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct ReadBack {
    /// Whether all was as it must be.
    pub exact: bool,
    /// Items, or collections of them where those were queried.
    pub read: u64,
    /// Those that are not as they must be.
    pub wrong: u64,
}

/// Reads items of a table by key, or their collections by a query.
pub struct Reader<'a> {
    connection: Connection,
    table: &'a str,
    items: Items,
}

impl<'a> Reader<'a> {
    /// A reader of a table.
    pub fn new(endpoint: &Arc<Endpoint>, table: &'a str, items: Items) -> Self {
        let connection = Connection::new(endpoint.clone());
        Self {
            connection,
            table,
            items,
        }
    }

    /// Reads a sample: items by number, with the stamps that they must have where they are known.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn read(
        mut self,
        what: What,
        sample: &HashMap<u64, Option<u64>>,
    ) -> Result<ReadBack, Failure> {
        let mut read = ReadBack::default();
        for (number, stamp) in sample {
            let right = match what {
                What::Query => self.collection(*number).await?,
                _ => self.item(*number, *stamp).await?,
            };
            read.read += 1;
            read.wrong += u64::from(!right);
        }
        read.exact = read.read > 0 && read.wrong == 0;
        Ok(read)
    }

    async fn item(&mut self, number: u64, stamp: Option<u64>) -> Result<bool, Failure> {
        let key = key(&self.items.partition(number), &self.items.sort(number));
        let input = json!({"TableName": self.table, "Key": key, "ConsistentRead": true});
        let answer = self.call("GetItem", &input).await?;
        Ok(self.is(&answer["Item"], number, stamp))
    }

    async fn collection(&mut self, number: u64) -> Result<bool, Failure> {
        let partition = text(&self.items.partition(number));
        let input = json!({
            "TableName": self.table, "ConsistentRead": true,
            "KeyConditionExpression": "p = :p",
            "ExpressionAttributeValues": {":p": {"S": partition}},
        });
        let answer = self.call("Query", &input).await?;
        let numbers = self.items.of_collection(self.items.collection(number));
        let found = answer["Items"].as_array().map_or(&[][..], Vec::as_slice);
        let wanted: Vec<u64> = numbers.collect();
        let pairs = || found.iter().zip(&wanted);
        Ok(found.len() == wanted.len()
            && pairs().all(|(found, number)| self.is(found, *number, None)))
    }

    /// Whether that is the item of this number, with this stamp or any.
    fn is(&self, found: &Value, number: u64, stamp: Option<u64>) -> bool {
        let (partition, sort) = (self.items.partition(number), self.items.sort(number));
        let mut wanted = item(&partition, &sort, &hexadecimal(stamp.unwrap_or_default()));
        if stamp.is_none() {
            wanted["v"] = found["v"].clone();
        }
        *found == wanted
    }

    async fn call(&mut self, operation: &str, input: &Value) -> Result<Value, Failure> {
        let body = input.to_string().into();
        let answer = self.connection.call(target(operation), body).await?;
        serde_json::from_slice(&answer).map_err(|error| Failure::unreadable(&error))
    }
}
