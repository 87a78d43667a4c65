//! Pointsman: mission control for integrations, in a terminal.
#![forbid(unsafe_code)]

pub mod api;
pub mod cli;
pub mod console;
pub mod demo;
pub mod desk;
pub mod feed;
pub mod model;
pub mod receiver;
pub mod rules;
pub mod runner;
pub mod scheduler;
pub mod session;
pub mod store;
pub mod text;
pub mod vault;
