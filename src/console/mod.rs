//! The terminal console: one state, one pure update, one pure draw, and one loop that owns the
//! terminal.
//!
//! Keys and what the session pushes go into [`App`] ([`input`], [`update`], [`receive`]); what
//! follows comes out as [`asks::Effect`]s, which the loop carries out; [`draw()`] turns the state into a
//! frame. Nothing here knows a store or a receiver: the console asks its [`Session`], and cannot
//! tell whether a desk in this process or a socket is at the other end.

mod acted;
pub mod action;
mod ages;
mod aim;
pub mod app;
pub mod aside;
pub mod asks;
pub mod audit;
pub mod backtest;
pub mod beside;
pub mod board;
mod brief;
pub mod capture;
mod changed;
pub mod columns;
pub mod company;
mod copy;
pub mod countdown;
mod curl;
pub mod dialog;
pub mod draw;
mod drive;
pub mod edit;
pub mod editor;
pub mod facets;
pub mod filter;
pub mod first;
pub mod format;
pub mod glyphs;
pub mod group_pane;
pub mod guide;
pub mod help;
mod here;
pub mod hit;
pub mod holding;
pub mod input;
mod jobs;
pub mod jump;
pub mod kept;
pub mod key;
pub mod keymap;
pub mod layout;
pub mod lines;
pub mod link;
mod links;
pub mod list;
pub mod menu;
pub mod messages;
mod mouse;
mod open;
pub mod options;
pub mod osc52;
mod outside;
pub mod overlay;
pub mod overview;
pub mod pacer;
pub mod paint;
mod palette;
mod panes;
mod pausing;
pub mod payload;
pub mod picks;
pub mod place;
pub mod promise;
pub mod prompt;
pub mod rebind;
pub mod receive;
mod recording;
mod replayed;
pub mod rows;
pub mod run_pane;
pub mod screen;
pub mod search;
pub mod sides;
pub mod signals;
pub mod svg;
pub mod tape;
pub mod term;
pub mod theme;
pub mod themes;
mod theming;
pub mod traffic;
pub mod trail;
pub mod tree;
pub mod trial;
pub mod update;
pub mod verbs;
pub mod whatif;
pub mod whole;
pub mod why;
mod workflows;
pub mod worklist;
mod zoned;

pub use app::App;
pub use draw::{draw, picture};
pub use drive::{Console, Turn};
pub use options::Options;
pub use svg::svg;
pub use theme::Depth;
pub use theming::KEPT as KEPT_THEME;

use crate::model::time::Ms;
use crate::session::Session;
use app::Tone;
use aside::Aside;
use drive::{Held, Last};
use outside::Keys;
use ratatui::backend::CrosstermBackend;
use signals::Signals;
use std::io;
use std::time::SystemTime;
use tape::Tape;
use term::{FrameWriter, Guard};

/// Why a console could not go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The terminal could not be read or written.
    #[error("the terminal could not be used: {0}")]
    Terminal(#[from] io::Error),
    /// What shall be recorded into cannot be.
    #[error("{0}")]
    Record(String),
    /// There is no terminal to talk to.
    #[error("the terminal ended its input")]
    Closed,
}

/// Runs a console in this terminal until the person quits, the terminal ends, or SIGTERM or
/// SIGHUP comes.
///
/// # Errors
/// Where the terminal cannot be used; the terminal is restored by then.
pub async fn run(session: Session, options: Options) -> Result<(), Error> {
    // The state is large, and whoever waits for this should not have to hold it.
    Box::pin(shown(session, options)).await
}

async fn shown(session: Session, options: Options) -> Result<(), Error> {
    let (theme, trouble) = theming::first(&options.themes, &options.theme, options.color);
    let size = layout::known(crossterm::terminal::size().unwrap_or_default());
    // Before the terminal is taken: what is wrong is said where it can be read.
    let file = match &options.record {
        Some(path) => Some(tape::open(path).map_err(|error| Error::Record(tape::refused(path, &error)))?),
        None => None,
    };
    let guard = Guard::take()?;
    let tape = Tape::default();
    let writer = FrameWriter::new(io::stdout()).recorded_on(tape.clone());
    let written = writer.written();
    let backend = CrosstermBackend::new(writer);
    let aside = Aside::start(options.places.clone())?;
    let mut app = App::new(options, theme, size, clock());
    for told in trouble.into_iter().chain(app.options.themes.told.clone()) {
        app.toast(Tone::Bad, told);
    }
    let mut console = Console::new(app, backend, session, clock)?;
    let keys = Keys::default();
    console.hold(Held { guard, keys: keys.clone(), aside, written, tape: Last(tape) });
    if let Some((file, path)) = file {
        console.begin_recording(file, &path)?;
    }
    term::here(console.drive(keys, Signals::listen()?)).await
}

fn clock() -> Ms {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ms::try_from(since.as_millis()).unwrap_or(Ms::MAX)
}
