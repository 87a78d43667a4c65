//! What waits for its URL. Posts to one receiver leave one after the other, so that a recovery never
//! comes before what it is the end of.

use super::rules::Rule;
use crate::model::{AlertId, IntegrationId, Ms};
use crate::store::{Store, StoreError};
use rusqlite::{Connection, Result, params};

/// A post that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Its id.
    pub id: AlertId,
    /// Whose.
    pub integration: IntegrationId,
    /// The receiver as rows name it.
    pub place: String,
    /// The URL as the document writes it.
    pub url: String,
    /// JSON.
    pub body: String,
    /// Attempts so far.
    pub attempts: u32,
}

/// What became of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It was taken.
    Taken,
    /// It is sent again.
    Again {
        /// When.
        next: Ms,
        /// Why.
        error: String,
    },
    /// It is sent no more.
    GivenUp {
        /// Why.
        error: String,
    },
}

/// How many posts wait for a receiver.
pub(super) fn waiting(conn: &Connection, rule: &Rule) -> Result<u64> {
    let n: i64 = conn
        .prepare_cached("SELECT count(*) FROM alert_post WHERE integration = ?1 AND place = ?2")?
        .query_row(params![rule.integration.0, rule.place], |row| row.get(0))?;
    Ok(n.cast_unsigned())
}

/// Keeps a post.
pub(super) fn put(conn: &Connection, rule: &Rule, id: AlertId, body: &str, now: Ms) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO alert_post (id, integration, place, body, attempts, next) VALUES (?1, ?2, ?3, ?4, 0, ?5)",
    )?
    .execute(params![id.0, rule.integration.0, rule.place, body, now])
    .map(|_| ())
}

/// The first post of each receiver.
const HEADS: &str = "FROM alert_post p WHERE NOT EXISTS (SELECT 1 FROM alert_post q
     WHERE q.integration = p.integration AND q.place = p.place AND q.id < p.id)";

impl Store {
    /// Posts that are due, one of each receiver; and when the next one is.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn alert_posts(&self) -> std::result::Result<(Vec<Post>, Option<Ms>), StoreError> {
        let now = self.now();
        self.read(move |conn| {
            let due = conn
                .prepare_cached(&format!(
                    "SELECT p.id, p.integration, p.place, p.body, p.attempts {HEADS} AND p.next <= ?1 ORDER BY p.next"
                ))?
                .query_map([now], |row| {
                    let place: String = row.get(2)?;
                    Ok(Post {
                        id: AlertId(row.get(0)?),
                        integration: IntegrationId(row.get(1)?),
                        url: place.strip_prefix("url:").unwrap_or_default().to_owned(),
                        place,
                        body: row.get(3)?,
                        attempts: row.get(4)?,
                    })
                })?
                .collect::<Result<_>>()?;
            let next = conn
                .prepare_cached(&format!("SELECT min(p.next) {HEADS} AND p.next > ?1"))?
                .query_row([now], |row| row.get(0))?;
            Ok((due, next))
        })
        .await
    }

    /// Keeps what became of a post. Whether the receiver was told to be well, or ill, for the first
    /// time since it was the other is said to those who watch.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn alert_delivered(
        &self,
        post: Post,
        delivery: Delivery,
    ) -> std::result::Result<(), StoreError> {
        let now = self.now();
        let (url, mut line) = (post.url.clone(), None);
        match &delivery {
            Delivery::Again { error, .. } if post.attempts == 0 => {
                line = Some(format!("to {url} was not delivered, and is sent again: {error}"));
            }
            Delivery::Taken | Delivery::Again { .. } => {}
            Delivery::GivenUp { error } => line = Some(format!("to {url} was given up: {error}")),
        }
        self.write(Vec::new(), move |conn| write(conn, &post, &delivery, now)).await?;
        if let Some(line) = line {
            self.inner.links.alerts.told(now, line);
        }
        Ok(())
    }
}

fn write(conn: &Connection, post: &Post, delivery: &Delivery, now: Ms) -> Result<()> {
    let error = match delivery {
        Delivery::Again { next, error } => {
            conn.prepare_cached("UPDATE alert_post SET attempts = attempts + 1, next = ?2 WHERE id = ?1")?
                .execute([post.id.0, *next])?;
            Some(error)
        }
        Delivery::Taken | Delivery::GivenUp { .. } => {
            conn.prepare_cached("DELETE FROM alert_post WHERE id = ?1")?.execute([post.id.0])?;
            match delivery {
                Delivery::GivenUp { error } => Some(error),
                _ => None,
            }
        }
    };
    let taken = matches!(delivery, Delivery::Taken);
    let given_up = matches!(delivery, Delivery::GivenUp { .. });
    conn.prepare_cached(
        "UPDATE alert_place SET error = ?3, given_up = given_up + ?4,
             delivered = CASE WHEN ?5 THEN ?6 ELSE delivered END
         WHERE integration = ?1 AND place = ?2",
    )?
    .execute(params![post.integration.0, post.place, error, given_up, taken, now])
    .map(|_| ())
}
