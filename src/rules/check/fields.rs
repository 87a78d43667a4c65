//! A table of a document: keys are taken out by type, and what is left over is told.

use super::report::Report;
use crate::model::Ms;
use crate::model::time::parse_duration;
use crate::rules::near::closest;
use serde_json::{Map, Number, Value};
use std::cell::RefCell;
use std::collections::HashSet;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A text and where it stands.
pub(super) type Text = (String, Range<usize>);

/// A table that is being read.
pub(super) struct Fields<'d> {
    /// Where mistakes go.
    pub(super) report: &'d Report<'d>,
    table: &'d DeTable<'d>,
    /// Where the table stands.
    pub(super) span: Range<usize>,
    /// What it is, in messages: `step push`.
    pub(super) what: String,
    seen: RefCell<HashSet<String>>,
}

impl<'d> Fields<'d> {
    /// Begins to read a table.
    pub(super) fn new(
        report: &'d Report<'d>,
        table: &'d DeTable<'d>,
        span: Range<usize>,
        what: String,
    ) -> Self {
        Self { report, table, span, what, seen: RefCell::new(HashSet::new()) }
    }

    /// The same table by another name; what was read of it stays read.
    pub(super) fn named(&self, what: String) -> Self {
        Self {
            report: self.report,
            table: self.table,
            span: self.span.clone(),
            what,
            seen: RefCell::new(self.seen.borrow().clone()),
        }
    }

    /// A key's value; the key counts as known from here on.
    pub(super) fn get(&self, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.seen.borrow_mut().insert(key.to_owned());
        self.table.get(key)
    }

    /// Where a key stands.
    pub(super) fn key_at(&self, key: &str) -> usize {
        self.table.get_key_value(key).map_or(self.span.start, |(key, _)| key.span().start)
    }

    /// Whether a key is written.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    fn wrong(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let got = kind(value.get_ref());
        self.report.error(value.span().start, format!("{key} is {got}: write {wanted}"));
    }

    /// A text.
    pub(super) fn text(&self, key: &str) -> Option<Text> {
        let value = self.get(key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong(key, value, &format!("a text, {key} = \"…\""));
        }
        Some((text?.to_owned(), value.span()))
    }

    /// A text that must be there.
    pub(super) fn required_text(&self, key: &str, example: &str) -> Option<Text> {
        if !self.has(key) {
            self.report.missing(self.span.start, format!("{} has no {key}: write {example}", self.what));
        }
        self.text(key)
    }

    /// True or false.
    pub(super) fn boolean(&self, key: &str) -> Option<bool> {
        let value = self.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(key, value, &format!("{key} = true or {key} = false"));
        }
        flag
    }

    /// A whole number in a range.
    pub(super) fn integer(&self, key: &str, range: Range<i64>) -> Option<i64> {
        let value = self.get(key)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|number| i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok());
        match number {
            Some(number) if range.contains(&number) => Some(number),
            _ => {
                let message = format!(
                    "{key} is no whole number from {} to {}",
                    range.start,
                    range.end.saturating_sub(1)
                );
                self.report.error(value.span().start, message);
                None
            }
        }
    }

    /// A duration of at least a millisecond.
    pub(super) fn duration(&self, key: &str, most: Ms, most_text: &str) -> Option<Ms> {
        self.duration_from(key, (1, "1ms"), (most, most_text))
    }

    /// A duration from so long to so long, both as they are written.
    pub(super) fn duration_from(&self, key: &str, least: (Ms, &str), most: (Ms, &str)) -> Option<Ms> {
        let value = self.get(key)?;
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            // `timeout = 10` is told as a duration without a unit.
            DeValue::Integer(number) => number.as_str().to_owned(),
            _ => {
                self.wrong(key, value, &format!("a duration, {key} = \"10s\""));
                return None;
            }
        };
        match parse_duration(&text) {
            Ok(duration) if duration < least.0 => {
                let message = format!("{key} is {text:?}: write at least \"{}\"", least.1);
                self.report.error(value.span().start, message);
            }
            Ok(duration) if duration > most.0 => {
                let message = format!("{key} is {text:?}: at most {} is possible", most.1);
                self.report.error(value.span().start, message);
            }
            Ok(duration) => return Some(duration),
            Err(message) => self.report.error(value.span().start, message),
        }
        None
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, key: &str, all: &[(&str, T)]) -> Option<T> {
        let (word, span) = self.text(key)?;
        let found = all.iter().find(|(other, _)| *other == word);
        if found.is_none() {
            let words: Vec<&str> = all.iter().map(|(word, _)| *word).collect();
            let meant = meant(&word, &words);
            self.report.error(span.start, format!("{key} {word:?} is not possible: {}{meant}", list(&words)));
        }
        found.map(|(_, value)| *value)
    }

    /// A list of texts.
    pub(super) fn texts(&self, key: &str) -> Option<Vec<Text>> {
        let value = self.get(key)?;
        let Some(items) = value.get_ref().as_array() else {
            self.wrong(key, value, &format!("a list, {key} = [\"…\"]"));
            return None;
        };
        let mut texts = Vec::new();
        for item in items {
            match item.get_ref().as_str() {
                Some(text) => texts.push((text.to_owned(), item.span())),
                None => self.wrong(key, item, &format!("a text inside the list, {key} = [\"…\"]")),
            }
        }
        Some(texts)
    }

    /// A table inside.
    pub(super) fn table(&self, key: &str, what: &str) -> Option<Fields<'d>> {
        let value = self.get(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(key, value, &format!("a table, {key} = {{ … }}"));
            return None;
        };
        Some(Fields::new(self.report, table, value.span(), what.to_owned()))
    }

    /// A list of tables (`[[flow]]`), at most so many.
    pub(super) fn tables(&self, key: &str, most: usize) -> Vec<Fields<'d>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.wrong(key, value, &format!("[[{key}]] above its keys, once for each {key}"));
            return Vec::new();
        };
        if let Some(beyond) = items.get(most) {
            let message = format!("there are {} [[{key}]]: at most {most} are possible", items.len());
            self.report.error(beyond.span().start, message);
        }
        let mut tables = Vec::new();
        for item in items.iter().take(most) {
            match item.get_ref().as_table() {
                Some(table) => tables.push(Fields::new(self.report, table, item.span(), key.to_owned())),
                None => self.wrong(key, item, &format!("[[{key}]] above its keys")),
            }
        }
        tables
    }

    /// The keys and values of a table of texts (numbers and booleans are taken as they are written).
    pub(super) fn pairs(&self, key: &str) -> Vec<(Text, Text)> {
        let Some(table) = self.table(key, key) else { return Vec::new() };
        let mut pairs = Vec::new();
        for (name, value) in table.table {
            let text = match value.get_ref() {
                DeValue::String(text) => text.to_string(),
                DeValue::Boolean(flag) => flag.to_string(),
                DeValue::Integer(_) | DeValue::Float(_) => match to_json(self.report, value) {
                    Some(number) => number.to_string(),
                    None => continue,
                },
                _ => {
                    self.wrong(&format!("{key}.{}", name.get_ref()), value, "a text");
                    continue;
                }
            };
            pairs.push(((name.get_ref().to_string(), name.span()), (text, value.span())));
        }
        pairs
    }

    /// The entries of this table as they are.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'d str, Range<usize>, &'d Spanned<DeValue<'d>>)> {
        self.table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span(), value))
    }

    /// Tells keys that nobody has asked for.
    pub(super) fn finish(&self, known: &[&str]) {
        let seen = self.seen.borrow();
        for (key, span, _) in self.entries() {
            if !seen.contains(key) && !known.contains(&key) {
                let meant = meant(key, known);
                self.report.error(span.start, format!("{} has no key {key:?}{meant}", self.what));
            }
        }
    }
}

/// `; did you mean "…"?`, where something is close.
pub(super) fn meant(word: &str, known: &[&str]) -> String {
    closest(word, known.iter().copied()).map_or_else(String::new, |near| format!("; did you mean {near:?}?"))
}

/// [`meant`], or other advice where nothing is close.
pub(super) fn meant_or(word: &str, known: &[&str], other: &str) -> String {
    let meant = meant(word, known);
    if meant.is_empty() { other.to_owned() } else { meant }
}

/// `write "a", "b" or "c"`
pub(super) fn list(words: &[&str]) -> String {
    match words {
        [] => "nothing is".to_owned(),
        [one] => format!("write {one:?}"),
        [all @ .., last] => {
            let all: Vec<String> = all.iter().map(|word| format!("{word:?}")).collect();
            format!("write {} or {last:?}", all.join(", "))
        }
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// A TOML value as JSON; dates become their text.
pub(super) fn to_json(report: &Report<'_>, value: &Spanned<DeValue<'_>>) -> Option<Value> {
    Some(match value.get_ref() {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(date) => Value::String(date.to_string()),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            let number = i128::from_str_radix(&digits, number.radix()).ok().and_then(Number::from_i128);
            if number.is_none() {
                report.error(value.span().start, "the number is larger than can be sent");
            }
            Value::Number(number?)
        }
        DeValue::Float(number) => {
            let digits = number.as_str().replace('_', "");
            let number = digits.trim_start_matches('+').parse::<Number>().ok();
            if number.is_none() {
                report.error(value.span().start, format!("{digits} is no number of JSON"));
            }
            Value::Number(number?)
        }
        DeValue::Array(items) => {
            Value::Array(items.iter().filter_map(|item| to_json(report, item)).collect())
        }
        DeValue::Table(table) => Value::Object(
            table
                .iter()
                .filter_map(|(key, item)| Some((key.get_ref().to_string(), to_json(report, item)?)))
                .collect::<Map<_, _>>(),
        ),
    })
}
