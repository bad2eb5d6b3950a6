//! A target without libFuzzer: its seeds, and some hundreds of inputs made of them and of chance, the same in every run.

use std::{panic, path::Path, process, sync::Mutex};

use headwater_env::{Disk, Random, RealDisk, SeededRandom};

/// Inputs beside the seeds.
const INPUTS: usize = 300;

/// Bytes of an input that is made of nothing but chance.
const LEN_MAX: usize = 400;

/// What the formats that are read are made of, and what they trip over.
const TEXT: &[u8] = b"{}[]()<>\"':;,.=&%$@!?*+-/\\_|# \n\r\t\0\x7f\x80\xff0019aAeEnNtTuUxXzZ";

/// The input that is tried.
static INPUT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Has a target take its inputs. A panic, wherever it happens, is told with the input and ends the process.
pub fn try_inputs(target: &str, take: impl Fn(&[u8])) {
    let told = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        told(panicked);
        let input = INPUT.lock().map(|input| input.escape_ascii().to_string());
        eprintln!("The input: b\"{}\"", input.unwrap_or_default());
        process::abort();
    }));
    let seeds = seeds(target);
    let chance = Chance(SeededRandom::new(1));
    let made = (0..INPUTS).map(|nth| chance.input(nth, &seeds));
    for input in seeds.iter().cloned().chain(made) {
        INPUT.lock().expect("no holder panics").clone_from(&input);
        take(&input);
    }
    println!("{target}: {} seeds, {INPUTS} more inputs", seeds.len());
}

/// The seeds of a target that are checked in; not every target has some.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("seeds")
        .join(target);
    let mut files = RealDisk.list(&dir).unwrap_or_default();
    files.sort();
    let read = |name: String| {
        let file = RealDisk.open_read(&dir.join(name))?;
        let mut bytes = vec![0; file.len()? as usize];
        file.read_exact_at(&mut bytes, 0).map(|()| bytes)
    };
    files
        .into_iter()
        .map(|file| read(file.name).expect("a seed can be read"))
        .collect()
}

struct Chance(SeededRandom);

impl Chance {
    /// Any bytes, bytes that mean something to formats, or a seed with some changes, in turns.
    fn input(&self, nth: usize, seeds: &[Vec<u8>]) -> Vec<u8> {
        match nth % 4 {
            0 => (0..self.below(LEN_MAX))
                .map(|_| self.0.next_u64() as u8)
                .collect(),
            1 => self.text(LEN_MAX),
            _ if seeds.is_empty() => self.text(LEN_MAX / 10),
            _ => self.changed(seeds[self.below(seeds.len())].clone()),
        }
    }

    fn text(&self, len_max: usize) -> Vec<u8> {
        (0..self.below(len_max))
            .map(|_| TEXT[self.below(TEXT.len())])
            .collect()
    }

    /// Takes pieces of a seed away, repeats some, and puts others in their place.
    fn changed(&self, mut seed: Vec<u8>) -> Vec<u8> {
        for _ in 0..=self.below(4) {
            let from = self.below(seed.len() + 1);
            let to = from + self.below((seed.len() - from).min(16) + 1);
            let piece = match self.below(3) {
                0 => Vec::new(),
                1 => seed[from..to].repeat(2),
                _ => self.text(4),
            };
            seed.splice(from..to, piece);
        }
        seed
    }

    /// A number below `end`, which is not zero.
    fn below(&self, end: usize) -> usize {
        self.0.next_u64() as usize % end
    }
}
