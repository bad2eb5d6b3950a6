//! Processes that are kept for versions: started when one is missing, until as many are there as were asked for.
//!
//! Owns their start, which ends when a process asks for its first work. How many there are to be, and whose turn is
//! next, is the pool's.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use headwater_env::Env;

use crate::{
    Error, Function, functions::Inner, invoke, limits, output::Lines, process::Bounds,
    process::Process, process::Signal, runtime_api::Report,
};

/// Starts what is missing, for as long as there is somebody to start it for.
pub(crate) async fn keep(env: Env, inner: Weak<Inner>) {
    loop {
        let Some(strong) = inner.upgrade() else {
            return;
        };
        while let Some(function) = strong.pool.next_to_keep() {
            env.spawn(start(strong.clone(), function));
        }
        let pool = strong.pool.clone();
        drop(strong);
        tokio::select! {
            () = pool.to_keep() => {}
            // Whether anybody is there is looked at from time to time.
            () = env.clock.sleep(limits::IDLE_CHECK_EVERY) => {}
        }
    }
}

async fn start(inner: Arc<Inner>, function: Arc<Function>) {
    let started = begin(&inner, &function).await;
    if let Err(why) = &started {
        tracing::warn!(function = %function.name, version = %function.version, %why, "a process cannot be kept");
    }
    inner.pool.started(&function, started.ok());
}

/// A process that waits for its first work, or why there is none.
async fn begin(inner: &Inner, function: &Function) -> Result<Process, String> {
    let text = |error: Error| error.to_string();
    let mut process = inner.start(function, true).await.map_err(text)?;
    let group = function.name.log_group();
    let mut lines = Lines::new(&inner.env, &inner.logs, group, process.log_stream.clone());
    lines.push_untold(invoke::init_start(inner, function));
    // As long as a start may take that an invocation waits for.
    let timeout = Duration::from_secs(function.configuration.timeout_s.into());
    let bounds = Bounds {
        deadline: inner.env.clock.elapsed() + limits::INIT_TIME + timeout,
        memory_mb: function.configuration.memory_mb,
    };
    let signal = process.watch(bounds, &mut lines).await;
    process.end_line(&mut lines);
    lines.flush().await;
    match signal {
        Signal::Reported(Report::Ready) => Ok(process),
        Signal::Reported(_) => Err("it reported an error of its start".to_owned()),
        Signal::Exited(status) => Err(format!("it ended: {status}")),
        Signal::TimedOut => Err("it took too long".to_owned()),
        Signal::OutOfMemory => Err("it took too much memory".to_owned()),
    }
}
