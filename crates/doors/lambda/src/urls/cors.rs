//! Pages of other origins: what their browsers are told about a function. Where an address has rules, these stand in
//! place of what the function says itself.

use headwater_functions::Cors;
use headwater_http::{Body, body};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, header, request::Parts};

/// The answer to a browser that asks whether a page may make a request; none where this is no such question.
pub(super) fn preflight(cors: &Cors, head: &Parts) -> Option<Response<Body>> {
    let asked_method = head.headers.get(header::ACCESS_CONTROL_REQUEST_METHOD);
    if head.method != Method::OPTIONS || !head.headers.contains_key(header::ORIGIN) {
        return None;
    }
    let asked_method = asked_method?.to_str().unwrap_or_default();
    let mut response = Response::new(body::empty());
    let headers = response.headers_mut();
    let Some(origin) = allowed_origin(cors, head) else {
        return Some(response);
    };
    add_origin(cors, origin, headers);
    let methods = cors.methods.as_deref().unwrap_or_default();
    // A browser takes no asterisk for a request with credentials: what it asked for is named instead.
    let is_any = methods.iter().any(|method| method == "*");
    let methods = match is_any && cors.credentials == Some(true) {
        true => asked_method.to_owned(),
        false => methods.join(","),
    };
    set(headers, header::ACCESS_CONTROL_ALLOW_METHODS, &methods);
    let names = cors.headers.as_deref().unwrap_or_default();
    let is_any = names.iter().any(|name| name == "*");
    let asked = head.headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
    let names = match (is_any && cors.credentials == Some(true), asked) {
        (true, Some(asked)) => asked.to_str().unwrap_or_default().to_owned(),
        _ => names.join(","),
    };
    set(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &names);
    if let Some(seconds) = cors.max_age {
        set(
            headers,
            header::ACCESS_CONTROL_MAX_AGE,
            &seconds.to_string(),
        );
    }
    Some(response)
}

/// Gives an answer the headers that let a page read it.
pub(super) fn dress(cors: &Cors, head: &Parts, headers: &mut HeaderMap) {
    for name in [
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
    ] {
        headers.remove(name);
    }
    let Some(origin) = allowed_origin(cors, head) else {
        return;
    };
    add_origin(cors, origin, headers);
    let exposed = cors.exposed.as_deref().unwrap_or_default().join(",");
    set(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, &exposed);
}

/// The origin that a request comes from, if it may come from there.
fn allowed_origin<'h>(cors: &Cors, head: &'h Parts) -> Option<&'h HeaderValue> {
    let origin = head.headers.get(header::ORIGIN)?;
    let text = origin.to_str().ok()?;
    let allowed = cors.origins.as_deref().unwrap_or_default();
    allowed
        .iter()
        .any(|rule| fits(rule, text))
        .then_some(origin)
}

/// `*`, an origin, or one with an asterisk for a part of it: `https://*.example.com`.
fn fits(rule: &str, origin: &str) -> bool {
    match rule.split_once('*') {
        None => rule == origin,
        Some((start, end)) => {
            origin.len() >= start.len() + end.len()
                && origin.starts_with(start)
                && origin.ends_with(end)
        }
    }
}

fn add_origin(cors: &Cors, origin: &HeaderValue, headers: &mut HeaderMap) {
    let is_anyone = cors.origins.iter().flatten().any(|rule| rule == "*");
    if cors.credentials == Some(true) {
        set(headers, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    } else if is_anyone {
        set(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        return;
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    // Caches must not show one origin what another was told.
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}
