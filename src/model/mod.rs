//! The nouns: plain data, and what must always hold of it. No input or output, no clock, no
//! randomness: times, ids and jitter come in as arguments.

pub mod alert;
pub mod ask;
pub mod auth;
pub mod change;
pub mod company;
pub mod credential;
pub mod decimal;
pub mod document;
pub mod gate;
pub mod guide;
pub mod headers;
pub mod histogram;
pub mod id;
pub mod job;
pub mod json;
pub mod operator;
pub mod overview;
pub mod path;
pub mod payload;
pub mod query;
pub mod rate;
pub mod request;
pub mod run;
pub mod schedule;
pub mod settings;
pub mod study;
pub mod target;
pub mod time;
pub mod traffic;
pub mod trouble;
pub mod view;

pub use id::{AlertId, AuditId, CallbackId, FlowId, IdKey, IntegrationId, JobId, RequestId, RunId};
pub use time::Ms;

/// A JSON object that keeps the order of its keys and the digits of its numbers.
pub type Map = serde_json::Map<String, serde_json::Value>;
