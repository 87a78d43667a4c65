//! What is typed is kept, by person and integration, within its bounds.

use super::*;
use crate::model::IntegrationId;
use crate::store::edits::{EDITS, Edit, MOST};

fn edit(text: &str, unsaved: bool, seen: u64) -> Edit {
    Edit { base: 1, unsaved, seen, at: 0, history: "[]".to_owned(), text: text.to_owned() }
}

#[tokio::test]
async fn what_is_typed_is_kept_by_person_and_never_over_that_of_another_console() {
    let house = Rig::new();
    let (store, _handover) = house.open();
    let one = IntegrationId(1);
    assert_eq!(store.edit("anna", one).await.unwrap(), None);
    assert_eq!(store.keep_edit("anna", one, edit("a", true, 0)).await.unwrap(), 1);
    assert_eq!(store.keep_edit("anna", one, edit("ab", true, 1)).await.unwrap(), 2);
    assert_eq!(store.keep_edit("anna", one, edit("x", true, 1)).await, Err(StoreError::Stale));
    let kept = store.edit("anna", one).await.unwrap().unwrap();
    assert_eq!((kept.text.as_str(), kept.seen, kept.unsaved), ("ab", 2, true));
    assert_eq!(store.edit("ben", one).await.unwrap(), None);
    assert!(store.keep_edit("ben", one, edit(&"x".repeat(MOST), true, 0)).await.is_err());
}

#[tokio::test]
async fn what_is_saved_gives_way_and_what_is_not_never_does() {
    let house = Rig::new();
    let (store, _handover) = house.open();
    let many = i64::try_from(EDITS).unwrap();
    for at in 0..many {
        store.keep_edit("anna", IntegrationId(at), edit("t", at != 3, 0)).await.unwrap();
    }
    store.keep_edit("anna", IntegrationId(many), edit("t", true, 0)).await.unwrap();
    assert_eq!(store.edit("anna", IntegrationId(3)).await.unwrap(), None);
    let full = store.keep_edit("anna", IntegrationId(many + 1), edit("t", true, 0)).await;
    assert!(matches!(full, Err(StoreError::Refused(_))), "{full:?}");
    assert!(store.edit("anna", IntegrationId(0)).await.unwrap().is_some());
}
