//! Streams whose shards follow their load, and the switch between the modes.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use headwater_types::{Millis, StreamName};

use crate::{
    Error, Mode, OtherReaders, Step, Stream, StreamRecord, Streams,
    limits::{MAX_MODE_CHANGES, MEASURED, MODE_CHANGES_PERIOD, ON_DEMAND_SHARDS},
    load::{self, LastLook, Load, Peak},
    plan,
};

impl Streams {
    /// Measures the load of on-demand streams once a minute and scales them, for as long as anybody holds `self`.
    pub fn keep_scaling(self: &Arc<Self>) {
        let (streams, clock) = (Arc::downgrade(self), self.env.clock.clone());
        self.env.spawn(async move {
            loop {
                clock.sleep(MEASURED).await;
                let Some(streams) = Weak::upgrade(&streams) else {
                    return;
                };
                streams.scale_on_demand().await;
            }
        });
    }

    /// Measures the load since the last call and scales the on-demand streams by it.
    pub async fn scale_on_demand(self: &Arc<Self>) {
        for (name, load) in self.measure() {
            if let Err(error) = self.follow(name.clone(), load).await {
                tracing::warn!(stream = %name, %error, "an on-demand stream could not be scaled");
            }
        }
    }

    /// The load of each on-demand stream since the last look.
    fn measure(&self) -> Vec<(StreamName, Load)> {
        let now = self.env.clock.elapsed();
        let mut last_look = self.last_look.lock();
        let seconds = now.saturating_sub(last_look.at).as_secs().max(1);
        let mut taken = HashMap::new();
        let mut loads = Vec::new();
        for stream in self.all() {
            if !stream.record.mode.is_on_demand() {
                continue;
            }
            let total = total(&stream);
            let before = last_look
                .taken
                .get(&stream.record.number)
                .copied()
                .unwrap_or(total);
            let a_second = |now: u64, before: u64| now.saturating_sub(before) / seconds;
            let load = Load {
                bytes: a_second(total.bytes, before.bytes),
                records: a_second(total.records, before.records),
            };
            taken.insert(stream.record.number, total);
            loads.push((stream.record.name.clone(), load));
        }
        *last_look = LastLook { at: now, taken };
        loads
    }

    /// Notes a load and makes as many shards as it asks for.
    async fn follow(self: &Arc<Self>, name: StreamName, load: Load) -> Result<(), Error> {
        self.reshard(name, move |streams, record| {
            if let Mode::OnDemand { peaks, .. } = &mut record.mode {
                load::note(peaks, load, streams.env.clock.now());
            }
            Ok(streams.plan_for_load(record))
        })
        .await
        .map(drop)
    }

    /// The steps to as many shards as an on-demand stream needs.
    pub(crate) fn plan_for_load(&self, record: &StreamRecord) -> Vec<Step> {
        let Mode::OnDemand { peaks, warm_mib } = &record.mode else {
            return Vec::new();
        };
        let open = record
            .shards
            .iter()
            .filter(|shard| shard.closed.is_none())
            .count() as u32;
        let needed = load::shards_for(peaks, *warm_mib, self.room_for(open));
        if needed == open {
            Vec::new()
        } else {
            plan::scale(record, needed)
        }
    }

    /// Changes how a stream's capacity is decided; its shards stay as they are until its load asks for others. With
    /// `others` it stays on demand.
    pub async fn change_mode(
        self: &Arc<Self>,
        name: StreamName,
        on_demand: bool,
        warm_mib: Option<u32>,
        others: Arc<dyn OtherReaders>,
    ) -> Result<(), Error> {
        let limits = self.options.limits;
        self.reshard_among(name, others, move |streams, record, others| {
            if !on_demand && others > 0 {
                return Err(Error::HasOtherReaders(record.name.clone()));
            }
            if record.mode.is_on_demand() != on_demand {
                count_change(record, streams.env.clock.now(), limits)?;
                record.mode = if on_demand {
                    started(record, streams.env.clock.now())
                } else {
                    Mode::Provisioned
                };
                record.check_distribution()?;
            }
            if let Mode::OnDemand { warm_mib: warm, .. } = &mut record.mode
                && warm_mib.is_some()
            {
                *warm = warm_mib;
            }
            Ok(if warm_mib.is_some() {
                streams.plan_for_load(record)
            } else {
                Vec::new()
            })
        })
        .await
        .map(drop)
    }

    /// Has an on-demand stream take that many MiB a second whatever its load was. Done when this returns.
    pub async fn warm(self: &Arc<Self>, name: StreamName, mib: u32) -> Result<Arc<Stream>, Error> {
        self.reshard(name.clone(), move |streams, record| {
            let Mode::OnDemand { warm_mib, .. } = &mut record.mode else {
                return Err(Error::NotOnDemand(record.name.clone()));
            };
            *warm_mib = Some(mib);
            Ok(streams.plan_for_load(record))
        })
        .await?;
        self.get(&name)
    }
}

/// The sum of what a stream's shards took since the process started.
fn total(stream: &Stream) -> Load {
    stream
        .shards()
        .iter()
        .map(|shard| shard.metrics())
        .fold(Load::default(), |sum, shard| Load {
            bytes: sum.bytes + shard.incoming_bytes,
            records: sum.records + shard.incoming_records,
        })
}

/// On demand with the capacity that there is: as if half of it had been used.
fn started(record: &StreamRecord, now: Millis) -> Mode {
    let open = record
        .shards
        .iter()
        .filter(|shard| shard.closed.is_none())
        .count() as u32;
    let mut peaks = Vec::new();
    if open > ON_DEMAND_SHARDS {
        let full = Load::of_shards(open);
        let load = Load {
            bytes: full.bytes / 2,
            records: full.records / 2,
        };
        peaks.push(Peak {
            day: now.seconds() / 86_400,
            load,
        });
    }
    Mode::OnDemand {
        peaks,
        warm_mib: None,
    }
}

fn count_change(record: &mut StreamRecord, now: Millis, limits: bool) -> Result<(), Error> {
    record
        .mode_changes
        .retain(|at| now.since(*at) < MODE_CHANGES_PERIOD);
    if limits && record.mode_changes.len() >= MAX_MODE_CHANGES {
        return Err(Error::ModeChangedTooOften(record.name.clone()));
    }
    record.mode_changes.push(now);
    Ok(())
}
