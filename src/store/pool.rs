//! Readers: a few connections that can only read, used on threads that may block.

use super::{StoreError, schema};
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Reader connections.
const READERS: usize = 4;

/// A bounded set of reader connections.
#[derive(Debug)]
pub(super) struct Pool {
    file: PathBuf,
    free: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Pool {
    /// Opens the readers of a file that has its tables.
    ///
    /// # Errors
    /// Whatever `SQLite` says.
    pub(super) fn open(file: PathBuf) -> rusqlite::Result<Self> {
        let free = (0..READERS).map(|_| schema::open_reader(&file)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { file, free: Mutex::new(free), permits: Arc::new(Semaphore::new(READERS)) })
    }

    fn take(&self) -> rusqlite::Result<Connection> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        // A reader that panicked took its connection along.
        free.map_or_else(|| schema::open_reader(&self.file), Ok)
    }

    fn put(&self, conn: Connection) {
        // A transaction that was left open would hold the write-ahead log for ever.
        if conn.is_autocommit() {
            self.free.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
        }
    }

    /// Reads on this thread; for threads that may block.
    ///
    /// # Errors
    /// Whatever `SQLite` says.
    pub(super) fn read_here<T>(
        &self,
        f: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let conn = self.take()?;
        let result = f(&conn);
        self.put(conn);
        Ok(result?)
    }

    /// Waits for a reader; it is given back when the permit is dropped.
    ///
    /// # Errors
    /// [`StoreError::Down`] where the store is closed.
    pub(super) async fn permit(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_| StoreError::Down("the store is closed".to_owned()))
    }

    /// Lets nobody read any more, waits for those who do, and closes the connections.
    pub(super) async fn close(&self) {
        let all = self.permits.acquire_many(u32::try_from(READERS).unwrap_or(1)).await;
        self.permits.close();
        drop(all);
        self.free.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
