//! The console from outside: pictures of its screens, and its loop driven by keys and a session
//! held by hand. What the real binary does in a real terminal is tested where the binary is.

mod hand;
mod loops;
mod pictures;
mod storm;
pub mod terminal;
