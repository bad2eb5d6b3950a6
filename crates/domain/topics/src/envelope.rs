//! The forms in which messages come to subscribers, and the texts that are signed of them.
//!
//! Names, their order and the blanks between them are AWS's, since there are subscribers that look at more than the JSON.

use std::collections::BTreeMap;

use bytes::Bytes;
use headwater_types::Millis;
use serde_json::{Value as Json, json};

use crate::{Attribute, Message, Place};

/// A message on its way to a subscription.
pub(crate) struct Delivery<'a> {
    pub place: &'a Place,
    pub topic: &'a str,
    pub subscription: &'a str,
    pub message: &'a Message,
    /// The body for the subscription's protocol.
    pub body: &'a str,
    /// When it was published.
    pub time: Millis,
}

/// A signature with what tells how to check it.
pub(crate) struct Signature {
    pub version: u8,
    pub signature: String,
    pub certificate: String,
}

impl Delivery<'_> {
    /// The text that a notification's signature is of.
    pub fn signed_text(&self) -> String {
        let topic = self.place.topic(self.topic).to_string();
        let time = timestamp(self.time);
        let subject = self.message.subject.as_deref();
        let lines = [
            ("Message", Some(self.body)),
            ("MessageId", Some(&*self.message.id)),
            ("Subject", subject),
            ("Timestamp", Some(&*time)),
            ("TopicArn", Some(&*topic)),
            ("Type", Some("Notification")),
        ];
        lines_of(&lines)
    }

    /// A notification for queues and HTTP.
    pub fn notification(&self, signed: &Signature) -> String {
        let topic = self.place.topic(self.topic).to_string();
        let cancel = self.place.cancel(self.topic, self.subscription);
        let (time, version) = (timestamp(self.time), signed.version.to_string());
        let mut members = vec![
            ("Type", text("Notification")),
            ("MessageId", text(&self.message.id)),
            ("TopicArn", text(&topic)),
        ];
        if let Some(subject) = &self.message.subject {
            members.push(("Subject", text(subject)));
        }
        members.extend([
            ("Message", text(self.body)),
            ("Timestamp", text(&time)),
            ("SignatureVersion", text(&version)),
            ("Signature", text(&signed.signature)),
            ("SigningCertURL", text(&signed.certificate)),
            ("UnsubscribeURL", text(&cancel)),
        ]);
        if !self.message.attributes.is_empty() {
            members.push((
                "MessageAttributes",
                spread_attributes(&self.message.attributes),
            ));
        }
        document(&members)
    }

    /// An event for functions.
    pub fn event(&self, signed: &Signature) -> Bytes {
        let Self { place, message, .. } = self;
        let event = json!({"Records": [{
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": place.subscription(self.topic, self.subscription),
            "Sns": {
                "Type": "Notification",
                "MessageId": message.id,
                "TopicArn": place.topic(self.topic).to_string(),
                "Subject": message.subject,
                "Message": self.body,
                "Timestamp": timestamp(self.time),
                "SignatureVersion": signed.version.to_string(),
                "Signature": signed.signature,
                "SigningCertUrl": signed.certificate,
                "UnsubscribeUrl": place.cancel(self.topic, self.subscription),
                "MessageAttributes": attributes(&message.attributes),
            },
        }]});
        Bytes::from(event.to_string())
    }

    /// A line for delivery streams, which has no signature.
    pub fn archived(&self) -> Bytes {
        let Self { place, message, .. } = self;
        let mut members = vec![
            ("Type", text("Notification")),
            ("MessageId", text(&message.id)),
            ("TopicArn", text(&place.topic(self.topic).to_string())),
        ];
        if let Some(subject) = &message.subject {
            members.push(("Subject", text(subject)));
        }
        members.extend([
            ("Message", text(self.body)),
            ("Timestamp", text(&timestamp(self.time))),
            (
                "UnsubscribeURL",
                text(&place.cancel(self.topic, self.subscription)),
            ),
        ]);
        if !message.attributes.is_empty() {
            members.push((
                "MessageAttributes",
                attributes(&message.attributes).to_string(),
            ));
        }
        let members = members.iter();
        let members: Vec<String> = members
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        Bytes::from(format!("{{{}}}\n", members.join(",")))
    }
}

/// A request to confirm a subscription, or that it was cancelled.
pub(crate) struct Request<'a> {
    pub place: &'a Place,
    pub topic: &'a str,
    pub subscription: &'a str,
    /// Whether it is about a new subscription.
    pub is_new: bool,
    pub id: &'a str,
    pub token: &'a str,
    pub time: Millis,
}

impl Request<'_> {
    /// What it is, as AWS names it.
    pub fn kind(&self) -> &'static str {
        match self.is_new {
            true => "SubscriptionConfirmation",
            false => "UnsubscribeConfirmation",
        }
    }

    fn message(&self) -> String {
        let topic = self.place.topic(self.topic);
        match self.is_new {
            true => format!(
                "You have chosen to subscribe to the topic {topic}.\nTo confirm the subscription, visit the \
                 SubscribeURL included in this message."
            ),
            false => format!(
                "You have chosen to deactivate subscription {topic}:{}.\nTo cancel this operation and restore the \
                 subscription, visit the SubscribeURL included in this message.",
                self.subscription
            ),
        }
    }

    /// The text that its signature is of.
    pub fn signed_text(&self) -> String {
        let (topic, message) = (self.place.topic(self.topic).to_string(), self.message());
        let (confirm, time) = (
            self.place.confirm(self.topic, self.token),
            timestamp(self.time),
        );
        lines_of(&[
            ("Message", Some(&message)),
            ("MessageId", Some(self.id)),
            ("SubscribeURL", Some(&confirm)),
            ("Timestamp", Some(&time)),
            ("Token", Some(self.token)),
            ("TopicArn", Some(&topic)),
            ("Type", Some(self.kind())),
        ])
    }

    /// The request itself.
    pub fn document(&self, signed: &Signature) -> String {
        document(&[
            ("Type", text(self.kind())),
            ("MessageId", text(self.id)),
            ("Token", text(self.token)),
            ("TopicArn", text(&self.place.topic(self.topic).to_string())),
            ("Message", text(&self.message())),
            (
                "SubscribeURL",
                text(&self.place.confirm(self.topic, self.token)),
            ),
            ("Timestamp", text(&timestamp(self.time))),
            ("SignatureVersion", text(&signed.version.to_string())),
            ("Signature", text(&signed.signature)),
            ("SigningCertURL", text(&signed.certificate)),
        ])
    }
}

/// Names and values, a line each, without those that there are not.
fn lines_of(lines: &[(&str, Option<&str>)]) -> String {
    let lines = lines.iter();
    let lines = lines.filter_map(|(name, value)| Some(format!("{name}\n{}\n", (*value)?)));
    lines.collect()
}

/// A text as JSON.
fn text(text: &str) -> String {
    Json::from(text).to_string()
}

/// A JSON object with a member a line.
fn document(members: &[(&str, String)]) -> String {
    let lines: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("  \"{name}\" : {value}"))
        .collect();
    format!("{{\n{}\n}}", lines.join(",\n"))
}

fn attributes(attributes: &BTreeMap<String, Attribute>) -> Json {
    let attributes = attributes.iter();
    let of = |(name, it): (&String, &Attribute)| {
        let value = json!({"Type": it.data_type, "Value": it.value.text()});
        (name.clone(), value)
    };
    Json::Object(attributes.map(of).collect())
}

/// Attributes as the value of a member, with one a line.
fn spread_attributes(attributes: &BTreeMap<String, Attribute>) -> String {
    let lines: Vec<String> = attributes
        .iter()
        .map(|(name, it)| {
            let (name, kind, value) = (text(name), text(&it.data_type), text(it.value.text()));
            format!("    {name} : {{\"Type\":{kind},\"Value\":{value}}}")
        })
        .collect();
    format!("{{\n{}\n  }}", lines.join(",\n"))
}

/// A time with milliseconds, as AWS writes it here.
fn timestamp(time: Millis) -> String {
    let time = i64::try_from(time.0).ok();
    let time = time.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let time = time.unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use headwater_types::{Account, Region};

    use super::*;
    use crate::Value;

    #[test]
    fn a_notification_has_the_form_that_aws_gives_it() {
        let place = Place {
            account: Account("000000000000".to_owned()),
            region: Region("us-east-1".to_owned()),
            base: "http://h".to_owned(),
        };
        let attribute = Attribute {
            data_type: "Number".to_owned(),
            value: Value::Text("9".to_owned()),
        };
        let message = Message {
            id: "m".to_owned(),
            subject: Some("s".to_owned()),
            body: "b\"ö".to_owned(),
            attributes: [("a".to_owned(), attribute)].into(),
            ..Message::default()
        };
        let delivery = Delivery {
            place: &place,
            topic: "t",
            subscription: "i",
            message: &message,
            body: &message.body,
            time: Millis(1_335_920_046_655),
        };
        let signature = Signature {
            version: 1,
            signature: "x".to_owned(),
            certificate: "c".to_owned(),
        };
        let topic = "arn:aws:sns:us-east-1:000000000000:t";
        assert_eq!(
            delivery.notification(&signature),
            format!(
                "{{\n  \"Type\" : \"Notification\",\n  \"MessageId\" : \"m\",\n  \"TopicArn\" : \"{topic}\",\n  \
                 \"Subject\" : \"s\",\n  \"Message\" : \"b\\\"ö\",\n  \"Timestamp\" : \"2012-05-02T00:54:06.655Z\",\n  \
                 \"SignatureVersion\" : \"1\",\n  \"Signature\" : \"x\",\n  \"SigningCertURL\" : \"c\",\n  \
                 \"UnsubscribeURL\" : \"http://h/?Action=Unsubscribe&SubscriptionArn={topic}:i\",\n  \
                 \"MessageAttributes\" : {{\n    \"a\" : {{\"Type\":\"Number\",\"Value\":\"9\"}}\n  }}\n}}"
            )
        );
        assert_eq!(
            delivery.signed_text(),
            format!(
                "Message\nb\"ö\nMessageId\nm\nSubject\ns\nTimestamp\n2012-05-02T00:54:06.655Z\nTopicArn\n{topic}\nType\n\
                 Notification\n"
            )
        );
        let archived = String::from_utf8(delivery.archived().to_vec()).unwrap();
        assert!(archived.starts_with("{\"Type\":\"Notification\",") && archived.ends_with("}\n"));
        let archived: Json = serde_json::from_str(&archived).unwrap();
        assert_eq!(archived["MessageAttributes"]["a"]["Value"], "9");
    }
}
