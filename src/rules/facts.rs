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
mod tests {
    use super::*;
    use crate::model::path::walk;
    use crate::rules::dedup::canonical;
    use crate::rules::flatten::flatten;
    use crate::rules::json::parse;
    use crate::rules::json::tests::any_value;
    use proptest::prelude::*;

    fn facts(body: &str, wanted: &[&str], required: &[&str]) -> Facts {
        let read = |texts: &[&str]| -> Vec<Path> { texts.iter().map(|text| text.parse().unwrap()).collect() };
        let (wanted, required) = (read(wanted), read(required));
        scan(body.as_bytes(), &wanted.iter().collect::<Vec<_>>(), &required.iter().collect::<Vec<_>>())
            .unwrap()
    }

    fn value_at(body: &str, path: &str) -> Option<Vec<u8>> {
        facts(body, &[path], &[]).wanted.remove(0)
    }

    fn of(text: &str) -> Option<Vec<u8>> {
        parse(text.as_bytes()).ok().map(|value| canonical(&value))
    }

    #[test]
    fn wanted_paths_give_their_values() {
        let body = r#" {"a":{"b":[1,{"c d":"x"},[true]]},"n":null,"":{"":7}} "#;
        assert_eq!(value_at(body, "body.a.b[0]"), of("1"));
        assert_eq!(value_at(body, r#"body.a.b[1]["c d"]"#), of("\"x\""));
        assert_eq!(value_at(body, "body.a.b[2]"), of("[true]"));
        assert_eq!(value_at(body, "body.n"), of("null"));
        assert_eq!(value_at(body, r#"body[""][""]"#), of("7"));
        assert_eq!(value_at(body, "body"), of(body));
        for missing in [
            "body.a.b[3]",
            "body.b",
            "body.a[0]",
            "body.n.x",
            "body.a.b.c",
            "headers.a",
            "query.a",
            "body.a.b[]",
        ] {
            assert_eq!(value_at(body, missing), None, "{missing}");
        }
        assert_eq!(value_at("7", "body"), of("7"));
        assert_eq!(value_at("7", "body.a"), None);
    }

    #[test]
    fn an_escaped_key_is_the_key_it_says() {
        assert_eq!(value_at(r#"{"\u0061":1}"#, "body.a"), of("1"));
        assert!(facts(r#"{"\u0061":1,"a":2}"#, &[], &[]).repeated_keys);
    }

    #[test]
    fn the_last_of_a_repeated_key_counts_even_where_it_holds_less() {
        for (body, path, value) in [
            (r#"{"a":1,"a":2}"#, "body.a", of("2")),
            (r#"{"a":{"b":1},"a":{"c":2}}"#, "body.a.b", None),
            (r#"{"a":{"b":1},"a":2}"#, "body.a.b", None),
            (r#"{"a":2,"a":{"b":1}}"#, "body.a.b", of("1")),
            (r#"{"a":[{"b":1}],"x":0,"a":[]}"#, "body.a[0].b", None),
        ] {
            let facts = facts(body, &[path], &[path]);
            assert_eq!(facts.wanted[0], value, "{body}");
            assert_eq!(facts.present[0], value.is_some(), "{body}");
            assert!(facts.repeated_keys, "{body}");
        }
    }

    #[test]
    fn repeated_keys_are_seen_in_small_and_large_objects_and_only_there() {
        let object = |keys: usize, extra: &str| {
            let members: Vec<String> = (0..keys).map(|n| format!("\"k{n}\":{{\"k0\":1}}")).collect();
            format!("{{{}{extra}}}", members.join(","))
        };
        for keys in [1, FEW - 1, FEW, FEW + 1, FEW + 2, 5_000] {
            assert!(!facts(&object(keys, ""), &[], &[]).repeated_keys, "{keys}");
            assert!(facts(&object(keys, ",\"k0\":1"), &[], &[]).repeated_keys, "{keys}");
            let last = format!(",\"k{}\":1", keys - 1);
            assert!(facts(&object(keys, &last), &[], &[]).repeated_keys, "{keys}");
        }
        // The same key in two objects, or in an object and the one around it, is not repeated.
        assert!(!facts(r#"[{"a":1},{"a":{"a":{"b":{"a":1}},"b":2}}]"#, &[], &[]).repeated_keys);
    }

    #[test]
    fn required_paths_are_there_or_not_and_null_is_there() {
        let facts = facts(r#"{"a":null,"b":[]}"#, &[], &["body.a", "body.b", "body.b[0]", "body.c"]);
        assert_eq!(facts.present, [true, true, false, false]);
        assert_eq!(facts.values, 3);
    }

    #[test]
    fn depth_and_count_are_bounded_to_the_digit() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let run = |text: &str| scan(text.as_bytes(), &[], &[]);
        assert_eq!(run(&nested(MAX_DEPTH)).unwrap().values, MAX_DEPTH + 1);
        assert_eq!(run(&nested(MAX_DEPTH + 1)), Err(BodyError::TooDeep));
        for unclosed in ["[", "{\"a\":", "[{\"\":"] {
            assert_eq!(run(&unclosed.repeat(100_000)), Err(BodyError::TooDeep));
        }
        let many = |values: usize| format!("[{}0]", "0,".repeat(values - 2));
        assert_eq!(run(&many(MAX_VALUES)).unwrap().values, MAX_VALUES);
        assert_eq!(run(&many(MAX_VALUES + 1)), Err(BodyError::TooMany));
    }

    #[test]
    fn a_million_keys_are_refused_and_as_many_as_fit_are_compared_soon() {
        let object = |keys: usize, key: fn(usize) -> String| {
            let members: Vec<String> = (0..keys).map(|n| format!("\"{}\":0", key(n))).collect();
            format!("{{{}}}", members.join(","))
        };
        let started = std::time::Instant::now();
        let million = object(1_000_000, |_| "a".to_owned());
        assert_eq!(scan(million.as_bytes(), &[], &[]), Err(BodyError::TooMany));
        let most = object(MAX_VALUES - 1, |n| format!("{n:06}"));
        assert!(!scan(most.as_bytes(), &[], &[]).unwrap().repeated_keys);
        // All keys alike but for their ends: comparing each with each would take minutes here.
        let alike = object(20_000, |n| format!("{}{n:06}", "x".repeat(100)));
        assert!(!scan(alike.as_bytes(), &[], &[]).unwrap().repeated_keys);
        assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
    }

    proptest! {
        #[test]
        fn a_scan_finds_what_a_tree_holds(value in any_value()) {
            let body = value.to_string();
            let mut paths: Vec<Path> = Vec::new();
            flatten("body", &value, &mut |path, _| paths.push(path.parse().unwrap()));
            let wanted: Vec<&Path> = paths.iter().collect();
            let facts = scan(body.as_bytes(), &wanted, &wanted).unwrap();
            prop_assert!(!facts.repeated_keys);
            for (at, path) in paths.iter().enumerate() {
                prop_assert!(facts.present[at]);
                let expected = canonical(walk(&value, path.rest()).unwrap());
                prop_assert_eq!(facts.wanted[at].as_ref(), Some(&expected));
            }
        }
    }
}
