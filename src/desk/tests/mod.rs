//! The desk over a real store.

mod documents;
mod editing;
mod jobs;
mod operators;
mod requests;
mod verbs;

use super::fixture::{ACME, House, act, act_by, anna};
use crate::model::ask::{Act, Answer, Apply, Ask, Fate, Page, Replay, Verb, Who};
use crate::model::run::{CallbackState, RunState};
use serde_json::{Value, json};
