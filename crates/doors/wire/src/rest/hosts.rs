//! The service of a request by its host and by its signature's scope.

use std::borrow::Cow;

use http::{header, request::Parts};
use percent_encoding::percent_decode_str;

/// Hosts below which the first label of the host is the first of the path.
#[derive(Debug, Clone, Default)]
pub(crate) struct VirtualHosts {
    /// The longest first, so that `s3.localhost` wins over `localhost`.
    bases: Vec<String>,
}

impl VirtualHosts {
    pub(crate) fn new(bases: impl IntoIterator<Item = String>) -> Self {
        let mut bases: Vec<String> = bases
            .into_iter()
            .map(|base| base.to_ascii_lowercase())
            .collect();
        bases.sort_by_key(|base| std::cmp::Reverse(base.len()));
        Self { bases }
    }

    /// The path as it would be at a base itself.
    pub(crate) fn path<'a>(&self, host: &str, path: &'a str) -> Cow<'a, str> {
        match self.label(host) {
            Some(label) => Cow::Owned(format!("/{label}{path}")),
            None => Cow::Borrowed(path),
        }
    }

    fn label(&self, host: &str) -> Option<String> {
        let host = host.to_ascii_lowercase();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => &host,
        };
        if self.bases.iter().any(|base| base == name) {
            return None;
        }
        let label = self
            .bases
            .iter()
            .find_map(|base| name.strip_suffix(base)?.strip_suffix('.'))?;
        (!label.is_empty()).then(|| label.to_owned())
    }
}

/// The region and service that a request is signed for, whether or not the signature is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedScope {
    pub(crate) region: String,
    pub(crate) service: String,
}

/// The scope of a request's signature, by header or by presigned address.
pub(crate) fn signed_scope(head: &Parts) -> Option<SignedScope> {
    let authorization = head.headers.get(header::AUTHORIZATION);
    let credential = match authorization.and_then(|value| value.to_str().ok()) {
        Some(text) => {
            let credential = text.split_once("Credential=")?.1.split(',').next()?;
            return scope(credential);
        }
        None => {
            let mut pairs = head.uri.query()?.split('&');
            pairs.find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?
        }
    };
    scope(&percent_decode_str(credential).decode_utf8().ok()?)
}

/// `key/day/region/service/aws4_request`; a key may have slashes of its own.
fn scope(credential: &str) -> Option<SignedScope> {
    let mut parts = credential.trim().rsplit('/').skip(1);
    let (service, region) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    Some(SignedScope { region, service })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_gives_the_bucket() {
        let hosts =
            VirtualHosts::new(["localhost", "s3.localhost", "s3.amazonaws.com"].map(String::from));
        for (host, path) in [
            ("localhost:4566", "/k"),
            ("s3.localhost:4566", "/k"),
            ("127.0.0.1:4566", "/k"),
            ("[::1]:4566", "/k"),
            ("b.localhost:4566", "/b/k"),
            ("B.S3.localhost", "/b/k"),
            ("a.b.s3.amazonaws.com", "/a.b/k"),
            ("notlocalhost", "/k"),
            ("", "/k"),
        ] {
            assert_eq!(hosts.path(host, "/k"), path, "{host}");
        }
    }

    #[test]
    fn a_signature_names_its_service() {
        let service = |request: http::request::Builder| {
            signed_scope(&request.body(()).unwrap().into_parts().0).map(|scope| scope.service)
        };
        let signed = "AWS4-HMAC-SHA256 Credential=a/b/20130524/us-east-1/s3/aws4_request, SignedHeaders=host";
        let get = http::Request::get;
        assert_eq!(
            service(get("/").header("authorization", signed)).as_deref(),
            Some("s3")
        );
        let presigned =
            "/b/k?X-Amz-Credential=AK%2F20130524%2Fus-east-1%2Flambda%2Faws4_request&X-Amz-Date=x";
        assert_eq!(service(get(presigned)).as_deref(), Some("lambda"));
        assert_eq!(service(get("/b/k")), None);
        assert_eq!(
            service(get("/b/k").header("authorization", "AWS AK:sig")),
            None
        );
    }
}
