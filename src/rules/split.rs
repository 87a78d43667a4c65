//! One run for each element of an array of the body.

use super::json::parse;
use crate::model::path::{Path, Segment, walk};
use serde_json::Value;

/// Elements that one request may be split into.
pub const MAX_ELEMENTS: usize = 1_000;

/// Why a request cannot be split (a 400).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// There is no such value.
    #[error("{path} is split and missing")]
    Missing {
        /// As the document writes it.
        path: String,
    },
    /// It is something else.
    #[error("{path} is split and no array")]
    NotArray {
        /// As the document writes it.
        path: String,
    },
    /// More than [`MAX_ELEMENTS`].
    #[error("{path} is split and has {elements} elements: at most {MAX_ELEMENTS} are possible")]
    TooMany {
        /// As the document writes it.
        path: String,
        /// How many there are.
        elements: usize,
    },
}

/// How many runs a body is split into: the elements of the array at the path.
///
/// # Errors
/// See [`SplitError`].
pub fn elements(body: &Value, path: &Path) -> Result<u32, SplitError> {
    let name = || path.to_string();
    match walk(body, path.rest()) {
        None => Err(SplitError::Missing { path: name() }),
        Some(Value::Array(found)) if found.len() > MAX_ELEMENTS => {
            Err(SplitError::TooMany { path: name(), elements: found.len() })
        }
        Some(Value::Array(found)) => Ok(u32::try_from(found.len()).unwrap_or(u32::MAX)),
        Some(_) => Err(SplitError::NotArray { path: name() }),
    }
}

/// [`elements`] of a body as it came; one that is not there counts as `{}`.
///
/// # Errors
/// See [`SplitError`]; a body that is not JSON has no elements.
pub fn elements_of(body: &[u8], path: &Path) -> Result<u32, SplitError> {
    let body = if body.is_empty() { Value::Null } else { parse(body).unwrap_or_default() };
    elements(&body, path)
}

/// Where an element is in the body.
#[must_use]
pub fn record(path: &Path, element: u32) -> Vec<Segment> {
    let mut segments = path.rest().to_vec();
    segments.push(Segment::Index(usize::try_from(element).unwrap_or(usize::MAX)));
    segments
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn path(text: &str) -> Path {
        text.parse().unwrap()
    }

    #[test]
    fn an_array_is_split_up_to_its_bound() {
        let many = |n: usize| elements(&json!({"r": vec![0; n]}), &path("body.r")).map_err(|e| e.to_string());
        for n in [0, 1, 3, MAX_ELEMENTS] {
            assert_eq!(many(n), Ok(u32::try_from(n).unwrap()));
        }
        let wrong = "body.r is split and has 1001 elements: at most 1000 are possible";
        assert_eq!(many(MAX_ELEMENTS + 1), Err(wrong.to_owned()));
        assert_eq!(elements(&json!([1, 2]), &path("body")), Ok(2));
        let error = |body: Value| elements(&body, &path("body.a[0]")).unwrap_err().to_string();
        assert_eq!(error(json!({"a": []})), "body.a[0] is split and missing");
        assert_eq!(error(json!({"a": [{}]})), "body.a[0] is split and no array");
        assert_eq!(error(json!({"a": [null]})), "body.a[0] is split and no array");
    }

    #[test]
    fn of_a_repeated_key_the_last_array_counts() {
        assert_eq!(elements_of(br#"{"r":[1],"r":[1,2,3]}"#, &path("body.r")), Ok(3));
        assert!(elements_of(b"", &path("body")).is_err());
        assert!(elements_of(b"[", &path("body")).is_err());
    }

    proptest! {
        #[test]
        fn each_record_is_found_where_it_is(values in prop::collection::vec(any::<i32>(), 0..50)) {
            let body = json!({"a": {"b c": values}});
            let path = path("body.a[\"b c\"]");
            let count = elements(&body, &path).unwrap();
            let found: Vec<Option<&Value>> = (0..count).map(|at| walk(&body, &record(&path, at))).collect();
            let wanted: Vec<Value> = values.iter().map(|value| json!(value)).collect();
            prop_assert_eq!(found, wanted.iter().map(Some).collect::<Vec<_>>());
            prop_assert_eq!(walk(&body, &record(&path, count)), None);
        }
    }
}
