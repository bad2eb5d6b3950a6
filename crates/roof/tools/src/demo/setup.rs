//! The pipeline's parts, made through the API.

use std::{
    io::{Cursor, Write},
    time::Duration,
};

use headwater_client::Client;
use headwater_env::Env;
use headwater_shapes_firehose as firehose;
use headwater_shapes_firehose::ops as firehose_ops;
use headwater_shapes_kinesis as kinesis;
use headwater_shapes_kinesis::ops as kinesis_ops;
use headwater_shapes_lambda as lambda;
use headwater_shapes_lambda::ops as lambda_ops;
use headwater_shapes_s3 as s3;
use headwater_shapes_s3::ops as s3_ops;

use crate::demo::{DemoError, Doing};

/// Where the trips lie that are replayed.
pub const TRIPS: &str = "trips/";
/// Where what is delivered goes.
pub const DELIVERED: &str = "historic-trip-events/";
/// Where what cannot be delivered goes: what the expressions below come to.
pub const FAILED: &str = "processing-failed/";
/// A prefix without expressions would get the kind of error, which is `processing-failed`, behind it once more.
const FAILED_PREFIX: &str = "!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/";

const NODE: &str = include_str!("../../../../../examples/taxi/enrich_events.js");
const PYTHON: &str = include_str!("../../../../../examples/taxi/enrich_events.py");

/// How often it is asked whether something is ready, and how many times.
const READY_INTERVAL: Duration = Duration::from_millis(100);
const READY_TRIES: usize = 600;

/// A role, as the API wants one; nobody checks it on this machine.
const ROLE: &str = "arn:aws:iam::000000000000:role/headwater-demo";

/// The names of the parts; each run has its own, so that runs do not meet.
#[derive(Debug, Clone)]
pub struct Names {
    /// The bucket.
    pub bucket: String,
    /// The stream.
    pub stream: String,
    /// The delivery stream.
    pub delivery: String,
    /// The function.
    pub function: String,
}

impl Names {
    pub fn new(env: &Env) -> Self {
        let run = format!("{:08x}", env.random.next_u64() >> 32);
        Self {
            bucket: format!("taxi-{run}"),
            stream: format!("beam-workshop-{run}"),
            delivery: format!("beam-workshop-s3-{run}"),
            function: format!("EnrichEvents-{run}"),
        }
    }
}

/// The language that the function is run in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    Node,
    Python,
}

/// Node where it is on the path, else Python.
pub async fn runtime(path: Option<&str>, env: &Env) -> Runtime {
    let folders: Vec<_> = std::env::split_paths(path.unwrap_or_default()).collect();
    let disk = env.disk.clone();
    let node = env.blocking(move || {
        folders
            .iter()
            .any(|folder| disk.open_read(&folder.join("node")).is_ok())
    });
    if node.await {
        Runtime::Node
    } else {
        Runtime::Python
    }
}

impl Runtime {
    fn name(self) -> &'static str {
        match self {
            Runtime::Node => "nodejs22.x",
            Runtime::Python => "python3.12",
        }
    }

    /// The function as a package.
    fn package(self) -> Vec<u8> {
        let (name, code) = match self {
            Runtime::Node => ("enrich_events.js", NODE),
            Runtime::Python => ("enrich_events.py", PYTHON),
        };
        let mut package = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let written = package
            .start_file(
                name,
                zip::write::SimpleFileOptions::default().unix_permissions(0o644),
            )
            .and_then(|()| Ok(package.write_all(code.as_bytes())?))
            .and_then(|()| package.finish());
        written
            .expect("writing to memory does not fail")
            .into_inner()
    }
}

/// The client, the names and the environment that the pipeline is made with.
pub struct Setup {
    pub client: Client,
    pub names: Names,
    pub env: Env,
}

impl Setup {
    /// Makes bucket, stream, function and delivery stream, and waits until they are ready.
    pub async fn make(&self, runtime: Runtime, buffer_seconds: i32) -> Result<(), DemoError> {
        self.make_bucket().await?;
        let stream_arn = self.make_stream().await?;
        let function_arn = self.make_function(runtime).await?;
        self.make_delivery(stream_arn, function_arn, buffer_seconds)
            .await
    }

    async fn make_bucket(&self) -> Result<(), DemoError> {
        let input = s3::CreateBucketRequest {
            bucket: self.names.bucket.clone(),
            ..Default::default()
        };
        self.client
            .call::<s3_ops::CreateBucket>(input)
            .await
            .doing("creating the bucket")
            .map(drop)
    }

    async fn make_stream(&self) -> Result<String, DemoError> {
        let stream_name = self.names.stream.clone();
        let input = kinesis::CreateStreamInput {
            stream_name: stream_name.clone(),
            shard_count: Some(4),
            ..Default::default()
        };
        self.client
            .call::<kinesis_ops::CreateStream>(input)
            .await
            .doing("creating the stream")?;
        for _ in 0..READY_TRIES {
            let input = kinesis::DescribeStreamSummaryInput {
                stream_name: Some(stream_name.clone()),
                ..Default::default()
            };
            let output = self
                .client
                .call::<kinesis_ops::DescribeStreamSummary>(input)
                .await;
            let stream = output
                .doing("looking at the stream")?
                .stream_description_summary;
            if stream.stream_status == "ACTIVE" {
                return Ok(stream.stream_arn);
            }
            self.env.clock.sleep(READY_INTERVAL).await;
        }
        Err(DemoError::Stuck(format!(
            "stream {stream_name} did not become active"
        )))
    }

    async fn make_function(&self, runtime: Runtime) -> Result<String, DemoError> {
        let function_name = self.names.function.clone();
        let input = lambda::CreateFunctionRequest {
            function_name: function_name.clone(),
            runtime: Some(runtime.name().to_owned()),
            role: ROLE.to_owned(),
            handler: Some("enrich_events.handler".to_owned()),
            code: lambda::FunctionCode {
                zip_file: Some(runtime.package().into()),
                ..Default::default()
            },
            timeout: Some(60),
            memory_size: Some(256),
            ..Default::default()
        };
        self.client
            .call::<lambda_ops::CreateFunction>(input)
            .await
            .doing("creating the function")?;
        for _ in 0..READY_TRIES {
            let input = lambda::GetFunctionConfigurationRequest {
                function_name: function_name.clone(),
                ..Default::default()
            };
            let output = self
                .client
                .call::<lambda_ops::GetFunctionConfiguration>(input)
                .await;
            let function = output.doing("looking at the function")?;
            if let (Some("Active"), Some(arn)) = (function.state.as_deref(), function.function_arn)
            {
                return Ok(arn);
            }
            self.env.clock.sleep(READY_INTERVAL).await;
        }
        Err(DemoError::Stuck(format!(
            "function {function_name} did not become active"
        )))
    }

    async fn make_delivery(
        &self,
        stream_arn: String,
        function_arn: String,
        buffer_seconds: i32,
    ) -> Result<(), DemoError> {
        let input = firehose::CreateDeliveryStreamInput {
            delivery_stream_name: self.names.delivery.clone(),
            delivery_stream_type: Some("KinesisStreamAsSource".to_owned()),
            kinesis_stream_source_configuration: Some(firehose::KinesisStreamSourceConfiguration {
                kinesis_stream_arn: stream_arn,
                role_arn: ROLE.to_owned(),
            }),
            extended_s3_destination_configuration: Some(
                self.destination(function_arn, buffer_seconds),
            ),
            ..Default::default()
        };
        let made = self
            .client
            .call::<firehose_ops::CreateDeliveryStream>(input)
            .await;
        made.doing("creating the delivery stream")?;
        for _ in 0..READY_TRIES {
            let input = firehose::DescribeDeliveryStreamInput {
                delivery_stream_name: self.names.delivery.clone(),
                ..Default::default()
            };
            let output = self
                .client
                .call::<firehose_ops::DescribeDeliveryStream>(input)
                .await;
            let delivery = output
                .doing("looking at the delivery stream")?
                .delivery_stream_description;
            if delivery.delivery_stream_status == "ACTIVE" {
                return Ok(());
            }
            self.env.clock.sleep(READY_INTERVAL).await;
        }
        Err(DemoError::Stuck(format!(
            "delivery stream {} did not become active",
            self.names.delivery
        )))
    }

    fn destination(
        &self,
        function_arn: String,
        buffer_seconds: i32,
    ) -> firehose::ExtendedS3DestinationConfiguration {
        let lambda_arn = firehose::ProcessorParameter {
            parameter_name: "LambdaArn".to_owned(),
            parameter_value: function_arn,
        };
        let processor = firehose::Processor {
            r#type: "Lambda".to_owned(),
            parameters: Some(vec![lambda_arn]),
        };
        firehose::ExtendedS3DestinationConfiguration {
            role_arn: ROLE.to_owned(),
            bucket_arn: format!("arn:aws:s3:::{}", self.names.bucket),
            prefix: Some(DELIVERED.to_owned()),
            error_output_prefix: Some(FAILED_PREFIX.to_owned()),
            buffering_hints: Some(firehose::BufferingHints {
                size_in_mbs: Some(5),
                interval_in_seconds: Some(buffer_seconds),
            }),
            compression_format: Some("GZIP".to_owned()),
            processing_configuration: Some(firehose::ProcessingConfiguration {
                enabled: Some(true),
                processors: Some(vec![processor]),
            }),
            ..Default::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_package_holds_the_function() {
        for (runtime, name, code) in [
            (Runtime::Node, "enrich_events.js", NODE),
            (Runtime::Python, "enrich_events.py", PYTHON),
        ] {
            let mut package = zip::ZipArchive::new(Cursor::new(runtime.package())).unwrap();
            let mut text = String::new();
            package
                .by_name(name)
                .unwrap()
                .read_to_string(&mut text)
                .unwrap();
            assert_eq!(text, code);
        }
    }

    #[tokio::test]
    async fn node_is_taken_where_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_str().unwrap().to_owned();
        assert_eq!(runtime(Some(&path), &Env::real()).await, Runtime::Python);
        Env::real().disk.create(&dir.path().join("node")).unwrap();
        assert_eq!(runtime(Some(&path), &Env::real()).await, Runtime::Node);
        assert_eq!(runtime(None, &Env::real()).await, Runtime::Python);
    }
}
