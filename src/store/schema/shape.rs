//! Whether a file has the tables that its number of a schema promises. A number alone does not tell: a
//! build between two releases may have written others under the same one, and such a file would be
//! found out by the first query that misses something.

use rusqlite::{Connection, Result};
use std::collections::BTreeMap;

/// What the tables and indexes of a file are, by their names.
type Shape = BTreeMap<String, String>;

/// The first thing in which a file differs from what these migrations make; `None` where it is all there.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn differs(conn: &Connection, migrations: &[&str]) -> Result<Option<String>> {
    let made = Connection::open_in_memory()?;
    for sql in migrations {
        made.execute_batch(sql)?;
    }
    Ok(difference(&shape(conn)?, &shape(&made)?))
}

fn difference(found: &Shape, wanted: &Shape) -> Option<String> {
    for (name, what) in wanted {
        match found.get(name) {
            None => return Some(format!("it has no {name}")),
            Some(other) if other != what => return Some(format!("its {name} is another one")),
            Some(_) => {}
        }
    }
    // A table more is nothing that a query misses, and somebody's own; one of ours that went is told
    // by what came in its place.
    None
}

/// Tables by their columns, since a column that was added later is the same one; indexes as they are
/// written.
fn shape(conn: &Connection) -> Result<Shape> {
    let mut all = conn.prepare(
        r"SELECT type, name, ifnull(sql, '') FROM sqlite_schema
         WHERE type IN ('table', 'index') AND name NOT LIKE 'sqlite\_%' ESCAPE '\'",
    )?;
    let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let mut shape = Shape::new();
    for row in rows {
        let (kind, name, sql): (String, String, String) = row?;
        let what = if kind == "table" { columns(conn, &name)? } else { plain(&sql) };
        shape.insert(format!("{kind} {name}"), what);
    }
    Ok(shape)
}

fn columns(conn: &Connection, table: &str) -> Result<String> {
    let mut info =
        conn.prepare("SELECT name, type, \"notnull\", pk FROM pragma_table_info(?1) ORDER BY cid")?;
    let columns = info.query_map([table], |row| {
        let (name, kind, pk): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(3)?);
        Ok(format!("{name} {kind} {} {pk}", row.get::<_, bool>(2)?))
    })?;
    Ok(columns.collect::<Result<Vec<_>>>()?.join(", "))
}

/// Without the white space in which it was written.
fn plain(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
                         CREATE TABLE run (id INTEGER PRIMARY KEY, state INTEGER NOT NULL) STRICT;
                         CREATE INDEX run_odd ON run (state) WHERE state >= 3;";
    const SECOND: &str = "ALTER TABLE run ADD COLUMN element INTEGER;";

    fn of(sql: &str, migrations: &[&str]) -> Option<String> {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(sql).unwrap();
        differs(&conn, migrations).unwrap()
    }

    #[test]
    fn tables_are_told_apart_by_what_is_in_them() {
        let all = [FIRST, SECOND];
        assert_eq!(of(&format!("{FIRST}{SECOND}"), &all), None);
        assert_eq!(of(FIRST, &all).as_deref(), Some("its table run is another one"));
        let spaced = FIRST.replace("(state)", "(state)\n   ");
        assert_eq!(of(&spaced, &[FIRST]), None);
        let index = FIRST.replace("state >= 3", "state >= 4");
        assert_eq!(of(&index, &[FIRST]).as_deref(), Some("its index run_odd is another one"));
        let less = FIRST.split("CREATE INDEX").next().unwrap();
        assert_eq!(of(less, &[FIRST]).as_deref(), Some("it has no index run_odd"));
        // What somebody keeps beside it is theirs.
        let own = format!("{FIRST} CREATE TABLE notes (id INTEGER PRIMARY KEY);");
        assert_eq!(of(&own, &[FIRST]), None);
    }

    #[test]
    fn a_column_that_came_in_place_and_one_that_was_added_are_the_same() {
        let whole = FIRST.replace("state INTEGER NOT NULL)", "state INTEGER NOT NULL, element INTEGER)");
        assert_eq!(of(&whole, &[FIRST, SECOND]), None);
    }
}
