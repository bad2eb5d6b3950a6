//! Walking through the frames of a file, and telling a torn end from damage.

use bytes::Bytes;

use crate::{
    api::LogError,
    files::LogFile,
    format::{
        BLOCK_HEADER, BlockHeader, FILE_HEADER, FRAME_HEADER, FRAME_MAGIC, Fault, FrameHeader, crc,
    },
};

/// How much is read at one go.
const WINDOW: usize = 1 << 20;

/// A walk through a file's frames.
pub struct Scan<'a> {
    file: &'a LogFile,
    window: Window<'a>,
    /// Where the next frame begins.
    pub at: u64,
    /// The number of the commit that it must be.
    pub commit: u64,
}

/// A frame whose headers are right.
pub struct Frame {
    /// Where it begins.
    pub at: u64,
    /// Its commit number.
    pub commit: u64,
    /// Its blocks.
    pub blocks: Vec<FoundBlock>,
    /// The first block whose body is wrong.
    pub bad_body: Option<Damage>,
}

/// A block whose header is right.
pub struct FoundBlock {
    /// Its header.
    pub header: BlockHeader,
    /// Where its header begins.
    pub at: u64,
    /// Its records, when they were asked for and are right.
    pub body: Option<Bytes>,
}

/// Where something is wrong, and what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// Position in the file.
    pub at: u64,
    /// The fault there.
    pub what: Fault,
}

/// The thing at the walk's position.
pub enum Step {
    /// A frame.
    Frame(Frame),
    /// No whole frame.
    Damaged(Damage),
    /// Nothing more, or only zeros: room that was not used.
    End,
}

impl<'a> Scan<'a> {
    /// A walk through the first `len` bytes of `file`.
    pub fn new(file: &'a LogFile, len: u64) -> Self {
        let window = Window {
            file,
            len,
            start: 0,
            bytes: Vec::new(),
        };
        Self {
            file,
            window,
            at: FILE_HEADER as u64,
            commit: file.header.first_commit,
        }
    }

    /// The next frame. After one that is bad the walk does not go on.
    pub fn step(&mut self, keep_bodies: bool) -> Result<Step, LogError> {
        if self.rest_is_zero()? {
            return Ok(Step::End);
        }
        let header = match self.window.array::<FRAME_HEADER>(self.at)? {
            None => Err("the file ends within a frame header"),
            Some(bytes) => FrameHeader::parse(&bytes, self.file.header.salt),
        };
        let header = match header {
            Ok(header) if header.commit == self.commit => header,
            Ok(_) => return Ok(self.bad("the frame is not the one that follows")),
            Err(what) => return Ok(self.bad(what)),
        };
        let body = self.at + FRAME_HEADER as u64;
        if self.window.len - body < header.length {
            return Ok(self.bad("the file ends within a frame"));
        }
        let frame = match self.blocks(&header, body, keep_bodies)? {
            Ok(frame) => frame,
            Err(bad) => return Ok(Step::Damaged(bad)),
        };
        self.at = body + header.length;
        self.commit += 1;
        Ok(Step::Frame(frame))
    }

    /// Whether nothing but zeros follows.
    fn rest_is_zero(&mut self) -> Result<bool, LogError> {
        // A look at a frame's header mostly tells.
        let (mut at, mut want) = (self.at, FRAME_HEADER);
        while at < self.window.len {
            let len = want.min((self.window.len - at) as usize);
            if self.window.bytes(at, len)?.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            (at, want) = (at + len as u64, WINDOW);
        }
        Ok(true)
    }

    fn bad(&self, what: Fault) -> Step {
        Step::Damaged(Damage { at: self.at, what })
    }

    fn blocks(
        &mut self,
        frame: &FrameHeader,
        body: u64,
        keep_bodies: bool,
    ) -> Result<Result<Frame, Damage>, LogError> {
        let (mut at, end) = (body, body + frame.length);
        let mut found = Frame {
            at: self.at,
            commit: frame.commit,
            blocks: Vec::new(),
            bad_body: None,
        };
        while at < end {
            let header = match self.window.array::<BLOCK_HEADER>(at)? {
                Some(bytes) if end - at >= BLOCK_HEADER as u64 => BlockHeader::parse(&bytes),
                _ => Err("the frame ends within a block header"),
            };
            let header = match header {
                Ok(header) if header.size() <= end - at => header,
                Ok(_) => {
                    return Ok(Err(Damage {
                        at,
                        what: "the block reaches past its frame",
                    }));
                }
                Err(what) => return Ok(Err(Damage { at, what })),
            };
            let bytes = self
                .window
                .bytes(at + BLOCK_HEADER as u64, header.length as usize)?;
            let right = crc(bytes) == header.body_crc;
            let body = (right && keep_bodies).then(|| Bytes::copy_from_slice(bytes));
            if !right && found.bad_body.is_none() {
                found.bad_body = Some(Damage {
                    at,
                    what: "the block's checksum is wrong",
                });
            }
            found.blocks.push(FoundBlock { header, at, body });
            at += header.size();
        }
        if found.blocks.len() as u64 != u64::from(frame.blocks) {
            return Ok(Err(Damage {
                at: self.at,
                what: "the frame has another number of blocks than it says",
            }));
        }
        Ok(Ok(found))
    }

    /// Where the next frame header with a higher commit number than `commit` stands after `from`, and its number. If
    /// there is one, whatever is wrong at `from` was durable once.
    pub fn find_later(&mut self, from: u64, commit: u64) -> Result<Option<(u64, u64)>, LogError> {
        let mut at = from + 1;
        while at + FRAME_HEADER as u64 <= self.window.len {
            let want = WINDOW.min((self.window.len - at) as usize);
            let bytes = self.window.bytes(at, want)?;
            for i in (0..=want - FRAME_HEADER).filter(|&i| bytes[i..].starts_with(FRAME_MAGIC)) {
                let header = bytes[i..i + FRAME_HEADER]
                    .try_into()
                    .expect("as long as a header");
                if let Ok(header) = FrameHeader::parse(header, self.file.header.salt)
                    && header.commit > commit
                {
                    return Ok(Some((at + i as u64, header.commit)));
                }
            }
            at += (want - FRAME_HEADER + 1) as u64;
        }
        Ok(None)
    }
}

/// A part of a file in memory.
struct Window<'a> {
    file: &'a LogFile,
    len: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl Window<'_> {
    /// The `len` bytes at `at`, which the file has.
    fn bytes(&mut self, at: u64, len: usize) -> Result<&[u8], LogError> {
        let held = self.start..=self.start + self.bytes.len() as u64;
        if !held.contains(&at) || !held.contains(&(at + len as u64)) {
            let size = len.max(WINDOW).min((self.len - at) as usize);
            self.bytes.resize(size, 0);
            self.start = at;
            self.file.read(&mut self.bytes, at)?;
        }
        let from = (at - self.start) as usize;
        Ok(&self.bytes[from..from + len])
    }

    /// The `N` bytes at `at`, if the file has them.
    fn array<const N: usize>(&mut self, at: u64) -> Result<Option<[u8; N]>, LogError> {
        if self.len.saturating_sub(at) < N as u64 {
            return Ok(None);
        }
        Ok(Some(
            self.bytes(at, N)?.try_into().expect("as long as asked"),
        ))
    }
}
