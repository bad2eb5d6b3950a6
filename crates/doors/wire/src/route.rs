//! A service as a table: which operation is answered by which handler.

use std::{collections::HashMap, marker::PhantomData, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_shapes::{ByteStream, Operation, OperationShape, Protocol, Service, Valid};
use serde::Deserialize;
use serde_json::Value;

use crate::{ApiError, Context, cbor, event_stream, json, rest, validate};

/// The behaviour of one operation, written by hand on the state of its service.
pub trait Handle<Op: Operation>: Send + Sync + 'static {
    /// Answers one request. `async fn handle` in an `impl` is fine.
    fn handle(
        &self,
        input: Op::Input,
        context: &Context,
    ) -> impl Future<Output = Result<Op::Output, ApiError>> + Send;
}

/// An input as its protocol has it.
pub(crate) enum Encoded {
    /// AWS JSON.
    Json(Bytes),
    /// CBOR.
    Cbor(Bytes),
    /// The members of a REST request under their wire names, as JSON writes them, and the body that streams.
    Rest(Value, Option<ByteStream>),
}

/// An output, in the protocol of its input.
pub(crate) enum Answer {
    /// JSON or CBOR.
    Bytes(Vec<u8>),
    /// Events in JSON or CBOR.
    Events(ByteStream),
    /// The members of a REST answer under their wire names, as JSON writes them, and the body that streams.
    Rest(Value, Option<ByteStream>),
}

/// One operation with its handler, its types erased: decode, validate, handle, encode.
pub struct Route {
    /// The operation's tables.
    pub shape: &'static OperationShape,
    call: Box<dyn Call>,
}

#[async_trait]
trait Call: Send + Sync {
    async fn call(&self, input: Encoded, context: &Context) -> Result<Answer, ApiError>;
}

struct Typed<State, Op> {
    state: Arc<State>,
    operation: PhantomData<fn() -> Op>,
}

impl Route {
    /// Answers one request.
    pub(crate) async fn call(&self, input: Encoded, context: &Context) -> Result<Answer, ApiError> {
        self.call.call(input, context).await
    }
}

#[async_trait]
impl<Op: Operation, State: Handle<Op>> Call for Typed<State, Op> {
    async fn call(&self, input: Encoded, context: &Context) -> Result<Answer, ApiError> {
        match input {
            Encoded::Json(body) => {
                // The handler may wait long, and has its own copy of what it needs: the body ends here.
                let input = json::read::<Op>(body)?;
                let mut output = self.state.handle(input, context).await?;
                let members = json::write::<Op>(&output)?;
                Ok(match Op::take_event_stream(&mut output) {
                    Some(events) => {
                        Answer::Events(event_stream::body(members, events, json::payloads()))
                    }
                    None => Answer::Bytes(members),
                })
            }
            Encoded::Cbor(body) => {
                // The handler may wait long, and has its own copy of what it needs: the body ends here.
                let input = cbor::read::<Op>(body)?;
                let mut output = self.state.handle(input, context).await?;
                let members = cbor::write::<Op>(&output)?;
                Ok(match Op::take_event_stream(&mut output) {
                    Some(events) => {
                        Answer::Events(event_stream::body(members, events, cbor::payloads()))
                    }
                    None => Answer::Bytes(members),
                })
            }
            Encoded::Rest(members, stream) => {
                let mut input = read_members::<Op>(members)?;
                if let Some(stream) = stream {
                    Op::set_input_stream(&mut input, stream);
                }
                let mut output = self.state.handle(input, context).await?;
                let stream = Op::take_output_stream(&mut output);
                Ok(Answer::Rest(
                    serde_json::to_value(&output).map_err(ApiError::internal)?,
                    stream,
                ))
            }
        }
    }
}

fn read_members<Op: Operation>(members: Value) -> Result<Op::Input, ApiError> {
    match (Op::Input::deserialize(&members), Op::SERVICE.protocol) {
        (Ok(input), _) if input.valid() => Ok(input),
        // S3 has words of its own for every constraint: its handlers check them.
        (Ok(input), Protocol::RestXml) => Ok(input),
        (Err(_), Protocol::RestXml) => Err(rest::malformed_xml()),
        _ => validate::repair::<Op>(validate::Raw::from(members)),
    }
}

/// A service's operations and their handlers.
pub struct Table<State> {
    /// The service.
    pub service: &'static Service,
    /// The state that handlers run on.
    pub state: Arc<State>,
    /// The operations that callers of other accounts may call; their handlers decide what on.
    pub shared: Vec<&'static str>,
    /// The routes by operation name; what the model has and this has not is answered with an error that says so.
    pub routes: HashMap<&'static str, Route>,
}

impl<State: Send + Sync + 'static> Table<State> {
    /// A service without operations.
    pub fn new(service: &'static Service, state: Arc<State>) -> Self {
        Self {
            service,
            state,
            shared: Vec::new(),
            routes: HashMap::new(),
        }
    }

    /// The service, and every operation of its model with whether it is built.
    pub fn operations(&self) -> (&'static str, Vec<(&'static str, bool)>) {
        let built = |name| self.routes.contains_key(name);
        let operations = self.service.operations.iter();
        (
            self.service.name,
            operations
                .map(|operation| (operation.name, built(operation.name)))
                .collect(),
        )
    }

    /// Lets callers of other accounts call these operations; whatever else there is belongs to the server's account.
    #[must_use]
    pub fn shared(mut self, operations: &'static [&'static str]) -> Self {
        self.shared.extend(operations);
        self
    }

    /// Adds one operation; its handler is found by its type.
    #[must_use]
    pub fn route<Op: Operation>(mut self) -> Self
    where
        State: Handle<Op>,
    {
        let call = Typed::<State, Op> {
            state: self.state.clone(),
            operation: PhantomData,
        };
        self.routes.insert(
            Op::SHAPE.name,
            Route {
                shape: Op::SHAPE,
                call: Box::new(call),
            },
        );
        self
    }
}
