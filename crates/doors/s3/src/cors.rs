//! Pages of other origins: which requests a bucket's rules let them make, and the headers that tell their browsers so.
//! (Source: answers of AWS recorded by LocalStack; the guide, "Using cross-origin resource sharing".)

use async_trait::async_trait;
use headwater_objects::{BucketName, CorsRule, ObjectError};
use headwater_wire::{ApiError, CrossOrigin, CrossRequest};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{S3, errors::api};

/// The headers of a request that an answer depends on.
const VARY: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

#[async_trait]
impl CrossOrigin for S3 {
    async fn preflight(&self, request: &CrossRequest<'_>) -> Result<HeaderMap, ApiError> {
        let Some(origin) = request.origin else {
            return Err(bad_request(
                "Insufficient information. Origin request header needed.",
            ));
        };
        let (bucket, _) = place(request.path);
        let rules = match self.rules(bucket).await {
            Err(ObjectError::NoSuchBucket(_) | ObjectError::InvalidBucketName(_)) => {
                return Err(forbidden("Bucket not found", request));
            }
            found => found.map_err(api)?,
        };
        if rules.is_empty() {
            return Err(forbidden("CORS is not enabled for this bucket.", request));
        }
        if request.asked_method.is_none() {
            return Err(bad_request("Invalid Access-Control-Request-Method: null"));
        }
        match matching(&rules, origin, request) {
            Some((rule, allowed)) => Ok(headers(rule, allowed, request)),
            None => Err(forbidden(NOT_ALLOWED, request)),
        }
    }

    async fn headers(&self, request: &CrossRequest<'_>) -> HeaderMap {
        let (Some(origin), (bucket, _)) = (request.origin, place(request.path)) else {
            return HeaderMap::new();
        };
        // An answer is not held up by rules that cannot be read: a browser then keeps it from the page.
        let rules = self.rules(bucket).await.unwrap_or_default();
        matching(&rules, origin, request)
            .map(|(rule, allowed)| headers(rule, allowed, request))
            .unwrap_or_default()
    }
}

impl S3 {
    async fn rules(&self, bucket: &str) -> Result<Vec<CorsRule>, ObjectError> {
        let bucket = BucketName::parse(bucket)?;
        match self.store.settings(&bucket).await {
            // Rules that are left to a store behind this server are for requests that come to it.
            Err(ObjectError::Elsewhere(_)) => Ok(Vec::new()),
            settings => Ok(settings?.cors),
        }
    }
}

const NOT_ALLOWED: &str = "This CORS request is not allowed. This is usually because the evalution of Origin, request \
     method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's \
     CORS spec.";

/// The first rule that lets the request be made, and the origin that it is told to allow.
fn matching<'a>(
    rules: &'a [CorsRule],
    origin: &'a str,
    request: &CrossRequest<'_>,
) -> Option<(&'a CorsRule, &'a str)> {
    let method = request.asked_method.unwrap_or(request.method);
    rules.iter().find_map(|rule| {
        let pattern = rule.allowed_origins.iter().find(|p| fits(p, origin))?;
        let is_allowed = rule.allowed_methods.iter().any(|allowed| allowed == method)
            && asked_headers(request).all(|name| allows_header(rule, &name));
        let allowed = if pattern == "*" { "*" } else { origin };
        is_allowed.then_some((rule, allowed))
    })
}

fn allows_header(rule: &CorsRule, name: &str) -> bool {
    let mut patterns = rule.allowed_headers.iter();
    patterns.any(|pattern| fits(&pattern.to_ascii_lowercase(), name))
}

/// The names of the headers that a browser asks to send, in small letters.
fn asked_headers(request: &CrossRequest<'_>) -> impl Iterator<Item = String> {
    let names = request.asked_headers.unwrap_or_default().split(',');
    names
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
}

/// Whether `text` is `pattern`, whose one `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => {
            text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
        }
    }
}

fn headers(rule: &CorsRule, allowed: &str, request: &CrossRequest<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut set = |name: HeaderName, value: &str| {
        // What no header can carry was no header of the request either, or is a rule that no browser could use.
        if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    };
    set(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    if allowed != "*" {
        set(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    set(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        &rule.allowed_methods.join(", "),
    );
    let asked: Vec<String> = asked_headers(request).collect();
    set(header::ACCESS_CONTROL_ALLOW_HEADERS, &asked.join(", "));
    set(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        &rule.expose_headers.join(", "),
    );
    let age = rule.max_age_seconds.map(|age| age.to_string());
    set(header::ACCESS_CONTROL_MAX_AGE, &age.unwrap_or_default());
    set(header::VARY, VARY);
    headers
}

/// Bucket and key of a path.
fn place(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split_once('/').unwrap_or((path, ""))
}

fn bad_request(text: &str) -> ApiError {
    ApiError::new(400, "BadRequest", text)
}

fn forbidden(text: &str, request: &CrossRequest<'_>) -> ApiError {
    let kind = match place(request.path) {
        (_, "") => "BUCKET",
        _ => "OBJECT",
    };
    ApiError::new(403, "AccessForbidden", format!("CORSResponse: {text}"))
        .with("Method", request.asked_method.unwrap_or(request.method))
        .with("ResourceType", kind)
}

#[cfg(test)]
mod tests {
    use headwater_objects::Setting;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::World;

    fn request<'a>(method: &'a str, origin: Option<&'a str>) -> CrossRequest<'a> {
        CrossRequest {
            path: "/bucket/key",
            method,
            origin,
            asked_method: None,
            asked_headers: None,
        }
    }

    async fn world(rules: Vec<CorsRule>) -> World {
        let world = World::new().await;
        let bucket = BucketName::parse("bucket").unwrap();
        let set = world.s3.store.set(&bucket, Setting::Cors(rules)).await;
        set.unwrap();
        world
    }

    fn rule(origin: &str, methods: &[&str]) -> CorsRule {
        CorsRule {
            allowed_origins: vec![origin.to_owned()],
            allowed_methods: methods.iter().map(|m| (*m).to_owned()).collect(),
            allowed_headers: vec!["x-AMZ-*".into()],
            expose_headers: vec!["x-amz-id-2".into()],
            max_age_seconds: Some(3000),
            ..Default::default()
        }
    }

    #[tokio::test]
    async fn a_preflight_is_answered_by_the_first_rule_that_fits() {
        let world = world(vec![
            rule("https://*.example.com", &["GET", "PUT"]),
            rule("*", &["GET"]),
        ])
        .await;
        let asked = |origin, method| CrossRequest {
            asked_method: Some(method),
            asked_headers: Some("X-Amz-Date,x-amz-acl"),
            ..request("OPTIONS", Some(origin))
        };
        let put = asked("https://a.example.com", "PUT");
        let headers = world.s3.preflight(&put).await.unwrap();
        assert_eq!(
            headers["access-control-allow-origin"],
            "https://a.example.com"
        );
        assert_eq!(headers["access-control-allow-credentials"], "true");
        assert_eq!(headers["access-control-allow-methods"], "GET, PUT");
        assert_eq!(
            headers["access-control-allow-headers"],
            "x-amz-date, x-amz-acl"
        );
        assert_eq!(headers["access-control-max-age"], "3000");
        let other = world
            .s3
            .preflight(&asked("http://other", "GET"))
            .await
            .unwrap();
        assert_eq!(other["access-control-allow-origin"], "*");
        assert!(!other.contains_key("access-control-allow-credentials"));
        let refused = world
            .s3
            .preflight(&asked("http://other", "PUT"))
            .await
            .unwrap_err();
        assert_eq!((refused.status(), refused.code()), (403, "AccessForbidden"));
        assert_eq!(refused.fields()["ResourceType"], "OBJECT");
        let header = CrossRequest {
            asked_headers: Some("content-type"),
            ..put
        };
        assert!(world.s3.preflight(&header).await.is_err());
    }

    #[tokio::test]
    async fn what_is_missing_is_told() {
        let world = World::new().await;
        let refused = async |request: CrossRequest<'_>| {
            let refused = world.s3.preflight(&request).await.unwrap_err();
            (refused.status(), refused.message().to_owned())
        };
        let without = refused(request("OPTIONS", None)).await;
        assert_eq!(without.0, 400);
        let disabled = refused(request("OPTIONS", Some("http://a"))).await;
        assert_eq!(
            disabled.1,
            "CORSResponse: CORS is not enabled for this bucket."
        );
        let missing = refused(CrossRequest {
            path: "/missing",
            ..request("OPTIONS", Some("http://a"))
        });
        assert_eq!(missing.await.1, "CORSResponse: Bucket not found");
    }

    #[tokio::test]
    async fn answers_carry_the_headers_of_a_rule_that_fits() {
        let world = world(vec![rule("http://a", &["GET"])]).await;
        let get = world.s3.headers(&request("GET", Some("http://a"))).await;
        assert_eq!(get["access-control-expose-headers"], "x-amz-id-2");
        for other in [
            request("PUT", Some("http://a")),
            request("GET", Some("http://b")),
            request("GET", None),
        ] {
            assert!(world.s3.headers(&other).await.is_empty());
        }
    }

    proptest! {
        #[test]
        fn arbitrary_patterns_never_panic(pattern in "[a*é]{0,6}", text in "[aé]{0,6}") {
            fits(&pattern, &text);
        }
    }
}
