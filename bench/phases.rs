//! Phases of calls on a door, for `bench/instructions` to count; the examples `instructions*.rs` of the doors have this file.
//!
//! callgrind writes down what it counted at each call of [`phase_boundary`]; which phase that was, and of how many calls,
//! stands on standard output in the same order. Sockets, HTTP's own syntax and signatures are left out.

use std::{
    hint::black_box,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::stream;
use headwater_env::Env;
use headwater_http::{Body, Peer, Service, body};
use headwater_wire::{Options, Pipeline, Place, Table, requests::Requests};
use http::Request;
use http_body_util::BodyExt;
use serde_json::Value;

/// A body comes in such pieces, about as a socket gives them.
const PIECE_BYTES: usize = 128 << 10;

/// The server's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The caller.
const PEER: Peer = Peer {
    address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1),
    secure: false,
};

/// An operation and its body.
pub type Call = (&'static str, String);

/// callgrind writes down and forgets what it counted, when this is called (`--dump-before`).
#[inline(never)]
fn phase_boundary(phase: &str) {
    black_box(phase);
}

/// A door behind the pipeline, whose requests are counted for the metrics.
pub struct Door {
    pipeline: Pipeline,
    /// What stands before an operation's name in the header, and the content type.
    dialect: (&'static str, &'static str),
}

impl Door {
    pub fn new(table: Table, env: Env, dialect: (&'static str, &'static str)) -> Self {
        let options = Options {
            observers: vec![Arc::new(Requests::new([&table]))],
            ..Options::new(Place::new("000000000000", "us-east-1"))
        };
        Self {
            pipeline: Pipeline::new(vec![table], options, env),
            dialect,
        }
    }

    /// Makes `calls` calls, in turn those given, between two marks.
    pub async fn phase(&self, name: &str, calls: usize, given: &[Call]) {
        for (operation, body) in given {
            self.call(operation, body.clone()).await;
        }
        let requests: Vec<_> = given.iter().cycle().take(calls).cloned().collect();
        phase_boundary(name);
        for (operation, body) in requests {
            self.call(operation, body).await;
        }
        phase_boundary(name);
        println!("{name} {calls}");
    }

    /// The length of a call's answer, whose bytes nobody keeps.
    pub async fn call(&self, operation: &str, body: String) -> usize {
        let mut answer = self.answer(operation, body).await;
        let mut length = 0;
        while let Some(frame) = answer.frame().await {
            length += black_box(frame.unwrap()).data_ref().map_or(0, Bytes::len);
        }
        length
    }

    pub async fn json(&self, operation: &str, input: Value) -> Value {
        let answer = self
            .answer(operation, input.to_string())
            .await
            .collect()
            .await
            .unwrap()
            .to_bytes();
        if answer.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&answer).unwrap()
        }
    }

    async fn answer(&self, operation: &str, body: String) -> Body {
        let (prefix, content_type) = self.dialect;
        let request = Request::post("/")
            .header("host", "127.0.0.1:4566")
            .header("content-type", content_type)
            .header("x-amz-target", format!("{prefix}.{operation}"))
            .header("content-length", body.len())
            .body(in_pieces(body.into()))
            .unwrap();
        let response = self.pipeline.call(request, PEER).await;
        assert_eq!(response.status(), 200, "{operation}");
        response.into_body()
    }
}

fn in_pieces(body: Bytes) -> Body {
    let len = Some(body.len() as u64);
    let pieces = (0..body.len()).step_by(PIECE_BYTES);
    let pieces: Vec<_> = pieces
        .map(|at| Ok(body.slice(at..body.len().min(at + PIECE_BYTES))))
        .collect();
    body::streamed(stream::iter(pieces), len)
}
