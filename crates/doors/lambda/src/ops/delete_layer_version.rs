//! DeleteLayerVersion: one that is not there is deleted already, as on AWS. Tested with PublishLayerVersion.

use headwater_shapes::Nothing;
use headwater_shapes_lambda::{DeleteLayerVersionRequest, ops::DeleteLayerVersion};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, errors, layers};

impl Handle<DeleteLayerVersion> for Lambda {
    async fn handle(
        &self,
        input: DeleteLayerVersionRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let DeleteLayerVersionRequest {
            layer_name,
            version_number,
        } = input;
        let id = layers::id(&layer_name, version_number, self.functions.options())?;
        let deleted = self.functions.delete_layer(&id).await;
        deleted.map_err(errors::other)?;
        Ok(Nothing {})
    }
}
