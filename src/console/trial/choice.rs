//! What a trial is asked: which version, with which request, all steps or one, and whether anything
//! is really sent.

use crate::console::format::size;
use crate::model::id::short;
use crate::model::study::{Sampled, SimulatedStep};

/// A line of choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// The deployed one or the draft.
    Version,
    /// What stands for the request.
    Sample,
    /// All or one.
    Steps,
    /// Whether anything is sent.
    Does,
}

impl Row {
    /// Every line, in order.
    pub const ALL: [Self; 4] = [Self::Version, Self::Sample, Self::Steps, Self::Does];

    /// Its label.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Sample => "sample",
            Self::Steps => "steps",
            Self::Does => "does",
        }
    }
}

/// What a trial does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Does {
    /// Builds every request, and sends none.
    #[default]
    Build,
    /// Really makes the call of one step.
    Call,
    /// Really runs the flow, marked as a test.
    Run,
}

/// What was chosen, and what there is to choose from.
#[derive(Debug)]
pub struct Choices {
    /// The line that `←` and `→` act on.
    pub row: usize,
    /// With the draft.
    pub draft: bool,
    /// What can stand for the request, the last one first.
    samples: Vec<Sampled>,
    sample: usize,
    /// The flow's steps, and whether each sends.
    steps: Vec<(String, bool)>,
    /// One alone.
    step: Option<usize>,
    /// What it does.
    pub does: Does,
}

impl Choices {
    /// For a stored request, or `last`.
    #[must_use]
    pub fn new(request: String) -> Self {
        let mut samples = vec![Sampled::default()];
        let selected = Sampled::Request(request);
        let sample = usize::from(selected != samples[0]);
        samples.extend((sample == 1).then_some(selected));
        Self {
            // The last line: what it does.
            row: Row::ALL.len() - 1,
            draft: false,
            samples,
            sample,
            steps: Vec::new(),
            step: None,
            does: Does::Build,
        }
    }

    /// The line that `←` and `→` act on.
    #[must_use]
    pub fn focused(&self) -> Row {
        Row::ALL[self.row % Row::ALL.len()]
    }

    /// To another line.
    pub fn next_row(&mut self, by: isize) {
        let by = if by < 0 { Row::ALL.len() - 1 } else { 1 };
        self.row = (self.row + by) % Row::ALL.len();
    }

    /// What stands for the request.
    #[must_use]
    pub fn sample(&self) -> Sampled {
        self.samples.get(self.sample).cloned().unwrap_or_default()
    }

    /// The step that is tried alone.
    #[must_use]
    pub fn step(&self) -> Option<&str> {
        self.steps.get(self.step?).map(|(name, _)| name.as_str())
    }

    /// Takes in which steps there are: a choice of one that is there no more is none.
    pub fn know_steps(&mut self, steps: &[SimulatedStep]) {
        let chosen = self.step().map(str::to_owned);
        self.steps = steps
            .iter()
            .map(|step| (step.name.clone(), matches!(step.kind.as_str(), "request" | "send")))
            .collect();
        self.step = chosen.and_then(|name| self.steps.iter().position(|(other, _)| *other == name));
        if self.step.is_none() && self.does == Does::Call {
            self.does = Does::Build;
        }
    }

    /// Takes in what was saved as samples.
    pub fn know_saved(&mut self, names: Vec<String>) {
        let chosen = self.sample();
        self.samples.retain(|sample| !matches!(sample, Sampled::Saved(_)));
        self.samples.extend(names.into_iter().map(Sampled::Saved));
        self.take(chosen);
    }

    /// Something else stands for the request: it is one of the choices from now on.
    pub fn take(&mut self, sample: Sampled) {
        if matches!(sample, Sampled::Text(_)) {
            // What was pasted last is what is meant.
            self.samples.retain(|other| !matches!(other, Sampled::Text(_)));
        }
        self.sample = self.samples.iter().position(|other| *other == sample).unwrap_or_else(|| {
            self.samples.push(sample);
            self.samples.len() - 1
        });
    }

    /// Left or right on the line that has the focus.
    ///
    /// # Errors
    /// What the key says where there is nothing to choose.
    pub fn sideways(&mut self, by: isize) -> Result<(), &'static str> {
        let goes = |at: usize, count: usize| {
            let to = at.saturating_add_signed(by);
            (to < count && to != at).then_some(to)
        };
        match self.focused() {
            Row::Version => self.draft = goes(usize::from(self.draft), 2).ok_or(END)? == 1,
            Row::Sample => {
                let only = "there is no other: enter takes an id or JSON, {S} saves what is shown";
                if self.samples.len() < 2 {
                    return Err(only);
                }
                self.sample = goes(self.sample, self.samples.len()).ok_or(END)?;
            }
            Row::Steps => {
                let at = goes(self.step.map_or(0, |at| at + 1), self.steps.len() + 1).ok_or(END)?;
                self.step = at.checked_sub(1);
                let sends = self.step.and_then(|at| self.steps.get(at)).is_some_and(|(_, sends)| *sends);
                let fits = match self.does {
                    Does::Build => true,
                    Does::Call => sends,
                    Does::Run => self.step.is_none(),
                };
                if !fits {
                    self.does = Does::Build;
                }
            }
            Row::Does => {
                const ALL: [Does; 3] = [Does::Build, Does::Call, Does::Run];
                let at = ALL.iter().position(|does| *does == self.does).unwrap_or(0);
                self.does = ALL[goes(at, ALL.len()).ok_or(END)?];
                match self.does {
                    Does::Build => {}
                    // A call is one step's, a run has all of them.
                    Does::Call => {
                        let sends = |at: &usize| self.steps.get(*at).is_some_and(|(_, sends)| *sends);
                        let first = self.steps.iter().position(|(_, sends)| *sends);
                        self.step = self.step.filter(sends).or(first);
                        if self.step.is_none() {
                            self.does = if by < 0 { Does::Build } else { Does::Run };
                        }
                    }
                    Does::Run => self.step = None,
                }
            }
        }
        Ok(())
    }

    /// What a line says: its choices, and which is chosen. One of many stands alone.
    #[must_use]
    pub fn says(&self, row: Row) -> Vec<(String, bool)> {
        let one = |text: String, at: usize, of: usize| {
            let place = if of > 1 { format!("‹ {text} ›  {} of {of}", at + 1) } else { text };
            vec![(place, true)]
        };
        match row {
            Row::Version => radio(&["live", "draft"], usize::from(self.draft)),
            Row::Sample => one(sample_words(&self.sample()), self.sample, self.samples.len()),
            Row::Steps => {
                let name = self.step().map_or_else(|| "all steps".to_owned(), |name| format!("{name} alone"));
                one(name, self.step.map_or(0, |at| at + 1), self.steps.len() + 1)
            }
            Row::Does => {
                let call = match (self.does, self.step()) {
                    (Does::Call, Some(step)) => format!("really call {step} once"),
                    _ => "really call one step".to_owned(),
                };
                radio(&["build only", &call, "real test run"], self.does as usize)
            }
        }
    }
}

const END: &str = "that is the last one on this side";

fn radio(choices: &[&str], chosen: usize) -> Vec<(String, bool)> {
    let mark = |at| if at == chosen { "(•)" } else { "( )" };
    choices.iter().enumerate().map(|(at, text)| (format!("{} {text}", mark(at)), at == chosen)).collect()
}

fn sample_words(sample: &Sampled) -> String {
    match sample {
        Sampled::Request(id) if id == "last" => "the last real request".to_owned(),
        Sampled::Request(id) => format!("request {}", short(id)),
        Sampled::Saved(name) => format!("saved {name}"),
        Sampled::Text(text) => format!("pasted JSON, {}", size(text.len() as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, kind: &str) -> SimulatedStep {
        serde_json::from_value(serde_json::json!({
            "name": name, "type": kind, "runs": true, "cause": null, "request": null, "blocked": null,
            "left_out": [], "asks": [], "answer": null, "until": null,
        }))
        .unwrap()
    }

    fn choices() -> Choices {
        let mut choices = Choices::new("0197a2b4-77c1-7d30-9f11-c2a990d7fe00".to_owned());
        choices.know_steps(&[step("mark", "set"), step("event", "request"), step("thank", "send")]);
        choices
    }

    fn said(choices: &Choices, row: Row) -> String {
        choices.says(row).into_iter().map(|(text, _)| text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_call_is_of_one_step_that_sends_and_a_run_has_all_of_them() {
        let mut choices = choices();
        assert_eq!((choices.focused(), choices.does, choices.step()), (Row::Does, Does::Build, None));
        choices.sideways(1).unwrap();
        assert_eq!((choices.does, choices.step()), (Does::Call, Some("event")), "the first that sends");
        assert!(said(&choices, Row::Does).contains("(•) really call event once"));
        choices.row = 2;
        choices.sideways(1).unwrap();
        assert_eq!((choices.does, choices.step()), (Does::Call, Some("thank")));
        assert_eq!(choices.sideways(1), Err(END));
        choices.sideways(-1).unwrap();
        choices.sideways(-1).unwrap();
        assert_eq!((choices.does, choices.step()), (Does::Build, Some("mark")), "it sends nothing");
        choices.row = 3;
        choices.sideways(1).unwrap();
        choices.sideways(1).unwrap();
        assert_eq!((choices.does, choices.step()), (Does::Run, None));
        choices.row = 2;
        choices.sideways(1).unwrap();
        assert_eq!(choices.does, Does::Build, "a run has no step alone");
    }

    #[test]
    fn a_flow_that_sends_nothing_has_no_call() {
        let mut choices = Choices::new("last".to_owned());
        choices.know_steps(&[step("mark", "set")]);
        choices.sideways(1).unwrap();
        assert_eq!(choices.does, Does::Run);
        choices.sideways(-1).unwrap();
        assert_eq!(choices.does, Does::Build);
    }

    #[test]
    fn what_stands_for_the_request_is_one_of_several_and_stays_when_they_change() {
        let mut choices = choices();
        assert_eq!(said(&choices, Row::Sample), "‹ request d7fe00 ›  2 of 2");
        choices.know_saved(vec!["a.json".to_owned(), "b.json".to_owned()]);
        assert_eq!(said(&choices, Row::Sample), "‹ request d7fe00 ›  2 of 4");
        choices.row = 1;
        choices.sideways(1).unwrap();
        choices.know_saved(vec!["c.json".to_owned(), "a.json".to_owned()]);
        assert_eq!(choices.sample(), Sampled::Saved("a.json".to_owned()));
        choices.take(Sampled::Text("{}".to_owned()));
        choices.take(Sampled::Text("{\"a\":1}".to_owned()));
        assert_eq!(said(&choices, Row::Sample), "‹ pasted JSON, 7 B ›  5 of 5", "one paste is kept");
        let mut alone = Choices::new("last".to_owned());
        alone.row = 1;
        assert!(alone.sideways(1).unwrap_err().contains("enter takes an id"));
        assert_eq!(said(&alone, Row::Sample), "the last real request");
    }

    #[test]
    fn a_step_that_another_version_lacks_is_chosen_no_more() {
        let mut choices = choices();
        choices.sideways(1).unwrap();
        choices.know_steps(&[step("other", "request")]);
        assert_eq!((choices.does, choices.step()), (Does::Build, None));
    }
}
