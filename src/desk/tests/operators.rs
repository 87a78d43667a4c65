//! Operators: their tokens, what is kept of them, and that a role is judged here.

use crate::desk::fixture::{House, anna};
use crate::model::ask::{Answer, Ask, Page, Who};
use crate::model::operator::{AddOperator, MadeOperator, OperatorView, Role};
use std::time::Duration;
use tokio::time::timeout;

fn add(name: &str, role: Role) -> Ask {
    Ask::AddOperator(AddOperator {
        name: name.into(),
        role,
        reason: Some("night duty".into()),
        dry_run: false,
    })
}

async fn made(house: &House, name: &str, role: Role) -> MadeOperator {
    let Answer::Operator(made) = house.desk.answer(&anna(), add(name, role)).await.unwrap() else {
        panic!("none was made")
    };
    made
}

async fn listed(house: &House) -> Vec<OperatorView> {
    let Answer::Operators { operators } = house.desk.answer(&anna(), Ask::Operators).await.unwrap() else {
        panic!("no list")
    };
    operators
}

#[tokio::test]
async fn a_token_is_shown_once_kept_as_a_hash_and_good_until_its_operator_is_removed() {
    let house = House::new();
    let ops = made(&house, "ops", Role::Operator).await;
    let token = ops.token.unwrap();
    let pass = house.desk.recognize(token.reveal()).unwrap();
    assert_eq!((pass.name.as_str(), pass.role), ("ops", Role::Operator));
    assert!(house.desk.recognize(&token.reveal()[1..]).is_none());
    let kept = std::fs::read(house.folder.path().join("pointsman.db")).unwrap();
    let wal = std::fs::read(house.folder.path().join("pointsman.db-wal")).unwrap_or_default();
    for file in [kept, wal] {
        assert!(!file.windows(20).any(|part| part == &token.reveal().as_bytes()[..20]), "it is in the store");
    }
    // Being there is written down, without anybody waiting for it.
    let seen = async {
        while listed(&house).await[0].seen.is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), seen).await.expect("it is never seen");
    let desk = house.desk.clone();
    let waits = tokio::spawn(async move { desk.until_removed(pass).await });
    let rm = |dry_run| Ask::RemoveOperator { name: "ops".into(), reason: None, dry_run };
    house.desk.answer(&anna(), rm(true)).await.unwrap();
    assert!(house.desk.recognize(token.reveal()).is_some() && !waits.is_finished());
    house.desk.answer(&anna(), rm(false)).await.unwrap();
    timeout(Duration::from_secs(20), waits).await.expect("nobody is told").unwrap();
    assert!(house.desk.recognize(token.reveal()).is_none() && listed(&house).await.is_empty());
    assert_eq!(house.desk.answer(&anna(), rm(false)).await.unwrap_err().exit, 3);
    let trail = house.trail().await;
    let verbs: Vec<_> = trail.iter().map(|entry| (entry.verb.as_str(), entry.target.as_str())).collect();
    assert_eq!(verbs, [("operator rm", "ops"), ("operator add", "ops")]);
    assert!(trail.iter().all(|entry| !entry.detail.contains(token.reveal())));
}

#[tokio::test]
async fn names_are_unique_and_plain() {
    let house = House::new();
    made(&house, "ops", Role::Viewer).await;
    for (name, told) in [("ops", "names are unique"), ("", "a name must be"), ("a b", "a name must be")] {
        let refusal = house.desk.answer(&anna(), add(name, Role::Admin)).await.unwrap_err();
        assert!(refusal.message.contains(told), "{refusal}");
    }
    let dry = |name: &str| {
        Ask::AddOperator(AddOperator { name: name.into(), role: Role::Viewer, reason: None, dry_run: true })
    };
    assert!(house.desk.answer(&anna(), dry("ops")).await.is_err());
    let Answer::Operator(would) = house.desk.answer(&anna(), dry("ben")).await.unwrap() else { panic!() };
    assert!(would.token.is_none() && listed(&house).await.len() == 1);
}

#[tokio::test]
async fn a_role_is_judged_at_the_desk() {
    let house = House::acme().await;
    let who = |role| Who { role, ..anna() };
    let deploy = Ask::Deploy { name: "acme".into(), seen: None, reason: None, dry_run: false };
    let refusal = house.desk.answer(&who(Role::Operator), deploy.clone()).await.unwrap_err();
    assert_eq!((refusal.code.as_str(), refusal.exit), ("role", 4));
    assert_eq!(refusal.message, "deploy needs the role admin; you are operator");
    let refusal = house.desk.answer(&who(Role::Viewer), deploy).await.unwrap_err();
    assert_eq!(refusal.message, "deploy is not possible: this console is read-only (your role is viewer)");
    house.desk.answer(&who(Role::Viewer), Ask::Runs(Page::default())).await.unwrap();
    house.desk.answer(&who(Role::Viewer), Ask::Operators).await.unwrap();
}
