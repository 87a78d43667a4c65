//! Another dedup rule over requests that came already: the judge of duplicates as a plain map, and
//! the rule as a person writes it.

use crate::model::Ms;
use crate::model::document::Dedup;
use crate::model::path::{Path, Segment};
use std::collections::HashMap;

/// Keys that the judge holds at most: 33 bytes each, 69 MB in all. What lapsed leaves first.
pub const MOST_KEYS: usize = 1_800_000;
/// Fields of a rule.
pub const MOST_FIELDS: usize = 5;

/// What the judge says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It is the first with its key.
    Fresh,
    /// It is a copy of this one.
    CopyOf(i64),
    /// The judge holds as many keys as it may, and none of them lapsed.
    Full,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    first: i64,
    seen: Ms,
}

/// Judges duplicates of requests in the order of their arrival, as the store does: a key seen less
/// than a window ago is a copy. Time must not go back.
#[derive(Debug)]
pub struct Judge {
    window: Ms,
    from_first: bool,
    most: usize,
    /// Under this many keys nothing is swept.
    sweep_at: usize,
    keys: HashMap<[u8; 16], Entry>,
}

impl Judge {
    /// One that has seen nothing and holds at most so many keys.
    #[must_use]
    pub fn new(window: Ms, from_first: bool, most: usize) -> Self {
        Self { window, from_first, most, sweep_at: most, keys: HashMap::new() }
    }

    /// Judges a request.
    pub fn judge(&mut self, key: [u8; 16], id: i64, now: Ms) -> Found {
        if let Some(entry) = self.keys.get_mut(&key) {
            if now - entry.seen < self.window {
                if !self.from_first {
                    entry.seen = now;
                }
                return Found::CopyOf(entry.first);
            }
            *entry = Entry { first: id, seen: now };
            return Found::Fresh;
        }
        if self.keys.len() >= self.sweep_at && !self.sweep(now) {
            return Found::Full;
        }
        self.keys.insert(key, Entry { first: id, seen: now });
        Found::Fresh
    }

    /// Drops what lapsed; whether there is room.
    fn sweep(&mut self, now: Ms) -> bool {
        let window = self.window;
        self.keys.retain(|_, entry| now - entry.seen < window);
        self.keys.len() < self.most
    }

    /// Keys that it holds, lapsed ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// Takes fields apart that a person wrote in one text, with commas between them:
/// `body.a,headers["X-Id"]`. Commas in quotes belong to a field.
#[must_use]
pub fn split_fields(text: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quote: Option<char> = None;
    let mut escaped = false;
    for letter in text.chars() {
        match (quote, letter) {
            (None, ',') => {
                fields.push(String::new());
                continue;
            }
            (None, '"' | '\'') => quote = Some(letter),
            (Some('"'), '\\') if !escaped => {
                escaped = true;
                push(&mut fields, letter);
                continue;
            }
            (Some(open), close) if open == close && !escaped => quote = None,
            _ => {}
        }
        escaped = false;
        push(&mut fields, letter);
    }
    fields.iter().map(|field| field.trim().to_owned()).filter(|field| !field.is_empty()).collect()
}

fn push(fields: &mut [String], letter: char) {
    if let Some(last) = fields.last_mut() {
        last.push(letter);
    }
}

/// Reads the fields of a rule by the laws of documents: one to five paths of body, headers and
/// query, each once, without `[]`.
///
/// # Errors
/// A sentence that says which field is none, and what to write.
pub fn fields(texts: &[String]) -> Result<Vec<Path>, String> {
    const EXAMPLE: &str = "write body.order_number, headers[\"X-Request-ID\"] or query.page";
    if texts.is_empty() {
        return Err(format!("a rule needs a field: {EXAMPLE}"));
    }
    if texts.len() > MOST_FIELDS {
        return Err(format!("a rule has at most {MOST_FIELDS} fields, these are {}", texts.len()));
    }
    let mut paths: Vec<Path> = Vec::new();
    for text in texts {
        let path: Path = text.parse().map_err(|error| format!("{text:?} is no path: {error}; {EXAMPLE}"))?;
        let keyed = matches!(path.rest(), [Segment::Key(_)]);
        let fits = match path.root() {
            "body" => !path.0.contains(&Segment::Any),
            "headers" | "query" => keyed,
            _ => false,
        };
        if !fits {
            return Err(format!("{text:?} is no dedup field: {EXAMPLE}"));
        }
        if paths.contains(&path) {
            return Err(format!("{text} is written twice"));
        }
        paths.push(path);
    }
    Ok(paths)
}

/// The rule that is tried: fields of its own, window and `from` of the live rule unless given.
#[must_use]
pub fn rule(fields: Vec<Path>, window: Option<Ms>, from_first: Option<bool>, live: Option<&Dedup>) -> Dedup {
    let week = 7 * crate::model::time::DAY;
    Dedup {
        fields,
        window: window.or(live.map(|live| live.window)).unwrap_or(week),
        from_first: from_first.or(live.map(|live| live.from_first)).unwrap_or(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(n: u8) -> [u8; 16] {
        [n; 16]
    }

    #[test]
    fn the_window_ends_exactly_where_it_ends_and_slides_unless_it_counts_from_the_first() {
        let mut judge = Judge::new(100, false, 10);
        assert_eq!(judge.judge(key(1), 11, 0), Found::Fresh);
        assert_eq!(judge.judge(key(1), 12, 99), Found::CopyOf(11));
        assert_eq!(judge.judge(key(1), 13, 198), Found::CopyOf(11));
        assert_eq!(judge.judge(key(1), 14, 298), Found::Fresh);
        let mut judge = Judge::new(100, true, 10);
        assert_eq!(judge.judge(key(1), 11, 0), Found::Fresh);
        assert_eq!(judge.judge(key(1), 12, 99), Found::CopyOf(11));
        assert_eq!(judge.judge(key(1), 13, 100), Found::Fresh);
    }

    #[test]
    fn it_holds_as_many_keys_as_it_may_and_drops_what_lapsed() {
        let mut judge = Judge::new(100, false, 2);
        assert_eq!(judge.judge(key(1), 1, 0), Found::Fresh);
        assert_eq!(judge.judge(key(2), 2, 50), Found::Fresh);
        assert_eq!(judge.judge(key(3), 3, 99), Found::Full);
        assert_eq!(judge.judge(key(2), 4, 99), Found::CopyOf(2), "what it holds it still judges");
        assert_eq!(judge.judge(key(3), 5, 100), Found::Fresh, "the first one lapsed");
        assert_eq!(judge.len(), 2);
    }

    #[test]
    fn fields_are_taken_apart_at_commas_that_are_not_quoted() {
        assert_eq!(
            split_fields(r#"body.a, headers["X,\"-Id"],query.b,"#),
            ["body.a", r#"headers["X,\"-Id"]"#, "query.b"]
        );
        assert!(split_fields(" , ").is_empty());
        assert_eq!(split_fields("headers['a,b']"), ["headers['a,b']"]);
    }

    #[test]
    fn fields_obey_the_laws_of_documents() {
        let read = |text: &str| fields(&split_fields(text));
        assert_eq!(read("body.a,query.b").unwrap().len(), 2);
        assert_eq!(read("body.a,body.b,body.c,body.d,body.e").unwrap().len(), MOST_FIELDS);
        for (text, said) in [
            ("", "needs a field"),
            ("body.a,body.b,body.c,body.d,body.e,body.f", "at most 5"),
            ("body.a[]", "is no dedup field"),
            ("status", "is no dedup field"),
            ("headers", "is no dedup field"),
            ("body..a", "is no path"),
            ("body.a,body.a", "written twice"),
        ] {
            assert!(read(text).unwrap_err().contains(said), "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_judges_as_a_list_does(
            steps in prop::collection::vec((0u8..6, 0i64..60), 1..200),
            window in 1i64..200,
            from_first in any::<bool>(),
        ) {
            let mut judge = Judge::new(window, from_first, 1_000);
            let mut list: Vec<(u8, i64, Ms)> = Vec::new();
            let mut now = 0;
            for (id, (n, wait)) in (1..).zip(steps) {
                now += wait;
                let held = list.iter_mut().rev().find(|(other, _, _)| *other == n);
                let expected = match held {
                    Some((_, first, seen)) if now - *seen < window => {
                        if !from_first {
                            *seen = now;
                        }
                        Found::CopyOf(*first)
                    }
                    _ => {
                        list.push((n, id, now));
                        Found::Fresh
                    }
                };
                prop_assert_eq!(judge.judge(key(n), id, now), expected);
            }
        }
    }
}
