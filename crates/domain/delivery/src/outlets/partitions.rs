//! Objects of partitions, written one after the other once it is known which partitions there are.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use headwater_env::Env;

use super::{
    errors::Errors,
    outlet::Outlet,
    part::{Part, Parts},
    spool::Spool,
};
use crate::{
    budget::Budget,
    config::StreamRecord,
    encoding::Form,
    intent::{ExecuteError, Intent, Ledger, Names},
    limits::PARTITIONS_MAX,
    ports::Objects,
    records::{ErrorKind, Failure, Item, Keys, Rejected},
    sinks::Retries,
    steps::query::{NO_KEY, NOT_FOUND},
};

/// Collects items by partition, and writes them at the end.
pub struct Partitions<'a> {
    stream: &'a StreamRecord,
    names: Names<'a>,
    /// The prefixes of the objects of partitions, by the numbers of these.
    prefixes: Vec<String>,
    numbers: HashMap<String, usize>,
    /// The numbers of partition keys that were seen, so that prefixes are made once and not for each record.
    seen: HashMap<Keys, usize>,
    parts: Parts<'a>,
}

impl<'a> Partitions<'a> {
    /// The partitions of `intent`.
    pub async fn open(
        env: &Env,
        objects: &Arc<dyn Objects>,
        budget: &Budget,
        dir: &Path,
        (stream, intent, form): (&'a StreamRecord, &'a Intent, Form),
    ) -> Result<Self, ExecuteError> {
        let parts = Parts {
            spool: Spool::open(env.clone(), dir).await?,
            env: env.clone(),
            objects: objects.clone(),
            budget: budget.clone(),
            bucket: &intent.bucket,
            encryption_key: &stream.destination.encryption_key,
            form,
        };
        let names = Names::of(stream, &intent.id, intent.oldest)?;
        let (numbers, seen) = (HashMap::new(), HashMap::new());
        Ok(Self {
            stream,
            names,
            prefixes: Vec::new(),
            numbers,
            seen,
            parts,
        })
    }

    /// The number of an item's partition; why it has none.
    fn number(&mut self, item: &Item) -> Result<usize, (ErrorKind, Failure)> {
        if let Some(number) = self.seen.get(&item.keys) {
            return Ok(*number);
        }
        let number = self.number_of_prefix(item)?;
        // A function may give keys that no prefix has in it, as many as there are records.
        if self.seen.len() < PARTITIONS_MAX {
            self.seen.insert(item.keys.clone(), number);
        }
        Ok(number)
    }

    fn number_of_prefix(&mut self, item: &Item) -> Result<usize, (ErrorKind, Failure)> {
        let no_key = || {
            (
                ErrorKind::MetadataExtraction,
                Failure::new(NOT_FOUND, NO_KEY),
            )
        };
        let prefix = self.names.partition(&item.keys).ok_or_else(no_key)?;
        if let Some(number) = self.numbers.get(&prefix) {
            return Ok(*number);
        }
        if self.prefixes.len() == PARTITIONS_MAX {
            let text = "The number of active partitions has exceeded the configured limit";
            let failure = Failure::new("DynamicPartitioning.ActivePartitionLimitExceeded", text);
            return Err((ErrorKind::ActivePartitions, failure));
        }
        let number = self.prefixes.len();
        self.prefixes.push(prefix.clone());
        self.numbers.insert(prefix, number);
        Ok(number)
    }

    /// The parts that become one object each: of a partition as much as its buffer is to hold.
    fn cut(&self) -> Vec<Part> {
        let size = self.stream.destination.buffering.bytes();
        let of = |(partition, prefix): (usize, &'_ String)| {
            let cuts = self
                .parts
                .spool
                .cut(partition, size)
                .into_iter()
                .enumerate();
            let part = |(number, runs)| Part::new(self.names.part(prefix, number), partition, runs);
            cuts.map(part).collect::<Vec<_>>()
        };
        self.prefixes.iter().enumerate().flat_map(of).collect()
    }
}

#[async_trait]
impl Outlet for Partitions<'_> {
    async fn take(
        &mut self,
        items: Vec<Item>,
        errors: &mut Errors<'_>,
    ) -> Result<(), ExecuteError> {
        let (mut placed, mut rejected) = (Vec::with_capacity(items.len()), Vec::new());
        let ended = errors.now();
        for item in items {
            match self.number(&item) {
                Ok(number) => placed.push((number, item)),
                Err((kind, failure)) => {
                    let (origin, more) = (item.origin, Vec::new());
                    rejected.push(Rejected {
                        origin,
                        kind,
                        failure,
                        attempts: 1,
                        ended,
                        more,
                    });
                }
            }
        }
        self.parts.spool.add(placed).await?;
        Ok(errors.take(rejected).await?)
    }

    /// Writes all objects, and those that the store refuses again, for as long as the configuration says after the
    /// first refusal. AWS: what cannot be delivered to its prefix goes to the error prefix then.
    async fn finish(
        self: Box<Self>,
        ledger: &mut Ledger<'_>,
        errors: &mut Errors<'_>,
    ) -> Result<Vec<String>, ExecuteError> {
        let mut parts = self.cut();
        ledger
            .list(
                &parts
                    .iter()
                    .map(|part| part.key.clone())
                    .collect::<Vec<_>>(),
            )
            .await?;
        let (mut written, env) = (Vec::new(), &self.parts.env);
        let mut retries = Retries::new(env, self.stream.destination.partition_retry_s);
        loop {
            let (begun, is_first) = (env.clock.elapsed(), retries.attempts == 1);
            let refused = self.parts.write(parts, &mut written, errors).await?;
            retries.spend(if is_first {
                Duration::ZERO
            } else {
                env.clock.elapsed() - begun
            });
            let Some((_, error)) = refused.first() else {
                return Ok(written);
            };
            errors.delivery_failed(error).await;
            if !retries.again().await {
                self.parts
                    .give_up(refused, retries.attempts, errors)
                    .await?;
                return Ok(written);
            }
            parts = refused.into_iter().map(|(part, _)| part).collect();
        }
    }
}
