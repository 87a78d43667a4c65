//! The loop that owns the terminal: signals, then keys, then data, then what is due.

use super::Error;
use super::app::{App, Dirt, Tone};
use super::aside::{Aside, News, Order};
use super::asks::Effect;
use super::draw::draw;
use super::facets::write::Unwritten;
use super::outside::{self, Keys};
use super::pacer::Pacer;
use super::signals::{self, Signal, Signals};
use super::tape::Tape;
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
use std::fs::File;
use std::future::poll_fn;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// Events that are taken in before the next frame, at most.
const DRAIN: usize = 256;

/// How long after coming back the signal may come that tells of it.
const TOLD: Duration = Duration::from_secs(1);

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

/// A file that was to be written, as it was named, and what came of it.
type Wrote = (String, Result<(String, u64), Unwritten>);
/// What only a console in a real terminal has.
#[derive(Debug)]
pub(super) struct Held {
    /// The terminal, given back when the console goes.
    pub guard: Guard,
    /// Its keys, which can be left to another program.
    pub keys: Keys,
    /// Files beside the loop.
    pub aside: Aside,
    /// Bytes that were written to the terminal.
    pub written: Arc<AtomicU64>,
    /// What is recorded.
    pub tape: Last,
}

/// The tape of the console: once it goes all is written.
#[derive(Debug)]
pub(super) struct Last(pub Tape);

impl Drop for Last {
    fn drop(&mut self) {
        self.0.finish();
    }
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
    held: Option<Held>,
    wrote: (mpsc::Sender<Wrote>, mpsc::Receiver<Wrote>),
    /// When it came back from the shell.
    back: Option<Instant>,
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
            wrote: mpsc::channel(4),
            back: None,
            closed: false,
        })
    }

    /// It is in a real terminal.
    pub(super) fn hold(&mut self, held: Held) {
        self.held = Some(held);
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
                    // It tells of the stop that this came back from already, else of one from outside.
                    Signal::Continue if self.back.take().is_some_and(|at| at.elapsed() < TOLD) => {}
                    Signal::Continue => self.resume()?,
                },
                event = input.next() => {
                    let mut resized = self.take_event(event.ok_or(Error::Closed)??);
                    for _ in 1..DRAIN {
                        let Some(event) = ready(&mut input).await else { break };
                        resized |= self.take_event(event.ok_or(Error::Closed)??);
                    }
                    // Of many sizes in a row only the last is drawn.
                    if resized {
                        self.sized();
                        self.redraw()?;
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
                news = news(&mut self.held) => self.take_news(news)?,
                text = term::panic_elsewhere() => self.app.toast(Tone::Bad, format!("a task ended: {text}")),
                Some((name, done)) = self.wrote.1.recv() => {
                    self.app.now = (self.clock)();
                    self.app.wrote(&name, done);
                }
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

    fn take_news(&mut self, news: News) -> Result<(), Error> {
        self.app.now = (self.clock)();
        match news {
            News::Opened(Ok((file, path))) => self.begin_recording(file, &path)?,
            News::Recorded(ended) => self.app.recording_ended(ended),
            News::Themes(themes) => self.app.themes_came(themes),
            News::Opened(Err(told)) | News::Trouble(told) => self.app.toast(Tone::Bad, told),
        }
        Ok(())
    }

    /// Records from the next frame on, which is a whole one.
    ///
    /// # Errors
    /// Where the terminal cannot be written.
    pub(super) fn begin_recording(&mut self, file: File, path: &Path) -> Result<(), Error> {
        let Some(held) = &self.held else { return Ok(()) };
        match held.tape.0.begin(file, path, self.app.size, self.app.now, held.aside.teller()) {
            Ok(()) => self.app.recorded(path.display().to_string()),
            Err(error) => self.app.toast(Tone::Bad, format!("record is not possible: {error}")),
        }
        self.redraw()
    }

    fn order(&mut self, order: Order) {
        if let Some(held) = &self.held
            && !held.aside.order(order)
        {
            self.app.toast(Tone::Bad, "nothing was done: the disk does not answer");
        }
    }

    /// Takes an event in; whether it is another size.
    fn take_event(&mut self, event: Event) -> bool {
        self.app.now = (self.clock)();
        let resized = matches!(event, Event::Resize(..));
        self.app.input(event);
        self.turn.send_modify(|turn| turn.taken += 1);
        resized
    }

    fn sized(&self) {
        if let Some(held) = &self.held {
            held.tape.0.sized(self.app.size.0, self.app.size.1);
        }
    }

    fn redraw(&mut self) -> Result<(), Error> {
        self.terminal.resize(Rect::new(0, 0, self.app.size.0, self.app.size.1))?;
        self.app.touch(Dirt::Input);
        Ok(())
    }

    fn resume(&mut self) -> Result<(), Error> {
        if let Some(held) = &self.held {
            held.guard.resume()?;
            self.app.input(Event::Resize(0, 0));
            if let Ok((width, height)) = crossterm::terminal::size() {
                self.app.input(Event::Resize(width, height));
            }
            self.sized();
        }
        self.redraw()
    }

    fn paint(&mut self) -> Result<(), Error> {
        self.app.now = (self.clock)();
        if let Some(held) = &self.held {
            self.app.wrote.sample(self.app.now, held.written.load(Ordering::Relaxed));
        }
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
                    if let Err(error) = term::copy(&self.app.options.between.sequence(&text)) {
                        self.app.toast(Tone::Bad, format!("nothing was copied: {error}"));
                    }
                }
                Effect::Keep(name, value) => self.order(Order::Keep(name, value)),
                Effect::Themes => self.order(Order::Themes),
                Effect::Record(path) => self.order(Order::Open(path)),
                Effect::EndRecording => {
                    if let Some(held) = &self.held {
                        held.tape.0.end();
                    }
                }
                Effect::Mouse(on) => term::mouse(on)?,
                Effect::Pick(change) => {
                    if let Some(file) = self.app.options.picks_file.clone() {
                        self.order(Order::Pick(file, change));
                    }
                }
                Effect::Write { path, bytes, over } => {
                    let wrote = self.wrote.0.clone();
                    // A slow disk holds up nobody: what came of it is told when it is known.
                    tokio::task::spawn_blocking(move || {
                        let done = outside::write(&path, &bytes, over);
                        // The console may have ended meanwhile.
                        let _ = wrote.blocking_send((path, done));
                    });
                }
                Effect::Pager { name, text } => self.pager(&name, &text).await?,
                Effect::Read { path, wants } => {
                    let (path, read) = outside::read(&path, std::env::var_os("HOME").as_deref()).await;
                    self.app.now = (self.clock)();
                    self.app.file_read(wants, &path, read);
                }
                Effect::TryLink => self.session.nudge.notify_one(),
                Effect::Outside { name, text } => self.outside(&name, &text).await?,
                Effect::Suspend if signals::has_a_shell() => {
                    term::restore();
                    if let Some(address) = &self.app.options.quitting_stops {
                        signals::tell_that_it_stands_still(address);
                    }
                    signals::stop_this_process();
                    // Also where nothing stopped it: the terminal is taken back.
                    self.resume()?;
                    self.back = Some(Instant::now());
                }
                Effect::Suspend => {
                    let why =
                        self.app.say("suspend is not possible: no shell started this console; {q} quits");
                    self.app.toast(Tone::Info, why);
                }
            }
        }
        Ok(false)
    }

    /// A text in the person's own editor: the terminal is theirs until it ends.
    async fn outside(&mut self, name: &str, text: &str) -> Result<(), Error> {
        let Some(held) = &self.held else { return Ok(()) };
        let keys = held.keys.clone();
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

    /// A text in the person's own pager.
    async fn pager(&mut self, name: &str, text: &str) -> Result<(), Error> {
        let Some(held) = &self.held else { return Ok(()) };
        let keys = held.keys.clone();
        keys.listen(false);
        term::restore();
        let pager = self.app.options.pager.clone();
        let done = outside::show(&pager, &std::env::temp_dir(), name, text).await;
        keys.listen(true);
        self.resume()?;
        self.app.now = (self.clock)();
        if let Err(why) = done {
            self.app.toast(Tone::Bad, why);
        }
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

async fn news(held: &mut Option<Held>) -> News {
    match held {
        Some(held) => held.aside.news().await,
        None => std::future::pending().await,
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
