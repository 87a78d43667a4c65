//! The built-in target and the sample traffic.

pub mod samples;
