//! S3: buckets and objects, one store for all regions, as bucket names are the same everywhere.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_env::Clock;
use headwater_objects::ObjectStore;
use headwater_s3::S3;
use headwater_wire::Table;

use crate::{
    Failure,
    adapters::StoreObjects,
    ground::Ground,
    services::{Given, Running},
};

struct Service(Arc<dyn ObjectStore>, Arc<dyn Clock>);

pub async fn open(ground: &Ground, given: &mut Given) -> Result<Arc<dyn Running>, Failure> {
    let store = ground.store.clone();
    given.store = Some(store.clone());
    given.objects = Some(Arc::new(StoreObjects(store.clone())));
    Ok(Arc::new(Service(store, ground.env.clock.clone())))
}

#[async_trait]
impl Running for Service {
    fn table(&self) -> Table {
        headwater_s3::table(S3 {
            store: self.0.clone(),
            clock: self.1.clone(),
        })
    }
}
