//! ListQueues.

use headwater_shapes_sqs::{ListQueuesRequest, ListQueuesResult, ops::ListQueues};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Sqs, place::url, token};

impl Handle<ListQueues> for Sqs {
    async fn handle(
        &self,
        input: ListQueuesRequest,
        context: &Context,
    ) -> Result<ListQueuesResult, ApiError> {
        let ListQueuesRequest {
            queue_name_prefix,
            next_token,
            max_results,
        } = input;
        let limit = token::page(max_results)?;
        let after = next_token.as_deref().map(token::read).transpose()?;
        let prefix = queue_name_prefix.unwrap_or_default();
        let (found, has_more) = self.queues.list(&prefix, after.as_deref(), limit, |_| true);
        // Without MaxResults there are a thousand queues and no token. (Source: the API reference.)
        let last = found.last().filter(|_| has_more && max_results.is_some());
        let next_token = last.map(|queue| token::write(&queue.name));
        let urls: Vec<_> = found
            .iter()
            .map(|queue| url(&queue.name, context))
            .collect();
        Ok(ListQueuesResult {
            queue_urls: (!urls.is_empty()).then_some(urls),
            next_token,
        })
    }
}
