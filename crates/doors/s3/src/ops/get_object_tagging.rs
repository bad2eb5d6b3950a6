//! GetObjectTagging.

use headwater_objects::{Get, ObjectError, ObjectName};
use headwater_shapes_s3::{GetObjectTaggingOutput, GetObjectTaggingRequest, ops::GetObjectTagging};
use headwater_wire::{ApiError, Context, Handle};

use crate::{S3, errors::api, settings, tags, versions};

impl Handle<GetObjectTagging> for S3 {
    async fn handle(
        &self,
        input: GetObjectTaggingRequest,
        context: &Context,
    ) -> Result<GetObjectTaggingOutput, ApiError> {
        settings::check(&input, &["versionId"], context)?;
        let name = ObjectName::parse(&input.bucket, &input.key).map_err(api)?;
        let get = Get {
            version: input.version_id,
            ..Get::new(name)
        };
        let found = self.store.head(&get).await;
        // AWS names the bucket as well where the key is not there.
        let found = found.map_err(|error| match error {
            ObjectError::NoSuchKey(key) => {
                api(ObjectError::NoSuchKey(format!("{}/{key}", input.bucket)))
            }
            error => versions::of_tags("GET")(error),
        })?;
        let tag_set = tags::to_set(found.object.attributes.tags);
        Ok(GetObjectTaggingOutput {
            tag_set,
            version_id: found.object.version,
        })
    }
}
