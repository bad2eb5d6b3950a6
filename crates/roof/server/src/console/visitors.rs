//! Who may look at the console: it asks for no keys, so pages of other sites must not read it through a browser, neither as
//! they are nor under a name of their own that they have point here (DNS rebinding).

use headwater_http::{Body, Peer};
use http::{HeaderMap, Request, header, uri::Authority};

/// Whether a request is none that a page of another site makes.
pub fn is_welcome(request: &Request<Body>) -> bool {
    let headers = request.headers();
    let host = text(headers, header::HOST.as_str());
    let host = request.uri().authority().map_or(host, Authority::as_str);
    // With TLS the browser has seen to it that the certificate is of that name.
    let is_secure = request
        .extensions()
        .get()
        .is_some_and(|peer: &Peer| peer.secure);
    (is_secure || is_local(host)) && !is_from_elsewhere(headers, host)
}

/// Whether a host is none that somebody can have bought: an address, or a name that only this machine or this network gives.
fn is_local(host: &str) -> bool {
    let Ok(host) = host.parse::<Authority>() else {
        return host.is_empty();
    };
    let name = host.host().trim_end_matches('.').to_ascii_lowercase();
    let is_address = name.starts_with('[') || name.parse::<std::net::Ipv4Addr>().is_ok();
    is_address || !name.contains('.') || name.ends_with(".localhost")
}

/// Whether a browser says that a page of another site asks. Links may lead here: they show the page to the person alone.
fn is_from_elsewhere(headers: &HeaderMap, host: &str) -> bool {
    let is_link = text(headers, "sec-fetch-mode") == "navigate"
        && text(headers, "sec-fetch-dest") == "document";
    let is_other = matches!(text(headers, "sec-fetch-site"), "cross-site" | "same-site");
    let origin = text(headers, header::ORIGIN.as_str());
    let is_own = origin.is_empty() || origin.split_once("://").is_some_and(|(_, of)| of == host);
    is_other && !is_link || !is_own
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use headwater_http::body;

    use super::*;

    fn welcomes(host: &str, headers: &[(&str, &str)], secure: bool) -> bool {
        let request = Request::get("/_headwater/console/events").header("host", host);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        let address = "127.0.0.1:1".parse().unwrap();
        let request = request.extension(Peer { address, secure });
        is_welcome(&request.body(body::empty()).unwrap())
    }

    #[test]
    fn names_that_anybody_may_buy_are_let_in_with_a_certificate_alone() {
        for host in [
            "127.0.0.1:4566",
            "10.1.2.3",
            "[::1]:4566",
            "localhost:4566",
            "LOCALHOST",
            "console.localhost:4566",
            "headwater:4566",
        ] {
            assert!(welcomes(host, &[], false), "{host}");
        }
        for host in [
            "evil.example:4566",
            "127.0.0.1.evil.example",
            "evil.example.",
            "a b",
        ] {
            assert!(!welcomes(host, &[], false), "{host}");
        }
        assert!(welcomes("headwater.example", &[], true));
    }

    #[test]
    fn other_sites_may_only_link_here() {
        let own = ("origin", "http://localhost:4566");
        let cross = ("sec-fetch-site", "cross-site");
        let link = [
            cross,
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        let frame = [
            cross,
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "iframe"),
        ];
        let welcomes = |headers: &[_]| welcomes("localhost:4566", headers, false);
        assert!(welcomes(&[own, ("sec-fetch-site", "same-origin")]));
        assert!(welcomes(&link));
        assert!(!welcomes(&frame));
        assert!(!welcomes(&[cross]));
        assert!(!welcomes(&[("sec-fetch-site", "same-site")]));
        assert!(!welcomes(&[("origin", "http://localhost:3000")]));
        assert!(!welcomes(&[("origin", "null")]));
    }
}
