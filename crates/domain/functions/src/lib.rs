//! Functions: packages, processes, the runtime API, invocation queues.
//!
//! A function is a package, a configuration, and a bounded pool of processes that speak the Lambda runtime API to us.
//! Python and Node run under small bootstraps of ours, `provided` runtimes under the package's own, so unmodified
//! handlers and the official runtime clients run. A process gets one invocation at a time and is kept for the next;
//! one that takes too long or too much memory is killed with all that it started. Its output goes to a
//! [`LogSink`]. It isolates faults, not tenants: a function can read what the server can read.
//!
//! A function's memory is what its main process uses by itself, measured every 100 ms while it works (on Linux); so
//! a short excess may go unseen, and what a function starts beside itself is not counted.
//!
//! AWS's spelling of requests and answers is the `lambda` door's; where lines are kept, the sink's.

mod aliases;
mod bootstraps;
mod changes;
mod claims;
mod counts;
mod ends;
mod error;
mod event_settings;
mod events;
mod function;
mod functions;
mod invoke;
mod keep;
mod launch;
mod layers;
mod leftovers;
pub mod limits;
mod logs;
mod opt;
mod outcomes;
mod output;
mod packages;
mod policies;
mod pool;
mod ports;
mod process;
mod publish;
mod runtime_api;
mod tree;
mod unpack;
mod urls;
mod version;

pub use aliases::AliasChange;
pub use claims::{ClaimFault, Claims, KeepFailure, Kept, Provisioned};
pub use counts::{FunctionCalls, FunctionMetrics, Processes};
pub use error::{Error, PackageError};
pub use event_settings::{DestinationFault, EventSettings, EventSettingsChange, KeptEventSettings};
pub use function::{Code, Configuration, Function, FunctionName, Published, Runtime, RuntimeKind};
pub use functions::{Functions, Options, Usage};
pub use invoke::{Answer, Invocation, Request, StreamedAnswer};
pub use layers::{
    Layer, LayerId, LayerName, LayerPermission, LayerPolicy, LayerVersion, LayerWishes,
    add_permission, remove_permission,
};
pub use logs::{LogBatch, LogLine, LogSink};
pub use policies::{Part, Policy, Statement};
pub use ports::{DeadLetter, Outlets, Told, Untold};
pub use publish::Publish;
pub use urls::{Cors, FunctionUrl, UrlChange, UrlId, UrlSettings, UrlTarget};
pub use version::{Alias, AliasName, Qualifier, RoutingFault, Version};
