//! CloudWatchLogProcessing: of what CloudWatch Logs sends, only the messages go on.

use serde::Deserialize;

use super::pure::Pure;
use crate::records::{Failure, Item};

/// Takes the messages of a subscription's record, each with a newline behind it. Records without log events, which
/// CloudWatch Logs sends to see whether somebody is there, go no further (AWS's page on message extraction).
pub struct LogEvents;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription {
    message_type: String,
    #[serde(default)]
    log_events: Vec<LogEvent>,
}

#[derive(Deserialize)]
struct LogEvent {
    message: String,
}

impl Pure for LogEvents {
    fn apply(&self, mut item: Item, out: &mut Vec<Item>) -> Result<(), Failure> {
        let read: Subscription = serde_json::from_slice(&item.data).map_err(|error| {
            let text = format!("The record is none of a CloudWatch Logs subscription: {error}");
            Failure::new("CloudWatchLogProcessing.Failed", text)
        })?;
        if read.message_type == "DATA_MESSAGE" && !read.log_events.is_empty() {
            let messages: String = read
                .log_events
                .into_iter()
                .flat_map(|event| [event.message, "\n".to_owned()])
                .collect();
            item.data = messages.into();
            out.push(item);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::item;

    fn run(data: &str) -> Result<Vec<bytes::Bytes>, Failure> {
        let mut out = Vec::new();
        LogEvents.apply(item(data.to_owned()), &mut out)?;
        Ok(out.into_iter().map(|item| item.data).collect())
    }

    #[test]
    fn messages_go_on_and_control_messages_do_not() {
        let data = r#"{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logStream":"s",
            "subscriptionFilters":["f"],"logEvents":[{"id":"1","timestamp":1,"message":"a"},
            {"id":"2","timestamp":2,"message":"{\"b\":1}"}]}"#;
        assert_eq!(run(data).unwrap(), ["a\n{\"b\":1}\n"]);
        assert!(
            run(r#"{"messageType":"CONTROL_MESSAGE","logEvents":[{"message":"m"}]}"#)
                .unwrap()
                .is_empty()
        );
        assert_eq!(
            run("[]").unwrap_err().code,
            "CloudWatchLogProcessing.Failed"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(data in r#"[\[{"messageType:DATA_,\]}]{0,60}"#) {
            drop(run(&data));
        }
    }
}
