//! Reads that lists, details and filters are made of.
