//! How fast deliveries are on this machine, beside what limits each of them in the same run.
//!
//! `cargo bench -p headwater-delivery --bench deliver -- [--mib N] [--rounds N] [--trips N] [--disk DIR] [CASE ...]` with
//! the cases `plain`, `gzip`, `function`, `partitioned` and `parquet`, which is all of them when none is named, and `node`
//! and `python`: the same function in one process of these. A record is one trip, or as many as `--trips` says, one behind
//! the other: larger records of the same text (not for `partitioned` and `parquet`). A delivery and its limits are
//! measured in turn, so that a machine that does other things as well slows all of them. Objects are counted and dropped;
//! with `--disk`, they go to the object store of a server, in a folder there.

mod cases;
mod cost;
mod function;
mod limits;
mod objects;
mod runtimes;
mod source;
#[path = "../../../columnar/benches/convert/trips.rs"]
mod trips;
mod world;

use std::path::PathBuf;

use bytes::Bytes;

use crate::{
    cases::{CALL_BYTES, Case, Work},
    cost::Cost,
    world::World,
};

/// The server's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The arguments of the bench.
struct Args {
    mib: usize,
    rounds: usize,
    trips: usize,
    disk: Option<PathBuf>,
    cases: Vec<String>,
}

impl Args {
    fn parse() -> Self {
        let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
        let mut parsed = Self {
            mib: 64,
            rounds: 3,
            trips: 1,
            disk: None,
            cases: Vec::new(),
        };
        while let Some(arg) = args.next() {
            let mut value = || args.next().expect("a value after the option");
            match arg.as_str() {
                "--mib" => parsed.mib = value().parse().expect("a number of MiB"),
                "--rounds" => parsed.rounds = value().parse().expect("a number of rounds"),
                "--trips" => parsed.trips = value().parse().expect("a number of trips"),
                "--disk" => parsed.disk = Some(value().into()),
                _ => parsed.cases.push(arg),
            }
        }
        parsed
    }
}

/// The records that are delivered.
pub struct Load {
    records: Vec<Bytes>,
    /// All of them, one behind the other.
    text: Vec<u8>,
}

impl Load {
    /// So many MiB of records of so many trips each.
    fn of(mib: usize, trips: usize) -> Self {
        let (mut records, mut text) = (Vec::new(), Vec::with_capacity(mib << 20));
        let mut all = (0..).map(trips::trip);
        while text.len() < mib << 20 {
            let record: Vec<u8> = all.by_ref().take(trips).flatten().collect();
            text.extend_from_slice(&record);
            records.push(record.into());
        }
        Self { records, text }
    }

    fn mb(&self) -> f64 {
        self.text.len() as f64 / 1e6
    }
}

fn main() {
    let args = Args::parse();
    let load = Load::of(args.mib, args.trips);
    println!(
        "{} records of {:.0} bytes, {:.1} MB, {} rounds: their best rate, and the processor's time in all of them\n",
        load.records.len(),
        load.mb() * 1e6 / load.records.len() as f64,
        load.mb(),
        args.rounds
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let world = World::open(&load, args.disk).await;
        println!("| delivery | MB/s | CPU s/GB | its processes' | objects, MB | beside it, on one thread | MB/s | CPU s/GB | share of its rate |");
        println!("|---|---|---|---|---|---|---|---|---|");
        for case in cases::all(args.mib) {
            let is_asked = args.cases.iter().any(|asked| asked == case.name);
            if is_asked || args.cases.is_empty() && !case.is_extra {
                measure(&world, &load, &case, args.rounds).await;
            }
        }
    });
}

/// Measures a delivery and what is beside it in turn, and prints a line about each of these.
async fn measure(world: &World, load: &Load, case: &Case, rounds: usize) {
    let mut delivery = Cost::default();
    let mut beside: Vec<Cost> = case.beside.iter().map(|_| Cost::default()).collect();
    for _ in 0..rounds {
        let (taken, bytes) = world.deliver(&case.destination).await;
        delivery.add(taken, bytes);
        let sent = world.take_sent().unwrap_or_default();
        for (cost, beside) in beside.iter_mut().zip(&case.beside) {
            let (bytes, taken) = match &beside.work {
                Work::Here(work) => cost::of(&world.env, || work(load)),
                Work::Alone(runtime) => (
                    0,
                    runtime.alone(&sent, load.text.len().div_ceil(CALL_BYTES)),
                ),
            };
            cost.add(taken, bytes);
        }
    }
    let rate = |cost: &Cost| load.mb() / cost.best;
    let a_gb = |seconds: f64| seconds / rounds as f64 / load.mb() * 1e3;
    for (cost, beside) in beside.iter().zip(&case.beside) {
        println!(
            "| {} | {:.0} | {:.2} | {:.2} | {:.1} | {} | {:.0} | {:.2} | {:.0} % |",
            case.name,
            rate(&delivery),
            a_gb(delivery.cpu),
            a_gb(delivery.children),
            delivery.bytes as f64 / 1e6,
            beside.name,
            rate(cost),
            a_gb(cost.cpu),
            rate(&delivery) / rate(cost) * 100.0,
        );
    }
}
