//! Which operation a request means.
//!
//! Several operations share a method and a path: they differ in parameters that the template fixes (`?uploads`) and
//! in required parameters and headers (`uploadId`, `x-amz-copy-source`). The most specific one that fits is meant.

use headwater_shapes::{Location, OperationShape, Service};
use http::{HeaderMap, Method};

use crate::rest::uri::{Segment, Template};

/// The operations of one service by method and path.
pub(crate) struct Router {
    routes: Vec<Candidate>,
}

/// A request's operation with the labels of its path.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) operation: &'static OperationShape,
    pub(crate) labels: Vec<(&'static str, String)>,
}

struct Candidate {
    operation: &'static OperationShape,
    template: Template,
    /// Query parameters and headers without which it is another operation.
    parameters: Vec<&'static str>,
    headers: Vec<&'static str>,
}

impl Router {
    /// A router for all operations of a service.
    pub(crate) fn new(service: &Service) -> Self {
        let operations = service.operations.iter();
        let mut routes: Vec<_> = operations
            .map(|operation| Candidate::new(operation))
            .collect();
        let shared = |route: &Candidate| {
            let here = |other: &&Candidate| {
                other.operation.http.method == route.operation.http.method
                    && other.template.segments == route.template.segments
            };
            routes.iter().filter(here).count() > 1
        };
        let shared: Vec<bool> = routes.iter().map(shared).collect();
        for (route, shared) in routes.iter_mut().zip(shared) {
            if !shared {
                // It is meant whatever it lacks, and told what that is.
                (route.parameters, route.headers) = Default::default();
            }
        }
        Self { routes }
    }

    /// Whether any operation has this path.
    pub(crate) fn knows(&self, path: &str) -> bool {
        self.routes
            .iter()
            .any(|route| route.template.labels(path).is_some())
    }

    /// The operation of a request; `handled` breaks ties between those that look the same.
    ///
    /// None also for a request that has half of what makes it another operation, such as an `uploadId` without a
    /// `partNumber`: it must not be taken for the plain one.
    pub(crate) fn find(
        &self,
        method: &Method,
        path: &str,
        query: &[(String, String)],
        headers: &HeaderMap,
        handled: impl Fn(&OperationShape) -> bool,
    ) -> Option<Found> {
        let same_place: Vec<_> = self
            .routes
            .iter()
            .filter(|route| route.operation.http.method == method.as_str())
            .filter_map(|route| Some((route, route.template.labels(path)?)))
            .collect();
        let mut best: Option<&(&Candidate, _)> = None;
        for candidate in same_place
            .iter()
            .filter(|(route, _)| route.fits(query, headers))
        {
            let rank =
                |(route, _): &(&Candidate, _)| (route.specificity(), handled(route.operation));
            if best.is_none_or(|best| rank(best) < rank(candidate)) {
                best = Some(candidate);
            }
        }
        let (route, labels) = best?;
        let half = same_place.iter().any(|(other, _)| {
            other.specificity() > route.specificity() && other.is_hinted_at(route, query, headers)
        });
        (!half).then(|| Found {
            operation: route.operation,
            labels: labels.clone(),
        })
    }
}

impl Candidate {
    fn new(operation: &'static OperationShape) -> Self {
        let required = |location: Location| {
            let members = operation.input.members.iter();
            members
                .filter(move |m| m.required && m.location == location)
                .map(|m| m.wire_name)
                .collect()
        };
        Self {
            operation,
            template: Template::parse(operation.http.uri),
            parameters: required(Location::Query),
            headers: required(Location::Header),
        }
    }

    fn fits(&self, query: &[(String, String)], headers: &HeaderMap) -> bool {
        let value = |name: &str| {
            query
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, value)| value.as_str())
        };
        self.template
            .query
            .iter()
            .all(|(name, wanted)| match wanted {
                Some(wanted) => value(name) == Some(wanted),
                None => value(name).is_some(),
            })
            && self.parameters.iter().all(|name| value(name).is_some())
            && self.headers.iter().all(|name| headers.contains_key(*name))
    }

    /// Literal segments weigh most, then fixed parameters, then required ones.
    fn specificity(&self) -> (usize, usize, usize) {
        let literal = |segment: &&Segment| matches!(segment, Segment::Literal(_));
        let literals = self.template.segments.iter().filter(literal).count();
        (
            literals,
            self.template.query.len(),
            self.parameters.len() + self.headers.len(),
        )
    }

    /// Whether a request that goes to `chosen` has something that only this operation asks for.
    fn is_hinted_at(
        &self,
        chosen: &Candidate,
        query: &[(String, String)],
        headers: &HeaderMap,
    ) -> bool {
        // `?uploads` and its kind are this operation's own; without them it was never meant.
        if !self.template.query.is_empty() {
            return false;
        }
        let takes = |name: &str| {
            chosen
                .operation
                .input
                .members
                .iter()
                .any(|m| m.wire_name == name)
        };
        self.parameters
            .iter()
            .any(|name| !takes(name) && query.iter().any(|(n, _)| n == name))
            || self
                .headers
                .iter()
                .any(|name| !takes(name) && headers.contains_key(*name))
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_lambda as lambda;
    use headwater_shapes_s3 as s3;

    use super::*;
    use headwater_auth::parse_query;

    fn found(
        service: &Service,
        request: &str,
        header: Option<&'static str>,
    ) -> Option<&'static str> {
        let (method, uri) = request.split_once(' ').unwrap();
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let headers: HeaderMap = header
            .map(|name| {
                (
                    http::HeaderName::from_static(name),
                    http::HeaderValue::from_static("x"),
                )
            })
            .into_iter()
            .collect();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let typed = |operation: &OperationShape| !operation.input.name.is_empty();
        let found =
            Router::new(service).find(&method, path, &parse_query(query), &headers, typed)?;
        Some(found.operation.name)
    }

    #[test]
    fn s3_requests_find_their_operation() {
        for (request, operation) in [
            ("GET /", "ListBuckets"),
            ("GET /?x-id=ListBuckets", "ListBuckets"),
            ("HEAD /b", "HeadBucket"),
            ("PUT /b/", "CreateBucket"),
            ("GET /b", "ListObjects"),
            ("GET /b/?prefix=a&delimiter=%2F", "ListObjects"),
            ("GET /b?list-type=2&prefix=a", "ListObjectsV2"),
            ("GET /b?location", "GetBucketLocation"),
            ("GET /b?acl", "GetBucketAcl"),
            ("GET /b?policy", "GetBucketPolicy"),
            ("GET /b?versions", "ListObjectVersions"),
            ("GET /b?uploads=", "ListMultipartUploads"),
            ("POST /b", "PostObject"),
            ("POST /b?delete", "DeleteObjects"),
            ("GET /b/k", "GetObject"),
            ("GET /b/k/?partNumber=1&x-id=GetObject", "GetObject"),
            ("GET /b/k?tagging", "GetObjectTagging"),
            ("GET /b/k?uploadId=u", "ListParts"),
            ("PUT /b/k", "PutObject"),
            ("PUT /b/k?acl", "PutObjectAcl"),
            (
                "PUT /b/k?partNumber=1&uploadId=u&x-id=UploadPart",
                "UploadPart",
            ),
            ("POST /b/k?uploads", "CreateMultipartUpload"),
            ("POST /b/k?uploadId=u", "CompleteMultipartUpload"),
            ("DELETE /b/k?uploadId=u", "AbortMultipartUpload"),
            ("DELETE /b/k?x-id=DeleteObject", "DeleteObject"),
            ("DELETE /b", "DeleteBucket"),
            ("DELETE /b?policy", "DeleteBucketPolicy"),
        ] {
            assert_eq!(
                found(&s3::SERVICE, request, None),
                Some(operation),
                "{request}"
            );
        }
    }

    #[test]
    fn a_copy_is_not_a_put_and_half_an_upload_is_nothing() {
        let copy = Some("x-amz-copy-source");
        assert_eq!(found(&s3::SERVICE, "PUT /b/k", copy), Some("CopyObject"));
        let part = "PUT /b/k?partNumber=1&uploadId=u";
        assert_eq!(found(&s3::SERVICE, part, copy), Some("UploadPartCopy"));
        assert_eq!(found(&s3::SERVICE, "PUT /b/k?uploadId=u", None), None);
        assert_eq!(found(&s3::SERVICE, "PUT /b/k?uploadId=u", copy), None);
        assert_eq!(found(&s3::SERVICE, "PUT /b/k?partNumber=1", None), None);
        assert_eq!(found(&s3::SERVICE, "POST /b/k", None), None);
        assert_eq!(found(&s3::SERVICE, "POST /", None), None);
    }

    #[test]
    fn lambda_requests_find_their_operation() {
        let function = "/2015-03-31/functions/f";
        for (request, operation) in [
            ("POST /2015-03-31/functions/".to_owned(), "CreateFunction"),
            (
                "GET /2015-03-31/functions?MaxItems=1".to_owned(),
                "ListFunctions",
            ),
            (format!("GET {function}"), "GetFunction"),
            (
                format!("GET {function}/configuration"),
                "GetFunctionConfiguration",
            ),
            (format!("PUT {function}/code"), "UpdateFunctionCode"),
            (format!("POST {function}/invocations?Qualifier=1"), "Invoke"),
            (format!("DELETE {function}"), "DeleteFunction"),
            // Nothing else has this path, so that it is meant without its required keys too.
            ("DELETE /2017-03-31/tags/a".to_owned(), "UntagResource"),
        ] {
            assert_eq!(
                found(&lambda::SERVICE, &request, None),
                Some(operation),
                "{request}"
            );
        }
        assert_eq!(
            found(&lambda::SERVICE, "GET /2015-03-31/nothing", None),
            None
        );
    }
}
