//! Lambda: functions, which deliveries call as well.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_functions::Functions;
use headwater_http::Body;
use headwater_lambda::Lambda;
use headwater_wire::Table;
use http::{Request, Response};

use crate::{
    Failure,
    adapters::{FunctionInvoke, ObjectCode},
    ground::Ground,
    metrics::{Samples, functions},
    services::{Given, Running, given},
};

struct Service {
    functions: Functions,
    door: Arc<Lambda>,
}

pub async fn open(ground: &Ground, others: &mut Given) -> Result<Arc<dyn Running>, Failure> {
    let env = &ground.env;
    let functions = Functions::open(
        env.clone(),
        ground.catalog.clone(),
        &ground.dir("functions"),
        given(&others.function_log),
        ground.functions.clone(),
    )
    .await?;
    let invoke = FunctionInvoke {
        env: env.clone(),
        functions: functions.clone(),
    };
    others.invoke = Some(Arc::new(invoke));
    let code = Arc::new(ObjectCode(given(&others.store)));
    let door = Arc::new(Lambda::new(env, functions.clone(), code));
    Ok(Arc::new(Service { functions, door }))
}

#[async_trait]
impl Running for Service {
    fn table(&self) -> Table {
        headwater_lambda::table(self.door.clone())
    }

    async fn page(&self, request: &Request<()>) -> Option<Response<Body>> {
        self.door.package(request).await
    }

    async fn measure(&self, to: &mut Samples) {
        functions::measure(&self.functions, to);
    }

    async fn close(&self) {
        self.functions.close().await;
    }
}
