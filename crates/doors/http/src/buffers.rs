//! Bodies read into memory, within the room that all of them share.
//!
//! Memory is counted before it is reserved: a body that was only announced has none, and one that comes has at most a
//! few times what came of it. Large buffers are reused (`headwater_env::buffers`).

use std::io;

use bytes::Bytes;
use headwater_env::buffers;
use http_body::Body as _;
use http_body_util::BodyExt;

use crate::{
    Body,
    http1::incoming::Incoming,
    limits::{BODY_AHEAD, BODY_STEP_BYTES, BODY_WEIGHT, BUFFERED_BYTES, DISCARDED_BYTES},
    room::{Room, Share},
};

/// A body in memory, and its share of what all bodies may take.
pub struct Buffered {
    /// The body.
    pub bytes: Bytes,
    /// Its share of the room, kept for as long as the body, or what was read of it, is needed.
    pub share: Share,
}

/// Why a body is not in memory.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// It is longer than such a request may be.
    #[error("the body is longer than {limit} bytes")]
    TooLong {
        /// The most bytes that it may have.
        limit: usize,
    },
    /// It broke off.
    #[error("the body broke off: {0}")]
    Broken(#[from] io::Error),
}

/// Room for bodies in memory. Clones share it.
#[derive(Debug, Clone)]
pub struct Buffers(Room);

impl Default for Buffers {
    fn default() -> Self {
        Self::new(BUFFERED_BYTES)
    }
}

impl Buffers {
    /// Room for `total` bytes: bodies, and what becomes of them.
    pub fn new(total: usize) -> Self {
        Self(Room::new(total))
    }

    /// Reads a body of at most `limit` bytes, as there is room for what comes of it: one that was only announced keeps
    /// nobody out and takes no memory.
    ///
    /// # Errors
    /// When it is too long, or breaks off.
    pub async fn hold(&self, body: Body, limit: usize) -> Result<Buffered, HoldError> {
        if body.size_hint().lower() > limit as u64 {
            discard(body).await;
            return Err(HoldError::TooLong { limit });
        }
        let mut reading = Reading::new(&self.0);
        let bytes = match body.into_counted() {
            Ok((incoming, len)) => reading.counted(&incoming, len as usize).await?,
            Err(body) => reading.frames(body, limit).await?,
        };
        let share = reading.share;
        Ok(Buffered { bytes, share })
    }

    /// The bytes that are taken at the moment, and those that may be.
    pub fn taken(&self) -> (usize, usize) {
        self.0.taken()
    }

    /// Takes room for one more step of a body that is made from one that `share` stands for; how many bytes of it that are.
    pub async fn grow(&self, share: &mut Share) -> usize {
        self.0.grow(share).await;
        BODY_STEP_BYTES
    }

    /// Gives back what is beyond a body of `len` bytes.
    pub fn shrink(share: &mut Share, len: usize) {
        share.keep(len.saturating_mul(BODY_WEIGHT));
    }

    /// Takes room for `bytes`, or all there is, once it is free.
    pub async fn take(&self, bytes: usize) -> Share {
        self.0.take(bytes).await
    }
}

/// A body that is being read.
struct Reading<'a> {
    room: &'a Room,
    share: Share,
    /// The bytes that are counted; no more are reserved, except where a buffer that went round has up to twice as many.
    charged: usize,
    bytes: Vec<u8>,
}

impl<'a> Reading<'a> {
    fn new(room: &'a Room) -> Self {
        Self {
            room,
            share: Share::default(),
            charged: 0,
            bytes: Vec::new(),
        }
    }

    /// Reads a body of `len` bytes from its connection straight to where it stays.
    async fn counted(&mut self, incoming: &Incoming, len: usize) -> io::Result<Bytes> {
        while self.bytes.len() < len {
            self.more(incoming, len).await?;
        }
        Ok(buffers::share(std::mem::take(&mut self.bytes)))
    }

    /// Reads some more of it. Before the first bytes arrived, nothing is counted or reserved.
    async fn more(&mut self, incoming: &Incoming, len: usize) -> io::Result<()> {
        let needed = match self.bytes.len() {
            0 => incoming.arrived().await?.min(len),
            came => came + 1,
        };
        self.make_room(needed, len).await;
        let most = self.bytes.capacity().min(self.charged) - self.bytes.len();
        incoming.read_more(&mut self.bytes, most).await
    }

    /// Reads a body that comes in frames; one that is a single frame stays where it is.
    async fn frames(&mut self, mut body: Body, limit: usize) -> Result<Bytes, HoldError> {
        let announced = body.size_hint().exact().map(|len| len as usize);
        let mut first = Bytes::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            let len = first.len() + self.bytes.len() + data.len();
            if len > limit {
                drop((first, std::mem::take(&mut self.bytes)));
                discard(body).await;
                return Err(HoldError::TooLong { limit });
            }
            if first.is_empty() && self.bytes.is_empty() {
                self.charge(len, len).await;
                first = data;
                continue;
            }
            self.make_room(len, announced.unwrap_or(2 * len)).await;
            self.bytes.extend_from_slice(&std::mem::take(&mut first));
            self.bytes.extend_from_slice(&data);
        }
        if self.bytes.is_empty() {
            return Ok(first);
        }
        Ok(buffers::share(std::mem::take(&mut self.bytes)))
    }

    /// Makes room for `needed` bytes in all of a body that is expected to have `expected`: counts them, and reserves
    /// what is counted.
    async fn make_room(&mut self, needed: usize, expected: usize) {
        if needed <= self.charged.min(self.bytes.capacity()) {
            return;
        }
        self.charge(needed, expected).await;
        let more = self.charged.min(expected).max(needed) - self.bytes.len();
        buffers::reserve(&mut self.bytes, more);
    }

    /// Counts `needed` bytes, and a few times as many of those expected if there is room for them now: a long body is
    /// copied seldom as its buffer grows.
    async fn charge(&mut self, needed: usize, expected: usize) {
        while self.charged < needed {
            self.room.grow(&mut self.share).await;
            self.charged += BODY_STEP_BYTES;
        }
        let ahead = expected.min(needed.saturating_mul(BODY_AHEAD));
        while self.charged < ahead && self.room.try_grow(&mut self.share) {
            self.charged += BODY_STEP_BYTES;
        }
    }
}

/// Reads a body that nobody wants, so that its sender gets to reading the answer; not one that is very long, and not one
/// whose sender waits to be told to send it.
async fn discard(mut body: Body) {
    if body.is_held_back() {
        return;
    }
    let mut left = DISCARDED_BYTES;
    while body.size_hint().lower() <= left
        && let Some(Ok(frame)) = body.frame().await
    {
        let len = frame.data_ref().map_or(0, |data| data.len() as u64);
        let Some(rest) = left.checked_sub(len) else {
            return;
        };
        left = rest;
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, sync::Arc, task::Poll};

    use futures_util::{StreamExt, poll, stream};
    use headwater_env::ManualClock;
    use headwater_types::Millis;
    use parking_lot::Mutex;
    use proptest::prelude::*;
    use tokio::io::{AsyncWriteExt, DuplexStream};

    use super::*;
    use crate::{
        body::{full, streamed},
        http1::{body_state::BodyState, transport::Transport},
        limits::BODY_IDLE,
        progress::Progress,
    };

    const STEP: usize = BODY_STEP_BYTES * BODY_WEIGHT;

    fn of_pieces(pieces: &'static [&'static [u8]]) -> Body {
        let chunks = stream::iter(pieces.iter().map(|c| Ok(Bytes::from_static(c))));
        streamed(chunks, None)
    }

    /// A connection that is in a body of this length: what keeps it open, and its body.
    fn connection(len: u64) -> (DuplexStream, Arc<Mutex<Transport>>, Incoming) {
        let clock = Arc::new(ManualClock::at(Millis(0)));
        let progress = || Progress::new(clock.clone(), BODY_IDLE);
        let (client, server) = tokio::io::duplex(1 << 20);
        let mut transport = Transport::new(Box::new(server), progress(), progress());
        transport.begin(BodyState::of_length(len));
        let transport = Arc::new(Mutex::new(transport));
        let incoming = Incoming::new(&transport);
        (client, transport, incoming)
    }

    #[tokio::test]
    async fn bodies_are_read_up_to_their_limit() {
        let buffers = Buffers::new(4096);
        let read = async |body| buffers.hold(body, 4).await.map(|held| held.bytes);
        assert_eq!(read(of_pieces(&[])).await.unwrap(), "");
        let pieces = of_pieces(&[b"ab", b"", b"cd"]);
        assert_eq!(read(pieces).await.unwrap(), "abcd");
        assert_eq!(read(full("abcd")).await.unwrap(), "abcd");
        for body in [full("abcde"), of_pieces(&[b"ab", b"cd", b"e"])] {
            let error = read(body).await.unwrap_err();
            assert!(matches!(error, HoldError::TooLong { limit: 4 }));
        }
        assert_eq!(buffers.0.free(), (4, true), "all room is given back");
    }

    #[tokio::test]
    async fn a_body_waits_until_there_is_room() {
        let buffers = Buffers::new(STEP);
        let first = buffers.hold(full("x"), 4).await.unwrap();
        assert_eq!(buffers.taken(), (STEP, STEP));
        let beyond = buffers.hold(full("y"), 4).await.unwrap();
        let mut third = pin!(buffers.hold(full("z"), 4));
        assert!(poll!(third.as_mut()).is_pending());
        drop(first);
        assert_eq!(third.await.unwrap().bytes, "z");
        drop(beyond);
    }

    #[tokio::test]
    async fn bodies_that_were_only_announced_take_no_room() {
        let buffers = Buffers::new(STEP);
        let silent = || buffers.hold(streamed(stream::pending(), Some(1 << 20)), 1 << 20);
        let (mut one, mut two) = (pin!(silent()), pin!(silent()));
        assert!(poll!(one.as_mut()).is_pending() && poll!(two.as_mut()).is_pending());
        assert_eq!(buffers.hold(full("x"), 4).await.unwrap().bytes, "x");
    }

    #[tokio::test]
    async fn announced_bodies_that_fall_silent_reserve_no_more_than_is_counted() {
        const LEN: usize = 16 << 20;
        let buffers = Buffers::default();
        let (mut reserved, mut kept) = (0, Vec::new());
        for nth in 0..200 {
            let mut reading = Reading::new(&buffers.0);
            if nth % 2 == 0 {
                let (mut client, transport, incoming) = connection(LEN as u64);
                client.write_all(&b"x"[..nth % 4 / 2]).await.unwrap();
                let silent = pin!(reading.counted(&incoming, LEN));
                assert!(matches!(poll!(silent), Poll::Pending));
                kept.push((client, transport));
            } else {
                let pieces = stream::iter([Ok("x".into()), Ok("y".into())]);
                let body = streamed(pieces.chain(stream::pending()), Some(LEN as u64));
                let silent = pin!(reading.frames(body, LEN));
                assert!(matches!(poll!(silent), Poll::Pending));
            }
            // A buffer that went round may have up to twice as many.
            assert!(reading.bytes.capacity() <= 2 * reading.charged);
            reserved += reading.bytes.capacity();
        }
        assert!(
            reserved <= 150 * 2 * BODY_STEP_BYTES,
            "{reserved} for 150 that began"
        );
    }

    #[tokio::test]
    async fn a_long_body_is_copied_little_while_it_grows() {
        const LEN: usize = 700 << 10;
        let buffers = Buffers::default();
        let (mut client, _transport, incoming) = connection(LEN as u64);
        let mut reading = Reading::new(&buffers.0);
        let text: Vec<u8> = (0..LEN).map(|at| (at % 251) as u8).collect();
        let (mut sent, mut copied, mut capacity) = (0, 0, 0);
        while reading.bytes.len() < LEN {
            let came = reading.bytes.len();
            if came == sent {
                // In pieces as a socket gives them.
                sent = (sent + (96 << 10)).min(LEN);
                client.write_all(&text[came..sent]).await.unwrap();
            }
            reading.more(&incoming, LEN).await.unwrap();
            if reading.bytes.capacity() != capacity {
                (capacity, copied) = (reading.bytes.capacity(), copied + came);
            }
        }
        assert!(reading.bytes == text);
        assert!(copied <= LEN / 2, "{copied} of {LEN}");
    }

    #[tokio::test]
    async fn bodies_that_fill_the_room_half_read_come_to_their_end_one_by_one() {
        let buffers = Buffers::new(STEP * 4);
        let piece = Bytes::from(vec![0; BODY_STEP_BYTES]);
        let long = || {
            let chunks = stream::iter(vec![piece.clone(); 8]).then(|piece| async {
                tokio::task::yield_now().await;
                Ok(piece)
            });
            buffers.hold(streamed(chunks, None), 1 << 20)
        };
        let all = futures_util::future::join_all(
            (0..6).map(|_| async { long().await.unwrap().bytes.len() }),
        );
        assert_eq!(all.await, [8 * BODY_STEP_BYTES; 6]);
        assert_eq!(buffers.0.free(), (768, true));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_counted_before_it_has_memory(
            steps in prop::collection::vec(1..400_000usize, 1..20),
            announced in prop::option::of(0..8_000_000usize),
        ) {
            let room = Room::new(16 << 20);
            let mut reading = Reading::new(&room);
            let mut len = 0;
            for step in steps {
                len += step;
                let expected = announced.map_or(2 * len, |all| all.max(len));
                let made = futures_util::FutureExt::now_or_never(reading.make_room(len, expected));
                prop_assert!(made.is_some(), "the last share stands for all");
                prop_assert!(reading.charged >= len && reading.bytes.capacity() >= len);
                prop_assert!(reading.charged < len * BODY_AHEAD + 2 * BODY_STEP_BYTES);
                prop_assert!(reading.bytes.capacity() <= 2 * reading.charged);
                reading.bytes.resize(len, 0);
            }
        }
    }
}
