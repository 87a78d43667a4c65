//! A connection whose other end must read: what cannot be written for long is cut, so that a console
//! that hangs holds a place for a while and not for ever.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long the other end may read nothing while something is to be written.
pub(super) const STALLED: Duration = Duration::from_mins(1);

/// A stream that is cut where its other end does not read.
pub(super) struct Stall<S> {
    stream: S,
    patience: Duration,
    since: Option<Pin<Box<Sleep>>>,
}

impl<S> Stall<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, patience: STALLED, since: None }
    }

    fn judge<T>(&mut self, context: &mut Context<'_>, tried: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if tried.is_ready() {
            self.since = None;
            return tried;
        }
        let end = Instant::now() + self.patience;
        let since = self.since.get_or_insert_with(|| Box::pin(sleep_until(end)));
        match since.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stall<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stall<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let tried = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, tried)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let tried = Pin::new(&mut self.stream).poll_flush(context);
        self.judge(context, tried)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let tried = Pin::new(&mut self.stream).poll_shutdown(context);
        self.judge(context, tried)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let tried = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.judge(context, tried)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn who_does_not_read_is_cut_and_who_reads_slowly_is_not() {
        let (near, mut far) = tokio::io::duplex(8);
        let mut near = Stall { patience: Duration::from_millis(200), ..Stall::new(near) };
        let slow = tokio::spawn(async move {
            let mut got = [0; 24];
            for part in got.chunks_mut(8) {
                tokio::time::sleep(Duration::from_millis(80)).await;
                far.read_exact(part).await.unwrap();
            }
            far
        });
        near.write_all(&[7; 24]).await.unwrap();
        let _far = slow.await.unwrap();
        let stalled = near.write_all(&[7; 24]).await.unwrap_err();
        assert_eq!(stalled.kind(), io::ErrorKind::TimedOut);
    }
}
