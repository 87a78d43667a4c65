//! Tests of the real binary and of whole rooms, in one test program (one link).
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "helpers of tests fail the test, like the tests themselves"
)]

mod alerts;
mod api;
mod attach;
mod auth;
mod backup;
mod breaker;
mod callbacks;
mod capture;
mod cli;
mod clock;
mod common;
mod connections;
mod console;
mod crash;
mod digits;
mod drift;
mod each;
mod editing;
mod examples;
mod flood;
mod github;
mod guard;
mod heads;
mod jinja;
mod jobs;
mod layers;
mod limits;
mod manual;
mod outgoing;
mod outside;
mod overdue;
mod overview;
mod packages;
mod readmit;
mod receive;
mod reply;
mod retention;
mod runs;
mod samples;
mod screens;
mod secrets;
mod senders;
mod split;
mod terminal;
mod told;
mod transcript;
mod trial;
mod triggers;
mod vectors;
mod versions;
mod whatif;
