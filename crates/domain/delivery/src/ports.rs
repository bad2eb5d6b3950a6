//! The ports of deliveries: a source of records, a function, an object store, a log for its errors.
//!
//! `server` gives the adapters; the tests give in-memory ones that fail on demand.

use std::{io, pin::Pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
pub use headwater_log::{
    Source, SourceChunk, SourceError, SourceLimit, SourceRecord, SourceShard, Sources,
};
use headwater_types::{Arn, Millis};

use crate::config::{Database, Secret};

/// Calls functions.
#[async_trait]
pub trait Invoke: Send + Sync {
    /// Calls the function `arn` with a JSON payload and waits for its JSON answer.
    async fn invoke(&self, arn: &Arn, payload: Bytes) -> Result<Bytes, InvokeError>;
}

/// Why a function gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// It ran and failed: it threw, ran out of time or memory, or answered too much.
    #[error("the function failed: {0}")]
    Function(String),
    /// Too much of it runs already.
    #[error("the function is throttled")]
    Throttled,
    /// The payload or the answer is larger than functions take.
    #[error("the request is too large for a function")]
    TooLarge,
    /// There is no such function.
    #[error("there is no function {0}")]
    NotFound(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// The chunks of an object. One that ends in an error MUST leave no object behind, and no change to one that was
/// there.
pub type ChunkStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// The headers of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// `application/octet-stream`.
    pub content_type: &'static str,
    /// `gzip`, where it is.
    pub content_encoding: Option<&'static str>,
    /// The ARN of the key that the store is to encrypt it under, where one is named.
    pub encryption_key: Option<String>,
}

/// Stores objects.
#[async_trait]
pub trait Objects: Send + Sync {
    /// Puts an object, replacing what had its key. Atomic, and durable when it returns.
    async fn put(
        &self,
        bucket: &str,
        key: &str,
        body: ChunkStream,
        meta: ObjectMeta,
    ) -> Result<(), ObjectsError>;

    /// An object's bytes, as they were put.
    async fn get(&self, bucket: &str, key: &str) -> Result<ChunkStream, ObjectsError>;

    /// Removes an object; fine where there is none.
    async fn delete(&self, bucket: &str, key: &str) -> Result<(), ObjectsError>;

    /// Removes the parts that were put of an object by a process that died meanwhile; fine where there are none. Nobody
    /// puts the object at the same time.
    async fn sweep(&self, bucket: &str, key: &str) -> Result<(), ObjectsError>;

    /// Whether the bucket is there. Asked before work is done again that would fail without it.
    async fn bucket_exists(&self, bucket: &str) -> Result<bool, ObjectsError>;
}

/// Why the object store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectsError {
    /// There is no such bucket.
    #[error("the bucket {0} does not exist")]
    NoBucket(String),
    /// Anything else; trying again may help.
    #[error("{0}")]
    Failed(String),
}

impl ObjectsError {
    /// AWS's code for it (its page on errors of data delivery to S3).
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NoBucket(_) => "S3.NoSuchBucket",
            Self::Failed(_) => "S3.InternalServerError",
        }
    }
}

/// Keeps the error lines of deliveries that are configured to log.
#[async_trait]
pub trait LogSink: Send + Sync {
    /// Appends one line to a log stream, making it where it is missing. Failures are the sink's own business.
    async fn append(&self, group: &str, stream: &str, time: Millis, line: String);
}

/// Sends HTTP requests to destinations.
#[async_trait]
pub trait Web: Send + Sync {
    /// Sends a request with an absolute URI and reads the answer, both whole. No answer within `within`, or one with
    /// more than `answer_max` bytes, is an error; a status that says no is an answer.
    async fn send(
        &self,
        request: http::Request<Bytes>,
        within: Duration,
        answer_max: usize,
    ) -> Result<http::Response<Bytes>, WebError>;
}

/// Why there was no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebError {
    /// It took too long: the request may have been carried out.
    #[error("there was no answer in time")]
    TimedOut,
    /// The TLS handshake failed: the certificate is none that is trusted.
    #[error("the connection is not secure: {0}")]
    Insecure(String),
    /// There was no connection.
    #[error("connecting failed: {0}")]
    NotConnected(String),
    /// The connection broke: the request may have been carried out.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The answer is larger than it may be.
    #[error("the answer is too large")]
    TooLarge,
}

/// Opens sessions with data warehouses, over PostgreSQL's protocol.
#[async_trait]
pub trait Warehouse: Send + Sync {
    /// Opens a session, within a time of the port's own. Dropped, a session ends and what it has not committed is
    /// undone.
    async fn open(&self, login: &Login) -> Result<Box<dyn Session>, WarehouseError>;
}

/// A database, and as whom it is entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Where it is.
    pub database: Database,
    /// The user.
    pub user: String,
    /// The user's password.
    pub password: Secret,
}

/// A session with a warehouse.
#[async_trait]
pub trait Session: Send {
    /// Runs statements: the columns of all rows that they give, as texts.
    async fn query(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, WarehouseError>;

    /// Runs a `COPY … FROM STDIN` with `rows`. Where these end in an error, nothing is copied, and that is the error.
    async fn copy_in(&mut self, sql: &str, rows: ChunkStream) -> Result<(), WarehouseError>;
}

/// Why a warehouse did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WarehouseError {
    /// There is no connection, or it was lost.
    #[error("connecting failed: {0}")]
    NotConnected(String),
    /// The warehouse says no.
    #[error("{message} (SQLSTATE {state})")]
    Refused {
        /// The five letters of SQL's standard, and PostgreSQL's appendix A.
        state: String,
        /// Its words.
        message: String,
    },
    /// The rows that were to be copied could not be read.
    #[error("{0}")]
    Rows(String),
}

/// A world in which nothing can be reached, for callers that need nothing of it.
pub struct Offline;

#[async_trait]
impl Invoke for Offline {
    async fn invoke(&self, arn: &Arn, _: Bytes) -> Result<Bytes, InvokeError> {
        Err(InvokeError::NotFound(arn.to_string()))
    }
}

#[async_trait]
impl Web for Offline {
    async fn send(
        &self,
        _: http::Request<Bytes>,
        _: Duration,
        _: usize,
    ) -> Result<http::Response<Bytes>, WebError> {
        Err(WebError::NotConnected("there is no network".into()))
    }
}

#[async_trait]
impl Warehouse for Offline {
    async fn open(&self, _: &Login) -> Result<Box<dyn Session>, WarehouseError> {
        Err(WarehouseError::NotConnected("there is no network".into()))
    }
}

/// Knows the columns of tables.
#[async_trait]
pub trait Tables: Send + Sync {
    /// A version of a table, or its newest.
    async fn version(
        &self,
        database: &str,
        table: &str,
        version: Option<u64>,
    ) -> Result<TableVersion, TableError>;
}

/// One version of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableVersion {
    /// Its number.
    pub version: u64,
    /// Names and types of its columns, as Hive spells them.
    pub columns: Vec<(String, String)>,
}

/// Why the columns of a table are not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// There is no such database, table or version.
    #[error("{0}")]
    NotFound(String),
    /// Anything else; trying again may help.
    #[error("{0}")]
    Failed(String),
}

#[async_trait]
impl Tables for Offline {
    async fn version(
        &self,
        _: &str,
        table: &str,
        _: Option<u64>,
    ) -> Result<TableVersion, TableError> {
        Err(TableError::NotFound(format!("there is no table {table}")))
    }
}

/// Everything that deliveries need of others.
#[derive(Clone)]
pub struct Ports {
    /// The streams that are read.
    pub sources: Arc<dyn Sources>,
    /// The functions that transform.
    pub invoke: Arc<dyn Invoke>,
    /// Where objects go.
    pub objects: Arc<dyn Objects>,
    /// Where error lines go.
    pub logs: Arc<dyn LogSink>,
    /// Where the columns of tables are known.
    pub tables: Arc<dyn Tables>,
    /// How destinations are reached.
    pub web: Arc<dyn Web>,
    /// How data warehouses are.
    pub warehouse: Arc<dyn Warehouse>,
}
