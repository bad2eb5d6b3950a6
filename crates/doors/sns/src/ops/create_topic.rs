//! CreateTopic.

use std::collections::BTreeMap;

use headwater_shapes_sns::{CreateTopicInput, CreateTopicResponse, Tag, ops::CreateTopic};
use headwater_topics::TopicSettings;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Sns,
    attributes::set_of_topic,
    errors::{api, invalid, of_fault},
    ops::tag_resource::tags_of,
};

const NAME_MAX: usize = 256;

impl Handle<CreateTopic> for Sns {
    async fn handle(
        &self,
        input: CreateTopicInput,
        _context: &Context,
    ) -> Result<CreateTopicResponse, ApiError> {
        let CreateTopicInput {
            name,
            attributes,
            tags,
            data_protection_policy,
        } = input;
        let attributes = attributes.unwrap_or_default();
        check_name(&name, &attributes)?;
        if data_protection_policy.is_some_and(|policy| !policy.is_empty()) {
            return Err(ApiError::not_supported("DataProtectionPolicy"));
        }
        let mut settings = TopicSettings::default();
        for (name, value) in &attributes {
            let known = set_of_topic(&mut settings, name, value).map_err(of_fault)?;
            // That it is no FIFO topic was seen above.
            if !known && name != "FifoTopic" {
                return Err(invalid(format!(
                    "Attributes Reason: Unknown attribute {name}"
                )));
            }
        }
        let tags: Vec<Tag> = tags.unwrap_or_default();
        let created = self.topics.create(&name, settings, tags_of(tags)?);
        let topic = created.await.map_err(api)?;
        Ok(CreateTopicResponse {
            topic_arn: Some(self.topics.place().topic(&topic.name).to_string()),
        })
    }
}

fn check_name(name: &str, attributes: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let is_fifo = match attributes
        .get("FifoTopic")
        .map(|value| value.to_ascii_lowercase())
    {
        None => false,
        Some(value) if value == "false" || value.is_empty() => false,
        Some(value) if value == "true" => true,
        Some(_) => return Err(invalid("FifoTopic Reason: must be true or false")),
    };
    let base = name.strip_suffix(".fifo");
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let plain = base.unwrap_or(name);
    let is_name = (1..=NAME_MAX).contains(&name.len()) && plain.bytes().all(is_allowed);
    match is_name && base.is_some() == is_fifo {
        true if is_fifo => Err(invalid(
            "FifoTopic Reason: Headwater does not support FIFO topics yet",
        )),
        true => Ok(()),
        false => Err(invalid("Topic Name")),
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_sns::ops::{
        CreateTopic, DeleteTopic, GetTopicAttributes, ListTagsForResource, ListTopics,
        SetTopicAttributes,
    };
    use serde_json::{Value, json};

    use crate::testing::{TOPIC, World, invalid};

    /// localstack's `test_create_topic_name_constraints`.
    #[tokio::test]
    async fn names_are_letters_and_digits() {
        let world = World::new().await;
        let long = "a".repeat(256);
        world.ok::<CreateTopic>(json!({"Name": long})).await;
        let longer = "a".repeat(257);
        for name in ["", &longer, "a.fifo", "a b", "a.b", "a!", "ä", "a:b"] {
            let refused = world.refused::<CreateTopic>(json!({"Name": name})).await;
            assert_eq!(refused, invalid("Topic Name"), "{name}");
        }
        let fifo = |name: &str| json!({"Name": name, "Attributes": {"FifoTopic": "true"}});
        assert_eq!(
            world.refused::<CreateTopic>(fifo("a")).await,
            invalid("Topic Name")
        );
        assert_eq!(
            world.refused::<CreateTopic>(fifo("a.fifo")).await,
            invalid("FifoTopic Reason: Headwater does not support FIFO topics yet")
        );
    }

    /// localstack's `test_create_topic_different_attrs` and `test_create_duplicate_topic…`.
    #[tokio::test]
    async fn a_topic_that_is_there_is_found_where_it_is_no_other() {
        let world = World::new().await;
        let create = |attributes: Value, tags: Value| json!({"Name": "t", "Attributes": attributes, "Tags": tags});
        let tags = json!([{"Key": "a", "Value": "1"}]);
        let first = create(json!({"DisplayName": "x"}), tags.clone());
        let created = world.ok::<CreateTopic>(first.clone()).await;
        assert_eq!(created, json!({"TopicArn": TOPIC}));
        for same in [first, create(json!({}), json!([])), create(json!({}), tags)] {
            assert_eq!(world.ok::<CreateTopic>(same).await, created);
        }
        for other in [
            json!({"DisplayName": "y"}),
            json!({"DisplayName": "x", "SignatureVersion": "2"}),
        ] {
            assert_eq!(
                world.refused::<CreateTopic>(create(other, json!([]))).await,
                invalid("Attributes Reason: Topic already exists with different attributes")
            );
        }
        let more = json!([{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}]);
        assert_eq!(
            world.refused::<CreateTopic>(create(json!({}), more)).await,
            invalid("Tags Reason: Topic already exists with different tags")
        );
        world.ok::<DeleteTopic>(json!({"TopicArn": TOPIC})).await;
        world.ok::<DeleteTopic>(json!({"TopicArn": TOPIC})).await;
        world.ok::<CreateTopic>(json!({"Name": "t"})).await;
        let tags = world
            .ok::<ListTagsForResource>(json!({"ResourceArn": TOPIC}))
            .await;
        assert_eq!(tags, json!({"Tags": []}));
    }

    #[tokio::test]
    async fn attributes_are_set_and_shown() {
        let world = World::with_topic().await;
        let get = async || {
            let got = world
                .ok::<GetTopicAttributes>(json!({"TopicArn": TOPIC}))
                .await;
            got["Attributes"].clone()
        };
        let first = get().await;
        let effective = "{\"http\":{\"defaultHealthyRetryPolicy\":{\"minDelayTarget\":20,\"maxDelayTarget\":20,\
            \"numRetries\":3,\"numMaxDelayRetries\":0,\"numNoDelayRetries\":0,\"numMinDelayRetries\":0,\
            \"backoffFunction\":\"linear\"},\"disableSubscriptionOverrides\":false,\"defaultRequestPolicy\":\
            {\"headerContentType\":\"text/plain; charset=UTF-8\"}}}";
        assert_eq!(first["EffectiveDeliveryPolicy"], effective);
        assert_eq!(first["DisplayName"], "");
        assert_eq!(first["SubscriptionsConfirmed"], "0");
        assert!(first.get("DeliveryPolicy").is_none() && first.get("SignatureVersion").is_none());
        let set = |name: &str, value: &str| json!({"TopicArn": TOPIC, "AttributeName": name, "AttributeValue": value});
        let healthy = r#"{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":5,"maxDelayTarget":6,"numRetries":1}}}"#;
        world
            .ok::<SetTopicAttributes>(set("DeliveryPolicy", healthy))
            .await;
        world
            .ok::<SetTopicAttributes>(set("SignatureVersion", "2"))
            .await;
        let second = get().await;
        assert_eq!(
            second["DeliveryPolicy"],
            "{\"http\":{\"defaultHealthyRetryPolicy\":{\"minDelayTarget\":5,\"maxDelayTarget\":6,\"numRetries\":1},\
             \"disableSubscriptionOverrides\":false}}"
        );
        assert_eq!(second["SignatureVersion"], "2");
        let none = r#"{"http":{"defaultHealthyRetryPolicy":null}}"#;
        world
            .ok::<SetTopicAttributes>(set("DeliveryPolicy", none))
            .await;
        assert_eq!(
            get().await["DeliveryPolicy"],
            "{\"http\":{\"disableSubscriptionOverrides\":false}}"
        );
        world
            .ok::<SetTopicAttributes>(set("DeliveryPolicy", ""))
            .await;
        assert!(get().await.get("DeliveryPolicy").is_none());
        for (name, value, why) in [
            ("Nothing", "x", "AttributeName"),
            ("TopicArn", "x", "AttributeName"),
            ("Policy", "{}", "Policy Error: null"),
            (
                "KmsMasterKeyId",
                "k",
                "KmsMasterKeyId Reason: Headwater does not support KmsMasterKeyId yet",
            ),
            (
                "DeliveryPolicy",
                r#"{"http":{"defaultThrottlePolicy":{"maxReceivesPerSecond":1}}}"#,
                "DeliveryPolicy: Headwater does not support http.defaultThrottlePolicy yet",
            ),
        ] {
            let refused = world.refused::<SetTopicAttributes>(set(name, value)).await;
            assert_eq!(refused, invalid(why), "{name}");
        }
    }

    #[tokio::test]
    async fn topics_are_listed_by_the_hundred() {
        let world = World::new().await;
        for i in 0..101 {
            world
                .ok::<CreateTopic>(json!({"Name": format!("t{i:03}")}))
                .await;
        }
        let page = world.ok::<ListTopics>(json!({})).await;
        assert_eq!(page["Topics"].as_array().unwrap().len(), 100);
        let rest = world
            .ok::<ListTopics>(json!({"NextToken": page["NextToken"]}))
            .await;
        let arn = "arn:aws:sns:us-east-1:000000000000:t100";
        assert_eq!(rest, json!({"Topics": [{"TopicArn": arn}]}));
        let refused = world.refused::<ListTopics>(json!({"NextToken": "!"})).await;
        assert_eq!(refused, invalid("NextToken"));
    }
}
