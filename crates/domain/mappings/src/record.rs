//! Mappings as the catalog keeps them (`docs/format/mappings.md`).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use headwater_catalog::{Catalog, CatalogError, Expect, Table};
use headwater_reading::Start;
use headwater_types::{Arn, Millis, kept::Prefix};
use serde::{Deserialize, Serialize};

use crate::{form::Form, limits::ROWS_A_COMMIT, progress::Progress};

/// A mapping as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// A UUID that no mapping made later shares.
    pub id: String,
    /// The function, with its version or alias where one is named.
    pub function: Arn,
    /// The source as it was named: a stream of data or of a table's changes, a registered consumer of one, or a queue.
    pub source: Arn,
    /// The stream, or the queue.
    pub stream: Arn,
    /// Tells the stream from one made later under the same name. Queues under one name are one queue, as on AWS.
    pub identity: String,
    /// Where in the stream it began; none: its source is a queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Start>,
    /// How it works.
    pub settings: Settings,
    /// Whether it works.
    pub enabled: bool,
    /// When it was made or changed.
    pub modified: Millis,
    /// Its tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// How a mapping works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The most records of a batch.
    pub batch_size: u32,
    /// How many seconds a batch may wait for more records.
    pub window_s: u32,
    /// How many batches of a shard may be worked on at once, each with keys of its own.
    pub lanes: u32,
    /// Whether a batch that fails is halved.
    pub bisect: bool,
    /// How often a batch is tried again; without end where it is none.
    pub retries: Option<u32>,
    /// The age in seconds from which on records are given up; none: never.
    pub age_s: Option<u32>,
    /// The length in seconds of windows with a state; none: there are none.
    pub tumbling_s: Option<u32>,
    /// Whether an answer may name the records that failed.
    pub item_failures: bool,
    /// Patterns of which a record must match one; none: all records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<String>,
    /// Where batches go that are given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<Arn>,
    /// How many batches of a queue may be worked on at once; none: as many as there is room for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
}

impl Default for Settings {
    /// AWS's defaults for streams.
    fn default() -> Self {
        Self {
            batch_size: 100,
            window_s: 0,
            lanes: 1,
            bisect: false,
            retries: None,
            age_s: None,
            tumbling_s: None,
            item_failures: false,
            filters: Vec::new(),
            on_failure: None,
            concurrency: None,
        }
    }
}

impl Settings {
    /// AWS's defaults for queues.
    pub fn of_queues() -> Self {
        Self {
            batch_size: 10,
            ..Self::default()
        }
    }

    pub(crate) fn window(&self) -> Duration {
        Duration::from_secs(self.window_s.into())
    }

    pub(crate) fn age(&self) -> Option<Duration> {
        self.age_s.map(|s| Duration::from_secs(s.into()))
    }

    pub(crate) fn tumbling(&self) -> Option<Duration> {
        self.tumbling_s.map(|s| Duration::from_secs(s.into()))
    }
}

/// The tables of mappings.
#[derive(Clone)]
pub(crate) struct Store {
    pub catalog: Arc<dyn Catalog>,
    /// Mappings by id.
    pub mappings: Table<Mapping>,
    /// Ids of mappings by what only one may have: `<source ARN> <function ARN>`.
    pub pairs: Table<String>,
    /// How far each shard is: `<id>/<shard>`.
    pub progress: Table<Progress>,
    /// Ids of deleted mappings that may have rows left.
    pub deleted: Table<()>,
}

impl Store {
    pub fn new(catalog: Arc<dyn Catalog>) -> Self {
        Self {
            mappings: Table::new(catalog.clone(), Prefix::Mappings),
            pairs: Table::new(catalog.clone(), Prefix::MappingPairs),
            progress: Table::new(catalog.clone(), Prefix::MappingProgress),
            deleted: Table::new(catalog.clone(), Prefix::MappingsDeleted),
            catalog,
        }
    }

    /// Removes what is left of a mapping that was deleted.
    pub async fn clear(&self, id: &str) -> Result<(), CatalogError> {
        let prefix = format!("{id}/");
        loop {
            let rows = self.progress.scan(&prefix, None, ROWS_A_COMMIT).await?;
            let delete = |(name, _): &(String, _)| self.progress.delete(name, Expect::Any);
            let mut changes: Vec<_> = rows.iter().map(delete).collect();
            let is_last = rows.len() < ROWS_A_COMMIT;
            if is_last {
                changes.push(self.deleted.delete(id, Expect::Any));
            }
            self.catalog.commit(changes).await?;
            if is_last {
                return Ok(());
            }
        }
    }
}

impl Mapping {
    /// Whether its source is a queue.
    pub fn is_of_queue(&self) -> bool {
        self.start.is_none()
    }

    /// The form of its stream's records.
    pub(crate) fn form(&self) -> Form {
        Form::of(&self.stream)
    }

    /// The name of its pair of source and function.
    pub(crate) fn pair(&self) -> String {
        format!("{} {}", self.source, self.function)
    }
}
