//! Does what is due: claims runs, makes their exchanges, commits what came of them.

pub mod guard;
