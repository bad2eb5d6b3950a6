//! The resources that a call is about, out of its parameters.

use headwater_wire::Called;
use serde_json::Value;

/// A resource with its names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub kind: &'static str,
    pub name: String,
    pub arn: String,
}

/// A parameter that names a resource: by its ARN, or by the name that stands behind `before` in it.
struct Row {
    service: &'static str,
    /// The operations that have it, by how their names end; all where it is empty.
    operations: &'static str,
    parameter: &'static str,
    kind: &'static str,
    before: &'static str,
}

const fn row(
    service: &'static str,
    parameter: &'static str,
    kind: &'static str,
    before: &'static str,
) -> Row {
    Row {
        service,
        operations: "",
        parameter,
        kind,
        before,
    }
}

impl Row {
    const fn of(mut self, operations: &'static str) -> Self {
        self.operations = operations;
        self
    }
}

const STREAM: &str = "AWS::Kinesis::Stream";
const FUNCTION: &str = "AWS::Lambda::Function";
const TABLE: &str = "AWS::DynamoDB::Table";
const DATABASE: &str = "AWS::Glue::Database";
const TOPIC: &str = "AWS::SNS::Topic";
const TRAIL: &str = "AWS::CloudTrail::Trail";

/// The rows, of which the first that fits names a resource of its kind.
const ROWS: &[Row] = &[
    row("kinesis", "streamName", STREAM, "stream/"),
    row("kinesis", "streamARN", STREAM, "stream/"),
    row("kinesis", "resourceARN", STREAM, "stream/"),
    row(
        "kinesis",
        "consumerARN",
        "AWS::Kinesis::StreamConsumer",
        "stream/",
    ),
    row(
        "firehose",
        "deliveryStreamName",
        "AWS::KinesisFirehose::DeliveryStream",
        "deliverystream/",
    ),
    row("lambda", "functionName", FUNCTION, "function:"),
    row("lambda", "layerName", "AWS::Lambda::LayerVersion", "layer:"),
    row(
        "lambda",
        "uUID",
        "AWS::Lambda::EventSourceMapping",
        "event-source-mapping:",
    ),
    row("s3", "bucketName", "AWS::S3::Bucket", ""),
    row("logs", "logGroupName", "AWS::Logs::LogGroup", "log-group:"),
    row("sns", "topicArn", TOPIC, ""),
    row("sns", "subscriptionArn", "AWS::SNS::Subscription", ""),
    row("sns", "resourceArn", TOPIC, ""),
    row("sns", "name", TOPIC, "").of("CreateTopic"),
    row("sqs", "queueUrl", "AWS::SQS::Queue", ""),
    row("sqs", "queueName", "AWS::SQS::Queue", ""),
    row("dynamodb", "tableName", TABLE, "table/"),
    row("dynamodb", "resourceArn", TABLE, "table/"),
    row(
        "dynamodbstreams",
        "streamArn",
        "AWS::DynamoDB::Stream",
        "table/",
    ),
    row("glue", "databaseName", DATABASE, "database/"),
    row("glue", "name", DATABASE, "database/").of("Database"),
    row("glue", "databaseInput.name", DATABASE, "database/"),
    row("sts", "roleArn", "AWS::IAM::Role", "role/"),
    row("cloudtrail", "name", TRAIL, "trail/"),
    row("cloudtrail", "trailName", TRAIL, "trail/"),
    row("cloudtrail", "resourceId", TRAIL, "trail/"),
    row(
        "cloudwatch",
        "alarmName",
        "AWS::CloudWatch::Alarm",
        "alarm:",
    ),
];

/// The resources of a call.
pub(super) fn of(call: &Called<'_>) -> Vec<Named> {
    let Some(parameters) = call.input else {
        return Vec::new();
    };
    let operation = call.operation.name;
    let is_of =
        |row: &&Row| row.service == call.service.name && operation.ends_with(row.operations);
    let place = (&*call.context.region.0, &*call.context.account.0);
    let mut found: Vec<Named> = Vec::new();
    for row in ROWS.iter().filter(is_of) {
        let named = text(parameters, row.parameter).map(|text| named(row, text, place));
        found.extend(named.filter(|it| found.iter().all(|other| other.kind != it.kind)));
    }
    found
}

/// The text under a path such as `databaseInput.name`.
fn text<'a>(parameters: &'a Value, path: &str) -> Option<&'a str> {
    let mut parts = path.split('.');
    parts
        .try_fold(parameters, |value, part| value.get(part))?
        .as_str()
}

fn named(row: &Row, text: &str, (region, account): (&str, &str)) -> Named {
    if text.starts_with("arn:") {
        let name = text.splitn(6, ':').nth(5).unwrap_or(text);
        return Named {
            kind: row.kind,
            name: name.strip_prefix(row.before).unwrap_or(name).to_owned(),
            arn: text.to_owned(),
        };
    }
    // A queue's address ends with its name.
    let name = match row.parameter {
        "queueUrl" => text.rsplit('/').next().unwrap_or(text),
        _ => text,
    };
    let arn = match row.service {
        "s3" => format!("arn:aws:s3:::{name}"),
        service => format!("arn:aws:{service}:{region}:{account}:{}{name}", row.before),
    };
    Named {
        kind: row.kind,
        name: name.to_owned(),
        arn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_has_its_name_and_its_arn_whichever_was_given() {
        let of = |service, parameter, value: &str| {
            let mut rows = ROWS.iter();
            let row = rows.find(|row| row.service == service && row.parameter == parameter);
            let named = named(row.unwrap(), value, ("us-east-1", "1"));
            (named.name, named.arn)
        };
        let pair = |name: &str, arn: &str| (name.to_owned(), arn.to_owned());
        let arn = "arn:aws:kinesis:us-east-1:1:stream/taxi";
        assert_eq!(of("kinesis", "streamName", "taxi"), pair("taxi", arn));
        assert_eq!(of("kinesis", "streamARN", arn), pair("taxi", arn));
        assert_eq!(of("s3", "bucketName", "b"), pair("b", "arn:aws:s3:::b"));
        let queue = pair("q", "arn:aws:sqs:us-east-1:1:q");
        assert_eq!(of("sqs", "queueUrl", "http://127.0.0.1:4566/1/q"), queue);
        assert_eq!(of("sqs", "queueName", "q"), queue);
        let topic = "arn:aws:sns:us-east-1:1:t";
        assert_eq!(of("sns", "topicArn", topic), pair("t", topic));
    }
}
