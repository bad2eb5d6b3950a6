//! The steps of one delivery stream, in their order.

use std::sync::Arc;

use headwater_env::Env;
use headwater_types::{Arn, Millis};

use super::{
    append::Append,
    decompress::Decompress,
    function,
    log_events::LogEvents,
    pure::Pure,
    query::{Query, QueryError},
};
use crate::{
    budget::Reservation,
    config::{Function, Origin, Step, StreamRecord},
    ports::{Invoke, InvokeError},
    records::{Item, Outcome, Rejected, UserRecord},
};

/// The steps of a delivery stream, ready to run.
pub struct Steps {
    stages: Vec<Stage>,
    stream: Arn,
    source: Option<Arn>,
}

/// Steps that run together.
enum Stage {
    Pure(Arc<[Box<dyn Pure>]>),
    Function(Function),
}

impl Steps {
    /// The steps that `stream` is configured with.
    pub fn of(stream: &StreamRecord) -> Result<Self, QueryError> {
        let source = match &stream.origin {
            Origin::Direct { .. } => None,
            Origin::Stream { arn, .. } => Some(arn.clone()),
        };
        let mut stages = Vec::new();
        let mut pure: Vec<Box<dyn Pure>> = Vec::new();
        for step in &stream.destination.steps {
            match step {
                Step::Check(format) => pure.push(Box::new(*format)),
                Step::Decompress => pure.push(Box::new(Decompress)),
                Step::LogEvents => pure.push(Box::new(LogEvents)),
                Step::Deaggregate(by) => pure.push(Box::new(by.clone())),
                Step::Query(text) => pure.push(Box::new(Query::compile(text)?)),
                Step::Append(tail) => pure.push(Box::new(Append(tail.clone()))),
                Step::Function(function) => {
                    stages.extend(together(std::mem::take(&mut pure)));
                    stages.push(Stage::Function(function.clone()));
                }
            }
        }
        stages.extend(together(pure));
        Ok(Self {
            stages,
            stream: stream.arn.clone(),
            source,
        })
    }

    /// Takes a group through all steps, and gives back of its room what it does not need once these have seen it. An
    /// error means that nobody can say what would have become of it.
    pub async fn run(
        &self,
        env: &Env,
        invoke: &dyn Invoke,
        group: Vec<UserRecord>,
        room: &mut Reservation,
    ) -> Result<Outcome, InvokeError> {
        let mut done = Outcome::of(group);
        for stage in &self.stages {
            let items = std::mem::take(&mut done.items);
            let next = match stage {
                Stage::Pure(steps) => {
                    let next = run_pure(env, steps.clone(), items).await;
                    room.keep(next.items.iter().map(|item| item.data.len()).sum());
                    next
                }
                Stage::Function(function) => {
                    let (stream, source) = (&self.stream, self.source.as_ref());
                    function::Caller {
                        env,
                        invoke,
                        function,
                        stream,
                        source,
                    }
                    .run(items)
                    .await?
                }
            };
            done.items = next.items;
            done.rejected.extend(next.rejected);
        }
        Ok(done)
    }
}

fn together(steps: Vec<Box<dyn Pure>>) -> Option<Stage> {
    (!steps.is_empty()).then(|| Stage::Pure(steps.into()))
}

async fn run_pure(env: &Env, steps: Arc<[Box<dyn Pure>]>, items: Vec<Item>) -> Outcome {
    let now = env.clock.now();
    env.blocking(move || apply_all(&steps, items, now)).await
}

pub fn apply_all(steps: &[Box<dyn Pure>], items: Vec<Item>, now: Millis) -> Outcome {
    let mut done = Outcome {
        items,
        rejected: Vec::new(),
    };
    for step in steps {
        let items = std::mem::take(&mut done.items);
        done.items.reserve(items.len());
        for item in items {
            let origin = item.origin.clone();
            if let Err(failure) = step.apply(item, &mut done.items) {
                let more = step.more(&origin);
                let kind = step.kind();
                done.rejected.push(Rejected {
                    origin,
                    kind,
                    failure,
                    attempts: 1,
                    ended: now,
                    more,
                });
            }
        }
    }
    done
}
