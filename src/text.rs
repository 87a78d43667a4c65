//! Untrusted text made safe to draw, widths, durations, sizes.
