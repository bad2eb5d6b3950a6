//! STS: who calls, and keys that expire.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_sts::Sts;
use headwater_wire::Table;

use crate::{
    Failure,
    ground::Ground,
    services::{Given, Running},
};

struct Service(Arc<Sts>);

pub async fn open(ground: &Ground, _: &mut Given) -> Result<Arc<dyn Running>, Failure> {
    Ok(Arc::new(Service(Arc::new(Sts {
        sessions: ground.sessions.clone(),
    }))))
}

#[async_trait]
impl Running for Service {
    fn table(&self) -> Table {
        headwater_sts::table(self.0.clone())
    }
}
