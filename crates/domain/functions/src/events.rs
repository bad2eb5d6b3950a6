//! Events: invocations that nobody waits for. Kept in the catalog until they are done, so a crash repeats them.
//!
//! A key starts with the time the event is due, so one short scan finds what to do next; a retry moves the event to a
//! later key. As on AWS an event runs at least once, is tried again when the function fails, and is given up when it
//! is too old.

use std::{
    collections::HashSet,
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use headwater_catalog::{Catalog, CatalogError, Expect, Table};
use headwater_env::Env;
use headwater_types::{Millis, kept::Prefix};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::{Error, FunctionName, functions::Inner, invoke::Request, limits};

/// An event as it waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct QueuedEvent {
    function: FunctionName,
    request_id: String,
    /// JSON text.
    payload: String,
    client_context: Option<String>,
    /// The version that is asked for, if any by name.
    #[serde(default)]
    qualifier: Option<String>,
    accepted: Millis,
    tries: u32,
}

/// The queue of events.
pub(crate) struct Events {
    env: Env,
    catalog: Arc<dyn Catalog>,
    table: Table<QueuedEvent>,
    waiting: AtomicUsize,
    bytes: AtomicUsize,
    running: Mutex<HashSet<String>>,
    /// Told when there may be something to do.
    changed: Notify,
}

impl Events {
    pub async fn open(env: Env, catalog: Arc<dyn Catalog>) -> Result<Self, Error> {
        let table = Table::new(catalog.clone(), Prefix::FunctionEvents);
        let (waiting, bytes) = measure(&table).await?;
        Ok(Self {
            env,
            catalog,
            table,
            waiting: waiting.into(),
            bytes: bytes.into(),
            running: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// How many events are kept.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Relaxed)
    }

    /// Accepts an event; durable when it returns. The caller runs to its end.
    pub async fn push(&self, function: FunctionName, request: Request) -> Result<(), Error> {
        let size = request.payload.len();
        if size > limits::EVENT_BYTES_MAX {
            return Err(Error::PayloadTooLarge {
                size,
                max: limits::EVENT_BYTES_MAX,
            });
        }
        let payload = String::from_utf8(request.payload.into()).map_err(|_| Error::Invalid {
            what: "payload",
            why: "it is not UTF-8".into(),
        })?;
        self.reserve(size)?;
        let now = self.env.clock.now();
        let Request {
            request_id,
            client_context,
            qualifier,
            ..
        } = request;
        let event = QueuedEvent {
            function,
            request_id,
            payload,
            client_context,
            qualifier: qualifier.map(|qualifier| qualifier.to_string()),
            accepted: now,
            tries: 0,
        };
        let written = self
            .table
            .write(&key(now, &event), &event, Expect::Any)
            .await;
        if let Err(error) = written {
            self.release(size);
            return Err(error.into());
        }
        self.changed.notify_one();
        Ok(())
    }

    fn reserve(&self, size: usize) -> Result<(), Error> {
        let waiting = self.waiting.fetch_add(1, Relaxed);
        let bytes = self.bytes.fetch_add(size, Relaxed);
        if waiting >= limits::EVENTS_MAX || bytes + size > limits::EVENTS_BYTES_MAX {
            self.release(size);
            return Err(Error::QueueFull);
        }
        Ok(())
    }

    fn release(&self, size: usize) {
        self.waiting.fetch_sub(1, Relaxed);
        self.bytes.fetch_sub(size, Relaxed);
    }

    /// The first events that do not run yet, by the time they are due.
    async fn next(&self) -> Result<Vec<(String, QueuedEvent)>, CatalogError> {
        let limit = self.running.lock().len() + limits::EVENTS_RUNNING_MAX;
        let found = self.table.scan("", None, limit).await?;
        let running = self.running.lock();
        Ok(found
            .into_iter()
            .filter(|(key, _)| !running.contains(key))
            .map(|(k, e)| (k, e.value))
            .collect())
    }

    fn has_room(&self) -> bool {
        self.running.lock().len() < limits::EVENTS_RUNNING_MAX
    }

    async fn done(&self, key: &str, event: &QueuedEvent) -> Result<(), CatalogError> {
        self.table.remove(key, Expect::Any).await?;
        self.release(event.payload.len());
        Ok(())
    }

    async fn again(
        &self,
        key: &str,
        mut event: QueuedEvent,
        after: Duration,
        tried: u32,
    ) -> Result<(), CatalogError> {
        event.tries += tried;
        let now = self.env.clock.now();
        if event.tries >= limits::EVENT_TRIES_MAX
            || now.since(event.accepted) >= limits::EVENT_AGE_MAX
        {
            tracing::warn!(function = %event.function, request = event.request_id, "an event is given up");
            return self.done(key, &event).await;
        }
        let later = self
            .table
            .put(&self::key(now.plus(after), &event), &event, Expect::Any);
        self.catalog
            .commit(vec![self.table.delete(key, Expect::Any), later])
            .await
            .map(drop)
    }
}

/// The count and bytes of all waiting events, a page at a time.
async fn measure(table: &Table<QueuedEvent>) -> Result<(usize, usize), CatalogError> {
    let (mut waiting, mut bytes) = (0, 0);
    let mut after: Option<String> = None;
    loop {
        let page = table.scan("", after.as_deref(), 100).await?;
        let Some((last, _)) = page.last() else {
            return Ok((waiting, bytes));
        };
        after = Some(last.clone());
        waiting += page.len();
        bytes += page
            .iter()
            .map(|(_, event)| event.value.payload.len())
            .sum::<usize>();
    }
}

fn key(due: Millis, event: &QueuedEvent) -> String {
    format!("{:015}-{}", due.0, event.request_id)
}

fn due(key: &str) -> Millis {
    Millis(
        key.split('-')
            .next()
            .and_then(|ms| ms.parse().ok())
            .unwrap_or(0),
    )
}

/// Runs what is due, for as long as there is somebody to run it for.
pub(crate) async fn dispatch(env: Env, inner: Weak<Inner>) {
    loop {
        let Some(strong) = inner.upgrade() else {
            return;
        };
        let events = strong.events.clone();
        let wait = start_due(&env, strong).await;
        tokio::select! {
            () = events.changed.notified() => {}
            () = env.clock.sleep(wait) => {}
        }
    }
}

/// Starts what is due and has room; how long nothing is to be done then.
async fn start_due(env: &Env, inner: Arc<Inner>) -> Duration {
    const LOOK_AGAIN: Duration = Duration::from_secs(5);
    let waiting = match inner.events.next().await {
        Ok(waiting) => waiting,
        Err(error) => {
            tracing::warn!(%error, "the waiting events could not be read");
            return LOOK_AGAIN;
        }
    };
    for (key, event) in waiting {
        let now = env.clock.now();
        if due(&key) > now {
            return due(&key).since(now).min(LOOK_AGAIN);
        }
        if !inner.events.has_room() {
            // The end of one that runs is told.
            return LOOK_AGAIN;
        }
        inner.events.running.lock().insert(key.clone());
        env.spawn(run(inner.clone(), key, event));
    }
    LOOK_AGAIN
}

async fn run(inner: Arc<Inner>, key: String, event: QueuedEvent) {
    let request = Request {
        request_id: event.request_id.clone(),
        payload: Bytes::from(event.payload.clone()),
        client_context: event.client_context.clone(),
        qualifier: event.qualifier.as_ref().and_then(|text| text.parse().ok()),
    };
    let events = &inner.events;
    let kept = match inner.invoke(&event.function, request, true).await {
        // It stays where it was and counts as running, so that nothing starts it before the server ends.
        Err(Error::Closed) => return,
        Ok(invocation) if !invocation.failed => events.done(&key, &event).await,
        Ok(_) => {
            let after = limits::EVENT_RETRY_AFTER * 2u32.pow(event.tries.min(8));
            events.again(&key, event, after, 1).await
        }
        Err(Error::NotFound(_) | Error::NoVersion(_) | Error::NoAlias(_)) => {
            events.done(&key, &event).await
        }
        Err(error) => {
            tracing::debug!(%error, function = %event.function, "an event has to wait");
            events
                .again(&key, event, limits::EVENT_THROTTLED_AFTER, 0)
                .await
        }
    };
    if let Err(error) = kept {
        tracing::warn!(%error, "the end of an event could not be kept, so it runs again");
        inner.env.clock.sleep(limits::EVENT_THROTTLED_AFTER).await;
    }
    events.running.lock().remove(&key);
    events.changed.notify_one();
}
