//! Consoles on a running server, operators and what each may do, with the real binary.

mod door;
mod link;
mod roles;
mod two;

use super::common::House;
use super::terminal::Terminal;
use serde_json::Value;
use std::net::SocketAddr;

/// A server with an operators' API.
struct Gate {
    house: House,
    operators: SocketAddr,
}

impl Gate {
    fn open() -> Self {
        let house = House::new();
        let operators = super::common::free();
        house.configure(&format!("operator_listen = \"{operators}\"\n"));
        house.serve();
        Self { house, operators }
    }

    /// Adds an operator; the file with the token.
    fn operator(&self, name: &str, role: &str) -> String {
        let file = self.house.data().with_file_name(format!("{name}.token"));
        let file = file.to_str().unwrap().to_owned();
        self.house.run(&["operator", "add", name, "--role", role, "--token-file", &file]);
        file
    }

    fn token(&self, name: &str, role: &str) -> String {
        std::fs::read_to_string(self.operator(name, role)).unwrap().trim().to_owned()
    }

    /// A console over TCP, of an operator who has no data folder here.
    fn attach_at(&self, addr: SocketAddr, token_file: &str, more: &[&str], rows: u16, cols: u16) -> Terminal {
        let url = format!("http://{addr}");
        let args = [&["attach", &url, "--token-file", token_file], more].concat();
        Terminal::start(&self.house.data().with_file_name("elsewhere"), &args, rows, cols)
    }

    fn attach(&self, token_file: &str, more: &[&str], rows: u16, cols: u16) -> Terminal {
        self.attach_at(self.operators, token_file, more, rows, cols)
    }

    /// Ids and states of the newest runs, newest first, as the command line lists them.
    fn runs(&self, limit: usize) -> Vec<(String, String)> {
        let rows = self.house.json(&["runs", "ls", "--limit", &limit.to_string()]);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let rows = rows.as_array().unwrap();
        rows.iter().map(|row| (text(&row["id"])[30..].to_owned(), text(&row["state"]))).collect()
    }
}

/// Whether the list of runs on a screen is what the command line lists: the newest at the bottom, each
/// with its state, none left out between them.
fn shows(screen: &str, runs: &[(String, String)]) -> bool {
    // Rows end with the ids of the run and its request.
    let ends = |line: &&str| {
        let ids = line.split_whitespace().rev().take(2);
        ids.filter(|word| word.len() == 6 && word.bytes().all(is_hex)).count() == 2
    };
    let rows: Vec<&str> = screen.lines().map(str::trim_end).filter(ends).collect();
    rows.len() > 10
        && rows.len() <= runs.len()
        && rows
            .iter()
            .rev()
            .zip(runs)
            .all(|(row, (id, state))| row.contains(id) && row.contains(state.as_str()))
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase()
}

/// A flow of one step.
fn document(target: &str) -> String {
    format!(
        "name = \"shop\"\n[[flow]]\nname = \"Orders\"\n[flow.trigger]\ntype = \"webhook\"\npath = \"orders\"\nauth = {{ type = \"none\" }}\n\
         [[flow.step]]\nname = \"push\"\ntype = \"request\"\nmethod = \"POST\"\nurl = \"{target}/push\"\nretry = {{ attempts = 1 }}\n"
    )
}
