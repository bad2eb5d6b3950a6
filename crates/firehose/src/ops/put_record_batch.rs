//! PutRecordBatch.

use headwater_shapes::firehose::{
    PutRecordBatchInput, PutRecordBatchOutput, PutRecordBatchResponseEntry, ops::PutRecordBatch,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Firehose, errors::api};

impl Handle<PutRecordBatch> for Firehose {
    /// The batch is appended as one, so that no record fails by itself.
    async fn handle(
        &self,
        input: PutRecordBatchInput,
        context: &Context,
    ) -> Result<PutRecordBatchOutput, ApiError> {
        let records = input.records.into_iter().map(|record| record.data.0).collect();
        let put = self.deliveries.put(&input.delivery_stream_name, records).await;
        let ids = put.map_err(|error| api(error, context))?;
        let response = |id| PutRecordBatchResponseEntry { record_id: Some(id), ..Default::default() };
        Ok(PutRecordBatchOutput {
            failed_put_count: 0,
            encrypted: Some(false),
            request_responses: ids.into_iter().map(response).collect(),
        })
    }
}
