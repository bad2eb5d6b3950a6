//! The output of a process: read without blocking it, cut into lines, passed on, and its end kept for the caller.

use std::{
    collections::VecDeque,
    io::{self, PipeWriter},
    os::fd::{AsFd, OwnedFd},
    process::Stdio,
};

use headwater_env::Env;
use tokio::net::unix::pipe::Receiver;

use crate::{
    limits,
    logs::{LogLine, LogWriter},
};

/// At the end of a line, that the event goes on in the next: our bootstraps keep the lines of a record together so, which
/// AWS's do through a pipe of their own.
const GOES_ON: u8 = 0;

/// The reading end of a process's stdout and stderr: one pipe, so that their order is kept.
pub(crate) struct Output {
    pipe: Receiver,
    partial: Vec<u8>,
    ended: bool,
}

impl Output {
    /// A pipe: its reading end and the two writing ends for a child.
    pub fn new() -> io::Result<(Self, Stdio, Stdio)> {
        let (reader, writer): (_, PipeWriter) = io::pipe()?;
        let pipe = Receiver::from_owned_fd(OwnedFd::from(reader))?;
        let second = writer.try_clone()?;
        Ok((
            Self {
                pipe,
                partial: Vec::new(),
                ended: false,
            },
            writer.into(),
            second.into(),
        ))
    }

    /// Waits for output and passes on what there is. Nothing is lost when the future is dropped.
    pub async fn pump(&mut self, to: &mut Lines<'_>) {
        if self.ended || self.pipe.readable().await.is_err() {
            // Nothing comes any more; who waits beside this goes on.
            return std::future::pending().await;
        }
        let mut buffer = vec![0; limits::OUTPUT_READ_BYTES];
        match self.pipe.try_read(&mut buffer) {
            Ok(0) => self.ended = true,
            Ok(n) => self.split(&buffer[..n], to),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.ended = true,
        }
    }

    /// Passes on what the process has printed so far, up to one pipe full.
    pub fn drain(&mut self, to: &mut Lines<'_>) {
        let mut buffer = vec![0; limits::OUTPUT_READ_BYTES];
        // Straight from the pipe, past the runtime's idea of whether it is readable, which may lag.
        for _ in 0..16 {
            match rustix::io::read(self.pipe.as_fd(), &mut buffer) {
                Ok(n) if n > 0 => self.split(&buffer[..n], to),
                _ => break,
            }
        }
    }

    /// Passes on a line that has no end yet.
    pub fn end_line(&mut self, to: &mut Lines<'_>) {
        if !self.partial.is_empty() {
            let line = std::mem::take(&mut self.partial);
            to.push_bytes(&line);
        }
    }

    fn split(&mut self, mut bytes: &[u8], to: &mut Lines<'_>) {
        while let Some(at) = bytes.iter().position(|&b| b == b'\n') {
            self.extend(&bytes[..at], to);
            if self.partial.last() == Some(&GOES_ON) {
                self.partial.pop();
                self.extend(b"\n", to);
            } else {
                let line = std::mem::take(&mut self.partial);
                to.push_bytes(&line);
            }
            bytes = &bytes[at + 1..];
        }
        self.extend(bytes, to);
    }

    fn extend(&mut self, mut bytes: &[u8], to: &mut Lines<'_>) {
        while self.partial.len() + bytes.len() > limits::LOG_LINE_BYTES_MAX {
            let (now, later) = bytes.split_at(limits::LOG_LINE_BYTES_MAX - self.partial.len());
            self.partial.extend_from_slice(now);
            let line = std::mem::take(&mut self.partial);
            to.push_bytes(&line);
            bytes = later;
        }
        self.partial.extend_from_slice(bytes);
    }
}

/// The lines of one invocation on their way to the log, and the last of them for the caller.
pub(crate) struct Lines<'a> {
    env: &'a Env,
    writer: &'a LogWriter,
    group: String,
    stream: String,
    waiting: Vec<LogLine>,
    tail: VecDeque<u8>,
}

impl<'a> Lines<'a> {
    pub fn new(env: &'a Env, writer: &'a LogWriter, group: String, stream: String) -> Self {
        Self {
            env,
            writer,
            group,
            stream,
            waiting: Vec::new(),
            tail: VecDeque::new(),
        }
    }

    /// Adds a line, or several that are one event.
    pub fn push(&mut self, message: String) {
        self.tail.extend(message.as_bytes());
        self.tail.push_back(b'\n');
        let surplus = self.tail.len().saturating_sub(limits::LOG_TAIL_BYTES);
        self.tail.drain(..surplus);
        self.push_untold(message);
    }

    /// Adds a line of which the caller is not told.
    pub fn push_untold(&mut self, mut message: String) {
        message.push('\n');
        self.waiting.push(LogLine {
            time: self.env.clock.now(),
            message,
        });
    }

    fn push_bytes(&mut self, line: &[u8]) {
        // CloudWatch keeps no empty events.
        if !line.is_empty() {
            self.push(String::from_utf8_lossy(line).into_owned());
        }
    }

    /// Hands the lines to the writer; waits while it is behind.
    pub async fn flush(&mut self) {
        if !self.waiting.is_empty() {
            let lines = std::mem::take(&mut self.waiting);
            self.writer.write(&self.group, &self.stream, lines).await;
        }
    }

    /// The last of all lines.
    pub fn into_tail(self) -> Vec<u8> {
        self.tail.into()
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write, sync::Arc};

    use async_trait::async_trait;

    use super::*;
    use crate::logs::{LogBatch, LogSink};

    struct Nowhere;

    #[async_trait]
    impl LogSink for Nowhere {
        async fn append(&self, _: &[LogBatch]) -> Result<(), String> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_line_that_is_printed_in_pieces_stays_whole_until_it_is_ended() {
        let env = Env::real();
        let writer = LogWriter::start(&env, Arc::new(Nowhere));
        let mut lines = Lines::new(&env, &writer, "g".into(), "s".into());
        let (reader, mut printer) = io::pipe().unwrap();
        let pipe = Receiver::from_owned_fd(OwnedFd::from(reader)).unwrap();
        let mut output = Output {
            pipe,
            partial: Vec::new(),
            ended: false,
        };
        for piece in ["good", " try 4\nand", " more"] {
            printer.write_all(piece.as_bytes()).unwrap();
            output.drain(&mut lines);
        }
        let messages = |lines: &Lines<'_>| -> Vec<String> {
            lines
                .waiting
                .iter()
                .map(|line| line.message.clone())
                .collect()
        };
        assert_eq!(messages(&lines), ["good try 4\n"]);
        output.end_line(&mut lines);
        output.end_line(&mut lines);
        assert_eq!(messages(&lines), ["good try 4\n", "and more\n"]);
        for piece in ["\n[ERROR] it broke\0", "\n  at a\0\n  at b\nnext\n"] {
            printer.write_all(piece.as_bytes()).unwrap();
            output.drain(&mut lines);
        }
        let together = "[ERROR] it broke\n  at a\n  at b\n";
        assert_eq!(messages(&lines)[2..], [together, "next\n"]);
    }
}
