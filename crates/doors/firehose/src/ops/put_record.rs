//! PutRecord.

use headwater_shapes_firehose::{PutRecordInput, PutRecordOutput, Record, ops::PutRecord};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Firehose,
    errors::{api, slow_down},
};

impl Handle<PutRecord> for Firehose {
    async fn handle(
        &self,
        input: PutRecordInput,
        context: &Context,
    ) -> Result<PutRecordOutput, ApiError> {
        let PutRecordInput {
            delivery_stream_name,
            record,
        } = input;
        let Record { data } = record;
        let put = self
            .deliveries
            .put(&delivery_stream_name, vec![data.0])
            .await;
        let mut accepted = put.map_err(|error| api(error, context))?;
        let record_id = accepted.ids.pop().flatten().ok_or_else(slow_down)?;
        Ok(PutRecordOutput {
            record_id,
            encrypted: Some(accepted.encrypted),
        })
    }
}
