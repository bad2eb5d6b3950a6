//! SendMessageBatch.

use headwater_messages::{
    Fault, NewMessage, Sent, limits::MESSAGE_BYTES, md5_of_attributes, md5_of_text,
};
use headwater_shapes_sqs::{
    BatchResultErrorEntry, SendMessageBatchRequest, SendMessageBatchRequestEntry,
    SendMessageBatchResult, SendMessageBatchResultEntry, errors::BATCH_REQUEST_TOO_LONG,
    ops::SendMessageBatch,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Sqs, batch,
    errors::{fault, invalid_parameter},
    sending::{Parts, Prepared},
};

/// An entry that is sent, with what its answer says.
struct Entry {
    id: String,
    md5_of_body: String,
    md5_of_user: Option<String>,
    md5_of_system: Option<String>,
}

impl Handle<SendMessageBatch> for Sqs {
    async fn handle(
        &self,
        input: SendMessageBatchRequest,
        context: &Context,
    ) -> Result<SendMessageBatchResult, ApiError> {
        let SendMessageBatchRequest { queue_url, entries } = input;
        let queue = self.queue(&queue_url, context)?;
        let ids = entries.iter().map(|entry| entry.id.as_str());
        batch::check(ids, "SendMessageBatchRequestEntry")?;
        let (mut sending, mut messages, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for entry in entries {
            match prepare(entry, context) {
                Ok((entry, message)) => {
                    sending.push(entry);
                    messages.push(message);
                }
                Err(entry) => failed.push(entry),
            }
        }
        check_size(&messages)?;
        if queue.settings.fifo.is_some() {
            check_order(&messages, &queue)?;
        }
        let sent = self.queues.send(&queue.name, messages).await;
        let sent = sent.map_err(Self::failed(&queue, context))?;
        let mut successful = Vec::new();
        for (entry, sent) in sending.into_iter().zip(sent) {
            match sent {
                Ok(sent) => successful.push(entry.sent(sent)),
                Err(error) => failed.push(refused(entry.id, error)),
            }
        }
        Ok(SendMessageBatchResult {
            successful: batch::listed(successful),
            failed: batch::listed(failed),
        })
    }
}

impl Entry {
    fn sent(self, sent: Sent) -> SendMessageBatchResultEntry {
        SendMessageBatchResultEntry {
            id: self.id,
            message_id: sent.id,
            md5_of_message_body: self.md5_of_body,
            md5_of_message_attributes: self.md5_of_user,
            md5_of_message_system_attributes: self.md5_of_system,
            sequence_number: sent.sequence,
        }
    }
}

fn prepare(
    entry: SendMessageBatchRequestEntry,
    context: &Context,
) -> Result<(Entry, NewMessage), BatchResultErrorEntry> {
    let SendMessageBatchRequestEntry {
        id,
        message_body,
        delay_seconds,
        message_attributes,
        message_system_attributes,
        message_deduplication_id,
        message_group_id,
    } = entry;
    let parts = Parts {
        body: message_body,
        delay: delay_seconds,
        attributes: message_attributes,
        system: message_system_attributes,
        dedup: message_deduplication_id,
        group: message_group_id,
    };
    match parts.prepare(context) {
        Err(error) => Err(batch::failed(id, &error)),
        Ok(Prepared {
            message,
            md5_of_system,
        }) => {
            let entry = Entry {
                id,
                md5_of_body: md5_of_text(&message.body),
                md5_of_user: md5_of_attributes(&message.attributes),
                md5_of_system,
            };
            Ok((entry, message))
        }
    }
}

/// Whether the messages together are not larger than one may be.
fn check_size(messages: &[NewMessage]) -> Result<(), ApiError> {
    let sum: usize = messages.iter().map(NewMessage::size).sum();
    if sum <= MESSAGE_BYTES as usize {
        return Ok(());
    }
    let text = format!(
        "Batch requests cannot be longer than {MESSAGE_BYTES} bytes. You have sent {sum} bytes."
    );
    Err(ApiError::of(&BATCH_REQUEST_TOO_LONG, text))
}

/// Whether all messages have what a queue with order needs; else AWS refuses the whole batch, as recorded by LocalStack.
fn check_order(
    messages: &[NewMessage],
    queue: &headwater_messages::QueueRecord,
) -> Result<(), ApiError> {
    let by_content = queue.settings.fifo.is_some_and(|fifo| fifo.by_content);
    if messages
        .iter()
        .any(|message| message.dedup.is_none() && !by_content)
    {
        return Err(fault(Fault::NoDedup));
    }
    if messages.iter().any(|message| message.group.is_none()) {
        return Err(invalid_parameter(
            "The request must contain the parameter MessageGroupId.",
        ));
    }
    Ok(())
}

fn refused(id: String, error: Fault) -> BatchResultErrorEntry {
    let is_long = matches!(error, Fault::TooLong(_));
    let mut entry = batch::failed(id, &fault(error));
    if let (true, Some(message)) = (is_long, &mut entry.message) {
        // AWS has other words for it within a batch, as recorded by LocalStack.
        *message = message.replace("are invalid.", "cannot be validated.");
    }
    entry
}
