//! SendMessage.

use headwater_messages::{md5_of_attributes, md5_of_text};
use headwater_shapes_sqs::{SendMessageRequest, SendMessageResult, ops::SendMessage};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Sqs,
    errors::fault,
    sending::{Parts, Prepared},
};

impl Handle<SendMessage> for Sqs {
    async fn handle(
        &self,
        input: SendMessageRequest,
        context: &Context,
    ) -> Result<SendMessageResult, ApiError> {
        let SendMessageRequest {
            queue_url,
            message_body,
            delay_seconds,
            message_attributes,
            message_system_attributes,
            message_deduplication_id,
            message_group_id,
        } = input;
        let queue = self.queue(&queue_url, context)?;
        let parts = Parts {
            body: message_body,
            delay: delay_seconds,
            attributes: message_attributes,
            system: message_system_attributes,
            dedup: message_deduplication_id,
            group: message_group_id,
        };
        let Prepared {
            message,
            md5_of_system,
        } = parts.prepare(context)?;
        let md5_of_body = md5_of_text(&message.body);
        let md5_of_user = md5_of_attributes(&message.attributes);
        let sent = self.queues.send(&queue.name, vec![message]).await;
        let mut sent = sent.map_err(Self::failed(&queue, context))?;
        let sent = sent
            .pop()
            .ok_or_else(|| ApiError::internal("a message got lost"))?;
        let sent = sent.map_err(fault)?;
        Ok(SendMessageResult {
            md5_of_message_body: Some(md5_of_body),
            md5_of_message_attributes: md5_of_user,
            md5_of_message_system_attributes: md5_of_system,
            message_id: Some(sent.id),
            sequence_number: sent.sequence,
        })
    }
}
