//! PutMetricData: what was measured, durable when it is answered.

use headwater_shapes::Nothing;
use headwater_shapes_cloudwatch::{PutMetricDataInput, ops::PutMetricData};
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudWatch, data, errors::of_metrics, names::writable};

impl Handle<PutMetricData> for CloudWatch {
    async fn handle(&self, input: PutMetricDataInput, _: &Context) -> Result<Nothing, ApiError> {
        let PutMetricDataInput {
            namespace,
            metric_data,
            entity_metric_data,
            // It is about entities alone, which are refused.
            strict_entity_validation: _,
        } = input;
        if entity_metric_data.is_some() {
            return Err(ApiError::not_supported("EntityMetricData"));
        }
        writable(&namespace)?;
        let now = self.env.clock.now();
        let data = data::read(&namespace, metric_data.unwrap_or_default(), now)?;
        self.metrics.put(data).await.map_err(of_metrics)?;
        Ok(Nothing {})
    }
}
