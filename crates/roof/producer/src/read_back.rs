//! After a lost answer: which entries are stored?

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use headwater_client::CallError;
use headwater_types::{HashKey, Millis};

use crate::{Entry, Placed, Position, Shard, Stream, lane::remember, shards::Shards};

/// A search for entries in the shards they belong to. It can be interrupted by an error and run again: what
/// was found stays found, and reading goes on behind the last record read.
pub(crate) struct Search {
    since: Millis,
    hashes: Vec<HashKey>,
    /// Entries that are looked for, by what they are recognised by; equal ones in their order.
    wanted: HashMap<(String, Bytes), VecDeque<usize>>,
    found: Vec<Option<Placed>>,
}

impl Search {
    /// A search for the entries of a call that began at `since`.
    pub fn new<'a>(entries: impl Iterator<Item = &'a Entry>, since: Millis) -> Self {
        let mut search = Self {
            since,
            hashes: Vec::new(),
            wanted: HashMap::new(),
            found: Vec::new(),
        };
        for entry in entries {
            let key = (entry.partition_key.clone(), entry.data.clone());
            search
                .wanted
                .entry(key)
                .or_default()
                .push_back(search.hashes.len());
            search.hashes.push(entry.hash_key());
        }
        search.found.resize(search.hashes.len(), None);
        search
    }

    /// Reads every shard that may hold one of the entries, from behind its last known record (or the time of
    /// the call) to its tip. `last` moves on to what was read.
    ///
    /// # Errors
    /// A call failed; the search may be run again.
    pub async fn run(
        &mut self,
        stream: &dyn Stream,
        shards: &Shards,
        last: &mut HashMap<String, String>,
    ) -> Result<(), CallError> {
        for shard in shards.refresh().await?.iter() {
            if self.hashes.iter().any(|hash| shard.range.contains(*hash)) {
                self.scan(stream, shard, last).await?;
            }
        }
        Ok(())
    }

    async fn scan(
        &mut self,
        stream: &dyn Stream,
        shard: &Shard,
        last: &mut HashMap<String, String>,
    ) -> Result<(), CallError> {
        let from = match last.get(&shard.id) {
            Some(number) => Position::After(number.clone()),
            None => Position::At(self.since),
        };
        let mut iterator = Some(stream.iterator(&shard.id, &from).await?);
        while let Some(at) = iterator {
            let page = stream.read(&at).await?;
            for record in page.records {
                let placed = Placed {
                    shard_id: shard.id.clone(),
                    sequence_number: record.sequence_number,
                };
                remember(last, &placed);
                let indices = self.wanted.get_mut(&(record.partition_key, record.data));
                if let Some(index) = indices.and_then(VecDeque::pop_front) {
                    self.found[index] = Some(placed);
                }
            }
            iterator = page.next.filter(|_| !page.at_tip);
        }
        Ok(())
    }

    /// Where each entry was found, in their order.
    pub fn found(self) -> Vec<Option<Placed>> {
        self.found
    }
}
