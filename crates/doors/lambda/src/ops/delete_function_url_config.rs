//! DeleteFunctionUrlConfig; tested with CreateFunctionUrlConfig.

use headwater_shapes::Nothing;
use headwater_shapes_lambda::{DeleteFunctionUrlConfigRequest, ops::DeleteFunctionUrlConfig};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, urls};

impl Handle<DeleteFunctionUrlConfig> for Lambda {
    async fn handle(
        &self,
        input: DeleteFunctionUrlConfigRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let DeleteFunctionUrlConfigRequest {
            function_name,
            qualifier,
        } = input;
        let options = self.functions.options();
        let (target, url) = urls::target(&function_name, qualifier.as_deref(), options)?;
        let deleted = self.functions.delete_url(&url).await;
        let missing = "The resource you requested does not exist.";
        deleted.map_err(|error| urls::no_function(error, &target, missing))?;
        Ok(Nothing {})
    }
}
