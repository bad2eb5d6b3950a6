//! From a record's put to the start of the function that is called with it.
//!
//! The function is made for the run and mapped to its stream. It prints the stamp of each record beside the time at which it
//! was called; what it printed is read out of its log.

use std::{io::Write, time::Duration};

use headwater_client::{CallError, Client};
use headwater_env::Env;
use headwater_shapes_lambda::{self as lambda, ops as lambda_ops};
use headwater_shapes_logs::{self as logs, ops as logs_ops};

use crate::{
    bench::{
        BenchError,
        meter::{Meter, Window},
        payload::{Payload, STAMP_CHARS, Stamp},
        read::ReadCounts,
        target::{READY_INTERVAL, READY_TRIES},
    },
    limits::BENCH_FUNCTION_QUIET_MAX,
};

const CODE: &str = r#"import time


def handler(event, context):
    began = time.time_ns()
    for record in event["Records"]:
        print("called", record["kinesis"]["data"][:32], began)
"#;

/// A function that was made for a run, and its mapping.
#[derive(Debug, Clone)]
pub struct Mapped {
    function: String,
    mapping: Option<String>,
}

/// The result of reading a function's log.
#[derive(Debug, Default)]
pub struct Called {
    /// From sending to the start of the function, of records that were sent in the window.
    pub took: Meter,
    /// The records that the function was called with.
    pub seen: ReadCounts,
}

impl Mapped {
    /// Makes a function that nothing calls yet.
    pub async fn make(client: &Client, name: &str, role: &str) -> Result<Self, BenchError> {
        let input = lambda::CreateFunctionRequest {
            function_name: name.to_owned(),
            runtime: Some("python3.12".to_owned()),
            role: role.to_owned(),
            handler: Some("index.handler".to_owned()),
            code: lambda::FunctionCode {
                zip_file: Some(package().into()),
                ..Default::default()
            },
            timeout: Some(60),
            ..Default::default()
        };
        let made = client.call::<lambda_ops::CreateFunction>(input).await;
        made.map_err(|error| failed(name, "cannot be created", error))?;
        Ok(Self {
            function: name.to_owned(),
            mapping: None,
        })
    }

    /// Has the function called with what is put into a stream from now on.
    pub async fn map(
        &mut self,
        client: &Client,
        stream_arn: &str,
        env: &Env,
    ) -> Result<(), BenchError> {
        let mapped = self.map_to(client, stream_arn, env).await;
        mapped.map_err(|error| failed(&self.function, "cannot be mapped to the stream", error))
    }

    async fn map_to(
        &mut self,
        client: &Client,
        stream_arn: &str,
        env: &Env,
    ) -> Result<(), CallError> {
        for _ in 0..READY_TRIES {
            let input = lambda::GetFunctionConfigurationRequest {
                function_name: self.function.clone(),
                ..Default::default()
            };
            let function = client.call::<lambda_ops::GetFunctionConfiguration>(input);
            if function.await?.state.as_deref() == Some("Active") {
                break;
            }
            env.clock.sleep(READY_INTERVAL).await;
        }
        let input = lambda::CreateEventSourceMappingRequest {
            event_source_arn: Some(stream_arn.to_owned()),
            function_name: self.function.clone(),
            starting_position: Some("LATEST".to_owned()),
            ..Default::default()
        };
        let mapping = client.call::<lambda_ops::CreateEventSourceMapping>(input);
        let uuid = mapping.await?.uuid.unwrap_or_default();
        self.mapping = Some(uuid.clone());
        for _ in 0..READY_TRIES {
            let input = lambda::GetEventSourceMappingRequest { uuid: uuid.clone() };
            let mapping = client.call::<lambda_ops::GetEventSourceMapping>(input);
            if mapping.await?.state.as_deref() == Some("Enabled") {
                return Ok(());
            }
            env.clock.sleep(READY_INTERVAL).await;
        }
        let waited = READY_INTERVAL * READY_TRIES;
        Err(CallError {
            code: CallError::TIMEOUT.to_owned(),
            status: None,
            message: format!("it is not Enabled after {waited:?}"),
            retryable: false,
            unclear: false,
        })
    }

    /// Reads the log until it tells of so many records, or of no more for some seconds.
    pub async fn read(
        &self,
        client: &Client,
        run: &Run<'_>,
        records: u64,
    ) -> Result<Called, BenchError> {
        let clock = &run.env.clock;
        let (mut seen, mut since) = (0, clock.elapsed());
        loop {
            let called = self.read_once(client, run).await;
            let called =
                called.map_err(|error| failed(&self.function, "has no log to read", error))?;
            let now = called.seen.tally.records;
            if now > seen {
                (seen, since) = (now, clock.elapsed());
            }
            if now >= records || clock.elapsed() - since > BENCH_FUNCTION_QUIET_MAX {
                return Ok(called);
            }
            clock.sleep(READY_INTERVAL).await;
        }
    }

    async fn read_once(&self, client: &Client, run: &Run<'_>) -> Result<Called, CallError> {
        let (mut called, mut token) = (Called::default(), None);
        loop {
            let input = logs::FilterLogEventsRequest {
                log_group_name: Some(self.group()),
                filter_pattern: Some("called".to_owned()),
                next_token: token.take(),
                ..Default::default()
            };
            let page = match client.call::<logs_ops::FilterLogEvents>(input).await {
                // The group comes with the function's first line.
                Err(error) if error.code == "ResourceNotFoundException" => return Ok(called),
                page => page?,
            };
            for event in page.events.iter().flatten() {
                called.take(event.message.as_deref().unwrap_or_default(), run);
            }
            match page.next_token {
                None => return Ok(called),
                next => token = next,
            }
        }
    }

    /// Removes the mapping, the function and its log.
    pub async fn remove(self, client: &Client) -> Result<(), BenchError> {
        let removed = self.remove_all(client).await;
        removed.map_err(|e| failed(&self.function, "cannot be removed; remove it yourself", e))
    }

    async fn remove_all(&self, client: &Client) -> Result<(), CallError> {
        if let Some(uuid) = self.mapping.clone() {
            let input = lambda::DeleteEventSourceMappingRequest { uuid };
            let removed = client.call::<lambda_ops::DeleteEventSourceMapping>(input);
            removed.await?;
        }
        let input = lambda::DeleteFunctionRequest {
            function_name: self.function.clone(),
            ..Default::default()
        };
        client.call::<lambda_ops::DeleteFunction>(input).await?;
        let input = logs::DeleteLogGroupRequest {
            log_group_name: self.group(),
        };
        match client.call::<logs_ops::DeleteLogGroup>(input).await {
            Err(error) if error.code == "ResourceNotFoundException" => Ok(()),
            removed => removed.map(drop),
        }
    }

    fn group(&self) -> String {
        format!("/aws/lambda/{}", self.function)
    }
}

/// What a line of the log is held against.
pub struct Run<'a> {
    /// The run's records.
    pub payload: &'a Payload,
    /// The time that is measured.
    pub window: Window,
    /// The machine's clock beside the run's.
    pub wall: Wall,
    /// Where the run is.
    pub env: &'a Env,
}

impl Called {
    /// Takes in a line that the function printed.
    fn take(&mut self, line: &str, run: &Run<'_>) {
        let Some((stamp, began)) = parse(line, run.payload) else {
            self.seen.foreign += 1;
            return;
        };
        self.seen.tally.add(stamp.serial);
        let sent = Duration::from_nanos(stamp.sent);
        if run.window.holds(sent) {
            let took = began.saturating_sub(run.wall.at(sent));
            self.took.success(took, 0, 0);
        }
    }
}

/// The stamp, and the time since the epoch at which the function was called with it.
fn parse(line: &str, payload: &Payload) -> Option<(Stamp, Duration)> {
    let (stamp, began) = line.trim().strip_prefix("called ")?.split_once(' ')?;
    let stamp = (stamp.len() == STAMP_CHARS).then(|| payload.stamp(stamp))??;
    Some((stamp, Duration::from_nanos(began.parse().ok()?)))
}

/// The time since the epoch beside that of the run's clock, whose zero is anywhere.
#[derive(Debug, Clone, Copy)]
pub struct Wall {
    epoch: Duration,
    elapsed: Duration,
}

impl Wall {
    /// Looks at both as a millisecond begins, since the time since the epoch is told in whole ones.
    pub fn read(env: &Env) -> Self {
        let first = env.clock.now();
        let now = loop {
            let now = env.clock.now();
            if now != first {
                break now;
            }
            std::hint::spin_loop();
        };
        Self {
            epoch: Duration::from_millis(now.0),
            elapsed: env.clock.elapsed(),
        }
    }

    /// The time since the epoch of a time of the run's clock.
    fn at(self, elapsed: Duration) -> Duration {
        match elapsed.checked_sub(self.elapsed) {
            Some(after) => self.epoch + after,
            None => self.epoch.saturating_sub(self.elapsed - elapsed),
        }
    }
}

fn package() -> Vec<u8> {
    let mut package = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o644);
    let written = package
        .start_file("index.py", options)
        .and_then(|()| Ok(package.write_all(CODE.as_bytes())?))
        .and_then(|()| package.finish());
    written
        .expect("writing to memory does not fail")
        .into_inner()
}

fn failed(function: &str, what: &'static str, problem: CallError) -> BenchError {
    BenchError::Function {
        function: function.to_owned(),
        what,
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_of_a_record_of_this_run_and_of_when_its_function_began() {
        let payload = Payload::new(7, 100);
        let stamp = Stamp {
            run: 7,
            serial: 1,
            sent: 2_000_000,
        };
        let text = String::from_utf8(stamp.text().to_vec()).unwrap();
        let wall = Wall {
            epoch: Duration::from_secs(50),
            elapsed: Duration::from_millis(1),
        };
        let run = Run {
            payload: &payload,
            window: Window::ALWAYS,
            wall,
            env: &Env::real(),
        };
        let mut called = Called::default();
        // Sent a millisecond after the clocks were looked at, so at 50.001 s.
        called.take(&format!("called {text} 50004000000\n"), &run);
        assert_eq!((called.seen.tally.records, called.seen.foreign), (1, 0));
        assert_eq!(called.took.took.max(), Duration::from_millis(3));
        for other in ["", "called x 1", "called", &format!("called {text} x")] {
            called.take(other, &run);
        }
        assert_eq!((called.seen.tally.records, called.seen.foreign), (1, 4));
    }
}
