//! Destinations beside the bucket, as the catalog keeps them. How records get there is the business of the sinks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{address::WebAddress, database::Database, secret::Secret};

/// Where records go: into the bucket, or elsewhere, with the bucket for what fails there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Into the bucket.
    #[default]
    Bucket,
    /// To an HTTP endpoint.
    Http(HttpEndpoint),
    /// To Splunk.
    Splunk(Splunk),
    /// To OpenSearch.
    OpenSearch(OpenSearch),
    /// Into the bucket, and from there into a warehouse.
    Redshift(Redshift),
}

/// An HTTP endpoint, as the catalog keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpEndpoint {
    /// Where requests go.
    pub url: WebAddress,
    /// The key by which it knows its callers; none where empty.
    pub access_key: Secret,
    /// Whether requests are compressed.
    pub gzip: bool,
    /// Attributes that hold for all records.
    pub attributes: BTreeMap<String, String>,
    /// Bytes of data that a request may have.
    pub bytes: usize,
    /// Seconds of pauses between attempts, in all.
    pub retry_s: u32,
}

/// A collector, as the catalog keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Splunk {
    /// Its address, without the path of an endpoint.
    pub url: WebAddress,
    /// Which of its endpoints.
    pub endpoint: HecEndpoint,
    /// The token that it knows its callers by.
    pub token: Secret,
    /// Seconds that an acknowledgement may take.
    pub ack_s: u32,
    /// Seconds of pauses between attempts, in all.
    pub retry_s: u32,
}

/// An endpoint of a collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HecEndpoint {
    /// Takes bytes, and finds the events in them itself.
    Raw,
    /// Takes events as JSON objects.
    Event,
}

/// A cluster or a collection, as the catalog keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenSearch {
    /// Its address.
    pub url: WebAddress,
    /// The index's name, or what it starts with.
    pub index: String,
    /// The suffix of the index's name.
    pub rotation: Rotation,
    /// The documents' type, as clusters before Elasticsearch 7 want it.
    pub type_name: Option<String>,
    /// Whether documents have ids of ours.
    pub ids: bool,
    /// Whether it is a serverless collection: those name things otherwise in their errors.
    pub serverless: bool,
    /// Seconds of pauses between attempts, in all.
    pub retry_s: u32,
}

/// How often another index begins; by when a record arrived, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// Never.
    None,
    /// `name-2016-02-25-13`.
    Hour,
    /// `name-2016-02-25`.
    Day,
    /// `name-2016-w08`: weeks start on Sundays, and the first is the one with the year's first Saturday.
    Week,
    /// `name-2016-02`.
    Month,
}

/// A warehouse, as the catalog keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Redshift {
    /// Where it is.
    pub database: Database,
    /// The user's name.
    pub user: String,
    /// The user's password.
    pub password: Secret,
    /// The table, as it is written in SQL.
    pub table: String,
    /// Its columns, as they are written in SQL between parentheses; all of them where empty.
    pub columns: String,
    /// Options of COPY.
    pub options: String,
    /// Seconds of pauses between attempts, in all.
    pub retry_s: u32,
}
