//! RemoveTagsFromStream.

use headwater_shapes::Nothing;
use headwater_shapes_kinesis::{RemoveTagsFromStreamInput, ops::RemoveTagsFromStream};
use headwater_streams::Stream;
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, errors, place::Place, tags};

impl Handle<RemoveTagsFromStream> for Kinesis {
    async fn handle(
        &self,
        input: RemoveTagsFromStreamInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let RemoveTagsFromStreamInput {
            stream_name,
            tag_keys,
            stream_arn,
            stream_id,
        } = input;
        let place = Place {
            name: stream_name,
            arn: stream_arn,
            id: stream_id,
        };
        self.untag_stream(&*self.stream(place, context)?, tag_keys, context)
            .await?;
        Ok(Nothing {})
    }
}

impl Kinesis {
    /// Removes tags from a stream; keys that it has not are passed over.
    pub(super) async fn untag_stream(
        &self,
        stream: &Stream,
        keys: Vec<String>,
        context: &Context,
    ) -> Result<(), ApiError> {
        let name = &stream.record.name;
        tags::check_keys(&keys, name, context)?;
        self.streams
            .untag(name.clone(), keys)
            .await
            .map_err(|error| errors::api(error, context))
    }
}
