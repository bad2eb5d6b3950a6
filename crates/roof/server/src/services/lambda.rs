//! Lambda: functions, which deliveries call as well.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_functions::Functions;
use headwater_lambda::{CodeSource, Lambda};
use headwater_wire::Table;

use crate::{
    Failure,
    adapters::{FunctionInvoke, ObjectCode},
    ground::Ground,
    metrics::{Samples, functions},
    services::{Given, Running, given},
};

struct Service {
    functions: Functions,
    code: Arc<dyn CodeSource>,
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
    Ok(Arc::new(Service { functions, code }))
}

#[async_trait]
impl Running for Service {
    fn table(&self) -> Table {
        let (functions, code) = (self.functions.clone(), self.code.clone());
        headwater_lambda::table(Arc::new(Lambda { functions, code }))
    }

    async fn measure(&self, to: &mut Samples) {
        functions::measure(&self.functions, to);
    }

    async fn close(&self) {
        self.functions.close().await;
    }
}
