//! A thousand payloads that mean ill, sent to the real receiver, and every screen of the real binary
//! visited with them: what is written to the terminal is looked at byte by byte, before any emulator
//! makes something of it. Only sequences that the program itself writes may be in it.

use super::common::{Arrived, House, Target, read_answer, wait_for};
use super::terminal::Terminal;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Combining marks in a row that a terminal is given at most.
const MARKS: usize = pointsman::text::MAX_MARKS;

/// Whether a letter may reach a terminal: no control, nothing that hides or turns what stands beside it.
fn is_plain(letter: char) -> bool {
    !matches!(letter,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{20d0}'..='\u{20ff}')
}

/// Reads a stream of bytes as a strict terminal would.
///
/// # Errors
/// What is in it that the program does not write, and where.
pub fn only_ours(raw: &[u8], rows: usize, cols: usize) -> Result<(), String> {
    let text = std::str::from_utf8(raw).map_err(|error| {
        let at = error.valid_up_to();
        format!("no UTF-8 at {at}: {}", raw[at.saturating_sub(40)..(at + 40).min(raw.len())].escape_ascii())
    })?;
    let mut marks = 0;
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let wrong = |what: &str| {
            let at = text.len() - rest.len();
            let near = &raw[at.saturating_sub(60)..(at + 40).min(raw.len())];
            Err(format!("{what} at {at}: {}", near.escape_ascii()))
        };
        if letter != '\u{1b}' {
            if !is_plain(letter) {
                return wrong(&format!("U+{:04X}", u32::from(letter)));
            }
            marks = if is_mark(letter) { marks + 1 } else { 0 };
            if marks > MARKS {
                return wrong("a run of marks");
            }
            rest = &rest[letter.len_utf8()..];
            continue;
        }
        let Some(sequence) = rest[1..].strip_prefix('[') else { return wrong("a sequence that is no CSI") };
        let end = sequence.find(|c: char| !matches!(c, '0'..='9' | ';' | '?')).unwrap_or(sequence.len());
        let (said, last) = (&sequence[..end], sequence[end..].chars().next());
        let numbers: Vec<usize> = said.split(';').map(|number| number.parse().unwrap_or(0)).collect();
        let known = match last {
            // Modes: screen, cursor, paste, focus, frames.
            Some('h' | 'l') => matches!(said, "?25" | "?1049" | "?2004" | "?1004" | "?2026"),
            // To a row, to a place, to a column; so many cells erased.
            Some('H') => {
                numbers.len() <= 2
                    && (1..=rows).contains(&numbers[0])
                    && (1..=cols).contains(numbers.get(1).unwrap_or(&1))
            }
            Some('G' | 'X') => numbers.len() == 1 && (1..=cols).contains(&numbers[0]),
            Some('J') => matches!(said, "" | "2"),
            Some('m') => match numbers.as_slice() {
                // The first 16 colours and the looks of the themes.
                [38 | 48, 5, colour] => *colour < 256,
                all => all
                    .iter()
                    .all(|one| matches!(one, 0..=3 | 7 | 22 | 23 | 27 | 30..=37 | 39 | 49 | 90..=97)),
            },
            _ => false,
        };
        if !known {
            return wrong("a sequence of somebody else");
        }
        rest = &sequence[end + 1..];
        marks = 0;
    }
    Ok(())
}

#[test]
fn a_strict_terminal_finds_what_is_not_ours() {
    assert_eq!(
        only_ours("\x1b[?2026h\x1b[3;7H\x1b[7;31mtext é日\x1b[0m\x1b[?2026l".as_bytes(), 24, 80),
        Ok(())
    );
    for wrong in [
        "a\u{7}",
        "\x1b]0;owned\x07",
        "\x1b[25;1H",
        "\x1b[25H",
        "\x1b[H",
        "\x1b[81G",
        "\x1b[81X",
        "\x1b[3J",
        "\x1b[5m",
        "\x1b[?1000h",
        "\x1bc",
        "\u{202e}",
        "\u{9b}1m",
        "\n",
        "a\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
        "\x1b]52;c;b3duZWQ=\x07",
    ] {
        assert!(only_ours(wrong.as_bytes(), 24, 80).is_err(), "{wrong:?}");
    }
    assert!(only_ours(b"\xc3(", 24, 80).is_err());
}

/// Pieces of which payloads are made; none of their sequences is one that the program writes.
const PIECES: [&str; 40] = [
    "\x1b[3J",
    "\x1b]0;owned\x07",
    "\x1b]52;c;b3duZWQ=\x07",
    "\x1bP$qm\x1b\\",
    "\x1b_Gi=1;AAAA\x1b\\",
    "\x1b[999;999H",
    "\x1b[5;8;9m",
    "\x1b[58;5;77m",
    "\x1bc",
    "\x1b[?1000h",
    "\x1b[6n",
    "\u{9b}5m",
    "\u{9d}0;owned\u{9c}",
    "\u{90}x\u{9c}",
    "\u{7f}\u{7f}",
    "\u{8}\u{8}\u{8}",
    "\r\n",
    "\t",
    "\0",
    "\u{b}\u{c}",
    "\u{202e}evil\u{202c}",
    "\u{2066}a\u{2069}",
    "\u{200b}\u{200d}\u{feff}",
    "\u{ad}",
    "\u{2028}",
    "\u{e0041}\u{e007f}",
    "\u{fe0f}",
    "a\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}\u{30a}\u{30b}\u{30c}\u{30d}\u{30e}",
    "日本語テキスト",
    "👩‍👩‍👧‍👦🇩🇪",
    "▌ ✓ accepted  200 shop / Orders",
    " ● 127.0.0.1:7700   38/s   accepted 1 = stored 1",
    "[ Quit ]",
    "‹U+202E›",
    "─ Runs · following ─",
    "{{ request.body }}",
    "\"\\'`$(id)",
    "-- …",
    "\u{fff9}\u{fffb}",
    "\u{5d0}\u{5d1}\u{627}",
];

/// Numbers that are always the same.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn text(&mut self) -> String {
        (0..=self.roll(4)).map(|_| PIECES[self.roll(PIECES.len())]).collect()
    }
}

/// The nth payload: its type and its bytes.
fn payload(n: usize, dice: &mut Dice) -> (&'static str, Vec<u8>) {
    let json = |body: &serde_json::Value| ("application/json", body.to_string().into_bytes());
    match n % 10 {
        // No JSON: as it came, byte for byte.
        0 => ("application/json", dice.text().into_bytes()),
        1 => (
            "text/plain",
            [dice.text().into_bytes(), vec![0xff, 0xfe, 0xc3, 0x28, 0x9b, 0x1b, b'[', b'3', b'J']].concat(),
        ),
        2 => ("application/json", format!("{{\"{}\": 1}}", dice.text()).into_bytes()),
        3 => ("application/json", format!("{}1{}", "[".repeat(40), "]".repeat(40)).into_bytes()),
        4 => json(&serde_json::json!({ "kind": "long", "title": dice.text().repeat(200) })),
        // Seen before: a duplicate.
        5 => json(&serde_json::json!({ "no": dice.roll(5), "title": "\x1b[3Jagain" })),
        6 => json(&serde_json::json!({ "no": n, "title": dice.text(), "skip": dice.text() })),
        _ => json(&serde_json::json!({
            "no": n, "kind": (["fine", "broken", "waits"][dice.roll(3)]), "title": dice.text(),
            dice.text(): { dice.text(): [dice.text(), null, 1.50] },
        })),
    }
}

/// Sends so many payloads on one connection after the other, as a sender does who writes the bytes himself.
fn send(addr: SocketAddr, from: usize, count: usize, dice: &mut Dice) {
    for n in from..from + count {
        let (kind, body) = payload(n, dice);
        let mut head = format!(
            "POST /in/evil?x=%1b%5b3J&y=%E2%80%AE{n} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n"
        );
        let _ = write!(head, "Content-Type: {kind}\r\nContent-Length: {}\r\nX-Title: ", body.len());
        // A header takes no controls, but all above them.
        let header: Vec<u8> = dice.text().bytes().filter(|byte| *byte >= 0x20 && *byte != 0x7f).collect();
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.write_all(&[head.as_bytes(), &header, b"\r\n\r\n", &body].concat()).unwrap();
        let answer = read_answer(&mut BufReader::new(stream)).unwrap();
        assert!(matches!(answer.status, 200 | 204 | 400 | 415), "{n}: {answer:?}");
    }
}

/// A flow that takes them: it repeats what it was sent wherever it can.
fn document(url: &str) -> String {
    format!(
        r#"
name = "evil"
description = "What it \u001b[3J says \u202e of itself"
[[flow]]
name = "Evil"
[flow.trigger]
type = "webhook"
path = "evil"
auth = {{ type = "none" }}
when = "{{{{ request.body.skip is undefined }}}}"
dedup = {{ fields = ["body.no", "body.title"] }}
[[flow.step]]
name = "push"
type = "request"
method = "POST"
url = "{url}/{{{{ request.body.kind }}}}"
json = {{ title = "{{{{ request.body.title }}}}" }}
headers = {{ "X-Said" = "{{{{ request.body.no }}}}" }}
callback = true
callback_deadline = "2s"
retry = {{ attempts = 1 }}
outputs = {{ title = "body.title" }}
[[flow.step]]
name = "tell"
type = "request"
method = "POST"
url = "{url}/tell"
json = {{ said = "{{{{ error(request.body.title) if request.body.kind == 'long' else steps.push.outputs.title }}}}" }}
"#
    )
}

/// Keys that lead through the screens, and what must have been seen on the way.
const TOURS: [(&str, &[&str]); 11] = [
    ("1 <tab> v v v v <tab> k <tab> j j", &["Needs you", "Live ›"]),
    ("2 k k <tab> v v v v v j j <esc> k k k <enter> v v v <esc>", &["tree", "flat", "raw", "hex"]),
    (
        "2 / <clear> v e r d i c t : r e j e c t e d <enter> k k <enter> v v v <esc> o d <esc> <esc> F",
        &["was rejected"],
    ),
    (
        "2 / <clear> v e r d i c t : d u p l i c a t e <enter> k <enter> v v v v v j j <esc> d j <esc> F",
        &["is a duplicate of"],
    ),
    ("2 k k Y <esc> o <esc> k k <space> <space> d j <esc> <esc> / <clear> e v i l <enter> F", &["Copy ·"]),
    (
        "2 / <clear> b o d y . k i n d : b r o k e n <enter> E j j <esc> t j j <esc> C j j v <esc> R <esc> X <esc> F",
        &["edit request", "Capture ·", "Replay "],
    ),
    (
        "3 j k <enter> <enter> <tab> j j j <enter> <esc> l h s <esc> r <esc> Y <esc> <esc> <esc> v k k <tab> j <backtab> v <space> v <space>",
        &["Error groups", "Timeline", "came back", "Skip "],
    ),
    ("4 j j k <tab> j <enter> <esc> c <esc>", &["Callbacks", "Complete "]),
    ("5 l j j l j j <tab> j <tab> j <tab> j <backtab> e j j v <esc> <esc>", &["Integrations", "source"]),
    ("6 <tab> j <tab> j v <enter> <esc>", &["Overview", "Steps against"]),
    (
        ": e v <esc> : j o b s <enter> <esc> : c o n s o l e s <enter> <esc> ?  <esc>",
        &["Palette", "Jobs", "Help"],
    ),
];

/// Walks a tour; what was on the screen after each key is looked through.
fn walk(terminal: &mut Terminal, keys: &str, wanted: &[&'static str], seen: &mut BTreeSet<&'static str>) {
    for key in keys.split_whitespace() {
        terminal.keys(match key {
            "<tab>" => "\t",
            "<backtab>" => "\x1b[Z",
            "<enter>" => "\r",
            "<esc>" => "\x1b",
            "<space>" => " ",
            // What stands in the line.
            "<clear>" => "\x15",
            other => other,
        });
        std::thread::sleep(Duration::from_millis(match key {
            "<enter>" => 120,
            _ if key.len() > 1 => 50,
            _ => 25,
        }));
        let screen = terminal.text();
        seen.extend(wanted.iter().filter(|mark| screen.contains(**mark)));
    }
    // Whatever is open is left.
    for _ in 0..5 {
        terminal.keys("\x1b");
        std::thread::sleep(Duration::from_millis(40));
    }
    assert!(terminal.lives(), "the program ended in {keys}");
}

/// The line between the two panes of Requests stands in one column, whatever letters are beside it: they
/// are as wide as the terminal makes them.
fn is_straight(terminal: &Terminal) {
    terminal.settled();
    let cells = terminal.cells();
    let column =
        cells[2].iter().position(|cell| cell == "┬").unwrap_or_else(|| panic!("{}", terminal.text()));
    for row in &cells[3..cells.len() - 1] {
        assert_eq!(row[column], "│", "{}\n{}", row.concat(), terminal.text());
    }
}

#[test]
fn a_thousand_hostile_payloads_reach_no_terminal() {
    const CHUNK: usize = 100;
    let target = Target::new(|arrived: &Arrived| match arrived.path.as_str() {
        "/broken" => (503, format!("\x1b[3J{}\u{202e}\u{9b}5m", arrived.body)),
        "/waits" => (202, arrived.body.clone()),
        _ => (200, arrived.body.clone()),
    });
    let house = House::new();
    house.apply(&document(&target.url()));
    let addr = super::common::free();
    let mut terminal = Terminal::start(&house.data(), &["run", "--listen", &addr.to_string()], 35, 120);
    terminal.expect("Live");
    let (mut dice, mut seen) = (Dice(0x9e37_79b9_7f4a_7c15), BTreeSet::new());
    let looked = |terminal: &Terminal, from: usize| {
        let raw = terminal.raw();
        // Where the looked-through part ends in the middle of a frame the rest comes next time.
        let end = raw.windows(8).rposition(|part| part == b"\x1b[?2026l").map_or(from, |at| at + 8).max(from);
        if let Err(what) = only_ours(&raw[from..end], 60, 200) {
            panic!("{what}");
        }
        end
    };
    let mut from = 0;
    for (chunk, (keys, wanted)) in TOURS.into_iter().take(10).enumerate() {
        send(addr, chunk * CHUNK, CHUNK, &mut dice);
        walk(&mut terminal, keys, wanted, &mut seen);
        from = looked(&terminal, from);
        terminal.keys("2f");
        terminal.until("requests", |screen| screen.contains("─ Requests · following"));
        is_straight(&terminal);
        terminal.keys("q");
    }
    wait_for("runs to stop", || {
        let open =
            house.json(&["runs", "ls", "state:queued or state:running or state:waiting", "--limit", "1"]);
        open.as_array().unwrap().is_empty().then_some(())
    });
    for (rows, cols) in [(24, 80), (60, 200)] {
        terminal.resize(rows, cols);
        for (keys, wanted) in TOURS {
            walk(&mut terminal, keys, wanted, &mut seen);
        }
        from = looked(&terminal, from);
    }
    let wanted: BTreeSet<&str> = TOURS.iter().flat_map(|(_, wanted)| wanted.iter().copied()).collect();
    let never: Vec<_> = wanted.difference(&seen).collect();
    assert!(never.is_empty(), "never on the screen: {never:?}\n{}", terminal.text());
    println!("{from} bytes, all ours");
}
