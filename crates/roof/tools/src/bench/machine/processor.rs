//! One processor: the work on each byte that no server of this API can do without, and how fast it goes.

use std::{hint::black_box, io::Write, time::Duration};

use base64::{
    Engine,
    engine::{Simd, general_purpose::PAD},
};
use flate2::{Compression, write::GzEncoder};
use headwater_env::Env;
use md5::Md5;
use sha2::{Digest, Sha256};

use crate::bench::{
    machine::Limit,
    payload::{Payload, Stamp},
};

const RECORD_BYTES: usize = 1024;
/// Records of a call.
const RECORDS: usize = 500;
/// More than a processor's own memory holds.
const COPIED_BYTES: usize = 64 << 20;
/// A block as a log checks it.
const CHECKED_BYTES: usize = 32 << 10;

/// Measures each for about `duration`, on the thread that calls.
pub fn measure(duration: Duration, env: &Env) -> Vec<Limit> {
    let measuring = Measuring { duration, env };
    let records = records();
    let all = records.concat();
    let [decode, encode] = measuring.base64(&records);
    let [sha256, md5] = measuring.hashes(&records);
    vec![
        measuring.copy(),
        decode,
        encode,
        sha256,
        md5,
        measuring.time("crc32c", "CRC32C of 32 KiB", CHECKED_BYTES, || {
            black_box(crc_fast::crc32_iscsi(black_box(&all[..CHECKED_BYTES])));
        }),
        measuring.time("gzip", "GZIP of a call's records", all.len(), || {
            let mut gzip = GzEncoder::new(Vec::with_capacity(all.len()), Compression::default());
            gzip.write_all(black_box(&all)).expect("a vector takes all");
            black_box(gzip.finish().expect("a vector takes all"));
        }),
    ]
}

/// The clock, and the time that each kind of work is measured for.
struct Measuring<'a> {
    duration: Duration,
    env: &'a Env,
}

impl Measuring<'_> {
    /// Measures `work`, which each time goes through so many bytes.
    fn time(&self, name: &str, what: &str, bytes: usize, mut work: impl FnMut()) -> Limit {
        let what = format!("one processor: {what}");
        repeat(name, what, bytes, self.duration, self.env, &mut work)
    }

    fn copy(&self) -> Limit {
        let (source, mut target) = (vec![1; COPIED_BYTES], vec![2; COPIED_BYTES]);
        self.time("memory_copy", "copying 64 MiB", COPIED_BYTES, || {
            target.copy_from_slice(black_box(&source));
            black_box(&target);
        })
    }

    /// The records of a call out of base64, and into it.
    fn base64(&self, records: &[Vec<u8>]) -> [Limit; 2] {
        let base64 = Simd::standard(PAD);
        let texts: Vec<String> = records.iter().map(|record| base64.encode(record)).collect();
        let bytes = records.iter().map(Vec::len).sum();
        let (mut decoded, mut encoded) = (vec![0; 2 * RECORD_BYTES], vec![0; 2 * RECORD_BYTES]);
        let decode = || {
            for text in black_box(&texts) {
                let len = base64.decode_slice(text, &mut decoded);
                black_box(len.expect("it is base64, and there is room"));
            }
        };
        let encode = || {
            for record in black_box(records) {
                let len = base64.encode_slice(record, &mut encoded);
                black_box(len.expect("there is room"));
            }
        };
        [
            self.time("base64_decode", "base64 to records of 1 KiB", bytes, decode),
            self.time("base64_encode", "records of 1 KiB to base64", bytes, encode),
        ]
    }

    /// The hashes of a call's body, and of a partition key.
    fn hashes(&self, records: &[Vec<u8>]) -> [Limit; 2] {
        let base64 = Simd::standard(PAD);
        let texts: Vec<String> = records.iter().map(|record| base64.encode(record)).collect();
        let body = texts.concat();
        let whole = || {
            black_box(Sha256::digest(black_box(&body)));
        };
        let key = || {
            black_box(Md5::digest(black_box(&body.as_bytes()[..16])));
        };
        [
            self.time("sha256", "SHA-256 of a call's body", body.len(), whole),
            self.time("md5_key", "MD5 of a partition key of 16 bytes", 16, key),
        ]
    }
}

/// The records of one call, as this generator puts them.
fn records() -> Vec<Vec<u8>> {
    let payload = Payload::new(1, RECORD_BYTES);
    let record = |serial| {
        payload
            .record(Stamp {
                run: 1,
                serial,
                sent: serial,
            })
            .to_vec()
    };
    (0..RECORDS as u64).map(record).collect()
}

/// Does `work` again and again, between two looks at the clock twice as often as before.
fn repeat(
    name: &str,
    what: String,
    bytes: usize,
    duration: Duration,
    env: &Env,
    work: &mut dyn FnMut(),
) -> Limit {
    let began = env.clock.elapsed();
    let (mut times, mut next) = (0, 1);
    loop {
        for _ in 0..next {
            work();
        }
        times += next;
        let wall = env.clock.elapsed() - began;
        if wall >= duration {
            return Limit::of(name, what, times, bytes as u64, wall);
        }
        // Never far beyond the time that is left.
        let fits = times as f64 * (duration.as_secs_f64() / wall.as_secs_f64().max(1e-9) - 1.0);
        next = (next * 2).min(fits as u64 + 1);
    }
}
