//! DeleteProvisionedConcurrencyConfig; tested in `concurrency`.

use headwater_shapes::Nothing;
use headwater_shapes_lambda::{
    DeleteProvisionedConcurrencyConfigRequest, ops::DeleteProvisionedConcurrencyConfig,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda,
    concurrency::{NOT_LATEST, Part},
};

impl Handle<DeleteProvisionedConcurrencyConfig> for Lambda {
    async fn handle(
        &self,
        input: DeleteProvisionedConcurrencyConfigRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let DeleteProvisionedConcurrencyConfigRequest {
            function_name,
            qualifier,
        } = input;
        let options = self.functions.options();
        let part = Part::parse(&function_name, &qualifier, NOT_LATEST, options)?;
        let ended = self
            .functions
            .unprovision(&part.name, part.qualifier.clone())
            .await;
        ended.map_err(|error| part.api(error))?;
        Ok(Nothing {})
    }
}
