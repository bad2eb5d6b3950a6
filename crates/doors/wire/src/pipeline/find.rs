//! Which service a request is for, and how it is spoken, as its head tells.
//!
//! On one port they are told apart by the target's header, the path of Smithy RPC v2, a form, the service that the
//! signature is made for, and last the path: REST services share paths, so the signature goes first.

use headwater_http::Body;
use headwater_shapes::{Protocol, Service};
use http::{Method, Request, header, request::Parts};

use crate::{
    Context,
    aws_json::{self, Codec},
    dialect::Dialect,
    dynamo,
    known::Known,
    pipeline::{Page, Pipeline, takes_all},
    query,
    query::Spelling,
    rest::{Format, Router, signed_scope},
    table::Table,
};

const FORM: &[u8] = b"application/x-www-form-urlencoded";

/// A service as requests find it.
pub(super) struct Entry {
    pub(super) index: usize,
    pub(super) service: &'static Service,
    /// The operations by method and path, where it is REST.
    pub(super) router: Option<Router>,
    /// The names of its members in forms, where it has others there.
    pub(super) spelling: Option<&'static Spelling>,
}

impl Entry {
    pub(super) fn new(index: usize, table: &Table) -> Self {
        let service = table.service;
        Self {
            index,
            service,
            router: Format::of(service).map(|_| Router::new(service)),
            spelling: table.spelling,
        }
    }

    pub(super) fn speaks_query(&self) -> bool {
        self.service.speaks(Protocol::Query) || self.service.speaks(Protocol::Ec2Query)
    }

    /// Whether paths are addresses of what it has.
    pub(super) fn has_addresses(&self) -> bool {
        let spelling = self.spelling;
        spelling.is_some_and(|spelling| spelling.address.is_some())
    }

    /// The dialect of its forms.
    pub(super) fn form(&self) -> query::Form {
        let is_ec2 = self.service.speaks(Protocol::Ec2Query);
        query::Form::new(self.service.xml_namespace, is_ec2).spelled(self.spelling)
    }
}

/// The service that a request is for, as far as its head tells.
pub(super) enum Found<'a> {
    /// A service of ours.
    Service(Named<'a>),
    /// A form: only its body tells which service it is for.
    Form(Option<&'static Known>),
    /// A service of AWS that is not built, and how the request is spoken.
    Unknown(&'static Known, Dialect),
    /// AWS JSON or CBOR for a service that nobody knows.
    Stray,
    /// No operation, of a service that is spoken to in forms.
    NoForm,
    /// Nothing that anybody answers.
    Nothing,
}

/// A service and the operation that is named, where its protocol names one in the head.
pub(super) struct Named<'a> {
    pub(super) index: usize,
    pub(super) dialect: Dialect,
    pub(super) operation: &'a str,
}

impl Found<'_> {
    /// How the request is spoken, as far as that is known.
    pub(super) fn dialect(&self) -> Option<Dialect> {
        match self {
            Found::Service(named) => Some(named.dialect),
            Found::Unknown(_, dialect) => Some(*dialect),
            Found::Form(known) => Some(known.map_or(
                Dialect::Query(query::Form::new(None, false)),
                Known::dialect,
            )),
            Found::Stray | Found::NoForm | Found::Nothing => None,
        }
    }
}

impl Pipeline {
    /// The page of the server's own that a request is for.
    pub(super) fn page(&self, request: &Request<Body>) -> Option<&dyn Page> {
        let mut pages = self.options.pages.iter();
        let page = pages.find(|page| page.takes(request))?;
        Some(&**page)
    }

    /// The service that the host of a request belongs to, with all that is sent there.
    pub(super) fn host_of(&self, context: &Context) -> Option<&Entry> {
        let tables = self.places.at_home().iter();
        let mut tables = tables.map(|table| table.hosted.as_ref());
        let index = tables.position(|hosted| {
            hosted.is_some_and(|hosted| hosted.region(&context.host).is_some())
        })?;
        self.entries.get(index)
    }

    /// The service that a request is for.
    pub(super) fn find<'a>(&self, head: &'a Parts) -> Found<'a> {
        if let Some((target, operation)) = aws_json::target(&head.headers) {
            let codec = Codec::of(&head.headers);
            return self.targeted(target, operation, codec, Protocol::Json);
        }
        if let Some((target, operation)) = aws_json::rpc_v2_target(head) {
            return self.targeted(target, operation, Some(Codec::RpcV2), Protocol::RpcV2Cbor);
        }
        if aws_json::is_meant(head) {
            return Found::Stray;
        }
        let scope = signed_scope(head);
        let signed = scope.as_ref().map(|scope| scope.service.as_str());
        if self.is_form(head, signed) {
            return Found::Form(signed.and_then(Known::signed));
        }
        let is_ours = |entry: &Entry| signed == Some(entry.service.signing_name);
        if self.is_address(head.uri.path())
            && self
                .entries
                .iter()
                .any(|entry| is_ours(entry) && entry.has_addresses())
        {
            return Found::NoForm;
        }
        self.rest(head, signed)
    }

    fn targeted<'a>(
        &self,
        target: &str,
        operation: &'a str,
        codec: Option<Codec>,
        protocol: Protocol,
    ) -> Found<'a> {
        let dialect = Dialect::Rpc(codec.unwrap_or_default());
        let is_meant = |entry: &Entry| {
            aws_json::is_target(target, entry.service.target) && entry.service.speaks(protocol)
        };
        match self.entries.iter().position(is_meant) {
            Some(index) => Found::Service(Named {
                index,
                dialect: match dynamo::is_meant(self.entries[index].service) {
                    true => Dialect::Rpc(codec.unwrap_or(Codec::Json(dynamo::PLAIN_JSON))),
                    false => dialect,
                },
                operation,
            }),
            None => match Known::targeted(target) {
                Some(known) => Found::Unknown(known, dialect),
                None => Found::Stray,
            },
        }
    }

    /// Whether a request is of a query protocol: a form that is posted to the root, or such an address.
    fn is_form(&self, head: &Parts, signed: Option<&str>) -> bool {
        let of_type = head.headers.get(header::CONTENT_TYPE);
        let is_form = of_type.is_some_and(|value| value.as_bytes().starts_with(FORM));
        let query = head.uri.query().unwrap_or_default();
        let has_action = || query.split('&').any(|pair| pair.starts_with("Action="));
        let is_place = head.uri.path() == "/" || self.is_address(head.uri.path());
        let by_address = head.method == Method::GET && is_place && has_action();
        let by_body = head.method == Method::POST && is_form && is_place;
        let is_query = |name: &str| {
            let ours = |entry: &Entry| entry.service.signing_name == name && entry.speaks_query();
            self.entries.iter().any(ours)
        };
        by_address || by_body || signed.is_some_and(|name| is_query(name) && is_form)
    }

    /// Whether a path is the address of something that a query service has: of an account, `/<account>/<name>`.
    fn is_address(&self, path: &str) -> bool {
        let of_account = |(account, name): (&str, &str)| {
            let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
            is_account && !name.is_empty() && !name.contains('/')
        };
        let parts = path.strip_prefix('/').and_then(|path| path.split_once('/'));
        parts.is_some_and(of_account) && self.entries.iter().any(Entry::has_addresses)
    }

    /// A signature names its service. Without one, JSON services have their paths, and all the rest is S3's; so is what
    /// is signed for a service that nobody is.
    fn rest<'a>(&self, head: &Parts, signed: Option<&str>) -> Found<'a> {
        let by_name = |name: &str| {
            let is_meant =
                |entry: &Entry| entry.service.signing_name == name && entry.router.is_some();
            self.entries.iter().position(is_meant)
        };
        let by_path = || {
            let knows = |entry: &Entry| {
                let router = entry.router.as_ref().filter(|_| !takes_all(entry.service));
                router.is_some_and(|router| router.knows(head.uri.path()))
            };
            self.entries.iter().position(knows)
        };
        let all = || {
            self.entries
                .iter()
                .position(|entry| takes_all(entry.service))
        };
        let index = match signed {
            Some(name) => match (by_name(name), Known::signed(name)) {
                (Some(index), _) => Some(index),
                (None, Some(known)) if name != "s3" => {
                    return Found::Unknown(known, known.dialect());
                }
                (None, _) => all(),
            },
            None => by_path().or_else(all),
        };
        let Some(index) = index else {
            return Found::Nothing;
        };
        let format = Format::of(self.entries[index].service).unwrap_or(Format::Json);
        Found::Service(Named {
            index,
            dialect: Dialect::Rest(format),
            operation: "",
        })
    }
}
