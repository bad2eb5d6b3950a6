//! What a request says of its service besides path and query: the host it was sent to and the signature's scope.

use std::borrow::Cow;

use http::{header, request::Parts};
use percent_encoding::percent_decode_str;

/// Hosts below which the first label of the host is the first of the path.
#[derive(Debug, Clone, Default)]
pub(super) struct VirtualHosts {
    /// The longest first, so that `s3.localhost` wins over `localhost`.
    bases: Vec<String>,
}

impl VirtualHosts {
    pub(super) fn new(bases: impl IntoIterator<Item = String>) -> Self {
        let mut bases: Vec<String> = bases
            .into_iter()
            .map(|base| base.to_ascii_lowercase())
            .collect();
        bases.sort_by_key(|base| std::cmp::Reverse(base.len()));
        Self { bases }
    }

    /// The path as it would be at a base itself.
    pub(super) fn path<'a>(&self, host: &str, path: &'a str) -> Cow<'a, str> {
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

/// The service that a request is signed for, by header or by presigned address.
pub(super) fn signed_service(head: &Parts) -> Option<String> {
    let authorization = head
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let credential = match authorization {
        Some(text) => text
            .split_once("Credential=")?
            .1
            .split(',')
            .next()?
            .to_owned(),
        None => {
            let mut pairs = head.uri.query()?.split('&');
            let text = pairs.find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
            percent_decode_str(text).decode_utf8().ok()?.into_owned()
        }
    };
    // key / day / region / service / aws4_request; a key may have slashes of its own.
    credential.trim().rsplit('/').nth(1).map(str::to_owned)
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
            signed_service(&request.body(()).unwrap().into_parts().0)
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
