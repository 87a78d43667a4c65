//! Senders' keys: rows of `credential`, sealed or hashed before they come here.

use super::{Store, StoreError};
use crate::model::Ms;
use crate::model::change::Change;
use crate::model::credential::{Credential, KeyKind};
use rusqlite::{Connection, params};

/// Keys that are kept at most: all of them are held in memory.
const MAX: usize = 10_000;

impl Store {
    /// Every key that was not removed, by name.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn credentials(&self) -> Result<Vec<Credential>, StoreError> {
        self.read(rows).await
    }

    /// Adds a key.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where there is one of that name, or there are 10,000 already; see
    /// [`StoreError`].
    pub async fn add_credential(&self, new: Credential) -> Result<(), StoreError> {
        let added = self
            .write(vec![Change::Config], move |tx| {
                let (count, taken): (i64, bool) = tx
                    .prepare_cached(
                        "SELECT count(*), ifnull(max(name = ?1), 0) FROM credential WHERE removed IS NULL",
                    )?
                    .query_row([&new.name], |row| Ok((row.get(0)?, row.get(1)?)))?;
                if taken {
                    return Ok(Err(taken_name(&new.name)));
                }
                if usize::try_from(count).unwrap_or(MAX) >= MAX {
                    return Ok(Err(format!("there are {MAX} keys: remove one first")));
                }
                insert(tx, &new).map(Ok)
            })
            .await?;
        added.map_err(StoreError::Refused)
    }

    /// Removes a key: its secret is wiped, its row stays. Whether there was one.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn remove_credential(&self, name: &str) -> Result<bool, StoreError> {
        let (name, now) = (name.to_owned(), self.now());
        self.write(vec![Change::Config], move |tx| {
            let rows = tx
                .prepare_cached(
                    "UPDATE credential SET removed = ?2, cipher = NULL, hash = NULL
                     WHERE name = ?1 AND removed IS NULL",
                )?
                .execute(params![name, now])?;
            Ok(rows == 1)
        })
        .await
    }

    /// Writes down that a key let somebody in. It is no news for anybody who watches.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn touch_credential(&self, id: i64, at: Ms) -> Result<(), StoreError> {
        self.write(Vec::new(), move |tx| {
            tx.prepare_cached("UPDATE credential SET used = ?2 WHERE id = ?1 AND removed IS NULL")?
                .execute(params![id, at])
                .map(|_| ())
        })
        .await
    }
}

fn taken_name(name: &str) -> String {
    format!(
        "there is a key {name:?}: names are unique; to rotate it add one under another name, list both in \
         the flow, and remove this one once it is not used any more"
    )
}

fn insert(conn: &Connection, new: &Credential) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO credential (id, name, kind, algorithm, user, cipher, hash, public, added)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        new.id,
        new.name,
        new.kind.word(),
        new.kind.algorithm().unwrap_or_default(),
        new.user,
        new.cipher,
        new.hash,
        new.public,
        new.added,
    ])
    .map(|_| ())
}

fn rows(conn: &Connection) -> rusqlite::Result<Vec<Credential>> {
    let mut read = conn.prepare_cached(
        "SELECT id, name, kind, algorithm, user, cipher, hash, public, added, used FROM credential
         WHERE removed IS NULL ORDER BY name",
    )?;
    let mut rows = read.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let (kind, algorithm): (String, String) = (row.get(2)?, row.get(3)?);
        // A kind of a later version is not this one's to judge with.
        let Some(kind) = KeyKind::from_words(&kind, &algorithm) else { continue };
        all.push(Credential {
            id: row.get(0)?,
            name: row.get(1)?,
            kind,
            user: row.get(4)?,
            cipher: row.get(5)?,
            hash: row.get(6)?,
            public: row.get(7)?,
            added: row.get(8)?,
            used: row.get(9)?,
        });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Feed;
    use crate::model::settings::Limits;
    use crate::store::{Options, clock::Clock};

    fn key(id: i64, name: &str) -> Credential {
        Credential {
            id,
            name: name.to_owned(),
            kind: KeyKind::ApiKey,
            user: None,
            cipher: None,
            hash: Some(vec![1, 2]),
            public: None,
            added: 5,
            used: None,
        }
    }

    #[tokio::test]
    async fn names_are_unique_until_they_are_removed_and_keys_are_bounded() {
        let home = tempfile::tempdir().unwrap();
        let options = Options {
            limits: Limits { free_disk: 0, ..Limits::default() },
            feed: Feed::default(),
            public_url: "http://127.0.0.1:7700".into(),
            clock: Clock::manual(1_795_000_000_000),
        };
        let (store, _handover) = Store::open(home.path(), options).unwrap();
        store.add_credential(key(1, "acme")).await.unwrap();
        let again = store.add_credential(key(2, "acme")).await.unwrap_err();
        assert!(matches!(&again, StoreError::Refused(why) if why.contains("names are unique")), "{again}");
        store.touch_credential(1, 77).await.unwrap();
        let rows = store.credentials().await.unwrap();
        assert_eq!((rows.len(), rows[0].used, rows[0].hash.as_deref()), (1, Some(77), Some(&[1, 2][..])));
        assert!(store.remove_credential("acme").await.unwrap());
        assert!(!store.remove_credential("acme").await.unwrap());
        assert!(store.credentials().await.unwrap().is_empty());
        let wiped = "SELECT count(*) FROM credential WHERE hash IS NULL AND removed IS NOT NULL";
        let wiped: i64 = store.read(move |conn| conn.query_row(wiped, [], |row| row.get(0))).await.unwrap();
        assert_eq!(wiped, 1);
        store.add_credential(key(2, "acme")).await.unwrap();
        let many = i64::try_from(MAX).unwrap() - 2;
        store
            .write(Vec::new(), move |tx| {
                (0..many).try_for_each(|n| insert(tx, &key(100 + n, &format!("k{n}"))))
            })
            .await
            .unwrap();
        store.add_credential(key(3, "last")).await.unwrap();
        let over = store.add_credential(key(4, "over")).await.unwrap_err();
        assert!(matches!(&over, StoreError::Refused(why) if why.contains("there are 10000 keys")), "{over}");
        store.close().await;
    }
}
