//! Presigned addresses: what their query says in the place of headers.

use headwater_shapes::{Location, Member, Structure};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::ApiError;

/// Gives a presigned request the headers of its operation that its address has as parameters: a client puts them there
/// that signs them and cannot have its user's browser send them. Recorded on AWS by LocalStack: `x-amz-…` and conditions
/// act as the headers that they name; a header that is sent as well wins.
pub(crate) fn take_headers(
    headers: &mut HeaderMap,
    query: &[(String, String)],
    input: &Structure,
) -> Result<(), ApiError> {
    // The names of both versions of signatures.
    let is_signed = |(name, _): &(String, _)| name == "X-Amz-Signature" || name == "Signature";
    if !query.iter().any(is_signed) {
        return Ok(());
    }
    for (name, value) in query {
        let name = name.to_ascii_lowercase();
        if !may_be_a_header(&name) || !input.members.iter().any(|member| is_of(member, &name)) {
            continue;
        }
        let invalid = || ApiError::new(400, "InvalidArgument", format!("{name} is no header."));
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| invalid())?;
        headers.entry(header).or_insert(value);
    }
    Ok(())
}

fn may_be_a_header(name: &str) -> bool {
    name.starts_with("x-amz-") || name.starts_with("if-")
}

/// Whether a member of an input is in the header of that name, which is in small letters.
fn is_of(member: &Member, name: &str) -> bool {
    match member.location {
        Location::Header => member.wire_name.eq_ignore_ascii_case(name),
        Location::Headers => name.starts_with(&member.wire_name.to_ascii_lowercase()),
        _ => false,
    }
}
