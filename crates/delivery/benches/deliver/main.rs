//! How fast deliveries are on this machine, beside what limits each of them in the same run.
//!
//! `cargo bench -p headwater-delivery --bench deliver -- [--mib N] [--rounds N] [--disk DIR] [CASE ...]` with the cases
//! `plain`, `gzip`, `function`, `partitioned` and `parquet`, which is all of them when none is named, and `node` and
//! `python`: the same function in one process of these. A delivery and its limit are measured in turn, so that a machine
//! that does other things as well slows both. Objects are counted and dropped; with `--disk`, they go to the object
//! store of a server, in a folder there.

mod cases;
mod cost;
mod function;
mod limits;
mod objects;
mod source;
#[path = "../../../columnar/benches/convert/trips.rs"]
mod trips;
mod world;

use std::path::PathBuf;

use bytes::Bytes;

use crate::{
    cases::{Case, RUNTIMES},
    cost::Cost,
    world::World,
};

/// What the bench is asked for.
struct Args {
    mib: usize,
    rounds: usize,
    disk: Option<PathBuf>,
    cases: Vec<String>,
}

impl Args {
    fn parse() -> Self {
        let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
        let mut parsed = Self { mib: 64, rounds: 3, disk: None, cases: Vec::new() };
        while let Some(arg) = args.next() {
            let mut value = || args.next().expect("a value after the option");
            match arg.as_str() {
                "--mib" => parsed.mib = value().parse().expect("a number of MiB"),
                "--rounds" => parsed.rounds = value().parse().expect("a number of rounds"),
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
    fn of(mib: usize) -> Self {
        let (mut records, mut text) = (Vec::new(), Vec::with_capacity(mib << 20));
        while text.len() < mib << 20 {
            let record = trips::trip(records.len() as u64);
            text.extend_from_slice(&record);
            records.push(record);
        }
        Self { records, text }
    }
}

fn main() {
    let args = Args::parse();
    let load = Load::of(args.mib);
    let mb = load.text.len() as f64 / 1e6;
    println!(
        "{} records, {mb:.1} MB, {} rounds: their best rate, and the processor's time in all of them\n",
        load.records.len(),
        args.rounds
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let world = World::open(&load, args.disk).await;
        println!("| delivery | MB/s | CPU s/GB | objects, MB | beside it, on one thread | MB/s | CPU s/GB | share of its rate | CPU beside its CPU |");
        println!("|---|---|---|---|---|---|---|---|---|");
        for case in cases::all(args.mib) {
            let is_asked = args.cases.iter().any(|asked| asked == case.name);
            if is_asked || args.cases.is_empty() && !RUNTIMES.contains(&case.name) {
                measure(&world, &load, &case, args.rounds).await;
            }
        }
    });
}

/// Measures a delivery and its limit in turn, and prints a line about both.
async fn measure(world: &World, load: &Load, case: &Case, rounds: usize) {
    let (mut delivery, mut limit) = (Cost::default(), Cost::default());
    for _ in 0..rounds {
        let (taken, bytes) = world.deliver(&case.destination).await;
        delivery.add(taken, bytes);
        let (bytes, taken) = cost::of(&world.env, || (case.limit)(load));
        limit.add(taken, bytes);
    }
    let mb = load.text.len() as f64 / 1e6;
    let [rate, limit_rate] = [&delivery, &limit].map(|cost| mb / cost.best);
    let [cpu, limit_cpu] = [&delivery, &limit].map(|cost| cost.cpu / rounds as f64 / mb * 1e3);
    println!(
        "| {} | {rate:.0} | {cpu:.2} | {:.1} | {} | {limit_rate:.0} | {limit_cpu:.2} | {:.0} % | {:.2} × |",
        case.name,
        delivery.bytes as f64 / 1e6,
        case.limited_by,
        rate / limit_rate * 100.0,
        cpu / limit_cpu,
    );
}
