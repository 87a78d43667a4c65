//! The link to the desk: up, down, and what that means for what is shown and for what can be done.

use super::app::{App, Dirt, Overlay, Tone};
use super::format::{age, clock, count};
use super::list::Item as _;
use crate::model::ask::Deed;
use crate::model::change::Counters;
use crate::model::company::Hello;
use crate::model::time::Ms;
use crate::session::Link;

/// What is known of the link beside its state.
#[derive(Debug, Default)]
pub struct Line {
    /// When a link that is down is tried again, and the how manieth time.
    pub next: Option<(Ms, u32)>,
    /// The link is back: how long it was down, and the requests that were known of then. Told once
    /// the first figures are there.
    back: Option<(Ms, Option<u64>)>,
    /// The version at the other end, and how it is called, where it is another one.
    other: Option<String>,
}

/// Requests that came in all.
fn came(counters: &Counters) -> u64 {
    counters.accepted + counters.duplicates + counters.filtered + counters.rejected
}

impl App {
    /// The link changed.
    pub(super) fn linked(&mut self, link: Link) {
        match link {
            Link::Live => self.link_is_up(),
            // A session begins so, and never comes back to it.
            Link::Connecting => {}
            Link::Down(outage) => {
                self.line.next = (outage.tries > 0).then(|| (self.now + outage.pause, outage.tries));
                let first = !matches!(self.link.0, Link::Down(_));
                let heard = self.now - outage.silent;
                self.link.0 = Link::Down(outage);
                if first {
                    // What is shown is as old as what was heard last.
                    self.link.1 = heard;
                    self.link_went_down();
                }
            }
        }
        self.touch(Dirt::Input);
    }

    fn link_is_up(&mut self) {
        let before = std::mem::replace(&mut self.link, (Link::Live, self.now));
        self.line.next = None;
        self.company.seated();
        match before {
            (Link::Live, since) => self.link.1 = since,
            (Link::Connecting, _) => self.behind = true,
            (Link::Down(_), since) => {
                self.line.back = Some((self.now - since, self.counters.as_ref().map(came)));
                // Lists are told what they missed; panes read again what they show.
                self.reload_panes();
                self.editor_resumes();
                self.guide_resumes();
            }
        }
    }

    fn link_went_down(&mut self) {
        self.asks.forget();
        self.marking = None;
        for list in [&mut self.live.requests, &mut self.requests.list] {
            list.unanswered();
        }
        for list in [&mut self.live.runs, &mut self.runs.list] {
            list.unanswered();
            // Rows that were asked for have no answer: they are asked for again.
            self.moved.extend(list.visible().map(|row| row.id().to_owned()));
        }
        self.facets_unanswered();
        self.editor_unsaves();
        if let Some(Overlay::Verb(_)) = self.overlay {
            self.close_dialog();
            self.toast(Tone::Bad, "The link went down: whether it was done is not known.");
        }
    }

    /// Figures came over a link: the first ones after it was down say what was missed.
    pub(super) fn tell_what_was_missed(&mut self) {
        let Some((down, before)) = self.line.back.take() else { return };
        let mut said = format!("link up after {}", age(down));
        let now = self.counters.as_ref().map(came);
        if let (Some(before), Some(now)) = (before, now)
            && now > before
        {
            let came = now - before;
            let requests = if came == 1 { "request" } else { "requests" };
            said = format!("{said}, {} {requests} came meanwhile", count(came));
        }
        self.toast(Tone::Good, said);
    }

    /// Who we are at the other end.
    pub(super) fn greeted(&mut self, hello: Hello) {
        self.options.role = hello.role;
        if self.options.attached.is_some() {
            self.options.attached = Some(format!("{}@{}", hello.name, hello.host));
        }
        let other = hello.version != self.options.version;
        self.line.other = other.then(|| {
            format!(
                "This console is {}, {} runs {}: reading works, verbs need the same version.",
                self.options.version, hello.host, hello.version
            )
        });
        self.company.own = Some(hello.console);
        self.touch(Dirt::Input);
    }

    /// Whether nothing can be changed here, whatever it is.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.options.read_only || self.options.role == crate::model::operator::Role::Viewer
    }

    /// Why something cannot be done here, if so.
    #[must_use]
    pub fn barred_deed(&self, deed: Deed) -> Option<String> {
        if let Err(refusal) = deed.allowed(self.options.read_only, self.options.role) {
            return Some(refusal.message);
        }
        let word = deed.word();
        if let Some(other) = &self.line.other {
            return Some(format!("{word} is not possible: {other}"));
        }
        match &self.link {
            (Link::Live, _) => None,
            (Link::Connecting, _) => Some(format!("{word} is not possible: the link is not up yet")),
            (Link::Down(_), since) => {
                let since = clock(*since, self.now, &self.options.zone);
                Some(format!("{word} is not possible: the link is down since {since}"))
            }
        }
    }

    /// The same, where the key is called otherwise.
    #[must_use]
    pub(super) fn barred_as(&self, deed: Deed, word: &str) -> Option<String> {
        self.barred_deed(deed).map(|why| why.replacen(deed.word(), word, 1))
    }

    /// Something was lost: what follows reads its newest page, what is stopped its shown rows.
    pub fn resync(&mut self) {
        for list in [&mut self.live.requests, &mut self.requests.list] {
            list.lost();
        }
        for list in [&mut self.live.runs, &mut self.runs.list] {
            list.lost();
            if !list.follow {
                self.moved.extend(list.visible().map(|row| row.id().to_owned()));
            }
        }
        self.reload_panes();
    }

    /// Panes read again what they show.
    pub fn reload_panes(&mut self) {
        self.asks.had.clear();
        self.runs.group.id = None;
        self.needs.stale = true;
        self.board.stale = true;
        self.board.pane.stale = true;
        self.tree.stale = true;
        self.overview.wants = true;
        self.behind = true;
    }
}

#[cfg(test)]
mod tests {
    use super::super::app::App;
    use super::super::options::Options;
    use super::super::theme::Theme;
    use super::*;
    use crate::model::ask::Changes;
    use crate::model::operator::Role;
    use crate::model::time::SECOND;
    use crate::session::{Incoming, Outage};

    const NOW: Ms = 1_795_008_715_120;

    fn app() -> App {
        let options =
            Options { attached: Some("gate".into()), version: "1.3.0".into(), ..Options::default() };
        App::new(options, Theme::default(), (160, 40), NOW)
    }

    fn hello(role: Role, version: &str) -> Incoming {
        Incoming::Hello(Hello {
            name: "ops".into(),
            role,
            host: "gate".into(),
            version: version.into(),
            console: "c1".into(),
        })
    }

    fn pushed(accepted: u64) -> Incoming {
        let counters = Counters { accepted, at: NOW, integrations: 1, ..Counters::default() };
        Incoming::Changed(Box::new(Changes { counters: Some(counters), ..Changes::default() }))
    }

    #[test]
    fn a_link_is_connecting_live_and_down_and_comes_back_with_what_came() {
        let mut app = app();
        assert_eq!(app.link.0, Link::Connecting);
        assert_eq!(
            app.barred_deed(Deed::Retry).as_deref(),
            Some("retry is not possible: the link is not up yet")
        );
        for incoming in [hello(Role::Admin, "1.3.0"), Incoming::Link(Link::Live), pushed(1_000)] {
            app.receive(incoming);
        }
        assert_eq!(
            (app.options.attached.as_deref(), app.barred_deed(Deed::Deploy)),
            (Some("ops@gate"), None)
        );
        assert!(app.toasts.is_empty(), "the first link is no news");
        let outage = |tries| Outage { why: "closed".into(), tries, pause: 5 * SECOND, silent: 0 };
        app.receive(Incoming::Link(Link::Down(outage(1))));
        app.now += 10 * SECOND;
        app.receive(Incoming::Link(Link::Down(outage(2))));
        assert_eq!(app.line.next, Some((NOW + 15 * SECOND, 2)));
        let barred = app.barred_deed(Deed::Retry).unwrap();
        assert!(barred.starts_with("retry is not possible: the link is down since "), "{barred}");
        app.now += 11 * SECOND;
        for incoming in [hello(Role::Admin, "1.3.0"), Incoming::Link(Link::Live), pushed(1_803)] {
            app.receive(incoming);
        }
        let said: Vec<&str> = app.toasts.iter().map(|toast| toast.text.as_str()).collect();
        assert_eq!(said, ["link up after 21s, 803 requests came meanwhile"]);
        app.receive(pushed(1_900));
        assert_eq!(app.toasts.len(), 1, "it is told once");
    }

    #[test]
    fn another_version_reads_and_a_role_bars_what_it_may_not() {
        let mut app = app();
        app.receive(hello(Role::Admin, "1.2.0"));
        app.receive(Incoming::Link(Link::Live));
        assert_eq!(
            app.barred_deed(Deed::Retry).as_deref(),
            Some(
                "retry is not possible: This console is 1.3.0, gate runs 1.2.0: reading works, verbs need the same version."
            )
        );
        app.receive(hello(Role::Operator, "1.3.0"));
        assert!(app.barred_deed(Deed::Retry).is_none() && !app.is_read_only());
        assert_eq!(
            app.barred_deed(Deed::Deploy).as_deref(),
            Some("deploy needs the role admin; you are operator")
        );
        app.receive(hello(Role::Viewer, "1.3.0"));
        assert!(app.is_read_only());
    }
}
