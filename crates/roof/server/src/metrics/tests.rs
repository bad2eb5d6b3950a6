//! The page of a server that does something.

use std::sync::Arc;

use headwater_http::{Peer, Service, body};
use http::{Method, Request, Response, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::{families::ALL, text::parse};
use crate::{
    ground::Ground,
    places::Places,
    serve::{Watch, serving},
    services::{SERVICES, open_listed},
};

const HOME: &str = "us-east-1";
const STREAM: (&str, &str) = ("stream", "s");

/// The pipeline of a server with all services.
struct World(Arc<dyn Service>);

impl World {
    async fn open(dir: &std::path::Path) -> Self {
        let ground = Ground::for_tests(dir).await;
        let services = open_listed(SERVICES, &ground).await.unwrap();
        let places = Places::open(ground.clone()).await.unwrap();
        let served = serving(&ground, &services, &places, None, &Watch::default());
        Self(served.serving.service)
    }

    async fn send(&self, request: http::request::Builder, text: &str) -> (Response<()>, String) {
        let peer = Peer {
            address: ([127, 0, 0, 1], 1).into(),
            secure: false,
        };
        let request = request.body(body::full(text.to_owned())).unwrap();
        let (head, body) = self.0.call(request, peer).await.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        (Response::from_parts(head, ()), text)
    }

    /// A call of Kinesis in a region: its status, and its answer in JSON.
    async fn call(&self, region: &str, operation: &str, input: Value) -> (u16, Value) {
        let scope = format!("Credential=a/20260101/{region}/kinesis/aws4_request");
        let signed = format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0");
        let request = Request::post("/")
            .header("content-type", "application/x-amz-json-1.1")
            .header("authorization", signed)
            .header("x-amz-target", format!("Kinesis_20131202.{operation}"));
        let (head, text) = self.send(request, &input.to_string()).await;
        let answer = serde_json::from_str(&text).unwrap_or_default();
        (head.status().as_u16(), answer)
    }

    async fn done(&self, operation: &str, input: Value) -> Value {
        let (status, answer) = self.call(HOME, operation, input).await;
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }

    async fn page(&self) -> parse::Page {
        let (head, text) = self.send(Request::get("/_headwater/metrics"), "").await;
        assert_eq!(head.status(), 200);
        let page = parse::page(&text);
        for name in page.families.keys() {
            assert!(ALL.iter().any(|metric| metric.name == name), "{name}");
        }
        page
    }
}

#[tokio::test]
async fn requests_are_told_by_operation_and_what_is_none_of_ours_together() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path()).await;
    world
        .done("CreateStream", json!({"StreamName": "s", "ShardCount": 1}))
        .await;
    for _ in 0..3 {
        world.done("ListStreams", json!({})).await;
    }
    let missing = json!({"StreamName": "none"});
    assert_eq!(
        world.call(HOME, "ListStreams", json!({"Limit": 0})).await.0,
        400
    );
    assert_eq!(world.call(HOME, "DescribeStream", missing).await.0, 400);
    assert_eq!(world.call(HOME, "BakeBread", json!({})).await.0, 400);
    let unknown = Request::post("/").header("x-amz-target", "AmazonAthena.ListWorkGroups");
    world
        .send(
            unknown.header("content-type", "application/x-amz-json-1.0"),
            "{}",
        )
        .await;
    let page = world.page().await;
    let count = |service, operation, status| {
        let labels = [
            ("service", service),
            ("operation", operation),
            ("status", status),
        ];
        page.value("headwater_requests_total", &labels)
    };
    assert_eq!(count("kinesis", "ListStreams", "2xx"), Some(3.0));
    assert_eq!(count("kinesis", "ListStreams", "4xx"), Some(1.0));
    assert_eq!(count("kinesis", "DescribeStream", "4xx"), Some(1.0));
    assert_eq!(count("kinesis", "DescribeStream", "2xx"), None);
    assert_eq!(count("kinesis", "other", "4xx"), Some(1.0));
    assert_eq!(count("other", "other", "5xx"), Some(1.0));
    let of = |name, more: &[_]| {
        let labels = [("service", "kinesis"), ("operation", "ListStreams")];
        page.value(name, &[&labels, more].concat()).unwrap()
    };
    assert_eq!(of("headwater_request_bytes_total", &[]), 3.0 * 2.0 + 11.0);
    assert!(of("headwater_response_bytes_total", &[]) > 0.0);
    assert_eq!(of("headwater_request_duration_seconds_count", &[]), 4.0);
    let all = of(
        "headwater_request_duration_seconds_bucket",
        &[("le", "+Inf")],
    );
    let most = of("headwater_request_duration_seconds_bucket", &[("le", "10")]);
    assert_eq!((all, most), (4.0, 4.0));
    assert!(of("headwater_request_duration_seconds_sum", &[]) > 0.0);
}

#[tokio::test]
async fn streams_are_told_by_region_and_shards_where_that_is_switched_on() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path()).await;
    let create = json!({"StreamName": "s", "ShardCount": 2});
    world.done("CreateStream", create.clone()).await;
    assert_eq!(world.call("eu-west-1", "CreateStream", create).await.0, 200);
    let record = json!({"PartitionKey": "key", "Data": "YWJj"});
    let records = json!({"StreamName": "s", "Records": [record, record, record]});
    world.done("PutRecords", records).await;
    let page = world.page().await;
    let of = |name, region| page.value(name, &[("region", region), STREAM]);
    for (name, here) in [
        ("headwater_stream_open_shards", 2.0),
        ("headwater_stream_incoming_records_total", 3.0),
        ("headwater_stream_incoming_bytes_total", 18.0),
        ("headwater_stream_outgoing_records_total", 0.0),
    ] {
        assert_eq!(of(name, HOME), Some(here), "{name}");
    }
    assert_eq!(
        of("headwater_stream_incoming_records_total", "eu-west-1"),
        Some(0.0)
    );
    let shards = |page: &parse::Page| {
        let names = page.samples.iter().map(|sample| sample.name.clone());
        let mut names: Vec<_> = names
            .filter(|name| name.starts_with("headwater_shard"))
            .collect();
        names.dedup();
        names
    };
    assert!(shards(&page).is_empty());
    let switch = |metric| json!({"StreamName": "s", "ShardLevelMetrics": [metric]});
    world
        .done("EnableEnhancedMonitoring", switch("IncomingBytes"))
        .await;
    let page = world.page().await;
    assert_eq!(shards(&page), ["headwater_shard_incoming_bytes_total"]);
    let values = page
        .samples
        .iter()
        .filter(|sample| sample.labels.contains_key("shard"));
    let values: Vec<f64> = values.map(|sample| sample.value).collect();
    assert!(values == [0.0, 18.0] || values == [18.0, 0.0], "{values:?}");
    world.done("EnableEnhancedMonitoring", switch("ALL")).await;
    assert_eq!(shards(&world.page().await).len(), 7);
    world.done("DisableEnhancedMonitoring", switch("ALL")).await;
    assert!(shards(&world.page().await).is_empty());
}

#[tokio::test]
async fn tables_are_told_by_their_names() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path()).await;
    let call = async |operation: &str, input: Value| {
        let request = Request::post("/")
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"));
        let (head, text) = world.send(request, &input.to_string()).await;
        (head.status().as_u16(), text)
    };
    let create = json!({
        "TableName": "taxi", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"},
    });
    assert_eq!(call("CreateTable", create).await.0, 200);
    let page = world.page().await;
    let of = |page: &parse::Page, name: &str| {
        let labels = [("region", HOME), ("table", "taxi")];
        page.value(name, &labels)
    };
    for (name, value) in [
        ("headwater_table_partitions", 4.0),
        ("headwater_table_streams", 1.0),
        ("headwater_table_building_indexes", 0.0),
        ("headwater_table_written_items_total", 0.0),
        ("headwater_table_cancelled_transactions_total", 0.0),
    ] {
        assert_eq!(of(&page, name), Some(value), "{name}");
    }
    let labels = [("region", HOME)];
    let unsettled = page.value("headwater_table_unsettled_partitions", &labels);
    assert_eq!(unsettled, Some(0.0));
}

#[tokio::test]
async fn what_there_is_once_in_a_server_is_always_told() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path()).await;
    let page = world.page().await;
    let of = |name: &str, labels: &[_]| page.value(name, labels);
    assert_eq!(of("headwater_log_healthy", &[]), Some(1.0));
    assert_eq!(of("headwater_log_files", &[]), Some(1.0));
    let version = ("version", env!("CARGO_PKG_VERSION"));
    assert_eq!(of("headwater_build_info", &[version]), Some(1.0));
    for pool in [
        "bodies",
        "answers",
        "spare_buffers",
        "log_waiting",
        "log_tail",
        "log_index",
    ] {
        let taken = of("headwater_memory_pool_bytes", &[("pool", pool)]).unwrap();
        let limit = of("headwater_memory_pool_limit_bytes", &[("pool", pool)]).unwrap();
        assert!(taken <= limit && limit > 0.0, "{pool}");
    }
    for kind in ["delivery_stream", "channel"] {
        let limit = "headwater_delivery_memory_limit_bytes";
        let labels = [("region", HOME), ("kind", kind), ("use", "files")];
        assert!(of(limit, &labels).unwrap() > 0.0);
    }
    assert_eq!(
        of("headwater_function_processes", &[("state", "busy")]),
        Some(0.0)
    );
    if cfg!(target_os = "linux") {
        assert!(of("headwater_process_resident_memory_bytes", &[]).unwrap() > 0.0);
    }
}

#[tokio::test]
async fn the_page_is_read_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path()).await;
    let ask = |method, path| Request::builder().method(method).uri(path);
    let path = "/_headwater/metrics";
    let (head, text) = world.send(ask(Method::GET, path), "").await;
    assert_eq!(
        head.headers()[CONTENT_TYPE],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    assert!(text.starts_with("# HELP "));
    assert_eq!(
        world.send(ask(Method::HEAD, path), "").await.0.status(),
        200
    );
    for (method, path) in [(Method::POST, path), (Method::GET, "/_headwater/metrics/x")] {
        let (head, text) = world.send(ask(method, path), "").await;
        assert_eq!(head.status(), 404);
        assert!(text.contains("/_headwater/metrics"), "{text}");
    }
    let (head, _) = world.send(ask(Method::GET, "/_headwater/health"), "").await;
    assert_eq!(head.headers()[CONTENT_TYPE], "application/json");
}
