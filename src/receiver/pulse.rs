//! What one connection is doing, and until when it may.
//!
//! hyper knows one deadline, for headers, and lets it run while a kept-alive connection idles; it
//! has none for idling and none for bodies. So each connection has a [`Pulse`]: its phase and when
//! that began. The driver (see `connection`) keeps one timer and looks at the pulse when it
//! fires, so a request costs no timer of its own.

use futures_util::task::AtomicWaker;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The head of a request is awaited: from the connect on, or from its first byte on.
    Head,
    /// Headers are there, the body is awaited.
    Body,
    /// The request is ours to work on.
    Busy,
    /// Its sender waits for what becomes of it: whether it is still there is looked at.
    Waiting,
    /// Answered, and kept alive.
    Idle,
}

impl Phase {
    const ALL: [Self; 5] = [Self::Head, Self::Body, Self::Busy, Self::Waiting, Self::Idle];
}

/// How long each phase may last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    /// Of [`Phase::Head`].
    pub(super) head: Duration,
    /// Of [`Phase::Body`].
    pub(super) body: Duration,
    /// Of [`Phase::Idle`], and of an answer that the sender does not read.
    pub(super) idle: Duration,
}

/// Phase and start of phase of a connection; written by its own task alone, but for `closing`.
#[derive(Debug)]
pub(super) struct Pulse {
    born: Instant,
    phase: AtomicU8,
    /// Milliseconds after `born`.
    since: AtomicU64,
    late: AtomicBool,
    closing: AtomicBool,
    waker: AtomicWaker,
}

impl Pulse {
    /// Of a connection that was just accepted.
    pub(super) fn new() -> Self {
        Self {
            born: Instant::now(),
            phase: AtomicU8::new(Phase::Head as u8),
            since: AtomicU64::new(0),
            late: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        }
    }

    fn phase(&self) -> Phase {
        Phase::ALL.get(usize::from(self.phase.load(Ordering::Relaxed))).copied().unwrap_or(Phase::Head)
    }

    /// Begins a phase.
    pub(super) fn enter(&self, phase: Phase) {
        let since = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.since.store(since, Ordering::Relaxed);
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// The body is complete, or is not wanted: what comes now takes as long as it takes.
    pub(super) fn busy(&self) {
        self.phase.store(Phase::Busy as u8, Ordering::Relaxed);
    }

    /// The sender waits for what becomes of its request: if it hangs up, the connection ends.
    pub(super) fn wait(&self) {
        self.phase.store(Phase::Waiting as u8, Ordering::Relaxed);
    }

    fn bytes_came(&self) {
        if self.phase() == Phase::Idle {
            self.enter(Phase::Head);
        }
    }

    /// When the phase must be over.
    pub(super) fn deadline(&self, deadlines: &Deadlines) -> Option<Instant> {
        let may_last = match self.phase() {
            Phase::Head => deadlines.head,
            Phase::Body => deadlines.body,
            Phase::Busy | Phase::Waiting => return None,
            Phase::Idle => deadlines.idle,
        };
        Some(self.born + Duration::from_millis(self.since.load(Ordering::Relaxed)) + may_last)
    }

    /// The deadline is past. True where the connection is to be cut; a body that is late is
    /// answered first.
    pub(super) fn expire(&self) -> bool {
        if self.phase() == Phase::Body {
            self.late.store(true, Ordering::Relaxed);
            self.busy();
            return false;
        }
        true
    }

    /// Whether the body of the request under way did not come in time.
    pub(super) fn late(&self) -> bool {
        self.late.load(Ordering::Relaxed)
    }

    /// Tells the connection to end after the request under way.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Whether it was told so.
    pub(super) fn closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Waits until it is told so.
    pub(super) async fn closed(&self) {
        std::future::poll_fn(|context| {
            self.watch(context);
            if self.closing() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Remembers the task to wake when it is told so.
    pub(super) fn watch(&self, context: &Context<'_>) {
        self.waker.register(context.waker());
    }
}

/// Looks at what has come on a stream without taking it.
pub(super) trait Peek {
    /// How many bytes are there, 0 at the end; no more are looked at than tell that.
    fn peek(&mut self, context: &mut Context<'_>) -> Poll<std::io::Result<usize>>;
}

impl Peek for TcpStream {
    fn peek(&mut self, context: &mut Context<'_>) -> Poll<std::io::Result<usize>> {
        self.poll_peek(context, &mut ReadBuf::new(&mut [0]))
    }
}

/// A stream that notes the first byte of the next request, and whether a sender that waits hangs up.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    pulse: std::sync::Arc<Pulse>,
}

impl<S> Watched<S> {
    /// Wraps a stream.
    pub(super) fn new(stream: S, pulse: std::sync::Arc<Pulse>) -> Self {
        Self { stream, pulse }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.pulse.bytes_came();
        }
        polled
    }
}

impl<S: AsyncWrite + Peek + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    /// hyper comes here whenever it was woken, also while it waits for an answer, and reads nothing
    /// meanwhile: so this is where the end of a sender that waits is seen. One that shut its side
    /// down alone looks the same, and has hung up too.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        if self.pulse.phase() == Phase::Waiting {
            match self.stream.peek(context) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(std::io::ErrorKind::ConnectionReset.into())),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                // Its next request is there already.
                Poll::Ready(Ok(_)) | Poll::Pending => {}
            }
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINES: Deadlines = Deadlines {
        head: Duration::from_secs(10),
        body: Duration::from_secs(30),
        idle: Duration::from_mins(1),
    };

    #[test]
    fn each_phase_has_its_own_deadline() {
        let pulse = Pulse::new();
        let after = |pulse: &Pulse| pulse.deadline(&DEADLINES).map(|at| (at - pulse.born).as_secs());
        assert_eq!(after(&pulse), Some(10));
        pulse.bytes_came();
        assert_eq!(after(&pulse), Some(10), "the first head counts from the connect on");
        pulse.enter(Phase::Body);
        assert_eq!(after(&pulse), Some(30));
        pulse.busy();
        assert_eq!(after(&pulse), None);
        pulse.wait();
        assert_eq!(after(&pulse), None, "how long it waits is the flow's to say");
        pulse.enter(Phase::Idle);
        assert_eq!(after(&pulse), Some(60));
        pulse.bytes_came();
        assert_eq!(after(&pulse), Some(10), "a first byte begins a head");
    }

    #[test]
    fn only_a_late_body_is_answered_before_the_cut() {
        let pulse = Pulse::new();
        assert!(pulse.expire());
        pulse.enter(Phase::Body);
        assert!(!pulse.late() && !pulse.expire() && pulse.late());
        assert_eq!(pulse.deadline(&DEADLINES), None);
    }
}
