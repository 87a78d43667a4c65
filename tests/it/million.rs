//! A million stored requests, a million runs: what is looked for is found at once where an index or a
//! sketch knows it, and streams in where none does, in the store, on the command line, and in a console
//! in a real terminal. One store for all of it, since it takes a while to make.
//!
//! No time is asserted, only how many rows were looked at; what it took is printed.

mod finds;
mod make;
mod story;
mod streams;

use super::common::House;

/// Requests, and runs, that are made.
pub const MILLION: i64 = 1_000_000;

#[test]
fn what_is_looked_for_among_a_million_is_found() {
    let house = House::new();
    let made = make::store(&house);
    finds::first_pages(&house, &made);
    // In one process with its receiver.
    story::why_was_it_a_duplicate(&house, &made);
    house.serve();
    streams::a_search_streams_and_ends(&house, &made);
    streams::a_search_is_stopped_and_another_drops_it(&house);
    streams::the_command_line_is_complete_and_ends_at_ctrl_c(&house, &made);
}
