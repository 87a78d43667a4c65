//! Who runs next: slots, lanes that take turns, the bounded ring of runs that are ready, and the
//! targets with their breakers.
//!
//! State machines without threads, clock or store: the runner's task drives them, and so can a
//! simulator. A [`Slots`] permit stands for one run under way, a [`Pass`] for one exchange of a target;
//! a [`Ring`] holds what waits for them.

mod hosts;
mod pace;
mod ring;
mod slots;

pub use hosts::{Comer, EVENTS, HOSTS, Hosts, Pass, Refused};
pub use pace::{CLAIMS, EACH, FEW, Pace};
pub use ring::{Offer, QUANTUM, RING_BYTES, RING_RUNS, Ring};
pub use slots::{Slot, Slots};
