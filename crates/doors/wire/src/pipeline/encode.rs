//! An output as an answer, in the way in which its request was spoken.

use headwater_env::buffers;
use headwater_http::{Body, Share, body};
use headwater_shapes::{ByteStream, Service, Value};
use http::{HeaderMap, Response, header};

use crate::{
    ApiError, Context,
    aws_json::{self, Codec},
    dialect::{Dialect, status_code},
    dynamo,
    limits::{ANSWER_UNCOUNTED_BYTES, PACKED_BYTES_MIN},
    pipeline::Pipeline,
    query,
    rest::{self, Format},
    table::{Output, Route},
};

impl Pipeline {
    /// The answer that an output makes; `room` was taken for it.
    pub(super) async fn encode(
        &self,
        service: &Service,
        route: &Route,
        output: Output,
        room: Option<Share>,
        context: &Context,
    ) -> Result<Response<Body>, ApiError> {
        match (output, context.dialect) {
            (Output::Events(events), _) => Ok(aws_json::events(events)),
            (Output::Bytes(bytes), Dialect::Rpc(codec)) => {
                self.rpc(service, bytes, codec, room, context).await
            }
            (Output::Tree(tree, _), Dialect::Rpc(codec)) => {
                let bytes = codec.write(&tree, route.shape.output);
                drop(tree);
                self.rpc(service, bytes, codec, room, context).await
            }
            (Output::Tree(tree, stream), Dialect::Rest(format)) => {
                rest(route, tree, stream, format)
            }
            (Output::Tree(tree, _), Dialect::Query(form)) => {
                Ok(query::success(&tree, route.shape, form, context))
            }
            (Output::Bytes(_), _) => Err(ApiError::internal("an answer in another protocol")),
        }
    }

    /// A body of AWS JSON or CBOR, packed where its client takes that.
    async fn rpc(
        &self,
        service: &Service,
        bytes: Vec<u8>,
        codec: Codec,
        room: Option<Share>,
        context: &Context,
    ) -> Result<Response<Body>, ApiError> {
        let packing = context.packing;
        let packing = packing.filter(|_| bytes.len() >= PACKED_BYTES_MIN);
        let bytes = match packing {
            None => bytes,
            Some(packing) => {
                let packed = self.env.blocking(move || packing.pack(&bytes)).await;
                packed.map_err(ApiError::internal)?
            }
        };
        let mut headers = HeaderMap::new();
        if dynamo::is_meant(service) {
            dynamo::add_checksum(&mut headers, &bytes);
        }
        if let Some(packing) = packing {
            headers.insert(header::CONTENT_ENCODING, packing.name());
        }
        let mut response = aws_json::success(self.held(bytes, room).await, codec);
        response.headers_mut().extend(headers);
        Ok(response)
    }

    /// A body in memory; a large one has its share of the room until its peer took it.
    async fn held(&self, bytes: Vec<u8>, room: Option<Share>) -> Body {
        if bytes.len() <= ANSWER_UNCOUNTED_BYTES {
            return body::full(bytes);
        }
        let mut share = match room {
            Some(share) => share,
            None => self.options.answers.take(bytes.capacity()).await,
        };
        share.keep(bytes.capacity());
        body::shared(buffers::share(bytes), share)
    }
}

fn rest(
    route: &Route,
    tree: Value,
    stream: Option<ByteStream>,
    format: Format,
) -> Result<Response<Body>, ApiError> {
    let shape = route.shape;
    let message =
        rest::write(shape.output, tree, format, shape.http.status).map_err(ApiError::internal)?;
    let mut response = Response::new(body::empty());
    // RFC 9110: what has a Content-Range is a part.
    let partial = message.headers.contains_key(header::CONTENT_RANGE);
    *response.status_mut() = status_code(if partial { 206 } else { message.status });
    *response.headers_mut() = message.headers;
    match stream.filter(|_| rest::streams(shape.output)) {
        Some(stream) => {
            if let Some(len) = stream.len {
                let headers = response.headers_mut();
                headers.entry(header::CONTENT_LENGTH).or_insert(len.into());
            }
            *response.body_mut() = body::streamed(stream.chunks, stream.len);
        }
        None => *response.body_mut() = body::full(message.body),
    }
    Ok(response)
}
