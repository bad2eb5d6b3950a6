//! The table over the wire client: AWS, Headwater, or any other DynamoDB endpoint.

use std::collections::BTreeMap;

use async_trait::async_trait;
use headwater_attributes::AttributeValue;
use headwater_client::{CallError, Client, ClientConfig};
use headwater_env::Env;
use headwater_items::{Item, Value};
use headwater_shapes_dynamodb::{
    AttributeDefinition, AttributeValueUpdate, CreateTableInput, DeleteItemInput,
    DescribeTableInput, ExpectedAttributeValue, GetItemInput, KeySchemaElement, PutItemInput,
    ScanInput, UpdateItemInput, ops,
};

use crate::{
    lease::StoreError,
    limits::{LEASE_CALL_MAX, TABLE_MAX, TABLE_PAUSE},
    table::{
        items::{Expected, Items, Update, Updates, Wanted},
        layout::{KEY, text},
    },
};

/// The table that KCL 3.0 to 3.4 has beside the leases, by what its name has more, and the item that says that it is
/// done with. (Source: KCL 3.5.1, `TableMigrationState`.)
const COORDINATOR_TABLE: &str = "-CoordinatorState";
const MIGRATION: (&str, &str) = ("key", "TableMigration3.5");
const MIGRATED: (&str, &str) = ("tm", "TABLE_MIGRATION_STATUS_COMPLETE");

/// One table at an endpoint.
pub(super) struct WireItems {
    client: Client,
    table: String,
}

type Attributes = BTreeMap<String, AttributeValue>;

impl WireItems {
    /// The table of that name, made where there is none.
    pub(super) async fn open(
        mut config: ClientConfig,
        table: &str,
        env: &Env,
    ) -> Result<Self, CallError> {
        // A lease runs out while its renewal waits.
        config.timeouts.response = config.timeouts.response.min(LEASE_CALL_MAX);
        let client = Client::new(config, env.clone());
        let items = Self {
            client,
            table: table.to_owned(),
        };
        items.refuse_three_tables().await?;
        items.wait_for_table(env).await?;
        Ok(items)
    }

    async fn wait_for_table(&self, env: &Env) -> Result<(), CallError> {
        let begun = env.clock.elapsed();
        loop {
            match self.status().await? {
                // A table is used while an index of it is made.
                Some(status) if status == "ACTIVE" || status == "UPDATING" => return Ok(()),
                Some(status) => {
                    let waited = env.clock.elapsed().saturating_sub(begun);
                    if waited >= TABLE_MAX {
                        return Err(late(&self.table, &status));
                    }
                    env.clock.sleep(TABLE_PAUSE).await;
                }
                None => self.create_table().await?,
            }
        }
    }

    async fn status(&self) -> Result<Option<String>, CallError> {
        let input = DescribeTableInput {
            table_name: self.table.clone(),
        };
        match self.client.call::<ops::DescribeTable>(input).await {
            Ok(output) => Ok(output.table.and_then(|table| table.table_status)),
            Err(error) if error.code == "ResourceNotFoundException" => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn create_table(&self) -> Result<(), CallError> {
        let input = CreateTableInput {
            table_name: self.table.clone(),
            attribute_definitions: vec![AttributeDefinition {
                attribute_name: KEY.to_owned(),
                attribute_type: "S".to_owned(),
            }],
            key_schema: vec![KeySchemaElement {
                attribute_name: KEY.to_owned(),
                key_type: "HASH".to_owned(),
            }],
            billing_mode: Some("PAY_PER_REQUEST".to_owned()),
            ..Default::default()
        };
        match self.client.call::<ops::CreateTable>(input).await {
            // Another consumer of the application was faster.
            Err(error) if error.code != "ResourceInUseException" => Err(error),
            _ => Ok(()),
        }
    }

    /// The leader's lock would be looked for in the wrong table.
    async fn refuse_three_tables(&self) -> Result<(), CallError> {
        let input = GetItemInput {
            table_name: format!("{}{COORDINATOR_TABLE}", self.table),
            key: attributes(Item::from([(MIGRATION.0.to_owned(), text(MIGRATION.1))])),
            consistent_read: Some(true),
            ..Default::default()
        };
        let state = match self.client.call_direct::<ops::GetItem>(input).await {
            Ok(output) => output.item,
            Err(error) if error.code == "ResourceNotFoundException" => return Ok(()),
            Err(error) => return Err(error),
        };
        let done = state
            .and_then(|mut state| state.remove(MIGRATED.0)?.into_value().ok())
            .is_some_and(|status| status == text(MIGRATED.1));
        match done {
            true => Ok(()),
            false => Err(CallError::unreadable(format!(
                "the application {} has the three tables of KCL 3.0 to 3.4; have KCL 3.5 bring them together first",
                self.table
            ))),
        }
    }

    async fn page(
        &self,
        from: Option<Attributes>,
    ) -> Result<(Vec<Item>, Option<Attributes>), StoreError> {
        let input = ScanInput {
            table_name: self.table.clone(),
            consistent_read: Some(true),
            exclusive_start_key: from,
            ..Default::default()
        };
        let output = self.client.call_direct::<ops::Scan>(input).await?;
        let items = output.items.unwrap_or_default().into_iter().map(item);
        Ok((items.collect::<Result<_, _>>()?, output.last_evaluated_key))
    }

    fn key(key: &str) -> Attributes {
        attributes(Item::from([(KEY.to_owned(), text(key))]))
    }
}

#[async_trait]
impl Items for WireItems {
    async fn scan(&self) -> Result<Vec<Item>, StoreError> {
        let (mut items, mut next) = self.page(None).await?;
        while next.is_some() {
            let (more, behind) = self.page(next).await?;
            items.extend(more);
            next = behind;
        }
        Ok(items)
    }

    async fn get(&self, key: &str) -> Result<Option<Item>, StoreError> {
        let input = GetItemInput {
            table_name: self.table.clone(),
            key: Self::key(key),
            consistent_read: Some(true),
            ..Default::default()
        };
        let output = self.client.call_direct::<ops::GetItem>(input).await?;
        output.item.map(item).transpose()
    }

    async fn put(&self, item: Item, expected: Expected) -> Result<bool, StoreError> {
        let input = PutItemInput {
            table_name: self.table.clone(),
            item: attributes(item),
            expected: Some(expectations(expected)),
            ..Default::default()
        };
        let output = self.client.call_direct::<ops::PutItem>(input).await;
        Ok(unless_refused(output)?.is_some())
    }

    async fn update(
        &self,
        key: &str,
        updates: Updates,
        expected: Expected,
    ) -> Result<Option<Item>, StoreError> {
        let updates = updates.into_iter().map(written).collect();
        let input = UpdateItemInput {
            table_name: self.table.clone(),
            key: Self::key(key),
            attribute_updates: Some(updates),
            expected: Some(expectations(expected)),
            return_values: Some("ALL_NEW".to_owned()),
            ..Default::default()
        };
        let output = self.client.call_direct::<ops::UpdateItem>(input).await;
        match unless_refused(output)? {
            Some(output) => Ok(Some(item(output.attributes.unwrap_or_default())?)),
            None => Ok(None),
        }
    }

    async fn delete(&self, key: &str, expected: Expected) -> Result<bool, StoreError> {
        let input = DeleteItemInput {
            table_name: self.table.clone(),
            key: Self::key(key),
            expected: Some(expectations(expected)),
            ..Default::default()
        };
        let output = self.client.call_direct::<ops::DeleteItem>(input).await;
        Ok(unless_refused(output)?.is_some())
    }
}

fn unless_refused<T>(output: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match output {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.code == "ConditionalCheckFailedException" => Ok(None),
        Err(error) => Err(error),
    }
}

fn item(attributes: Attributes) -> Result<Item, StoreError> {
    AttributeValue::into_item(attributes)
        .map_err(|fault| StoreError(format!("an item cannot be read: {fault:?}")))
}

fn attributes(item: Item) -> Attributes {
    let values = item.into_iter();
    values.map(|(name, value)| (name, value.into())).collect()
}

fn expectations(expected: Expected) -> BTreeMap<String, ExpectedAttributeValue> {
    let expectation = |wanted| match wanted {
        Wanted::Absent => ExpectedAttributeValue {
            exists: Some(false),
            ..Default::default()
        },
        Wanted::Is(value) => ExpectedAttributeValue {
            value: Some(AttributeValue::from(value)),
            ..Default::default()
        },
    };
    expected
        .into_iter()
        .map(|(name, wanted)| (name.to_owned(), expectation(wanted)))
        .collect()
}

fn written((name, update): (&'static str, Update)) -> (String, AttributeValueUpdate) {
    let (action, value) = match update {
        Update::Put(value) => ("PUT", Some(value)),
        Update::Delete => ("DELETE", None),
        Update::Add(number) => ("ADD", Some(Value::Number(number))),
    };
    let update = AttributeValueUpdate {
        value: value.map(AttributeValue::from),
        action: Some(action.to_owned()),
    };
    (name.to_owned(), update)
}

impl From<CallError> for StoreError {
    fn from(error: CallError) -> Self {
        Self(error.to_string())
    }
}

fn late(table: &str, status: &str) -> CallError {
    CallError {
        code: CallError::TIMEOUT.to_owned(),
        status: None,
        message: format!("the table {table} is {status} and not ACTIVE after {TABLE_MAX:?}"),
        retryable: true,
        unclear: false,
    }
}
