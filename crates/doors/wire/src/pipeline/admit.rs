//! Authentication and reading of an input, in the order in which AWS does them: the first thing that is wrong with a
//! request is what its client is told.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use bytes::Bytes;
use futures_util::TryStreamExt;
use headwater_auth::{
    Caller,
    verify::{Seal, is_region, session_token},
};
use headwater_http::{Body, HoldError, Share, body};
use headwater_shapes::{ByteStream, ErrorShape, Member, OperationShape, Structure};
use headwater_types::{Arn, Region};
use http::{HeaderMap, HeaderValue, Response, header, request::Parts};
use http_body::Body as _;
use percent_encoding::percent_decode_str;

use crate::{
    ApiError, Context,
    aws_json::{self, Codec},
    chunked::{Algorithm, Depth, is_framed, receive, trailer_algorithm},
    cross_origin::is_from_elsewhere,
    dialect::Dialect,
    dynamo, json,
    known::Known,
    limits::{
        JSON_BODY_BYTES, QUERY_BODY_BYTES, REST_JSON_BODY_BYTES, UNSIGNED_FORM_BYTES,
        XML_BODY_BYTES,
    },
    pipeline::{Pipeline, Trace, find::Entry, receive::hold},
    query,
    rest::{self, Format, Found, Message, signed_scope, streams},
    table::{Input, Route, Table},
    validate::{self, Raw, serialization},
};

/// A request that may go on.
pub(super) enum Admitted {
    /// It is a call.
    Call(Box<Call>),
    /// It is none, and this is the answer.
    Answered(Response<Body>),
}

/// An operation of a service with its input.
pub(super) struct Call {
    pub(super) name: &'static str,
    pub(super) input: Input,
    /// The share that its body has of the room for bodies.
    pub(super) share: Option<Share>,
}

/// Refuses a request with a header that its operation does not take, in S3's words.
fn refuse_header(head: &Parts, route: &Route) -> Result<(), ApiError> {
    let Some(name) = route.line.refused_header else {
        return Ok(());
    };
    let Some(value) = head.headers.get(name) else {
        return Ok(());
    };
    let text = format!("{name} header is not supported for this operation.");
    let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
    Err(ApiError::new(400, "InvalidArgument", text)
        .with("ArgumentName", name)
        .with("ArgumentValue", value))
}

impl Pipeline {
    /// AWS JSON, CBOR and Smithy RPC v2: a body that is signed as a whole. AWS says what is no request before it asks
    /// who makes it.
    #[expect(clippy::too_many_arguments, reason = "each is a part of one request")]
    pub(super) async fn admit_rpc(
        &self,
        head: &Parts,
        body: Body,
        entry: &Entry,
        codec: Codec,
        name: &str,
        context: &mut Context,
        trace: &mut Trace,
    ) -> Result<Admitted, ApiError> {
        let table = self.table(entry);
        let operation = table.operation(name);
        let route = table.routes.get(name);
        self.note(operation, route, context, trace);
        let limit = route
            .and_then(|route| route.line.body_bytes)
            .unwrap_or(JSON_BODY_BYTES);
        let received = hold(body, limit, operation, context).await?;
        trace.bytes_in = received.bytes.len() as u64;
        let own = Codec::of_version(table.service.json_version);
        let is_known = operation.is_some();
        let is_dynamo = dynamo::is_meant(table.service);
        if codec != Codec::RpcV2
            && !is_dynamo
            && let Some(answer) = aws_json::stray_body(head, &received.bytes, is_known, own)
        {
            return Ok(Admitted::Answered(answer));
        }
        if operation.is_some() {
            let by_query = table.service.query_compatible;
            let signed = self.authenticate_body(head, &received.bytes, by_query, context);
            if let Err(refusal) = signed {
                // What is no JSON is told before who sent it; for them nothing is unpacked.
                let is_plain = !head.headers.contains_key(header::CONTENT_ENCODING);
                let tells = matches!(codec, Codec::Json(_)) && !is_dynamo && is_plain;
                return Err(match tells && !json::is_json(&received.bytes) {
                    true => serialization(""),
                    false => refusal,
                });
            }
            trace.is_admitted = true;
        }
        let received = match head.headers.contains_key(header::CONTENT_ENCODING) {
            true => {
                let service = Some(table.service);
                Box::pin(received.unpacked(head, limit, context, service)).await?
            }
            false => received,
        };
        let (bytes, share) = (received.bytes, received.share);
        let Some(route) = route else {
            return Err(not_built(table, operation, codec, &bytes));
        };
        let input = match codec {
            Codec::Json(_) if route.is_direct => Input::Json(bytes),
            Codec::Cbor if route.is_direct => Input::Cbor(bytes),
            codec => {
                let (shape, needs) = (route.shape, route.line.needs);
                let tree = codec.read(&bytes)?;
                let tree = validate::tree_with(tree, shape, table.service, needs)?;
                trace.input = self.told(&tree, shape.input, table.service, &route.line);
                Input::Tree(tree, None)
            }
        };
        Ok(Admitted::Call(Box::new(Call {
            name: route.shape.name,
            input,
            share: Some(share),
        })))
    }

    /// REST: the head is signed, and its body may stream.
    pub(super) async fn admit_rest(
        &self,
        head: &Parts,
        body: Body,
        entry: &Entry,
        format: Format,
        context: &mut Context,
        trace: &mut Trace,
    ) -> Result<Admitted, ApiError> {
        let query = headwater_auth::parse_query(head.uri.query().unwrap_or_default());
        let table = self.table(entry);
        let found = self.find_rest(head, &query, entry, table, format, context);
        let line = |found: &Found| Some(table.routes.get(found.operation.name)?.line);
        let is_signed_within = found
            .as_ref()
            .is_ok_and(|found| line(found).is_some_and(|line| line.signed_within));
        let seal = match is_signed_within {
            true => Seal::None,
            false => self.authenticate_head(head, entry, format, context)?,
        };
        let found = found?;
        let (operation, labels) = (found.operation, found.labels);
        let route = table.routes.get(operation.name);
        self.note(Some(operation), route, context, trace);
        let Some(route) = route else {
            let (service, name) = (table.service.name, operation.name);
            return Err(ApiError::not_supported(format_args!("{service}:{name}")));
        };
        refuse_header(head, route)?;
        let message = Message {
            labels,
            query,
            ..Message::default()
        };
        let body = stream(body, head, trace);
        // Where the body is signed, it is known at its end only who sent it.
        trace.is_admitted = matches!(seal, Seal::None);
        let (tree, stream) = read_rest(head, body, seal, route, message, format, context).await?;
        trace.is_admitted = true;
        let tree = match format {
            Format::Json => validate::tree(Raw::from(tree), route.shape, table.service)?,
            // S3's handlers check constraints, each in its own words.
            Format::Xml(_) => tree,
        };
        trace.input = self.told(&tree, route.shape.input, table.service, &route.line);
        Ok(Admitted::Call(Box::new(Call {
            name: route.shape.name,
            input: Input::Tree(tree, stream),
            share: None,
        })))
    }

    /// The query protocols: only the body tells which service and operation are meant.
    pub(super) async fn form(
        &self,
        head: &Parts,
        body: Body,
        signed: Option<&'static Known>,
        context: &mut Context,
        trace: &mut Trace,
    ) -> Result<Response<Body>, ApiError> {
        let limit = self.form_limit(head);
        let packed = hold(body, limit, None, context).await?;
        trace.bytes_in = packed.bytes.len() as u64;
        self.admit_packed(head, &packed.bytes, context)?;
        // The bytes that were signed: a form may be packed.
        let signed_bytes = packed.bytes.clone();
        let received = Box::pin(packed.unpacked(head, limit, context, None)).await?;
        let mut text = String::from_utf8_lossy(&received.bytes).into_owned();
        if let Some(query) = head.uri.query() {
            text = format!("{query}&{text}");
        }
        let mut fields = query::Fields::parse(&text)?;
        let field = |name| fields.get(name).unwrap_or_default().to_owned();
        let (action, version) = (field("Action"), field("Version"));
        let Some(entry) = self.entry_of_form(head, &action, &version) else {
            let known = Known::queried(&version).or(signed);
            context.dialect = known.map_or(context.dialect, Known::dialect);
            return Err(
                known.map_or_else(|| query::no_operation(&action, &version), Known::refusal)
            );
        };
        let form = entry.form();
        context.dialect = Dialect::Query(form);
        context.service = entry.service.signing_name;
        trace.meant_for(entry);
        let table = self.table(entry);
        let (operation, route) = (table.operation(&action), table.routes.get(&*action));
        self.note(operation, route, context, trace);
        if let (None, Some(operation), false) = (route, operation, is_signed(head)) {
            // AWS asks for no signature of some operations, such as AssumeRoleWithWebIdentity.
            return Err(not_supported(table, operation));
        }
        self.admit_sender(head, &signed_bytes, &fields, route, context)?;
        trace.is_admitted = true;
        let path = head.uri.path();
        let is_elsewhere = |spelling: &&query::Spelling| {
            operation.is_none() || path != "/" && spelling.not_at_addresses.contains(&&*action)
        };
        if entry.spelling.filter(is_elsewhere).is_some() {
            return Err(query::not_here(&action));
        }
        let Some(route) = route else {
            return Err(match operation {
                Some(operation) => not_supported(table, operation),
                None => query::no_operation(&action, &version),
            });
        };
        let limit = route.line.body_bytes.unwrap_or(QUERY_BODY_BYTES);
        if received.bytes.len() > limit {
            return Err(context.dialect.not_held(HoldError::TooLong { limit }, None));
        }
        if let Some(member) = entry.spelling.and_then(|spelling| spelling.address) {
            fields.add(member, path);
        }
        let tree = query::read(&fields, route.shape.input, form)?;
        drop(fields);
        let tree = validate::tree(Raw::from(tree), route.shape, table.service)?;
        trace.input = self.told(&tree, route.shape.input, table.service, &route.line);
        let call = Call {
            name: route.shape.name,
            input: Input::Tree(tree, None),
            share: Some(received.share),
        };
        self.finish(entry, call, context, trace).await
    }

    /// The bytes that a form may have: few where it must be signed and is not, as then hardly any operation takes it.
    fn form_limit(&self, head: &Parts) -> usize {
        match self.options.verifier.is_some() && !is_signed(head) {
            true => UNSIGNED_FORM_BYTES,
            false => QUERY_BODY_BYTES,
        }
    }

    /// Checks the signature of a form that is packed before it is unpacked, where the head says whose it is: only inside
    /// does a form say which operation it is for.
    fn admit_packed(
        &self,
        head: &Parts,
        body: &[u8],
        context: &mut Context,
    ) -> Result<(), ApiError> {
        if let Some(scope) = signed_scope(head)
            && head.headers.contains_key(header::CONTENT_ENCODING)
            && let Some(entry) = self.queried("", Some(&scope.service), "/")
        {
            context.dialect = Dialect::Query(entry.form());
            context.service = entry.service.signing_name;
            self.authenticate_body(head, body, true, context)?;
        }
        Ok(())
    }

    /// The table that says which operations there are; those of other places have other state and the same lines.
    fn table(&self, entry: &Entry) -> &Table {
        &self.places.at_home()[entry.index]
    }

    /// The service that a form is for.
    fn entry_of_form(&self, head: &Parts, action: &str, version: &str) -> Option<&Entry> {
        let by_scope = signed_scope(head).map(|scope| scope.service);
        let entry = self.queried(version, by_scope.as_deref(), head.uri.path());
        entry.or_else(|| self.linked(action).filter(|_| version.is_empty()))
    }

    /// The query service of that version, the one that the request is signed for, or that has addresses such as this.
    fn queried(&self, version: &str, signed: Option<&str>, path: &str) -> Option<&Entry> {
        let mut entries = self.entries.iter().filter(|entry| entry.speaks_query());
        entries.find(|entry| match signed {
            Some(name) => entry.service.signing_name == name,
            None if version.is_empty() && path != "/" => entry.has_addresses(),
            None => entry.service.version == version,
        })
    }

    /// The query service with an operation of that name for those who sign nothing: links in messages have no version.
    fn linked(&self, action: &str) -> Option<&Entry> {
        let mut entries = self.entries.iter().filter(|entry| entry.speaks_query());
        entries.find(|entry| {
            let route = self.table(entry).routes.get(action);
            route.is_some_and(|route| route.line.anonymous.is_some())
        })
    }

    /// Notes which operation it is, for all that follows.
    fn note(
        &self,
        operation: Option<&'static OperationShape>,
        route: Option<&Route>,
        context: &mut Context,
        trace: &mut Trace,
    ) {
        context.operation = operation.map_or("", |operation| operation.name);
        if let Some(route) = route {
            context.line = route.line;
            trace.line = Some(route.line);
            trace.route = Some(route.place);
        }
    }

    /// Sets the caller to the one that signed a request with this body; without keys every caller is the account's
    /// root. The signature's region is where the request is made.
    fn authenticate_body(
        &self,
        head: &Parts,
        body: &[u8],
        by_query: bool,
        context: &mut Context,
    ) -> Result<(), ApiError> {
        self.note_region(head, context);
        self.note_session(head, context);
        if let Some(verifier) = &self.options.verifier {
            let checked = verifier.check_json(head, context.service, body);
            context.caller =
                checked.map_err(|error| if by_query { in_query(error) } else { error })?;
        }
        Ok(())
    }

    /// Sets the caller to the one who signed a form, or to nobody where its operation asks for no signature.
    fn admit_sender(
        &self,
        head: &Parts,
        body: &[u8],
        fields: &query::Fields,
        route: Option<&Route>,
        context: &mut Context,
    ) -> Result<(), ApiError> {
        let anonymous = route.and_then(|route| route.line.anonymous);
        let has_keys = self.options.verifier.is_some();
        if !has_keys && anonymous.is_none() && is_from_elsewhere(head, &context.host) {
            // Without keys, any page that somebody opens could have their browser do it. What needs no key anywhere, as links
            // in messages, may be done from pages.
            let text = "A page of another origin cannot post forms to a server without keys.";
            return Err(ApiError::new(403, "AccessDenied", text));
        }
        match anonymous {
            Some(arn) if !is_signed(head) => {
                self.admit_unsigned(fields.get(arn).unwrap_or_default(), context);
                Ok(())
            }
            _ => self.authenticate_body(head, body, true, context),
        }
    }

    /// Lets somebody in who is not known, to the region of an ARN if that is open.
    fn admit_unsigned(&self, arn: &str, context: &mut Context) {
        context.caller = Arc::new(Caller::anonymous());
        if let Ok(arn) = arn.parse::<Arn>()
            && is_region(&arn.region)
            && self.places.is_open(&context.account, &arn.region)
        {
            context.region = Region(arn.region);
        }
    }

    /// The same of a request's head; what is left to be seen of it is seen at the end of its body.
    fn authenticate_head(
        &self,
        head: &Parts,
        entry: &Entry,
        format: Format,
        context: &mut Context,
    ) -> Result<Seal, ApiError> {
        self.note_region(head, context);
        self.note_session(head, context);
        let Some(verifier) = &self.options.verifier else {
            return Ok(Seal::None);
        };
        let (caller, seal) = match format {
            Format::Json => verifier.check_rest_json(head, entry.service.signing_name)?,
            Format::Xml(_) => {
                verifier.check_s3(head, &self.hosts.path(&context.host, head.uri.path()))?
            }
        };
        context.caller = caller;
        Ok(seal)
    }

    fn note_region(&self, head: &Parts, context: &mut Context) {
        if let Some(scope) = signed_scope(head)
            && scope.region != context.region.0
            && is_region(&scope.region)
        {
            context.region = Region(scope.region);
        }
    }

    /// Takes whoever has the token of a session for its caller, where signatures are not checked.
    fn note_session(&self, head: &Parts, context: &mut Context) {
        if self.options.verifier.is_none()
            && let Some(sessions) = &self.options.sessions
            && let Some(token) = session_token(head)
            && let Some(caller) = sessions.caller(&token)
        {
            context.caller = Arc::new(caller);
        }
    }

    fn find_rest(
        &self,
        head: &Parts,
        query: &[(String, String)],
        entry: &Entry,
        table: &Table,
        format: Format,
        context: &Context,
    ) -> Result<Found, ApiError> {
        let path = match format {
            Format::Xml(_) => self.hosts.path(&context.host, head.uri.path()),
            Format::Json => head.uri.path().into(),
        };
        if percent_decode_str(&path).decode_utf8().is_err() {
            let text = "Couldn't parse the specified URI.";
            return Err(ApiError::new(400, "InvalidURI", text));
        }
        let handled = |operation: &OperationShape| table.routes.contains_key(operation.name);
        let found = entry
            .router
            .as_ref()
            .and_then(|router| router.find(&head.method, &path, query, &head.headers, handled));
        found.ok_or_else(|| rest::no_operation(format, &head.method))
    }
}

/// Whether anybody has signed a request, in its head or its address.
fn is_signed(head: &Parts) -> bool {
    head.headers.contains_key(header::AUTHORIZATION) || signed_scope(head).is_some()
}

/// The error of a signature, with its code and status in the services that speak or spoke the query protocol. (Source:
/// the "Common errors" of their API references.)
fn in_query(error: ApiError) -> ApiError {
    static UNKNOWN: ErrorShape = ErrorShape {
        name: "UnrecognizedClientException",
        query_code: Some("InvalidClientTokenId"),
        status: 403,
    };
    static WRONG: ErrorShape = ErrorShape {
        name: "InvalidSignatureException",
        query_code: Some("SignatureDoesNotMatch"),
        status: 403,
    };
    static EXPIRED: ErrorShape = ErrorShape {
        name: "ExpiredTokenException",
        query_code: Some("ExpiredToken"),
        status: 403,
    };
    let shapes = [&UNKNOWN, &WRONG, &EXPIRED];
    match shapes.iter().find(|shape| shape.name == error.code()) {
        Some(shape) => ApiError::of(shape, error.message()),
        None => error,
    }
}

/// The error of an operation that has no route.
fn not_built(
    table: &Table,
    operation: Option<&OperationShape>,
    codec: Codec,
    body: &[u8],
) -> ApiError {
    match operation {
        _ if matches!(codec, Codec::Json(_))
            && !(body.is_empty() && dynamo::is_meant(table.service))
            && !json::is_json(body) =>
        {
            serialization("")
        }
        Some(operation) => not_supported(table, operation),
        None => aws_json::unknown_operation(),
    }
}

fn not_supported(table: &Table, operation: &OperationShape) -> ApiError {
    let (service, name) = (table.service.name, operation.name);
    ApiError::not_supported(format_args!("{service}'s operation {name}"))
}

/// The members of a REST request's input, and its body if it is handed on as it comes.
async fn read_rest(
    head: &Parts,
    body: ByteStream,
    seal: Seal,
    route: &Route,
    message: Message,
    format: Format,
    context: &Context,
) -> Result<(serde_json::Value, Option<ByteStream>), ApiError> {
    let input = route.shape.input;
    let mut headers = head.headers.clone();
    rest::take_headers(&mut headers, &message.query, input)?;
    let body = receive(body, &headers, depth(input), seal);
    let body = body.map_err(|e| ApiError::from(&e))?;
    unframe(&mut headers, body.len);
    name_trailer(&mut headers, input);
    let message = Message { headers, ..message };
    let refuse = |error| rest::unreadable(&error, format);
    if streams(input) {
        if body.len.is_none() && format != Format::Json {
            return Err(rest::no_length());
        }
        let tree = rest::read(input, &message, format).map_err(refuse)?;
        return Ok((tree, Some(body)));
    }
    let limit = route.line.body_bytes.unwrap_or(match format {
        Format::Json => REST_JSON_BODY_BYTES,
        Format::Xml(_) => XML_BODY_BYTES,
    });
    let held = hold(
        body::streamed(body.chunks, body.len),
        limit,
        Some(route.shape),
        context,
    )
    .await?;
    // The share of the room goes back before the handler runs: a function that is invoked calls back in here, and must
    // not wait for what its own invocation holds.
    let held = match format {
        Format::Json => Box::pin(held.unpacked(head, limit, context, None)).await?,
        Format::Xml(_) => held,
    };
    let message = Message {
        body: held.bytes,
        ..message
    };
    Ok((rest::read(input, &message, format).map_err(refuse)?, None))
}

/// A body as a stream, with the length that was announced. What was read of it is counted as it passes.
fn stream(body: Body, head: &Parts, trace: &mut Trace) -> ByteStream {
    let announced = head.headers.get(header::CONTENT_LENGTH);
    let len = announced.and_then(|len| len.to_str().ok()?.parse().ok());
    let len = len.or(body.size_hint().exact());
    let passed = trace.passed.insert(Arc::default()).clone();
    let count = move |chunk: &Bytes| {
        passed.fetch_add(chunk.len() as u64, Relaxed);
    };
    ByteStream {
        chunks: Box::pin(body::chunks(body).inspect_ok(count)),
        len,
    }
}

/// How much of a body is checked here for an operation with this input.
fn depth(input: &Structure) -> Depth {
    let is_checksum = |member: &Member| Algorithm::of_header(member.wire_name).is_some();
    if streams(input) {
        Depth::Transport
    } else if input.members.iter().any(is_checksum) {
        Depth::WithoutChecksums
    } else {
        Depth::Everything
    }
}

/// The headers as they would be without `aws-chunked`: the framing is gone, and an object must not keep its name.
fn unframe(headers: &mut HeaderMap, len: Option<u64>) {
    if !is_framed(headers) {
        return;
    }
    let encodings = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let left = encodings
        .flat_map(|value| value.split(',').map(str::trim))
        .filter(|encoding| !encoding.eq_ignore_ascii_case("aws-chunked"))
        .collect::<Vec<_>>()
        .join(",");
    headers.remove(header::CONTENT_ENCODING);
    if let (false, Ok(left)) = (left.is_empty(), HeaderValue::from_str(&left)) {
        headers.insert(header::CONTENT_ENCODING, left);
    }
    headers.remove(header::CONTENT_LENGTH);
    if let Some(len) = len {
        headers.insert(header::CONTENT_LENGTH, len.into());
    }
}

/// A checksum in the trailer is of the algorithm that the trailer is announced for, whether the client says so in
/// the header made for it or not.
fn name_trailer(headers: &mut HeaderMap, input: &Structure) {
    const NAME: &str = "x-amz-sdk-checksum-algorithm";
    let member = input.members.iter().any(|member| member.wire_name == NAME);
    if let (true, Some(algorithm)) = (
        member && !headers.contains_key(NAME),
        trailer_algorithm(headers),
    ) {
        let name = HeaderValue::from_str(&algorithm.to_string()).expect("the names are plain");
        headers.insert(NAME, name);
    }
}
