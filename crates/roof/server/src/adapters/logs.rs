//! Functions and deliveries leave lines in log groups.

use async_trait::async_trait;
use headwater_delivery as delivery;
use headwater_functions as functions;
use headwater_loggroups::{Batch, LogGroups, NewEvent};
use headwater_types::Millis;

/// Keeps what functions print.
pub struct FunctionLog(pub LogGroups);

/// Keeps what goes wrong with deliveries.
pub struct DeliveryLog(pub LogGroups);

#[async_trait]
impl functions::LogSink for FunctionLog {
    async fn append(&self, batches: &[functions::LogBatch]) -> Result<(), String> {
        let event = |line: &functions::LogLine| NewEvent {
            time: line.time,
            message: line.message.clone(),
        };
        let batch = |batch: &functions::LogBatch| Batch {
            group: batch.group.clone(),
            stream: batch.stream.clone(),
            events: batch.lines.iter().map(event).collect(),
        };
        let batches: Vec<Batch> = batches.iter().map(batch).collect();
        self.0
            .append(batches)
            .await
            .map_err(|error| error.to_string())
    }
}

#[async_trait]
impl delivery::LogSink for DeliveryLog {
    async fn append(&self, group: &str, stream: &str, time: Millis, line: String) {
        let events = vec![NewEvent {
            time,
            message: line,
        }];
        let batch = Batch {
            group: group.to_owned(),
            stream: stream.to_owned(),
            events,
        };
        if let Err(error) = self.0.append(vec![batch]).await {
            tracing::warn!(%error, group, stream, "a line about a delivery could not be kept");
        }
    }
}
