//! HTTP over loopback: the load generator's own calls, to a server that reads them and answers with a constant.

use std::{convert::Infallible, net::Ipv4Addr, sync::Arc, time::Duration};

use bytes::Bytes;
use headwater_env::Env;
use headwater_shapes::Blob;
use headwater_shapes_kinesis as kinesis;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::oneshot};

use crate::bench::{
    BenchError,
    calls::{Codec, PutCall},
    connection::Connection,
    endpoint::{Endpoint, KINESIS, connector},
    machine::Limit,
    meter::{Meter, Window},
    payload::{Payload, Stamp},
    put::{Putting, Until, put_all},
    together,
};

const RECORD_BYTES: usize = 1024;
const RECORDS_A_CALL: usize = 500;
const RECORDS_A_PAGE: usize = 1000;
/// Connections of those that put and get many records a call, and of those with one.
const CONNECTIONS: usize = 8;
const CONNECTIONS_SINGLE: usize = 64;
/// Not measured at first.
const WARM_UP: Duration = Duration::from_millis(300);
/// As long as AWS's.
const SEQUENCE_NUMBER: &str = "49650000000000000000000000000000000000000000000000000000";
const GET_RECORDS: HeaderValue = HeaderValue::from_static("Kinesis_20131202.GetRecords");

/// Measures each kind of call for about `duration`.
///
/// # Errors
/// When there is no port to listen on.
pub async fn measure(duration: Duration, env: &Env) -> Result<Vec<Limit>, BenchError> {
    let payload = Payload::new(1, RECORD_BYTES);
    let (uri, stop) = constant_server(&payload, env).await?;
    let endpoint = Arc::new(Endpoint {
        service: &KINESIS,
        uri,
        region: "us-east-1".to_owned(),
        signer: None,
        codec: Codec::Json,
        env: env.clone(),
        connector: connector(),
    });
    let found = vec![
        put(&endpoint, &payload, RECORDS_A_CALL, CONNECTIONS, duration).await,
        put(&endpoint, &payload, 1, CONNECTIONS_SINGLE, duration).await,
        get(&endpoint, duration).await,
    ];
    drop::<oneshot::Sender<()>>(stop);
    Ok(found)
}

/// Starts the server, which listens until the second half is dropped.
async fn constant_server(
    payload: &Payload,
    env: &Env,
) -> Result<(Uri, oneshot::Sender<()>), BenchError> {
    let failed = |e: std::io::Error| BenchError::Machine {
        what: "loopback".to_owned(),
        problem: e.to_string(),
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let uri = format!("http://{address}")
        .parse()
        .expect("an address makes a URI");
    let answers = Arc::new(Answers::new(payload));
    let (stop, mut stopped) = oneshot::channel();
    let inner = env.clone();
    env.spawn(async move {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = &mut stopped => return,
            };
            let Ok((socket, _)) = accepted else { return };
            // Without it, answers merely come later.
            let _ = socket.set_nodelay(true);
            let answers = answers.clone();
            let service = service_fn(move |request| answer(answers.clone(), request));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
            // A client that goes is no failure here.
            inner.spawn(async move { drop(connection.await) });
        }
    });
    Ok((uri, stop))
}

async fn answer(
    answers: Arc<Answers>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let target = request
        .headers()
        .get("x-amz-target")
        .map(HeaderValue::as_bytes)
        .unwrap_or_default();
    let answer = match target.rsplit(|byte| *byte == b'.').next() {
        Some(b"PutRecords") => &answers.put_records,
        Some(b"PutRecord") => &answers.put_record,
        _ => &answers.get_records,
    };
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
    Ok(Response::new(Full::new(answer.clone())))
}

/// The server's answers: as long as those of a server of this API.
struct Answers {
    put_records: Bytes,
    put_record: Bytes,
    get_records: Bytes,
}

impl Answers {
    fn new(payload: &Payload) -> Self {
        let sequence_number = SEQUENCE_NUMBER.to_owned();
        let shard_id = "shardId-000000000000".to_owned();
        let entry = kinesis::PutRecordsResultEntry {
            sequence_number: Some(sequence_number.clone()),
            shard_id: Some(shard_id.clone()),
            ..Default::default()
        };
        let records = vec![entry; RECORDS_A_CALL];
        let many = kinesis::PutRecordsOutput {
            failed_record_count: Some(0),
            records,
            ..Default::default()
        };
        let one = kinesis::PutRecordOutput {
            sequence_number: sequence_number.clone(),
            shard_id,
            ..Default::default()
        };
        let record = kinesis::Record {
            data: Blob(payload.record(Stamp {
                run: payload.run(),
                serial: 1,
                sent: 1,
            })),
            partition_key: Some("0123456789abcdef".to_owned()),
            sequence_number,
            ..Default::default()
        };
        let page = kinesis::GetRecordsOutput {
            records: vec![record; RECORDS_A_PAGE],
            millis_behind_latest: Some(0),
            ..Default::default()
        };
        Self {
            put_records: Codec::Json.write(&many),
            put_record: Codec::Json.write(&one),
            get_records: Codec::Json.write(&page),
        }
    }
}

fn window(duration: Duration, env: &Env) -> Window {
    let from = env.clock.elapsed() + WARM_UP;
    Window {
        from,
        to: from + duration,
    }
}

async fn put(
    endpoint: &Arc<Endpoint>,
    payload: &Payload,
    records: usize,
    connections: usize,
    duration: Duration,
) -> Limit {
    let calls = (0..connections as u32).map(|worker| {
        let call = PutCall::new(endpoint.codec, "constant", payload, records, worker, None);
        (Connection::new(endpoint.clone()), call)
    });
    let window = window(duration, &endpoint.env);
    let how = Putting {
        bytes: RECORD_BYTES,
        calls_per_second: None,
        window,
        until: Until::Time(window.to),
        acknowledged: None,
    };
    let put = put_all(&endpoint.env, calls.collect(), &how).await;
    let (name, operation) = match records {
        1 => ("loopback_put_record", "PutRecord, 1 KiB".to_owned()),
        _ => (
            "loopback_put_records",
            format!("PutRecords, {records} × 1 KiB"),
        ),
    };
    limit(
        name,
        &format!("{operation}, {connections} connections"),
        &put.meter,
        duration,
    )
}

async fn get(endpoint: &Arc<Endpoint>, duration: Duration) -> Limit {
    let window = window(duration, &endpoint.env);
    let body = Bytes::from_static(br#"{"ShardIterator":"constant","Limit":1000}"#);
    let workers = (0..CONNECTIONS).map(|_| {
        let (mut connection, clock) = (
            Connection::new(endpoint.clone()),
            endpoint.env.clock.clone(),
        );
        let body = body.clone();
        async move {
            let mut meter = Meter::default();
            let mut started = clock.elapsed();
            while started < window.to {
                let answer = connection.call(GET_RECORDS, body.clone()).await;
                let now = clock.elapsed();
                if answer.is_ok() && window.holds(now) {
                    let records = RECORDS_A_PAGE as u64;
                    meter.success(now - started, records, records * RECORD_BYTES as u64);
                }
                started = now;
            }
            meter
        }
    });
    let mut all = Meter::default();
    together(&endpoint.env, workers)
        .await
        .iter()
        .for_each(|meter| all.merge(meter));
    let what = format!("GetRecords, {RECORDS_A_PAGE} × 1 KiB, {CONNECTIONS} connections");
    limit("loopback_get_records", &what, &all, duration)
}

/// Bytes are those of records, as in the results of an endpoint.
fn limit(name: &str, what: &str, meter: &Meter, duration: Duration) -> Limit {
    let bytes = meter.bytes.checked_div(meter.calls).unwrap_or(0);
    Limit::of(
        name,
        format!("HTTP over loopback: {what}"),
        meter.calls,
        bytes,
        duration,
    )
    .timed(&meter.took)
}
