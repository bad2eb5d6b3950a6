//! DynamoDB Streams: the changes of tables, read shard by shard. What it runs on is opened, and closed, by the tables.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_dynamodb::Dynamo;
use headwater_wire::Table;

use crate::{
    Failure,
    ground::Ground,
    services::{Given, Running, given},
};

struct Service(Dynamo);

pub async fn open(ground: &Ground, from: &mut Given) -> Result<Arc<dyn Running>, Failure> {
    let tables = given(&from.items);
    let clock = ground.env.clock.clone();
    Ok(Arc::new(Service(Dynamo { tables, clock })))
}

#[async_trait]
impl Running for Service {
    fn table(&self) -> Table {
        headwater_dynamodb::streams::table(Arc::new(self.0.clone()))
    }
}
