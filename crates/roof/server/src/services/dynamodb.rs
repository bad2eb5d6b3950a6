//! DynamoDB: tables of items.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_dynamodb::Dynamo;
use headwater_tables::Tables;
use headwater_wire::Table;

use crate::{
    Failure,
    console::{picture::Picture, things},
    emitted::{Emits, tables::EmitTables},
    ground::Ground,
    metrics::{Samples, tables},
    services::{Given, Running, given},
};

struct Service(Dynamo);

pub async fn open(ground: &Ground, from: &mut Given) -> Result<Arc<dyn Running>, Failure> {
    let (env, catalog, log) = ground.parts();
    let clock = env.clock.clone();
    let tables = Tables::open(env, catalog, log, &ground.dir("tables")).await?;
    tables.limit(ground.limits);
    tables.send_to(given(&from.receivers));
    from.items = Some(tables.clone());
    Ok(Arc::new(Service(Dynamo { tables, clock })))
}

#[async_trait]
impl Running for Service {
    fn table(&self) -> Table {
        headwater_dynamodb::table(Arc::new(self.0.clone()))
    }

    async fn measure(&self, to: &mut Samples) {
        tables::measure(&self.0.tables, to);
    }

    fn emits(&self) -> Option<Arc<dyn Emits>> {
        Some(Arc::new(EmitTables(self.0.tables.clone())))
    }

    async fn show(&self, to: &mut Picture) {
        things::tables(&self.0.tables, to);
    }

    async fn illness(&self) -> Option<(&'static str, String)> {
        let health = self.0.tables.health().await;
        health.err().map(|error| ("tables", error.to_string()))
    }

    async fn close(&self) {
        self.0.tables.close().await;
    }
}
