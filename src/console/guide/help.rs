//! The keys of each step: a few in the last row, all of them in the help, before those of everywhere.

use super::{First, Guide, Stage};
use crate::console::layout::Class;

/// A key, or two that belong together, and what it does.
type Told = (&'static str, &'static str);

impl Guide {
    /// The keys of the last row.
    #[must_use]
    pub fn keys(&self, class: Class) -> Vec<Told> {
        let wide = class > Class::Compact;
        if self.finished.is_some() {
            return vec![("enter", "watch Live"), ("y", "copy URL"), ("Y", "copy curl"), ("q", "close")];
        }
        let back = ("esc", if self.stage == Stage::Name { "leave" } else { "back" });
        let mut keys = match self.stage {
            Stage::Name => vec![("enter", "next"), ("tab", "next field")],
            Stage::Auth if self.first == First::Shown => {
                vec![("y", "copy it"), ("enter", "next: it is not shown again")]
            }
            Stage::Auth if self.first == First::Again => vec![("enter", "anyone may send")],
            Stage::Auth if self.auth.focus > 0 => {
                vec![("enter", "take it"), ("tab", "next field"), ("← →", "choose")]
            }
            Stage::Auth => vec![("enter", "take it"), ("j k", "choose"), ("tab", "its fields")],
            // What y, Y and C do stands beside what they act on.
            Stage::Capture if !wide => {
                vec![("enter", "next"), ("space", "tick"), ("tab", "need/dedup"), ("v", "other source")]
            }
            Stage::Capture => {
                vec![
                    ("enter", "next"),
                    ("space", "tick"),
                    ("tab", "need/dedup"),
                    ("y", "URL"),
                    ("Y", "curl"),
                    ("C", "renew"),
                    ("v", "other source"),
                ]
            }
            Stage::Dedup if self.on_window => vec![("enter", "next"), ("tab", "to the fields")],
            Stage::Dedup => vec![("enter", "next"), ("space", "tick"), ("tab", "how long")],
            Stage::Step if self.step.list.is_some() => {
                vec![("tab", "take"), ("↑ ↓", "choose"), ("esc", "close list")]
            }
            Stage::Step if self.step.focus == 0 => {
                vec![("enter", "next"), ("← →", "choose"), ("tab", "next field")]
            }
            Stage::Step => vec![("enter", "next"), ("tab", "next field"), ("{{", "what came")],
            Stage::Test => {
                vec![("enter", "deploy"), ("v", "other request"), ("e", "edit document"), ("j k", "scroll")]
            }
        };
        if self.stage != Stage::Step || self.step.list.is_none() {
            keys.push(back);
        }
        if wide && !self.types() {
            keys.push(("q", "leave, it is a draft"));
        }
        keys
    }

    /// Every key of the step that is shown, with what it does.
    #[must_use]
    pub fn help(&self) -> Vec<Told> {
        if self.finished.is_some() {
            return vec![
                ("enter", "to Live, where the next request to it is seen"),
                ("y", "copy the URL that requests go to"),
                ("Y", "copy a command that sends a first one"),
                ("q esc", "close this"),
            ];
        }
        let mut keys = match self.stage {
            Stage::Auth if self.first == First::Shown => vec![
                ("y", "copy the secret, through the terminal"),
                ("enter", "to the capture; the secret is shown no more"),
            ],
            Stage::Name | Stage::Auth => vec![
                ("j k", "another way to let senders in"),
                ("tab", "its fields: which key, header, user, a secret that was given"),
                ("h l", "in a field with ‹ ›: choose"),
                ("enter", "make the key and show it once; with a key that is there, let it in"),
            ],
            Stage::Capture => vec![
                ("y", "copy the URL that requests go to"),
                ("Y", "copy a command that sends one"),
                ("C", "listen again for 90 seconds"),
                ("v", "a stored request, a file or JSON stands for what comes"),
                ("j k", "a path up and down"),
                ("space", "tick it: it must be there, or it counts for dedup"),
                ("tab", "which column space ticks: need, dedup"),
                ("enter", "save the ticks, to the next step"),
            ],
            Stage::Dedup => vec![
                ("j k", "a path up and down"),
                ("space", "tick it: requests with the same values are one"),
                ("tab", "how long, and back to the fields"),
                ("enter", "save the rule, to the next step"),
            ],
            Stage::Step => vec![
                ("h l", "another method"),
                ("tab", "its URL and its body; there a curl command can be pasted, and {{ lists what came"),
                ("enter", "save the step, to the test"),
            ],
            Stage::Test => vec![
                ("j k", "scroll through what would be sent"),
                ("v", "another request to try it with"),
                ("e", "leave the steps, and edit the document"),
                ("enter", "the plan of the deploy; there enter again makes it live"),
            ],
        };
        keys.push(("esc", "back a step; what is filled in is kept"));
        keys.push(("q", "leave it as a draft; i goes on with it"));
        keys
    }
}
