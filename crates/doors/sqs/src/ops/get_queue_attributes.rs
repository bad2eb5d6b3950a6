//! GetQueueAttributes.

use headwater_shapes_sqs::{
    GetQueueAttributesRequest, GetQueueAttributesResult, ops::GetQueueAttributes,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::Sqs;

impl Handle<GetQueueAttributes> for Sqs {
    async fn handle(
        &self,
        input: GetQueueAttributesRequest,
        context: &Context,
    ) -> Result<GetQueueAttributesResult, ApiError> {
        let GetQueueAttributesRequest {
            queue_url,
            attribute_names,
        } = input;
        let queue = self.queue(&queue_url, context)?;
        let names = attribute_names.unwrap_or_default();
        let shown = self.shown(&queue, &names, context).await?;
        let attributes = (!shown.is_empty()).then_some(shown);
        Ok(GetQueueAttributesResult { attributes })
    }
}
