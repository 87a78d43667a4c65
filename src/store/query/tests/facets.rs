//! Pinned values of rows, and the values of a path counted in parts.

use super::*;
use crate::model::path::{Path, walk};
use crate::model::query::text_of;
use crate::model::study::{Pinned, ValueKind};
use crate::rules::brief::brief;
use serde_json::Value;
use std::collections::HashMap;

/// What a request holds at a path of its body.
async fn body_of(house: &House, id: &str) -> Value {
    let id: RequestId = house.store.ids().parse(id).unwrap();
    let stored = house.store.request(id).await.unwrap().unwrap();
    serde_json::from_slice(&stored.seed.body).unwrap_or(Value::Null)
}

#[tokio::test]
async fn parts_count_what_the_list_has_whatever_their_seams() {
    let house = filled(120).await;
    for filter in
        ["", "verdict:duplicate", "flow:Orders since:2h", "wax", "body.total>50", "method=PUT or method=POST"]
    {
        for path in ["body.customer.name", "body.total", "body.customer.mail", "body.products", "body.none"] {
            let path: Path = path.parse().unwrap();
            let mut expected: HashMap<String, u64> = HashMap::new();
            let (mut rows, mut absent) = (0, 0);
            for row in house.requests(filter).await {
                rows += 1;
                match walk(&body_of(&house, &row.id).await, path.rest()) {
                    Some(value) => *expected.entry(text_of(value).into_owned()).or_default() += 1,
                    None => absent += 1,
                }
            }
            for budget in [Budget::default(), Budget { chunk_rows: 7, page_rows: 7, ..Budget::default() }] {
                let (mut found, mut counted, mut gone) = (HashMap::new(), 0, 0);
                let mut high = i64::MAX;
                loop {
                    let (query, path) = (house.query(filter), path.clone());
                    let way = Way { range: Range { low: 0, high }, forward: false, limit: 5 };
                    let part = house
                        .store
                        .look(move |look| values::part(look, &query, &path, way, &budget))
                        .await
                        .unwrap();
                    counted += part.counted;
                    gone += part.absent;
                    for value in part.values {
                        *found.entry(value.text).or_insert(0) += value.count;
                    }
                    let Some(next) = part.next else { break };
                    let id: RequestId = house.store.ids().parse(&next).unwrap();
                    high = id.0 - 1;
                }
                assert_eq!((counted, gone), (rows, absent), "{filter} {path}");
                assert_eq!(found, expected, "{filter} {path}");
            }
        }
    }
}

#[tokio::test]
async fn a_part_goes_on_where_the_one_before_ended_and_refuses_other_ids() {
    let house = filled(30).await;
    let path: Path = "headers[\"x-req\"]".parse().unwrap();
    let all = house.store.values_at(&house.query(""), &path, None).await.unwrap();
    assert_eq!((all.counted, all.next, all.absent), (30, None, 0));
    let rows = house.requests("").await;
    let older = house.store.values_at(&house.query(""), &path, Some(&rows[9].id)).await.unwrap();
    assert_eq!(older.counted, 20);
    assert!(house.store.values_at(&house.query(""), &path, Some("nope")).await.is_err());
    // What a credential is is found by nothing.
    let secret: Path = "headers.authorization".parse().unwrap();
    let none = house.store.values_at(&house.query(""), &secret, None).await.unwrap();
    assert_eq!((none.values.len(), none.absent), (0, 30));
}

#[tokio::test]
async fn a_page_brings_the_values_of_pinned_paths() {
    let house = filled(40).await;
    let pins =
        ["body.customer.name", "body.total", "headers[\"x-req\"]", "query.page", "no path [", "body.none"];
    let pins: Vec<String> = pins.map(str::to_owned).into();
    let plain = house.store.page_requests(&house.query(""), &page(100)).await.unwrap();
    assert!(plain.rows.iter().all(|row| row.pinned.is_empty()));
    let rows = house.store.with_pins(plain, &pins).await.unwrap().rows;
    assert_eq!(rows.len(), 40);
    for row in &rows {
        let body = body_of(&house, &row.id).await;
        let name =
            walk(&body, &["customer", "name"].map(|key| crate::model::path::Segment::Key(key.to_owned())));
        assert_eq!(row.pinned["body.customer.name"], name.map(|value| brief(value, 64)));
        assert_eq!(row.pinned["body.total"].is_some(), !body.is_null());
        assert!(
            row.pinned["headers[\"x-req\"]"].as_deref().is_some_and(|text| text.starts_with('"')),
            "a digit as text"
        );
        assert_eq!((&row.pinned["no path ["], &row.pinned["body.none"]), (&None, &None));
        assert_eq!(row.pinned.len(), pins.len());
    }
    // A row that is gone has none, and is not asked for again.
    let gone = house.store.pinned(vec!["nope".to_owned()], &pins[..1]).await.unwrap();
    assert_eq!(gone, [Pinned::from([(pins[0].clone(), None)])]);
    let many: Vec<String> = (0..50).map(|n| format!("body.p{n}")).collect();
    let bounded = house.store.pinned(vec![rows[0].id.clone()], &many).await.unwrap();
    assert_eq!(bounded[0].len(), pinned::MOST);
}

#[tokio::test]
async fn what_is_masked_is_no_column_and_of_a_big_body_the_beginning_is_read() {
    let house = House::new().await;
    let masks = SHOP
        .replace("name = \"shop\"", "name = \"masks\"")
        .replace("path = \"orders\"\n", "mask = [\"body.card\"]\n");
    house.store.save(vec![save_of(&masks)], "ann", None, true).await.unwrap();
    let state = house.store.configured();
    let owner = state.by_name("masks").unwrap().id;
    let flow = state.flows.values().find(|row| row.integration == owner && row.name == "Orders").unwrap().id;
    let pad = "x".repeat(300 << 10);
    let bodies = [
        r#"{"card": "4111", "no": 1}"#.to_owned(),
        format!(r#"{{"no": 2, "pad": "{pad}", "last": 3}}"#),
        String::new(),
    ];
    house
        .put(move |conn| {
            for (n, body) in (0..).zip(&bodies) {
                let decided = Decided {
                    id: id_at(START, n),
                    verdict: Verdict::Accepted,
                    runs: 0,
                    status: Some(200),
                    born: RunState::Queued,
                    cause: None,
                    duplicate_of: None,
                    dedup: None,
                };
                codec::insert_request(conn, &seed(flow, body), &decided)?;
            }
            Ok(())
        })
        .await;
    let pins: Vec<String> = ["body.card", "body.no", "body.last"].map(str::to_owned).into();
    let rows = house.requests("").await;
    let ids = rows.iter().rev().map(|row| row.id.clone()).collect();
    let found = house.store.pinned(ids, &pins).await.unwrap();
    let texts = |at: usize| pins.iter().map(|pin| found[at][pin].clone()).collect::<Vec<_>>();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(texts(0), [some("•••"), some("1"), None]);
    assert_eq!(texts(1), [some("…"), some("2"), some("…")], "what was not read says so");
    assert_eq!(texts(2), [None, None, None]);
    let path: Path = "body.card".parse().unwrap();
    let values = house.store.values_at(&house.query(""), &path, None).await.unwrap();
    let told: Vec<_> = values.values.iter().map(|one| (one.text.as_str(), one.kind, one.count)).collect();
    assert_eq!((told.as_slice(), values.absent), (&[("•••", ValueKind::String, 1)][..], 2));
}
