//! What targets share: how they are started, a runtime, a machine that forgets, and requests out of bytes.

#[cfg(not(feature = "libfuzzer"))]
pub mod smoke;

use std::{
    cell::LazyCell,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

#[doc(hidden)]
pub use arbitrary;

use bytes::Bytes;
use headwater_auth::{
    Caller,
    sign::Credentials,
    verify::{Key, Verifier},
};
use headwater_env::{Env, ManualClock, SeededRandom, SimDisk, TokioTasks};
use headwater_http::{Body, Peer, Service, body};
use headwater_shapes::Operation;
use headwater_types::{Account, Millis, Region};
use headwater_wire::{ApiError, Context, Handle, Options, Pipeline, Place, Table};
use http::{HeaderName, HeaderValue, Request};
use http_body_util::BodyExt;
use tokio::runtime::{Builder, Runtime};

/// When everything happens: 2018-01-01T00:00:00Z.
pub const NOW: Millis = Millis(1_514_764_800_000);

/// Makes the program of a target out of what it does with an input: libFuzzer's.
#[cfg(feature = "libfuzzer")]
#[macro_export]
macro_rules! target {
    (|$input:ident: $type:ty| $body:expr) => {
        libfuzzer_sys::fuzz_target!(|$input: $type| $body);
    };
}

/// Makes the program of a target out of what it does with an input: one that tries some hundreds.
#[cfg(not(feature = "libfuzzer"))]
#[macro_export]
macro_rules! target {
    (|$input:ident: $type:ty| $body:expr) => {
        fn main() {
            use $crate::arbitrary::{Arbitrary, Unstructured};
            fn take($input: $type) {
                $body
            }
            $crate::smoke::try_inputs(env!("CARGO_CRATE_NAME"), |bytes| {
                // As libFuzzer has it: what is too short for the type is no input.
                if let Ok(input) = <$type>::arbitrary_take_rest(Unstructured::new(bytes)) {
                    take(input);
                }
            });
        }
    };
}

thread_local! {
    static RUNTIME: LazyCell<Runtime> = LazyCell::new(|| Builder::new_current_thread().build().expect("a runtime"));
}

/// Runs a future to its end.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// A machine with an empty disk, on which time stands still.
pub fn machine() -> (SimDisk, Env) {
    let disk = SimDisk::new(1);
    let clock = Arc::new(ManualClock::at(NOW));
    let random = Arc::new(SeededRandom::new(1));
    let env = Env {
        clock,
        random,
        disk: Arc::new(disk.clone()),
        tasks: Arc::new(TokioTasks),
    };
    (disk, env)
}

/// Answers every operation of every service with an error, after it took what there is of a body.
pub struct Nobody;

impl<Op: Operation> Handle<Op> for Nobody {
    async fn handle(&self, mut input: Op::Input, _: &Context) -> Result<Op::Output, ApiError> {
        if let Some(mut stream) = Op::take_input_stream(&mut input) {
            while let Some(Ok(_)) = futures_util::StreamExt::next(&mut stream.chunks).await {}
        }
        Err(ApiError::new(418, "Nobody", "nobody is at home"))
    }
}

/// A request as HTTP/1.1 writes it: a line of method and address, lines of headers, an empty line, the body. Lines end
/// in one newline.
pub fn request(bytes: &[u8]) -> Option<Request<Body>> {
    let at = bytes.windows(2).position(|two| two == b"\n\n")?;
    let mut lines = std::str::from_utf8(&bytes[..at]).ok()?.lines();
    let (method, uri) = lines.next()?.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(uri);
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        let value = HeaderValue::from_str(value).ok()?;
        request = request.header(HeaderName::from_bytes(name.as_bytes()).ok()?, value);
    }
    request
        .body(body::full(Bytes::copy_from_slice(&bytes[at + 2..])))
        .ok()
}

/// A service where signatures are not asked for, and the same where they are.
pub fn pipelines(table: impl Fn() -> Table) -> [Pipeline; 2] {
    [None, Some(verifier())].map(|verifier| {
        let options = Options {
            verifier,
            virtual_hosts: vec!["localhost".to_owned()],
            ..Options::new(Place::new("000000000000", "us-east-1"))
        };
        Pipeline::new(vec![table()], options, machine().1)
    })
}

/// Lets services answer a request. It never is the server's fault.
pub fn knock(pipelines: &[Pipeline; 2], bytes: &[u8]) {
    for pipeline in pipelines {
        let Some(request) = request(bytes) else {
            return;
        };
        block_on(async {
            let answer = pipeline.call(request, PEER).await;
            assert!(answer.status() != 500, "{:?}", answer.headers());
            drop(answer.into_body().collect().await);
        });
    }
}

/// The caller.
const PEER: Peer = Peer {
    address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1),
    secure: false,
};

/// Believes in one key.
fn verifier() -> Verifier {
    let credentials = Credentials {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: "secret".into(),
        session_token: None,
    };
    let holder = Arc::new(Caller::root(Account("000000000000".into())));
    Verifier::new(
        [Key {
            credentials,
            holder,
        }],
        Region("us-east-1".into()),
        Arc::new(ManualClock::at(NOW)),
    )
}
