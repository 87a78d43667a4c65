//! Untrusted text made safe to draw, widths, figures, durations, sizes and clock times.
//!
//! Text from outside is stored exactly as it came and goes through [`clean()`] where it is drawn,
//! and nowhere else.

mod clean;
mod clusters;
mod cut;
mod figure;
mod time;

pub use clean::{Glyphs, MAX_MARKS, Piece, Pieces, clean, clean_as, escaped_json, pieces};
pub use cut::{apart, cut_end, cut_inside, cut_middle, pad, pad_left, width};
pub use figure::{count, size, size_kept, size_short};
pub use time::{age, clock, clock_ms, day, took, weekday};
