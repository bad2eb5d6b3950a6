//! DeleteStream.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_catalog::{CatalogError, Checked};
use headwater_delivery::Deliveries;
use headwater_shapes::Nothing;
use headwater_shapes_kinesis::{DeleteStreamInput, ops::DeleteStream};
use headwater_streams::{Error, OtherReaders};
use headwater_types::StreamName;
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, errors, place::Place, queues};

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
        let holders = Holders {
            queues: self.other_readers(context),
            channels: self.channels.deliveries.clone(),
            context: context.clone(),
        };
        let deleted = self
            .streams
            .delete(
                name,
                enforce_consumer_deletion == Some(true),
                Arc::new(holders),
            )
            .await;
        match deleted {
            Err(Error::HasOtherReaders(name)) if self.has_channels(&name, context).await? => {
                Err(errors::in_use(format!(
                    "Stream {name} has channels. Delete them before you delete the stream."
                )))
            }
            deleted => deleted
                .map(|()| Nothing {})
                .map_err(|error| errors::api(error, context)),
        }
    }
}

impl Kinesis {
    async fn has_channels(&self, name: &StreamName, context: &Context) -> Result<bool, ApiError> {
        Ok(!self.channels.of_stream(name, context).await?.is_empty())
    }
}

/// The readers that keep a stream from being deleted: its queues and channels.
struct Holders {
    queues: Arc<dyn OtherReaders>,
    channels: Arc<Deliveries>,
    context: Context,
}

#[async_trait]
impl OtherReaders for Holders {
    async fn count(&self, stream: &StreamName) -> Result<Checked<usize>, CatalogError> {
        let queues = self.queues.count(stream).await?;
        let arn = queues::stream_arn(stream, &self.context);
        let channels = self.channels.count(&arn).await?;
        let checks = [queues.checks, channels.checks].concat();
        Ok(Checked::new(queues.value + channels.value, checks))
    }
}
