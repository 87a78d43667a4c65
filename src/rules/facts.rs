//! One streaming pass over a body: is it JSON, how deep, how many values, what does it hold at the
//! paths that matter. No tree is built.

pub use super::json::{BodyError, MAX_DEPTH, MAX_VALUES};

use super::dedup::canonical_text;
use super::json::{Cursor, Head, Text};
use crate::model::path::{Path, Segment};
use std::borrow::Cow;

/// What the pass found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The canonical value (see [`super::dedup`]) at each wanted path, in its order; `None` where missing.
    pub wanted: Vec<Option<Vec<u8>>>,
    /// Whether each required path is there, in its order. A null is there.
    pub present: Vec<bool>,
    /// An object had a key twice; the last value counts, for the paths too.
    pub repeated_keys: bool,
    /// Scalars and containers.
    pub values: usize,
}

/// Reads a body once. `wanted` and `required` are paths under `body`; others are left `None`/`false`.
///
/// # Errors
/// See [`BodyError`].
pub fn scan(body: &[u8], wanted: &[&Path], required: &[&Path]) -> Result<Facts, BodyError> {
    let mut scan = Scan {
        cursor: Cursor::new(body)?,
        tracks: wanted.iter().chain(required).map(|path| Track::new(path)).collect(),
        keys: Vec::with_capacity(64),
        repeated: false,
    };
    let live = scan.tracks.iter().any(|track| track.matched == Some(0));
    scan.value(0, live)?;
    scan.cursor.end()?;
    let (wanted, required) = scan.tracks.split_at(wanted.len());
    Ok(Facts {
        wanted: wanted.iter().map(|track| track.found.map(canonical_text)).collect(),
        present: required.iter().map(|track| track.found.is_some()).collect(),
        repeated_keys: scan.repeated,
        values: scan.cursor.values(),
    })
}

/// A path that is looked for.
struct Track<'p, 'b> {
    segments: &'p [Segment],
    /// How many segments lead to where the scan stands; `None` for a path that is not of the body.
    matched: Option<usize>,
    /// The text of its value.
    found: Option<&'b str>,
}

impl<'p> Track<'p, '_> {
    fn new(path: &'p Path) -> Self {
        let matched = (path.root() == "body").then_some(0);
        Self { segments: path.rest(), matched, found: None }
    }
}

/// Keys of an object that are compared one with another as they come; larger objects are sorted
/// at their end.
const FEW: usize = 16;

struct Scan<'p, 'b> {
    cursor: Cursor<'b>,
    tracks: Vec<Track<'p, 'b>>,
    /// Keys of all open objects, the innermost last.
    keys: Vec<Cow<'b, str>>,
    repeated: bool,
}

impl<'b> Scan<'_, 'b> {
    /// Reads a value; `depth` segments lead to it, and `live` says that they are the beginning of a
    /// path that is looked for.
    fn value(&mut self, depth: usize, live: bool) -> Result<(), BodyError> {
        let from = self.cursor.at();
        match self.cursor.value()? {
            Head::Array => {
                let mut index = 0;
                while self.cursor.element(index == 0)? {
                    let below = live && self.enter(depth, |segment| *segment == Segment::Index(index));
                    self.value(depth + 1, below)?;
                    self.leave(depth, below);
                    index += 1;
                }
            }
            Head::Object => {
                let begin = self.keys.len();
                let mut first = true;
                while let Some(key) = self.cursor.key(first)? {
                    first = false;
                    self.note(key, begin);
                    let below = live
                        && self.enter(depth, |segment| matches!(segment, Segment::Key(name) if key.is(name)));
                    self.value(depth + 1, below)?;
                    self.leave(depth, below);
                }
                self.close(begin);
            }
            Head::Null | Head::Bool(_) | Head::Number(_) | Head::String(_) => {}
        }
        if live {
            let text = self.cursor.since(from);
            for track in &mut self.tracks {
                if track.matched == Some(depth) && track.segments.len() == depth {
                    track.found = Some(text);
                }
            }
        }
        Ok(())
    }

    /// Moves the paths on whose next segment this is. What a path found under an earlier key of
    /// the same name is forgotten: the last one counts, even where it holds less.
    fn enter(&mut self, depth: usize, is_next: impl Fn(&Segment) -> bool) -> bool {
        let mut any = false;
        for track in &mut self.tracks {
            if track.matched == Some(depth) && track.segments.get(depth).is_some_and(&is_next) {
                track.matched = Some(depth + 1);
                track.found = None;
                any = true;
            }
        }
        any
    }

    fn leave(&mut self, depth: usize, entered: bool) {
        if entered {
            for track in &mut self.tracks {
                if track.matched == Some(depth + 1) {
                    track.matched = Some(depth);
                }
            }
        }
    }

    /// Notes a key of the object whose keys begin at `begin`.
    fn note(&mut self, key: Text<'b>, begin: usize) {
        // One repeated key is as good as many.
        if self.repeated {
            return;
        }
        let key = key.decode();
        if self.keys.len() - begin < FEW {
            self.repeated = self.keys[begin..].contains(&key);
        }
        self.keys.push(key);
    }

    fn close(&mut self, begin: usize) {
        if !self.repeated && self.keys.len() - begin > FEW {
            // Sorted rather than hashed: nobody can choose keys that make it slow.
            self.keys[begin..].sort_unstable();
            self.repeated = self.keys[begin..].windows(2).any(|pair| pair[0] == pair[1]);
        }
        self.keys.truncate(begin);
    }
}

#[cfg(test)]
mod tests;
