//! Addresses, from settings to answers.

use bytes::Bytes;
use headwater_http::body;
use headwater_shapes_lambda::ops::{
    AddPermission, CreateAlias, CreateFunction, CreateFunctionUrlConfig, DeleteAlias,
    DeleteFunctionUrlConfig, GetFunctionUrlConfig, ListFunctionUrlConfigs, PublishVersion,
    RemovePermission, UpdateFunctionUrlConfig,
};
use http::{HeaderMap, Request as HttpRequest};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::*;
use crate::testing::{World, zip_of};

/// A function whose answer is whatever JSON its request's body is, and the event where there is none.
const ECHO: &str = "
import base64, json
def handler(event, context):
    if 'body' not in event: return event
    return json.loads(event['body'])
";

async fn world() -> World {
    let world = World::new().await;
    let mut input = crate::testing::function("f");
    input["Code"] = json!({ "ZipFile": zip_of(ECHO) });
    world.ok::<CreateFunction>(input).await;
    world
}

async fn create(world: &World, members: Value) -> Value {
    let mut input = json!({ "FunctionName": "f", "AuthType": "NONE" });
    input
        .as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    let made = world.ok::<CreateFunctionUrlConfig>(input).await;
    let everybody = json!({
        "FunctionName": "f", "StatementId": "url", "Action": "lambda:InvokeFunctionUrl", "Principal": "*",
        "FunctionUrlAuthType": "NONE", "Qualifier": members["Qualifier"],
    });
    world.ok::<AddPermission>(everybody).await;
    made
}

struct Got {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

async fn send(world: &World, url: &Value, request: http::request::Builder, text: &str) -> Got {
    let host = url["FunctionUrl"].as_str().unwrap();
    let host = host.trim_start_matches("http://").trim_end_matches('/');
    let (head, body) = request
        .body(body::full(text.to_owned()))
        .unwrap()
        .into_parts();
    let context = world.context(host);
    let answer = world.lambda.answer(&head, body, &context).await.unwrap();
    let (head, body) = answer.into_parts();
    Got {
        status: head.status.as_u16(),
        headers: head.headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}

fn post() -> http::request::Builder {
    HttpRequest::post("/").header("content-type", "application/json")
}

#[test]
fn a_host_is_an_id_and_a_region() {
    let id = "0123456789abcdefghijklmnopqrstuv";
    for (host, region) in [
        (
            format!("{id}.lambda-url.us-east-1.localhost:4566"),
            Some("us-east-1"),
        ),
        (
            format!("{}.Lambda-URL.eu-west-1.on.aws", id.to_uppercase()),
            Some("eu-west-1"),
        ),
        (format!("{id}.lambda-url.us-east-1"), None),
        (format!("{id}.s3.us-east-1.localhost"), None),
        ("bucket.lambda-url.us-east-1.localhost".to_owned(), None),
        ("localhost:4566".to_owned(), None),
        (String::new(), None),
    ] {
        assert_eq!(parts(&host).map(|(_, region)| region), region, "{host}");
    }
}

#[tokio::test]
async fn settings_are_kept_and_shown_as_on_aws() {
    let world = world().await;
    let made = create(&world, json!({})).await;
    let url = made["FunctionUrl"].as_str().unwrap();
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
    assert!(
        url.starts_with("http://") && url.ends_with(".lambda-url.us-east-1.localhost:4566/"),
        "{url}"
    );
    assert_eq!(
        (&made["FunctionArn"], &made["InvokeMode"]),
        (&json!(arn), &Value::Null)
    );
    let again = json!({ "FunctionName": "f", "AuthType": "NONE" });
    let text = format!(
        "Failed to create function url config for [functionArn = {arn}]. Error message:  FunctionUrlConfig exists for \
         this Lambda function"
    );
    assert_eq!(
        world.refused::<CreateFunctionUrlConfig>(again).await,
        ("ResourceConflictException".to_owned(), text)
    );
    let found = world
        .ok::<GetFunctionUrlConfig>(json!({ "FunctionName": "f" }))
        .await;
    assert_eq!(found["InvokeMode"], "BUFFERED");
    let cors = json!({ "AllowOrigins": ["*"], "MaxAge": 60 });
    let change = json!({ "FunctionName": "f", "AuthType": "AWS_IAM", "Cors": cors });
    let changed = world.ok::<UpdateFunctionUrlConfig>(change).await;
    assert_eq!(
        (&changed["AuthType"], &changed["Cors"]),
        (&json!("AWS_IAM"), &cors)
    );
    assert_eq!(
        (&changed["FunctionUrl"], &changed["InvokeMode"]),
        (&made["FunctionUrl"], &Value::Null)
    );
    let stream = json!({ "FunctionName": "f", "InvokeMode": "RESPONSE_STREAM" });
    let changed = world.ok::<UpdateFunctionUrlConfig>(stream).await;
    assert_eq!(
        (&changed["AuthType"], &changed["InvokeMode"]),
        (&json!("AWS_IAM"), &json!("RESPONSE_STREAM"))
    );
    world
        .ok::<DeleteFunctionUrlConfig>(json!({ "FunctionName": "f" }))
        .await;
    let gone = world
        .refused::<GetFunctionUrlConfig>(json!({ "FunctionName": "f" }))
        .await;
    let text = "The resource you requested does not exist.";
    assert_eq!(
        gone,
        ("ResourceNotFoundException".to_owned(), text.to_owned())
    );
    for (missing, text) in [
        ("g", "Function does not exist"),
        ("f:none", "Function does not exist"),
    ] {
        let input = json!({ "FunctionName": missing, "AuthType": "NONE" });
        assert_eq!(
            world.refused::<CreateFunctionUrlConfig>(input).await.1,
            text,
            "{missing}"
        );
    }
}

#[tokio::test]
async fn an_alias_has_an_address_of_its_own_and_loses_it_when_it_is_deleted() {
    let world = world().await;
    world
        .ok::<PublishVersion>(json!({ "FunctionName": "f" }))
        .await;
    let alias = json!({ "FunctionName": "f", "Name": "live", "FunctionVersion": "1" });
    world.ok::<CreateAlias>(alias).await;
    let latest = create(&world, json!({})).await;
    let live = create(&world, json!({ "Qualifier": "live" })).await;
    let listed = |max| json!({ "FunctionName": "f", "MaxItems": max });
    let all = world.ok::<ListFunctionUrlConfigs>(listed(50)).await;
    assert_eq!(all["FunctionUrlConfigs"].as_array().unwrap().len(), 2);
    let first = world.ok::<ListFunctionUrlConfigs>(listed(1)).await;
    let next = json!({ "FunctionName": "f", "Marker": first["NextMarker"] });
    let next = world.ok::<ListFunctionUrlConfigs>(next).await;
    assert_eq!(
        next["FunctionUrlConfigs"][0]["FunctionUrl"],
        live["FunctionUrl"]
    );
    assert_eq!(
        send(&world, &live, HttpRequest::get("/"), "").await.status,
        200
    );
    world
        .ok::<DeleteAlias>(json!({ "FunctionName": "f", "Name": "live" }))
        .await;
    let gone = send(&world, &live, HttpRequest::get("/"), "").await;
    assert_eq!(
        (gone.status, gone.body.as_ref()),
        (403, &br#"{"Message":null}"#[..])
    );
    assert_eq!(
        gone.header("x-amzn-errortype"),
        Some("AccessDeniedException")
    );
    assert_eq!(
        send(&world, &latest, HttpRequest::get("/"), "")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_request_is_an_event_of_format_2_0() {
    let world = world().await;
    let url = create(&world, json!({})).await;
    let request = HttpRequest::get("/a%20b/pa2%Fth?q=x&multi=a&multi=%2Fb&empty")
        .header("Cookie", "one=1; two=2")
        .header("x-two", "a")
        .header("x-two", "b")
        .header("connection", "keep-alive")
        .header("user-agent", "test");
    let event = send(&world, &url, request, "").await.json();
    for (pointer, value) in [
        ("/version", json!("2.0")),
        ("/rawPath", json!("/a b/pa2%Fth")),
        ("/rawQueryString", json!("q=x&multi=a&multi=%2Fb&empty")),
        ("/cookies", json!(["one=1", "two=2"])),
        (
            "/queryStringParameters",
            json!({ "q": "x", "multi": "a,/b", "empty": "" }),
        ),
        ("/headers/x-two", json!("a,b")),
        ("/headers/x-forwarded-proto", json!("http")),
        ("/requestContext/accountId", json!("anonymous")),
        ("/requestContext/http/method", json!("GET")),
        ("/requestContext/http/path", json!("/a b/pa2%Fth")),
        ("/requestContext/http/userAgent", json!("test")),
        ("/requestContext/stage", json!("$default")),
        ("/isBase64Encoded", json!(false)),
    ] {
        assert_eq!(event.pointer(pointer), Some(&value), "{pointer}");
    }
    for left_out in ["/body", "/headers/connection", "/headers/cookie"] {
        assert_eq!(event.pointer(left_out), None, "{left_out}");
    }
}

#[tokio::test]
async fn what_a_function_gives_is_the_answer() {
    let world = world().await;
    let url = create(&world, json!({})).await;
    for (given, status, body) in [
        (r#"{"hello": "world"}"#, 200, r#"{"hello":"world"}"#),
        (r#"["hello", 3, true]"#, 200, r#"["hello",3,true]"#),
        (r#""hello""#, 200, "hello"),
        ("3.1", 200, "3.1"),
        (
            r#"{"statusCode": 200, "body": "body 123"}"#,
            200,
            "body 123",
        ),
        (r#"{"statusCode": "418", "body": "tea"}"#, 418, "tea"),
        (
            r#"{"statusCode": 200, "body": {"b": 1, "a": [1, " x "]}}"#,
            200,
            r#"{"b":1,"a":[1," x "]}"#,
        ),
        (
            r#"{"statusCode": 200, "body": "aGk=", "isBase64Encoded": true}"#,
            200,
            "hi",
        ),
        (r#"{"statusCode": 204}"#, 204, ""),
        (r#"{"statusCode": "many"}"#, 502, "Internal Server Error"),
        (
            r#"{"statusCode": 200, "headers": {"a b": "c"}}"#,
            502,
            "Internal Server Error",
        ),
        (
            r#"{"statusCode": 200, "body": "?", "isBase64Encoded": true}"#,
            502,
            "Internal Server Error",
        ),
        ("no json", 502, "Internal Server Error"),
    ] {
        let got = send(&world, &url, post(), given).await;
        let text = String::from_utf8(got.body.to_vec()).unwrap();
        assert_eq!((got.status, text.as_str()), (status, body), "{given}");
        assert_eq!(
            got.header("content-type"),
            Some("application/json"),
            "{given}"
        );
    }
    let given = r#"{"statusCode": 201, "headers": {"My-Header": "x", "content-type": "text/plain", "N": 1},
                    "cookies": ["a=b; Secure", "c=d"]}"#;
    let got = send(&world, &url, post(), given).await;
    assert_eq!(
        (
            got.status,
            got.header("my-header"),
            got.header("content-type"),
            got.header("n")
        ),
        (201, Some("x"), Some("text/plain"), Some("1"))
    );
    let cookies: Vec<_> = got.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=b; Secure", "c=d"]);
}

#[tokio::test]
async fn an_address_that_wants_signatures_takes_nobody_without() {
    let world = world().await;
    let url = create(&world, json!({ "AuthType": "AWS_IAM" })).await;
    let got = send(&world, &url, HttpRequest::get("/"), "").await;
    assert_eq!(
        (got.status, &got.json()["Message"]),
        (403, &json!(FORBIDDEN))
    );
    let signature = "AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, \
                     Signature=0";
    let signed = HttpRequest::get("/").header("authorization", signature);
    let event = send(&world, &url, signed, "").await.json();
    let iam = &event["requestContext"]["authorizer"]["iam"];
    assert_eq!(
        (&iam["accessKey"], &iam["accountId"]),
        (&json!("AK"), &json!("000000000000"))
    );
}

#[tokio::test]
async fn nobody_calls_without_a_permission_or_a_signature() {
    let world = world().await;
    let url = create(&world, json!({})).await;
    assert_eq!(
        send(&world, &url, HttpRequest::get("/"), "").await.status,
        200
    );
    let taken = json!({ "FunctionName": "f", "StatementId": "url" });
    world.ok::<RemovePermission>(taken).await;
    let got = send(&world, &url, HttpRequest::get("/"), "").await;
    assert_eq!(
        (got.status, &got.json()),
        (403, &json!({ "Message": FORBIDDEN }))
    );
    assert_eq!(
        got.header("x-amzn-errortype"),
        Some("AccessDeniedException")
    );
}

#[tokio::test]
async fn a_caller_of_another_account_needs_a_permission() {
    let world = world().await;
    let made = create(&world, json!({ "AuthType": "AWS_IAM" })).await;
    let host = made["FunctionUrl"]
        .as_str()
        .unwrap()
        .trim_start_matches("http://")
        .trim_end_matches('/');
    let mut context = world.context(host);
    let other = headwater_types::Account("111111111111".into());
    context.caller = Arc::new(Caller::root(other));
    let request = HttpRequest::get("/").header("authorization", "AWS4-HMAC-SHA256 x");
    let (head, body) = request.body(body::empty()).unwrap().into_parts();
    let answer = world.lambda.answer(&head, body, &context).await.unwrap();
    assert_eq!(answer.status(), 403);
    let them = json!({
        "FunctionName": "f", "StatementId": "them", "Action": "lambda:InvokeFunctionUrl",
        "Principal": "111111111111", "FunctionUrlAuthType": "AWS_IAM",
    });
    world.ok::<AddPermission>(them).await;
    let answer = world
        .lambda
        .answer(&head, body::empty(), &context)
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn pages_of_other_origins_are_told_what_they_may() {
    let world = world().await;
    let cors = json!({
        "AllowOrigins": ["https://one.example", "https://*.two.example"], "AllowMethods": ["GET", "POST"],
        "AllowHeaders": ["x-a"], "ExposeHeaders": ["x-b"], "MaxAge": 60, "AllowCredentials": true,
    });
    let url = create(&world, json!({ "AuthType": "AWS_IAM", "Cors": cors })).await;
    let ask = |origin: &str| {
        HttpRequest::options("/x")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
    };
    for (origin, allowed) in [
        ("https://one.example", true),
        ("https://a.two.example", true),
        ("https://three.example", false),
    ] {
        let got = send(&world, &url, ask(origin), "").await;
        assert_eq!(got.status, 200);
        let expected = allowed.then_some(origin);
        assert_eq!(got.header("access-control-allow-origin"), expected);
        assert_eq!(
            got.header("access-control-allow-methods"),
            allowed.then_some("GET,POST")
        );
        assert_eq!(
            got.header("access-control-max-age"),
            allowed.then_some("60")
        );
    }
    let refused = HttpRequest::get("/").header("origin", "https://one.example");
    let got = send(&world, &url, refused, "").await;
    assert_eq!(
        (
            got.status,
            got.header("access-control-allow-origin"),
            got.header("access-control-expose-headers")
        ),
        (403, Some("https://one.example"), Some("x-b"))
    );
    let anyone =
        json!({ "FunctionName": "f", "AuthType": "NONE", "Cors": { "AllowOrigins": ["*"] } });
    world.ok::<UpdateFunctionUrlConfig>(anyone).await;
    let given = r#"{"statusCode": 200, "headers": {"access-control-allow-origin": "its own"}}"#;
    let got = send(&world, &url, post().header("origin", "https://x"), given).await;
    assert_eq!(got.header("access-control-allow-origin"), Some("*"));
}
