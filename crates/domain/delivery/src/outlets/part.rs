//! One object of a partition on its way from the spool to the store, as often as it takes.
//!
//! A part is written whole or not at all, and each of its records is told once: as one that does not fit its object, in
//! whichever attempt that is found, or as one that could not be delivered, once no more attempts are made.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use headwater_env::Env;

use super::{errors::Errors, object::ObjectWriter, outlet::pieces_of, spool::Spool};
use crate::{
    budget::Budget,
    encoding::{Encoded, Encoder, Form},
    intent::ExecuteError,
    limits::READ_BYTES_MAX,
    ports::{Objects, ObjectsError},
    records::{ErrorKind, Failure, Item, Rejected},
};

/// The items of a partition that become one object.
pub struct Part {
    /// The object's key.
    pub key: String,
    partition: usize,
    /// Where it lies in the spool.
    runs: Range<usize>,
    /// The first run whose records that do not fit are not told of yet.
    untold: usize,
}

/// Parts that the store did not take, and why.
pub type Refused = Vec<(Part, ObjectsError)>;

impl Part {
    /// The runs of a partition that become the object `key`.
    pub fn new(key: String, partition: usize, runs: Range<usize>) -> Self {
        let untold = runs.start;
        Self {
            key,
            partition,
            runs,
            untold,
        }
    }
}

/// Writes parts.
pub struct Parts<'a> {
    pub env: Env,
    pub objects: Arc<dyn Objects>,
    pub budget: Budget,
    pub bucket: &'a str,
    pub encryption_key: &'a Option<String>,
    pub form: Form,
    pub spool: Spool,
}

impl Parts<'_> {
    /// Writes parts one after the other, and adds the keys of the objects that there are then to `written`.
    pub async fn write(
        &self,
        parts: Vec<Part>,
        written: &mut Vec<String>,
        errors: &mut Errors<'_>,
    ) -> Result<Refused, ExecuteError> {
        let mut refused = Vec::new();
        for mut part in parts {
            match self.write_one(&mut part, errors).await? {
                Ok(is_there) => written.extend(is_there.then_some(part.key)),
                Err(error) => refused.push((part, error)),
            }
        }
        Ok(refused)
    }

    /// Whether there is an object then, for there is none where nothing fits; or why the store did not take it.
    async fn write_one(
        &self,
        part: &mut Part,
        errors: &mut Errors<'_>,
    ) -> Result<Result<bool, ObjectsError>, ExecuteError> {
        let _room = self.form.room(&self.budget).await;
        let (env, objects) = (self.env.clone(), self.objects.clone());
        let writer = ObjectWriter::new(env, objects, self.bucket, &part.key, self.form.clone());
        let mut writer = writer.encrypted(self.encryption_key);
        let mut at = part.runs.start;
        while at < part.runs.end {
            let _room = self.budget.records(READ_BYTES_MAX).await;
            let (items, next) = self.spool.read(part.partition, at..part.runs.end).await?;
            let unfit = match writer.write(pieces_of(&items)).await {
                Ok(unfit) => unfit,
                Err(error) => return Ok(Err(error)),
            };
            if at >= part.untold {
                errors.unfit(&items, unfit).await?;
                part.untold = next;
            }
            at = next;
        }
        Ok(writer.finish().await)
    }

    /// Tells of all records of parts that they could not be delivered, after `attempts`. A refusal may be of a put that
    /// was done: what counts as failed is removed first.
    pub async fn give_up(
        &self,
        refused: Refused,
        attempts: u32,
        errors: &mut Errors<'_>,
    ) -> Result<(), ExecuteError> {
        for (part, error) in refused {
            self.objects.delete(self.bucket, &part.key).await?;
            let failure = Failure::new(error.code(), error.to_string());
            self.tell(part, &failure, attempts, errors).await?;
        }
        Ok(())
    }

    async fn tell(
        &self,
        part: Part,
        failure: &Failure,
        attempts: u32,
        errors: &mut Errors<'_>,
    ) -> Result<(), ExecuteError> {
        let _room = self.form.room(&self.budget).await;
        let mut fit = Fit::of(&self.env, &self.form, &part.key)?;
        let mut at = part.runs.start;
        while at < part.runs.end {
            let _room = self.budget.records(READ_BYTES_MAX).await;
            let (items, next) = self.spool.read(part.partition, at..part.runs.end).await?;
            let unfit = fit.look(pieces_of(&items)).await?;
            let ended = errors.now();
            let fitting = items
                .iter()
                .enumerate()
                .filter(|(at, _)| unfit.iter().all(|(unfit, _)| unfit != at));
            let reject = |(_, item): (usize, &Item)| {
                let (origin, failure, more) = (item.origin.clone(), failure.clone(), Vec::new());
                Rejected {
                    origin,
                    kind: ErrorKind::Processing,
                    failure,
                    attempts,
                    ended,
                    more,
                }
            };
            errors.take(fitting.map(reject).collect()).await?;
            if at >= part.untold {
                errors.unfit(&items, unfit).await?;
            }
            at = next;
        }
        Ok(())
    }
}

/// Says which records would not fit an object that is not made.
struct Fit {
    env: Env,
    /// None where everything fits.
    encoder: Option<Encoder>,
}

impl Fit {
    fn of(env: &Env, form: &Form, key: &str) -> Result<Self, ObjectsError> {
        let encoder = match form {
            Form::Bytes(_) => None,
            Form::Columns(_) => Some(form.encoder(key)?),
        };
        Ok(Self {
            env: env.clone(),
            encoder,
        })
    }

    /// The places of the pieces that do not fit behind those before, and why.
    async fn look(&mut self, pieces: Vec<Bytes>) -> Result<Vec<(usize, Failure)>, ObjectsError> {
        let Some(encoder) = self.encoder.take() else {
            return Ok(Vec::new());
        };
        let (encoder, Encoded { bytes, failed }) = encoder.add(&self.env, pieces).await;
        self.encoder = Some(encoder);
        // The bytes that were made of them are of no use.
        bytes.map(|_| failed)
    }
}
