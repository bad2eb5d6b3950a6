//! Where topics are: their ARNs, and the addresses that messages name.

use headwater_types::{Account, Arn, Region};

/// The account, the region, and the address of the server.
#[derive(Debug, Clone)]
pub struct Place {
    /// The account that topics belong to.
    pub account: Account,
    /// Their region.
    pub region: Region,
    /// The server's address, without a slash at its end: `http://127.0.0.1:4566`.
    pub base: String,
}

/// The path of the page with the certificate, among the server's own.
const PAGES: &str = "/_headwater/sns/";

impl Place {
    /// The ARN of a topic.
    pub fn topic(&self, name: &str) -> Arn {
        Arn::new("sns", &self.region, &self.account, name)
    }

    /// The ARN of a subscription.
    pub fn subscription(&self, topic: &str, id: &str) -> String {
        format!("{}:{id}", self.topic(topic))
    }

    /// The address that confirms.
    pub(crate) fn confirm(&self, topic: &str, token: &str) -> String {
        let (base, topic) = (&self.base, self.topic(topic));
        format!("{base}/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}")
    }

    /// The address that cancels a subscription.
    pub(crate) fn cancel(&self, topic: &str, id: &str) -> String {
        let (base, subscription) = (&self.base, self.subscription(topic, id));
        format!("{base}/?Action=Unsubscribe&SubscriptionArn={subscription}")
    }

    /// The path of the certificate with that id.
    pub(crate) fn certificate_path(&self, id: &str) -> String {
        format!("{PAGES}SimpleNotificationService-{id}.pem")
    }

    /// The address of that certificate.
    pub(crate) fn certificate(&self, id: &str) -> String {
        format!("{}{}", self.base, self.certificate_path(id))
    }
}
