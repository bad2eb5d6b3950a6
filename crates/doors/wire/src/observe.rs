//! The seam at which others see each request that was answered: metrics, the trail.

use std::{net::IpAddr, time::Duration};

use headwater_types::{Account, Region};
use http::HeaderMap;

use crate::table::Line;

/// An observer of requests that were answered. It is called on the request's way and must be quick.
pub trait Observe: Send + Sync {
    /// A request was answered; its answer may still be on its way.
    fn observe(&self, seen: &Seen<'_>);
}

/// A request that was answered.
#[derive(Debug)]
pub struct Seen<'a> {
    /// The id that its answer carries.
    pub request_id: &'a str,
    /// The service; empty where that is none of ours.
    pub service: &'static str,
    /// The operation; empty where it is none that the service's model has.
    pub operation: &'static str,
    /// The place of the service's table among the pipeline's; none where the service is none of ours.
    pub table: Option<usize>,
    /// The operation's place in its table; none where the operation is not built.
    pub route: Option<usize>,
    /// The operation's line in its service's table; none where the operation is not built.
    pub line: Option<Line>,
    /// The caller's ARN.
    pub caller: &'a str,
    /// The account that it ran in.
    pub account: &'a Account,
    /// The region that it was made for.
    pub region: &'a Region,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// The address that it came from.
    pub address: Option<IpAddr>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The code of the error, where it was one.
    pub error: Option<&'a str>,
    /// Bytes of its body that were read until there was an answer, as they were sent. A body that is read as a whole
    /// counts once it is there.
    pub bytes_in: u64,
    /// Bytes of its answer, where that is not streamed.
    pub bytes_out: u64,
    /// How long it took until there was an answer.
    pub took: Duration,
}
