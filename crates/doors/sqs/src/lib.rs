//! The sqs door: AWS's operations over the messages domain, one file an operation.
//!
//! Owns SQS's spelling of queues and messages: URLs, ARNs, attributes, policies, defaults, texts, and the names of the
//! query protocol. Keeps no state of its own. Operations and settings that the model has and this table has not are
//! refused by `wire` with an error.

mod attributes;
mod batch;
mod errors;
mod ops;
mod place;
mod policy;
mod redrive;
mod sending;
mod services;
mod settling;
mod spelling;
mod tags;
#[cfg(test)]
mod testing;
mod token;

use std::sync::Arc;

use headwater_env::Clock;
use headwater_messages::Messages;
use headwater_shapes_sqs::{SERVICE, ops as shapes};
use headwater_wire::{Line, READS, Routes, Table, WRITES};

pub use place::{arn, name_of_arn};
pub use services::service_may_send;

/// The state that handlers run on.
#[derive(Clone)]
pub struct Sqs {
    /// The queues.
    pub queues: Arc<Messages>,
    /// The time of calls, which policies may ask for.
    pub clock: Arc<dyn Clock>,
}

/// An operation on messages that a queue's policy may allow to other accounts.
const DATA: Line = WRITES.data().shared();

/// The operations that are built. Those that other accounts may call are as the developer guide has them ("Cross-account
/// permissions don't apply to the following actions").
pub fn table(sqs: Arc<Sqs>) -> Table {
    Routes::new(&SERVICE, sqs)
        .spelled(&spelling::SPELLING)
        .route::<shapes::AddPermission>(WRITES)
        .route::<shapes::ChangeMessageVisibility>(DATA)
        .route::<shapes::ChangeMessageVisibilityBatch>(DATA.action("sqs:ChangeMessageVisibility"))
        .route::<shapes::CreateQueue>(WRITES)
        .route::<shapes::DeleteMessage>(DATA)
        .route::<shapes::DeleteMessageBatch>(DATA.action("sqs:DeleteMessage"))
        .route::<shapes::DeleteQueue>(WRITES)
        .route::<shapes::GetQueueAttributes>(READS.data().shared())
        .route::<shapes::GetQueueUrl>(READS.data().shared())
        .route::<shapes::ListDeadLetterSourceQueues>(READS.data().shared())
        .route::<shapes::ListQueueTags>(READS.data())
        .route::<shapes::ListQueues>(READS.data())
        .route::<shapes::PurgeQueue>(WRITES.shared())
        .route::<shapes::ReceiveMessage>(DATA.waits().gives_records())
        .route::<shapes::RemovePermission>(WRITES)
        .route::<shapes::SendMessage>(DATA.takes_records())
        .route::<shapes::SendMessageBatch>(DATA.takes_records().action("sqs:SendMessage"))
        .route::<shapes::SetQueueAttributes>(WRITES)
        .route::<shapes::TagQueue>(WRITES)
        .route::<shapes::UntagQueue>(WRITES)
        .build()
}
