//! Operators: added, listed, removed, and recognized by their tokens. A running server has them in
//! memory, so that who comes in is judged without a read.

use super::Desk;
use crate::model::ask::{Answer, Done, Refusal, Who};
use crate::model::credential::is_key_name;
use crate::model::operator::{AddOperator, MadeOperator, Operator, OperatorView, Role};
use crate::model::time::{MINUTE, Ms, rfc3339};
use crate::vault::tokens;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::watch;

/// How old what is written of an operator's last visit may be.
const STALE: Ms = MINUTE;

/// Who may come in.
#[derive(Debug)]
pub(super) struct Guests {
    held: watch::Sender<Arc<[Guest]>>,
}

#[derive(Debug)]
struct Guest {
    row: Operator,
    /// When the token was used last, as far as it is written.
    seen: AtomicI64,
}

impl Default for Guests {
    fn default() -> Self {
        Self { held: watch::Sender::new(Arc::from([])) }
    }
}

/// Somebody whose token was recognized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    id: i64,
    /// The name.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

impl Desk {
    /// Reads the operators of the store.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn load_operators(&self) -> Result<(), Refusal> {
        let _one = self.loading.lock().await;
        let rows = self.deps.store.operators().await?;
        let held = rows.into_iter().map(|row| Guest { seen: AtomicI64::new(row.seen.unwrap_or(0)), row });
        self.guests.held.send_replace(held.collect());
        Ok(())
    }

    /// Whose token this is.
    #[must_use]
    pub fn recognize(&self, token: &str) -> Option<Pass> {
        let held = Arc::clone(&self.guests.held.borrow());
        let at = tokens::find(token, held.iter().map(|guest| guest.row.hash.as_slice()))?;
        let guest = held.get(at)?;
        let (now, row) = (self.deps.store.now(), &guest.row);
        let before = guest.seen.load(Ordering::Relaxed);
        let due = now - before > STALE;
        if due && guest.seen.compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let (store, id) = (self.deps.store.clone(), row.id);
            // Nobody waits for it, and where the store takes no writes it is only not told.
            tokio::spawn(async move { store.touch_operator(id, now).await });
        }
        Some(Pass { id: row.id, name: row.name.clone(), role: row.role })
    }

    /// Waits until a pass is good no more.
    pub async fn until_removed(&self, pass: Pass) {
        let mut held = self.guests.held.subscribe();
        let gone = held.wait_for(|held| !held.iter().any(|guest| guest.row.id == pass.id)).await;
        // The desk itself is held by whoever waits, so the sender is there.
        drop(gone);
    }

    /// Every operator, by name.
    pub(super) async fn operators(&self) -> Result<Answer, Refusal> {
        let rows = self.deps.store.operators().await?;
        Ok(Answer::Operators { operators: rows.iter().map(view).collect() })
    }

    /// Adds one.
    pub(super) async fn add_operator(&self, who: &Who, add: AddOperator) -> Result<Answer, Refusal> {
        let AddOperator { name, role, reason, dry_run } = add;
        if !is_key_name(&name) {
            return Err(Refusal::usage(format!(
                "operator {name:?} cannot be added: a name must be 1 to 64 of A-Z, a-z, 0-9 and . _ ~ -"
            )));
        }
        let token = tokens::make().map_err(Refusal::failed)?;
        let row = Operator {
            id: self.deps.store.fresh_id(),
            name: name.clone(),
            role,
            hash: tokens::hash(token.reveal()).to_vec(),
            added: self.deps.store.now(),
            seen: None,
        };
        let operator = view(&row);
        if dry_run {
            if self.deps.store.operators().await?.iter().any(|other| other.name == name) {
                let said = format!("there is an operator {name:?}: names are unique");
                return Err(Refusal::refused("taken", said));
            }
            let lines = vec![format!("would add the operator {name} ({})", role.word())];
            return Ok(Answer::Operator(MadeOperator { operator, token: None, lines }));
        }
        let said = format!("added the operator {name} ({})", role.word());
        self.deps.store.add_operator(row).await?;
        self.load_operators().await?;
        self.audit(who, "operator add", &name, reason.as_deref(), &said).await?;
        let lines = vec![said, "the token is shown this once: it cannot be read again".to_owned()];
        Ok(Answer::Operator(MadeOperator { operator, token: Some(token), lines }))
    }

    /// Removes one.
    pub(super) async fn remove_operator(
        &self,
        who: &Who,
        name: &str,
        reason: Option<&str>,
        dry_run: bool,
    ) -> Result<Answer, Refusal> {
        let none = || {
            Refusal::not_found(format!("there is no operator {name:?}; `pointsman operator ls` lists them"))
        };
        if dry_run {
            let there = self.deps.store.operators().await?.iter().any(|row| row.name == name);
            let lines = vec![format!("would remove the operator {name}; the token would let nobody in")];
            return if there { Ok(Answer::Done(Done { lines, refused: false })) } else { Err(none()) };
        }
        if !self.deps.store.remove_operator(name).await? {
            return Err(none());
        }
        self.load_operators().await?;
        let said = format!("removed the operator {name}; the token lets nobody in any more");
        self.audit(who, "operator rm", name, reason, &said).await?;
        Ok(Answer::Done(Done { lines: vec![said], refused: false }))
    }
}

fn view(row: &Operator) -> OperatorView {
    OperatorView {
        name: row.name.clone(),
        role: row.role,
        added: rfc3339(row.added),
        seen: row.seen.map(rfc3339),
    }
}
