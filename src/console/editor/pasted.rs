//! A pasted `curl` command as a step that sends the same.

use std::fmt::Write as _;

/// What a command would send.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pasted {
    /// Its method.
    pub method: String,
    /// Its URL.
    pub url: String,
    /// Its headers, in order.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Option<String>,
    /// The flag that reads its body from elsewhere: all that came stands in for that.
    pub reads: Option<String>,
    /// How long it waits, in seconds.
    pub seconds: Option<u32>,
    /// What of the command a step does not have.
    pub left_out: Vec<String>,
}

/// Whether a text is a curl command.
#[must_use]
pub fn is_curl(text: &str) -> bool {
    let text = text.trim_start().trim_start_matches("$ ");
    text.strip_prefix("curl").is_some_and(|rest| rest.starts_with(|c: char| c.is_whitespace()))
}

/// Reads a curl command as a shell would.
///
/// # Errors
/// What cannot be read, in words.
pub fn curl(text: &str) -> Result<Pasted, String> {
    let words = words(text.trim_start().trim_start_matches("$ "))?;
    let mut words = words.into_iter();
    if words.next().as_deref() != Some("curl") {
        return Err("this is no curl command".to_owned());
    }
    let mut pasted = Pasted::default();
    let (mut data, mut get, mut usual) = (Vec::new(), false, "GET");
    while let Some(word) = words.next() {
        let (flag, mut joined) = flag(&word);
        let mut value = || {
            let next = joined.take().or_else(|| words.next());
            next.ok_or_else(|| format!("{word} has no value"))
        };
        match flag {
            None => {
                if pasted.url.is_empty() {
                    pasted.url = word;
                } else {
                    pasted.left_out.push(word);
                }
            }
            Some("-X" | "--request") => pasted.method = value()?.to_uppercase(),
            Some("--url") => pasted.url = value()?,
            Some("-H" | "--header") => {
                let line = value()?;
                match line.split_once(':') {
                    Some((name, value)) if !value.trim().is_empty() => {
                        pasted.headers.push((name.trim().to_owned(), value.trim().to_owned()));
                    }
                    // With nothing after it a header is taken away, or sent empty: a step has neither.
                    _ => pasted.left_out.push(format!("-H {line}")),
                }
            }
            Some("--data-urlencode") => {
                let value = value()?;
                match encoded(&value) {
                    Some(value) => data.push(value),
                    None => pasted.left_out.push(format!("--data-urlencode {value}")),
                }
            }
            Some("--json" | "-d" | "--data" | "--data-ascii" | "--data-raw" | "--data-binary") => {
                let value = value()?;
                if value.starts_with('@') && flag != Some("--data-raw") {
                    pasted.reads = Some(format!("{} {value}", flag.unwrap_or_default()));
                } else {
                    data.push(value);
                }
                if flag == Some("--json") {
                    pasted.headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
                }
            }
            Some(form @ ("-F" | "--form" | "--form-string")) => {
                let value = value()?;
                pasted.left_out.push(format!("{form} {value}"));
                usual = "POST";
            }
            Some(file @ ("-T" | "--upload-file")) => {
                pasted.reads = Some(format!("{file} {}", value()?));
                usual = "PUT";
            }
            Some(time @ ("-m" | "--max-time")) => {
                let value = value()?;
                match value.parse() {
                    Ok(seconds) if seconds > 0 => pasted.seconds = Some(seconds),
                    _ => pasted.left_out.push(format!("{time} {value}")),
                }
            }
            Some("-u" | "--user") => {
                value()?;
                pasted
                    .left_out
                    .push("-u: write auth in a connection, the password as a secret variable".to_owned());
            }
            Some("-A" | "--user-agent") => pasted.headers.push(("User-Agent".to_owned(), value()?)),
            Some("-e" | "--referer") => pasted.headers.push(("Referer".to_owned(), value()?)),
            Some("-b" | "--cookie") => pasted.headers.push(("Cookie".to_owned(), value()?)),
            Some("-G" | "--get") => get = true,
            Some("-I" | "--head") => "HEAD".clone_into(&mut pasted.method),
            // Where its answer is shown is nothing that a step does.
            Some("-o" | "--output" | "-w" | "--write-out" | "-c" | "--cookie-jar") => {
                value()?;
            }
            Some(other) if WITH_VALUE.contains(&other) => {
                let value = value()?;
                pasted.left_out.push(format!("{other} {value}"));
            }
            // How it is shown, and what a step does anyway.
            Some(_) => {}
        }
    }
    if pasted.url.is_empty() {
        return Err("the command has no URL".to_owned());
    }
    if !pasted.url.contains("://") {
        pasted.url = format!("http://{}", pasted.url);
    }
    if let Some(reads) = pasted.reads.take_if(|_| get || !data.is_empty()) {
        pasted.left_out.push(reads);
    }
    if pasted.reads.is_some() && usual == "GET" {
        usual = "POST";
    }
    if !data.is_empty() {
        let all = data.join("&");
        if get {
            let sign = if pasted.url.contains('?') { '&' } else { '?' };
            pasted.url = format!("{}{sign}{all}", pasted.url);
        } else {
            pasted.body = Some(all);
        }
    }
    if pasted.method.is_empty() {
        (if pasted.body.is_some() { "POST" } else { usual }).clone_into(&mut pasted.method);
    }
    Ok(pasted)
}

/// Flags with a value that a step does not have.
const WITH_VALUE: [&str; 11] = [
    "--connect-timeout",
    "-x",
    "--proxy",
    "--cacert",
    "--cert",
    "-E",
    "--key",
    "--retry",
    "-K",
    "--config",
    "--resolve",
];

/// What `--data-urlencode` sends: the part after the name is encoded, or all of it. None for a file.
fn encoded(value: &str) -> Option<String> {
    let (name, text) = match value.find(['=', '@']) {
        Some(at) if value[at..].starts_with('@') => return None,
        Some(at) => (&value[..at], &value[at + 1..]),
        None => ("", value),
    };
    let text: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    Some(if name.is_empty() { text } else { format!("{name}={text}") })
}

/// A flag, and a value that is written together with it: `-XPOST`, `--data=x`.
fn flag(word: &str) -> (Option<&str>, Option<String>) {
    if let Some(long) = word.strip_prefix("--") {
        return match long.split_once('=') {
            Some((name, value)) => (Some(&word[..name.len() + 2]), Some(value.to_owned())),
            None => (Some(word), None),
        };
    }
    let short = word.strip_prefix('-').and_then(|rest| rest.chars().next());
    match short {
        Some(letter) if word.len() > 2 && "XHduAebomxFTEwcK".contains(letter) => {
            (Some(&word[..2]), Some(word[2..].to_owned()))
        }
        Some(_) => (Some(word), None),
        None => (None, None),
    }
}

/// The words of a command, quotes taken off as a shell takes them.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let (mut word, mut begun) = (String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => {
                begun = true;
                loop {
                    match letters.next() {
                        Some('\'') => break,
                        Some(letter) => word.push(letter),
                        None => return Err("a ' is not closed".to_owned()),
                    }
                }
            }
            '$' if letters.peek() == Some(&'\'') => {
                letters.next();
                begun = true;
                dollar(&mut letters, &mut word)?;
            }
            '"' => {
                begun = true;
                loop {
                    match letters.next() {
                        Some('"') => break,
                        Some('\\') => match letters.next() {
                            Some('\n') => {}
                            Some(letter @ ('"' | '\\' | '$' | '`')) => word.push(letter),
                            Some(letter) => word.extend(['\\', letter]),
                            None => return Err("a \" is not closed".to_owned()),
                        },
                        Some(letter) => word.push(letter),
                        None => return Err("a \" is not closed".to_owned()),
                    }
                }
            }
            '\\' => match letters.next() {
                // A line that goes on; on Windows lines end with ^.
                Some('\n') | None => {}
                Some('\r') => {
                    letters.next_if_eq(&'\n');
                }
                Some(letter) => {
                    begun = true;
                    word.push(letter);
                }
            },
            _ if letter.is_whitespace() => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            '|' | ';' | '>' | '<' | '&' if !begun => break,
            _ => {
                begun = true;
                word.push(letter);
            }
        }
    }
    if begun {
        words.push(word);
    }
    Ok(words)
}

/// `$'…'`, in which `\n`, `\'` and `\x41` stand.
fn dollar(letters: &mut std::iter::Peekable<std::str::Chars<'_>>, word: &mut String) -> Result<(), String> {
    let mut bytes: Vec<u8> = Vec::new();
    loop {
        match letters.next() {
            Some('\'') => break,
            Some('\\') => match letters.next() {
                Some('n') => bytes.push(b'\n'),
                Some('t') => bytes.push(b'\t'),
                Some('r') => bytes.push(b'\r'),
                Some('x') => {
                    let mut code = 0;
                    for _ in 0..2 {
                        if let Some(digit) = letters.peek().and_then(|letter| letter.to_digit(16)) {
                            code = code * 16 + digit;
                            letters.next();
                        }
                    }
                    bytes.push(u8::try_from(code).unwrap_or(b'?'));
                }
                Some(letter) => bytes.extend(letter.encode_utf8(&mut [0; 4]).bytes()),
                None => return Err("a $' is not closed".to_owned()),
            },
            Some(letter) => bytes.extend(letter.encode_utf8(&mut [0; 4]).bytes()),
            None => return Err("a $' is not closed".to_owned()),
        }
    }
    word.push_str(&String::from_utf8_lossy(&bytes));
    Ok(())
}

/// Headers that carry credentials.
const SECRETS: [&str; 6] =
    ["authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"];

impl Pasted {
    /// What is told of it once it is a step, a sentence each: what stands in for a file, credentials that
    /// stand in the document now, braces that are sent as they are.
    #[must_use]
    pub fn tells(&self) -> Vec<String> {
        let mut told = Vec::new();
        if let Some(reads) = &self.reads {
            told.push(format!("in place of {reads} it sends all that came"));
        }
        let secret = |name: &str| SECRETS.iter().any(|secret| name.eq_ignore_ascii_case(secret));
        if let Some((name, _)) = self.headers.iter().find(|(name, _)| secret(name)) {
            told.push(format!(
                "its {name} stands in the document for all to read; a variable of type secret keeps it sealed"
            ));
        }
        let texts = self.headers.iter().map(|(_, value)| value).chain([&self.url]).chain(&self.body);
        if texts.into_iter().any(|text| text.contains("{{")) {
            told.push("{{ in it is sent as text: typed into the step it is a template".to_owned());
        }
        told
    }

    /// The step that sends it, as TOML; what is written stays as it is in a run, braces too.
    #[must_use]
    pub fn step(&self, name: &str) -> String {
        let mut text = format!(
            "[[flow.step]]\nname = {}\ntype = \"request\"\nmethod = {}\nurl = {}\n",
            quoted(name),
            quoted(&self.method),
            literal(&self.url)
        );
        let json = self.body.as_deref().and_then(|body| serde_json::from_str::<serde_json::Value>(body).ok());
        let typed = |name: &str| name.eq_ignore_ascii_case("content-type");
        let sets_type = json.is_some() || self.reads.is_some();
        // What a body is sets its own type; curl's own headers are the runner's.
        let own = |name: &str| {
            ["host", "content-length", "connection", "accept-encoding"]
                .iter()
                .any(|own| name.eq_ignore_ascii_case(own))
        };
        let headers: Vec<&(String, String)> =
            self.headers.iter().filter(|(name, _)| !(own(name) || sets_type && typed(name))).collect();
        if !headers.is_empty() {
            let pairs: Vec<String> = headers
                .iter()
                .map(|(name, value)| format!("{} = {}", quoted(name), literal(value)))
                .collect();
            let _ = writeln!(text, "headers = {{ {} }}", pairs.join(", "));
        }
        if let Some(seconds) = self.seconds {
            let _ = writeln!(text, "timeout = {}", quoted(&format!("{seconds}s")));
        }
        match (&json, &self.body) {
            _ if self.reads.is_some() => text.push_str("json = \"{{ request.body }}\"\n"),
            (Some(json), _) if json.is_object() || json.is_array() => {
                let _ = writeln!(text, "json = {}", toml_of(json));
            }
            (_, Some(body)) => {
                let _ = writeln!(text, "text = {}", literal(body));
            }
            _ => {}
        }
        text
    }
}

/// A text as TOML writes it.
#[must_use]
pub fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A text in which nothing is a template.
fn literal(text: &str) -> String {
    if text.contains("{{") || text.contains("{%") || text.contains("{#") {
        return quoted(&format!("{{% raw %}}{text}{{% endraw %}}"));
    }
    quoted(text)
}

fn toml_of(value: &serde_json::Value) -> String {
    toml_with(value, literal)
}

/// JSON as TOML writes it in a line, its texts as `text` writes them.
pub fn toml_with(value: &serde_json::Value, text: fn(&str) -> String) -> String {
    let toml_of = |value: &serde_json::Value| toml_with(value, text);
    match value {
        serde_json::Value::Object(map) => {
            let pairs: Vec<String> =
                map.iter().map(|(key, value)| format!("{} = {}", quoted(key), toml_of(value))).collect();
            if pairs.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", pairs.join(", ")) }
        }
        serde_json::Value::Array(items) => {
            format!("[{}]", items.iter().map(toml_of).collect::<Vec<_>>().join(", "))
        }
        serde_json::Value::String(string) => text(string),
        // TOML has no null: a template gives one.
        serde_json::Value::Null => quoted("{{ none }}"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
