//! The table that is measured: made for the run and removed after it, or one that is there.

use std::sync::Arc;

use serde_json::{Value, json};

use super::call::target;
use crate::bench::{
    BenchError,
    connection::{Connection, Failure},
    endpoint::Endpoint,
    target::{READY_INTERVAL, READY_TRIES},
};

/// A table.
pub struct BenchTable {
    /// Its name.
    pub name: String,
    /// Whether it was made for the run.
    pub is_own: bool,
    endpoint: Arc<Endpoint>,
}

impl BenchTable {
    /// Makes a table, or finds the one of this name.
    ///
    /// # Errors
    /// When it cannot be made, or is not ready in time.
    pub async fn open(endpoint: &Arc<Endpoint>, name: Option<&str>) -> Result<Self, BenchError> {
        let own = || format!("bench-{:08x}", endpoint.env.random.next_u64() >> 32);
        let table = Self {
            name: name.map_or_else(own, str::to_owned),
            is_own: name.is_none(),
            endpoint: endpoint.clone(),
        };
        if table.is_own {
            let made = table.call("CreateTable", table.description()).await;
            made.map_err(|failure| table.failed("cannot be made", failure))?;
        }
        let ready = table.wait_until_active().await;
        ready.map_err(|failure| table.failed("cannot be used", failure))?;
        Ok(table)
    }

    /// Removes it.
    ///
    /// # Errors
    /// When that fails.
    pub async fn remove(&self) -> Result<(), BenchError> {
        let removed = self.call("DeleteTable", self.named()).await;
        removed
            .map(drop)
            .map_err(|failure| self.failed("cannot be removed; remove it yourself", failure))
    }

    /// The error of a step that failed.
    pub fn failed(&self, what: &'static str, failure: Failure) -> BenchError {
        BenchError::Table {
            table: self.name.clone(),
            what,
            code: failure.code,
        }
    }

    async fn wait_until_active(&self) -> Result<(), Failure> {
        for _ in 0..READY_TRIES {
            let described = self.call("DescribeTable", self.named()).await?;
            if described["Table"]["TableStatus"] == "ACTIVE" {
                return Ok(());
            }
            self.endpoint.env.clock.sleep(READY_INTERVAL).await;
        }
        Err(Failure::named("NotActive"))
    }

    fn named(&self) -> Value {
        json!({"TableName": self.name})
    }

    fn description(&self) -> Value {
        json!({
            "TableName": self.name,
            "AttributeDefinitions": [
                {"AttributeName": "p", "AttributeType": "S"},
                {"AttributeName": "s", "AttributeType": "S"},
            ],
            "KeySchema": [
                {"AttributeName": "p", "KeyType": "HASH"},
                {"AttributeName": "s", "KeyType": "RANGE"},
            ],
            "BillingMode": "PAY_PER_REQUEST",
        })
    }

    async fn call(&self, operation: &str, input: Value) -> Result<Value, Failure> {
        let mut connection = Connection::new(self.endpoint.clone());
        let body = input.to_string().into();
        let answer = connection.call(target(operation), body).await?;
        serde_json::from_slice(&answer).map_err(|error| Failure::unreadable(&error))
    }
}
