//! `headwater trips`: writes trips to files, as a replay reads them.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use headwater_env::Env;
use lz4_flex::frame::FrameEncoder;

use crate::{files, trips::Trips};

/// Makes taxi trips, in the columns and much like those of New York, as lz4 files of JSON lines.
#[derive(Debug, Clone, Args)]
pub struct TripsArgs {
    /// How many trips.
    #[arg(long, default_value = "120000")]
    pub count: u64,

    /// The folder for the files; it is made.
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,

    /// How many files.
    #[arg(long, default_value = "4", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub files: u64,

    /// The same seed makes the same trips.
    #[arg(long, default_value = "2018")]
    pub seed: u64,
}

/// The counts of the trips that were written.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Written {
    /// Trips.
    pub trips: u64,
    /// Their `total_amount`, in cents.
    pub total_amount_cents: i64,
    /// The files' bytes.
    pub bytes: u64,
    /// The files.
    pub files: Vec<PathBuf>,
}

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{path} cannot be written: {problem}")]
pub struct TripsError {
    path: String,
    problem: io::Error,
}

/// Runs the command, and prints what was written as JSON.
///
/// # Errors
/// When a file cannot be written.
pub async fn run(args: TripsArgs, env: Env) -> Result<Written, TripsError> {
    let disk = env.clone();
    let written = env.blocking(move || write(&args, &disk)).await?;
    println!("{}", serde_json::json!(written));
    Ok(written)
}

fn write(args: &TripsArgs, env: &Env) -> Result<Written, TripsError> {
    let mut trips = Trips::new(args.seed, args.count);
    let mut written = Written {
        trips: 0,
        total_amount_cents: 0,
        bytes: 0,
        files: Vec::new(),
    };
    for file in 0..args.files {
        let count = args.count / args.files + u64::from(file < args.count % args.files);
        let path = args.out.join(format!("part-{file:05}.json.lz4"));
        let failed = |problem| TripsError {
            path: path.display().to_string(),
            problem,
        };
        written.bytes += part(
            &mut trips,
            count,
            &path,
            &mut written.total_amount_cents,
            env,
        )
        .map_err(failed)?;
        written.trips += count;
        written.files.push(path);
    }
    Ok(written)
}

fn part(trips: &mut Trips, count: u64, path: &Path, cents: &mut i64, env: &Env) -> io::Result<u64> {
    let file = files::FileWriter::create(env, path)?;
    let mut packed = FrameEncoder::new(io::BufWriter::new(file));
    for trip in trips.take(usize::try_from(count).unwrap_or(usize::MAX)) {
        *cents += trip.total_amount();
        packed.write_all(trip.to_json().as_bytes())?;
    }
    let file = packed
        .finish()?
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    file.sync()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_hold_all_trips_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let args = TripsArgs {
            count: 1000,
            out: dir.path().join("trips"),
            files: 3,
            seed: 1,
        };
        let written = run(args, Env::real()).await.unwrap();
        assert_eq!((written.trips, written.files.len()), (1000, 3));
        let mut text = String::new();
        for path in &written.files {
            let file = Env::real().disk.open_read(path).unwrap();
            let mut bytes = vec![0; file.len().unwrap() as usize];
            file.read_exact_at(&mut bytes, 0).unwrap();
            io::Read::read_to_string(
                &mut lz4_flex::frame::FrameDecoder::new(&bytes[..]),
                &mut text,
            )
            .unwrap();
        }
        let expected: String = Trips::new(1, 1000).map(|trip| trip.to_json()).collect();
        assert!(text == expected);
        assert_eq!(
            written.total_amount_cents,
            Trips::new(1, 1000).map(|t| t.total_amount()).sum::<i64>()
        );
    }
}
