//! GetLayerVersion and GetLayerVersionByArn; tested with PublishLayerVersion.

use headwater_functions::{Error, LayerId};
use headwater_shapes_lambda::{
    GetLayerVersionByArnRequest, GetLayerVersionRequest, GetLayerVersionResponse,
    ops::{GetLayerVersion, GetLayerVersionByArn},
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, describe::date, errors, layers};

impl Handle<GetLayerVersion> for Lambda {
    async fn handle(
        &self,
        input: GetLayerVersionRequest,
        context: &Context,
    ) -> Result<GetLayerVersionResponse, ApiError> {
        let GetLayerVersionRequest {
            layer_name,
            version_number,
        } = input;
        let id = layers::id(&layer_name, version_number, self.functions.options())?;
        self.describe_layer(&id, context).await
    }
}

impl Handle<GetLayerVersionByArn> for Lambda {
    async fn handle(
        &self,
        input: GetLayerVersionByArnRequest,
        context: &Context,
    ) -> Result<GetLayerVersionResponse, ApiError> {
        let GetLayerVersionByArnRequest { arn } = input;
        let id = layers::of_arn(&arn, context, self.functions.options())?;
        self.describe_layer(&id, context).await
    }
}

impl Lambda {
    async fn describe_layer(
        &self,
        id: &LayerId,
        context: &Context,
    ) -> Result<GetLayerVersionResponse, ApiError> {
        let options = self.functions.options();
        let found = self.functions.layer(id).await;
        let version = found.map_err(|error| match error {
            Error::NoLayer(_) => layers::missing(),
            error => errors::other(error),
        })?;
        Ok(GetLayerVersionResponse {
            content: Some(layers::content(self, &version, context)),
            layer_arn: Some(options.layer_arn(&id.name).to_string()),
            layer_version_arn: Some(layers::version_arn(id, options)),
            version: Some(version.number as i64),
            description: Some(version.description),
            created_date: Some(date(version.created)),
            compatible_architectures: version.architectures,
            compatible_runtimes: version.runtimes,
            license_info: version.license,
        })
    }
}
