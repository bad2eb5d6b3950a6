//! PublishLayerVersion.

use headwater_functions::LayerWishes;
use headwater_shapes_lambda::{
    FunctionCode, LayerVersionContentInput, PublishLayerVersionRequest,
    PublishLayerVersionResponse, ops::PublishLayerVersion,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, code, describe::date, errors, layers};

impl Handle<PublishLayerVersion> for Lambda {
    async fn handle(
        &self,
        input: PublishLayerVersionRequest,
        context: &Context,
    ) -> Result<PublishLayerVersionResponse, ApiError> {
        let PublishLayerVersionRequest {
            layer_name,
            description,
            content,
            compatible_architectures,
            compatible_runtimes,
            license_info,
        } = input;
        let options = self.functions.options();
        layers::check_compatible(&compatible_runtimes, &compatible_architectures)?;
        let name = layers::name(&layer_name, options)?;
        let LayerVersionContentInput {
            s3_bucket,
            s3_key,
            s3_object_version,
            s3_object_storage_mode,
            zip_file,
        } = content;
        let given = FunctionCode {
            zip_file,
            s3_bucket,
            s3_key,
            s3_object_version,
            s3_object_storage_mode,
            ..Default::default()
        };
        let _room = code::room(&self.functions, &given).await;
        let package = code::package(&*self.code, given).await?;
        let wishes = LayerWishes {
            description: description.unwrap_or_default(),
            license: license_info,
            runtimes: compatible_runtimes,
            architectures: compatible_architectures,
        };
        let published = self.functions.publish_layer(&name, wishes, package).await;
        let version = published.map_err(|error| errors::api(error, options.layer_arn(&name)))?;
        Ok(PublishLayerVersionResponse {
            content: Some(layers::content(self, &version, context)),
            layer_arn: Some(options.layer_arn(&name).to_string()),
            layer_version_arn: Some(layers::version_arn(&version.id(), options)),
            version: Some(version.number as i64),
            description: Some(version.description),
            created_date: Some(date(version.created)),
            compatible_architectures: version.architectures,
            compatible_runtimes: version.runtimes,
            license_info: version.license,
        })
    }
}
