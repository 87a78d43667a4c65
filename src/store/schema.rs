//! The tables, and how a file comes to have them: numbered migrations that only go forward.

mod shape;

use super::OpenError;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::path::Path;
use std::time::Duration;

/// Every migration, in order; the first makes schema 1.
const MIGRATIONS: &[&str] = &[include_str!("schema/001.sql")];

/// The schema that this program writes.
pub(super) const KNOWN: i64 = 1;

/// How long a commit waits for somebody else's lock on the file before the store counts as down.
pub(super) const BUSY: Duration = Duration::from_secs(10);

/// The file in the data folder.
pub(super) const FILE: &str = "pointsman.db";

fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// Opens the writer's connection and brings the file to [`KNOWN`].
///
/// `synchronous` is read back: a build that ignores it would answer 200 for what a power cut takes.
///
/// # Errors
/// [`OpenError::Newer`], and whatever `SQLite` says.
pub(super) fn open_writer(file: &Path) -> Result<Connection, OpenError> {
    let folder = file.parent().unwrap_or(file);
    let mut conn = connect_writer(file).map_err(|error| OpenError::other(folder, &error))?;
    migrate(&mut conn, folder)?;
    Ok(conn)
}

/// Opens the writer's connection to a file that has its tables.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn connect_writer(file: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(file, flags())?;
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(128);
    // Both must be there before the first table is, and are ignored afterwards.
    conn.pragma_update(None, "page_size", 8192)?;
    conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    let mode: String = conn.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    let synchronous: i64 = conn.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
    if mode != "wal" || synchronous != 2 {
        return Err(refused(&format!(
            "it would not be durable: journal_mode {mode}, synchronous {synchronous}"
        )));
    }
    conn.pragma_update(None, "wal_autocheckpoint", 500)?;
    // A burst must not leave its size behind.
    conn.query_row("PRAGMA journal_size_limit = 16777216", [], |_| Ok(()))?;
    conn.pragma_update(None, "cache_size", -65_536)?;
    conn.pragma_update(None, "foreign_keys", false)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(conn)
}

/// Opens a connection that can only read.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn open_reader(file: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(file, flags() & !OpenFlags::SQLITE_OPEN_CREATE)?;
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(128);
    conn.pragma_update(None, "query_only", true)?;
    conn.pragma_update(None, "cache_size", -8_192)?;
    conn.pragma_update(None, "foreign_keys", false)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(conn)
}

fn refused(why: &str) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_MISUSE),
        Some(why.to_owned()),
    )
}

/// The schema of a file, 0 for an empty one.
fn found(conn: &Connection) -> rusqlite::Result<i64> {
    let made: bool = conn.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'meta')",
        [],
        |row| row.get(0),
    )?;
    if made { Ok(number(conn, "schema")?.unwrap_or(0)) } else { Ok(0) }
}

fn migrate(conn: &mut Connection, folder: &Path) -> Result<(), OpenError> {
    let other = |error: rusqlite::Error| OpenError::other(folder, &error);
    let found = found(conn).map_err(other)?;
    if found > KNOWN {
        return Err(OpenError::Newer { found, known: KNOWN });
    }
    for (at, sql) in MIGRATIONS.iter().enumerate().skip(usize::try_from(found).unwrap_or(0)) {
        let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(other)?;
        tx.execute_batch(sql)
            .and_then(|()| set(&tx, "schema", &(at + 1).to_string()))
            .and_then(|()| tx.commit())
            .map_err(other)?;
    }
    match shape::differs(conn, MIGRATIONS).map_err(other)? {
        None => Ok(()),
        Some(how) => Err(OpenError::Foreign { folder: folder.display().to_string(), how }),
    }
}

/// A value of `meta`.
///
/// # Errors
/// Whatever `SQLite` says.
pub(in crate::store) fn text(conn: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    conn.prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()
}

/// A whole number of `meta`; `None` where there is none.
///
/// # Errors
/// Whatever `SQLite` says.
pub(in crate::store) fn number(conn: &Connection, key: &str) -> rusqlite::Result<Option<i64>> {
    Ok(text(conn, key)?.and_then(|value| value.parse().ok()))
}

/// Sets a value of `meta`.
///
/// # Errors
/// Whatever `SQLite` says.
pub(in crate::store) fn set(conn: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )?
    .execute([key, value])
    .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_has_the_pages_and_the_durability_that_were_measured() {
        let folder = tempfile::tempdir().unwrap();
        let conn = open_writer(&folder.path().join(FILE)).unwrap();
        let of = |pragma: &str| conn.query_row(pragma, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(of("PRAGMA page_size"), 8192);
        assert_eq!(of("PRAGMA auto_vacuum"), 2);
        assert_eq!(of("PRAGMA synchronous"), 2);
        assert_eq!(of("PRAGMA wal_autocheckpoint"), 500);
        assert_eq!(of("PRAGMA foreign_keys"), 0);
        assert_eq!(number(&conn, "schema").unwrap(), Some(KNOWN));
        assert_eq!(i64::try_from(MIGRATIONS.len()).unwrap(), KNOWN);
    }

    #[test]
    fn a_file_of_a_newer_program_is_refused_with_both_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        let conn = open_writer(&file).unwrap();
        set(&conn, "schema", "99").unwrap();
        drop(conn);
        let error = open_writer(&file).unwrap_err();
        assert!(matches!(error, OpenError::Newer { found: 99, known: KNOWN }), "{error}");
        assert!(error.to_string().contains("99") && error.to_string().contains(&KNOWN.to_string()));
    }

    #[test]
    fn a_file_of_an_earlier_build_is_refused_before_a_query_misses_something() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        let conn = open_writer(&file).unwrap();
        conn.execute_batch("ALTER TABLE run DROP COLUMN element").unwrap();
        drop(conn);
        let error = open_writer(&file).unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, OpenError::Foreign { .. }), "{said}");
        for part in [folder.path().to_str().unwrap(), "table run", "--data"] {
            assert!(said.contains(part), "{said}");
        }
        // It is left as it is.
        let conn = connect_writer(&file).unwrap();
        assert_eq!(number(&conn, "schema").unwrap(), Some(KNOWN));
    }

    #[test]
    fn a_reader_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        let _writer = open_writer(&file).unwrap();
        let reader = open_reader(&file).unwrap();
        assert!(set(&reader, "a", "b").is_err());
        assert_eq!(number(&reader, "schema").unwrap(), Some(KNOWN));
    }
}
