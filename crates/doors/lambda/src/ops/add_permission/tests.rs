//! Permissions given and taken back, and whom they let call.

use headwater_auth::Caller;
use headwater_functions::{Policy, Qualifier, Version};
use headwater_shapes_lambda::ops::{
    AddPermission, CreateFunction, GetPolicy, PublishVersion, RemovePermission,
};
use headwater_types::Account;
use serde_json::{Value, json};

use crate::{
    Asked, Permissions,
    testing::{World, function},
};

const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:news";
const SNS: &str = "sns.amazonaws.com";

fn permission(members: Value) -> Value {
    let mut input = json!({
        "FunctionName": "f", "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": SNS,
    });
    let given = members.as_object().unwrap().clone();
    input.as_object_mut().unwrap().extend(given);
    input
}

async fn world() -> (World, Permissions) {
    let world = World::new().await;
    world.ok::<CreateFunction>(function("f")).await;
    let permissions = Permissions::new(world.lambda.env.clone(), world.lambda.functions.clone());
    (world, permissions)
}

#[tokio::test]
async fn a_statement_is_answered_and_shown_as_it_is_kept() {
    let (world, _) = world().await;
    let added = permission(json!({ "SourceArn": TOPIC, "SourceAccount": "000000000000" }));
    let added = world.ok::<AddPermission>(added).await;
    let text = "{\"Sid\":\"s\",\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"sns.amazonaws.com\"},\
                \"Action\":\"lambda:InvokeFunction\",\"Resource\":\"arn:aws:lambda:us-east-1:000000000000:function:f\",\
                \"Condition\":{\"StringEquals\":{\"AWS:SourceAccount\":\"000000000000\"},\
                \"ArnLike\":{\"AWS:SourceArn\":\"arn:aws:sns:us-east-1:000000000000:news\"}}}";
    assert_eq!(added["Statement"], text);
    let shown = world.ok::<GetPolicy>(json!({ "FunctionName": "f" })).await;
    let document = format!(r#"{{"Version":"2012-10-17","Id":"default","Statement":[{text}]}}"#);
    assert_eq!(shown["Policy"], document);
    let again = world.refused::<AddPermission>(permission(json!({}))).await;
    assert_eq!(again.0, "ResourceConflictException");
    let named = json!({ "FunctionName": "f", "StatementId": "s" });
    world.ok::<RemovePermission>(named.clone()).await;
    let gone = world.refused::<RemovePermission>(named).await;
    assert_eq!(gone.1, "No policy is associated with the given resource.");
}

#[tokio::test]
async fn what_makes_no_statement_is_refused() {
    let (world, _) = world().await;
    for members in [
        json!({ "Principal": "sns" }),
        json!({ "Principal": "SNS.amazonaws.com" }),
        json!({ "Principal": "arn:aws:iam::1:user/x" }),
        json!({ "Principal": "arn:aws:s3:::bucket" }),
        json!({ "FunctionUrlAuthType": "NONE" }),
        json!({ "InvokedViaFunctionUrl": true, "Action": "lambda:InvokeFunctionUrl" }),
    ] {
        let refused = world
            .refused::<AddPermission>(permission(members.clone()))
            .await;
        assert_eq!(refused.0, "InvalidParameterValueException", "{members}");
    }
    assert_eq!(
        world
            .refused::<GetPolicy>(json!({ "FunctionName": "f" }))
            .await
            .0,
        "ResourceNotFoundException"
    );
}

#[tokio::test]
async fn a_service_may_call_what_it_is_permitted_for_whom() {
    let (world, permissions) = world().await;
    world
        .ok::<PublishVersion>(json!({ "FunctionName": "f" }))
        .await;
    world
        .ok::<AddPermission>(permission(json!({ "SourceArn": TOPIC })))
        .await;
    let f = "f".parse().unwrap();
    let may = async |service: &str, source: &str, version: Option<u64>| {
        let asked = Asked::invoke(source, "000000000000");
        let version = version.map(|number| Qualifier::Version(Version::Published(number)));
        permissions
            .service_may(service, &asked, &f, version.as_ref())
            .await
            .unwrap()
    };
    assert!(may(SNS, TOPIC, None).await);
    assert!(
        !may(SNS, &format!("{TOPIC}-of-today"), None).await,
        "another topic"
    );
    assert!(
        !may("s3.amazonaws.com", TOPIC, None).await,
        "another service"
    );
    assert!(
        !may(SNS, TOPIC, Some(1)).await,
        "a version has its own policy"
    );
    let latest = Qualifier::Version(Version::Latest);
    let asked = Asked::invoke(TOPIC, "000000000000");
    assert!(
        permissions
            .service_may(SNS, &asked, &f, Some(&latest))
            .await
            .unwrap()
    );
    let all = json!({ "Qualifier": "1", "Principal": "*", "SourceAccount": "000000000000" });
    world.ok::<AddPermission>(permission(all)).await;
    assert!(may(SNS, TOPIC, Some(1)).await);
    let none = "none".parse().unwrap();
    assert!(
        !permissions
            .service_may(SNS, &asked, &none, None)
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn whoever_comes_by_an_address_is_asked_for_its_kind() {
    let (world, permissions) = world().await;
    let by_url = json!({
        "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE",
    });
    world.ok::<AddPermission>(permission(by_url)).await;
    let f = "f".parse().unwrap();
    let anybody = Caller::root(Account("222222222222".into()));
    let asked = |kind: &str| Asked {
        action: "lambda:InvokeFunctionUrl",
        keys: vec![("lambda:FunctionUrlAuthType", kind.to_owned())],
        ..Asked::default()
    };
    assert!(
        permissions
            .may(&anybody, &asked("NONE"), &f, None)
            .await
            .unwrap()
    );
    assert!(
        !permissions
            .may(&anybody, &asked("AWS_IAM"), &f, None)
            .await
            .unwrap()
    );
    let invoke = Asked::invoke(TOPIC, "000000000000");
    assert!(!permissions.may(&anybody, &invoke, &f, None).await.unwrap());
}

#[test]
fn a_document_is_one_of_iam() {
    let policy = Policy {
        revision: String::new(),
        statements: Vec::new(),
    };
    assert_eq!(
        policy.document(),
        r#"{"Version":"2012-10-17","Id":"default","Statement":[]}"#
    );
}
