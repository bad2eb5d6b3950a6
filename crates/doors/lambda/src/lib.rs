//! The lambda door: AWS's operations over the functions domain, one file an operation.
//!
//! Owns AWS's spelling of functions: names and ARNs, settings and their defaults, texts. Keeps no state of its own.
//! Operations and settings that the model has and this table has not are refused by `wire` with an error that says so.

mod aliases;
mod code;
mod concurrency;
mod describe;
mod errors;
mod event_settings;
mod layers;
mod location;
mod mappings;
mod ops;
mod permissions;
mod runtimes;
mod settings;
mod tags;
mod target;
#[cfg(test)]
mod testing;
mod urls;

use std::sync::Arc;

use headwater_env::Env;
use headwater_functions::Functions;
use headwater_mappings::Mappings;
use headwater_shapes_lambda::{SERVICE, ops as shapes};
use headwater_wire::{READS, Routes, Table, WRITES};
use location::Locations;

pub use code::{CodeSource, NoCode};
pub use permissions::{Asked, Permissions};

/// The state that handlers run on.
pub struct Lambda {
    env: Env,
    functions: Functions,
    mappings: Arc<Mappings>,
    code: Arc<dyn CodeSource>,
    locations: Locations,
}

impl Lambda {
    /// The door to these functions; `code` has what is not in the request: `S3Bucket` and `S3Key`.
    pub fn new(
        env: &Env,
        functions: Functions,
        mappings: Arc<Mappings>,
        code: Arc<dyn CodeSource>,
    ) -> Self {
        let locations = Locations::new(env);
        Self {
            env: env.clone(),
            functions,
            mappings,
            code,
            locations,
        }
    }
}

/// The operations that are built.
pub fn table(lambda: Arc<Lambda>) -> Table {
    Routes::new(&SERVICE, lambda)
        .route::<shapes::AddPermission>(WRITES)
        .route::<shapes::CreateAlias>(WRITES)
        .route::<shapes::CreateEventSourceMapping>(WRITES)
        .route::<shapes::CreateFunction>(WRITES)
        .route::<shapes::DeleteAlias>(WRITES)
        .route::<shapes::DeleteEventSourceMapping>(WRITES)
        .route::<shapes::DeleteFunction>(WRITES)
        .route::<shapes::DeleteFunctionConcurrency>(WRITES)
        .route::<shapes::DeleteFunctionEventInvokeConfig>(WRITES)
        .route::<shapes::DeleteProvisionedConcurrencyConfig>(WRITES)
        .route::<shapes::GetAccountSettings>(READS)
        .route::<shapes::GetAlias>(READS)
        .route::<shapes::GetEventSourceMapping>(READS)
        .route::<shapes::GetFunction>(READS)
        .route::<shapes::GetFunctionCodeSigningConfig>(READS)
        .route::<shapes::GetFunctionConcurrency>(READS)
        .route::<shapes::GetFunctionConfiguration>(READS)
        .route::<shapes::GetFunctionEventInvokeConfig>(READS)
        .route::<shapes::GetPolicy>(READS)
        .route::<shapes::GetProvisionedConcurrencyConfig>(READS)
        .route::<shapes::Invoke>(WRITES.data().shared().action("lambda:InvokeFunction"))
        .route::<shapes::ListAliases>(READS)
        .route::<shapes::ListEventSourceMappings>(READS)
        .route::<shapes::ListFunctionEventInvokeConfigs>(READS)
        .route::<shapes::ListFunctions>(READS)
        .route::<shapes::ListProvisionedConcurrencyConfigs>(READS)
        .route::<shapes::ListTags>(READS)
        .route::<shapes::ListVersionsByFunction>(READS)
        .route::<shapes::PublishVersion>(WRITES)
        .route::<shapes::PutFunctionConcurrency>(WRITES)
        .route::<shapes::PutFunctionEventInvokeConfig>(WRITES)
        .route::<shapes::PutProvisionedConcurrencyConfig>(WRITES)
        .route::<shapes::RemovePermission>(WRITES)
        .route::<shapes::TagResource>(WRITES)
        .route::<shapes::UntagResource>(WRITES)
        .route::<shapes::UpdateAlias>(WRITES)
        .route::<shapes::UpdateEventSourceMapping>(WRITES)
        .route::<shapes::UpdateFunctionCode>(WRITES)
        .route::<shapes::UpdateFunctionConfiguration>(WRITES)
        .route::<shapes::AddLayerVersionPermission>(WRITES)
        .route::<shapes::DeleteLayerVersion>(WRITES)
        .route::<shapes::GetLayerVersion>(READS)
        .route::<shapes::GetLayerVersionByArn>(READS.action("lambda:GetLayerVersion"))
        .route::<shapes::GetLayerVersionPolicy>(READS)
        .route::<shapes::ListLayerVersions>(READS)
        .route::<shapes::ListLayers>(READS)
        .route::<shapes::PublishLayerVersion>(WRITES)
        .route::<shapes::RemoveLayerVersionPermission>(WRITES)
        .route::<shapes::CreateFunctionUrlConfig>(WRITES)
        .route::<shapes::DeleteFunctionUrlConfig>(WRITES)
        .route::<shapes::GetFunctionUrlConfig>(READS)
        .route::<shapes::InvokeWithResponseStream>(WRITES.data().action("lambda:InvokeFunction"))
        .route::<shapes::ListFunctionUrlConfigs>(READS)
        .route::<shapes::UpdateFunctionUrlConfig>(WRITES)
        .hosted()
        .route::<shapes::UpdateFunctionEventInvokeConfig>(WRITES)
        .build()
}
