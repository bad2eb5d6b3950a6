//! DeleteObjectTagging.

use headwater_objects::ObjectName;
use headwater_shapes_s3::{
    DeleteObjectTaggingOutput, DeleteObjectTaggingRequest, ops::DeleteObjectTagging,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{S3, errors::api, settings, versions};

impl Handle<DeleteObjectTagging> for S3 {
    async fn handle(
        &self,
        input: DeleteObjectTaggingRequest,
        context: &Context,
    ) -> Result<DeleteObjectTaggingOutput, ApiError> {
        settings::check(&input, &["versionId"], context)?;
        let name = ObjectName::parse(&input.bucket, &input.key).map_err(api)?;
        let version = input.version_id.as_deref();
        let set = self
            .store
            .set_tags(&name, version, Default::default())
            .await;
        Ok(DeleteObjectTaggingOutput {
            version_id: set.map_err(versions::of_tags("DELETE"))?,
        })
    }
}
