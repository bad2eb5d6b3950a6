//! The errors of functions and their packages.

use std::{io, sync::Arc};

use headwater_catalog::CatalogError;

use crate::{
    AliasName, ClaimFault, DestinationFault, FunctionName, LayerId, RoutingFault, Version, limits,
};

/// Why a function was not kept, found or run. An error of the function itself is not here, but an
/// [`crate::Invocation`] that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No function has this name.
    #[error("there is no function {0}")]
    NotFound(FunctionName),
    /// A function has this name already.
    #[error("there is a function {0} already")]
    Exists(FunctionName),
    /// The function has no such version.
    #[error("there is no version {0}")]
    NoVersion(Version),
    /// The function has no such alias.
    #[error("there is no alias {0}")]
    NoAlias(AliasName),
    /// The function has an alias of this name already.
    #[error("there is an alias {0} already")]
    AliasExists(AliasName),
    /// An alias cannot lead there.
    #[error("an alias cannot lead there: {0:?}")]
    Routing(RoutingFault),
    /// Aliases lead to the version.
    #[error("aliases lead to the version")]
    Referenced(Vec<AliasName>),
    /// There is no such version of a layer.
    #[error("there is no layer version {0}")]
    NoLayer(LayerId),
    /// The function's code and its layers are too large together.
    #[error("the code and its layers unpack to {size} bytes")]
    TooLargeTogether {
        /// Their size in bytes.
        size: u64,
    },
    /// The policy has a permission of this name already.
    #[error("there is a permission {0} already")]
    PermissionExists(String),
    /// The policy has no permission of this name.
    #[error("there is no permission {0}")]
    NoPermission(String),
    /// The function or alias has an address already.
    #[error("there is an address already")]
    UrlExists,
    /// The function or alias has no address.
    #[error("there is no address")]
    NoUrl,
    /// The code is not what the caller took it for.
    #[error("the code is {current}, not {given}")]
    OtherCode {
        /// The SHA-256 that was expected.
        given: String,
        /// That of the code.
        current: String,
    },
    /// A setting is outside of what it may be.
    #[error("{what}: {why}")]
    Invalid {
        /// The setting: `timeout`, `environment` …
        what: &'static str,
        /// The reason, in words.
        why: String,
    },
    /// The package is not one.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The packages of all functions are as many bytes as they may be.
    #[error(
        "the packages of all functions would have more than {} bytes",
        limits::CODE_BYTES_MAX
    )]
    StorageFull,
    /// The function is at another revision than the caller expected.
    #[error("the function was changed: it is not at the expected revision any more")]
    Revision,
    /// A policy has a statement of this name already.
    #[error("there is a statement {0} already")]
    StatementExists(String),
    /// The policy has no such statement.
    #[error("there is no statement {0}")]
    NoStatement(String),
    /// There is no policy.
    #[error("there is no policy")]
    NoPolicy,
    /// The policy, or what it is to be for, is at another revision than the caller expected.
    #[error("the policy is not at the expected revision")]
    PolicyRevision,
    /// The policy would be too large.
    #[error(
        "a policy of {size} bytes is larger than the {} allowed",
        limits::POLICY_BYTES_MAX
    )]
    PolicyTooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// Concurrency cannot be claimed so.
    #[error("concurrency cannot be claimed so: {0:?}")]
    Claim(ClaimFault),
    /// The settings of events that are to be changed are not there.
    #[error("there are no settings of events")]
    NoEventSettings,
    /// Ends of events cannot be told there.
    #[error("ends of events cannot be told there: {0:?}")]
    Destination(DestinationFault),
    /// As many invocations of the function run as are reserved for it.
    #[error("as many invocations of the function are running as are reserved for it")]
    Reserved,
    /// As many invocations run as may.
    #[error("as many invocations are running as the limit allows")]
    Throttled,
    /// As many events wait as may.
    #[error("the queue of waiting events is full")]
    QueueFull,
    /// The payload is too large.
    #[error("a payload of {size} bytes is larger than the {max} allowed")]
    PayloadTooLarge {
        /// Its size in bytes.
        size: usize,
        /// The most.
        max: usize,
    },
    /// The program that runs the function could not be started.
    #[error("{program} could not be started ({error}): install it, or put it on the server's PATH")]
    Runtime {
        /// `python3` or `node`.
        program: String,
        /// The system's words.
        error: Arc<str>,
    },
    /// The package's own program could not be started: the function's fault, and told as one.
    #[error("{0}")]
    Entrypoint(String),
    /// The server is stopping.
    #[error("functions are being shut down")]
    Closed,
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The disk failed.
    #[error("{what} failed: {error}. Check the disk that holds the functions")]
    Disk {
        /// The attempt, in words.
        what: &'static str,
        /// The system's words.
        error: Arc<str>,
    },
}

impl Error {
    pub(crate) fn disk(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Disk {
            what,
            error: error.to_string().into(),
        }
    }
}

/// Why a package is not one, or cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// It is not a zip file, or a broken one.
    #[error("the package is not a readable zip file: {0}")]
    NotZip(Arc<str>),
    /// It is too large unpacked, or would be.
    #[error("the package unpacks to more than {max} bytes")]
    UnpacksTooLarge {
        /// The most.
        max: u64,
    },
    /// It has too many entries.
    #[error("the package holds more than {max} files")]
    TooManyFiles {
        /// The most.
        max: usize,
    },
    /// A name in it is longer than file systems take.
    #[error("the package holds a name that is too long")]
    LongName,
    /// A name in it is that of another entry, or stands below one that is no folder.
    #[error("the package holds {0:?} beside another entry of that name or above it")]
    Clash(String),
    /// A name in it leads out of it.
    #[error("the package holds {0:?}, which leads out of the package")]
    LeadsOut(String),
    /// The stored package is not the one that was given.
    #[error("the stored package {0} is damaged: upload the code again")]
    Damaged(String),
}
