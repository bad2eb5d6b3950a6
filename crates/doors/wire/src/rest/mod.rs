//! REST-JSON and REST-XML: operations told apart by method and path, members spread over a whole HTTP message.
//!
//! Reading and writing are the same for both sides: a server reads inputs and writes outputs, a client the reverse.
//! Between them and the typed structures stands a JSON tree whose keys are wire names. All of it follows the shapes'
//! tables; no service is known here. Bodies in XML are [`xml`](crate::xml)'s.

mod door;
mod errors;
mod hosts;
mod read;
mod router;
mod text;
mod uri;
mod write;

use bytes::Bytes;
use headwater_shapes::{Location, Member, Protocol, Service, Shape, Structure};
use http::HeaderMap;

pub use door::Rest;
pub(crate) use errors::malformed_xml;
pub(crate) use read::{Unreadable, read};
pub(crate) use router::{Found, Router};
pub(crate) use text::{Times, parse_scalar, render_scalar};
pub(crate) use uri::{parse_query, render_uri};
pub(crate) use write::write;

/// How bodies are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    /// With the namespace of root elements.
    Xml(Option<&'static str>),
}

/// A message taken apart: of a request or of an answer.
#[derive(Debug, Default)]
pub(crate) struct Message {
    /// The path's labels, not escaped.
    pub(crate) labels: Vec<(&'static str, String)>,
    /// The query's parameters, not escaped.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) status: u16,
    /// The body, unless it is streamed.
    pub(crate) body: Bytes,
}

impl Format {
    /// How the bodies of a service are written; none for protocols that are not REST.
    pub(crate) fn of(service: &Service) -> Option<Self> {
        match service.protocol {
            Protocol::RestJson => Some(Format::Json),
            Protocol::RestXml => Some(Format::Xml(service.xml_namespace)),
            Protocol::Json { .. } => None,
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
pub(crate) fn streams(structure: &Structure) -> bool {
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
