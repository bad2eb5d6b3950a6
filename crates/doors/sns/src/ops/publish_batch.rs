//! PublishBatch: all of its messages are on the disk when it is acknowledged, or none.

use std::collections::HashSet;

use headwater_shapes::ErrorShape;
use headwater_shapes_sns::{
    PublishBatchInput, PublishBatchRequestEntry, PublishBatchResponse, PublishBatchResultEntry,
    errors as shapes, ops::PublishBatch,
};
use headwater_topics::limits::{BATCH_MAX, MESSAGE_BYTES_MAX};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Sns,
    errors::api,
    messages::{Given, message, trace},
};

const ID_MAX: usize = 80;

impl Handle<PublishBatch> for Sns {
    async fn handle(
        &self,
        input: PublishBatchInput,
        context: &Context,
    ) -> Result<PublishBatchResponse, ApiError> {
        let PublishBatchInput {
            topic_arn,
            publish_batch_request_entries: entries,
        } = input;
        let topic = self.topic(&topic_arn, "SNS:Publish", context)?;
        check_ids(&entries)?;
        let (mut ids, mut messages, mut bytes) = (Vec::new(), Vec::new(), 0);
        // The bytes of all are looked at before those of each.
        let length = |entry: &PublishBatchRequestEntry| entry.message.len();
        if entries.iter().map(length).sum::<usize>() > MESSAGE_BYTES_MAX {
            return Err(too_long());
        }
        for entry in entries {
            let (id, given) = given(entry);
            let (mut message, size) = message(given, &topic)?;
            message.trace = trace(context);
            bytes += size;
            ids.push(id);
            messages.push(message);
        }
        if bytes > MESSAGE_BYTES_MAX {
            return Err(too_long());
        }
        let published = self
            .topics
            .publish(&topic.name, messages)
            .await
            .map_err(api)?;
        let done = |(id, message_id)| PublishBatchResultEntry {
            id: Some(id),
            message_id: Some(message_id),
            sequence_number: None,
        };
        Ok(PublishBatchResponse {
            successful: Some(ids.into_iter().zip(published).map(done).collect()),
            failed: Some(Vec::new()),
        })
    }
}

fn given(entry: PublishBatchRequestEntry) -> (String, Given) {
    let PublishBatchRequestEntry {
        id,
        message,
        subject,
        message_structure,
        message_attributes,
        message_deduplication_id,
        message_group_id,
    } = entry;
    let given = Given {
        message,
        subject,
        structure: message_structure,
        attributes: message_attributes,
        deduplication_id: message_deduplication_id,
        group_id: message_group_id,
    };
    (id, given)
}

fn too_long() -> ApiError {
    let text = "The length of all the messages put together is more than the limit.";
    ApiError::of(&shapes::BATCH_REQUEST_TOO_LONG_EXCEPTION, text)
}

fn check_ids(entries: &[PublishBatchRequestEntry]) -> Result<(), ApiError> {
    let no = |shape: &ErrorShape, text: String| Err(ApiError::of(shape, text));
    if entries.is_empty() {
        let text = "The batch request doesn't contain any entries.";
        return no(&shapes::EMPTY_BATCH_REQUEST_EXCEPTION, text.to_owned());
    }
    if entries.len() > BATCH_MAX {
        let text = "The batch request contains more entries than permissible.";
        return no(
            &shapes::TOO_MANY_ENTRIES_IN_BATCH_REQUEST_EXCEPTION,
            text.to_owned(),
        );
    }
    let mut seen = HashSet::new();
    for entry in entries {
        let id = &entry.id;
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let shape = &shapes::INVALID_BATCH_ENTRY_ID_EXCEPTION;
        if id.len() > ID_MAX {
            return no(
                shape,
                format!("The Id of a batch entry in the batch request is too long: {id}"),
            );
        }
        if id.is_empty() || !id.bytes().all(is_allowed) {
            return no(
                shape,
                format!(
                    "The Id of a batch entry in the batch request contains an impermissible character: {id}"
                ),
            );
        }
        if !seen.insert(id) {
            let text = "Two or more batch entries in the request have the same Id.";
            return no(
                &shapes::BATCH_ENTRY_IDS_NOT_DISTINCT_EXCEPTION,
                text.to_owned(),
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use headwater_shapes_sns::ops::PublishBatch;
    use serde_json::{Value, json};

    use crate::testing::{TOPIC, World};

    /// localstack's `test_publish_batch_exceptions`, `…_invalid_entry_id` and `…_too_long_message`.
    #[tokio::test]
    async fn a_batch_is_published_whole_or_refused() {
        let world = World::with_topic().await;
        let batch =
            |entries: Vec<Value>| json!({"TopicArn": TOPIC, "PublishBatchRequestEntries": entries});
        let entry = |id: &str| json!({"Id": id, "Message": "m"});
        let done = world
            .ok::<PublishBatch>(batch(vec![entry("a"), entry(&"b".repeat(80))]))
            .await;
        assert_eq!(done["Successful"][0]["Id"], "a");
        assert!(done["Successful"][1]["MessageId"].is_string());
        assert_eq!(done["Failed"], json!([]));
        let long = json!({"Id": "b", "Message": "m".repeat(200 * 1024)});
        let longer = json!({"Id": "c", "Message": "m".repeat(100 * 1024)});
        for (entries, text) in [
            (vec![], "The batch request doesn't contain any entries.".to_owned()),
            (
                (0..11).map(|i| entry(&i.to_string())).collect(),
                "The batch request contains more entries than permissible.".to_owned(),
            ),
            (
                vec![entry("a"), entry("a")],
                "Two or more batch entries in the request have the same Id.".to_owned(),
            ),
            (
                vec![entry("a.b")],
                "The Id of a batch entry in the batch request contains an impermissible character: a.b".to_owned(),
            ),
            (
                vec![entry(&"a".repeat(81))],
                format!("The Id of a batch entry in the batch request is too long: {}", "a".repeat(81)),
            ),
            (
                vec![long, longer],
                "The length of all the messages put together is more than the limit.".to_owned(),
            ),
        ] {
            assert_eq!(world.refused::<PublishBatch>(batch(entries)).await.1, text);
        }
    }
}
