//! Doors of two services with small handlers: requests as clients send them, answers to the byte.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{FutureExt, TryStreamExt};
use headwater_shapes::{Blob, ByteStream, Timestamp, lambda, s3};
use headwater_types::{Account, Region};
use http::{Request, Response};
use http_body_util::BodyExt;
use proptest::prelude::*;

use crate::{
    ApiError, Body, Context, Door, Handle, Rest, Table,
    body::{empty, full, streamed},
    chunked::body_error,
};

struct World;

pub(crate) fn context() -> Context {
    Context::new(
        "R1",
        Region("us-east-1".to_owned()),
        Account("000000000000".to_owned()),
        "b.localhost:4566",
    )
}

impl Handle<s3::ops::ListBuckets> for World {
    async fn handle(
        &self,
        _: s3::ListBucketsRequest,
        _: &Context,
    ) -> Result<s3::ListBucketsOutput, ApiError> {
        let bucket = s3::Bucket {
            name: Some("taxi".into()),
            creation_date: Some(Timestamp(1_700_000_000_000)),
            ..Default::default()
        };
        let owner = s3::Owner {
            id: Some("0".into()),
            ..Default::default()
        };
        Ok(s3::ListBucketsOutput {
            buckets: Some(vec![bucket]),
            owner: Some(owner),
            ..Default::default()
        })
    }
}

impl Handle<s3::ops::ListObjectsV2> for World {
    async fn handle(
        &self,
        input: s3::ListObjectsV2Request,
        _: &Context,
    ) -> Result<s3::ListObjectsV2Output, ApiError> {
        let object = s3::Object {
            key: Some("a&<b>\r\u{1}".into()),
            last_modified: Some(Timestamp(1_700_000_000_123)),
            e_tag: Some("\"x\"".into()),
            checksum_algorithm: Some(vec!["CRC32".into(), "SHA1".into()]),
            size: Some(3),
            ..Default::default()
        };
        let prefix = s3::CommonPrefix {
            prefix: Some("p/".into()),
        };
        Ok(s3::ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(input.prefix.unwrap_or_default()),
            delimiter: input.delimiter,
            max_keys: Some(input.max_keys.unwrap_or(1000)),
            key_count: Some(2),
            is_truncated: Some(false),
            contents: Some(vec![object]),
            common_prefixes: Some(vec![prefix]),
            ..Default::default()
        })
    }
}

impl Handle<s3::ops::GetBucketLocation> for World {
    async fn handle(
        &self,
        input: s3::GetBucketLocationRequest,
        _: &Context,
    ) -> Result<s3::GetBucketLocationOutput, ApiError> {
        let region = (input.bucket == "far").then(|| "eu-west-1".to_owned());
        Ok(s3::GetBucketLocationOutput {
            location_constraint: region,
        })
    }
}

impl Handle<s3::ops::CompleteMultipartUpload> for World {
    async fn handle(
        &self,
        input: s3::CompleteMultipartUploadRequest,
        _: &Context,
    ) -> Result<s3::CompleteMultipartUploadOutput, ApiError> {
        let parts = input
            .multipart_upload
            .and_then(|upload| upload.parts)
            .unwrap_or_default();
        let numbers: Vec<_> = parts
            .iter()
            .map(|p| format!("{}{}", p.part_number.unwrap(), p.e_tag.clone().unwrap()))
            .collect();
        Ok(s3::CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(numbers.join("+")),
            version_id: Some(input.upload_id),
            ..Default::default()
        })
    }
}

impl Handle<s3::ops::DeleteObjects> for World {
    async fn handle(
        &self,
        input: s3::DeleteObjectsRequest,
        _: &Context,
    ) -> Result<s3::DeleteObjectsOutput, ApiError> {
        let deleted = |object: s3::ObjectIdentifier| s3::DeletedObject {
            key: Some(object.key),
            ..Default::default()
        };
        let deleted = input.delete.objects.into_iter().map(deleted).collect();
        Ok(s3::DeleteObjectsOutput {
            deleted: Some(deleted),
            ..Default::default()
        })
    }
}

/// Says in its answer what it was given.
impl Handle<s3::ops::PutObject> for World {
    async fn handle(
        &self,
        input: s3::PutObjectRequest,
        _: &Context,
    ) -> Result<s3::PutObjectOutput, ApiError> {
        let body: Vec<Bytes> = input
            .body
            .chunks
            .try_collect()
            .await
            .map_err(|error| body_error(&error).unwrap_or_else(|| ApiError::internal(error)))?;
        let said = format!(
            "{}/{} {:?} {:?} {:?} {:?} {}",
            input.bucket.escape_debug(),
            input.key.escape_debug(),
            input.content_encoding,
            input.content_length,
            input.checksum_algorithm,
            input.metadata,
            String::from_utf8_lossy(&body.concat()).escape_default()
        );
        Ok(s3::PutObjectOutput {
            e_tag: Some(said),
            ..Default::default()
        })
    }
}

impl Handle<s3::ops::GetObject> for World {
    async fn handle(
        &self,
        input: s3::GetObjectRequest,
        _: &Context,
    ) -> Result<s3::GetObjectOutput, ApiError> {
        if input.if_modified_since == Some(Timestamp(1_445_412_480_000)) {
            return Err(ApiError::new(304, "NotModified", "Not Modified").with("ETag", "\"x\""));
        }
        let range = input.range.map(|_| "bytes 0-1/2".to_owned());
        Ok(s3::GetObjectOutput {
            body: ByteStream::from_bytes(Bytes::from_static(b"hi")),
            last_modified: Some(Timestamp(1_445_412_480_000)),
            content_range: range,
            metadata: Some([("color".to_owned(), "red".to_owned())].into()),
            ..Default::default()
        })
    }
}

impl Handle<s3::ops::HeadObject> for World {
    async fn handle(
        &self,
        input: s3::HeadObjectRequest,
        _: &Context,
    ) -> Result<s3::HeadObjectOutput, ApiError> {
        if input.key == "missing" {
            return Err(
                ApiError::new(404, "NoSuchKey", "The specified key does not exist.")
                    .with("Key", "missing"),
            );
        }
        Ok(s3::HeadObjectOutput {
            content_length: Some(7),
            ..Default::default()
        })
    }
}

impl Handle<lambda::ops::Invoke> for World {
    async fn handle(
        &self,
        input: lambda::InvocationRequest,
        _: &Context,
    ) -> Result<lambda::InvocationResponse, ApiError> {
        if input.function_name == "none" {
            return Err(ApiError::new(
                404,
                "ResourceNotFoundException",
                "Function not found: none",
            ));
        }
        let status = if input.invocation_type.as_deref() == Some("Event") {
            202
        } else {
            200
        };
        let payload = input.payload.unwrap_or_default();
        let echo = [b"\"", &payload.0[..], b"\xff\""].concat();
        Ok(lambda::InvocationResponse {
            status_code: Some(status),
            payload: Some(Blob(echo.into())),
            executed_version: Some("$LATEST".into()),
            ..Default::default()
        })
    }
}

impl Handle<lambda::ops::ListFunctions> for World {
    async fn handle(
        &self,
        input: lambda::ListFunctionsRequest,
        _: &Context,
    ) -> Result<lambda::ListFunctionsResponse, ApiError> {
        let function = lambda::FunctionConfiguration {
            function_name: input.marker,
            timeout: input.max_items,
            ..Default::default()
        };
        Ok(lambda::ListFunctionsResponse {
            functions: Some(vec![function]),
            ..Default::default()
        })
    }
}

impl Handle<lambda::ops::DeleteFunction> for World {
    async fn handle(
        &self,
        _: lambda::DeleteFunctionRequest,
        _: &Context,
    ) -> Result<lambda::DeleteFunctionResponse, ApiError> {
        Ok(lambda::DeleteFunctionResponse {
            status_code: Some(204),
        })
    }
}

pub(crate) fn s3_door() -> impl Door {
    let table = Table::new(&s3::SERVICE, Arc::new(World))
        .route::<s3::ops::ListBuckets>()
        .route::<s3::ops::ListObjectsV2>()
        .route::<s3::ops::GetBucketLocation>()
        .route::<s3::ops::CompleteMultipartUpload>()
        .route::<s3::ops::DeleteObjects>()
        .route::<s3::ops::PutObject>()
        .route::<s3::ops::GetObject>()
        .route::<s3::ops::HeadObject>();
    Rest::new(table)
}

pub(crate) fn lambda_door() -> impl Door {
    let table = Table::new(&lambda::SERVICE, Arc::new(World))
        .route::<lambda::ops::Invoke>()
        .route::<lambda::ops::ListFunctions>()
        .route::<lambda::ops::DeleteFunction>();
    Rest::new(table)
}

/// An answer's status, headers and body as text.
async fn send(door: &impl Door, request: http::request::Builder, body: Body) -> Response<String> {
    let (head, body) = door
        .call(request.body(body).unwrap(), context())
        .await
        .into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Response::from_parts(head, String::from_utf8_lossy(&body).into_owned())
}

async fn get(door: &impl Door, uri: &str) -> Response<String> {
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
    let unsized_body = streamed(ByteStream {
        len: None,
        ..ByteStream::from_bytes("x".into())
    });
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
        .call(request.body(full("{}")).unwrap(), context())
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
    let unknown = get(&door, "/2015-03-31/nothing").await;
    assert_eq!(
        (
            unknown.status().as_u16(),
            &unknown.headers()["x-amzn-errortype"]
        ),
        (404, &"UnknownOperationException".parse().unwrap())
    );
}

#[test]
fn doors_take_what_is_theirs() {
    let takes = |door: &dyn Door, request: http::request::Builder| {
        door.takes(&request.body(()).unwrap().into_parts().0)
    };
    let signed = |service: &str| {
        format!("AWS4-HMAC-SHA256 Credential=k/d/r/{service}/aws4_request, Signature=0")
    };
    let (lambda, s3) = (lambda_door(), s3_door());
    let function = || Request::get("/2015-03-31/functions/f");
    assert!(takes(&lambda, function()));
    assert!(takes(
        &lambda,
        function().header("authorization", signed("lambda"))
    ));
    assert!(!takes(
        &lambda,
        function().header("authorization", signed("s3"))
    ));
    assert!(!takes(&lambda, Request::get("/bucket/key")));
    assert!(takes(&s3, Request::get("/bucket/key")));
    assert!(takes(&s3, function().header("authorization", signed("s3"))));
    assert!(!takes(
        &s3,
        Request::get("/").header("authorization", signed("dynamodb"))
    ));
}

#[tokio::test]
async fn the_bucket_may_stand_in_the_host() {
    let table = Table::new(&s3::SERVICE, Arc::new(World)).route::<s3::ops::ListObjectsV2>();
    let door = Rest::new(table).with_virtual_hosts(["localhost".to_owned()]);
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
        for door in [&s3_door() as &dyn Door, &lambda_door()] {
            let request = Request::builder()
                .method(method.as_str())
                .uri(format!("{path}?{query}"))
                .header("x-amz-content-sha256", &header)
                .header("content-encoding", if body.len() % 2 == 0 { "aws-chunked" } else { "gzip" })
                .header("range", &header)
                .header("if-modified-since", &header);
            let answer = door.call(request.body(full(body.clone())).unwrap(), context()).now_or_never();
            let status = answer.expect("nothing here waits").status();
            prop_assert!(status != 500, "{status}");
        }
    }
}
