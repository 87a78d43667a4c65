//! The console from outside: pictures of its screens, and its loop driven by keys and a session
//! held by hand. What the real binary does in a real terminal is tested where the binary is.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests stop the test that they help"
)]

mod answers;
mod board;
mod budget;
mod clicks;
pub mod editing;
mod facets;
mod finding;
mod gallery;
mod guides;
mod hand;
mod jobs;
mod looks;
mod loops;
mod needs;
mod overview;
mod pages;
mod pictures;
mod readme;
mod real;
mod receiving;
mod storm;
mod studies;
mod study;
pub mod terminal;
mod trials;
mod unsaved;
mod workflows;
