//! A request as the event that a function gets: payload format 2.0 of API Gateway's HTTP APIs.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use headwater_auth::parse_query;
use headwater_functions::FunctionUrl;
use headwater_types::Millis;
use headwater_wire::{Caller, Context};
use http::{HeaderMap, Version, header, request::Parts};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

/// The parts of a request that its event tells of.
pub(super) struct Event<'a> {
    pub url: &'a FunctionUrl,
    pub head: &'a Parts,
    pub body: &'a [u8],
    pub context: &'a Context,
    /// Who signed it, where they must.
    pub caller: Option<&'a Caller>,
    pub now: Millis,
}

/// Headers that are between one machine and the next.
const HOP: &[header::HeaderName] = &[
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::TE,
    header::TRAILER,
];

impl Event<'_> {
    /// The event; members that a request has nothing for are left out.
    pub fn to_json(&self) -> Value {
        let path = path(self.head.uri.path());
        let query = self.head.uri.query().unwrap_or_default();
        let mut event = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": query,
            "headers": self.headers(),
            "requestContext": self.request_context(&path),
            "isBase64Encoded": false,
        });
        let cookies = cookies(&self.head.headers);
        if !cookies.is_empty() {
            event["cookies"] = json!(cookies);
        }
        let parameters = parameters(query);
        if !parameters.is_empty() {
            event["queryStringParameters"] = json!(parameters);
        }
        if !self.body.is_empty() {
            let text = std::str::from_utf8(self.body).ok();
            match text.filter(|_| is_text(&self.head.headers)) {
                Some(text) => event["body"] = json!(text),
                None => {
                    event["body"] = json!(STANDARD.encode(self.body));
                    event["isBase64Encoded"] = json!(true);
                }
            }
        }
        event
    }

    fn request_context(&self, path: &str) -> Value {
        let host = &self.context.host;
        let domain = host
            .rsplit_once(':')
            .map_or(host.as_str(), |(domain, _)| domain);
        let now = jiff::Timestamp::from_millisecond(self.now.0 as i64).unwrap_or_default();
        let mut context = json!({
            "accountId": self.caller.map_or("anonymous", |caller| &caller.account.0),
            "apiId": self.url.id.as_str(),
            "domainName": domain,
            "domainPrefix": self.url.id.as_str(),
            "http": {
                "method": self.head.method.as_str(),
                "path": path,
                "protocol": protocol(self.head.version),
                "sourceIp": self.source(),
                "userAgent": text(&self.head.headers, header::USER_AGENT),
            },
            "requestId": self.context.request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": self.now.0,
        });
        if let Some(caller) = self.caller {
            let id = caller.user().unwrap_or(&caller.account.0);
            context["authorizer"] = json!({ "iam": {
                "accessKey": access_key(self.head),
                "accountId": caller.account.0,
                "callerId": id,
                "cognitoIdentity": null,
                "principalOrgId": null,
                "userArn": caller.arn,
                "userId": id,
            }});
        }
        context
    }

    fn source(&self) -> String {
        let address = self.context.origin.address;
        address.map_or_else(String::new, |address| address.to_string())
    }

    /// The headers in small letters, those of one name joined by commas, and what AWS's front adds.
    fn headers(&self) -> Map<String, Value> {
        let mut joined: BTreeMap<&str, String> = BTreeMap::new();
        for (name, value) in &self.head.headers {
            if HOP.contains(name) || *name == header::COOKIE {
                continue;
            }
            let value = String::from_utf8_lossy(value.as_bytes());
            let entry = joined.entry(name.as_str());
            entry
                .and_modify(|known| *known += &format!(",{value}"))
                .or_insert_with(|| value.into_owned());
        }
        let (proto, port) = match self.context.origin.secure {
            true => ("https", "443"),
            false => ("http", "80"),
        };
        let host = &self.context.host;
        let port = host.rsplit_once(':').map_or(port, |(_, port)| port);
        joined.insert("host", host.clone());
        joined.insert("x-forwarded-for", self.source());
        joined.insert("x-forwarded-port", port.to_owned());
        joined.insert("x-forwarded-proto", proto.to_owned());
        let hex = self.context.request_id.replace('-', "");
        let trace = format!(
            "Root=1-{:08x}-{}",
            self.now.0 / 1000,
            hex.get(..24).unwrap_or(&hex)
        );
        joined.insert("x-amzn-trace-id", trace);
        let joined = joined.into_iter();
        joined
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect()
    }
}

/// The path, unescaped where it is escaped rightly.
fn path(raw: &str) -> String {
    percent_decode_str(raw).decode_utf8_lossy().into_owned()
}

/// The parameters, those of one name joined by commas.
fn parameters(query: &str) -> Map<String, Value> {
    let mut joined: Vec<(String, String)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (name, value) in parse_query(query) {
        match places.get(&name) {
            Some(place) => joined[*place].1 += &format!(",{value}"),
            None => {
                places.insert(name.clone(), joined.len());
                joined.push((name, value));
            }
        }
    }
    joined
        .into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect()
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let all = headers.get_all(header::COOKIE).into_iter();
    let all = all.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let split = |text: String| {
        text.split(';')
            .map(|one| one.trim().to_owned())
            .collect::<Vec<_>>()
    };
    all.flat_map(split).filter(|one| !one.is_empty()).collect()
}

/// Whether a body is passed on as text, by its content type.
fn is_text(headers: &HeaderMap) -> bool {
    let kind = text(headers, header::CONTENT_TYPE)
        .unwrap_or_default()
        .to_ascii_lowercase();
    ["text/", "json", "xml", "javascript"]
        .iter()
        .any(|part| kind.contains(part))
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    let value = headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_10 => "HTTP/1.0",
        _ => "HTTP/1.1",
    }
}

/// The key that a request is signed with.
fn access_key(head: &Parts) -> Option<String> {
    let start = "Credential=";
    let header = text(&head.headers, header::AUTHORIZATION);
    let credential = header
        .as_deref()
        .and_then(|text| text.split_once(start))
        .map(|(_, rest)| rest.to_owned());
    let credential = credential.or_else(|| {
        let query = parse_query(head.uri.query().unwrap_or_default());
        let mut pairs = query.into_iter();
        pairs
            .find(|(name, _)| name == "X-Amz-Credential")
            .map(|(_, value)| value)
    })?;
    credential.split('/').next().map(str::to_owned)
}
