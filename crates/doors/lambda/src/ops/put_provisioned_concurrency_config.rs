//! PutProvisionedConcurrencyConfig.

use headwater_shapes_lambda::{
    PutProvisionedConcurrencyConfigRequest, PutProvisionedConcurrencyConfigResponse,
    ops::PutProvisionedConcurrencyConfig,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda,
    concurrency::{self, Part},
};

impl Handle<PutProvisionedConcurrencyConfig> for Lambda {
    async fn handle(
        &self,
        input: PutProvisionedConcurrencyConfigRequest,
        _context: &Context,
    ) -> Result<PutProvisionedConcurrencyConfigResponse, ApiError> {
        let PutProvisionedConcurrencyConfigRequest {
            function_name,
            qualifier,
            provisioned_concurrent_executions,
        } = input;
        let latest =
            "Provisioned Concurrency Configs cannot be applied to unpublished function versions.";
        let options = self.functions.options();
        let part = Part::parse(&function_name, &qualifier, latest, options)?;
        // The model has none below 1.
        let count = provisioned_concurrent_executions.unsigned_abs();
        let asked = self
            .functions
            .provision(&part.name, part.qualifier.clone(), count)
            .await;
        let asked = asked.map_err(|error| part.api(error))?;
        Ok(concurrency::begun(asked))
    }
}
