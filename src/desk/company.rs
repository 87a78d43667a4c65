//! Who is here: the consoles that are attached, where each is, and what people did a moment ago.

use super::Desk;
use crate::model::ask::{Answer, Ask, Deed, Editing, Object, Who};
use crate::model::company::{ActView, ConsoleView, Here, MAX_ACTS, MAX_CONSOLES};
use crate::model::id::short;
use crate::model::operator::Role;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Bytes of what a console says of itself.
const MOST: usize = 80;

/// All that are here.
#[derive(Debug)]
pub(super) struct Company {
    state: Mutex<State>,
    /// Raised with every change.
    version: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// Each with the number of the seat that holds it: a console that comes again takes a new one.
    seats: Vec<(u64, ConsoleView)>,
    taken: u64,
    /// The last acts, with the number of the first that was dropped or not made yet.
    acts: VecDeque<ActView>,
    told: u64,
    /// Raised when somebody comes, moves or goes.
    moves: u64,
}

impl Default for Company {
    fn default() -> Self {
        Self { state: Mutex::default(), version: watch::Sender::new(0) }
    }
}

impl Company {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.version.send_modify(|version| *version += 1);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves plain data behind, which is still good.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A console comes, or comes again.
    fn sit(self: &Arc<Self>, who: &Who, from: &str, since: String) -> Option<Seat> {
        let id = cut(who.console.as_deref()?);
        let mut number = None;
        self.change(|state| {
            let before = state.seats.iter().position(|(_, seat)| seat.id == id && seat.who == who.name);
            let before = before.map(|at| state.seats.remove(at).1);
            if state.seats.len() >= MAX_CONSOLES {
                return;
            }
            state.taken += 1;
            state.moves += 1;
            number = Some(state.taken);
            let (screen, run, since) = before.map_or_else(
                || (String::new(), None, since),
                |before| (before.screen, before.run, before.since),
            );
            let role = if who.read_only { Role::Viewer } else { who.role }.word().to_owned();
            let view =
                ConsoleView { id, who: who.name.clone(), role, from: from.to_owned(), since, screen, run };
            state.seats.push((state.taken, view));
        });
        Some(Seat { company: Arc::clone(self), number: number? })
    }

    fn moved(&self, who: &Who, here: &Here) {
        self.change(|state| {
            let id = cut(&here.console);
            let seat = state.seats.iter_mut().find(|(_, seat)| seat.id == id && seat.who == who.name);
            if let Some((_, seat)) = seat {
                seat.screen = cut(&here.screen);
                seat.run = here.run.as_deref().map(cut);
                state.moves += 1;
            }
        });
    }

    fn did(&self, act: ActView) {
        self.change(|state| {
            state.acts.push_back(act);
            state.told += 1;
            if state.acts.len() > MAX_ACTS {
                state.acts.pop_front();
            }
        });
    }
}

fn cut(text: &str) -> String {
    text.chars().take(MOST).collect()
}

/// A console's place; it is gone when this is dropped.
#[derive(Debug)]
struct Seat {
    company: Arc<Company>,
    number: u64,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.company.change(|state| {
            let before = state.seats.len();
            state.seats.retain(|(number, _)| *number != self.number);
            state.moves += u64::from(state.seats.len() < before);
        });
    }
}

/// What one watcher has been told of the others.
#[derive(Debug)]
pub struct Among {
    company: Arc<Company>,
    version: watch::Receiver<u64>,
    told: u64,
    moves: Option<u64>,
    _seat: Option<Seat>,
}

impl Among {
    /// Waits until there may be news.
    pub(super) async fn changed(&mut self) {
        while !self.has_news() {
            // The sender is held here: it cannot be gone.
            let _ = self.version.changed().await;
        }
    }

    fn has_news(&self) -> bool {
        let state = self.company.lock();
        state.told != self.told || Some(state.moves) != self.moves
    }

    /// The acts since the last call, and who is here where that has changed.
    pub(super) fn news(&mut self) -> (Vec<ActView>, Option<Vec<ConsoleView>>) {
        let state = self.company.lock();
        let fresh = usize::try_from(state.told - self.told).unwrap_or(usize::MAX);
        let acts = state.acts.iter().skip(state.acts.len().saturating_sub(fresh)).cloned().collect();
        self.told = state.told;
        let moved = self.moves.replace(state.moves) != Some(state.moves);
        (acts, moved.then(|| state.seats.iter().map(|(_, seat)| seat.clone()).collect()))
    }
}

impl Desk {
    /// Sits down among those who are here; `from` says where a console is.
    pub(super) fn among(&self, who: &Who, from: &str) -> Among {
        let since = crate::model::time::rfc3339(self.deps.store.now());
        // Told of acts from now on, and of who is here with the first look.
        let seat = self.company.sit(who, from, since);
        let told = self.company.lock().told;
        Among {
            company: Arc::clone(&self.company),
            version: self.company.version.subscribe(),
            told,
            moves: None,
            _seat: seat,
        }
    }

    /// A console says where it is.
    pub(super) fn here(&self, who: &Who, here: &Here) -> Answer {
        self.company.moved(who, here);
        Answer::Done(crate::model::ask::Done::default())
    }

    /// Tells the others what was done.
    pub(super) fn tell(&self, who: &Who, subject: Subject, answer: &Answer) {
        let Subject { did, kind, what, one_by_one } = subject;
        let (what, count) = match answer {
            Answer::Acted(acted) if acted.done == 0 => return,
            Answer::Acted(acted) => (what.filter(|_| acted.done == 1), acted.done),
            Answer::Job(job) => (None, job.total),
            Answer::Plan(_) => return,
            Answer::Done(done) if done.refused => return,
            _ if one_by_one => (what, 1),
            _ => (what, 0),
        };
        let who_did = who.name.clone();
        self.company.did(ActView {
            console: who.console.clone(),
            who: who_did,
            did: did.to_owned(),
            what,
            kind: kind.to_owned(),
            count,
        });
    }
}

/// What an order is about, as it is told to others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Subject {
    did: &'static str,
    kind: &'static str,
    what: Option<String>,
    one_by_one: bool,
}

impl Subject {
    /// Of an order; `None` for a question, for a plan, and for what changes nothing that others see.
    pub(super) fn of(ask: &Ask) -> Option<Self> {
        let did = did(ask.deed()?)?;
        let (kind, what, dry_run) = match ask {
            Ask::Act(act) => {
                let kind = match act.verb.object() {
                    Object::Request => "request",
                    Object::Run => "run",
                    Object::Callback => "callback",
                };
                let one = match act.ids.as_slice() {
                    [id] => Some(short(id).to_owned()),
                    _ => None,
                };
                (kind, one, act.dry_run)
            }
            Ask::Apply(apply) => {
                let names: Vec<&str> = apply.files.iter().map(|(name, _)| name.as_str()).collect();
                let one = names.first().filter(|_| names.len() == 1).map(|name| (*name).to_owned());
                ("document", one, apply.dry_run)
            }
            Ask::Deploy { name, dry_run, .. }
            | Ask::Remove { name, dry_run, .. }
            | Ask::Set { name, dry_run, .. } => ("integration", Some(name.clone()), *dry_run),
            Ask::Edit(editing) => match &**editing {
                Editing::Save(one) => ("integration", Some(one.name.clone()), one.dry_run),
                Editing::Open { .. } | Editing::Keep(_) => ("", None, false),
            },
            Ask::Rollback(rollback) => ("integration", Some(rollback.name.clone()), rollback.dry_run),
            Ask::StopJob { id, dry_run, .. } | Ask::ResumeJob { id, dry_run, .. } => {
                ("job", Some(short(id).to_owned()), *dry_run)
            }
            Ask::AddKey(add) => ("key", Some(add.name.clone()), add.dry_run),
            Ask::RemoveKey { name, dry_run, .. } => ("key", Some(name.clone()), *dry_run),
            Ask::AddOperator(add) => ("operator", Some(add.name.clone()), add.dry_run),
            Ask::RemoveOperator { name, dry_run, .. } => ("operator", Some(name.clone()), *dry_run),
            Ask::Pause(order) => ("flow", Some(order.target.clone()), order.dry_run),
            Ask::LoadSamples { dry_run } => ("", None, *dry_run),
            Ask::Start(_) => ("run", None, false),
            _ => ("", None, false),
        };
        let one_by_one = what.is_some() || kind == "run";
        (!dry_run).then_some(Self { did, kind, what, one_by_one })
    }
}

/// What was done, in words; `None` where it changes nothing that others see.
fn did(deed: Deed) -> Option<&'static str> {
    Some(match deed {
        Deed::Retry => "retried",
        Deed::Skip => "skipped",
        Deed::Abort => "aborted",
        Deed::Replay | Deed::SignedReplay => "replayed",
        Deed::Forget => "forgot the key of",
        Deed::Readmit => "readmitted",
        Deed::Complete => "completed",
        Deed::Extend => "extended",
        Deed::Cancel => "cancelled",
        Deed::StopJob => "stopped the job",
        Deed::ResumeJob => "resumed the job",
        Deed::Start => "started",
        Deed::Pause => "paused",
        Deed::Resume => "resumed",
        Deed::Apply => "applied",
        Deed::Save => "saved a draft of",
        Deed::Deploy => "deployed",
        Deed::Remove => "removed",
        Deed::Rollback => "rolled back",
        Deed::Set => "set a value of",
        Deed::LoadSamples => "loaded the samples",
        Deed::AddKey => "added the key",
        Deed::RemoveKey => "removed the key",
        Deed::AddOperator => "added the operator",
        Deed::RemoveOperator => "removed the operator",
        Deed::Reveal
        | Deed::Capture
        | Deed::Call
        | Deed::TestRun
        | Deed::SaveSample
        | Deed::DriftOk
        | Deed::Keep
        | Deed::Token
        | Deed::Sign => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ask::{Act, Verb};

    fn who(name: &str, console: &str) -> Who {
        Who { console: Some(console.to_owned()), ..Who::local(name, "console") }
    }

    fn among(company: &Arc<Company>, who: &Who) -> Among {
        let seat = company.sit(who, "this machine", "now".into());
        Among {
            company: Arc::clone(company),
            version: company.version.subscribe(),
            told: company.lock().told,
            moves: None,
            _seat: seat,
        }
    }

    fn names(consoles: &[ConsoleView]) -> Vec<(&str, &str)> {
        consoles.iter().map(|console| (console.who.as_str(), console.screen.as_str())).collect()
    }

    #[test]
    fn consoles_come_move_and_go_and_each_is_told_once() {
        let company = Arc::new(Company::default());
        let mut anna = among(&company, &who("anna", "a"));
        assert_eq!(names(&anna.news().1.unwrap()), [("anna", "")]);
        assert_eq!(anna.news(), (vec![], None));
        let ben = among(&company, &who("ben", "b"));
        company.moved(&who("ben", "b"), &Here { console: "b".into(), screen: "Runs".into(), run: None });
        assert_eq!(names(&anna.news().1.unwrap()), [("anna", ""), ("ben", "Runs")]);
        // Nobody moves another one's console.
        company.moved(&who("carl", "b"), &Here { console: "b".into(), ..Here::default() });
        assert_eq!(anna.news().1, None);
        // A link that comes back before the old one is known to be gone: one console, as it was.
        let again = among(&company, &who("ben", "b"));
        drop(ben);
        assert_eq!(names(&anna.news().1.unwrap()), [("anna", ""), ("ben", "Runs")]);
        drop(again);
        assert_eq!(names(&anna.news().1.unwrap()), [("anna", "")]);
        // Who is no console watches unseen.
        let _unseen = among(&company, &Who::local("eve", "socket"));
        assert_eq!(anna.news().1, None);
    }

    #[test]
    fn seats_and_acts_are_bounded() {
        let company = Arc::new(Company::default());
        let seats: Vec<Among> =
            (0..MAX_CONSOLES + 3).map(|n| among(&company, &who("anna", &n.to_string()))).collect();
        assert_eq!(company.lock().seats.len(), MAX_CONSOLES);
        let mut watcher = among(&company, &Who::local("eve", "socket"));
        for n in 0..MAX_ACTS + 9 {
            company.did(ActView { count: n as u64, ..ActView::default() });
        }
        let (acts, _) = watcher.news();
        assert_eq!((acts.len(), acts.last().map(|act| act.count)), (MAX_ACTS, Some(MAX_ACTS as u64 + 8)));
        assert!(watcher.news().0.is_empty());
        company.did(ActView::default());
        assert_eq!(watcher.news().0.len(), 1);
        drop(seats);
        assert!(company.lock().seats.is_empty());
        let long = Here { console: "c".into(), screen: "x".repeat(MOST + 1), run: None };
        let _one = among(&company, &who("anna", "c"));
        company.moved(&who("anna", "c"), &long);
        assert_eq!(company.lock().seats[0].1.screen.len(), MOST);
    }

    #[test]
    fn plans_and_questions_are_not_told() {
        let act = |dry_run| {
            Ask::Act(Box::new(Act { ids: vec!["0199-5d02aa".into()], dry_run, ..Act::of(Verb::Abort) }))
        };
        assert_eq!(Subject::of(&act(true)), None);
        assert_eq!(Subject::of(&Ask::Groups), None);
        let told = Subject::of(&act(false)).unwrap();
        assert_eq!((told.did, told.kind, told.what.as_deref()), ("aborted", "run", Some("5d02aa")));
    }
}
