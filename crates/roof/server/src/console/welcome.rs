//! Browsers that come to the server's address: clients of S3 ask for `/` as well, to list buckets; they sign, and do not
//! ask for HTML.

use headwater_http::Body;
use http::{HeaderValue, Method, Request, header};

/// Whether a person's browser asks for `/`.
pub fn is_browser(request: &Request<Body>) -> bool {
    let headers = request.headers();
    let accepts = headers.get_all(header::ACCEPT).iter();
    let wants_html = accepts
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/html"));
    let uri = request.uri();
    request.method() == Method::GET
        && (uri.path(), uri.query()) == ("/", None)
        && wants_html
        && !headers.contains_key(header::AUTHORIZATION)
        && !is_of_a_bucket(headers.get(header::HOST))
}

/// Whether a host names a bucket before the server's own name, as `bucket.s3.localhost` does.
fn is_of_a_bucket(host: Option<&HeaderValue>) -> bool {
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    host.contains(".s3.") || host.ends_with(".localhost") || host.contains(".localhost:")
}

#[cfg(test)]
mod tests {
    use headwater_http::body;

    use super::*;

    fn takes(uri: &str, headers: &[(&str, &str)]) -> bool {
        let request = Request::get(uri);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        is_browser(&request.body(body::empty()).unwrap())
    }

    #[test]
    fn browsers_are_welcome_and_clients_get_their_buckets() {
        let html = ("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
        assert!(takes("/", &[html, ("host", "127.0.0.1:4566")]));
        assert!(takes("/", &[html, ("host", "localhost:4566")]));
        for (uri, headers) in [
            ("/", &[][..]),
            ("/", &[("accept", "*/*")]),
            ("/", &[html, ("authorization", "AWS4-HMAC-SHA256 x")]),
            ("/", &[html, ("host", "lake.s3.localhost:4566")]),
            ("/", &[html, ("host", "lake.localhost")]),
            ("/?X-Amz-Signature=x", &[html]),
            ("/lake", &[html]),
        ] {
            assert!(!takes(uri, headers), "{uri} {headers:?}");
        }
    }
}
