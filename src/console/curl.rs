//! Requests as a curl command that a shell runs, with nothing in it that the shell would take for
//! its own. Credentials stay masked.

use crate::model::view::{Pair, RequestDetail, SentView};
use std::fmt::Write as _;

/// Headers that curl writes itself, or that belong to a connection.
const OWN: [&str; 6] = ["host", "content-length", "connection", "transfer-encoding", "keep-alive", "expect"];
/// What stands in place of a secret.
const MASK: &str = "•••";

/// What a sender would run to send a request again, to a URL without its query; and how many
/// secrets are masked in it.
#[must_use]
pub fn of_request(detail: &RequestDetail, url: &str, body: &str) -> (String, usize) {
    // As it was written: what is decoded could be encoded otherwise.
    let query = detail.target.as_deref().and_then(|target| target.split_once('?'));
    let url = query.map_or_else(|| url.to_owned(), |(_, query)| format!("{url}?{query}"));
    let text = command(&detail.request.method, &url, &detail.headers, body);
    let masked = text.matches(MASK).count();
    (text, masked)
}

/// What a step sent.
#[must_use]
pub fn of_sent(sent: &SentView) -> String {
    command(&sent.method, &sent.url, &sent.headers, sent.body.as_deref().unwrap_or_default())
}

fn command(method: &str, url: &str, headers: &[Pair], body: &str) -> String {
    let mut text = format!("curl -X {} {}", quoted(method), quoted(url));
    if url.contains(['[', ']', '{', '}']) {
        text.push_str(" --globoff");
    }
    let own = |name: &str| OWN.iter().any(|own| name.eq_ignore_ascii_case(own));
    let mut typed = false;
    for (name, value) in headers.iter().filter(|(name, _)| !own(name)) {
        typed |= name.eq_ignore_ascii_case("content-type");
        // An empty header is written with a semicolon.
        let line = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        let _ = write!(text, " \\\n  -H {}", quoted(&line));
    }
    if !body.is_empty() {
        if !typed {
            text.push_str(" \\\n  -H 'content-type:'");
        }
        let _ = write!(text, " \\\n  --data-raw {}", quoted(body));
    }
    text
}

/// A word of a shell. What does not print is spelt out: a terminal that it is pasted into takes
/// nothing of it for a key.
pub(super) fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:%=".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let hidden = |letter: char| {
        letter != '\n' && crate::text::clean(letter.encode_utf8(&mut [0; 4])) != letter.to_string()
    };
    if !text.chars().any(hidden) {
        return format!("'{}'", text.replace('\'', "'\\''"));
    }
    let mut out = String::from("$'");
    for letter in text.chars() {
        match letter {
            '\'' | '\\' => {
                out.push('\\');
                out.push(letter);
            }
            letter if hidden(letter) => {
                for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(out, "\\x{byte:02x}");
                }
            }
            letter => out.push(letter),
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// What a shell makes of a word.
    fn read(word: &str) -> Vec<u8> {
        let told = Command::new("bash").args(["-c", &format!("printf %s {word}")]).output().unwrap();
        assert!(told.status.success(), "{word}");
        told.stdout
    }

    #[test]
    fn a_shell_reads_every_word_as_it_was() {
        for text in [
            "plain",
            "",
            "it's",
            "$(touch /tmp/x) `id` \"$HOME\" \\ !! * ~ #",
            "two\nlines\n",
            "\u{1b}[201~ls\u{3}\u{9b}\u{202e}é日'\\x41",
            "a\tb\r\n",
            "-X",
            "@/etc/passwd",
        ] {
            let word = quoted(text);
            assert!(!word.contains('\u{1b}') && !word.contains('\r'), "{word}");
            assert_eq!(String::from_utf8(read(&word)).unwrap(), text, "{word}");
        }
    }

    #[test]
    fn a_command_has_what_the_sender_wrote_and_nothing_that_curl_adds() {
        let sent = SentView {
            method: "POST".to_owned(),
            url: "http://127.0.0.1:9000/a?b=[1]".to_owned(),
            headers: vec![
                ("Host".to_owned(), "x".to_owned()),
                ("X-Empty".to_owned(), String::new()),
                ("Authorization".to_owned(), MASK.to_owned()),
            ],
            body: Some("@{\"a\":1}".to_owned()),
        };
        assert_eq!(
            of_sent(&sent),
            "curl -X POST 'http://127.0.0.1:9000/a?b=[1]' --globoff \\\n  -H 'X-Empty;' \\\n  -H 'Authorization: •••' \\\n  \
             -H 'content-type:' \\\n  --data-raw '@{\"a\":1}'"
        );
    }
}
