//! PutFunctionConcurrency.

use headwater_shapes_lambda::{
    Concurrency, PutFunctionConcurrencyRequest, ops::PutFunctionConcurrency,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, concurrency, errors};

impl Handle<PutFunctionConcurrency> for Lambda {
    async fn handle(
        &self,
        input: PutFunctionConcurrencyRequest,
        _context: &Context,
    ) -> Result<Concurrency, ApiError> {
        let PutFunctionConcurrencyRequest {
            function_name,
            reserved_concurrent_executions,
        } = input;
        let target = concurrency::function(&function_name, self.functions.options())?;
        // The model has no negative ones.
        let count = reserved_concurrent_executions.unsigned_abs();
        let reserved = self.functions.reserve(&target.name, Some(count)).await;
        // As recorded on AWS, this operation misses the latest version.
        reserved.map_err(|error| errors::api(error, format!("{}:$LATEST", target.arn)))?;
        Ok(Concurrency {
            reserved_concurrent_executions: Some(reserved_concurrent_executions),
        })
    }
}
