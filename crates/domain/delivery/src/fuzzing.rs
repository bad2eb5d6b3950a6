//! Ways in for the targets in `fuzz/`: the parsers of records, staged objects and a function's answers. The targets do
//! not look at results; they watch that nothing panics and all of it ends.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use headwater_env::Env;
use headwater_types::{Account, Arn, Millis, Region, SequenceNumber, ShardIndex};

use crate::{
    config::{Function, Step},
    naming::{Prefixes, Values},
    ports::{Invoke, InvokeError},
    records::{ErrorKind, Item, Keys, Outcome, UserRecord},
    sinks::copy_rows,
    steps::{
        decompress::Decompress, function::Caller, log_events::LogEvents, pure::Pure, query::Query,
    },
};

/// Takes a record through a step that is not a function.
pub fn step(step: &Step, data: Bytes) {
    match step {
        Step::Check(format) => apply(format, data),
        Step::Decompress => apply(&Decompress, data),
        Step::LogEvents => apply(&LogEvents, data),
        Step::Deaggregate(by) => apply(by, data),
        Step::Query(text) => drop(Query::compile(text).map(|query| apply(&query, data))),
        Step::Function(_) | Step::Append(_) => {}
    }
}

fn apply(step: &dyn Pure, data: Bytes) {
    for item in items(data) {
        drop(step.apply(item, &mut Vec::new()));
    }
}

fn items(data: Bytes) -> Vec<Item> {
    let (shard, arrival) = (ShardIndex(0), Millis::ZERO);
    let sequence_number = SequenceNumber::of_record(arrival, shard, 0, arrival);
    let (shard, partition_key) = (shard.to_string().into(), "k".into());
    Outcome::of(vec![UserRecord {
        shard,
        sequence_number,
        sub: 0,
        partition_key,
        data,
        arrival,
    }])
    .items
}

/// Reads both prefixes and a time zone, and evaluates the prefixes.
pub fn prefixes(data: Option<&str>, errors: Option<&str>, zone: Option<&str>) {
    let Ok(prefixes) = Prefixes::parse(data, errors, zone) else {
        return;
    };
    let (time, keys) = (&prefixes.zoned(Millis(1_514_764_800_000)), &Keys::default());
    let values = Values {
        time,
        random: &|_| "0".to_owned(),
        kind: ErrorKind::Processing,
        keys,
    };
    drop((prefixes.data(values), prefixes.errors(values)));
}

/// Takes a record through a function that answers this.
pub async fn function_answer(answer: Bytes) {
    let arn = |service: &str, resource: &str| {
        Arn::new(
            service,
            &Region("us-east-1".into()),
            &Account("000000000000".into()),
            resource,
        )
    };
    let function = &Function {
        arn: arn("lambda", "function:f"),
        retries: 0,
        batch_bytes: 1024,
        interval_s: 60,
    };
    let (env, stream, invoke) = (
        &Env::real(),
        &arn("firehose", "deliverystream/d"),
        &Answers(answer),
    );
    drop(
        Caller {
            env,
            invoke,
            function,
            stream,
            source: None,
        }
        .run(items(Bytes::from_static(b"x")))
        .await,
    );
}

struct Answers(Bytes);

#[async_trait]
impl Invoke for Answers {
    async fn invoke(&self, _: &Arn, _: Bytes) -> Result<Bytes, InvokeError> {
        Ok(self.0.clone())
    }
}

/// Makes rows of a staged object, which comes in pieces.
pub async fn rows(options: &str, columns: Vec<String>, object: Vec<Bytes>) {
    let object = stream::iter(object.into_iter().map(Ok)).boxed();
    if let Some(mut rows) = copy_rows(object, options, columns) {
        while let Some(Ok(_)) = rows.next().await {}
    }
}
