//! Counts the events of a group by its metric filters, each once: the values and how far it is are one append of the log.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use headwater_log::{Chunk, LogError, ReadLimit, Retention, ShardNumber};
use headwater_types::Millis;
use tokio::sync::{Mutex as TurnMutex, watch};

use crate::{
    Error, Event, MetricFilter, Pattern,
    event::decode,
    followers::{Counting, Follower, Halt, World},
    groups::kept_for,
    limits::{NOTES_KEPT, READ_BYTES, READ_RECORDS, WAIT_MIN},
    note::Progress,
    ports::{Counted, Note},
    records::{Group, notes_shard},
    transformation::Values,
};

const MINUTE: u64 = 60_000;

/// A metric filter, understood.
pub(crate) struct Filter {
    name: String,
    kept: MetricFilter,
    pattern: Pattern,
    values: Values,
}

impl Filter {
    pub fn new(name: String, kept: MetricFilter) -> Result<Self, Error> {
        let pattern = Pattern::parse(&kept.pattern)?;
        Ok(Self {
            name,
            values: Values::parse(&kept.transformation, &pattern)?,
            pattern,
            kept,
        })
    }
}

pub(crate) struct Counter {
    world: Arc<World>,
    to: Counting,
    shard: ShardNumber,
    notes: ShardNumber,
    filters: Vec<Filter>,
    /// How far it is; none before that was read.
    progress: Option<Progress>,
    /// Tells how far it is.
    counted: watch::Sender<u64>,
    /// Held while a note is read or written: one that was begun before this counter ends before it reads.
    turn: Arc<TurnMutex<()>>,
    /// The end of the notes' shard behind the last note that is known here.
    noted: u64,
    /// Notes that were written since earlier ones were let go of.
    written: u64,
}

/// The values of one step: by filter, minute and dimensions, and of each value how often it was there.
#[derive(Default)]
struct Sums(BTreeMap<(usize, u64, Vec<(String, String)>), Vec<(f64, f64)>>);

impl Sums {
    fn add(&mut self, filter: usize, minute: u64, dimensions: Vec<(String, String)>, value: f64) {
        let values = self.0.entry((filter, minute, dimensions)).or_default();
        match values.iter_mut().find(|(known, _)| *known == value) {
            Some((_, count)) => *count += 1.0,
            None => values.push((value, 1.0)),
        }
    }

    fn counted(self, filters: &[Filter]) -> Vec<Counted> {
        let each = self.0.into_iter();
        each.map(|((filter, minute, dimensions), values)| {
            let of = &filters[filter].kept.transformation;
            Counted {
                namespace: of.namespace.clone(),
                name: of.name.clone(),
                dimensions,
                unit: of.unit.clone(),
                at: Millis(minute * MINUTE),
                values,
            }
        })
        .collect()
    }
}

impl Counter {
    /// A counter, and how far it is.
    pub fn new(
        world: Arc<World>,
        to: Counting,
        group: &Group,
        filters: Vec<Filter>,
        turn: Arc<TurnMutex<()>>,
    ) -> (Self, watch::Receiver<u64>) {
        let (counted, told) = watch::channel(0);
        let this = Self {
            world,
            to,
            shard: group.shard(),
            notes: notes_shard(group.number),
            filters,
            progress: None,
            counted,
            turn,
            noted: 0,
            written: 0,
        };
        (this, told)
    }

    /// How far it is: what the last note says, or the first event that a filter counts.
    async fn read_progress(&mut self) -> Result<Progress, Halt> {
        let _turn = self.turn.lock().await;
        let log = &self.world.log;
        let state = log.state(self.notes).await.map_err(halt)?;
        let last = state.end.saturating_sub(1);
        let found = log.read(self.notes, last, one_read()).await.map_err(halt)?;
        let first = self.filters.iter().map(|filter| filter.kept.from).min();
        let first = first.unwrap_or_default();
        let noted = found.records.last().map(|last| {
            let noted = Progress::decode(&last.value);
            noted.ok_or_else(|| Halt::Failed("a later version counted here".to_owned()))
        });
        let noted = noted.transpose()?.unwrap_or_default();
        self.noted = state.end;
        Ok(Progress {
            next: noted.next.max(first),
            ..noted
        })
    }

    /// Waits for events, or for the end of a minute whose defaults are due.
    async fn wait(&self, progress: &Progress) {
        let clock = &self.world.env.clock;
        let events = self.world.log.wait(self.shard, progress.next);
        match progress.minute.filter(|_| self.has_defaults()) {
            None => events.await,
            Some(minute) => {
                let end = Millis((minute + 1) * MINUTE).since(clock.now());
                tokio::select! {
                    () = events => {}
                    () = clock.sleep(end.max(Duration::from_millis(1))) => {}
                }
            }
        }
    }

    fn has_defaults(&self) -> bool {
        self.filters
            .iter()
            .any(|filter| filter.kept.transformation.default.is_some())
    }

    /// Ends the minute that is open where `now` is a later one: filters that matched nothing in it count their defaults.
    fn end_minute(&self, progress: &mut Progress, now: u64, sums: &mut Sums) {
        let Some(minute) = progress.minute.filter(|minute| *minute < now) else {
            return;
        };
        for (at, filter) in self.filters.iter().enumerate() {
            let default = filter.kept.transformation.default;
            if let Some(value) = default.filter(|_| !progress.matched.contains(&filter.name)) {
                sums.add(at, minute, Vec::new(), value);
            }
        }
        progress.minute = None;
        progress.matched.clear();
    }

    /// Counts an event.
    fn take(&self, event: &Event, progress: &mut Progress, sums: &mut Sums) {
        let arrived = event.ingested.0 / MINUTE;
        self.end_minute(progress, arrived, sums);
        for (at, filter) in self.filters.iter().enumerate() {
            if event.offset < filter.kept.from || !filter.pattern.matches(&event.message) {
                continue;
            }
            if filter.kept.transformation.default.is_some() {
                progress.matched.insert(filter.name.clone());
            }
            if let Some((value, dimensions)) = filter.values.of(&filter.pattern, &event.message) {
                sums.add(at, event.time.0 / MINUTE, dimensions, value);
            }
        }
        progress.minute = Some(arrived);
    }

    /// Writes values with the note of how far it is.
    async fn write(&mut self, sums: Sums, progress: Progress) -> Result<(), Halt> {
        let value = progress
            .encode()
            .map_err(|error| Halt::Failed(error.to_string()))?;
        let note = Note {
            shard: self.notes,
            value,
        };
        let turn = self.turn.clone().lock_owned().await;
        let end = self.world.log.state(self.notes).await.map_err(halt)?.end;
        if end != self.noted {
            // The counter before this one came further meanwhile.
            self.progress = None;
            return Ok(());
        }
        let (to, values) = (self.to.clone(), sums.counted(&self.filters));
        let added = self.world.env.to_the_end(async move {
            let _turn = turn;
            to.add(values, note).await
        });
        if let Err(problem) = added.await {
            // Nobody knows whether it was written: the last note says.
            self.progress = None;
            return Err(Halt::Failed(problem));
        }
        self.noted = end + 1;
        self.counted.send_replace(progress.next);
        self.progress = Some(progress);
        self.written += 1;
        if self.written >= NOTES_KEPT {
            self.written = 0;
            self.forget_notes().await?;
        }
        Ok(())
    }

    /// Lets go of the notes before the last.
    async fn forget_notes(&self) -> Result<(), Halt> {
        let log = &self.world.log;
        let floor = log.state(self.notes).await.map_err(halt)?.newest;
        let retention = Retention {
            floor,
            ..kept_for(None)
        };
        log.open_shards(&[self.notes], retention)
            .await
            .map_err(halt)
    }
}

impl Follower for Counter {
    async fn step(&mut self) -> Result<(), Halt> {
        let known = self.progress.clone();
        let mut progress = match known {
            Some(known) => known,
            None => {
                let read = self.read_progress().await?;
                self.counted.send_replace(read.next);
                self.progress.insert(read).clone()
            }
        };
        self.wait(&progress).await;
        let world = self.world.clone();
        let place = world.places.acquire().await;
        let _place = place.map_err(|_| Halt::Gone)?;
        let from = progress.next;
        let chunk: Chunk = world
            .log
            .read(self.shard, from, one_read())
            .await
            .map_err(halt)?;
        let mut sums = Sums::default();
        for event in chunk.records.iter().filter_map(decode) {
            self.take(&event, &mut progress, &mut sums);
        }
        progress.next = chunk.next.max(from);
        if progress.next >= chunk.state.end {
            self.end_minute(&mut progress, world.env.clock.now().0 / MINUTE, &mut sums);
        }
        if !self.has_defaults() {
            progress.minute = None;
        }
        if self.progress.as_ref() == Some(&progress) {
            // The log may wake without a record; it is asked less often then.
            world.env.clock.sleep(WAIT_MIN).await;
            return Ok(());
        }
        self.write(sums, progress).await
    }
}

fn one_read() -> ReadLimit {
    ReadLimit {
        records: READ_RECORDS,
        bytes: READ_BYTES,
    }
}

fn halt(error: LogError) -> Halt {
    match error {
        LogError::Unknown(_) | LogError::Closed => Halt::Gone,
        error => Halt::Failed(error.to_string()),
    }
}
