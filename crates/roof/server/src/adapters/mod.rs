//! The traits through which domains use each other, filled: each file implements one domain's small traits with another
//! domain's calls.

mod changes;
mod code;
mod counts;
mod invoke;
mod logs;
mod mappings;
mod objects;
mod outcomes;
mod queues;
mod receivers;
mod subscribers;
mod tables;
mod topics;
mod trail;
mod warehouse;
mod web;

pub use changes::MappedStreams;
pub use code::ObjectCode;
pub use counts::LogCounts;
pub use invoke::FunctionInvoke;
pub use logs::{DeliveryLog, FunctionLog};
pub use mappings::{FailurePlaces, MappedFunctions};
pub use objects::StoreObjects;
pub use outcomes::OutcomePlaces;
pub use queues::PolledQueues;
pub use receivers::StreamReceivers;
pub use subscribers::LogSubscribers;
pub use tables::SchemaTables;
pub use topics::TopicEndpoints;
pub use trail::{Calls, TrailBucket};
pub use warehouse::PostgresWarehouse;
pub use web::HttpWeb;
