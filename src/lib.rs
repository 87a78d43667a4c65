//! Pointsman: mission control for integrations, in a terminal.
//!
//! This page is the guide to the house: what it does in six sentences, the map, the rules, the
//! threads, the way of one request, and the warts that are known.
//!
//! # The idea
//!
//! 1. A request comes in, is judged, and is committed; only then is it answered.
//! 2. What to do next is decided by pure functions over plain data: [`rules`] never reads a clock, a
//!    socket or a disk.
//! 3. The [`store`] is the only memory: rows in the same transaction as the journal entry that
//!    explains them. Whatever a crash loses can be derived again from it.
//! 4. The [`runner`] claims due work from the store under a lease with a fencing token, does one
//!    HTTP exchange, and commits the result.
//! 5. What changed goes out on the [`feed`], into mailboxes that merge instead of queues that grow:
//!    nothing that watches can slow what receives.
//! 6. Console, command line and scripts all come in through one door, the [`desk`], where plans,
//!    refusals, reasons and the audit trail live.
//!
//! ```text
//!  senders ─▶ receiver ─▶ store ◀─ runner ─▶ targets
//!                ▲          │ ▲        │
//!                └ rules ───┘ │ rules ─┘            feed ─▶ mailbox ─▶ session ─▶ console
//!                             │                      ▲
//!                            desk ◀── api (socket) ◀── command line, other processes
//! ```
//!
//! # The map
//!
//! | room | holds | look here to change |
//! |---|---|---|
//! | [`model`] | the nouns: ids, documents, requests, runs, the filter language, questions and answers | what a thing is |
//! | [`rules`] | the decisions: check, templates, flattening, dedup keys, who is let in, the run state machine | what is decided |
//! | [`store`] | the only SQL: one writer thread, readers, dedup table, configuration, lists | what is kept, how it is found |
//! | [`receiver`] | accept loop, order of judgement, callbacks in | what senders are answered |
//! | [`scheduler`] | slots, the ready ring, targets and their breakers: who goes next | fairness, bounds of work |
//! | [`runner`] | claims, leases, HTTP out, the address guard | what targets see |
//! | [`desk`] | every question and order of people, with its plan | what a verb does and says |
//! | [`api`], [`session`] | the desk over a unix socket and TCP; the console's two channel ends | how a console connects |
//! | [`console`] | terminal, keys, themes, screens, dialogs | what is drawn, which key does what |
//! | [`cli`] | arguments, settings, one file a command group | flags, output, exit codes |
//! | [`demo`] | the built-in target and the sample traffic | what a newcomer sees |
//! | [`vault`], [`feed`], [`text`] | secrets; what changed; text made safe to draw | |
//!
//! `tests/it/layers.rs` holds the table of who may import whom, and fails on an arrow that it does
//! not have. `tests/it` is one test program: rooms over a real store, and the real binary in a real
//! terminal, under kill -9 and under other clocks. Benches are in `tests/bench`.
//!
//! # Rules that hold everywhere
//!
//! - No clock, randomness or environment in [`model`] and [`rules`]: times, ids and dice are
//!   arguments.
//! - Every queue, loop, body, header list, nesting, rendering and page has a bound. Overload is
//!   answered 503; it never grows.
//! - A run moves by one transition under the guard `run.seq`: [`rules::advance::advance`] decides it,
//!   the writer commits row, journal, callbacks and error group together. Effects run after the
//!   commit and may be lost: each can be derived again.
//! - Text from outside is stored as it came and cleaned where it is drawn ([`text::clean`]). Types
//!   that hold secrets have no `Debug` that shows them. Senders' credentials are stored masked, with
//!   what came sealed behind the lines; their keys are asked ([`model::credential::KeyCheck`]) and
//!   tell nothing. Secret variables are opened by the vault behind [`model::credential::Opener`] and
//!   held as [`rules::secrets::Secrets`]: only what is sent sees them, what is kept or shown is made
//!   with a mask in their place.
//! - A verb's plan is made by the code that does it, so the dialog cannot promise something else.
//! - Numbers keep their digits: bodies are read by [`model::json`], and come back from the store and over the wire by
//!   [`model::payload`], never through a double.
//!
//! # The way of one request
//!
//! [`receiver`]: route, method, gates, length, type, credentials, body under a deadline, signature, one pass over the bytes
//! (`rules::facts`), `when`, dedup key → [`store::Store::accept`] → the writer thread judges
//! duplicates in commit order, binds request, run and ledger rows, commits once for all that waited,
//! then answers, hands new runs over and publishes what changed → [`runner`]: render, guard, send,
//! commit the answer, go on with the next step in place.
//!
//! An exchange needs a pass of its target (`scheduler::Hosts`, by the rule of `rules::breaker`). Who gets
//! none stands aside in memory for a while, or in the target's line in the store (`rules::lane`): the
//! timer finds the first of each line when there is room. That is no attempt and no entry.
//!
//! A sender that waits for its run (`reply = "wait"` or `"poll"`) is a future in `receiver::reply`
//! and an entry in the store's list of waiters, made by the commit that makes the run: the commit
//! that ends the run, or carries a `respond` step's answer, wakes it.
//!
//! A verb on many becomes a job (`desk::jobs`, `store::jobs`): its objects are fixed by the plan that a
//! person saw, each is marked in the transaction of its act, and [`rules::pace`] says how many go now.
//! What is left is what the store says is left, so a process that begins goes on where the last one
//! ended.
//!
//! A console's link (`session::remote`, `POST /changes`) pushes what changed with its place in the feed's
//! log; one that was cut goes on from there (`feed::log`), and reads anew past the log's bound. Who asks
//! is decided by the door that they came in by ([`model::ask::Who`]), what they may do by one table
//! ([`model::ask::Deed`]), and who is here is kept by `desk::company`.
//!
//! Runs that nobody sent for (ticks of schedules, deploys, removals) are born inside the transaction of
//! their occasion (`store::occasion`), with a small request that tells it, and parked: the runner finds
//! them in the due index, once the configuration that they came with is in memory.
//!
//! Figures over time are counted by the writer with each commit, in memory, and written every ten
//! seconds (`store::series`): a crash loses what came since, but for the verdicts, which the ledger has.
//!
//! # Threads
//!
//! One writer thread, four readers, a tender that wakes once a
//! second for watermarks, free disk, the series of figures and retention; a task for each job under way (at most eight);
//! the tokio workers for everything with a socket, those of
//! the runner apart from those that accept (which go first while requests crowd in); one task looks at schedules once a second;
//! the console draws on the task that runs it and never waits for the store, nor for a disk: one thread
//! keeps what was chosen and reads themes, another writes a recording while there is one.
//!
//! # Known warts
//!
//! - The dedup table lives in memory and grows past its budget; header and `doctor` then say so.
//! - A sender that waits and shuts its own side of the connection down looks like one that hung up,
//!   and is treated so: nobody reads its answer, and only `on_timeout = "abort"` still counts for it.
//! - Filters on words and parts of values read bodies: a scan is paged by time and streamed. Only whole
//!   values (`path=value`) are known by sketches (`store::sketch`), once these were made.
//! - The tables of templates follow minijinja's parser closely (its version is pinned): operators
//!   and filters are counted by rewriting its instructions.
//! - Lanes (`concurrency`, held flows) are looked at by one task: one that waits for its turn costs
//!   nothing, but an ordered lane starts a run a commit.
//! - The samples are embedded twice, once for the desk and once for the demo's senders, because
//!   neither room may import the other; a test keeps both lists true to `samples/`.
#![forbid(unsafe_code)]

/// A run or a request is many small allocations on several threads; the system's allocator spends a
/// fifth of the processor on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub mod api;
pub mod cli;
pub mod console;
pub mod demo;
pub mod desk;
pub mod feed;
pub mod model;
pub mod receiver;
pub mod rules;
pub mod runner;
pub mod scheduler;
pub mod session;
pub mod store;
pub mod text;
pub mod vault;
