//! ListTopics.

use headwater_shapes_sns::{ListTopicsInput, ListTopicsResponse, Topic, ops::ListTopics};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Sns,
    names::{PAGE, behind, token},
};

impl Handle<ListTopics> for Sns {
    async fn handle(
        &self,
        input: ListTopicsInput,
        _context: &Context,
    ) -> Result<ListTopicsResponse, ApiError> {
        let ListTopicsInput { next_token } = input;
        let after = behind(next_token)?;
        let mut names = self.topics.list(after.as_deref(), PAGE + 1);
        let is_more = names.len() > PAGE;
        names.truncate(PAGE);
        let next_token = names.last().filter(|_| is_more).map(|last| token(last));
        let place = self.topics.place();
        let topic = |name: String| Topic {
            topic_arn: Some(place.topic(&name).to_string()),
        };
        Ok(ListTopicsResponse {
            topics: Some(names.into_iter().map(topic).collect()),
            next_token,
        })
    }
}
