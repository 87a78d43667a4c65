//! Bodies under a cap and a deadline, and what is done with the rest of a refused one.
//!
//! warp's own length limit refuses chunked bodies, and its other body filters have no limit.

use super::entry::Arrival;
use super::judge;
use super::pulse::Pulse;
use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;
use warp::http::HeaderValue;
use warp::http::header::{CONNECTION, EXPECT};
use warp::reply::Response;

/// Bytes kept of the body of a refused request.
pub(super) const KEPT: usize = 64 << 10;
/// How much of a refused body is dropped, and for how long, so that its sender reads the answer.
const DROPPED: (usize, Duration) = (8 << 20, Duration::from_secs(5));
/// How long a refusal waits for bytes that are on their way, so that the operator can see them.
const PEEK: Duration = Duration::from_millis(100);
/// Bytes that all bodies being gathered may take beyond their first [`KEPT`] ones.
const GATHERED: usize = 256 << 20;

/// The pieces of a body, as a warp filter gives them.
pub(super) trait Pieces:
    Stream<Item = Result<Self::Piece, warp::Error>> + Send + Unpin + 'static
{
    /// One of them.
    type Piece: Buf;
}

impl<S, B> Pieces for S
where
    S: Stream<Item = Result<B, warp::Error>> + Send + Unpin + 'static,
    B: Buf,
{
    type Piece = B;
}

/// Memory for bodies that are still coming, shared by all connections: 4,096 senders of 6 MiB
/// each would else take 24 GiB.
#[derive(Debug, Clone, Default)]
pub(super) struct Budget(Arc<AtomicUsize>);

impl Budget {
    /// A part of it, empty.
    pub(super) fn share(&self) -> Share {
        Share { budget: self.clone(), bytes: 0 }
    }

    /// Whether nobody has a part of it.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

/// A part of the budget, given back when dropped.
pub(super) struct Share {
    budget: Budget,
    bytes: usize,
}

impl Share {
    /// Whether there is room for a buffer that has grown to so many bytes.
    pub(super) fn grow(&mut self, len: usize) -> bool {
        let wanted = len.saturating_sub(KEPT);
        if wanted <= self.bytes {
            return true;
        }
        let more = wanted - self.bytes;
        self.bytes = wanted;
        self.budget.0.fetch_add(more, Ordering::Relaxed) + more <= GATHERED
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.budget.0.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is longer than it may be.
    TooLong,
    /// It did not come in time.
    Late,
    /// The sender broke off.
    Broken,
    /// Too many bytes are being gathered for other senders.
    NoRoom,
}

/// Reads a body of at most `max` bytes; on failure what had come.
pub(super) async fn read(
    pieces: &mut impl Pieces,
    max: u64,
    pulse: &Pulse,
    budget: &Budget,
) -> Result<Bytes, (Unread, Bytes)> {
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let mut share = budget.share();
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    loop {
        let next = poll_fn(|context| match Pin::new(&mut *pieces).poll_next(context) {
            Poll::Ready(next) => Poll::Ready(Ok(next)),
            // The connection polls once more when its deadline is past.
            Poll::Pending if pulse.late() => Poll::Ready(Err(Unread::Late)),
            Poll::Pending => Poll::Pending,
        });
        let failed = match next.await {
            Ok(None) => return Ok(if all.is_empty() { first } else { all.freeze() }),
            Ok(Some(Ok(mut piece))) => {
                let len = piece.remaining();
                if len == 0 {
                    continue;
                }
                let had = first.len() + all.len();
                // The usual body comes in one piece. It is copied: a piece is a part of the
                // connection's buffer, and a run that waits would keep all of that.
                if had == 0 && len <= max {
                    first = Bytes::copy_from_slice(&piece.copy_to_bytes(len));
                    continue;
                }
                if all.is_empty() {
                    all.extend_from_slice(&first);
                    first = Bytes::new();
                }
                if had + len > max {
                    all.extend_from_slice(&piece.copy_to_bytes(len.min(KEPT)));
                    Unread::TooLong
                } else if share.grow(had + len) {
                    all.extend_from_slice(&piece.copy_to_bytes(len));
                    continue;
                } else {
                    Unread::NoRoom
                }
            }
            Ok(Some(Err(_))) => Unread::Broken,
            Err(late) => late,
        };
        return Err((failed, if all.is_empty() { first } else { all.freeze() }));
    }
}

/// What has come of a body, or comes at once, of a request that is refused without it: at most
/// [`KEPT`] bytes, and whether that is all.
pub(super) async fn peek(arrival: &Arrival, pieces: &mut impl Pieces) -> (Bytes, bool) {
    // Reading would ask for the body, with `100 Continue`, only to throw it away.
    if arrival.headers.contains_key(EXPECT) {
        return (Bytes::new(), false);
    }
    look(pieces).await
}

async fn look(pieces: &mut impl Pieces) -> (Bytes, bool) {
    let mut kept = BytesMut::new();
    let gather = async {
        while let Some(Ok(mut piece)) = pieces.next().await {
            while piece.has_remaining() {
                let chunk = piece.chunk();
                let len = chunk.len();
                kept.extend_from_slice(&chunk[..len.min(KEPT + 1 - kept.len())]);
                piece.advance(len);
            }
            if kept.len() > KEPT {
                return false;
            }
        }
        true
    };
    let whole = tokio::time::timeout(PEEK, gather).await.unwrap_or(false);
    kept.truncate(KEPT);
    (kept.freeze(), whole)
}

/// Gives an answer to a request whose body is not wanted, or not wanted any more: the connection
/// ends after it.
pub(super) fn leave(arrival: &Arrival, response: Response, pieces: impl Pieces) -> Response {
    let framing = judge::framing(&arrival.headers);
    if framing.declared.unwrap_or(0) == 0 && !framing.chunked {
        return response;
    }
    if !arrival.headers.contains_key(EXPECT) {
        drop_rest(pieces);
    }
    close(response)
}

/// Gives the answer to a body that could not be read whole.
pub(super) fn leave_unread(
    arrival: &Arrival,
    response: Response,
    failed: Unread,
    pieces: impl Pieces,
) -> Response {
    match failed {
        Unread::TooLong | Unread::NoRoom => leave(arrival, response, pieces),
        // Nothing more is waited for.
        Unread::Late | Unread::Broken => close(response),
    }
}

/// The connection ends after this answer.
pub(super) fn close(mut response: Response) -> Response {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Drops the rest of a refused body in the background: closing with bytes unread would reset the
/// connection, and the sender would never see the answer.
fn drop_rest(mut pieces: impl Pieces) {
    tokio::spawn(tokio::time::timeout(DROPPED.1, async move {
        let mut dropped = 0;
        while let Some(Ok(piece)) = pieces.next().await {
            dropped += piece.remaining();
            if dropped >= DROPPED.0 {
                return;
            }
        }
    }));
}

/// The first [`KEPT`] bytes of a body, and whether it was cut. A large buffer is not held on to.
pub(super) fn cut(body: &Bytes) -> (Bytes, bool) {
    if body.len() <= KEPT { (body.clone(), false) } else { (Bytes::copy_from_slice(&body[..KEPT]), true) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    fn pieces(parts: Vec<Vec<u8>>) -> impl Pieces {
        stream::iter(parts.into_iter().map(|part| Ok::<_, warp::Error>(Bytes::from(part))))
    }

    async fn read_all(parts: Vec<Vec<u8>>, max: u64) -> Result<Bytes, (Unread, Bytes)> {
        read(&mut pieces(parts), max, &Pulse::new(), &Budget::default()).await
    }

    #[tokio::test]
    async fn a_body_passes_at_its_bound_and_not_over_it() {
        for parts in [vec![vec![b'a'; 10]], vec![vec![b'a'; 4], vec![], vec![b'a'; 6]]] {
            assert_eq!(read_all(parts.clone(), 10).await.map(|body| body.len()), Ok(10));
            assert_eq!(read_all(parts, 9).await.unwrap_err().0, Unread::TooLong);
        }
        assert_eq!(read_all(vec![], 0).await, Ok(Bytes::new()));
        assert_eq!(read_all(vec![vec![b'a']], 0).await.unwrap_err().0, Unread::TooLong);
    }

    #[tokio::test]
    async fn a_body_keeps_no_more_than_itself() {
        let buffer = Bytes::from(vec![b'a'; 8_192]);
        let mut pieces = stream::iter([Ok::<_, warp::Error>(buffer.slice(4_000..4_010))]);
        let body = read(&mut pieces, 10, &Pulse::new(), &Budget::default()).await.unwrap();
        assert!(buffer.is_unique() && body.len() == 10, "the connection's buffer can be used again");
    }

    #[tokio::test]
    async fn bodies_being_gathered_share_one_budget_and_give_it_back() {
        let budget = Budget::default();
        budget.0.store(GATHERED - 10, Ordering::Relaxed);
        let parts = |over| vec![vec![0; KEPT], vec![0; over]];
        let pulse = Pulse::new();
        assert!(read(&mut pieces(parts(10)), 1 << 20, &pulse, &budget).await.is_ok());
        let (failed, _) = read(&mut pieces(parts(11)), 1 << 20, &pulse, &budget).await.unwrap_err();
        assert_eq!(failed, Unread::NoRoom);
        assert_eq!(budget.0.load(Ordering::Relaxed), GATHERED - 10);
    }

    #[tokio::test]
    async fn a_refused_body_is_looked_at_up_to_its_bound() {
        let (kept, whole) = look(&mut pieces(vec![vec![1; KEPT - 1], vec![2; 1]])).await;
        assert_eq!((kept.len(), whole), (KEPT, true));
        let (kept, whole) = look(&mut pieces(vec![vec![1; KEPT], vec![2; 9]])).await;
        assert_eq!((kept.len(), whole), (KEPT, false));
        let endless =
            stream::iter([Ok::<_, warp::Error>(Bytes::from_static(b"ab"))]).chain(stream::pending());
        let (kept, whole) = look(&mut Box::pin(endless)).await;
        assert_eq!((&kept[..], whole), (&b"ab"[..], false));
    }
}
