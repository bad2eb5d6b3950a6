//! GetFunctionConfiguration; tested with GetFunction.

use headwater_shapes_lambda::{
    FunctionConfiguration, GetFunctionConfigurationRequest, ops::GetFunctionConfiguration,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, describe, errors, target::Target};

impl Handle<GetFunctionConfiguration> for Lambda {
    async fn handle(
        &self,
        input: GetFunctionConfigurationRequest,
        _context: &Context,
    ) -> Result<FunctionConfiguration, ApiError> {
        let GetFunctionConfigurationRequest {
            function_name,
            qualifier,
        } = input;
        let qualifier = qualifier.as_deref();
        let target = Target::latest(&function_name, qualifier, self.functions.options())?;
        let found = self.functions.get(&target.name).await;
        let function = found.map_err(|error| errors::api(error, &target.arn))?;
        Ok(describe::configuration(&function, target.qualified_arn()))
    }
}
