//! CreateQueue.

use headwater_messages::{Fifo, NewQueue, QueueRecord};
use headwater_shapes_sqs::{CreateQueueRequest, CreateQueueResult, ops::CreateQueue};
use headwater_types::Millis;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Sqs,
    attributes::{Attributes, settings, truth},
    errors::{api, invalid_value, missing, unknown_attribute},
    place::url,
    tags,
};

/// The end of the names of queues with order.
const SUFFIX: &str = ".fifo";

impl Handle<CreateQueue> for Sqs {
    async fn handle(
        &self,
        input: CreateQueueRequest,
        context: &Context,
    ) -> Result<CreateQueueResult, ApiError> {
        let CreateQueueRequest {
            queue_name,
            attributes,
            tags,
        } = input;
        let attributes = attributes.unwrap_or_default();
        let tags = tags.unwrap_or_default();
        tags::check(&tags)?;
        let mut queue = begin(&queue_name, &attributes)?;
        self.set(&mut queue, &attributes, context)?;
        let (wanted, named) = (settings(&queue, context), attributes);
        let asked = context.clone();
        let differs = move |found: &QueueRecord| {
            let found = settings(found, &asked);
            let differs = |name: &&String| found.get(*name) != wanted.get(*name);
            named.keys().find(differs).cloned()
        };
        let new = NewQueue {
            name: queue_name.clone(),
            settings: queue.settings,
            policy: queue.policy,
            tags,
        };
        let made = self.queues.create(new, differs).await;
        let made = made.map_err(|error| api(error, &queue_name, context))?;
        let queue_url = Some(url(&made.name, context));
        Ok(CreateQueueResult { queue_url })
    }
}

/// A queue of this name and the kind that is asked for, before its attributes are set.
fn begin(name: &str, attributes: &Attributes) -> Result<QueueRecord, ApiError> {
    if name.is_empty() {
        return Err(missing("QueueName"));
    }
    let asked = attributes
        .get("FifoQueue")
        .map(|asked| truth("FifoQueue", asked));
    let is_fifo = asked.transpose()?.unwrap_or(false);
    if attributes.contains_key("FifoQueue") && !is_fifo {
        return Err(unknown_attribute("FifoQueue"));
    }
    check_name(name, is_fifo)?;
    let mut queue = QueueRecord {
        name: name.to_owned(),
        number: 0,
        tag: 0,
        created: Millis::ZERO,
        modified: Millis::ZERO,
        settings: headwater_messages::Settings::default(),
        policy: None,
        tags: headwater_messages::Tags::new(),
    };
    queue.settings.fifo = is_fifo.then(Fifo::default);
    Ok(queue)
}

fn check_name(name: &str, is_fifo: bool) -> Result<(), ApiError> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_name = |name: &str| !name.is_empty() && name.chars().all(is_allowed);
    let fits = match is_fifo {
        true => name.strip_suffix(SUFFIX).is_some_and(is_name),
        false => is_name(name),
    };
    if fits && name.len() <= 80 {
        return Ok(());
    }
    let why = match is_fifo {
        true => {
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length."
        }
        false => {
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        }
    };
    Err(invalid_value("QueueName", name, why))
}
