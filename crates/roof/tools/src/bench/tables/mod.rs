//! `headwater bench tables`: calls on a table of any DynamoDB endpoint.
//!
//! The table is filled ([`load`]), then one kind of call is made again and again about its items ([`items`], [`call`]); a
//! sample of what was written is read back ([`read_back`]). Connections, histograms and processor time are those of the
//! other modes.

mod args;
mod call;
mod items;
mod load;
mod read_back;
mod report;
mod table;

use std::{pin::pin, sync::Arc, time::Duration};

pub use args::TablesArgs;
use futures_util::future::{Either, join, select};
use headwater_client::ClientConfig;
use headwater_env::Env;
pub use report::TablesReport;

use self::{
    args::What,
    items::{ITEM_BYTES, Items},
    load::{Load, Loaded},
    read_back::Reader,
    table::BenchTable,
};
use crate::{
    bench::{
        BenchError,
        calls::Codec,
        connection::Failure,
        cpu::{self, CpuShare},
        endpoint::{DYNAMODB, Endpoint},
        meter::Window,
        report::Measured,
    },
    limits::BENCH_SAMPLE_OTHERS,
};

/// Measures an endpoint, without printing.
///
/// # Errors
/// When the table cannot be made, filled, read back or removed, or the user stops it.
pub async fn measure(
    args: &TablesArgs,
    config: &ClientConfig,
    env: &Env,
) -> Result<TablesReport, BenchError> {
    let (url, sign) = (&args.endpoint_url, !args.no_sign);
    let endpoint = Endpoint::open(&DYNAMODB, url, config, sign, Codec::Json, env)?;
    let table = BenchTable::open(&endpoint, args.table.as_deref()).await?;
    let run = Run {
        args,
        endpoint,
        table: &table,
        env,
    };
    let report = match select(pin!(run.measure()), pin!(tokio::signal::ctrl_c())).await {
        Either::Left((report, _)) => report,
        Either::Right(_) => Err(BenchError::Stopped),
    };
    let removed = match table.is_own && !args.keep {
        true => table.remove().await,
        false => Ok(()),
    };
    report.and_then(|report| removed.map(|()| report))
}

/// One run on its table.
struct Run<'a> {
    args: &'a TablesArgs,
    endpoint: Arc<Endpoint>,
    table: &'a BenchTable,
    env: &'a Env,
}

/// What was measured, in which time, and what the generator took of the processors.
struct Timed(Loaded, Duration, Option<CpuShare>);

impl Run<'_> {
    async fn measure(&self) -> Result<TablesReport, BenchError> {
        let what = self.args.what;
        let timed = match what {
            What::Load => self.fill().await?,
            _ => {
                if self.table.is_own {
                    self.fill().await?;
                }
                self.call().await
            }
        };
        let verification = match self.args.no_verify || timed.0.sample.is_empty() {
            true => None,
            false => {
                let reader = Reader::new(&self.endpoint, &self.table.name, self.items());
                let read = reader.read(what, &timed.0.sample).await;
                Some(read.map_err(|Failure { code, .. }| BenchError::ReadBack(code))?)
            }
        };
        Ok(TablesReport {
            verification,
            ..self.report(&timed)
        })
    }

    /// Writes all items.
    async fn fill(&self) -> Result<Timed, BenchError> {
        let (clock, before) = (&self.env.clock, cpu::used(self.env));
        let began = clock.elapsed();
        let mut loaded = self.load(What::Load, Window::ALWAYS).run().await;
        let took = clock.elapsed() - began;
        if loaded.meter.records < self.args.items {
            let code = loaded.meter.errors.keys().next();
            let failure = Failure::named(code.map_or("", String::as_str));
            return Err(self.table.failed("cannot be filled", failure));
        }
        // The connections remember what they wrote first; the others are to be there too.
        for _ in 0..BENCH_SAMPLE_OTHERS {
            let any = self.env.random.next_u64() % self.args.items;
            loaded.sample.entry(any).or_insert(None);
        }
        let cpu = CpuShare::between(before, cpu::used(self.env), took);
        Ok(Timed(loaded, took, cpu))
    }

    /// Makes the calls that are measured.
    async fn call(&self) -> Timed {
        let from = self.env.clock.elapsed() + self.args.warm_up;
        let window = Window {
            from,
            to: from + self.args.duration,
        };
        let load = self.load(self.args.what, window);
        let (loaded, cpu) = join(load.run(), cpu::watch(self.env, window)).await;
        Timed(loaded, self.args.duration, cpu)
    }

    fn load(&self, what: What, window: Window) -> Load<'_> {
        Load {
            what,
            table: &self.table.name,
            items: self.items(),
            endpoint: &self.endpoint,
            connections: self.args.connections,
            window,
        }
    }

    fn items(&self) -> Items {
        Items {
            count: self.args.items,
        }
    }

    fn report(&self, Timed(loaded, took, generator_cpu): &Timed) -> TablesReport {
        let (args, seconds) = (self.args, took.as_secs_f64());
        TablesReport {
            bench: "tables",
            endpoint: args.endpoint_url.clone(),
            table: self.table.name.clone(),
            items: args.items,
            item_size: ITEM_BYTES,
            items_a_call: args.what.items(),
            signed: !args.no_sign,
            connections: args.connections,
            seconds,
            calls_per_second: loaded.meter.calls as f64 / seconds,
            measured: vec![Measured::of(args.what.operation(), &loaded.meter, *took)],
            generator_cpu: *generator_cpu,
            verification: None,
        }
    }
}
