//! Requests to confirm: that an address subscribes, or that a subscription of one was cancelled by whoever had the link.
//!
//! A request stands in the catalog until it is answered or given up, so a crash sends it again. Its token is good for two
//! days, and so often as it is used.

use bytes::Bytes;
use headwater_catalog::Expect;
use headwater_types::Millis;
use http::Request as HttpRequest;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Retries, Subscription,
    envelope::{Request, Signature},
    flight::{Answer, answer_of, web_request},
    limits::REQUEST_TIME,
    topics::World,
};

/// A confirmation that may come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Token {
    /// The subscription as it was.
    pub subscription: Subscription,
    /// When it was made.
    pub made: Millis,
    /// Whether it brings a subscription back that was cancelled.
    pub restores: bool,
}

/// A request to confirm something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    /// The subscription as it was.
    pub subscription: Subscription,
    /// The token that confirms.
    pub token: String,
    /// When it was made.
    pub made: Millis,
    /// Whether it is about a new subscription, rather than one that was cancelled.
    pub is_new: bool,
    /// The version of its signature.
    pub signature_version: u8,
    /// How it is tried again.
    pub retries: Retries,
}

/// Sends a request until it is answered or given up, and removes it then.
pub(crate) async fn send(world: &World, id: &str, notice: &Notice) {
    let mut failed = 0;
    while let Err(why) = send_once(world, id, notice).await {
        failed += 1;
        let endpoint = &notice.subscription.endpoint;
        tracing::warn!(endpoint, why, "a request to confirm was not answered");
        match notice.retries.wait(failed) {
            Some(wait) => world.env.clock.sleep(wait).await,
            None => break,
        }
    }
    // One that this fails to remove is sent again after the next start.
    if let Err(error) = world.store.notices.remove(id, Expect::Any).await {
        tracing::warn!(%error, "a request that was sent could not be removed");
    }
}

async fn send_once(world: &World, id: &str, notice: &Notice) -> Result<(), String> {
    // An error would mean that the places are closed, which nobody does.
    let _place = world.notices.acquire().await;
    let request = request(world, id, notice).await;
    let request = request.map_err(|error| error.to_string())?;
    match answer_of(world.endpoints.post(request, REQUEST_TIME).await) {
        // An endpoint that refuses to be asked is not asked again.
        Answer::Taken | Answer::Refused(_) => Ok(()),
        Answer::Failed(why) => Err(why),
    }
}

async fn request(world: &World, id: &str, notice: &Notice) -> Result<HttpRequest<Bytes>, Error> {
    let Notice {
        subscription,
        token,
        made,
        is_new,
        signature_version,
        ..
    } = notice;
    let request = Request {
        place: &world.place,
        topic: &subscription.topic,
        subscription: &subscription.id,
        is_new: *is_new,
        id,
        token,
        time: *made,
    };
    let text = request.signed_text();
    let signed = Signature {
        version: *signature_version,
        signature: world.signer.sign(*signature_version, text).await?,
        certificate: world.place.certificate(&world.signer.key().await?.id),
    };
    let topic = world.place.topic(&subscription.topic).to_string();
    let of = world
        .place
        .subscription(&subscription.topic, &subscription.id);
    let mut headers = vec![
        ("x-amz-sns-message-type", request.kind().to_owned()),
        ("x-amz-sns-message-id", id.to_owned()),
        ("x-amz-sns-topic-arn", topic),
    ];
    if !is_new {
        headers.push(("x-amz-sns-subscription-arn", of));
    }
    web_request(
        subscription,
        None,
        &headers,
        request.document(&signed).into(),
    )
}
