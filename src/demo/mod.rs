//! The demo: a built-in target that succeeds, fails, is slow, is sometimes down and answers 202 and
//! calls back, and senders that post the samples to it all the time.
//!
//! Nothing in here is special to the engine: the target is an HTTP server on a port of its own, the
//! senders post to the public endpoints, and every row in the store is like any other.

pub mod samples;
pub mod target;
pub mod traffic;
