//! The files of the console, as `console/` at the root of the sources makes them, and what every answer says so that a
//! browser runs nothing else.

use bytes::Bytes;
use headwater_http::{Body, body};
use http::{HeaderName, HeaderValue, Response, header};

/// A file: its name below the console's address, its type and its bytes.
type Asset = (&'static str, &'static str, &'static [u8]);

const ASSETS: [Asset; 4] = [
    (
        "",
        "text/html; charset=utf-8",
        include_bytes!("dist/index.html"),
    ),
    (
        "console.js",
        "text/javascript; charset=utf-8",
        include_bytes!("dist/console.js"),
    ),
    (
        "console.css",
        "text/css; charset=utf-8",
        include_bytes!("dist/console.css"),
    ),
    ("icon.svg", "image/svg+xml", include_bytes!("dist/icon.svg")),
];

/// Scripts, styles and data come from the server itself, nothing stands in the page, and no other page shows it in a
/// frame. Without `unsafe-inline` what stands in a record could not run even if it became a tag.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-cache"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// The file of that name.
pub fn answer(name: &str) -> Option<Response<Body>> {
    let (_, kind, bytes) = ASSETS.iter().find(|(known, ..)| *known == name)?;
    Some(response(kind, body::full(Bytes::from_static(bytes))))
}

/// An answer of the console.
pub fn response(kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stands_in_the_page_that_its_policy_refuses() {
        let text = |bytes| std::str::from_utf8(bytes).unwrap();
        let (.., page) = ASSETS[0];
        let page = text(page);
        assert!(!page.contains("<style") && !page.contains("style=") && !page.contains("onload"));
        for (script, _) in page.match_indices("<script") {
            assert!(page[script..].starts_with("<script type=\"module\" src="));
        }
        for (name, _, bytes) in ASSETS {
            let (css, js) = (name.ends_with(".css"), name.ends_with(".js"));
            assert!(!css || !text(bytes).contains("url("), "{name}");
            assert!(!js || !text(bytes).contains("eval("), "{name}");
        }
    }

    #[test]
    fn every_file_comes_with_the_policy() {
        for (name, kind, bytes) in ASSETS {
            let response = answer(name).unwrap();
            let headers = response.headers();
            assert_eq!(headers[header::CONTENT_TYPE], kind);
            assert!(!bytes.is_empty());
            let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'; script-src 'self';"));
            assert!(!policy.contains("unsafe"));
        }
        assert!(answer("other.js").is_none());
    }
}
