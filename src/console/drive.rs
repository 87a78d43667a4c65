//! The loop that owns the terminal: signals, then keys, then data, then what is due.

use super::Error;
use super::app::{App, Dirt, Tone};
use super::asks::Effect;
use super::draw::draw;
use super::outside::{self, Keys};
use super::pacer::Pacer;
use super::signals::{self, Signal, Signals};
use super::term::{self, Guard};
use crate::model::ask::Ask;
use crate::model::time::Ms;
use crate::session::{Incoming, Link, Session, Ticket};
use crossterm::event::Event;
use futures_util::{Stream, StreamExt as _};
use ratatui::backend::Backend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Events that are taken in before the next frame, at most.
const DRAIN: usize = 256;

/// What a loop says of itself after each turn, so that tests need not sleep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Turn {
    /// Events and messages that were taken in.
    pub taken: u64,
    /// Frames that were drawn.
    pub frames: u64,
    /// Nothing is dirty, nothing asked, nothing due but what ages.
    pub idle: bool,
}

/// A console with its terminal and its session.
#[derive(Debug)]
pub struct Console<B: Backend> {
    /// The state.
    pub app: App,
    /// What it is drawn on.
    pub terminal: Terminal<B>,
    session: Session,
    clock: fn() -> Ms,
    pacer: Pacer,
    outbox: VecDeque<(Ticket, Ask)>,
    turn: watch::Sender<Turn>,
    held: Option<(Guard, Keys)>,
    closed: bool,
}

/// The cursor is shown here, where it does not matter whether the terminal is still there: the
/// library's own way says so on a standard error that may be gone, too, and panics.
impl<B: Backend> Drop for Console<B> {
    fn drop(&mut self) {
        let _ = self.terminal.show_cursor();
    }
}

impl<B: Backend> Console<B>
where
    Error: From<B::Error>,
{
    /// A console on a backend; the clock gives engine time.
    ///
    /// # Errors
    /// Where the backend cannot be used.
    pub fn new(app: App, backend: B, session: Session, clock: fn() -> Ms) -> Result<Self, Error> {
        let viewport = Viewport::Fixed(Rect::new(0, 0, app.size.0, app.size.1));
        Ok(Self {
            terminal: Terminal::with_options(backend, TerminalOptions { viewport })?,
            pacer: Pacer::new(app.options.ssh),
            app,
            session,
            clock,
            outbox: VecDeque::new(),
            turn: watch::Sender::new(Turn::default()),
            held: None,
            closed: false,
        })
    }

    /// The terminal is held: given back when the console goes; its keys can be left to another program.
    pub(super) fn hold(&mut self, guard: Guard, keys: Keys) {
        self.held = Some((guard, keys));
    }

    /// Where the loop says what it did.
    #[must_use]
    pub fn turns(&self) -> watch::Receiver<Turn> {
        self.turn.subscribe()
    }

    /// The loop: signals, then keys, then data, then what is due.
    ///
    /// # Errors
    /// Where the terminal cannot be read or written.
    pub async fn drive(
        &mut self,
        mut input: impl Stream<Item = io::Result<Event>> + Unpin,
        mut signals: Signals,
    ) -> Result<(), Error> {
        let asks = self.session.asks.clone();
        loop {
            if self.carry_out().await? {
                return Ok(());
            }
            self.report();
            let looking = self.app.looking;
            let fast = self.app.is_fast();
            let frame = self.pacer.frame_due(self.app.dirt, fast, looking);
            let refresh = self.pacer.refresh_due(self.app.behind, fast, looking);
            let age = self.app.next_age().map(|at| wait_for(at - self.app.now));
            tokio::select! {
                biased;
                signal = signals.next() => match signal {
                    Signal::End => return Ok(()),
                    Signal::Continue => self.resume()?,
                },
                event = input.next() => {
                    self.take_event(event.ok_or(Error::Closed)??)?;
                    for _ in 1..DRAIN {
                        let Some(event) = ready(&mut input).await else { break };
                        self.take_event(event.ok_or(Error::Closed)??)?;
                    }
                }
                () = due(frame) => self.paint()?,
                permit = asks.reserve(), if !self.outbox.is_empty() => {
                    let ask = self.outbox.pop_front();
                    if let (Ok(permit), Some(ask)) = (permit, ask) {
                        permit.send(ask);
                    } else {
                        self.outbox.clear();
                    }
                }
                incoming = self.session.inbox.recv(), if !self.closed => self.take_in(incoming),
                text = term::panic_elsewhere() => self.app.toast(Tone::Bad, format!("a task ended: {text}")),
                () = due(refresh) => {
                    self.pacer.refreshed();
                    self.app.refresh();
                }
                () = due(age) => {
                    self.app.now = (self.clock)();
                    self.app.tick();
                }
            }
        }
    }

    fn take_in(&mut self, incoming: Option<Incoming>) {
        self.app.now = (self.clock)();
        let incoming = incoming.unwrap_or_else(|| {
            self.closed = true;
            Incoming::Link(Link::down("the other end is gone"))
        });
        self.app.receive(incoming);
        self.turn.send_modify(|turn| turn.taken += 1);
    }

    fn take_event(&mut self, event: Event) -> Result<(), Error> {
        self.app.now = (self.clock)();
        let resized = matches!(event, Event::Resize(..));
        self.app.input(event);
        if resized {
            self.redraw()?;
        }
        self.turn.send_modify(|turn| turn.taken += 1);
        Ok(())
    }

    fn redraw(&mut self) -> Result<(), Error> {
        self.terminal.resize(Rect::new(0, 0, self.app.size.0, self.app.size.1))?;
        self.app.touch(Dirt::Input);
        Ok(())
    }

    fn resume(&mut self) -> Result<(), Error> {
        if let Some((guard, _)) = &self.held {
            guard.resume()?;
            self.app.input(Event::Resize(0, 0));
            if let Ok((width, height)) = crossterm::terminal::size() {
                self.app.input(Event::Resize(width, height));
            }
        }
        self.redraw()
    }

    fn paint(&mut self) -> Result<(), Error> {
        self.app.now = (self.clock)();
        let app = &self.app;
        self.terminal.draw(|frame| draw(app, frame.buffer_mut()))?;
        self.app.flushed();
        self.pacer.drew();
        self.turn.send_modify(|turn| turn.frames += 1);
        Ok(())
    }

    /// Does what the state asks for; whether it asks to end.
    async fn carry_out(&mut self) -> Result<bool, Error> {
        for effect in self.app.effects() {
            match effect {
                Effect::Ask(ticket, ask) => self.outbox.push_back((ticket, ask)),
                Effect::Quit => return Ok(true),
                Effect::Redraw => self.redraw()?,
                Effect::Copy(text) => {
                    if let Err(error) = term::copy(&text) {
                        self.app.toast(Tone::Bad, format!("nothing was copied: {error}"));
                    }
                }
                Effect::KeepTheme(name) => {
                    if let Some(file) = &self.app.options.theme_file
                        && let Err(error) = std::fs::write(file, name)
                    {
                        self.app.toast(Tone::Bad, format!("the theme is not kept: {error}"));
                    }
                }
                Effect::TryLink => self.session.nudge.notify_one(),
                Effect::Outside { name, text } => self.outside(&name, &text).await?,
                Effect::Suspend => {
                    term::restore();
                    signals::stop_this_process();
                }
            }
        }
        Ok(false)
    }

    /// A text in the person's own editor: the terminal is theirs until it ends.
    async fn outside(&mut self, name: &str, text: &str) -> Result<(), Error> {
        let Some((_, keys)) = &self.held else { return Ok(()) };
        let keys = keys.clone();
        keys.listen(false);
        term::restore();
        let editor = self.app.options.editor.clone();
        let done = outside::edit(&editor, &std::env::temp_dir(), name, text).await;
        keys.listen(true);
        self.resume()?;
        self.app.now = (self.clock)();
        self.app.came_back(done);
        Ok(())
    }

    fn report(&self) {
        let app = &self.app;
        let idle = app.dirt == Dirt::Clean && !app.behind && app.asks.is_idle() && self.outbox.is_empty();
        self.turn.send_if_modified(|turn| {
            let changed = turn.idle != idle;
            turn.idle = idle;
            changed
        });
    }
}

impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

fn wait_for(ms: Ms) -> Instant {
    Instant::now() + Duration::from_millis(u64::try_from(ms).unwrap_or(0).max(1))
}

/// What a stream has ready. It is polled with the task's own waker: crossterm's stream keeps the
/// first waker that it is given until it fires, so a poll with any other loses the next key.
async fn ready<S: Stream + Unpin>(stream: &mut S) -> Option<Option<S::Item>> {
    poll_fn(|context| {
        Poll::Ready(match Pin::new(&mut *stream).poll_next(context) {
            Poll::Ready(item) => Some(item),
            Poll::Pending => None,
        })
    })
    .await
}

async fn due(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
