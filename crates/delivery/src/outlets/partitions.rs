//! One object a partition, written one after the other once it is known which partitions there are.

use std::{collections::HashMap, path::Path, sync::Arc};

use async_trait::async_trait;
use headwater_env::Env;
use tokio::sync::Semaphore;

use super::{Errors, Outlet, write};
use crate::{
    config::StreamRecord,
    execute::{ExecuteError, acquire},
    form::Form,
    item::{ErrorKind, Failure, Item, Rejected},
    ledger::Ledger,
    limits::{PARTITIONS_MAX, READ_BYTES_MAX},
    names::Names,
    object::ObjectWriter,
    ports::Objects,
    spool::Spool,
    steps::{
        query::{NO_KEY, NOT_FOUND},
        share_kib,
    },
    store::Intent,
};

/// Collects items by partition, and writes them at the end.
pub struct Partitions<'a> {
    env: Env,
    objects: Arc<dyn Objects>,
    budget: Arc<Semaphore>,
    bucket: &'a str,
    encryption_key: &'a Option<String>,
    form: Form,
    names: Names<'a>,
    spool: Spool,
    /// The keys of the objects, by the numbers of their partitions.
    keys: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl<'a> Partitions<'a> {
    /// The partitions of `intent`.
    pub async fn open(
        env: &Env,
        objects: &Arc<dyn Objects>,
        budget: &Arc<Semaphore>,
        dir: &Path,
        (stream, intent, form): (&'a StreamRecord, &'a Intent, Form),
    ) -> Result<Self, ExecuteError> {
        Ok(Self {
            names: Names::of(stream, &intent.id, intent.oldest)?,
            spool: Spool::open(env.clone(), dir).await?,
            env: env.clone(),
            objects: objects.clone(),
            budget: budget.clone(),
            bucket: &intent.bucket,
            encryption_key: &stream.destination.encryption_key,
            form,
            keys: Vec::new(),
            numbers: HashMap::new(),
        })
    }

    /// The number of an item's partition; why it has none.
    fn number(&mut self, item: &Item) -> Result<usize, (ErrorKind, Failure)> {
        let no_key = || (ErrorKind::MetadataExtraction, Failure::new(NOT_FOUND, NO_KEY));
        let key = self.names.partition(&item.keys).ok_or_else(no_key)?;
        if let Some(number) = self.numbers.get(&key) {
            return Ok(*number);
        }
        if self.keys.len() == PARTITIONS_MAX {
            let text = "The number of active partitions has exceeded the configured limit";
            let failure = Failure::new("DynamicPartitioning.ActivePartitionLimitExceeded", text);
            return Err((ErrorKind::Processing, failure));
        }
        let number = self.keys.len();
        self.keys.push(key.clone());
        self.numbers.insert(key, number);
        Ok(number)
    }

    async fn write(&self, partition: usize, errors: &mut Errors<'_>) -> Result<bool, ExecuteError> {
        let (key, form) = (&self.keys[partition], self.form.clone());
        let (env, objects) = (self.env.clone(), self.objects.clone());
        let writer = ObjectWriter::new(env, objects, self.bucket, key, form);
        let mut writer = writer.encrypted(self.encryption_key);
        let mut from = 0;
        loop {
            let _share = acquire(&self.budget, share_kib(READ_BYTES_MAX)).await?;
            let (items, next) = self.spool.read(partition, from).await?;
            if items.is_empty() {
                return Ok(writer.finish().await?);
            }
            write(&mut writer, items, errors).await?;
            from = next;
        }
    }
}

#[async_trait]
impl Outlet for Partitions<'_> {
    async fn take(&mut self, items: Vec<Item>, errors: &mut Errors<'_>) -> Result<(), ExecuteError> {
        let (mut placed, mut rejected) = (Vec::with_capacity(items.len()), Vec::new());
        let ended = errors.now();
        for item in items {
            match self.number(&item) {
                Ok(number) => placed.push((number, item)),
                Err((kind, failure)) => {
                    let (origin, more) = (item.origin, Vec::new());
                    rejected.push(Rejected { origin, kind, failure, attempts: 1, ended, more });
                }
            }
        }
        self.spool.add(placed).await?;
        Ok(errors.take(rejected).await?)
    }

    async fn finish(
        self: Box<Self>,
        ledger: &mut Ledger<'_>,
        errors: &mut Errors<'_>,
    ) -> Result<Vec<String>, ExecuteError> {
        ledger.list(&self.keys).await?;
        let mut written = Vec::new();
        for partition in 0..self.keys.len() {
            if self.write(partition, errors).await? {
                written.push(self.keys[partition].clone());
            }
        }
        Ok(written)
    }
}
