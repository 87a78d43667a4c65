//! Which refusals are alike: of one flow, answered the same, for one cause but for its figures.

use crate::model::query::quoted;
use crate::model::view::LikeView;
use crate::text::count;
use std::fmt::Write as _;

/// A cause without its figures: what two refusals that are alike have in common.
#[must_use]
pub fn likeness(cause: &str) -> String {
    let mut rest = String::with_capacity(cause.len());
    for piece in pieces(cause) {
        rest.push_str(if figure(piece) { "#" } else { piece });
    }
    rest
}

/// The filter of the refusals that are like one: as exact as [`likeness`], and as short as it can be.
#[must_use]
pub fn filter(integration: &str, flow: &str, status: Option<u16>, cause: Option<&str>) -> String {
    let mut text = format!("verdict:rejected integration={} flow={}", quoted(integration), quoted(flow));
    if let Some(status) = status {
        let _ = write!(text, " status={status}");
    }
    let Some(cause) = cause else { return text };
    if pieces(cause).any(figure) {
        let mut pattern = String::from("^");
        for piece in pieces(cause) {
            if figure(piece) {
                pattern.push_str(FIGURE);
            } else {
                pattern.push_str(&regex::escape(piece));
            }
        }
        pattern.push('$');
        let _ = write!(text, " cause~{}", quoted(&pattern));
    } else {
        let _ = write!(text, " cause={}", quoted(cause));
    }
    text
}

/// How [`filter`] spells [`figure`].
const FIGURE: &str = "[0-9][0-9A-Za-z.,]*";

/// `14s`, `7m`, `6.3`, `1,204`.
fn figure(piece: &str) -> bool {
    piece.starts_with(|letter: char| letter.is_ascii_digit())
}

/// A text in pieces: runs that begin with a digit, and what stands between them.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    let mut before = None;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let goes_on = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | ',');
        let end = if first.is_ascii_digit() && !before.is_some_and(goes_on) {
            rest.find(|letter: char| !goes_on(letter))
        } else {
            let mut last = before;
            rest.char_indices().find_map(|(at, letter)| {
                let begins = at > 0 && letter.is_ascii_digit() && !last.is_some_and(goes_on);
                last = Some(letter);
                begins.then_some(at)
            })
        };
        let (piece, after) = rest.split_at(end.unwrap_or(rest.len()));
        before = piece.chars().next_back();
        rest = after;
        Some(piece)
    })
}

/// `12 since 14:02; the last that passed: 14:01:40 (71ab03)`; `clock` writes a time.
#[must_use]
pub fn like_it(like: &LikeView, clock: &dyn Fn(&str) -> String) -> String {
    let passed = match &like.passed {
        Some(passed) => {
            let id = crate::model::id::short(&passed.request);
            format!("the last that passed: {} ({id})", clock(&passed.time))
        }
        None if like.partial => "none of the 2,000 requests before it passed".to_owned(),
        None => "none passed before it".to_owned(),
    };
    if like.count <= 1 && !like.more {
        return format!("no other; {passed}");
    }
    let least = if like.more { "at least " } else { "" };
    format!("{least}{} since {}; {passed}", count(like.count), clock(&like.first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::query::{Query, Row};
    use std::borrow::Cow;

    struct Refused<'a>(&'a str);

    impl Row for Refused<'_> {
        fn time(&self) -> i64 {
            0
        }

        fn named(&self, name: &str) -> Vec<Cow<'_, str>> {
            let text = match name {
                "verdict" => "rejected",
                "integration" => "pay-1",
                "flow" => "Card payments",
                "status" => "401",
                "cause" => self.0,
                _ => return Vec::new(),
            };
            vec![Cow::Borrowed(text)]
        }

        fn at(&self, _: &crate::model::path::Path) -> Vec<Cow<'_, serde_json::Value>> {
            Vec::new()
        }

        fn mentions(&self, _: &str) -> bool {
            false
        }
    }

    #[test]
    fn the_filter_matches_what_is_alike_and_nothing_else() {
        let causes = [
            "signature differs",
            "signature differs; the body matches after removing the final newline",
            "exp passed 14s ago",
            "exp passed 4m02s ago",
            "time is 7m old (limit 5m)",
            "time is 9m ahead (limit 5m)",
            "6.3 MiB is over 6 MiB",
            "no key `a-1` or \"b\\c\" (x) $5",
            "key `acme` is HS256, the token says RS256",
            "key `acme` is HS256, the token says ES384",
            "",
        ];
        for one in causes {
            let text = filter("pay-1", "Card payments", Some(401), Some(one));
            let query = Query::parse(&text, 0).unwrap_or_else(|error| panic!("{text}: {error}"));
            for other in causes {
                let alike = likeness(one) == likeness(other);
                assert_eq!(query.matches(&Refused(other)), alike, "{text} on {other:?}");
            }
        }
        assert_eq!(likeness("exp passed 14s ago"), likeness("exp passed 4m02s ago"));
        assert_eq!(likeness("key `acme` is HS256"), "key `acme` is HS256", "a name is no figure");
        assert_eq!(pieces("a 12 b3 é4.5").collect::<Vec<_>>(), ["a ", "12", " b3 é", "4.5"]);
    }

    #[test]
    fn what_is_like_it_is_said_with_its_figures() {
        let mut like = LikeView {
            count: 12,
            first: "t1".to_owned(),
            more: false,
            filter: String::new(),
            passed: Some(crate::model::view::CopyView {
                request: "0197a2b4-77c1-7d30-9f11-c2a99071ab03".to_owned(),
                time: "t0".to_owned(),
                verdict: crate::model::request::Verdict::Accepted,
            }),
            partial: false,
        };
        let said = |like: &LikeView| like_it(like, &str::to_uppercase);
        assert_eq!(said(&like), "12 since T1; the last that passed: T0 (71ab03)");
        like.more = true;
        like.passed = None;
        assert_eq!(said(&like), "at least 12 since T1; none passed before it");
        like = LikeView { count: 1, more: false, partial: true, ..like };
        assert_eq!(said(&like), "no other; none of the 2,000 requests before it passed");
    }
}
