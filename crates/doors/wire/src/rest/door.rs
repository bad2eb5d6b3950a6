//! The server's half: a table of handlers as a door that speaks REST-JSON or REST-XML.

use async_trait::async_trait;
use http::{HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use http_body::Body as _;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{
    ApiError, Body, Buffers, Context, Door, Table,
    body::{empty, full, into_stream, streamed},
    chunked::{Depth, is_framed, receive, trailer_algorithm},
    limits::{REST_JSON_BODY_BYTES, XML_BODY_BYTES},
    rest::{
        Format, Found, Message, Router, errors,
        hosts::{VirtualHosts, signed_service},
        parse_query, read, streams, write,
    },
    route::{Answer, Encoded, Route},
    verify::{Seal, Verifier},
};
use headwater_shapes::{ByteStream, OperationShape, Structure};

/// A REST service as a door.
pub struct Rest<State> {
    table: Table<State>,
    router: Router,
    format: Format,
    hosts: VirtualHosts,
}

impl<State: Send + Sync + 'static> Rest<State> {
    /// A door for `table`, whose service must be REST-JSON or REST-XML.
    ///
    /// # Panics
    /// When the service speaks another protocol.
    pub fn new(table: Table<State>) -> Self {
        let format = Format::of(table.service).expect("the service's protocol is REST");
        Self {
            router: Router::new(table.service),
            table,
            format,
            hosts: VirtualHosts::default(),
        }
    }

    /// Takes the first label of the path from the host as well: with `localhost` among `bases`, a request for
    /// `/key` at `bucket.localhost` is one for `/bucket/key`. Bases are host names without ports.
    #[must_use]
    pub fn with_virtual_hosts(mut self, bases: impl IntoIterator<Item = String>) -> Self {
        self.hosts = VirtualHosts::new(bases);
        self
    }
}

#[async_trait]
impl<State: Send + Sync + 'static> Door for Rest<State> {
    fn name(&self) -> &'static str {
        self.table.service.name
    }

    /// A signature names its service. Without one, JSON services have their paths, and all the rest is S3's; so is
    /// what is signed for a service that nobody is, where signatures are checked, for there it is told.
    fn takes(&self, head: &Parts) -> bool {
        match (signed_service(head), self.format) {
            (Some(_), Format::Xml(_)) if head.extensions.get::<Verifier>().is_some() => true,
            (Some(service), _) => service == self.table.service.signing_name,
            (None, Format::Json) => self.router.knows(head.uri.path()),
            (None, Format::Xml(_)) => true,
        }
    }

    async fn call(&self, request: Request<Body>, mut context: Context) -> Response<Body> {
        let (head, body) = request.into_parts();
        let mut response = match self.answer(&head, body, &mut context).await {
            Ok(response) => response,
            Err(error) => errors::answer(&error, self.format, &context),
        };
        errors::add_request_id(response.headers_mut(), self.format, &context);
        if head.method == Method::HEAD || response.status() == StatusCode::NOT_MODIFIED {
            *response.body_mut() = empty();
        }
        response
    }
}

impl<State: Send + Sync + 'static> Rest<State> {
    async fn answer(
        &self,
        head: &Parts,
        body: Body,
        context: &mut Context,
    ) -> Result<Response<Body>, ApiError> {
        let seal = self.verify(head, context)?;
        let query = parse_query(head.uri.query().unwrap_or_default());
        let found = self.find(head, &query, context)?;
        let operation = found.operation;
        context.operation = operation.name;
        let Some(route) = self.table.routes.get(operation.name) else {
            return Err(ApiError::not_supported(format_args!(
                "{}:{}",
                self.name(),
                operation.name
            )));
        };
        let (members, stream) = self
            .read_request(head, body, seal, query, found, &context.buffers)
            .await?;
        self.admit(context)?;
        call(route, members, stream, self.format, context).await
    }

    /// Whoever makes the request; what is left to be seen of it is seen at the end of its body.
    fn verify(&self, head: &Parts, context: &mut Context) -> Result<Seal, ApiError> {
        let Some(verifier) = head.extensions.get::<Verifier>() else {
            return Ok(Seal::None);
        };
        let (caller, seal) = match self.format {
            Format::Json => verifier.check_rest_json(head, self.table.service.signing_name)?,
            Format::Xml(_) => {
                verifier.check_s3(head, &self.hosts.path(&context.host, head.uri.path()))?
            }
        };
        context.caller = caller;
        Ok(seal)
    }

    /// Whether the caller may call this.
    fn admit(&self, context: &Context) -> Result<(), ApiError> {
        let admitted = context.admit(&self.table.shared, self.table.service.signing_name, 403);
        admitted.map_err(|error| match self.format {
            Format::Json => error,
            // S3 gives callers of other accounts no reasons.
            Format::Xml(_) => ApiError::new(403, "AccessDenied", "Access Denied"),
        })
    }

    fn find(
        &self,
        head: &Parts,
        query: &[(String, String)],
        context: &Context,
    ) -> Result<Found, ApiError> {
        let path = self.hosts.path(&context.host, head.uri.path());
        if percent_decode_str(&path).decode_utf8().is_err() {
            return Err(ApiError::new(
                400,
                "InvalidURI",
                "Couldn't parse the specified URI.",
            ));
        }
        let handled = |operation: &OperationShape| self.table.routes.contains_key(operation.name);
        let found = self
            .router
            .find(&head.method, &path, query, &head.headers, handled);
        found.ok_or_else(|| errors::no_operation(self.format, &head.method))
    }

    /// The members of a request's input, and its body if it is handed on as it comes.
    async fn read_request(
        &self,
        head: &Parts,
        body: Body,
        seal: Seal,
        query: Vec<(String, String)>,
        found: Found,
        room: &Buffers,
    ) -> Result<(Value, Option<ByteStream>), ApiError> {
        let input = found.operation.input;
        let length = head
            .headers
            .get(header::CONTENT_LENGTH)
            .and_then(|len| len.to_str().ok()?.parse().ok());
        let length = length.or(body.size_hint().exact());
        let depth = if streams(input) {
            Depth::Transport
        } else {
            Depth::Everything
        };
        let body = receive(into_stream(body, length), &head.headers, depth, seal);
        let body = body.map_err(|e| ApiError::from(&e))?;
        let mut headers = head.headers.clone();
        unframe(&mut headers, body.len);
        name_trailer(&mut headers, input);
        let message = Message {
            labels: found.labels,
            query,
            headers,
            ..Message::default()
        };
        let refuse = |error| errors::unreadable(&error, self.format);
        if streams(input) {
            if body.len.is_none() && self.format != Format::Json {
                return Err(errors::no_length());
            }
            return Ok((
                read(input, &message, self.format).map_err(refuse)?,
                Some(body),
            ));
        }
        let limit = match self.format {
            Format::Json => REST_JSON_BODY_BYTES,
            Format::Xml(_) => XML_BODY_BYTES,
        };
        let held = room.hold(streamed(body), limit).await;
        let held = held.map_err(|error| errors::not_held(error, self.format, found.operation))?;
        // The share of the room goes back before the handler runs: a function that is invoked calls back in here, and
        // must not wait for what its own invocation holds.
        let message = Message {
            body: held.bytes.clone(),
            ..message
        };
        Ok((read(input, &message, self.format).map_err(refuse)?, None))
    }
}

/// The headers as they would be without `aws-chunked`: the framing is gone, and an object must not keep its name.
fn unframe(headers: &mut http::HeaderMap, len: Option<u64>) {
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
fn name_trailer(headers: &mut http::HeaderMap, input: &Structure) {
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

async fn call(
    route: &Route,
    members: Value,
    stream: Option<ByteStream>,
    format: Format,
    context: &Context,
) -> Result<Response<Body>, ApiError> {
    let answer = route.call(Encoded::Rest(members, stream), context).await?;
    let Answer::Rest(members, stream) = answer else {
        return Err(ApiError::internal(
            "a REST request was answered in another protocol",
        ));
    };
    let shape = route.shape;
    let message =
        write(shape.output, members, format, shape.http.status).map_err(ApiError::internal)?;
    let mut response = Response::new(empty());
    // RFC 9110: what has a Content-Range is a part.
    let partial = message.headers.contains_key(header::CONTENT_RANGE);
    let status = if partial { 206 } else { message.status };
    *response.status_mut() = StatusCode::from_u16(status).map_err(ApiError::internal)?;
    *response.headers_mut() = message.headers;
    match stream.filter(|_| streams(shape.output)) {
        Some(stream) => {
            if let Some(len) = stream.len {
                response
                    .headers_mut()
                    .entry(header::CONTENT_LENGTH)
                    .or_insert(len.into());
            }
            *response.body_mut() = streamed(stream);
        }
        None => *response.body_mut() = full(message.body),
    }
    Ok(response)
}
