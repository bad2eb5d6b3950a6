//! ListSubscriptions, and how subscriptions are listed.

use headwater_shapes_sns::{
    ListSubscriptionsInput, ListSubscriptionsResponse, Subscription as Listed,
    ops::ListSubscriptions,
};
use headwater_topics::{Place, Subscription};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Sns,
    errors::api,
    names::{PAGE, behind, token},
};

impl Handle<ListSubscriptions> for Sns {
    async fn handle(
        &self,
        input: ListSubscriptionsInput,
        _context: &Context,
    ) -> Result<ListSubscriptionsResponse, ApiError> {
        let ListSubscriptionsInput { next_token } = input;
        let after = behind(next_token)?;
        let found = self.topics.subscriptions(None, after.as_deref(), PAGE + 1);
        let (subscriptions, next_token) = page(found.map_err(api)?, self.topics.place());
        Ok(ListSubscriptionsResponse {
            subscriptions: Some(subscriptions),
            next_token,
        })
    }
}

/// A page of subscriptions, and the token of the next one if there is one.
pub(super) fn page(mut found: Vec<Subscription>, place: &Place) -> (Vec<Listed>, Option<String>) {
    let is_more = found.len() > PAGE;
    found.truncate(PAGE);
    let last = found.last().filter(|_| is_more);
    let next = last.map(|last| token(&last.id));
    (
        found.into_iter().map(|it| listed(it, place)).collect(),
        next,
    )
}

/// A subscription as it is listed: one that is not confirmed has no ARN yet.
fn listed(subscription: Subscription, place: &Place) -> Listed {
    let Subscription {
        id,
        topic,
        protocol,
        endpoint,
        owner,
        confirmed,
        ..
    } = subscription;
    let arn = match confirmed {
        true => place.subscription(&topic, &id),
        false => "PendingConfirmation".to_owned(),
    };
    Listed {
        subscription_arn: Some(arn),
        owner: Some(owner),
        protocol: Some(protocol.to_string()),
        endpoint: Some(endpoint),
        topic_arn: Some(place.topic(&topic).to_string()),
    }
}
