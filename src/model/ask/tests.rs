//! Questions and answers on the wire, and changes that merge.

use super::*;
use crate::model::Map;
use crate::model::request::Verdict;
use serde_json::{Value, json};

fn there_and_back<T>(value: &T)
where
    T: Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let text = serde_json::to_vec(value).unwrap();
    assert_eq!(&from_json::<T>(&text).unwrap(), value, "{}", String::from_utf8_lossy(&text));
}

#[test]
fn every_ask_comes_back_as_it_was() {
    let page = Page {
        filter: "state:errored".into(),
        before: Some("a".into()),
        after: None,
        limit: 7,
        pins: vec!["body.a".into()],
    };
    let map: Map = serde_json::from_str(r#"{"id": 1.10, "big": 98765432109876543210}"#).unwrap();
    for verb in [
        Verb::Retry { version: With::Original, fresh_key: false },
        Verb::Skip { stand_in: Some(map.clone()) },
        Verb::Skip { stand_in: None },
        Verb::Abort,
        Verb::Replay(Replay {
            version: Some("draft".into()),
            set: vec![("body.total".into(), serde_json::from_str("1.10").unwrap())],
            to: Some("http://127.0.0.1:3000/".into()),
            sign: Some(Signing::Fresh),
        }),
    ] {
        there_and_back(&Ask::Act(Box::new(Act {
            verb,
            ids: vec!["x".into()],
            filter: Some("f".into()),
            seen: vec![("x".into(), 3)],
            reason: None,
            dry_run: true,
            rate: Some("50/s".parse().unwrap()),
            stop_after: Some(10),
            plan: Some("t".into()),
        })));
    }
    for ask in [
        Ask::Counters,
        Ask::Requests(page.clone()),
        Ask::Runs(page),
        Ask::RunsById { ids: vec!["a".into()] },
        Ask::RunsAmong { ids: vec!["a".into()], filter: "state:errored".into() },
        Ask::Group { id: "a".into() },
        Ask::Jobs { before: Some("a".into()), limit: 7 },
        Ask::Alerts,
        Ask::Job { id: "a".into() },
        Ask::ResumeJob { id: "a".into(), reason: Some("r".into()), dry_run: true },
        Ask::Pieces { id: "a".into(), from: 7, limit: 9 },
        Ask::StopJob { id: "a".into(), reason: Some("r".into()), dry_run: true },
        Ask::Export { name: "n".into(), version: Some(4) },
        Ask::History { name: "n".into(), limit: 7 },
        Ask::Diff { name: "n".into(), from: None, to: Some(4) },
        Ask::Rollback(Rollback { name: "n".into(), version: 4, reason: Some("r".into()), dry_run: true }),
        Ask::Apply(Apply { files: vec![("a".into(), "b".into())], ..Apply::default() }),
        Ask::Edit(Box::new(Editing::Open { name: "n".into() })),
        Ask::Edit(Box::new(Editing::Keep(Typed { text: "t".into(), seen: 3, ..Typed::default() }))),
        Ask::Edit(Box::new(Editing::Save(Revision { base: 3, deploy: true, ..Revision::default() }))),
        Ask::Set {
            name: "n".into(),
            values: vec![("a".into(), "1".into())],
            secret: Some(("b".into(), Secret::new("c".into()))),
            reason: None,
            dry_run: true,
        },
    ] {
        there_and_back(&ask);
    }
}

#[test]
fn changes_merge_into_one_push_up_to_a_bound() {
    let runs = |from: usize, to: usize| (from..to).map(|run| run.to_string()).collect::<Vec<_>>();
    let push = |seq, newest: Option<&str>, runs| Changes {
        seq,
        newest: newest.map(str::to_owned),
        arrived: 2,
        runs,
        ..Changes::default()
    };
    let mut all = push(1, Some("a"), runs(0, 3));
    all.merge(Changes { config: true, ..push(2, None, runs(1, 5)) });
    assert_eq!(all, Changes { config: true, arrived: 4, ..push(2, Some("a"), runs(0, 5)) });
    all.merge(push(3, Some("b"), runs(0, Changes::MOST_RUNS)));
    assert_eq!((all.runs.len(), all.resync, all.newest.as_deref()), (Changes::MOST_RUNS, false, Some("b")));
    all.merge(push(4, None, runs(0, Changes::MOST_RUNS + 1)));
    assert_eq!((all.runs.len(), all.resync, all.seq), (0, true, 4));
}

#[test]
fn an_answer_keeps_the_digits_of_its_numbers() {
    let body: Value =
        serde_json::from_str(r#"{"a":[1,-2,1.10,1e400,18446744073709551616,-9223372036854775809,0.1]}"#)
            .unwrap();
    let view = RequestDetail {
        request: RequestView {
            id: "i".into(),
            time: "t".into(),
            integration: "x".into(),
            flow: "f".into(),
            endpoint: "e".into(),
            method: "POST".into(),
            path: String::new(),
            verdict: Verdict::Accepted,
            status: Some(200),
            cause: None,
            dedup_key: None,
            duplicate_of: None,
            runs: vec![],
            size: 3,
            actor: None,
            from: None,
            test: false,
            marks: vec![],
            what: String::new(),
            delivery: None,
            pinned: crate::model::study::Pinned::new(),
        },
        headers: vec![("a".into(), "b".into())],
        target: None,
        query: Map::new(),
        flat: body.as_object().cloned().unwrap(),
        body: body.clone(),
        raw: String::new(),
        answer: None,
        version: None,
        parent: None,
        began: vec![],
    };
    there_and_back(&Answer::Request(Box::new(view)));
    there_and_back(&Answer::Counters(Counters { stored: u64::MAX, at: -3, ..Counters::default() }));
    there_and_back(&Changes { seq: 9, counters: Some(Counters::default()), ..Changes::default() });
    let act: Ask = from_json(br#"{"ask":"act","of":{"verb":"abort","ids":["a"]}}"#).unwrap();
    let Ask::Act(act) = act else { panic!("{act:?}") };
    assert!(act.verb == Verb::Abort && !act.dry_run);
    assert_eq!(json!(Verb::Abort.word()), json!("abort"));
}
