//! DeleteEventSourceMapping; tested with CreateEventSourceMapping.

use headwater_shapes_lambda::{
    DeleteEventSourceMappingRequest, EventSourceMappingConfiguration, ops::DeleteEventSourceMapping,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda,
    mappings::{self, Stage, configuration},
};

impl Handle<DeleteEventSourceMapping> for Lambda {
    async fn handle(
        &self,
        input: DeleteEventSourceMappingRequest,
        _context: &Context,
    ) -> Result<EventSourceMappingConfiguration, ApiError> {
        let DeleteEventSourceMappingRequest { uuid } = input;
        let last = self.mappings.last_result(&uuid).map_err(mappings::api)?;
        let gone = self.mappings.delete(&uuid).await.map_err(mappings::api)?;
        let options = self.functions.options();
        Ok(configuration(&gone, Stage::Deleting, &last, options))
    }
}
