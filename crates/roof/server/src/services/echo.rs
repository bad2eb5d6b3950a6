//! The example of CONTRIBUTING: a service in all its places, which is built and called by the tests here.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_http::{Peer, Service as _, body};
use headwater_wire::{Options, Pipeline, Table};
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::{
    Failure,
    ground::Ground,
    services::{Given, Running, SERVICES, Service, open_listed},
};

// 1. Code generation: a selection in `xtask` writes a crate like this one out of botocore's model.
mod shapes {
    use headwater_shapes::{
        Http, Member, NOTHING, OperationShape, Protocol, Service, Shape, Structure, optional,
        required,
    };

    pub static SERVICE: Service = Service {
        name: "echo",
        signing_name: "echo",
        version: "2026-01-01",
        protocols: &[Protocol::Json, Protocol::Query],
        json_version: "1.1",
        target: "Echo_20260101",
        query_compatible: false,
        xml_namespace: None,
        operations: &[&SAY, &FORGET],
    };

    #[derive(Debug, Default, Clone, PartialEq)]
    pub struct SayInput {
        pub text: String,
    }

    headwater_shapes::tree!(SayInput { required "Text" text });

    #[derive(Debug, Default, Clone, PartialEq)]
    pub struct SayOutput {
        pub before: Option<String>,
    }

    headwater_shapes::tree!(SayOutput { optional "Before" before });

    pub mod ops {
        use super::{SERVICE, SayInput, SayOutput};

        headwater_shapes::operation!(Say, super::SAY, SayInput => SayOutput);
    }

    static TEXT: Shape = Shape::String {
        min: Some(1),
        max: None,
        pattern: None,
        values: &[],
    };
    static SAY_MEMBERS: [Member; 1] = [required("Text", &TEXT)];
    static SAID_MEMBERS: [Member; 1] = [optional("Before", &TEXT)];
    static SAY_INPUT: Structure = Structure {
        name: "SayInput",
        members: &SAY_MEMBERS,
        payload: None,
        union: false,
    };
    static SAY_OUTPUT: Structure = Structure {
        name: "SayOutput",
        members: &SAID_MEMBERS,
        payload: None,
        union: false,
    };
    static SAY: OperationShape = operation("Say", &SAY_INPUT, &SAY_OUTPUT);
    static FORGET: OperationShape = operation("Forget", &NOTHING, &NOTHING);

    const fn operation(
        name: &'static str,
        input: &'static Structure,
        output: &'static Structure,
    ) -> OperationShape {
        let http = Http {
            method: "POST",
            uri: "/",
            status: 200,
        };
        OperationShape {
            name,
            http,
            input,
            output,
            result_wrapper: None,
            errors: &[],
        }
    }
}

// 2. The domain: what there is to do, without AWS's spelling.
mod domain {
    use parking_lot::Mutex;

    #[derive(Default)]
    pub struct Echo(Mutex<Option<String>>);

    impl Echo {
        /// Keeps a text, and gives the one before it.
        pub fn say(&self, text: String) -> Option<String> {
            self.0.lock().replace(text)
        }
    }
}

// 3. The door: AWS's operations over the domain, one file an operation and one table.
mod door {
    use std::sync::Arc;

    use headwater_wire::{ApiError, Context, Handle, Routes, Table, WRITES};

    use super::{
        domain::Echo,
        shapes::{SERVICE, SayInput, SayOutput, ops},
    };

    impl Handle<ops::Say> for Echo {
        async fn handle(&self, input: SayInput, _: &Context) -> Result<SayOutput, ApiError> {
            let SayInput { text } = input;
            Ok(SayOutput {
                before: self.say(text),
            })
        }
    }

    pub fn table(echo: Arc<Echo>) -> Table {
        Routes::new(&SERVICE, echo)
            .route::<ops::Say>(WRITES.data())
            .build()
    }
}

// 4. The service: how it opens, works and closes; and its line in the list.
struct Echo(Arc<domain::Echo>);

async fn open(_: &Ground, _: &mut Given) -> Result<Arc<dyn Running>, Failure> {
    Ok(Arc::new(Echo(Arc::default())))
}

#[async_trait]
impl Running for Echo {
    fn table(&self) -> Table {
        door::table(self.0.clone())
    }
}

static ECHO: Service = Service {
    name: "echo",
    open: |ground, given| Box::pin(open(ground, given)),
};

/// A server's pipeline with the list's services and this one.
async fn pipeline(dir: &std::path::Path) -> Pipeline {
    let ground = Ground::for_tests(dir).await;
    let services = open_listed(SERVICES.iter().chain([&ECHO]), &ground)
        .await
        .unwrap();
    let tables = services.iter().map(|service| service.table()).collect();
    Pipeline::new(
        tables,
        Options::new(ground.place.clone()),
        ground.env.clone(),
    )
}

async fn send(pipeline: &Pipeline, request: http::request::Builder, text: &str) -> (u16, String) {
    let peer = Peer {
        address: ([127, 0, 0, 1], 1).into(),
        secure: false,
    };
    let request = request.body(body::full(text.to_owned())).unwrap();
    let (head, body) = pipeline.call(request, peer).await.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (
        head.status.as_u16(),
        String::from_utf8(bytes.to_vec()).unwrap(),
    )
}

async fn call(pipeline: &Pipeline, operation: &str, input: Value) -> (u16, Value) {
    let request = Request::post("/")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", format!("Echo_20260101.{operation}"));
    let (status, body) = send(pipeline, request, &input.to_string()).await;
    (status, serde_json::from_str(&body).unwrap())
}

#[tokio::test]
async fn a_service_of_four_places_is_served_in_every_protocol_of_its_model() {
    let dir = tempfile::tempdir().unwrap();
    let pipeline = pipeline(dir.path()).await;
    assert_eq!(
        call(&pipeline, "Say", json!({"Text": "a"})).await,
        (200, json!({}))
    );
    let answer = call(&pipeline, "Say", json!({"Text": "b"})).await;
    assert_eq!(answer, (200, json!({"Before": "a"})));
    let form = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
    let (status, xml) = send(&pipeline, form, "Action=Say&Version=2026-01-01&Text=c").await;
    assert!(
        status == 200 && xml.contains("<Before>b</Before>"),
        "{status} {xml}"
    );
}

#[tokio::test]
async fn its_bad_input_and_what_it_lacks_are_refused_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let pipeline = pipeline(dir.path()).await;
    let (status, refused) = call(&pipeline, "Say", json!({"Text": ""})).await;
    let text = "1 validation error detected: Value '' at 'text' failed to satisfy constraint: Member must have \
                length greater than or equal to 1";
    assert_eq!(
        (status, &refused["__type"]),
        (400, &json!("ValidationException"))
    );
    assert_eq!(refused["message"], text);
    let (status, refused) = call(&pipeline, "Forget", json!({})).await;
    let text = "Headwater does not support echo's operation Forget yet.";
    assert_eq!((status, &refused["message"]), (501, &json!(text)));
}

#[test]
fn contributing_tells_every_place() {
    let told = include_str!("../../../../../CONTRIBUTING.md");
    let here = include_str!("echo.rs");
    let places = here.lines().filter(|line| {
        line.strip_prefix("// ")
            .is_some_and(|text| text.starts_with(|c: char| c.is_ascii_digit()))
    });
    let places: Vec<&str> = places
        .filter_map(|line| line[3..].split(':').next())
        .collect();
    assert_eq!(places.len(), 4);
    for place in places {
        assert!(
            told.contains(&format!("**{}**", &place[3..])),
            "CONTRIBUTING does not tell of {place}"
        );
    }
}
