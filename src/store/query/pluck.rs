//! Values at a path of a JSON text, found in one pass that builds nothing else: what makes a filter
//! on a body as fast as reading it.

use crate::model::path::Segment;
use crate::rules::json::parse;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt;

/// The values at a path, in document order; `[]` stands for any element. Of a repeated key the last
/// value counts. None where the text is no JSON.
#[must_use]
pub fn pluck(body: &[u8], path: &[Segment]) -> Vec<Value> {
    let mut text = serde_json::Deserializer::from_slice(body);
    Seek { path }.deserialize(&mut text).and_then(|found| text.end().map(|()| found)).unwrap_or_default()
}

struct Seek<'p> {
    path: &'p [Segment],
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = Vec<Value>;

    fn deserialize<D: Deserializer<'de>>(self, text: D) -> Result<Self::Value, D::Error> {
        if self.path.is_empty() {
            // Read by the one reader of bodies, which keeps the digits of numbers as they came.
            let raw: &RawValue = serde::Deserialize::deserialize(text)?;
            return Ok(parse(raw.get().as_bytes()).into_iter().collect());
        }
        text.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = Vec<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::new();
        while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            match self.path.split_first() {
                Some((Segment::Key(wanted), path)) if *wanted == key => {
                    found = map.next_value_seed(Seek { path })?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::new();
        let mut at = 0;
        loop {
            let more = match self.path.split_first() {
                Some((Segment::Any, path)) => {
                    list.next_element_seed(Seek { path })?.map(|one| found.extend(one))
                }
                Some((Segment::Index(wanted), path)) if *wanted == at => {
                    list.next_element_seed(Seek { path })?.map(|one| found.extend(one))
                }
                _ => list.next_element::<IgnoredAny>()?.map(|_| ()),
            };
            if more.is_none() {
                return Ok(found);
            }
            at += 1;
        }
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::path::Path;
    use proptest::prelude::*;

    fn at(body: &str, path: &str) -> Vec<String> {
        let path: Path = path.parse().unwrap();
        pluck(body.as_bytes(), path.rest()).iter().map(Value::to_string).collect()
    }

    #[test]
    fn values_come_with_their_digits_and_elements_in_order() {
        let body = r#"{"total": 59.90, "items": [{"n": "a"}, {"n": 1e0}, {"m": 2}], "x": {"total": 1}}"#;
        assert_eq!(at(body, "body.total"), ["59.90"]);
        assert_eq!(at(body, "body.items[].n"), ["\"a\"", "1e0"]);
        assert_eq!(at(body, "body.items[1].n"), ["1e0"]);
        assert_eq!(at(body, "body.x"), [r#"{"total":1}"#]);
        assert_eq!(at(body, "body.total.deeper"), Vec::<String>::new());
        assert_eq!(at("[1,[2]]", "body[1][0]"), ["2"]);
        assert_eq!(at("\"text\"", "body"), ["\"text\""]);
    }

    #[test]
    fn the_last_of_a_repeated_key_counts_and_broken_text_has_none() {
        assert_eq!(at(r#"{"a": 1, "a": {"b": 2}}"#, "body.a.b"), ["2"]);
        assert_eq!(at(r#"{"a": {"b": 2}, "a": 1}"#, "body.a.b"), Vec::<String>::new());
        assert_eq!(at(r#"{"a": 1"#, "body.a"), Vec::<String>::new());
        assert_eq!(at(r#"{"a": 1} x"#, "body.a"), Vec::<String>::new());
    }

    /// The same over a tree.
    fn find<'v>(value: &'v Value, path: &[Segment]) -> Vec<&'v Value> {
        let Some((first, rest)) = path.split_first() else { return vec![value] };
        match (first, value) {
            (Segment::Key(key), Value::Object(map)) => {
                map.get(key).map(|one| find(one, rest)).unwrap_or_default()
            }
            (Segment::Index(at), Value::Array(list)) => {
                list.get(*at).map(|one| find(one, rest)).unwrap_or_default()
            }
            (Segment::Any, Value::Array(list)) => list.iter().flat_map(|one| find(one, rest)).collect(),
            _ => Vec::new(),
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i32>().prop_map(Value::from),
            "[ab\"\\\\]{0,3}".prop_map(Value::String),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                proptest::collection::vec(("[ab]", inner), 0..4)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    fn segment() -> impl Strategy<Value = Segment> {
        prop_oneof!["[ab]".prop_map(Segment::Key), (0usize..3).prop_map(Segment::Index), Just(Segment::Any)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn a_pass_finds_what_a_tree_has(value in json(), path in proptest::collection::vec(segment(), 0..4)) {
            let text = value.to_string();
            let found = pluck(text.as_bytes(), &path);
            let expected: Vec<Value> = find(&value, &path).into_iter().cloned().collect();
            prop_assert_eq!(found, expected);
        }
    }
}
