//! The SNS door: AWS's operations over the topics domain, one file an operation.
//!
//! Owns SNS's spelling: ARNs, attributes, policies, defaults, texts, and which endpoints there may be. Keeps no state of
//! its own. What becomes of a message that was published is the domain's. Operations and settings that the model has and
//! this has not are refused with an error that names them. Texts are those recorded on AWS by the tests of localstack,
//! where those have them.

mod attributes;
mod delivery_policy;
mod errors;
mod messages;
mod names;
mod ops;
mod permissions;
#[cfg(test)]
mod testing;

use std::sync::Arc;

use headwater_env::Env;
use headwater_http::{Body, body};
use headwater_shapes_sns::{SERVICE, ops as shapes};
use headwater_topics::Topics;
use headwater_wire::{READS, Routes, Table, WRITES};
use http::{HeaderValue, Method, Request, Response, header};

/// The state that handlers run on.
pub struct Sns {
    /// The clock, which policies may ask for.
    pub env: Env,
    /// The topics.
    pub topics: Arc<Topics>,
}

/// The operations that are built.
pub fn table(sns: Arc<Sns>) -> Table {
    let publishes = WRITES.data().shared();
    let confirms = WRITES.anonymous("TopicArn");
    let cancels = WRITES.anonymous("SubscriptionArn");
    Routes::new(&SERVICE, sns)
        .route_on::<shapes::AddPermission>(WRITES.shared(), |input, _| input.topic_arn.clone())
        .route_on::<shapes::ConfirmSubscription>(confirms, |input, _| input.topic_arn.clone())
        .route::<shapes::CreateTopic>(WRITES)
        .route_on::<shapes::DeleteTopic>(WRITES.shared(), |input, _| input.topic_arn.clone())
        .route_on::<shapes::GetSubscriptionAttributes>(READS, |it, _| it.subscription_arn.clone())
        .route_on::<shapes::GetTopicAttributes>(READS.shared(), |it, _| it.topic_arn.clone())
        .route::<shapes::ListSubscriptions>(READS)
        .route_on::<shapes::ListSubscriptionsByTopic>(READS.shared(), |it, _| it.topic_arn.clone())
        .route_on::<shapes::ListTagsForResource>(READS, |input, _| input.resource_arn.clone())
        .route::<shapes::ListTopics>(READS)
        .route_on::<shapes::Publish>(publishes, |input, _| {
            let named = input.topic_arn.as_ref().or(input.target_arn.as_ref());
            named.cloned().unwrap_or_default()
        })
        .route_on::<shapes::PublishBatch>(publishes.action("sns:Publish"), |input, _| {
            input.topic_arn.clone()
        })
        .route_on::<shapes::RemovePermission>(WRITES.shared(), |input, _| input.topic_arn.clone())
        .route_on::<shapes::SetSubscriptionAttributes>(WRITES, |it, _| it.subscription_arn.clone())
        .route_on::<shapes::SetTopicAttributes>(WRITES.shared(), |it, _| it.topic_arn.clone())
        .route_on::<shapes::Subscribe>(WRITES.shared(), |input, _| input.topic_arn.clone())
        .route_on::<shapes::TagResource>(WRITES, |input, _| input.resource_arn.clone())
        .route_on::<shapes::Unsubscribe>(cancels, |input, _| input.subscription_arn.clone())
        .route_on::<shapes::UntagResource>(WRITES, |input, _| input.resource_arn.clone())
        .build()
}

/// The page with the certificate that messages are checked with; none where a request is for another page.
pub async fn certificate(topics: &Topics, request: &Request<()>) -> Option<Response<Body>> {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return None;
    }
    // What fails is told by the pages of others: there is none here.
    let found = topics.certificate(request.uri().path()).await.ok()??;
    let mut response = Response::new(body::full(found));
    let content_type = HeaderValue::from_static("application/x-pem-file");
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    Some(response)
}
