//! GetFunctionConcurrency; tested in `concurrency`.

use headwater_shapes_lambda::{
    GetFunctionConcurrencyRequest, GetFunctionConcurrencyResponse, ops::GetFunctionConcurrency,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, concurrency, errors, target::Target};

impl Handle<GetFunctionConcurrency> for Lambda {
    async fn handle(
        &self,
        input: GetFunctionConcurrencyRequest,
        _context: &Context,
    ) -> Result<GetFunctionConcurrencyResponse, ApiError> {
        let GetFunctionConcurrencyRequest { function_name } = input;
        let target = Target::whole(&function_name, self.functions.options())?;
        let found = self.functions.get(&target.name).await;
        found.map_err(|error| errors::api(error, &target.arn))?;
        let claims = self.functions.claims(&target.name);
        Ok(GetFunctionConcurrencyResponse {
            reserved_concurrent_executions: claims.reserved.map(concurrency::shown),
        })
    }
}
