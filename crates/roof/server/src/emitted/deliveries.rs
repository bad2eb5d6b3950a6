//! Delivery streams: `AWS/Firehose`. (Source: the developer guide, "Monitor Amazon Data Firehose with CloudWatch metrics".)

use std::sync::Arc;

use async_trait::async_trait;
use headwater_delivery::{Deliveries, DeliveryCalls, Target};
use headwater_metrics::Unit;
use headwater_types::Tallied;

use super::{Emits, Emitted, Name};

const fn name(name: &'static str, unit: Unit) -> Name {
    Name::new("AWS/Firehose", name, unit)
}

const INCOMING_BYTES: Name = name("IncomingBytes", Unit::Bytes);
const INCOMING_RECORDS: Name = name("IncomingRecords", Unit::Count);
const INCOMING_REQUESTS: Name = name("IncomingPutRequests", Unit::Count);
const THROTTLED: Name = name("ThrottledRecords", Unit::Count);
const READ_BYTES: Name = name("DataReadFromKinesisStream.Bytes", Unit::Bytes);
const READ_RECORDS: Name = name("DataReadFromKinesisStream.Records", Unit::Count);

/// The metrics of one kind of destination.
struct Delivery {
    bytes: Name,
    records: Name,
    success: Name,
    /// None where AWS has none.
    freshness: Option<Name>,
}

/// A time that was counted in milliseconds.
const fn seconds(of: &'static str) -> Option<Name> {
    Some(name(of, Unit::Seconds).times(0.001))
}

static TO_S3: Delivery = Delivery {
    bytes: name("DeliveryToS3.Bytes", Unit::Bytes),
    records: name("DeliveryToS3.Records", Unit::Count),
    success: name("DeliveryToS3.Success", Unit::Count),
    freshness: seconds("DeliveryToS3.DataFreshness"),
};
static TO_HTTP: Delivery = Delivery {
    bytes: name("DeliveryToHttpEndpoint.Bytes", Unit::Bytes),
    records: name("DeliveryToHttpEndpoint.Records", Unit::Count),
    success: name("DeliveryToHttpEndpoint.Success", Unit::Count),
    freshness: seconds("DeliveryToHttpEndpoint.DataFreshness"),
};
static TO_SPLUNK: Delivery = Delivery {
    bytes: name("DeliveryToSplunk.Bytes", Unit::Bytes),
    records: name("DeliveryToSplunk.Records", Unit::Count),
    success: name("DeliveryToSplunk.Success", Unit::Count),
    freshness: seconds("DeliveryToSplunk.DataFreshness"),
};
static TO_OPENSEARCH: Delivery = Delivery {
    bytes: name("DeliveryToAmazonOpenSearchService.Bytes", Unit::Bytes),
    records: name("DeliveryToAmazonOpenSearchService.Records", Unit::Count),
    success: name("DeliveryToAmazonOpenSearchService.Success", Unit::Count),
    freshness: seconds("DeliveryToAmazonOpenSearchService.DataFreshness"),
};
static TO_REDSHIFT: Delivery = Delivery {
    bytes: name("DeliveryToRedshift.Bytes", Unit::Bytes),
    records: name("DeliveryToRedshift.Records", Unit::Count),
    success: name("DeliveryToRedshift.Success", Unit::Count),
    freshness: None,
};

/// What delivery streams emit.
pub struct EmitDeliveries(pub Arc<Deliveries>);

#[async_trait]
impl Emits for EmitDeliveries {
    async fn take(&self, to: &mut Emitted) {
        for calls in self.0.take_calls() {
            of_delivery(&calls, to);
        }
    }
}

fn of_delivery(calls: &DeliveryCalls, to: &mut Emitted) {
    let DeliveryCalls {
        stream,
        taken,
        delivered,
    } = calls;
    let dimensions = [("DeliveryStreamName", &*stream.name)];
    to.add(&INCOMING_RECORDS, &dimensions, taken.records);
    to.add(&INCOMING_BYTES, &dimensions, taken.bytes);
    to.add(&INCOMING_REQUESTS, &dimensions, taken.records.map(ones));
    to.add(&THROTTLED, &dimensions, taken.throttled);
    if stream.origin.stream().is_some() {
        to.add(&READ_RECORDS, &dimensions, delivered.records);
        to.add(&READ_BYTES, &dimensions, delivered.bytes);
    }
    let names = match &stream.destination.target {
        Target::Bucket => &TO_S3,
        Target::Http(_) => &TO_HTTP,
        Target::Splunk(_) => &TO_SPLUNK,
        Target::OpenSearch(_) => &TO_OPENSEARCH,
        Target::Redshift(_) => &TO_REDSHIFT,
    };
    to.add(&names.records, &dimensions, delivered.records);
    to.add(&names.bytes, &dimensions, delivered.bytes);
    to.add(&names.success, &dimensions, delivered.success);
    if let Some(freshness) = &names.freshness {
        to.add(freshness, &dimensions, delivered.age_ms);
    }
}

/// As many ones as there were values.
fn ones(tallied: Tallied) -> Tallied {
    Tallied {
        sum: tallied.count,
        ..Tallied {
            count: tallied.count,
            ..Tallied::one(1)
        }
    }
}
