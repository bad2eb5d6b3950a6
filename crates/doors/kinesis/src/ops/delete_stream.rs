//! DeleteStream.

use headwater_shapes::Nothing;
use headwater_shapes_kinesis::{DeleteStreamInput, ops::DeleteStream};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, errors, place::Place};

impl Handle<DeleteStream> for Kinesis {
    /// The stream is gone when this returns.
    async fn handle(
        &self,
        input: DeleteStreamInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let DeleteStreamInput {
            stream_name,
            enforce_consumer_deletion,
            stream_arn,
            stream_id,
        } = input;
        let place = Place {
            name: stream_name,
            arn: stream_arn,
            id: stream_id,
        };
        let name = place.name(context)?;
        if !self.channels.of_stream(&name, context).await?.is_empty() {
            return Err(errors::in_use(format!(
                "Stream {name} has channels. Delete them before you delete the stream."
            )));
        }
        let others = self.other_readers(context);
        let deleted = self
            .streams
            .delete(name, enforce_consumer_deletion == Some(true), others)
            .await;
        deleted.map_err(|error| errors::api(error, context))?;
        Ok(Nothing {})
    }
}
