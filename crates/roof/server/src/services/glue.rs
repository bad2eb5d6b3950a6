//! The Glue Data Catalog: databases and tables, whose columns deliveries write.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_glue::Glue;
use headwater_schemas::Schemas;
use headwater_wire::Table;

use crate::{
    Failure,
    adapters::SchemaTables,
    ground::Ground,
    services::{Given, Running},
};

struct Service(Schemas);

pub async fn open(ground: &Ground, given: &mut Given) -> Result<Arc<dyn Running>, Failure> {
    let schemas = Schemas::new(ground.env.clone(), ground.catalog.clone());
    schemas.finish_deletions().await?;
    given.tables = Some(Arc::new(SchemaTables(schemas.clone())));
    Ok(Arc::new(Service(schemas)))
}

#[async_trait]
impl Running for Service {
    fn table(&self) -> Table {
        headwater_glue::table(Arc::new(Glue {
            schemas: self.0.clone(),
        }))
    }
}
