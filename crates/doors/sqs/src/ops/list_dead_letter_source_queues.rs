//! ListDeadLetterSourceQueues.

use headwater_shapes_sqs::{
    ListDeadLetterSourceQueuesRequest, ListDeadLetterSourceQueuesResult,
    ops::ListDeadLetterSourceQueues,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Sqs, place::url, redrive::is_source_of, token};

impl Handle<ListDeadLetterSourceQueues> for Sqs {
    async fn handle(
        &self,
        input: ListDeadLetterSourceQueuesRequest,
        context: &Context,
    ) -> Result<ListDeadLetterSourceQueuesResult, ApiError> {
        let ListDeadLetterSourceQueuesRequest {
            queue_url,
            next_token,
            max_results,
        } = input;
        let queue = self.queue(&queue_url, context)?;
        let limit = token::page(max_results)?;
        let after = next_token.as_deref().map(token::read).transpose()?;
        let is_source = |found: &_| is_source_of(found, &queue.name);
        let (found, has_more) = self.queues.list("", after.as_deref(), limit, is_source);
        let last = found.last().filter(|_| has_more && max_results.is_some());
        Ok(ListDeadLetterSourceQueuesResult {
            next_token: last.map(|queue| token::write(&queue.name)),
            queue_urls: found
                .iter()
                .map(|queue| url(&queue.name, context))
                .collect(),
        })
    }
}
