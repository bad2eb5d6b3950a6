//! Lambda: functions, which deliveries call as well, and mappings of streams, of tables' changes and of queues to them.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_functions::Functions;
use headwater_http::Body;
use headwater_lambda::Lambda;
use headwater_mappings::Mappings;
use headwater_wire::Table;
use http::{Request, Response};

use crate::{
    Failure,
    adapters::{
        FailurePlaces, FunctionInvoke, MappedFunctions, MappedStreams, ObjectCode, OutcomePlaces,
        PolledQueues,
    },
    console::{picture::Picture, things},
    emitted::{Emits, functions::EmitFunctions},
    ground::Ground,
    metrics::{Samples, functions, mappings},
    services::{Given, Running, given},
};

struct Service {
    functions: Functions,
    mappings: Arc<Mappings>,
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
    others.functions = Some(functions.clone());
    let called = MappedFunctions {
        env: env.clone(),
        functions: functions.clone(),
    };
    let messages = given(&others.messages);
    let places = FailurePlaces {
        objects: given(&others.objects),
        messages: messages.clone(),
        topics: others.topics.clone(),
    };
    let streams = MappedStreams {
        env: env.clone(),
        streams: given(&others.sources),
        tables: given(&others.items),
    };
    let mappings = Mappings::open(
        env.clone(),
        ground.catalog.clone(),
        Arc::new(streams),
        Arc::new(PolledQueues(messages)),
        Arc::new(called),
        Arc::new(places),
    )
    .await?;
    functions.tell_through(Arc::new(OutcomePlaces {
        account: ground.functions.account.clone(),
        region: ground.functions.region.clone(),
        objects: given(&others.objects),
        queues: given(&others.messages),
        topics: others.topics.clone(),
    }));
    let code = Arc::new(ObjectCode(given(&others.store)));
    let door = Lambda::new(env, functions.clone(), mappings.clone(), code);
    Ok(Arc::new(Service {
        functions,
        mappings,
        door: Arc::new(door),
    }))
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
        mappings::measure(&self.mappings, to);
    }

    fn emits(&self) -> Option<Arc<dyn Emits>> {
        Some(Arc::new(EmitFunctions {
            functions: self.functions.clone(),
            mappings: self.mappings.clone(),
        }))
    }

    async fn show(&self, to: &mut Picture) {
        things::functions(&self.functions, to);
        things::mappings(&self.mappings, to);
    }

    async fn close(&self) {
        self.mappings.close();
        self.functions.close().await;
    }
}
