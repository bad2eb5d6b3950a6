//! Doors of two services with small handlers: requests as clients send them, answers to the byte.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::FutureExt;
use headwater_auth::Verifier;
use headwater_shapes::ByteStream;
use headwater_types::Region;
use http::{Request, Response};
use http_body_util::BodyExt;
use proptest::prelude::*;

use headwater_env::Env;
use headwater_http::{
    Body, Peer, Service,
    body::{empty, full, streamed},
};

use crate::{Observe, Options, Pipeline, Place, Seen, Table};
use world::{lambda_table, s3_table};

#[path = "../../tests/support/world.rs"]
mod world;

/// A pipeline of one service.
fn pipeline(table: Table, virtual_hosts: &[&str]) -> Pipeline {
    let options = Options {
        virtual_hosts: virtual_hosts
            .iter()
            .map(|host| (*host).to_owned())
            .collect(),
        ..Options::new(Place::new("000000000000", "us-east-1"))
    };
    Pipeline::new(vec![table], options, Env::real())
}

const PEER: Peer = Peer {
    address: std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1),
    secure: false,
};

fn s3_door() -> Pipeline {
    pipeline(s3_table(), &[])
}

fn lambda_door() -> Pipeline {
    pipeline(lambda_table(), &[])
}

/// An answer's status, headers and body as text, its request called R1.
async fn send(door: &Pipeline, request: http::request::Builder, body: Body) -> Response<String> {
    let request = request.header("host", "b.localhost:4566");
    let answer = door.call(request.body(body).unwrap(), PEER).await;
    let (mut head, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let mut body = String::from_utf8_lossy(&body).into_owned();
    for name in ["x-amz-request-id", "x-amzn-requestid"] {
        if let Some(id) = head.headers.get_mut(name) {
            let text = id.to_str().unwrap().to_owned();
            body = body.replace(&STANDARD.encode(&text), &STANDARD.encode("R1"));
            body = body.replace(&text, "R1");
            *id = "R1".parse().unwrap();
        }
    }
    Response::from_parts(head, body)
}

async fn get(door: &Pipeline, uri: &str) -> Response<String> {
    send(door, Request::get(uri), empty()).await
}

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

#[tokio::test]
async fn buckets_are_listed_as_s3_does() {
    let answer = get(&s3_door(), "/").await;
    assert_eq!(answer.headers()["content-type"], "application/xml");
    assert_eq!(answer.headers()["x-amz-request-id"], "R1");
    assert_eq!(
        answer.body().as_str(),
        format!(
            "{XML}<ListAllMyBucketsResult xmlns=\"{NAMESPACE}\"><Buckets><Bucket><Name>taxi</Name>\
             <CreationDate>2023-11-14T22:13:20.000Z</CreationDate></Bucket></Buckets><Owner><ID>0</ID></Owner>\
             </ListAllMyBucketsResult>"
        )
    );
}

#[tokio::test]
async fn objects_are_listed_as_s3_does() {
    let answer = get(
        &s3_door(),
        "/b?list-type=2&prefix=&delimiter=%2F&max-keys=7",
    )
    .await;
    assert_eq!(
        answer.body().as_str(),
        format!(
            "{XML}<ListBucketResult xmlns=\"{NAMESPACE}\"><IsTruncated>false</IsTruncated><Contents>\
             <Key>a&amp;&lt;b&gt;&#xd;&#x1;</Key><LastModified>2023-11-14T22:13:20.123Z</LastModified>\
             <ETag>&quot;x&quot;</ETag><ChecksumAlgorithm>CRC32</ChecksumAlgorithm>\
             <ChecksumAlgorithm>SHA1</ChecksumAlgorithm><Size>3</Size></Contents><Name>b</Name><Prefix></Prefix>\
             <Delimiter>/</Delimiter><MaxKeys>7</MaxKeys><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>\
             <KeyCount>2</KeyCount></ListBucketResult>"
        )
    );
}

#[tokio::test]
async fn a_location_is_its_own_root() {
    let root = format!("LocationConstraint xmlns=\"{NAMESPACE}\"");
    assert_eq!(
        get(&s3_door(), "/far?location").await.body().as_str(),
        format!("{XML}<{root}>eu-west-1</LocationConstraint>")
    );
    assert_eq!(
        get(&s3_door(), "/b?location").await.body().as_str(),
        format!("{XML}<{root}></LocationConstraint>")
    );
}

#[tokio::test]
async fn an_upload_is_completed_from_its_xml() {
    let body = format!(
        "<CompleteMultipartUpload xmlns='{NAMESPACE}'> <Part><PartNumber>1</PartNumber><ETag>&quot;a&quot;</ETag></Part>\
         <Part><ETag>b</ETag><PartNumber>2</PartNumber></Part></CompleteMultipartUpload>"
    );
    let answer = send(&s3_door(), Request::post("/b/k%20x?uploadId=u"), full(body)).await;
    assert_eq!(answer.headers()["x-amz-version-id"], "u");
    assert_eq!(
        answer.body().as_str(),
        format!(
            "{XML}<CompleteMultipartUploadResult xmlns=\"{NAMESPACE}\"><Bucket>b</Bucket><Key>k x</Key>\
             <ETag>1&quot;a&quot;+2b</ETag></CompleteMultipartUploadResult>"
        )
    );
}

#[tokio::test]
async fn bodies_that_are_not_what_they_should_be_are_malformed() {
    let post = |body: &'static str| {
        let request = Request::post("/b?delete");
        async move { send(&s3_door(), request, full(body)).await }
    };
    let good = "<Delete><Object><Key>k</Key></Object><Quiet>true</Quiet></Delete>";
    assert!(
        post(good)
            .await
            .body()
            .contains("<Deleted><Key>k</Key></Deleted>")
    );
    for bad in [
        "",
        "x",
        "<Delete>",
        "<Delte/>",
        "<Delete><Object/></Delete>",
        "<Delete><Quiet>no</Quiet></Delete>",
    ] {
        let answer = post(bad).await;
        assert_eq!(answer.status(), 400, "{bad}");
        assert!(
            answer.body().contains("<Code>MalformedXML</Code>"),
            "{bad}: {}",
            answer.body()
        );
    }
    let digest = Request::post("/b?delete").header("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==");
    let answer = send(&s3_door(), digest, full(good)).await;
    assert!(
        answer.body().contains("<Code>BadDigest</Code>"),
        "{}",
        answer.body()
    );
}

#[tokio::test]
async fn a_framed_object_arrives_without_its_frame() {
    let put = |body: &'static str| {
        let request = Request::put("/b/dir/k")
            .header("content-encoding", "gzip,aws-chunked")
            .header("content-length", body.len())
            .header("x-amz-decoded-content-length", "11")
            .header("x-amz-trailer", "x-amz-checksum-crc32")
            .header("x-amz-meta-color", "red");
        async move { send(&s3_door(), request, full(body)).await }
    };
    let answer = put("b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n").await;
    assert_eq!(
        answer.headers()["etag"],
        "b/dir/k Some(\"gzip\") Some(11) Some(\"CRC32\") Some({\"color\": \"red\"}) hello world"
    );
    let answer = put("b\r\nhello w0rld\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n").await;
    assert_eq!(answer.status(), 400);
    assert!(
        answer
            .body()
            .contains("The CRC32 you specified did not match the calculated checksum.")
    );
}

#[tokio::test]
async fn objects_are_streamed_out_with_their_headers() {
    let door = s3_door();
    let answer = get(&door, "/b/k").await;
    assert_eq!(
        (answer.status().as_u16(), answer.body().as_str()),
        (200, "hi")
    );
    assert_eq!(
        answer.headers()["last-modified"],
        "Wed, 21 Oct 2015 07:28:00 GMT"
    );
    assert_eq!(answer.headers()["content-length"], "2");
    assert_eq!(answer.headers()["x-amz-meta-color"], "red");
    let part = send(
        &door,
        Request::get("/b/k").header("range", "bytes=0-1"),
        empty(),
    )
    .await;
    assert_eq!(part.status(), 206);
    let since = Request::get("/b/k").header("if-modified-since", "Wed, 21 Oct 2015 07:28:00 GMT");
    let same = send(&door, since, empty()).await;
    assert_eq!((same.status().as_u16(), same.body().as_str()), (304, ""));
    assert_eq!(same.headers()["etag"], "\"x\"");
}

#[tokio::test]
async fn a_head_has_no_body_whatever_the_answer() {
    let head =
        |uri: &'static str| async move { send(&s3_door(), Request::head(uri), empty()).await };
    let found = head("/b/k").await;
    assert_eq!(
        (
            found.headers()["content-length"].to_str().unwrap(),
            found.body().as_str()
        ),
        ("7", "")
    );
    let missing = head("/b/missing").await;
    assert_eq!(
        (missing.status().as_u16(), missing.body().as_str()),
        (404, "")
    );
}

#[tokio::test]
async fn what_is_not_built_or_not_there_says_so() {
    let door = s3_door();
    for (uri, code) in [
        ("/b", "s3:ListObjects"),
        ("/b?acl", "s3:GetBucketAcl"),
        ("/b?policy", "s3:GetBucketPolicy"),
    ] {
        let answer = get(&door, uri).await;
        assert_eq!(answer.status(), 501, "{uri}");
        let text = format!(
            "<Code>NotImplemented</Code><Message>Headwater does not support {code} yet.</Message>"
        );
        assert!(answer.body().contains(&text), "{}", answer.body());
    }
    let unsized_body = streamed(ByteStream::from_bytes("x".into()).chunks, None);
    let answer = send(&door, Request::put("/b/k"), unsized_body).await;
    assert_eq!(answer.status(), 411);
    assert!(
        answer.body().contains("<Code>MissingContentLength</Code>"),
        "{}",
        answer.body()
    );
    let answer = send(&door, Request::post("/b/k"), empty()).await;
    assert_eq!(answer.status(), 405);
    let tail = "<Method>POST</Method><RequestId>R1</RequestId><HostId>UjE=</HostId></Error>";
    assert_eq!(
        answer.body().as_str(),
        format!(
            "{XML}<Error><Code>MethodNotAllowed</Code>\
             <Message>The specified method is not allowed against this resource.</Message>{tail}"
        )
    );
    let answer = get(&door, "/b?list-type=2&max-keys=many").await;
    assert!(
        answer.body().contains("<Code>InvalidArgument</Code>"),
        "{}",
        answer.body()
    );
    assert!(
        answer
            .body()
            .contains("<ArgumentName>max-keys</ArgumentName><ArgumentValue>many</ArgumentValue>")
    );
    assert!(
        get(&door, "/b/%ff")
            .await
            .body()
            .contains("<Code>InvalidURI</Code>")
    );
}

#[tokio::test]
async fn a_function_is_invoked_with_bytes_and_answers_with_bytes() {
    let uri = "/2015-03-31/functions/f/invocations";
    let request = Request::post(uri).header("x-amz-invocation-type", "Event");
    let response = lambda_door()
        .call(request.body(full("{}")).unwrap(), PEER)
        .await;
    assert_eq!(response.status(), 202);
    assert_eq!(response.headers()["x-amz-executed-version"], "$LATEST");
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        &b"\"{}\xff\""[..]
    );
}

#[tokio::test]
async fn lambda_answers_in_json() {
    let door = lambda_door();
    let answer = get(&door, "/2015-03-31/functions/?Marker=m%20x&MaxItems=3").await;
    assert_eq!(answer.headers()["x-amzn-requestid"], "R1");
    assert_eq!(
        answer.body(),
        r#"{"Functions":[{"FunctionName":"m x","Timeout":3}]}"#
    );
    let deleted = send(&door, Request::delete("/2015-03-31/functions/f"), empty()).await;
    assert_eq!(
        (deleted.status().as_u16(), deleted.body().as_str()),
        (204, "")
    );
    let missing = send(
        &door,
        Request::post("/2015-03-31/functions/none/invocations"),
        empty(),
    )
    .await;
    assert_eq!(missing.status(), 404);
    assert_eq!(
        missing.headers()["x-amzn-errortype"],
        "ResourceNotFoundException"
    );
    assert_eq!(
        missing.body(),
        r#"{"Type":"User","message":"Function not found: none"}"#
    );
    let invalid = get(&door, "/2015-03-31/functions?MaxItems=0").await;
    assert_eq!(
        invalid.headers()["x-amzn-errortype"],
        "ValidationException",
        "{}",
        invalid.body()
    );
    assert!(
        invalid
            .body()
            .contains("1 validation error detected: Value '0' at 'maxItems'"),
        "{}",
        invalid.body()
    );
    let unbuilt = get(&door, "/2015-03-31/functions/f/aliases").await;
    assert!(
        unbuilt.body().contains("lambda:ListAliases"),
        "{}",
        unbuilt.body()
    );
    let signed = "AWS4-HMAC-SHA256 Credential=k/d/us-east-1/lambda/aws4_request, Signature=0";
    let unknown = Request::get("/2015-03-31/nothing").header("authorization", signed);
    let unknown = send(&door, unknown, empty()).await;
    assert_eq!(
        (
            unknown.status().as_u16(),
            &unknown.headers()["x-amzn-errortype"]
        ),
        (404, &"UnknownOperationException".parse().unwrap())
    );
}

#[tokio::test]
async fn requests_find_their_service() {
    let options = Options::new(Place::new("000000000000", "us-east-1"));
    let both = Pipeline::new(vec![lambda_table(), s3_table()], options, Env::real());
    let signed = |service: &str| {
        format!("AWS4-HMAC-SHA256 Credential=k/d/us-east-1/{service}/aws4_request, Signature=0")
    };
    let function = || Request::get("/2015-03-31/functions");
    for (request, is_lambda) in [
        (function(), true),
        (function().header("authorization", signed("lambda")), true),
        (function().header("authorization", signed("s3")), false),
        (Request::get("/bucket/key"), false),
    ] {
        let answer = send(&both, request, empty()).await;
        let id = if is_lambda {
            "x-amzn-requestid"
        } else {
            "x-amz-request-id"
        };
        assert!(answer.headers().contains_key(id), "{answer:?}");
    }
}

#[tokio::test]
async fn services_that_are_not_built_answer_in_their_own_way() {
    let door = pipeline(s3_table(), &[]);
    let signed = |service: &str| {
        format!("AWS4-HMAC-SHA256 Credential=k/d/us-east-1/{service}/aws4_request, Signature=0")
    };
    let form = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
    let form = form.header("authorization", signed("sts"));
    let body = full("Action=GetCallerIdentity&Version=2011-06-15");
    let answer = send(&door, form, body).await;
    let text = "Headwater does not support AWS Security Token Service (sts) yet.";
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (501, &"text/xml".parse().unwrap())
    );
    assert!(
        answer
            .body()
            .contains(&format!("<Code>NotImplemented</Code><Message>{text}")),
        "{answer:?}"
    );
    let target = Request::post("/")
        .header("x-amz-target", "DynamoDB_20120810.ListTables")
        .header("content-type", "application/x-amz-json-1.0");
    let answer = send(&door, target, full("{}")).await;
    assert_eq!(
        answer.headers()["content-type"],
        "application/x-amz-json-1.0"
    );
    assert!(
        answer.body().contains("Amazon DynamoDB (dynamodb)"),
        "{answer:?}"
    );
    let rest = Request::get("/v1/apis").header("authorization", signed("kafka"));
    let answer = send(&door, rest, empty()).await;
    assert_eq!(
        (
            answer.status().as_u16(),
            &answer.headers()["x-amzn-errortype"]
        ),
        (501, &"NotImplemented".parse().unwrap())
    );
}

#[tokio::test]
async fn the_bucket_may_stand_in_the_host() {
    let door = pipeline(s3_table(), &["localhost"]);
    let answer = get(&door, "/?list-type=2").await;
    assert!(
        answer.body().contains("<Name>b</Name>"),
        "{}",
        answer.body()
    );
}

proptest! {
    #[test]
    fn any_request_is_answered(
        method in "GET|PUT|POST|DELETE|HEAD",
        path in "(/[a-z%0-9.]{0,5}){1,3}",
        query in "[a-z%=&+-]{0,20}(uploads|uploadId=x|delete|list-type=2|partNumber=1)?",
        header in "[ -~]{0,20}",
        body: Vec<u8>,
    ) {
        for door in [s3_door(), lambda_door()] {
            let request = Request::builder()
                .method(method.as_str())
                .uri(format!("{path}?{query}"))
                .header("x-amz-content-sha256", &header)
                .header("content-encoding", if body.len() % 2 == 0 { "aws-chunked" } else { "gzip" })
                .header("range", &header)
                .header("if-modified-since", &header);
            let answer = door.call(request.body(full(body.clone())).unwrap(), PEER).now_or_never();
            let status = answer.expect("nothing here waits").status();
            prop_assert!(status != 500, "{status}");
        }
    }
}

/// The bytes of the body that each request was seen to have.
#[derive(Default)]
struct BytesIn(parking_lot::Mutex<Vec<u64>>);

impl Observe for BytesIn {
    fn observe(&self, seen: &Seen<'_>) {
        self.0.lock().push(seen.bytes_in);
    }
}

#[tokio::test]
async fn of_a_body_what_was_read_is_counted_and_not_what_was_announced() {
    let seen = Arc::new(BytesIn::default());
    let options = |verifier| Options {
        observers: vec![seen.clone()],
        verifier,
        ..Options::new(Place::new("000000000000", "us-east-1"))
    };
    let none_signs = Verifier::new([], Region("us-east-1".into()), Env::real().clock);
    let open = Pipeline::new(vec![s3_table()], options(None), Env::real());
    let guarded = Pipeline::new(vec![s3_table()], options(Some(none_signs)), Env::real());
    let pieces = || {
        let pieces = ["ab", "cde"].map(|piece| Ok(Bytes::from(piece)));
        futures_util::stream::iter(pieces)
    };
    let put = |announced: u64| Request::put("/b/k").header("content-length", announced);
    let huge = i64::MAX as u64;
    for _ in 0..3 {
        let body = streamed(pieces(), Some(huge));
        let answer = send(&guarded, put(huge), body).await;
        assert_eq!(answer.status(), 403);
    }
    let answer = send(&open, put(5), streamed(pieces(), Some(5))).await;
    assert_eq!(answer.status(), 200);
    let delete = "<Delete><Object><Key>k</Key></Object></Delete>";
    send(&open, Request::post("/b?delete"), full(delete)).await;
    assert_eq!(*seen.0.lock(), [0, 0, 0, 5, delete.len() as u64]);
}
