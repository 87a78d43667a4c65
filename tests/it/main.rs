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
mod everykey;
mod examples;
mod facets;
mod flood;
mod full;
mod github;
mod guard;
mod guide;
mod heads;
mod hostile;
mod jinja;
mod jobs;
mod layers;
mod limits;
mod looks;
mod manual;
mod million;
mod outgoing;
mod outside;
mod overdue;
mod overview;
mod packages;
mod readmit;
mod receive;
mod record;
mod reply;
mod retention;
mod runs;
mod samples;
mod screens;
mod secrets;
mod senders;
mod slow;
mod split;
mod stories;
mod terminal;
mod told;
mod transcript;
mod trial;
mod triggers;
mod vectors;
mod versions;
mod whatif;
