//! The operations in AWS's words, as dynalite, Alternator and users recorded them.

#![allow(clippy::unwrap_used, reason = "test code")]

use headwater_shapes_dynamodb::ops::*;
use serde_json::{Value, json};

use crate::testing::{Refused, World, arn_of};

fn refusal(code: &str, text: impl Into<String>) -> Refused {
    (code.to_owned(), text.into())
}

fn invalid(text: &str) -> Refused {
    refusal("ValidationException", text)
}

fn named(table: &str) -> Value {
    json!({ "TableName": table })
}

#[tokio::test]
async fn a_table_is_made_shown_and_deleted() {
    let world = World::new().await;
    let made = world.ok::<CreateTable>(World::table("taxi")).await;
    assert_eq!(made["TableDescription"]["TableStatus"], "CREATING");
    let early = world.refused::<DeleteTable>(named("taxi")).await;
    let text = "Attempt to change a resource which is still in use: Table is being created: taxi";
    assert_eq!(early, refusal("ResourceInUseException", text));
    let again = world.refused::<CreateTable>(World::table("taxi")).await;
    assert_eq!(
        again,
        refusal("ResourceInUseException", "Table already exists: taxi")
    );
    world.pass(1);
    let by_name = world.ok::<DescribeTable>(named("taxi")).await;
    assert_eq!(by_name["Table"]["TableStatus"], "ACTIVE");
    let by_arn = world.ok::<DescribeTable>(named(&arn_of("taxi"))).await;
    assert_eq!(by_name, by_arn);
    let deleted = world.ok::<DeleteTable>(named("taxi")).await;
    assert_eq!(deleted["TableDescription"]["TableStatus"], "DELETING");
    assert!(deleted["TableDescription"]["KeySchema"].is_null());
    let text = "Requested resource not found: Table: taxi not found";
    let gone = refusal("ResourceNotFoundException", text);
    assert_eq!(world.refused::<DescribeTable>(named("taxi")).await, gone);
    assert_eq!(world.refused::<DeleteTable>(named("taxi")).await, gone);
}

#[tokio::test]
async fn tables_are_listed_in_pages() {
    let world = World::new().await;
    for name in ["ccc", "aaa", "bbb"] {
        world.ok::<CreateTable>(World::table(name)).await;
    }
    let first = world.ok::<ListTables>(json!({"Limit": 2})).await;
    assert_eq!(
        first,
        json!({"TableNames": ["aaa", "bbb"], "LastEvaluatedTableName": "bbb"})
    );
    let rest = world
        .ok::<ListTables>(json!({"ExclusiveStartTableName": "bbb"}))
        .await;
    assert_eq!(rest, json!({"TableNames": ["ccc"]}));
}

#[tokio::test]
async fn a_protected_table_stays() {
    let world = World::with("taxi").await;
    let protect = |on: bool| json!({"TableName": "taxi", "DeletionProtectionEnabled": on});
    let shown = world.ok::<UpdateTable>(protect(true)).await;
    assert_eq!(shown["TableDescription"]["DeletionProtectionEnabled"], true);
    assert_eq!(shown["TableDescription"]["TableStatus"], "ACTIVE");
    let text = "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.";
    assert_eq!(
        world.refused::<DeleteTable>(named("taxi")).await,
        invalid(text)
    );
    world.ok::<UpdateTable>(protect(false)).await;
    world.ok::<DeleteTable>(named("taxi")).await;
}

#[tokio::test]
async fn a_change_shows_as_under_way_and_is_done() {
    let world = World::with("taxi").await;
    let change = json!({
        "TableName": "taxi",
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": {"ReadCapacityUnits": 3, "WriteCapacityUnits": 4},
    });
    let shown = world.ok::<UpdateTable>(change).await;
    assert_eq!(shown["TableDescription"]["TableStatus"], "UPDATING");
    let shown = world.ok::<DescribeTable>(named("taxi")).await["Table"].take();
    assert_eq!(shown["TableStatus"], "ACTIVE");
    assert_eq!(shown["BillingModeSummary"]["BillingMode"], "PROVISIONED");
    assert_eq!(shown["ProvisionedThroughput"]["ReadCapacityUnits"], 3);
    let none = world
        .refused::<UpdateTable>(json!({"TableName": "none", "TableClass": "STANDARD"}))
        .await;
    assert_eq!(none.0, "ResourceNotFoundException");
}

#[tokio::test]
async fn an_index_is_made_of_a_table_that_there_is() {
    let world = World::with("taxi").await;
    let create = json!({
        "TableName": "taxi",
        "AttributeDefinitions": [{"AttributeName": "b", "AttributeType": "N"}],
        "GlobalSecondaryIndexUpdates": [{"Create": {
            "IndexName": "byB",
            "KeySchema": [{"AttributeName": "b", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }}],
    });
    let shown = world.ok::<UpdateTable>(create).await;
    let index = &shown["TableDescription"]["GlobalSecondaryIndexes"][0];
    assert_eq!(index["IndexName"], "byB");
    assert_eq!(index["IndexArn"], format!("{}/index/byB", arn_of("taxi")));
    let definitions = &shown["TableDescription"]["AttributeDefinitions"];
    assert_eq!(definitions.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_index_that_is_deleted_is_shown_until_it_is_gone() {
    let world = World::new().await;
    let mut with_index = World::table("taxi");
    with_index["GlobalSecondaryIndexes"] = json!([{
        "IndexName": "byA",
        "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }]);
    world.ok::<CreateTable>(with_index).await;
    world.pass(1);
    let delete = json!({
        "TableName": "taxi",
        "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "byA"}}],
    });
    let shown = world.ok::<UpdateTable>(delete).await;
    let index = &shown["TableDescription"]["GlobalSecondaryIndexes"][0];
    assert_eq!(index["IndexStatus"], "DELETING");
    assert_eq!(index["ItemCount"], 0);
}

#[tokio::test]
async fn tables_have_tags() {
    let world = World::with("taxi").await;
    let arn = arn_of("taxi");
    let tag = |tags: Value| json!({"ResourceArn": arn, "Tags": tags});
    world
        .ok::<TagResource>(tag(
            json!([{"Key": "b", "Value": "1"}, {"Key": "a", "Value": ""}]),
        ))
        .await;
    world
        .ok::<TagResource>(tag(json!([{"Key": "b", "Value": "2"}])))
        .await;
    let listed = world
        .ok::<ListTagsOfResource>(json!({"ResourceArn": arn}))
        .await;
    assert_eq!(
        listed,
        json!({"Tags": [{"Key": "a", "Value": ""}, {"Key": "b", "Value": "2"}]})
    );
    let untag = |keys: Value| json!({"ResourceArn": arn, "TagKeys": keys});
    world.ok::<UntagResource>(untag(json!(["a", "c"]))).await;
    let listed = world
        .ok::<ListTagsOfResource>(json!({"ResourceArn": arn}))
        .await;
    assert_eq!(listed, json!({"Tags": [{"Key": "b", "Value": "2"}]}));
    assert_eq!(
        world.refused::<TagResource>(tag(json!([]))).await,
        invalid("Atleast one Tag needs to be provided as Input.")
    );
    assert_eq!(
        world.refused::<UntagResource>(untag(json!([]))).await,
        invalid("Atleast one Tag Key needs to be provided as Input.")
    );
    let none = arn_of("none");
    let text = format!("Requested resource not found: ResourcArn: {none} not found");
    assert_eq!(
        world
            .refused::<ListTagsOfResource>(json!({"ResourceArn": none}))
            .await,
        refusal("ResourceNotFoundException", text)
    );
}

#[tokio::test]
async fn items_expire_by_an_attribute() {
    let world = World::with("taxi").await;
    let shown = world.ok::<DescribeTimeToLive>(named("taxi")).await;
    assert_eq!(
        shown,
        json!({"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}})
    );
    let specification = json!({"AttributeName": "until", "Enabled": true});
    let set = json!({"TableName": "taxi", "TimeToLiveSpecification": specification});
    let answer = world.ok::<UpdateTimeToLive>(set).await;
    assert_eq!(answer, json!({"TimeToLiveSpecification": specification}));
    let shown = world.ok::<DescribeTimeToLive>(named("taxi")).await;
    let enabled = json!({"AttributeName": "until", "TimeToLiveStatus": "ENABLED"});
    assert_eq!(shown, json!({"TimeToLiveDescription": enabled}));
}

#[tokio::test]
async fn backups_are_kept_and_told() {
    let world = World::with("taxi").await;
    let status = |shown: &Value| {
        let shown = &shown["ContinuousBackupsDescription"];
        shown["PointInTimeRecoveryDescription"].clone()
    };
    let shown = world.ok::<DescribeContinuousBackups>(named("taxi")).await;
    assert_eq!(
        status(&shown),
        json!({"PointInTimeRecoveryStatus": "DISABLED"})
    );
    let specification = json!({"PointInTimeRecoveryEnabled": true});
    let set = json!({"TableName": "taxi", "PointInTimeRecoverySpecification": specification});
    let shown = world.ok::<UpdateContinuousBackups>(set).await;
    let enabled = json!({"PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": 35});
    assert_eq!(status(&shown), enabled);
    assert_eq!(
        world
            .refused::<DescribeContinuousBackups>(named("none"))
            .await,
        refusal("TableNotFoundException", "Table not found: none")
    );
}

#[tokio::test]
async fn a_policy_shares_a_table_with_other_accounts() {
    const THEIRS: &str = "222222222222";
    let world = World::with("taxi").await;
    let arn = arn_of("taxi");
    let policy = |effect: &str, principal: &str, action: &str| {
        let statement = json!({"Effect": effect, "Principal": {"AWS": principal}, "Action": action, "Resource": arn});
        json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
    };
    let none = world
        .refused::<GetResourcePolicy>(json!({"ResourceArn": arn}))
        .await;
    let text = format!("Resource-based policy not found for the provided ResourceArn: {arn}");
    assert_eq!(none, refusal("PolicyNotFoundException", text));
    let before = world
        .call_as::<DescribeTable>(THEIRS, named(&arn))
        .await
        .unwrap_err();
    assert_eq!(before.0, "AccessDeniedException");
    let text = policy("Allow", THEIRS, "dynamodb:DescribeTable");
    let put = json!({"ResourceArn": arn, "Policy": text, "ExpectedRevisionId": "NO_POLICY"});
    let revision = world.ok::<PutResourcePolicy>(put.clone()).await["RevisionId"].take();
    let kept = world
        .ok::<GetResourcePolicy>(json!({"ResourceArn": arn}))
        .await;
    assert_eq!(kept, json!({"Policy": text, "RevisionId": revision}));
    assert_eq!(
        world.refused::<PutResourcePolicy>(put).await.0,
        "PolicyNotFoundException"
    );
    assert!(
        world
            .call_as::<DescribeTable>(THEIRS, named(&arn))
            .await
            .is_ok()
    );
    // A name alone is one of the caller's own account.
    assert!(
        world
            .call_as::<DescribeTable>(THEIRS, named("taxi"))
            .await
            .is_err()
    );
    assert!(
        world
            .call_as::<DeleteTable>(THEIRS, named(&arn))
            .await
            .is_err()
    );
    let lockout =
        json!({"ResourceArn": arn, "Policy": policy("Deny", "000000000000", "dynamodb:*")});
    let text =
        "The new resource policy will not allow you to update the resource policy in the future.";
    assert_eq!(
        world.refused::<PutResourcePolicy>(lockout).await,
        refusal("AccessDeniedException", text)
    );
    let deleted = world
        .ok::<DeleteResourcePolicy>(json!({"ResourceArn": arn}))
        .await;
    assert!(deleted["RevisionId"].is_string());
    assert_eq!(
        world
            .ok::<DeleteResourcePolicy>(json!({"ResourceArn": arn}))
            .await,
        json!({})
    );
}

#[tokio::test]
async fn limits_and_endpoints_are_told() {
    let world = World::new().await;
    let limits = world.ok::<DescribeLimits>(json!({})).await;
    let most: i64 = 1_000_000_000_000;
    assert_eq!(limits["TableMaxReadCapacityUnits"], most);
    world.dynamo.tables.limit(true);
    let limits = world.ok::<DescribeLimits>(json!({})).await;
    assert_eq!(limits["TableMaxReadCapacityUnits"], 40_000);
    let endpoints = world.ok::<DescribeEndpoints>(json!({})).await;
    let endpoint = json!({"Address": "localhost:4566", "CachePeriodInMinutes": 1440});
    assert_eq!(endpoints, json!({"Endpoints": [endpoint]}));
}

#[tokio::test]
async fn units_are_lowered_so_often_a_day() {
    let world = World::new().await;
    let units = |write: u64| json!({"ReadCapacityUnits": 9, "WriteCapacityUnits": write});
    let mut table = World::table("taxi");
    table["BillingMode"] = "PROVISIONED".into();
    table["ProvisionedThroughput"] = units(9);
    world.ok::<CreateTable>(table).await;
    world.dynamo.tables.limit(true);
    let lower = |write: u64| json!({"TableName": "taxi", "ProvisionedThroughput": units(write)});
    for write in [8, 7, 6, 5] {
        world.pass(1);
        world.ok::<UpdateTable>(lower(write)).await;
    }
    world.pass(1);
    let text = "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. After the first \
                4 decreases, each subsequent decrease in the same UTC day can be performed at most once every 3600 seconds. \
                Number of decreases today: 4. Last decrease at Tuesday, November 14, 2023 at 10:13:24 PM Coordinated \
                Universal Time. Next decrease can be made at Tuesday, November 14, 2023 at 11:13:24 PM Coordinated Universal \
                Time";
    assert_eq!(
        world.refused::<UpdateTable>(lower(4)).await,
        refusal("LimitExceededException", text)
    );
    world.ok::<UpdateTable>(lower(6)).await;
    world.pass(3600);
    world.ok::<UpdateTable>(lower(4)).await;
    world.pass(1);
    assert_eq!(
        world.refused::<UpdateTable>(lower(3)).await.0,
        "LimitExceededException"
    );
    world.dynamo.tables.limit(false);
    world.ok::<UpdateTable>(lower(3)).await;
    world.dynamo.tables.limit(true);
    // The next day.
    world.pass(3600);
    world.ok::<UpdateTable>(lower(2)).await;
}

#[tokio::test]
async fn a_table_is_changed_to_be_paid_by_the_request_so_often_a_day() {
    let world = World::with("taxi").await;
    world.dynamo.tables.limit(true);
    let units = json!({"ReadCapacityUnits": 1, "WriteCapacityUnits": 1});
    let by_second =
        json!({"TableName": "taxi", "BillingMode": "PROVISIONED", "ProvisionedThroughput": units});
    let by_request = json!({"TableName": "taxi", "BillingMode": "PAY_PER_REQUEST"});
    for _ in 0..4 {
        world.ok::<UpdateTable>(by_second.clone()).await;
        world.pass(60);
        world.ok::<UpdateTable>(by_request.clone()).await;
    }
    world.ok::<UpdateTable>(by_second.clone()).await;
    let text = "Subscriber limit exceeded: Update to PayPerRequest mode are limited to 4 times in 1 day(s). Last update at \
                Tue Nov 14 22:17:21 UTC 2023. Next update can be made at Wed Nov 15 22:14:21 UTC 2023";
    assert_eq!(
        world.refused::<UpdateTable>(by_request.clone()).await,
        refusal("LimitExceededException", text)
    );
    world.pass(24 * 3600 - 180);
    world.ok::<UpdateTable>(by_request.clone()).await;
    world.ok::<UpdateTable>(by_second).await;
    assert!(
        world
            .refused::<UpdateTable>(by_request.clone())
            .await
            .1
            .ends_with("22:15:21 UTC 2023")
    );
    world.dynamo.tables.limit(false);
    world.ok::<UpdateTable>(by_request).await;
}
