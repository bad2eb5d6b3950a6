//! The report at the end of a demo.

use std::fmt;

use crate::{
    demo::{
        count::{Delivered, InStream, Tally},
        mib,
        setup::{DELIVERED, Names},
    },
    replay::Summary,
};

/// The counts of the trips that were replayed, of those that the stream holds, and of those that were delivered.
#[derive(Debug)]
pub struct Report {
    pub(crate) endpoint: String,
    pub(crate) names: Names,
    pub(crate) made: Option<u64>,
    pub(crate) replayed: Summary,
    pub(crate) stream: InStream,
    pub(crate) bucket: Delivered,
}

impl Report {
    /// The counts that do not agree; nothing when every trip is in the stream and in the bucket, once.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut expect = |agrees: bool, problem: String| {
            if !agrees {
                problems.push(problem);
            }
        };
        let (replayed, stream, bucket) = (&self.replayed, &self.stream.tally, &self.bucket.tally);
        if let Some(problem) = &replayed.problem {
            expect(false, format!("the replay stopped: {problem}"));
        }
        expect(
            replayed.failed == 0,
            format!("{} records were not put", replayed.failed),
        );
        if let Some(made) = self.made {
            expect(
                made == replayed.events,
                format!("{made} trips were made, {} replayed", replayed.events),
            );
        }
        for (place, tally) in [("stream", stream), ("bucket", bucket)] {
            let (trips, sent) = (tally.trips(), replayed.events);
            expect(
                trips == sent,
                format!("the {place} has {trips} trips of {sent}"),
            );
            expect(
                tally.repeated == 0,
                format!("the {place} has {} trips twice", tally.repeated),
            );
        }
        expect(
            stream.same_trips(bucket),
            "the stream and the bucket hold different trips".to_owned(),
        );
        expect(
            stream.cents == bucket.cents,
            format!(
                "the amounts differ: {} and {}",
                dollars(stream),
                dollars(bucket)
            ),
        );
        expect(
            stream.watermarks == bucket.watermarks,
            format!(
                "of {} watermarks in the stream, the bucket has {}",
                stream.watermarks, bucket.watermarks
            ),
        );
        let empty = self
            .stream
            .shards
            .iter()
            .filter(|(_, records)| *records == 0)
            .count();
        expect(empty == 0, format!("{empty} shards are empty"));
        let failed = self.bucket.failed_objects;
        expect(
            failed == 0,
            format!("{failed} objects hold what the function did not take"),
        );
        problems
    }

    /// Whether everything agrees.
    pub fn agrees(&self) -> bool {
        self.problems().is_empty()
    }
}

fn dollars(tally: &Tally) -> String {
    format!("{}.{:02}", tally.cents / 100, tally.cents % 100)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (replayed, bucket) = (&self.replayed, &self.bucket);
        writeln!(
            f,
            "replayed   {} trips, {} watermarks in {:.1} s: {:.0} trips/s, at most {:.1} s behind",
            replayed.events,
            replayed.watermarks,
            replayed.seconds,
            replayed.events_per_second,
            replayed.lag_seconds_max
        )?;
        self.place(f, "stream", &self.stream.tally)?;
        let shards: Vec<String> = self
            .stream
            .shards
            .iter()
            .map(|(_, records)| records.to_string())
            .collect();
        writeln!(
            f,
            "           {} shards with {} records",
            shards.len(),
            shards.join(", ")
        )?;
        self.place(f, "bucket", &bucket.tally)?;
        writeln!(
            f,
            "           {} gzip objects, {}",
            bucket.objects,
            mib(bucket.object_bytes)
        )?;
        writeln!(
            f,
            "latency    from put to delivered: median {:.1} s, 99 % within {:.1} s, longest {:.1} s",
            bucket.latency(0.5),
            bucket.latency(0.99),
            bucket.latency(1.0)
        )?;
        match self.problems() {
            problems if problems.is_empty() => {
                writeln!(f, "counts     agree: every trip is in both, once")?
            }
            problems => {
                for problem in problems {
                    writeln!(f, "PROBLEM    {problem}")?;
                }
            }
        }
        self.commands(f)
    }
}

impl Report {
    fn place(&self, f: &mut fmt::Formatter<'_>, name: &str, tally: &Tally) -> fmt::Result {
        writeln!(
            f,
            "{name:10} {} trips, {} watermarks, {}, total_amount {}",
            tally.trips(),
            tally.watermarks,
            mib(tally.bytes),
            dollars(tally)
        )
    }

    fn commands(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Names {
            bucket,
            stream,
            delivery,
            function,
        } = &self.names;
        writeln!(f, "\nLook further with the AWS CLI while the server runs:")?;
        writeln!(
            f,
            "  export AWS_ENDPOINT_URL={} AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=demo AWS_SECRET_ACCESS_KEY=demo",
            self.endpoint
        )?;
        writeln!(f, "  aws s3 ls --recursive s3://{bucket}/{DELIVERED}")?;
        writeln!(
            f,
            "  aws kinesis describe-stream-summary --stream-name {stream}"
        )?;
        writeln!(
            f,
            "  aws firehose describe-delivery-stream --delivery-stream-name {delivery}"
        )?;
        writeln!(
            f,
            "  aws logs filter-log-events --log-group-name /aws/lambda/{function}"
        )
    }
}
