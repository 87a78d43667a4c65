//! Data on stdout: text for people, JSON for programs.

use super::args::Output;
use crate::model::ask::Refusal;
use crate::text::escaped_json;
use serde::Serialize;
use std::io::{ErrorKind, Write as _};

/// Writes to stdout. A reader that has gone away (`| head`) is a quiet end, not an error.
///
/// # Errors
/// Stdout cannot be written.
pub fn write(text: &str) -> Result<(), Refusal> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            Err(Refusal { code: "closed".to_owned(), message: String::new(), exit: 0 })
        }
        Err(error) => Err(Refusal::failed(format!("stdout cannot be written: {error}"))),
    }
}

/// Writes one object: pretty in `json`, a line in `jsonl`.
///
/// # Errors
/// Stdout cannot be written.
pub fn object<T: Serialize>(value: &T, output: Output) -> Result<(), Refusal> {
    let text = match output {
        Output::Jsonl => serde_json::to_string(value),
        Output::Json | Output::Text => serde_json::to_string_pretty(value),
    };
    let text = text.map_err(|error| Refusal::failed(error.to_string()))?;
    write(&(escaped_json(&text).into_owned() + "\n"))
}

/// Writes rows as they come: an array in `json`, a line each in `jsonl`, columns in `text`.
pub struct Rows {
    output: Output,
    columns: Vec<Column>,
    written: u64,
    /// Rows that are written at most; 0 is all.
    most: u64,
    /// Rows beyond.
    beyond: u64,
}

/// A column of the text output.
pub struct Column {
    /// Its heading.
    pub name: &'static str,
    /// Its width; the last column has none.
    pub width: usize,
}

impl Rows {
    /// Starts a list with these columns.
    pub fn new(output: Output, columns: &[(&'static str, usize)]) -> Self {
        let columns = columns.iter().map(|(name, width)| Column { name, width: *width }).collect();
        Self { output, columns, written: 0, most: 0, beyond: 0 }
    }

    /// Writes so many rows at most, and says how many there are; 0 is all.
    pub fn at_most(self, limit: u32) -> Self {
        Self { most: u64::from(limit), ..self }
    }

    /// Writes a row: the object for programs, its cells for people.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub fn row<T: Serialize>(
        &mut self,
        value: &T,
        cells: impl FnOnce() -> Vec<String>,
    ) -> Result<(), Refusal> {
        if self.most > 0 && self.written >= self.most {
            self.beyond += 1;
            return Ok(());
        }
        let failed = |error: serde_json::Error| Refusal::failed(error.to_string());
        let text = match self.output {
            Output::Json => {
                let start = if self.written == 0 { "[\n" } else { ",\n" };
                format!("{start}{}", escaped_json(&serde_json::to_string(value).map_err(failed)?))
            }
            Output::Jsonl => escaped_json(&serde_json::to_string(value).map_err(failed)?).into_owned() + "\n",
            Output::Text => {
                let head = if self.written == 0 { self.line(self.heads()) } else { String::new() };
                head + &self.line(cells())
            }
        };
        self.written += 1;
        write(&text)
    }

    /// Ends the list; `empty` is said to people where nothing was found.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub fn end(self, empty: &str) -> Result<(), Refusal> {
        if (self.output, self.written) == (Output::Text, 0) {
            super::tell(empty);
        }
        if self.beyond > 0 {
            super::tell(&format!(
                "{} of {}: --limit 0 shows all",
                crate::text::count(self.written),
                crate::text::count(self.written + self.beyond)
            ));
        }
        self.cut()
    }

    /// Ends a list that was interrupted: what was written of an array is one.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub fn cut(self) -> Result<(), Refusal> {
        match (self.output, self.written) {
            (Output::Json, 0) => write("[]\n"),
            (Output::Json, _) => write("\n]\n"),
            _ => Ok(()),
        }
    }

    fn heads(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.to_owned()).collect()
    }

    fn line(&self, cells: Vec<String>) -> String {
        let mut line = String::new();
        for (column, cell) in self.columns.iter().zip(cells) {
            let cell = crate::text::clean(&cell);
            if column.width == 0 {
                line.push_str(&cell);
            } else {
                line.push_str(&crate::text::pad(&cell, column.width));
                line.push_str("  ");
            }
        }
        let mut line = line.trim_end().to_owned();
        line.push('\n');
        line
    }
}

/// A field of a text detail: `name      value`, cleaned.
pub fn field(text: &mut String, name: &str, value: &str) {
    use std::fmt::Write as _;
    let _ = writeln!(text, "{name:<14}{}", crate::text::clean(value));
}
