//! REST-JSON and REST-XML: operations told apart by method and path, members spread over a whole HTTP message.
//!
//! Reading and writing are the same for both sides: a server reads inputs and writes outputs, a client the reverse.
//! Between them and the typed structures stands a JSON tree whose keys are wire names. All of it follows the shapes'
//! tables; no service is known here. Bodies in XML are [`xml`](crate::xml)'s.

mod errors;
mod hosts;
mod presigned;
mod read;
mod router;
mod text;
mod uri;
mod write;

use bytes::Bytes;
use headwater_shapes::{Location, Member, Protocol, Service, Shape, Structure};
use http::HeaderMap;

pub(crate) use errors::{
    add_request_id, malformed_xml, no_length, no_operation, not_held, refuse, unreadable,
};
pub(crate) use hosts::{VirtualHosts, signed_scope};
pub(crate) use presigned::take_headers;
pub use read::{Unreadable, read};
pub(crate) use router::{Found, Router};
pub(crate) use text::{Times, parse_scalar, render_scalar};
pub use uri::render_uri;
pub use write::write;

/// How bodies are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// In JSON.
    Json,
    /// In XML, with the namespace of root elements.
    Xml(Option<&'static str>),
}

/// A message taken apart: of a request or of an answer.
#[derive(Debug, Default)]
pub struct Message {
    /// The path's labels, not escaped.
    pub labels: Vec<(&'static str, String)>,
    /// The query's parameters, not escaped.
    pub query: Vec<(String, String)>,
    /// The headers.
    pub headers: HeaderMap,
    /// The status; of no use in a request.
    pub status: u16,
    /// The body, unless it is streamed.
    pub body: Bytes,
}

impl Format {
    /// How the bodies of a service are written; none for protocols that are not REST.
    pub fn of(service: &Service) -> Option<Self> {
        if service.speaks(Protocol::RestJson) {
            Some(Format::Json)
        } else if service.speaks(Protocol::RestXml) {
            Some(Format::Xml(service.xml_namespace))
        } else {
            None
        }
    }

    /// The type of such bodies.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Xml(_) => "application/xml",
        }
    }
}

/// The member that is the whole body, where there is one.
pub(crate) fn payload(structure: &Structure) -> Option<&Member> {
    structure
        .members
        .iter()
        .find(|member| structure.payload == Some(member.wire_name))
}

/// Whether the body is handed on as it comes.
pub fn streams(structure: &Structure) -> bool {
    payload(structure).is_some_and(|member| {
        matches!(
            member.shape,
            Shape::Blob {
                streaming: true,
                ..
            }
        )
    })
}

/// The members that stand in the body beside each other.
pub(crate) fn body_members(structure: &Structure) -> impl Iterator<Item = &Member> {
    structure
        .members
        .iter()
        .filter(|member| member.location == Location::Body)
}

#[cfg(test)]
pub(crate) mod tests;
