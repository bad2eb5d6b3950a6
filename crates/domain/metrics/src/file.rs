//! Files of points: pages by series, an index of the pages, and the end that says where it is.

use std::{
    io::IoSlice,
    path::{Path, PathBuf},
    sync::Arc,
};

use headwater_env::{Disk, Env, File};
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    bytes::{Input, put_varint},
    index::SeriesId,
    limits,
    page::{Run, put_run, runs},
    recent::{Dot, Level},
};

/// The beginning of every file; the last byte is the version.
const MAGIC: &[u8; 8] = b"HWPOINT\x01";
/// The end: where the index begins, how many bytes it has, and the checksum of the two.
const END_BYTES: usize = 8 + 4 + 4;
const CHECKSUM_BYTES: usize = 4;
const COMPRESSION: i32 = 3;

/// A file, as the catalog knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    /// The number in its name.
    pub number: u64,
    /// The level of its points.
    pub level: Level,
    /// The second at which its part of time begins.
    pub from: u64,
    /// Its length.
    pub bytes: u64,
    /// Its points.
    pub points: u64,
}

/// A file that is open. It may be removed meanwhile, and is read to the end nevertheless.
pub(crate) struct PointFile {
    pub record: FileRecord,
    path: PathBuf,
    file: Box<dyn File>,
}

/// A page: the first series that it has points of, and where its bytes are.
#[derive(Debug, Clone, Copy)]
struct Page {
    first: SeriesId,
    offset: u64,
    len: usize,
}

pub(crate) fn path_of(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:016x}.points"))
}

pub(crate) fn io_error(file: &Path, error: &std::io::Error) -> Error {
    Error::Io {
        file: file.into(),
        error: error.to_string().into(),
    }
}

pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    crc_fast::crc32_iscsi(bytes)
}

impl PointFile {
    /// Opens a file that the catalog has. Blocks.
    pub fn open(env: &Env, dir: &Path, record: FileRecord) -> Result<Arc<Self>, Error> {
        let path = path_of(dir, record.number);
        let opened = env.disk.open_read(&path);
        let file = opened.map_err(|error| io_error(&path, &error))?;
        Ok(Arc::new(Self { record, path, file }))
    }

    /// The points of a series, in order. Blocks.
    pub fn points(&self, series: SeriesId) -> Result<Vec<Dot>, Error> {
        let pages = self.pages()?;
        // A series may go on in pages that begin with it.
        let from = pages
            .partition_point(|page| page.first < series)
            .saturating_sub(1);
        let mut dots = Vec::new();
        for page in pages[from..].iter().take_while(|page| page.first <= series) {
            let found = self
                .runs(page)?
                .into_iter()
                .filter(|run| run.series == series);
            dots.extend(found.flat_map(|run| run.dots));
        }
        Ok(dots)
    }

    /// All runs, series by series.
    pub fn scan(self: &Arc<Self>) -> Result<Scan, Error> {
        Ok(Scan {
            pages: self.pages()?.into_iter(),
            file: self.clone(),
            runs: Vec::new().into_iter().peekable(),
        })
    }

    fn damaged(&self, what: &'static str) -> Error {
        Error::Damaged {
            file: self.path.clone(),
            what,
        }
    }

    /// Bytes of the file whose last four are the checksum of the others, which are what is returned.
    fn checked(&self, offset: u64, len: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; len];
        let read = self.file.read_exact_at(&mut bytes, offset);
        read.map_err(|error| io_error(&self.path, &error))?;
        let sum = bytes.split_off(len.saturating_sub(CHECKSUM_BYTES));
        match sum == checksum(&bytes).to_le_bytes() {
            true => Ok(bytes),
            false => Err(self.damaged("a checksum does not hold")),
        }
    }

    fn pages(&self) -> Result<Vec<Page>, Error> {
        let least = (MAGIC.len() + END_BYTES) as u64;
        let Some(end) = self.record.bytes.checked_sub(END_BYTES as u64) else {
            return Err(self.damaged("it is too short"));
        };
        let bytes = self.checked(end, END_BYTES)?;
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .rev()
                .fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))
        };
        let (offset, len) = (number(&bytes[..8]), number(&bytes[8..]));
        if self.record.bytes < least || offset.checked_add(len) != Some(end) {
            return Err(self.damaged("its end names another index"));
        }
        let index = self.checked(offset, len as usize)?;
        pages(&index).ok_or_else(|| self.damaged("its index is none"))
    }

    fn runs(&self, page: &Page) -> Result<Vec<Run>, Error> {
        let packed = self.checked(page.offset, page.len)?;
        let bytes = zstd::bulk::decompress(&packed, limits::PAGE_BYTES_MAX);
        let bytes = bytes.map_err(|_| self.damaged("a page is not compressed as it should be"))?;
        runs(&bytes, self.record.level).ok_or_else(|| self.damaged("a page is none"))
    }
}

/// The pages that an index names.
fn pages(index: &[u8]) -> Option<Vec<Page>> {
    let mut input = Input::new(index);
    let (mut pages, mut first, mut offset) = (Vec::new(), 0u32, MAGIC.len() as u64);
    while !input.rest().is_empty() {
        first = first.checked_add(input.varint()?.try_into().ok()?)?;
        let len = input.count(2 * limits::PAGE_BYTES_MAX)?;
        pages.push(Page {
            first: SeriesId(first),
            offset,
            len,
        });
        offset += len as u64;
    }
    Some(pages)
}

/// The runs of a file, read page by page.
pub(crate) struct Scan {
    file: Arc<PointFile>,
    pages: std::vec::IntoIter<Page>,
    runs: std::iter::Peekable<std::vec::IntoIter<Run>>,
}

impl Scan {
    /// The series of the next run. Blocks.
    pub fn peek(&mut self) -> Result<Option<SeriesId>, Error> {
        while self.runs.peek().is_none() {
            let Some(page) = self.pages.next() else {
                return Ok(None);
            };
            self.runs = self.file.runs(&page)?.into_iter().peekable();
        }
        Ok(self.runs.peek().map(|run| run.series))
    }

    /// All that comes next of this series. Blocks.
    pub fn take(&mut self, series: SeriesId) -> Result<Vec<Dot>, Error> {
        let mut dots = Vec::new();
        while self.peek()? == Some(series) {
            dots.extend(self.runs.next().into_iter().flat_map(|run| run.dots));
        }
        Ok(dots)
    }
}

/// A file that is being written.
pub(crate) struct FileWriter {
    record: FileRecord,
    path: PathBuf,
    file: Box<dyn File>,
    page: Vec<u8>,
    /// The first and the last series of the page.
    series: Option<(SeriesId, SeriesId)>,
    index: Vec<u8>,
    /// The first series of the page that was written last.
    indexed: SeriesId,
}

impl FileWriter {
    /// Begins a file; one of this number that a crash left behind is replaced. Blocks.
    pub fn new(
        disk: &dyn Disk,
        dir: &Path,
        number: u64,
        level: Level,
        from: u64,
    ) -> Result<Self, Error> {
        let path = path_of(dir, number);
        let file = create(disk, &path)?;
        let mut writer = Self {
            record: FileRecord {
                number,
                level,
                from,
                bytes: 0,
                points: 0,
            },
            path,
            file,
            page: Vec::new(),
            series: None,
            index: Vec::new(),
            indexed: SeriesId::default(),
        };
        writer.append(MAGIC)?;
        Ok(writer)
    }

    /// Adds the points of a series, which comes behind all before it. Blocks.
    pub fn add(&mut self, series: SeriesId, dots: &[Dot]) -> Result<(), Error> {
        let mut rest = dots;
        while !rest.is_empty() {
            let (run, more) = rest.split_at(run_length(rest));
            let last = self.series.map(|series| series.1);
            put_run(&mut self.page, last, series, self.record.level, run);
            let first = self.series.map_or(series, |series| series.0);
            self.series = Some((first, series));
            self.record.points += run.len() as u64;
            if self.page.len() >= limits::PAGE_BYTES {
                self.end_page()?;
            }
            rest = more;
        }
        Ok(())
    }

    /// Ends the file, durably but for its name. Blocks.
    pub fn end(mut self) -> Result<FileRecord, Error> {
        self.end_page()?;
        let offset = self.record.bytes;
        let index = std::mem::take(&mut self.index);
        let len = self.append_checked(&index)?;
        let mut end = offset.to_le_bytes().to_vec();
        end.extend_from_slice(&(len as u32).to_le_bytes());
        self.append_checked(&end)?;
        let synced = self.file.sync();
        synced.map_err(|error| io_error(&self.path, &error))?;
        Ok(self.record)
    }

    fn end_page(&mut self) -> Result<(), Error> {
        let Some((first, _)) = self.series.take() else {
            return Ok(());
        };
        let packed = zstd::bulk::compress(&self.page, COMPRESSION);
        let packed = packed.map_err(|error| io_error(&self.path, &error))?;
        let len = self.append_checked(&packed)?;
        put_varint(&mut self.index, (first.0 - self.indexed.0).into());
        put_varint(&mut self.index, len as u64);
        self.indexed = first;
        self.page.clear();
        Ok(())
    }

    fn append_checked(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        self.append(bytes)?;
        self.append(&checksum(bytes).to_le_bytes())?;
        Ok(bytes.len() + CHECKSUM_BYTES)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let written = self
            .file
            .write_all_at(&[IoSlice::new(bytes)], self.record.bytes);
        written.map_err(|error| io_error(&self.path, &error))?;
        self.record.bytes += bytes.len() as u64;
        Ok(())
    }
}

/// Makes a file anew, in place of what a crash may have left.
pub(crate) fn create(disk: &dyn Disk, path: &Path) -> Result<Box<dyn File>, Error> {
    let created = match disk.create(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            disk.remove(path).and_then(|()| disk.create(path))
        }
        created => created,
    };
    created.map_err(|error| io_error(path, &error))
}

/// How many points the next run has: at least one, and no more than a page takes.
fn run_length(dots: &[Dot]) -> usize {
    let mut weight = 0;
    let fits = dots.iter().take(limits::RUN_POINTS_MAX).take_while(|dot| {
        weight += dot.cell.weight();
        weight <= limits::PAGE_BYTES
    });
    fits.count().max(1)
}
