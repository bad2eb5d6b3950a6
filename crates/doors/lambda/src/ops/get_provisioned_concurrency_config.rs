//! GetProvisionedConcurrencyConfig; tested in `concurrency`.

use headwater_shapes_lambda::{
    GetProvisionedConcurrencyConfigRequest, GetProvisionedConcurrencyConfigResponse,
    ops::GetProvisionedConcurrencyConfig,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda,
    concurrency::{self, NOT_LATEST, Part},
};

impl Handle<GetProvisionedConcurrencyConfig> for Lambda {
    async fn handle(
        &self,
        input: GetProvisionedConcurrencyConfigRequest,
        _context: &Context,
    ) -> Result<GetProvisionedConcurrencyConfigResponse, ApiError> {
        let GetProvisionedConcurrencyConfigRequest {
            function_name,
            qualifier,
        } = input;
        let options = self.functions.options();
        let part = Part::parse(&function_name, &qualifier, NOT_LATEST, options)?;
        let kept = self.functions.kept(&part.name, &part.qualifier).await;
        let kept = kept.map_err(|error| part.api(error))?;
        let kept = kept.ok_or_else(concurrency::none_kept)?;
        Ok(concurrency::config(&kept))
    }
}
