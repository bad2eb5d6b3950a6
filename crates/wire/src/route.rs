//! A service as a table: which operation is answered by which handler.

use std::{collections::HashMap, sync::Arc};

use headwater_shapes::{Operation, OperationShape, Service};

use crate::{ApiError, Context};

/// The behaviour of one operation, written by hand on the state of its service.
pub trait Handle<Op: Operation>: Send + Sync + 'static {
    /// Answers one request. `async fn handle` in an `impl` is fine.
    fn handle(
        &self,
        input: Op::Input,
        context: &Context,
    ) -> impl Future<Output = Result<Op::Output, ApiError>> + Send;
}

/// One operation with its handler, its types erased: what the protocol code calls.
/// (The protocol half of this type is the `wire` crate's own and grows with it.)
pub struct Route {
    /// The operation's tables.
    pub shape: &'static OperationShape,
}

/// A service's operations and their handlers.
pub struct Table<State> {
    /// The service.
    pub service: &'static Service,
    /// The state that handlers run on.
    pub state: Arc<State>,
    /// The routes by operation name; what the model has and this has not is answered with an error that says so.
    pub routes: HashMap<&'static str, Route>,
}

impl<State: Send + Sync + 'static> Table<State> {
    /// A service without operations.
    pub fn new(service: &'static Service, state: Arc<State>) -> Self {
        Self { service, state, routes: HashMap::new() }
    }

    /// Adds one operation; its handler is found by its type.
    #[must_use]
    pub fn route<Op: Operation>(mut self) -> Self
    where
        State: Handle<Op>,
    {
        self.routes.insert(Op::SHAPE.name, Route { shape: Op::SHAPE });
        self
    }
}
