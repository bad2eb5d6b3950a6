//! The one way of every request: route, authenticate, decode, authorize, handle, encode, observe.
//!
//! [`find`] tells which service a request is for and how it is spoken; [`admit`] authenticates it and reads its input,
//! in the order in which AWS does that for each family of protocols; the rest is the same for all and stands here. What
//! an operation needs of this stands in its line of the table.

mod admit;
mod encode;
mod find;
mod places;
mod receive;

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{FutureExt, TryStreamExt};
use headwater_auth::{Sessions, Verifier, verify::is_region};
use headwater_env::Env;
use headwater_http::{Body, Buffers, HoldError, Peer, body};
use headwater_shapes::{Blob, OperationShape, Service, Structure, Value};
use headwater_types::Region;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header,
    request::Parts,
};
use http_body::Body as _;

use crate::{
    ApiError, Context, CrossRequest, Origin,
    authorize::{Authorize, OwnAccount},
    aws_json,
    calls::{Called, KeepCalls, told, told_text},
    dialect::Dialect,
    dynamo,
    limits::{ANSWERS_BYTES, EXTENDED_ID_BYTES, JSON_BODY_BYTES},
    observe::{Observe, Seen},
    packing::Packing,
    rest::{self, Format, VirtualHosts},
    table::{Access, Line, Output, Plane, Table},
};
use find::{Entry, Found};
use places::Places;
pub use places::{OpenPlace, Place};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const S3_REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const TRACE: HeaderName = HeaderName::from_static("x-amzn-trace-id");
const EXTENDED_ID: HeaderName = HeaderName::from_static("x-amz-id-2");

/// A page of the server's own, beside AWS's services.
#[async_trait]
pub trait Page: Send + Sync {
    /// Whether a request is for it.
    fn takes(&self, request: &Request<Body>) -> bool;

    /// Answers a request, among whose extensions its `Peer` is.
    async fn call(&self, request: Request<Body>) -> Response<Body>;
}

/// The parts of a pipeline besides its services.
pub struct Options {
    /// The account and region of requests that name none.
    pub home: Place,
    /// Opens other regions; without it there is only the one.
    pub others: Option<Arc<dyn OpenPlace>>,
    /// Checks signatures, where not everyone may call.
    pub verifier: Option<Verifier>,
    /// The sessions that there may be: their callers are known by them also where signatures are not checked.
    pub sessions: Option<Arc<Sessions>>,
    /// Decides which caller may do what.
    pub gate: Arc<dyn Authorize>,
    /// Told of each request that was answered.
    pub observers: Vec<Arc<dyn Observe>>,
    /// Keeps the calls of management operations, where they are kept.
    pub calls: Option<Arc<dyn KeepCalls>>,
    /// Pages of the server's own.
    pub pages: Vec<Arc<dyn Page>>,
    /// Hosts below which the first label of the host is the first of the path, for the service that takes what no other
    /// does.
    pub virtual_hosts: Vec<String>,
    /// Room for bodies in memory.
    pub buffers: Buffers,
    /// Room for large answers in memory.
    pub answers: Buffers,
}

impl Options {
    /// Everyone may call the services of one place.
    pub fn new(home: Place) -> Self {
        Self {
            home,
            others: None,
            verifier: None,
            sessions: None,
            gate: Arc::new(OwnAccount),
            observers: Vec::new(),
            calls: None,
            pages: Vec::new(),
            virtual_hosts: Vec::new(),
            buffers: Buffers::default(),
            answers: Buffers::new(ANSWERS_BYTES),
        }
    }
}

/// All services of a listener.
pub struct Pipeline {
    entries: Vec<Entry>,
    places: Places,
    options: Options,
    hosts: VirtualHosts,
    /// A request of which nothing is known: to the home, by the root of its account.
    blank: Context,
    env: Env,
}

/// The facts about a request that observers are told at its end.
#[derive(Default)]
struct Trace {
    service: Option<&'static Service>,
    /// The places of the service's table and of the operation in it.
    table: Option<usize>,
    route: Option<usize>,
    line: Option<Line>,
    error: Option<ApiError>,
    /// Whether it is known that its caller may call here.
    is_admitted: bool,
    /// What it said and was told, where its call is kept.
    input: Option<Value>,
    output: Option<Value>,
    /// Bytes of a body that was read as a whole.
    bytes_in: u64,
    /// Bytes of a body that is read in pieces, so far.
    passed: Option<Arc<AtomicU64>>,
}

impl Trace {
    /// Bytes of the body that were read.
    fn bytes_in(&self) -> u64 {
        let passed = self.passed.as_ref();
        passed.map_or(self.bytes_in, |passed| passed.load(Relaxed))
    }

    /// Notes the service that the request is for.
    fn meant_for(&mut self, entry: &Entry) {
        self.service = Some(entry.service);
        self.table = Some(entry.index);
    }
}

impl Pipeline {
    /// The services of these tables, which are those of the home. A service of REST-XML takes what no other does, as S3
    /// must.
    pub fn new(tables: Vec<Table>, options: Options, env: Env) -> Self {
        let entries = tables.iter().enumerate();
        let entries = entries
            .map(|(index, table)| Entry::new(index, table))
            .collect();
        let others = options.others.clone();
        Self {
            entries,
            places: Places::new(options.home.clone(), tables, others),
            hosts: VirtualHosts::new(options.virtual_hosts.iter().cloned()),
            blank: blank(&options),
            options,
            env,
        }
    }

    /// The answer to a request, or the error that it ends with.
    async fn answer(
        &self,
        head: &Parts,
        body: Body,
        context: &mut Context,
        trace: &mut Trace,
    ) -> Result<Response<Body>, ApiError> {
        if let Some(entry) = self.host_of(context) {
            return self.hosted(head, body, entry, context, trace).await;
        }
        let found = self.find(head);
        if let Some(dialect) = found.dialect() {
            context.dialect = dialect;
        }
        let service = match found {
            Found::Service(service) => service,
            Found::Form(form) => return self.form(head, body, form, context, trace).await,
            Found::Unknown(known, _) => return Err(known.refusal()),
            Found::Stray => return self.stray(head, body, context, trace).await,
            Found::NoForm => return Ok(aws_json::unknown_address()),
            Found::Nothing => return Ok(nothing_here()),
        };
        let entry = &self.entries[service.index];
        trace.meant_for(entry);
        context.service = entry.service.signing_name;
        if dynamo::is_meant(entry.service) {
            context.packing = Packing::accepted(&head.headers);
        }
        if head.method == Method::OPTIONS
            && let Some(cross_origin) = &self.places.at_home()[entry.index].cross_origin
        {
            let path = self.hosts.path(&context.host, head.uri.path());
            let request = CrossRequest::new(head, &path);
            let headers = cross_origin.preflight(&request);
            let mut response = Response::new(body::empty());
            *response.headers_mut() = headers.await?;
            return Ok(response);
        }
        let admitted = match context.dialect {
            Dialect::Rpc(codec) => {
                if let Some(answer) = aws_json::not_a_call(head) {
                    return Ok(answer);
                }
                let name = service.operation;
                self.admit_rpc(head, body, entry, codec, name, context, trace)
                    .await?
            }
            Dialect::Rest(format) => {
                self.admit_rest(head, body, entry, format, context, trace)
                    .await?
            }
            Dialect::Query(_) => return Err(ApiError::internal("a form was not read")),
        };
        match admitted {
            admit::Admitted::Answered(response) => Ok(response),
            admit::Admitted::Call(call) => self.finish(entry, *call, context, trace).await,
        }
    }

    /// Whether calls of an operation are kept.
    fn keeps(&self, line: &Line) -> bool {
        line.plane == Plane::Management && self.options.calls.is_some()
    }

    /// What is told of a tree, where calls of its operation are kept.
    fn told(
        &self,
        tree: &Value,
        structure: &Structure,
        service: &Service,
        line: &Line,
    ) -> Option<Value> {
        self.keeps(line).then(|| told(tree, structure, service))
    }

    /// Has a service answer what was sent to a host of its own.
    async fn hosted(
        &self,
        head: &Parts,
        body: Body,
        entry: &Entry,
        context: &mut Context,
        trace: &mut Trace,
    ) -> Result<Response<Body>, ApiError> {
        trace.meant_for(entry);
        context.service = entry.service.signing_name;
        context.dialect = Dialect::Rest(Format::Json);
        if let Some(hosted) = &self.places.at_home()[entry.index].hosted {
            context.operation = hosted.operation();
            let region = hosted.region(&context.host);
            // Nobody has signed it: it opens no region that has nothing.
            let account = &context.account;
            let region = region.filter(|region| is_region(region));
            let region = region.filter(|region| self.places.is_open(account, region));
            context.region = region.map_or(context.region.clone(), |name| Region(name.to_owned()));
        }
        let table = self.places.tables(context).await?;
        let hosted = table[entry.index].hosted.as_ref();
        let hosted = hosted.ok_or_else(|| ApiError::internal("a table differs between places"))?;
        let passed = trace.passed.insert(Arc::default()).clone();
        hosted.answer(head, counted(body, passed), context).await
    }

    /// Runs what was admitted: authorize, handle, encode.
    async fn finish(
        &self,
        entry: &Entry,
        call: admit::Call,
        context: &mut Context,
        trace: &mut Trace,
    ) -> Result<Response<Body>, ApiError> {
        let table = self.places.tables(context).await?;
        let route = table[entry.index].routes.get(call.name);
        let route = route.ok_or_else(|| ApiError::internal("a table differs between places"))?;
        let share = match route.line.waits {
            // An operation that waits holds no room while it does.
            true => {
                drop(call.share);
                None
            }
            false => {
                context.room_for_answer().await;
                call.share
            }
        };
        let output = route.call(call.input, context).await?;
        drop(share);
        if let (Output::Tree(tree, _), Access::Write) = (&output, route.line.access) {
            trace.output = self.told(tree, route.shape.output, entry.service, &route.line);
        }
        let room = context.room.lock().take();
        self.encode(entry.service, route, output, room, context)
            .await
    }

    /// Answers a request that is AWS JSON or CBOR by its headers, and no service's by its target.
    async fn stray(
        &self,
        head: &Parts,
        body: Body,
        context: &mut Context,
        trace: &mut Trace,
    ) -> Result<Response<Body>, ApiError> {
        if let Some(answer) = aws_json::not_a_call(head) {
            return Ok(answer);
        }
        let held = self.options.buffers.hold(body, JSON_BODY_BYTES).await;
        let held = held.map_err(|error| context.dialect.not_held(error, None))?;
        trace.bytes_in = held.bytes.len() as u64;
        let own = aws_json::Codec::default();
        if let Some(answer) = aws_json::stray_body(head, &held.bytes, false, own) {
            return Ok(answer);
        }
        context.dialect = aws_json::Codec::of(&head.headers).map_or(context.dialect, Dialect::Rpc);
        Err(aws_json::unknown_or_unreadable(
            context.dialect,
            &held.bytes,
        ))
    }

    /// The request around an input, before it is known what it calls.
    fn context(&self, head: &Parts, peer: Peer) -> Context {
        let authority = head.uri.authority().map(|authority| authority.as_str());
        let host = head
            .headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        Context {
            request_id: self.env.random.uuid(),
            host: host.or(authority).unwrap_or("localhost").to_owned(),
            origin: Origin {
                address: Some(peer.address.ip().to_canonical()),
                secure: peer.secure,
                user_agent: head.headers.get(header::USER_AGENT).cloned(),
                referer: head.headers.get(header::REFERER).cloned(),
                trace: head.headers.get(TRACE).cloned(),
            },
            wants_query_codes: aws_json::wants_query_codes(&head.headers),
            room: Arc::default(),
            ..self.blank.clone()
        }
    }

    /// Tells the browser of a page of another origin what the page may know of an answer.
    async fn show_to_page(
        &self,
        head: &Parts,
        response: &mut Response<Body>,
        context: &Context,
        trace: &Trace,
    ) {
        let table = trace.table.map(|table| &self.places.at_home()[table]);
        let cross_origin = table.and_then(|table| table.cross_origin.as_ref());
        let is_shown = head.method != Method::OPTIONS && head.headers.contains_key(header::ORIGIN);
        if let (Some(cross_origin), true) = (cross_origin, is_shown) {
            let path = self.hosts.path(&context.host, head.uri.path());
            let request = CrossRequest::new(head, &path);
            let headers = cross_origin.headers(&request);
            response.headers_mut().extend(headers.await);
        }
    }

    /// The headers that every answer of its protocol has.
    fn dress(&self, head: &Parts, response: &mut Response<Body>, context: &Context) {
        match context.dialect {
            Dialect::Rest(format) => {
                rest::add_request_id(response.headers_mut(), format, context);
                if head.method == Method::HEAD || response.status() == StatusCode::NOT_MODIFIED {
                    *response.body_mut() = body::empty();
                }
            }
            Dialect::Rpc(_) | Dialect::Query(_) => aws_json::expose(head, response),
        }
        self.add_ids(response, &context.request_id);
    }

    /// The ids that every answer of AWS carries; S3's are named otherwise, and set already.
    fn add_ids(&self, response: &mut Response<Body>, request_id: &str) {
        let headers = response.headers_mut();
        if !headers.contains_key(REQUEST_ID)
            && !headers.contains_key(S3_REQUEST_ID)
            && let Ok(id) = HeaderValue::from_str(request_id)
        {
            headers.insert(REQUEST_ID, id);
        }
        let preflight = headers.contains_key(header::ACCESS_CONTROL_MAX_AGE);
        if !preflight && !headers.contains_key(EXTENDED_ID) {
            let (mut id, mut text) = ([0; EXTENDED_ID_BYTES], Vec::new());
            self.env.random.fill(&mut id);
            Blob::write_base64(&id, &mut text);
            let id = HeaderValue::from_maybe_shared(Bytes::from(text));
            headers.insert(EXTENDED_ID, id.expect("base64 is printable"));
        }
    }

    /// The facts about a request that has its answer.
    fn seen<'a>(
        headers: &'a HeaderMap,
        context: &'a Context,
        trace: &'a Trace,
        response: &Response<Body>,
        took: Duration,
    ) -> Seen<'a> {
        Seen {
            request_id: &context.request_id,
            service: trace.service.map_or("", |service| service.name),
            operation: context.operation,
            table: trace.table,
            route: trace.route,
            line: trace.line,
            caller: &context.caller.arn,
            account: &context.account,
            region: &context.region,
            headers,
            address: context.origin.address,
            status: response.status().as_u16(),
            error: trace.error.as_ref().map(ApiError::code),
            bytes_in: trace.bytes_in(),
            bytes_out: response.body().size_hint().exact().unwrap_or(0),
            took,
        }
    }

    /// Tells the log and the observers.
    fn observe(&self, seen: &Seen<'_>, response: &Response<Body>) {
        let Seen {
            request_id,
            service,
            operation,
            status,
            took,
            ..
        } = *seen;
        tracing::debug!(request_id, service, operation, status, ?took, "answered");
        if response.status().is_server_error() && response.status() != StatusCode::NOT_IMPLEMENTED {
            tracing::warn!(
                request_id,
                service,
                operation,
                status,
                "a request failed on this side"
            );
        }
        for observer in &self.options.observers {
            observer.observe(seen);
        }
    }

    /// The keeper of a call, where it is one of a management operation whose caller was let in.
    fn kept(&self, context: &Context, trace: &Trace) -> Option<Kept> {
        let calls = self.options.calls.as_ref()?;
        // Who may not call and has no name fills no trail.
        let is_nobody = context.caller.is_anonymous() && trace.error.is_some();
        if !trace.is_admitted || is_nobody || !trace.line.is_some_and(|line| self.keeps(&line)) {
            return None;
        }
        let table = &self.places.at_home()[trace.table?];
        let route = table.routes.get(context.operation)?;
        Some(Kept {
            calls: calls.clone(),
            service: table.service,
            operation: route.shape,
            line: route.line,
        })
    }
}

/// A call's keeper, and what is called.
struct Kept {
    calls: Arc<dyn KeepCalls>,
    service: &'static Service,
    operation: &'static OperationShape,
    line: Line,
}

impl Kept {
    async fn keep(&self, context: &Context, trace: &Trace, seen: &Seen<'_>) {
        let error = trace.error.as_ref();
        let call = Called {
            seen,
            context,
            service: self.service,
            operation: self.operation,
            line: self.line,
            input: trace.input.as_ref(),
            output: trace.output.as_ref(),
            error,
            message: error.map(|error| told_text(error, self.operation.input)),
        };
        self.calls.keep(call).await;
    }
}

/// A request on its way. Where its client hangs up, its call is kept nevertheless: what it changes may be done.
struct Open<'p> {
    pipeline: &'p Pipeline,
    context: Context,
    trace: Trace,
    is_answered: bool,
    /// Whether its call was kept, where it is to be.
    is_over: bool,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let Some(kept) = self.pipeline.kept(&self.context, &self.trace) else {
            return;
        };
        let (context, mut trace) = (self.context.clone(), std::mem::take(&mut self.trace));
        if !self.is_answered {
            trace.error = Some(ApiError::new(HUNG_UP, "RequestAborted", HUNG_UP_TEXT));
        }
        self.pipeline.env.spawn(async move {
            let mut response = Response::new(body::empty());
            let status = trace.error.as_ref().map_or(200, ApiError::status);
            *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
            let headers = HeaderMap::new();
            let seen = Pipeline::seen(&headers, &context, &trace, &response, Duration::ZERO);
            kept.keep(&context, &trace, &seen).await;
        });
    }
}

/// The status of a call whose client hung up, which nobody is answered.
const HUNG_UP: u16 = 499;
const HUNG_UP_TEXT: &str =
    "The client hung up before the answer. What the call changes may be done.";

#[async_trait]
impl headwater_http::Service for Pipeline {
    async fn call(&self, request: Request<Body>, peer: Peer) -> Response<Body> {
        let began = self.env.clock.elapsed();
        let (head, body) = request.into_parts();
        let context = self.context(&head, peer);
        let mut request = Request::from_parts(head, body);
        if self.host_of(&context).is_none()
            && let Some(page) = self.page(&request)
        {
            request.extensions_mut().insert(peer);
            return answered_or_failed(page.call(request)).await;
        }
        let (head, body) = request.into_parts();
        let mut open = Open {
            pipeline: self,
            context,
            trace: Trace::default(),
            is_answered: false,
            is_over: false,
        };
        let (context, trace) = (&mut open.context, &mut open.trace);
        let answer = self.answer(&head, body, context, trace);
        let mut response = match AssertUnwindSafe(answer).catch_unwind().await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                let response = context.dialect.refuse(&error, trace.service, context);
                trace.error = Some(error);
                response
            }
            Err(_) => panicked(&context.request_id),
        };
        open.is_answered = true;
        let (context, trace) = (&open.context, &open.trace);
        self.show_to_page(&head, &mut response, context, trace)
            .await;
        self.dress(&head, &mut response, context);
        let took = self.env.clock.elapsed().saturating_sub(began);
        let seen = Self::seen(&head.headers, context, trace, &response, took);
        self.observe(&seen, &response);
        if let Some(kept) = self.kept(context, trace) {
            // A region keeps its calls itself, so it must be open; it is told who may open none.
            let _ = self.places.tables(context).await;
            kept.keep(context, trace, &seen).await;
        }
        open.is_over = true;
        response
    }

    fn body_failed(&self, error: &HoldError) -> Response<Body> {
        let error = ApiError::new(400, "RequestTimeoutException", error.to_string());
        aws_json::refuse(&error, aws_json::Codec::default(), None)
    }
}

/// A body whose bytes are counted as they pass.
fn counted(body: Body, passed: Arc<AtomicU64>) -> Body {
    let len = body.size_hint().exact();
    let count = move |chunk: &Bytes| {
        passed.fetch_add(chunk.len() as u64, Relaxed);
    };
    body::streamed(body::chunks(body).inspect_ok(count), len)
}

/// A request to the home of which nothing is known.
fn blank(options: &Options) -> Context {
    let Place { account, region } = options.home.clone();
    Context {
        buffers: options.buffers.clone(),
        answers: options.answers.clone(),
        verifier: options.verifier.clone(),
        gate: options.gate.clone(),
        ..Context::new("", region, account, "")
    }
}

/// A page's answer, also where it panics.
async fn answered_or_failed(answer: impl Future<Output = Response<Body>> + Send) -> Response<Body> {
    let answer = AssertUnwindSafe(answer).catch_unwind().await;
    answer.unwrap_or_else(|_| panicked("-"))
}

fn panicked(request_id: &str) -> Response<Body> {
    tracing::error!(
        request_id,
        "a handler panicked: this is a defect of Headwater"
    );
    let text = "The request could not be processed because of an internal error.";
    aws_json::refuse(&ApiError::internal(text), aws_json::Codec::default(), None)
}

fn nothing_here() -> Response<Body> {
    let mut response = Response::new(body::full("No service here answers such a request.\n"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// Whether a request of REST-XML is meant where nothing else is: what S3 takes.
fn takes_all(service: &Service) -> bool {
    matches!(Format::of(service), Some(Format::Xml(_)))
}

#[cfg(test)]
mod tests;
