//! What is remembered of steps' answers for trials of their flow.

use super::{Store, StoreError};
use crate::model::run::StepState;
use crate::model::{FlowId, Map, payload};
use crate::rules::template::StepData;
use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;

/// Bytes of what is remembered of a step.
pub const MOST: usize = 1 << 20;

/// What is remembered of a step's answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// All of the answer is known; else only what is in it.
    pub whole: bool,
    /// Its code.
    pub status: Option<u16>,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body; not there where it had none, or it was not kept.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "payload::some_value")]
    pub body: Option<Value>,
    /// Its outputs.
    #[serde(deserialize_with = "payload::map")]
    pub outputs: Map,
    /// Of a step under `for_each`, in the place of all else: its items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<Remembered>>,
}

impl Remembered {
    /// As later steps see it.
    #[must_use]
    pub fn data(self) -> StepData {
        StepData {
            state: StepState::Succeeded,
            status: self.status,
            headers: self.headers,
            body: self.body,
            outputs: Some(self.outputs),
            items: self.items.map(|items| items.into_iter().map(Self::data).collect()),
        }
    }

    /// What later steps see, to be remembered.
    #[must_use]
    pub fn of(data: StepData, whole: bool) -> Self {
        let StepData { status, headers, body, outputs, items, .. } = data;
        let items = items.map(|items| items.into_iter().map(|item| Self::of(item, whole)).collect());
        Self { whole, status, headers, body, outputs: outputs.unwrap_or_default(), items }
    }
}

impl Store {
    /// What is remembered of a flow's steps, by name.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn remembered(&self, flow: FlowId) -> Result<HashMap<String, Remembered>, StoreError> {
        self.read(move |conn| {
            let mut read = conn.prepare_cached("SELECT step, answer FROM tried WHERE flow = ?1")?;
            let mut rows = read.query([flow.0])?;
            let mut all = HashMap::new();
            while let Some(row) = rows.next()? {
                let answer: String = row.get(1)?;
                if let Ok(answer) = serde_json::from_str(&answer) {
                    all.insert(row.get(0)?, answer);
                }
            }
            Ok(all)
        })
        .await
    }

    /// Remembers answers of a flow's steps in place of those that are; with `fresh` all others of the
    /// flow are forgotten. What is over 1 MiB is not remembered; its steps are named.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn remember(
        &self,
        flow: FlowId,
        fresh: bool,
        answers: Vec<(String, Remembered)>,
    ) -> Result<Vec<String>, StoreError> {
        let now = self.now();
        let mut rows = Vec::with_capacity(answers.len());
        let mut too_long = Vec::new();
        for (step, answer) in answers {
            match serde_json::to_string(&answer) {
                Ok(text) if text.len() <= MOST => rows.push((step, text)),
                _ => too_long.push(step),
            }
        }
        self.write(Vec::new(), move |tx| {
            if fresh {
                tx.execute("DELETE FROM tried WHERE flow = ?1", [flow.0])?;
            }
            let mut put = tx.prepare_cached(
                "INSERT INTO tried (flow, step, at, answer) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (flow, step) DO UPDATE SET at = excluded.at, answer = excluded.answer",
            )?;
            for (step, text) in rows {
                put.execute(params![flow.0, step, now, text])?;
            }
            Ok(())
        })
        .await?;
        Ok(too_long)
    }
}
