//! Who runs next: slots, lanes that take turns, and the bounded ring of runs that are ready.
//!
//! State machines without threads, clock or store: the runner's task drives them, and so can a
//! simulator. A [`Slots`] permit stands for one run under way; a [`Ring`] holds what waits for one.

mod ring;
mod slots;

pub use ring::{Offer, QUANTUM, RING_BYTES, RING_RUNS, Ring};
pub use slots::Slots;
