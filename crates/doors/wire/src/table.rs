//! A service as a table: which operation is answered by which handler, and what else its line says of it.

use std::{collections::HashMap, marker::PhantomData, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_shapes::{
    ByteStream, Direct, Operation, OperationShape, Service, Tree, Valid, Value,
};

use crate::{
    ApiError, Context, CrossOrigin, Hosted, Spelling, cbor, event_stream, json, limits,
    rest::malformed_xml,
    validate::{self, Needed},
};

/// The behaviour of one operation, written by hand on the state of its service.
pub trait Handle<Op: Operation>: Send + Sync + 'static {
    /// Answers one request. `async fn handle` in an `impl` is fine.
    fn handle(
        &self,
        input: Op::Input,
        context: &Context,
    ) -> impl Future<Output = Result<Op::Output, ApiError>> + Send;
}

/// Whether an operation changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// It leaves everything as it is.
    Read,
    /// It changes something.
    Write,
}

/// The subject of an operation, as AWS CloudTrail tells its events apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Plane {
    /// Resources.
    Management,
    /// The data in them.
    Data,
}

/// The properties and needs of an operation besides its handler: its line in the table says all of them, and nothing is
/// guessed from its name.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// Whether it changes anything.
    pub access: Access,
    /// Whether it is about resources or about the data in them.
    pub plane: Plane,
    /// The largest body, in bytes; without it the protocol's own bound.
    pub body_bytes: Option<usize>,
    /// Room that is taken for its answer before it is made, in bytes; none where answers are small.
    pub answer_bytes: usize,
    /// Whether it waits for something to happen: it then holds no room while it does, and takes that for its answer
    /// itself ([`Context::room_for_answer`]).
    pub waits: bool,
    /// Whether callers of other accounts may call it; its handler decides what on.
    pub shared: bool,
    /// Whether its signature is in its body: its handler has it checked ([`Context::admit_form`]).
    pub signed_within: bool,
    /// The header that it refuses, if there is one that others take.
    pub refused_header: Option<&'static str>,
    /// The field of a form whose ARN names the region, where callers need not sign it: its handler decides what they may.
    pub anonymous: Option<&'static str>,
    /// The IAM action, where it is not the operation's name behind the service's.
    pub action: Option<&'static str>,
    /// The member whose absence it says before all else, where it has words of its own for that.
    pub needs: Option<&'static Needed>,
}

/// A management operation that reads.
pub const READS: Line = Line {
    access: Access::Read,
    plane: Plane::Management,
    body_bytes: None,
    answer_bytes: 0,
    waits: false,
    shared: false,
    signed_within: false,
    refused_header: None,
    anonymous: None,
    action: None,
    needs: None,
};

/// A management operation that changes something.
pub const WRITES: Line = Line {
    access: Access::Write,
    ..READS
};

impl Line {
    /// An operation on what is in resources.
    #[must_use]
    pub const fn data(mut self) -> Self {
        self.plane = Plane::Data;
        self
    }

    /// An operation that refuses a header which others take, as S3 does.
    #[must_use]
    pub const fn refuses(mut self, header: &'static str) -> Self {
        self.refused_header = Some(header);
        self
    }

    /// An operation whose body holds records: up to 10 MiB of them in base64, and their frame.
    #[must_use]
    pub const fn takes_records(self) -> Self {
        self.takes(limits::JSON_DATA_BYTES)
    }

    /// An operation whose body has at most that many bytes.
    #[must_use]
    pub const fn takes(mut self, body_bytes: usize) -> Self {
        self.body_bytes = Some(body_bytes);
        self
    }

    /// An operation whose answer holds records: 10 MiB of them, and the same again in base64.
    #[must_use]
    pub const fn gives_records(mut self) -> Self {
        self.answer_bytes = limits::ANSWER_IN_THE_MAKING_BYTES;
        self
    }

    /// An operation that waits for something to happen.
    #[must_use]
    pub const fn waits(mut self) -> Self {
        self.waits = true;
        self
    }

    /// An operation that callers of other accounts may call.
    #[must_use]
    pub const fn shared(mut self) -> Self {
        self.shared = true;
        self
    }

    /// An operation whose signature is in its body.
    #[must_use]
    pub const fn signed_within(mut self) -> Self {
        self.signed_within = true;
        self
    }

    /// An operation that is shared with those who sign nothing, as links in messages are; `field` holds an ARN of the
    /// region that it is for.
    #[must_use]
    pub const fn anonymous(mut self, field: &'static str) -> Self {
        self.anonymous = Some(field);
        self.shared()
    }

    /// An operation that says before all else that a member is absent.
    #[must_use]
    pub const fn needs(mut self, needed: &'static Needed) -> Self {
        self.needs = Some(needed);
        self
    }

    /// An operation with an IAM action of another name, such as `s3:ListAllMyBuckets` for ListBuckets.
    #[must_use]
    pub const fn action(mut self, action: &'static str) -> Self {
        self.action = Some(action);
        self
    }
}

/// An input in the form in which its route reads it.
pub(crate) enum Input {
    /// A tree, valid after the shape's tables, and the body that streams.
    Tree(Value, Option<ByteStream>),
    /// AWS JSON, as it came.
    Json(Bytes),
    /// CBOR, as it came.
    Cbor(Bytes),
}

/// An output in the form of its input.
pub(crate) enum Output {
    /// A tree, and the body that streams.
    Tree(Value, Option<ByteStream>),
    /// JSON or CBOR.
    Bytes(Vec<u8>),
    /// Events in JSON or CBOR.
    Events(ByteStream),
}

/// One operation with its handler, its types erased.
pub struct Route {
    /// The operation's tables.
    pub shape: &'static OperationShape,
    /// The operation's line.
    pub line: Line,
    /// Its place in its table: how many lines stand before it.
    pub(crate) place: usize,
    /// Whether it reads JSON and CBOR straight from the bytes.
    pub(crate) is_direct: bool,
    call: Box<dyn Call>,
}

#[async_trait]
trait Call: Send + Sync {
    async fn call(&self, input: Input, context: &Context) -> Result<Output, ApiError>;
}

impl Route {
    /// Answers one request: reads its input, asks whether it may be made, and has it handled.
    pub(crate) async fn call(&self, input: Input, context: &Context) -> Result<Output, ApiError> {
        self.call.call(input, context).await
    }
}

/// A resource that an operation acts on: its ARN, made of the input.
pub type Resource<Input> = fn(&Input, &Context) -> String;

/// An operation that is read from a tree alone.
struct TreeCall<State, Op: Operation> {
    state: Arc<State>,
    resource: Option<Resource<Op::Input>>,
    operation: PhantomData<fn() -> Op>,
}

impl<Op: Operation, State: Handle<Op>> TreeCall<State, Op> {
    fn read(tree: Value) -> Result<Op::Input, ApiError> {
        Op::Input::from_value(tree).map_err(|error| match Op::SERVICE.speaks_xml() {
            // S3 has words of its own for every constraint: its handlers check them.
            true => malformed_xml(),
            false => validate::unfit(Op::SHAPE, &error),
        })
    }

    /// The operation itself, when its caller may call it.
    async fn run(&self, input: Op::Input, context: &Context) -> Result<Op::Output, ApiError> {
        context.authorize(|| self.resource.map(|arn| arn(&input, context)))?;
        self.state.handle(input, context).await
    }

    async fn run_tree(
        &self,
        tree: Value,
        stream: Option<ByteStream>,
        context: &Context,
    ) -> Result<Output, ApiError> {
        let mut input = Self::read(tree)?;
        if let Some(stream) = stream {
            Op::set_input_stream(&mut input, stream);
        }
        let mut output = self.run(input, context).await?;
        let stream = Op::take_output_stream(&mut output);
        Ok(Output::Tree(output.to_value(), stream))
    }
}

#[async_trait]
impl<Op: Operation, State: Handle<Op>> Call for TreeCall<State, Op> {
    async fn call(&self, input: Input, context: &Context) -> Result<Output, ApiError> {
        match input {
            Input::Tree(tree, stream) => self.run_tree(tree, stream, context).await,
            Input::Json(_) | Input::Cbor(_) => Err(ApiError::internal(
                "an input is of a form that its route does not read",
            )),
        }
    }
}

/// An operation that is read from JSON and CBOR without a tree between.
struct DirectCall<State, Op: Operation>(TreeCall<State, Op>);

#[async_trait]
impl<Op: Direct, State: Handle<Op>> Call for DirectCall<State, Op>
where
    Op::Input: Valid,
{
    async fn call(&self, input: Input, context: &Context) -> Result<Output, ApiError> {
        match input {
            Input::Json(body) => {
                // The handler may wait long, and has its own copy of what it needs: the body ends here.
                let input = json::read::<Op>(body)?;
                let mut output = self.0.run(input, context).await?;
                let members = json::write::<Op>(&output)?;
                Ok(match Op::take_event_stream(&mut output) {
                    Some(events) => {
                        Output::Events(event_stream::body(members, events, json::payloads()))
                    }
                    None => Output::Bytes(members),
                })
            }
            Input::Cbor(body) => {
                let input = cbor::read::<Op>(body)?;
                let mut output = self.0.run(input, context).await?;
                let members = cbor::write::<Op>(&output)?;
                Ok(match Op::take_event_stream(&mut output) {
                    Some(events) => {
                        Output::Events(event_stream::body(members, events, cbor::payloads()))
                    }
                    None => Output::Bytes(members),
                })
            }
            Input::Tree(tree, stream) => self.0.run_tree(tree, stream, context).await,
        }
    }
}

/// A service's operations and their handlers.
pub struct Table {
    /// The service.
    pub service: &'static Service,
    /// The routes by operation name; what the model has and this has not is answered with an error that says so.
    pub routes: HashMap<&'static str, Route>,
    /// Its rules for pages of other origins, where it has some.
    pub(crate) cross_origin: Option<Arc<dyn CrossOrigin>>,
    /// The names of its members in the query protocol, where it has others there.
    pub(crate) spelling: Option<&'static Spelling>,
    /// Its answers to what is sent to hosts of its own, where it has such.
    pub(crate) hosted: Option<Arc<dyn Hosted>>,
}

impl Table {
    /// The operation of that name, built or not.
    pub(crate) fn operation(&self, name: &str) -> Option<&'static OperationShape> {
        let built = self.routes.get(name).map(|route| route.shape);
        built.or_else(|| self.service.operation(name))
    }

    /// The service, and every operation of its model with whether it is built.
    pub fn operations(&self) -> (&'static str, Vec<(&'static str, bool)>) {
        let built = |name| self.routes.contains_key(name);
        let operations = self.service.operations.iter();
        let listed = operations.map(|operation| (operation.name, built(operation.name)));
        (self.service.name, listed.collect())
    }
}

/// A table that is being written, on the state that its handlers run on.
pub struct Routes<State> {
    state: Arc<State>,
    table: Table,
}

impl<State: Send + Sync + 'static> Routes<State> {
    /// A service without operations.
    pub fn new(service: &'static Service, state: Arc<State>) -> Self {
        let routes = HashMap::new();
        Self {
            state,
            table: Table {
                service,
                routes,
                cross_origin: None,
                spelling: None,
                hosted: None,
            },
        }
    }

    /// Names its members otherwise in the query protocol.
    #[must_use]
    pub fn spelled(mut self, spelling: &'static Spelling) -> Self {
        self.table.spelling = Some(spelling);
        self
    }

    /// Asks the service what to tell pages of other origins.
    #[must_use]
    pub fn cross_origin(mut self) -> Self
    where
        State: CrossOrigin,
    {
        self.table.cross_origin = Some(self.state.clone());
        self
    }

    /// Gives the service all that is sent to its own hosts.
    #[must_use]
    pub fn hosted(mut self) -> Self
    where
        State: Hosted,
    {
        self.table.hosted = Some(self.state.clone());
        self
    }

    /// Adds one operation; its handler is found by its type.
    #[must_use]
    pub fn route<Op: Operation>(self, line: Line) -> Self
    where
        State: Handle<Op>,
    {
        let call = self.typed::<Op>(None);
        self.add(Op::SHAPE, line, false, Box::new(call))
    }

    /// Adds one operation that acts on the resource with this ARN.
    #[must_use]
    pub fn route_on<Op: Operation>(self, line: Line, resource: Resource<Op::Input>) -> Self
    where
        State: Handle<Op>,
    {
        let call = self.typed::<Op>(Some(resource));
        self.add(Op::SHAPE, line, false, Box::new(call))
    }

    /// Adds one operation that carries data.
    #[must_use]
    pub fn direct<Op: Direct>(self, line: Line) -> Self
    where
        State: Handle<Op>,
    {
        let call = DirectCall(self.typed::<Op>(None));
        self.add(Op::SHAPE, line, true, Box::new(call))
    }

    /// Adds one operation that carries data and acts on the resource with this ARN.
    #[must_use]
    pub fn direct_on<Op: Direct>(self, line: Line, resource: Resource<Op::Input>) -> Self
    where
        State: Handle<Op>,
    {
        let call = DirectCall(self.typed::<Op>(Some(resource)));
        self.add(Op::SHAPE, line, true, Box::new(call))
    }

    /// The table.
    pub fn build(self) -> Table {
        self.table
    }

    fn typed<Op: Operation>(&self, resource: Option<Resource<Op::Input>>) -> TreeCall<State, Op> {
        TreeCall {
            state: self.state.clone(),
            resource,
            operation: PhantomData,
        }
    }

    fn add(
        mut self,
        shape: &'static OperationShape,
        line: Line,
        is_direct: bool,
        call: Box<dyn Call>,
    ) -> Self {
        let route = Route {
            shape,
            line,
            place: self.table.routes.len(),
            is_direct,
            call,
        };
        let before = self.table.routes.insert(shape.name, route);
        assert!(before.is_none(), "{} has two lines", shape.name);
        self
    }
}
