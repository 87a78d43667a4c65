//! Operators: rows of `operator`, their tokens hashed before they come here.

use super::{Store, StoreError};
use crate::model::Ms;
use crate::model::operator::{MAX_OPERATORS, Operator, Role};
use rusqlite::{Connection, params};

impl Store {
    /// Every operator that was not removed, by name.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn operators(&self) -> Result<Vec<Operator>, StoreError> {
        self.read(rows).await
    }

    /// Adds an operator.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where there is one of that name, or there are as many as may be; see
    /// [`StoreError`].
    pub async fn add_operator(&self, new: Operator) -> Result<(), StoreError> {
        let added = self
            .write(Vec::new(), move |tx| {
                let (count, taken): (i64, bool) = tx
                    .prepare_cached(
                        "SELECT count(*), ifnull(max(name = ?1), 0) FROM operator WHERE removed IS NULL",
                    )?
                    .query_row([&new.name], |row| Ok((row.get(0)?, row.get(1)?)))?;
                if taken {
                    return Ok(Err(format!(
                        "there is an operator {:?}: names are unique; for another role or token remove it first",
                        new.name
                    )));
                }
                if usize::try_from(count).unwrap_or(MAX_OPERATORS) >= MAX_OPERATORS {
                    return Ok(Err(format!("there are {MAX_OPERATORS} operators: remove one first")));
                }
                insert(tx, &new).map(Ok)
            })
            .await?;
        added.map_err(StoreError::Refused)
    }

    /// Removes an operator: the hash is wiped, the row stays. Whether there was one.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn remove_operator(&self, name: &str) -> Result<bool, StoreError> {
        let (name, now) = (name.to_owned(), self.now());
        self.write(Vec::new(), move |tx| {
            let rows = tx
                .prepare_cached(
                    "UPDATE operator SET removed = ?2, hash = NULL WHERE name = ?1 AND removed IS NULL",
                )?
                .execute(params![name, now])?;
            Ok(rows == 1)
        })
        .await
    }

    /// Writes down that an operator was there. It is no news for anybody who watches.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn touch_operator(&self, id: i64, at: Ms) -> Result<(), StoreError> {
        self.write(Vec::new(), move |tx| {
            tx.prepare_cached("UPDATE operator SET seen = ?2 WHERE id = ?1 AND removed IS NULL")?
                .execute(params![id, at])
                .map(|_| ())
        })
        .await
    }
}

fn insert(conn: &Connection, new: &Operator) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT INTO operator (id, name, role, hash, added) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![new.id, new.name, new.role.number(), new.hash, new.added])
        .map(|_| ())
}

fn rows(conn: &Connection) -> rusqlite::Result<Vec<Operator>> {
    let mut read = conn.prepare_cached(
        "SELECT id, name, role, hash, added, seen FROM operator WHERE removed IS NULL ORDER BY name",
    )?;
    let mut rows = read.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        // A role of a later version is not this one's to grant.
        let Some(role) = Role::from_number(row.get(2)?) else { continue };
        all.push(Operator {
            id: row.get(0)?,
            name: row.get(1)?,
            role,
            hash: row.get(3)?,
            added: row.get(4)?,
            seen: row.get(5)?,
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

    fn operator(id: i64, name: &str) -> Operator {
        Operator { id, name: name.to_owned(), role: Role::Operator, hash: vec![1, 2], added: 5, seen: None }
    }

    #[tokio::test]
    async fn names_are_unique_until_they_are_removed_and_operators_are_bounded() {
        let home = tempfile::tempdir().unwrap();
        let options = Options {
            limits: Limits { free_disk: 0, ..Limits::default() },
            feed: Feed::default(),
            public_url: "http://127.0.0.1:7700".into(),
            clock: Clock::manual(1_795_000_000_000),
        };
        let (store, _handover) = Store::open(home.path(), options).unwrap();
        store.add_operator(operator(1, "ops")).await.unwrap();
        let again = store.add_operator(operator(2, "ops")).await.unwrap_err();
        assert!(matches!(&again, StoreError::Refused(why) if why.contains("names are unique")), "{again}");
        store.touch_operator(1, 77).await.unwrap();
        assert_eq!(store.operators().await.unwrap(), [Operator { seen: Some(77), ..operator(1, "ops") }]);
        assert!(store.remove_operator("ops").await.unwrap());
        assert!(!store.remove_operator("ops").await.unwrap());
        assert!(store.operators().await.unwrap().is_empty());
        let wiped = "SELECT count(*) FROM operator WHERE hash IS NULL AND removed IS NOT NULL";
        let wiped: i64 = store.read(move |conn| conn.query_row(wiped, [], |row| row.get(0))).await.unwrap();
        assert_eq!(wiped, 1);
        store.add_operator(operator(2, "ops")).await.unwrap();
        let many = i64::try_from(MAX_OPERATORS).unwrap() - 2;
        let fill = move |tx: &rusqlite::Transaction<'_>| {
            (0..many).try_for_each(|n| insert(tx, &operator(100 + n, &format!("o{n}"))))
        };
        store.write(Vec::new(), fill).await.unwrap();
        store.add_operator(operator(3, "last")).await.unwrap();
        let over = store.add_operator(operator(4, "over")).await.unwrap_err();
        assert!(matches!(&over, StoreError::Refused(why) if why.contains("there are 1000")), "{over}");
        store.close().await;
    }
}
