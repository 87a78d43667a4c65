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
pub mod asks;
pub mod backtest;
pub mod beside;
pub mod board;
pub mod capture;
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
pub mod filter;
pub mod format;
pub mod glyphs;
pub mod group_pane;
pub mod holding;
pub mod input;
mod jobs;
pub mod key;
pub mod keymap;
pub mod layout;
pub mod lines;
pub mod link;
mod links;
pub mod list;
pub mod menu;
mod open;
pub mod options;
mod outside;
pub mod overlay;
pub mod overview;
pub mod pacer;
pub mod paint;
mod palette;
mod pausing;
pub mod payload;
pub mod place;
pub mod promise;
pub mod receive;
mod replayed;
pub mod rows;
pub mod run_pane;
pub mod screen;
pub mod search;
mod sgr;
pub mod signals;
pub mod svg;
pub mod term;
pub mod theme;
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

pub use app::App;
pub use draw::{draw, picture};
pub use drive::{Console, Turn};
pub use options::Options;
pub use svg::svg;
pub use theme::Depth;

use crate::model::time::Ms;
use crate::session::Session;
use outside::Keys;
use ratatui::backend::CrosstermBackend;
use signals::Signals;
use std::io;
use std::time::SystemTime;
use term::{FrameWriter, Guard};
use theme::{Theme, ThemeError};

/// Why a console could not go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The terminal could not be read or written.
    #[error("the terminal could not be used: {0}")]
    Terminal(#[from] io::Error),
    /// The theme could not be read.
    #[error(transparent)]
    Theme(#[from] ThemeError),
    /// There is no terminal to talk to.
    #[error("the terminal ended its input")]
    Closed,
}

/// Runs a console in this terminal until the person quits, the terminal ends, or SIGTERM or
/// SIGHUP comes.
///
/// # Errors
/// Where the terminal cannot be used, or the theme not read; the terminal is restored by then.
pub async fn run(session: Session, options: Options) -> Result<(), Error> {
    let theme = Theme::shipped(&options.theme, options.color)?;
    let size = layout::known(crossterm::terminal::size().unwrap_or_default());
    let guard = Guard::take()?;
    let backend = CrosstermBackend::new(FrameWriter::new(io::stdout()));
    let app = App::new(options, theme, size, clock());
    let mut console = Console::new(app, backend, session, clock)?;
    let keys = Keys::default();
    console.hold(guard, keys.clone());
    term::here(console.drive(keys, Signals::listen()?)).await
}

fn clock() -> Ms {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ms::try_from(since.as_millis()).unwrap_or(Ms::MAX)
}
