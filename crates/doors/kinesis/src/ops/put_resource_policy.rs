//! PutResourcePolicy. That policies are kept to is tested here too.

use headwater_shapes::Nothing;
use headwater_shapes_kinesis::{PutResourcePolicyInput, ops::PutResourcePolicy};
use headwater_wire::{ApiError, Context, Handle};

use crate::Kinesis;

impl Handle<PutResourcePolicy> for Kinesis {
    /// The policy is kept to when this returns.
    async fn handle(
        &self,
        input: PutResourcePolicyInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let PutResourcePolicyInput {
            resource_arn,
            stream_id,
            policy,
        } = input;
        let resource = self.owned(resource_arn, stream_id, context)?;
        self.set_policy(resource, Some(policy), context).await?;
        Ok(Nothing {})
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use headwater_auth::Caller;
    use headwater_shapes_kinesis::ops;
    use headwater_types::Account;
    use serde_json::{Value, json};

    use crate::testing::{Refused, World, refusal};

    const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
    const THEIRS: &str = "222222222222";

    fn theirs() -> Arc<Caller> {
        Arc::new(Caller::of_user(Account(THEIRS.to_owned()), "ann"))
    }

    fn ours() -> Arc<Caller> {
        Arc::new(Caller::root(Account("000000000000".to_owned())))
    }

    fn statement(effect: &str, principal: &str, actions: Value, resource: &str) -> Value {
        json!({"Effect": effect, "Principal": {"AWS": principal}, "Action": actions, "Resource": resource})
    }

    fn policy(statements: impl Into<Value>) -> String {
        json!({"Version": "2012-10-17", "Statement": statements.into()}).to_string()
    }

    async fn put(world: &World, resource: &str, policy: &str) -> Result<Value, Refused> {
        world
            .call::<ops::PutResourcePolicy>(json!({"ResourceARN": resource, "Policy": policy}))
            .await
    }

    async fn allow(world: &World, resource: &str, actions: Value) {
        put(
            world,
            resource,
            &policy(statement("Allow", THEIRS, actions, resource)),
        )
        .await
        .unwrap();
    }

    fn denied(who: &Caller, operation: &str, resource: &str, explicitly: bool) -> Refused {
        let why = match explicitly {
            true => "with an explicit deny in a resource-based policy".to_owned(),
            false => {
                format!("because no resource-based policy allows the kinesis:{operation} action")
            }
        };
        let who = &who.arn;
        let text = format!(
            "User: {who} is not authorized to perform: kinesis:{operation} on resource: {resource} {why}"
        );
        refusal("AccessDeniedException", text)
    }

    /// A world with an on-demand stream `s`, and the ARN of a queue of it.
    async fn with_queue() -> (World, String) {
        let world = World::new(false).await;
        world
            .ok::<ops::CreateStream>(json!({"StreamName": "s"}))
            .await;
        let queue = json!({"QueueName": "q", "StreamConfigurationList": [{"StreamARN": STREAM}]});
        let queue = world.ok::<ops::CreateQueue>(queue).await;
        (
            world,
            queue["QueueDescription"]["QueueARN"]
                .as_str()
                .unwrap()
                .to_owned(),
        )
    }

    async fn register(world: &World) -> String {
        let register = json!({"StreamARN": STREAM, "ConsumerName": "c"});
        let consumer = world.ok::<ops::RegisterStreamConsumer>(register).await;
        consumer["Consumer"]["ConsumerARN"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    #[tokio::test]
    async fn a_policy_is_kept_as_it_was_written_until_it_is_deleted() {
        let (world, queue) = with_queue().await;
        let consumer = register(&world).await;
        let of = |operation: &str, resource: &str| {
            policy(statement(
                "Allow",
                THEIRS,
                json!(format!("kinesis:{operation}")),
                resource,
            ))
        };
        for (resource, operation) in [
            (STREAM, "PutRecord"),
            (&*consumer, "SubscribeToShard"),
            (&*queue, "ReceiveQueueRecords"),
        ] {
            let named = || json!({"ResourceARN": resource});
            let none = json!({"Policy": "{}"});
            assert_eq!(world.ok::<ops::GetResourcePolicy>(named()).await, none);
            let text = of(operation, resource);
            put(&world, resource, &text).await.unwrap();
            assert_eq!(
                world.ok::<ops::GetResourcePolicy>(named()).await,
                json!({"Policy": text})
            );
            world.ok::<ops::DeleteResourcePolicy>(named()).await;
            assert_eq!(world.ok::<ops::GetResourcePolicy>(named()).await, none);
            let gone = format!("No resource policy found for resource ARN {resource}.");
            let again = world.refused::<ops::DeleteResourcePolicy>(named()).await;
            assert_eq!(again, refusal("ResourceNotFoundException", gone));
        }
        let gone = refusal(
            "ResourceNotFoundException",
            "Stream t under account 000000000000 not found.",
        );
        assert_eq!(
            put(&world, &STREAM.replace("/s", "/t"), "{}").await,
            Err(gone)
        );
    }

    #[tokio::test]
    async fn what_cannot_be_shared_is_refused() {
        let world = World::with_stream(1).await;
        let consumer = register(&world).await;
        let good = || {
            statement(
                "Allow",
                THEIRS,
                json!(["kinesis:PutRecord", "Kinesis:listshards"]),
                STREAM,
            )
        };
        assert!(put(&world, STREAM, &policy(good())).await.is_ok());
        let with = |element: &str, value: Value| {
            let mut statement = good();
            statement[element] = value;
            policy(statement)
        };
        for everybody in [json!("*"), json!({"AWS": "*"})] {
            let document = with("Principal", everybody);
            assert!(put(&world, STREAM, &document).await.is_ok());
        }
        let large = policy(vec![good(); 150]);
        for bad in [
            "no JSON".to_owned(),
            "{}".to_owned(),
            policy(Vec::<Value>::new()),
            large,
            with("Principal", json!({"Service": "lambda.amazonaws.com"})),
            with("Action", json!("kinesis:*")),
            with("Action", json!("kinesis:Put*")),
            with("Action", json!("kinesis:DeleteStream")),
            with("Action", json!("kinesis:SubscribeToShard")),
            with("Action", json!("firehose:PutRecord")),
            with("Resource", json!(consumer)),
            with("Resource", json!(STREAM.replace("/s", "/*"))),
            with("NotAction", json!("kinesis:PutRecord")),
            with("Condition", json!({"StringIs": {"aws:SourceIp": "x"}})),
        ] {
            assert_eq!(
                put(&world, STREAM, &bad).await.unwrap_err().0,
                "InvalidArgumentException",
                "{bad}"
            );
        }
        let of_stream = policy(statement(
            "Allow",
            THEIRS,
            json!("kinesis:PutRecord"),
            &consumer,
        ));
        assert_eq!(
            put(&world, &consumer, &of_stream).await.unwrap_err().0,
            "InvalidArgumentException"
        );
    }

    #[tokio::test]
    async fn another_account_may_do_what_it_is_allowed_and_names_the_stream_by_arn() {
        let world = World::with_stream(1).await;
        let ann = theirs();
        let put_record = |named: Value| {
            let mut input = json!({"PartitionKey": "k", "Data": ""});
            input
                .as_object_mut()
                .unwrap()
                .extend(named.as_object().unwrap().clone());
            input
        };
        let by_arn = || put_record(json!({"StreamARN": STREAM}));
        let refused = world
            .output_for::<ops::PutRecord>(&ann, by_arn())
            .await
            .unwrap_err();
        assert_eq!(refused, denied(&ann, "PutRecord", STREAM, false));
        allow(
            &world,
            STREAM,
            json!([
                "kinesis:PutRecord",
                "kinesis:GetShardIterator",
                "kinesis:GetRecords"
            ]),
        )
        .await;
        world
            .output_for::<ops::PutRecord>(&ann, by_arn())
            .await
            .unwrap();
        let by_name = put_record(json!({"StreamName": "s"}));
        let own = refusal(
            "ResourceNotFoundException",
            "Stream s under account 222222222222 not found.",
        );
        assert_eq!(
            world
                .output_for::<ops::PutRecord>(&ann, by_name)
                .await
                .unwrap_err(),
            own
        );
        let missing = STREAM.replace("/s", "/t");
        let refused = world
            .output_for::<ops::PutRecord>(&ann, put_record(json!({"StreamARN": missing})))
            .await;
        assert_eq!(
            refused.unwrap_err(),
            denied(&ann, "PutRecord", &missing, false)
        );

        let position =
            json!({"StreamARN": STREAM, "ShardId": "0", "ShardIteratorType": "TRIM_HORIZON"});
        let iterator = world
            .output_for::<ops::GetShardIterator>(&ann, position)
            .await
            .unwrap()
            .shard_iterator;
        let read = json!({"StreamARN": STREAM, "ShardIterator": iterator});
        assert_eq!(
            world
                .output_for::<ops::GetRecords>(&ann, read)
                .await
                .unwrap()
                .records
                .len(),
            1
        );
        let unnamed = world
            .output_for::<ops::GetRecords>(&ann, json!({"ShardIterator": iterator}))
            .await;
        assert_eq!(unnamed.unwrap_err().0, "InvalidArgumentException");

        let list = json!({"StreamARN": STREAM});
        let refused = world
            .output_for::<ops::ListShards>(&ann, list)
            .await
            .err()
            .unwrap();
        assert_eq!(refused, denied(&ann, "ListShards", STREAM, false));
    }

    #[tokio::test]
    async fn tokens_of_a_stream_are_of_no_use_without_its_policy() {
        let world = World::with_stream(3).await;
        let ann = theirs();
        allow(
            &world,
            STREAM,
            json!([
                "kinesis:ListShards",
                "kinesis:GetShardIterator",
                "kinesis:GetRecords"
            ]),
        )
        .await;
        let page = world
            .output_for::<ops::ListShards>(&ann, json!({"StreamARN": STREAM, "MaxResults": 1}))
            .await;
        let token = json!({"NextToken": page.unwrap().next_token});
        assert_eq!(
            world
                .output_for::<ops::ListShards>(&ann, token.clone())
                .await
                .unwrap()
                .shards
                .unwrap()
                .len(),
            2
        );
        let position = json!({"StreamARN": STREAM, "ShardId": "0", "ShardIteratorType": "LATEST"});
        let iterator = world
            .output_for::<ops::GetShardIterator>(&ann, position)
            .await
            .unwrap()
            .shard_iterator;
        world
            .ok::<ops::DeleteResourcePolicy>(json!({"ResourceARN": STREAM}))
            .await;
        let refused = world
            .output_for::<ops::ListShards>(&ann, token)
            .await
            .err()
            .unwrap();
        assert_eq!(refused, denied(&ann, "ListShards", STREAM, false));
        let read = json!({"StreamARN": STREAM, "ShardIterator": iterator});
        let refused = world
            .output_for::<ops::GetRecords>(&ann, read)
            .await
            .err()
            .unwrap();
        assert_eq!(refused, denied(&ann, "GetRecords", STREAM, false));
    }

    #[tokio::test]
    async fn a_denial_counts_for_the_owner_too() {
        let world = World::with_stream(1).await;
        let deny = statement(
            "Deny",
            "000000000000",
            json!("kinesis:DescribeStream"),
            STREAM,
        );
        put(&world, STREAM, &policy(deny)).await.unwrap();
        let (code, text) = world
            .refused::<ops::DescribeStream>(json!({"StreamName": "s"}))
            .await;
        assert_eq!(
            (code, text),
            denied(&ours(), "DescribeStream", STREAM, true)
        );
        world
            .ok::<ops::DescribeStreamSummary>(json!({"StreamName": "s"}))
            .await;
        world
            .ok::<ops::DeleteResourcePolicy>(json!({"ResourceARN": STREAM}))
            .await;
        world
            .ok::<ops::DescribeStream>(json!({"StreamName": "s"}))
            .await;
    }

    #[tokio::test]
    async fn a_consumer_goes_by_its_own_policy_and_ends_with_it() {
        let world = World::with_stream(1).await;
        let ann = theirs();
        let consumer = register(&world).await;
        let subscribe = || {
            let latest = json!({"Type": "LATEST"});
            json!({"ConsumerARN": consumer, "ShardId": "0", "StartingPosition": latest})
        };
        allow(&world, STREAM, json!("kinesis:DescribeStreamSummary")).await;
        let refused = world
            .output_for::<ops::SubscribeToShard>(&ann, subscribe())
            .await
            .err()
            .unwrap();
        assert_eq!(refused, denied(&ann, "SubscribeToShard", &consumer, false));
        allow(&world, &consumer, json!(["kinesis:SubscribeToShard"])).await;
        assert!(
            world
                .output_for::<ops::SubscribeToShard>(&ann, subscribe())
                .await
                .is_ok()
        );
        let describe = json!({"ConsumerARN": consumer});
        let refused = world
            .output_for::<ops::DescribeStreamConsumer>(&ann, describe.clone())
            .await
            .err()
            .unwrap();
        assert_eq!(
            refused,
            denied(&ann, "DescribeStreamConsumer", &consumer, false)
        );
        world.ok::<ops::DeregisterStreamConsumer>(describe).await;
        let again = register(&world).await;
        assert_eq!(again, consumer, "in the same second it has the same ARN");
        assert_eq!(
            world
                .ok::<ops::GetResourcePolicy>(json!({"ResourceARN": again}))
                .await["Policy"],
            "{}"
        );
    }

    #[tokio::test]
    async fn a_queue_goes_by_its_policy() {
        let (world, queue) = with_queue().await;
        let (ann, arn) = (theirs(), queue.as_str());
        let describe = || json!({"QueueARN": queue});
        let refused = world
            .output_for::<ops::DescribeQueue>(&ann, describe())
            .await
            .err()
            .unwrap();
        assert_eq!(refused, denied(&ann, "DescribeQueue", arn, false));
        allow(&world, arn, json!("kinesis:DescribeQueue")).await;
        assert!(
            world
                .output_for::<ops::DescribeQueue>(&ann, describe())
                .await
                .is_ok()
        );
        let receive = json!({"QueueARN": queue, "WaitTimeSeconds": 0});
        let refused = world
            .output_for::<ops::ReceiveQueueRecords>(&ann, receive)
            .await
            .err()
            .unwrap();
        assert_eq!(refused, denied(&ann, "ReceiveQueueRecords", arn, false));
        let settle = json!({"QueueARN": queue, "Entries": [{"ReceiptHandle": "x"}]});
        let refused = world
            .output_for::<ops::AcknowledgeQueueRecords>(&ann, settle)
            .await
            .err()
            .unwrap();
        assert_eq!(refused, denied(&ann, "AcknowledgeQueueRecords", arn, false));
    }
}
