//! The facts about a request that its handler knows besides the input.

use std::{fmt, net::IpAddr, sync::Arc};

use headwater_auth::{
    Caller, Verifier,
    verify::{Seal, SignedForm},
};
use headwater_http::{Buffers, Share};
use headwater_types::{Account, Region};
use http::{HeaderValue, request::Parts};
use parking_lot::Mutex;
use sha2::Digest;

use crate::{
    ApiError,
    authorize::{AccessRequest, Authorize, OwnAccount},
    dialect::Dialect,
    packing::Packing,
    table::{Line, READS},
};

/// The request around an input.
#[derive(Clone)]
pub struct Context {
    /// The id that the answer carries and the log names.
    pub request_id: String,
    /// The region that the request was made for.
    pub region: Region,
    /// The account that it runs in: the server's, also for callers of other accounts.
    pub account: Account,
    /// The `Host` it was sent to, for answers that hold addresses: `127.0.0.1:4566`.
    pub host: String,
    /// The caller that signed it; the root of the server's account where signatures are not asked for.
    pub caller: Arc<Caller>,
    /// The service that is called, by the name that requests to it are signed for; empty before that is known.
    pub service: &'static str,
    /// The operation that is called; empty before that is known.
    pub operation: &'static str,
    /// How it came here.
    pub origin: Origin,
    /// Room for its body in memory.
    pub buffers: Buffers,
    /// Room for its answer in memory.
    pub(crate) answers: Buffers,
    /// The room that was taken for its answer.
    pub(crate) room: Arc<Mutex<Option<Share>>>,
    /// The operation's line in its service's table.
    pub(crate) line: Line,
    pub(crate) dialect: Dialect,
    /// Whether its client knows errors by the codes and statuses of the query protocol.
    pub(crate) wants_query_codes: bool,
    /// How a large answer may be packed.
    pub(crate) packing: Option<Packing>,
    /// Checks signatures, where not everyone may call.
    pub(crate) verifier: Option<Verifier>,
    /// The authorizer, which decides what the caller may do.
    pub(crate) gate: Arc<dyn Authorize>,
}

/// How a request came here, as policies may ask.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The address that it came from.
    pub address: Option<IpAddr>,
    /// Whether it came through TLS.
    pub secure: bool,
    /// Its `User-Agent`.
    pub user_agent: Option<HeaderValue>,
    /// Its `Referer`.
    pub referer: Option<HeaderValue>,
    /// Its `X-Amzn-Trace-Id`, which messages carry on.
    pub trace: Option<HeaderValue>,
}

impl Context {
    /// A request of the account's root that came from nowhere, before it is known what it calls.
    pub fn new(
        request_id: impl Into<String>,
        region: Region,
        account: Account,
        host: impl Into<String>,
    ) -> Self {
        Self {
            request_id: request_id.into(),
            caller: Arc::new(Caller::root(account.clone())),
            region,
            account,
            host: host.into(),
            service: "",
            operation: "",
            origin: Origin::default(),
            buffers: Buffers::default(),
            answers: Buffers::default(),
            room: Arc::default(),
            line: READS,
            dialect: Dialect::default(),
            wants_query_codes: false,
            packing: None,
            verifier: None,
            gate: Arc::new(OwnAccount),
        }
    }

    /// Sees to it that a form with this signature may be posted: for an operation whose line says that it is signed
    /// within.
    ///
    /// # Errors
    /// Nobody signed it who may, where not everyone may call.
    pub fn admit_form(&self, form: Option<&SignedForm<'_>>) -> Result<(), ApiError> {
        let Some(verifier) = &self.verifier else {
            return Ok(());
        };
        let Some(form) = form else {
            return Err(ApiError::new(403, "AccessDenied", "Access Denied"));
        };
        let signed = Self {
            caller: verifier.check_form(form)?,
            ..self.clone()
        };
        signed.authorize(|| None)
    }

    /// The caller who signed a request with this body for the service; the root of the account where signatures are not
    /// asked for.
    ///
    /// # Errors
    /// Nobody did who has a key here.
    pub fn signer(&self, head: &Parts, body: &[u8]) -> Result<Arc<Caller>, ApiError> {
        let Some(verifier) = &self.verifier else {
            return Ok(self.caller.clone());
        };
        let (caller, seal) = verifier.check_rest_json(head, self.service)?;
        if let Seal::Whole(mut hash, is_signed) = seal {
            hash.update(body);
            is_signed(hash.finalize().into())?;
        }
        Ok(caller)
    }

    /// The keys that requests are signed with; none where signatures are not asked for.
    pub fn keys(&self) -> Option<&Verifier> {
        self.verifier.as_ref()
    }

    /// Whether the caller belongs to another account than the server's.
    pub fn is_foreign(&self) -> bool {
        self.caller.account != self.account
    }

    /// The IAM action of the operation: `kinesis:PutRecord`.
    pub fn action(&self) -> String {
        match (self.line.action, self.service) {
            (Some(action), _) => action.to_owned(),
            // CloudWatch is signed for under another name than its actions have.
            (None, "monitoring") => format!("cloudwatch:{}", self.operation),
            (None, service) => format!("{service}:{}", self.operation),
        }
    }

    /// Whether the request was a form, of the query protocol.
    pub fn is_form(&self) -> bool {
        matches!(self.dialect, Dialect::Query(_))
    }

    /// Takes the room that the operation's line asks for its answer, waiting for it. An operation that waits for
    /// something to happen calls this when it has something to answer; for all others the pipeline does, before them.
    pub async fn room_for_answer(&self) {
        if self.line.answer_bytes > 0 && self.room.lock().is_none() {
            let share = self.answers.take(self.line.answer_bytes).await;
            *self.room.lock() = Some(share);
        }
    }

    /// Whether the caller may call the operation on that resource.
    pub(crate) fn authorize(&self, resource: impl Fn() -> Option<String>) -> Result<(), ApiError> {
        let asked = AccessRequest {
            context: self,
            resource: &resource,
        };
        let denied = self.gate.authorize(&asked);
        denied.map_err(|denied| self.dialect.denied(denied))
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("request_id", &self.request_id)
            .field("operation", &self.operation)
            .field("caller", &self.caller.arn)
            .finish_non_exhaustive()
    }
}
