//! An output as an answer, in the way in which its request was spoken.

use headwater_env::buffers;
use headwater_http::{Body, Share, body};
use headwater_shapes::{ByteStream, Value};
use http::{Response, header};

use crate::{
    ApiError, Context,
    aws_json::{self, Codec},
    dialect::{Dialect, status_code},
    limits::ANSWER_UNCOUNTED_BYTES,
    pipeline::Pipeline,
    query,
    rest::{self, Format},
    table::{Output, Route},
};

impl Pipeline {
    /// The answer that an output makes; `room` was taken for it.
    pub(super) async fn encode(
        &self,
        route: &Route,
        output: Output,
        room: Option<Share>,
        context: &Context,
    ) -> Result<Response<Body>, ApiError> {
        match (output, context.dialect) {
            (Output::Events(events), _) => Ok(aws_json::events(events)),
            (Output::Bytes(bytes), Dialect::Rpc(codec)) => Ok(self.rpc(bytes, codec, room).await),
            (Output::Tree(tree, _), Dialect::Rpc(codec)) => {
                let bytes = codec.write(&tree, route.shape.output);
                drop(tree);
                Ok(self.rpc(bytes, codec, room).await)
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

    /// A body of AWS JSON or CBOR; a large one has its share of the room until its peer took it.
    async fn rpc(&self, bytes: Vec<u8>, codec: Codec, room: Option<Share>) -> Response<Body> {
        if bytes.len() <= ANSWER_UNCOUNTED_BYTES {
            return aws_json::success(body::full(bytes), codec);
        }
        let mut share = match room {
            Some(share) => share,
            None => self.options.answers.take(bytes.capacity()).await,
        };
        share.keep(bytes.capacity());
        aws_json::success(body::shared(buffers::share(bytes), share), codec)
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
