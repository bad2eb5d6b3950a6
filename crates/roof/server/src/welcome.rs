//! The page that a browser gets at the server's address: what this is, and where to go on.

use async_trait::async_trait;
use headwater_http::{Body, body};
use headwater_wire::Page;
use http::{HeaderValue, Method, Request, Response, header};

/// The page. Clients of S3 ask for `/` as well, to list buckets: they sign, and do not ask for HTML.
pub struct Welcome;

const TEXT: &str = "\
<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<title>Headwater</title>
<h1>Headwater</h1>
<p>This server speaks the APIs of Amazon Kinesis Data Streams, Data Firehose, Lambda, S3, CloudWatch Logs and Glue.
Point an AWS client at this address:</p>
<pre>AWS_ENDPOINT_URL=http://&lt;this address&gt; aws kinesis list-streams</pre>
<ul>
<li><a href=\"/_headwater/health\">Health</a>: whether it does its work, and which deliveries are stuck</li>
<li><a href=\"/_headwater/metrics\">Metrics</a> in Prometheus' text</li>
<li><a href=\"/_headwater/operations\">Operations</a> that are built</li>
</ul>
";

#[async_trait]
impl Page for Welcome {
    fn takes(&self, request: &Request<Body>) -> bool {
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

    async fn call(&self, _: Request<Body>) -> Response<Body> {
        let mut response = Response::new(body::full(TEXT));
        let content_type = HeaderValue::from_static("text/html; charset=utf-8");
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, content_type);
        response
    }
}

/// Whether a host names a bucket before the server's own name, as `bucket.s3.localhost` does.
fn is_of_a_bucket(host: Option<&HeaderValue>) -> bool {
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    host.contains(".s3.") || host.ends_with(".localhost") || host.contains(".localhost:")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(uri: &str, headers: &[(&str, &str)]) -> bool {
        let request = Request::get(uri);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        Welcome.takes(&request.body(body::empty()).unwrap())
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
