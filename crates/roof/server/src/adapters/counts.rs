//! Metric filters of log groups count into the store of metrics.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_loggroups::ports::{Counted, Counts, Note};
use headwater_metrics::{Beside, Datum, Metric, Metrics, Unit, Values};

/// The store of metrics.
pub struct LogCounts(pub Arc<Metrics>);

#[async_trait]
impl Counts for LogCounts {
    async fn add(&self, values: Vec<Counted>, note: Note) -> Result<(), String> {
        let data = values.into_iter().map(datum).collect();
        let Note { shard, value } = note;
        let put = self.0.put_beside(data, Beside { shard, value });
        put.await.map_err(|error| error.to_string())
    }
}

fn datum(counted: Counted) -> Datum {
    let Counted {
        namespace,
        name,
        dimensions,
        unit,
        at,
        values,
    } = counted;
    Datum {
        metric: Metric::new(namespace, name, dimensions),
        // The model allows no other names.
        unit: unit
            .and_then(|name| Unit::from_name(&name))
            .unwrap_or(Unit::None),
        at,
        is_high_resolution: false,
        values: Values::Each(values),
    }
}
