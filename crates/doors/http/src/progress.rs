//! Progress time-outs: what a peer must send or take fails when it moves too little for some time.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use headwater_env::Clock;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::limits::PROGRESS_BYTES;

/// The time-out of a peer that must move [`PROGRESS_BYTES`] in each span of time in which it is waited for.
pub(crate) struct Progress {
    clock: Arc<dyn Clock>,
    idle: Duration,
    /// The end of the span that runs; none while the peer is not waited for.
    until: Option<Duration>,
    /// The bytes that moved since it began.
    moved: usize,
    /// Wakes the task then, or earlier: it is kept where the span ends later than the one that it was set for.
    alarm: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// As many bytes as a peer could be waited for.
const ALL: usize = PROGRESS_BYTES;

impl Progress {
    pub(crate) fn new(clock: Arc<dyn Clock>, idle: Duration) -> Self {
        Self {
            clock,
            idle,
            until: None,
            moved: 0,
            alarm: None,
        }
    }

    /// Passes `polled` on, of which `moved` tells how many bytes have moved; fails instead of waiting beyond the time-out.
    pub(crate) fn or_time_out<T>(
        &mut self,
        polled: Poll<T>,
        moved: impl FnOnce(&T) -> usize,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        let Poll::Ready(done) = polled else {
            return self
                .wait(context)
                .map(|()| Err(io::ErrorKind::TimedOut.into()));
        };
        self.moved = self.moved.saturating_add(moved(&done));
        if self.moved >= PROGRESS_BYTES {
            self.restart();
        }
        Poll::Ready(Ok(done))
    }

    /// Begins anew, with the next wait.
    pub(crate) fn restart(&mut self) {
        (self.until, self.moved) = (None, 0);
    }

    /// Ready when the time is over.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let until = *self.until.get_or_insert_with(|| {
            self.moved = 0;
            self.clock.elapsed() + self.idle
        });
        loop {
            let alarm = self.alarm.get_or_insert_with(|| {
                let (clock, left) = (
                    self.clock.clone(),
                    until.saturating_sub(self.clock.elapsed()),
                );
                Box::pin(async move { clock.sleep(left).await })
            });
            ready!(alarm.as_mut().poll(context));
            self.alarm = None;
            if self.clock.elapsed() >= until {
                return Poll::Ready(());
            }
        }
    }
}

/// A socket whose peer must keep taking what it is sent.
pub(crate) struct TimedSocket<S> {
    socket: S,
    progress: Progress,
}

impl<S> TimedSocket<S> {
    pub(crate) fn new(socket: S, progress: Progress) -> Self {
        Self { socket, progress }
    }

    pub(crate) fn into_inner(self) -> S {
        self.socket
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedSocket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedSocket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.progress
            .or_time_out(polled, written, context)
            .map(io::Result::flatten)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write_vectored(context, parts);
        self.progress
            .or_time_out(polled, written, context)
            .map(io::Result::flatten)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.socket).poll_flush(context);
        self.progress
            .or_time_out(polled, |_| ALL, context)
            .map(io::Result::flatten)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.socket).poll_shutdown(context);
        self.progress
            .or_time_out(polled, |_| ALL, context)
            .map(io::Result::flatten)
    }
}

fn written(result: &io::Result<usize>) -> usize {
    *result.as_ref().unwrap_or(&ALL)
}

#[cfg(test)]
mod tests {
    use futures_util::poll;
    use headwater_env::ManualClock;
    use headwater_types::Millis;

    use super::*;

    const IDLE: Duration = Duration::from_secs(30);

    /// A time-out that is asked at these times, after these moves; how often it went on.
    async fn asked(moves: &[(u64, Option<usize>)]) -> usize {
        let clock = Arc::new(ManualClock::at(Millis(0)));
        let mut progress = Progress::new(clock.clone(), IDLE);
        for (nth, &(after, moved)) in moves.iter().enumerate() {
            clock.advance(Duration::from_secs(after));
            let polled = moved.map_or(Poll::Pending, Poll::Ready);
            let asked = std::future::poll_fn(|context| {
                progress.or_time_out(polled, |moved| *moved, context)
            });
            if matches!(poll!(std::pin::pin!(asked)), Poll::Ready(Err(_))) {
                return nth;
            }
        }
        moves.len()
    }

    #[tokio::test]
    async fn a_peer_that_moves_nothing_or_little_is_waited_for_once() {
        assert_eq!(asked(&[(0, None), (29, None), (1, None)]).await, 2);
        let trickle = [
            (0, None),
            (10, Some(1)),
            (0, None),
            (10, Some(1)),
            (0, None),
            (10, Some(1)),
            (0, None),
        ];
        assert_eq!(asked(&trickle).await, 6);
    }

    #[tokio::test]
    async fn a_peer_that_moves_enough_may_take_any_time() {
        let piece = [(29, Some(PROGRESS_BYTES)), (0, None)];
        let moves: Vec<_> = [(0, None)].into_iter().chain(piece.repeat(5)).collect();
        assert_eq!(asked(&moves).await, moves.len());
        // Time in which the peer is not waited for does not count.
        assert_eq!(
            asked(&[
                (0, None),
                (1, Some(PROGRESS_BYTES)),
                (1000, None),
                (29, None)
            ])
            .await,
            4
        );
    }
}
