//! DeleteFunctionConcurrency; tested in `concurrency`.

use headwater_shapes::Nothing;
use headwater_shapes_lambda::{DeleteFunctionConcurrencyRequest, ops::DeleteFunctionConcurrency};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, concurrency, errors};

impl Handle<DeleteFunctionConcurrency> for Lambda {
    async fn handle(
        &self,
        input: DeleteFunctionConcurrencyRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let DeleteFunctionConcurrencyRequest { function_name } = input;
        let target = concurrency::function(&function_name, self.functions.options())?;
        let freed = self.functions.reserve(&target.name, None).await;
        freed.map_err(|error| errors::api(error, &target.arn))?;
        Ok(Nothing {})
    }
}
