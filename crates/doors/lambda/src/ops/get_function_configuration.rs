//! GetFunctionConfiguration; tested with GetFunction.

use headwater_shapes_lambda::{
    FunctionConfiguration, GetFunctionConfigurationRequest, ops::GetFunctionConfiguration,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda,
    describe::{self, Stage},
    errors,
    target::Target,
};

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
        let options = self.functions.options();
        let target = Target::parse(&function_name, qualifier, options)?;
        let (version, arn) = (target.version()?, target.qualified_arn());
        let found = self.functions.get_version(&target.name, version.as_ref());
        let function = found.await.map_err(|error| errors::api(error, &arn))?;
        Ok(describe::configuration(
            &function,
            arn,
            options,
            Stage::Done,
        ))
    }
}
