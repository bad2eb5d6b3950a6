//! The operations, one file each.

mod add_permission;
mod confirm_subscription;
mod create_topic;
mod delete_topic;
mod get_subscription_attributes;
mod get_topic_attributes;
mod list_subscriptions;
mod list_subscriptions_by_topic;
mod list_tags_for_resource;
mod list_topics;
mod publish;
mod publish_batch;
mod remove_permission;
mod set_subscription_attributes;
mod set_topic_attributes;
mod subscribe;
mod tag_resource;
mod unsubscribe;
mod untag_resource;
