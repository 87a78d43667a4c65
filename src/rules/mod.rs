//! The decisions: pure functions over plain data. Nothing in here reads a clock, a socket or a disk.

pub mod advance;
pub mod autopsy;
pub mod bucket;
pub mod check;
pub mod data;
pub mod dedup;
pub mod explain;
pub mod facts;
pub mod flatten;
pub mod json;
pub mod judge;
pub mod lane;
pub mod mask;
mod near;
pub mod origin;
pub mod plan;
pub mod redelivery;
pub mod reply;
pub mod retry;
pub mod rows;
pub mod secrets;
pub mod shape;
pub mod split;
pub mod survey;
pub mod template;
pub mod verify;
pub mod whatif;
