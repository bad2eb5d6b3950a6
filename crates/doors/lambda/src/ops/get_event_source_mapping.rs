//! GetEventSourceMapping; tested with CreateEventSourceMapping.

use headwater_shapes_lambda::{
    EventSourceMappingConfiguration, GetEventSourceMappingRequest, ops::GetEventSourceMapping,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, mappings};

impl Handle<GetEventSourceMapping> for Lambda {
    async fn handle(
        &self,
        input: GetEventSourceMappingRequest,
        _context: &Context,
    ) -> Result<EventSourceMappingConfiguration, ApiError> {
        let GetEventSourceMappingRequest { uuid } = input;
        let mapping = self.mappings.get(&uuid).map_err(mappings::api)?;
        self.shown_mapping(&mapping)
    }
}
