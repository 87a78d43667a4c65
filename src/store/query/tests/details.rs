use super::*;
use crate::model::request::DedupKey;
use crate::model::view::CallbackView;
use crate::store::registry::Route;
use crate::store::{Accept, Birth, Judgement};
use std::sync::Arc;

async fn accept(house: &House, seed: Seed, judgement: Judgement) -> crate::store::Admitted {
    let accept = Accept { seed: Arc::new(seed), judgement };
    house.store.accept(accept).unwrap().await.unwrap().unwrap()
}

fn keyed() -> Judgement {
    let key = DedupKey { key: [9; 16], window: 7 * crate::model::time::DAY, from_first: false };
    Judgement::Admit { key: Some(key), birth: Birth::Fresh }
}

#[tokio::test]
async fn a_duplicate_is_explained_by_its_fields_its_first_and_its_window() {
    let house = House::new().await;
    let flow = house.flow("Orders");
    let body = |note: &str| format!(r#"{{"order_number":10438,"note":"{note}","n":1.50}}"#);
    let mut one = seed(flow, &body("a"));
    one.headers = Headers::from_pairs([("Content-Type", "application/json"), ("X-Req", "b1a7")]);
    let first = accept(&house, one.clone(), keyed()).await;
    house.clock.advance(1_000);
    one.body = body("b").into();
    let copy = accept(&house, one.clone(), keyed()).await;
    assert_eq!((copy.verdict, copy.duplicate_of), (Verdict::Duplicate, Some(first.request)));

    let told = house.store.explain(copy.request).await.unwrap();
    let fields: Vec<String> =
        told.fields.iter().map(|field| format!("{}={}", field.path, field.value)).collect();
    assert_eq!(fields, ["body.order_number=10438", r#"headers["X-Req"]="b1a7""#]);
    assert_eq!(told.key.as_deref(), Some("09".repeat(16).as_str()));
    assert_eq!(told.first, Some(house.store.ids().print(first.request)));
    assert_eq!(told.copies, 2);
    let lapses = crate::model::time::rfc3339(copy.request.time() + 7 * crate::model::time::DAY);
    assert_eq!(told.lapses.as_deref(), Some(lapses.as_str()));
    assert_eq!(told.differs, [("body.note".to_owned(), json!("a"), json!("b"))]);
    // The first one is told by the same figures.
    let told = house.store.explain(first.request).await.unwrap();
    assert_eq!((told.copies, told.lapses, told.differs.len()), (2, Some(lapses), 0));

    // Forgotten, it has no end any more.
    assert!(house.store.forget_key([9; 16], None).await.unwrap());
    assert_eq!(house.store.explain(copy.request).await.unwrap().lapses, None);
    let refused = Judgement::refused(415, "Content-Type is text/plain");
    let refused = accept(&house, one, refused).await;
    let told = house.store.explain(refused.request).await.unwrap();
    assert_eq!((told.key, told.first, told.copies), (None, None, 0));
    assert!(told.why[0].contains("text/plain") && told.why[1].contains("JSON"), "{:?}", told.why);
    let missing = house.store.explain(RequestId(5)).await.unwrap_err();
    assert_eq!((missing.code.as_str(), missing.exit), ("not_found", 3));
}

#[tokio::test]
async fn a_request_is_shown_whole_with_its_run_and_without_credentials() {
    let house = House::new().await;
    let mut one = seed(house.flow("Orders"), r#"{"order_number":1,"a.b":[1.50,{}]}"#);
    one.query = "page=2&page=3".into();
    one.headers =
        Headers::from_pairs([("Content-Type", "application/json"), ("Authorization", "Bearer abc")]);
    let admitted = accept(&house, one, Judgement::Admit { key: None, birth: Birth::Fresh }).await;
    let shown = house.store.request_detail(admitted.request).await.unwrap();
    let run = admitted.run.unwrap().0;
    assert_eq!(shown.request.runs, [house.store.ids().print(run)]);
    assert_eq!((shown.request.integration.as_str(), shown.request.flow.as_str()), ("shop", "Orders"));
    assert_eq!(shown.request.what, "order_number 1 · 2 a.b");
    assert_eq!(shown.flat[r#"body["a.b"][0]"#].to_string(), "1.50");
    assert_eq!(shown.flat[r#"body["a.b"][1]"#], json!({}));
    assert_eq!((&shown.query["page"], &shown.flat["query.page"]), (&json!(["2", "3"]), &json!("2, 3")));
    assert!(!serde_json::to_string(&shown).unwrap().contains("Bearer abc"));
    let answer = shown.answer.unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains(&shown.request.runs[0]));

    let (view, events) = house.store.run_detail(run).await.unwrap();
    assert_eq!(view.state, RunState::Queued);
    let steps: Vec<(&str, &str)> =
        view.steps.iter().map(|step| (step.name.as_str(), step.state.word())).collect();
    assert_eq!(steps, [("push", "pending"), ("note", "pending")]);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].text, format!("queued from request {}", crate::model::id::short(&shown.request.id)));
    assert_eq!(house.store.runs_by_id(&[run, RunId(3)], &Query::All).await.unwrap().rows.len(), 1);
    assert_eq!(house.store.runs_by_id(&vec![run; 257], &Query::All).await.unwrap_err().exit, 2);
    assert!(house.store.run_detail(RunId(3)).await.is_err());
}

#[tokio::test]
async fn the_timeline_says_what_happened_in_words() {
    let house = House::new().await;
    let flow = house.flow("Orders");
    let id = id_at(START - 60_000, 0);
    house
        .put(move |conn| {
            let decided = Decided {
                id,
                verdict: Verdict::Accepted,
                runs: 1,
                status: Some(200),
                born: RunState::Queued,
                cause: None,
                duplicate_of: None,
                dedup: None,
            };
            codec::insert_request(conn, &seed(flow, r#"{"whole":"document"}"#), &decided)?;
            let mut first = answer(id, "push", 503, StepState::Retrying, RunState::Retrying);
            first.detail.outcome = Some(Outcome::Transient);
            first.detail.due = Some(first.at + 10_000);
            first.sent = Some(Sent { method: "POST".into(), same_body: true, ..Sent::default() });
            codec::insert_entry(conn, &first)?;
            let mut second = answer(id, "push", 404, StepState::Errored, RunState::Errored);
            (second.seq, second.attempt, second.at) = (2, 2, first.at + 10_100);
            second.detail.started = Some(first.at + 10_000);
            codec::insert_entry(conn, &second)?;
            let skip = Entry {
                seq: 3,
                at: second.at + 1_000,
                kind: EntryKind::Skip,
                actor: Some("anna".into()),
                status: None,
                sent: None,
                got: None,
                answer: None,
                detail: Detail {
                    step_name: "push".into(),
                    step_state: Some(StepState::Skipped),
                    run_state: Some(RunState::SucceededWithSkips),
                    stand_in: Some(json!({"id": 5}).as_object().unwrap().clone()),
                    reason: Some("closed".into()),
                    folded: vec![crate::model::run::Folded {
                        step: 1,
                        name: "note".into(),
                        state: StepState::Succeeded,
                        outputs: Some(json!({"total": 1}).as_object().unwrap().clone()),
                        cause: None,
                    }],
                    ..Detail::default()
                },
                ..second.clone()
            };
            codec::insert_entry(conn, &skip)?;
            let mut run = run_row(id, flow, RunState::SucceededWithSkips);
            (run.step, run.attempt, run.seq) = (1, 0, 3);
            codec::insert_run(conn, &run)
        })
        .await;
    let (view, events) = house.store.run_detail(RunId(id)).await.unwrap();
    let lines: Vec<(String, String)> =
        events.iter().map(|event| (event.step.clone(), event.text.clone())).collect();
    let line = |step: &str, text: &str| (step.to_owned(), text.to_owned());
    assert_eq!(
        lines[1..],
        [
            line("push", "attempt 1"),
            line("push", "503, next in 10s"),
            line("push", "attempt 2"),
            line("push", "errored: the target answered 404"),
            line("push", "skipped with a stand-in: closed"),
            line("note", "set total"),
        ]
    );
    assert_eq!(events[5].actor.as_deref(), Some("anna"));
    assert!(events.is_sorted_by_key(|event| event.at.clone()));
    assert_eq!(view.state, RunState::SucceededWithSkips);
    assert_eq!(view.steps[0].attempts.len(), 2);
    assert_eq!(view.steps[0].outputs, json!({"id": 5}).as_object().cloned());
    let sent = view.steps[0].attempts[0].request.as_ref().unwrap();
    assert_eq!(sent.body.as_deref(), Some(r#"{"whole":"document"}"#), "kept once, shown where it was sent");
    // Lists leave bodies out.
    assert!(house.runs("").await[0].steps[0].attempts[0].request.is_none());
}

#[tokio::test]
async fn groups_add_up_to_the_errored_runs() {
    let house = filled(150).await;
    let groups = house.store.groups().await.unwrap();
    let errored = house.runs("state:errored").await;
    assert_eq!(groups.iter().map(|group| group.count).sum::<u64>(), errored.len() as u64);
    assert!(groups.len() > 1 && groups.is_sorted_by_key(|group| std::cmp::Reverse(group.count)));
    for group in &groups {
        let runs = house.runs(&format!("group:{}", group.id)).await;
        assert_eq!(runs.len() as u64, group.count);
        assert_eq!(
            (group.hours.len(), group.hours.iter().sum::<u64>()),
            (12, group.count),
            "they began just now"
        );
        assert!(!group.integration.is_empty() && group.step == "push", "{group:?}");
        let figures = house.store.group_figures(&group.id).await.unwrap();
        assert_eq!((figures.runs, figures.whole), (group.count, true));
        assert_eq!((figures.sent, figures.patterns, figures.median_ms), (group.count, 1, Some(45)));
        assert_eq!(figures.urls[0].pattern, "http://127.0.0.1:9/push");
    }
    assert_eq!(house.store.group_figures("ffff").await.unwrap_err().code, "not_found");
    // Of runs by their ids those that match now, in the order of the ids.
    let all: Vec<RunId> =
        house.runs("").await.iter().take(200).map(|run| house.store.ids().parse(&run.id).unwrap()).collect();
    let found = house.store.runs_by_id(&all, &house.query("state:errored")).await.unwrap();
    assert_eq!((found.rows.is_empty(), &found.rows), (false, &errored));
    // Expired, and their step is still errored.
    let overdue = house.store.page_callbacks(&house.query("overdue:true"), &page(1_000)).await.unwrap().rows;
    assert_eq!(overdue.len(), errored.len());
    let id: CallbackId = house.store.ids().parse(&overdue[0].id).unwrap();
    let shown = house.store.callback_view(id).await.unwrap();
    assert_eq!(shown.awaited.as_ref().map(|awaited| awaited.host.as_str()), Some("127.0.0.1:9"));
    assert_eq!(CallbackView { awaited: None, ..shown }, overdue[0]);
    assert!(house.store.callback_view(CallbackId(4)).await.is_err());
}

#[tokio::test]
async fn endings_stand_for_ids_as_long_as_one_fits() {
    let house = filled(150).await;
    let store = &house.store;
    for view in house.requests("").await {
        let whole: RequestId = store.ids().parse(&view.id).unwrap();
        assert_eq!(store.resolve::<RequestId>(&view.id).await.unwrap(), whole);
        for digits in [6, 12, 20] {
            let ending = &view.id.replace('-', "")[32 - digits..];
            assert_eq!(store.resolve::<RequestId>(&ending.to_uppercase()).await.unwrap(), whole, "{ending}");
        }
    }
    let run = house.runs("parent:000000 or parent~.").await[0].id.clone();
    assert!(store.resolve::<RunId>(&run[28..]).await.is_ok(), "a replay has an id of its own");
    let cases = [
        ("12345", "usage"),
        ("xyz123", "usage"),
        ("", "usage"),
        (run.as_str(), "usage"),
        ("ffffff0", "not_found"),
    ];
    for (text, code) in cases {
        assert_eq!(store.resolve::<RequestId>(text).await.unwrap_err().code, code, "{text}");
    }
}

#[tokio::test]
async fn an_ambiguous_ending_is_refused_with_its_candidates() {
    let house = House::new().await;
    let store = &house.store;
    // Tags are keyed: look for twins among ids that nobody has stored yet.
    let mut seen = std::collections::HashMap::new();
    let twins = (0..).find_map(|n| {
        let raw = id_at(START + n / 1_000, n % 1_000);
        let ending = store.ids().bits(Kind::Run, raw) & 0xff_ffff;
        seen.insert(ending, raw).map(|other| (ending, other, raw))
    });
    let (ending, one, other) = twins.unwrap();
    let flow = house.flow("Log");
    house.put(move |conn| codec::insert_run(conn, &run_row(one, flow, RunState::Succeeded))).await;
    let text = format!("{ending:06x}");
    assert_eq!(store.resolve::<RunId>(&text).await.unwrap(), RunId(one));
    house.put(move |conn| codec::insert_run(conn, &run_row(other, flow, RunState::Succeeded))).await;
    let refused = store.resolve::<RunId>(&text).await.unwrap_err();
    assert_eq!((refused.code.as_str(), refused.exit), ("ambiguous", 4));
    for raw in [one, other] {
        assert!(refused.message.contains(&store.ids().print(RunId(raw))), "{}", refused.message);
    }
    let longer = store.ids().print(RunId(one));
    assert_eq!(store.resolve::<RunId>(&longer[24..]).await.unwrap(), RunId(one));
}

#[tokio::test]
async fn acts_are_written_down_and_found_again() {
    let house = House::new().await;
    let who = crate::model::ask::Who::local("anna", "console");
    for (verb, target, reason) in [("retry", "5d02aa", Some("fixed")), ("abort", "x", None)] {
        house.store.audit(&who, verb, target, reason, "done").await.unwrap();
        house.clock.advance(5);
    }
    let all = house.store.page_audit(&Query::All, &page(10)).await.unwrap().rows;
    assert_eq!(all.iter().map(|entry| entry.verb.as_str()).collect::<Vec<_>>(), ["abort", "retry"]);
    let found = house.store.page_audit(&house.query("who:anna reason:fix"), &page(10)).await.unwrap().rows;
    assert_eq!((found.len(), found[0].target.as_str()), (1, "5d02aa"));
    assert_eq!(house.store.page_audit(&house.query("door:socket"), &page(10)).await.unwrap().rows.len(), 0);
}

#[tokio::test]
async fn what_is_configured_is_the_same_after_a_restart() {
    let house = House::new().await;
    let store = house.store.clone();
    assert_eq!(store.endpoints().await.unwrap().len(), 3);
    let name = store.endpoints().await.unwrap()[1].id.clone();
    assert_eq!(name.len(), 22);
    let flow = house.flow("Log");
    assert!(matches!(store.routes().by_name.get("orders"), Some(Route::Live(_))));
    let plan = store.deployed_plan(flow).unwrap();
    assert_eq!((plan.version, plan.flow.name.as_str()), (1, "Log"));

    // Renamed, with an id, as a second version; the first one's plan is still there.
    let text = SHOP.replace("name = \"Log\"", "name = \"Journal\"\nwas = \"Log\"");
    let saved = store.save(vec![save_of(&text)], "ben", None, true).await.unwrap();
    assert_eq!((saved[0].version, saved[0].deployed), (2, true));
    assert_eq!(store.deployed_plan(flow).unwrap().flow.name, "Journal");
    assert_eq!(store.plan(flow, 1).unwrap().flow.name, "Log");
    assert!(store.plan(flow, 9).is_none());
    store.set_values("shop", vec![("limit".into(), json!(9).into())], "ben").await.unwrap();
    let urls = store.webhook_urls(plan.integration);
    assert!(urls["Journal"].as_str().unwrap().starts_with("http://127.0.0.1:7700/in/"), "{urls:?}");

    let seen = |store: &Store| {
        let names: std::collections::BTreeMap<String, String> = store
            .routes()
            .by_name
            .iter()
            .map(|(name, route)| (name.clone(), format!("{:.6}", format!("{route:?}"))))
            .collect();
        (store.integrations(), names, store.values(plan.integration))
    };
    let before = seen(&store);
    assert_eq!(before.2["limit"], json!(9));
    let endpoints = store.endpoints().await.unwrap();
    let folder = house.folder;
    store.close().await;
    drop((store, house.store, house.handover));
    let (store, _handover) = open(folder.path(), &Clock::manual(START + 1));
    assert_eq!(seen(&store), before);
    assert_eq!(store.endpoints().await.unwrap(), endpoints);
    assert_eq!(store.plan(flow, 1).unwrap().flow.name, "Log");
    assert_eq!(store.endpoints().await.unwrap()[0].flow, "Sync customers");
}

#[tokio::test]
async fn an_export_has_ids_and_applies_again_without_change() {
    let house = House::new().await;
    let store = &house.store;
    let exported = store.source("shop", None).await.unwrap().unwrap();
    assert!(exported.source.contains("id = \"orders\"\nname = \"Orders\""), "{}", exported.source);
    assert_eq!(
        (exported.number, exported.author.as_str(), exported.reason.as_deref()),
        (1, "ann", Some("first"))
    );
    // Another flow list with the exported ids keeps every endpoint, whatever the names.
    let before = store.endpoints().await.unwrap();
    let text = exported.source.replace("name = \"Orders\"", "name = \"Bestellungen\"");
    store.save(vec![save_of(&text)], "ann", None, true).await.unwrap();
    let after = store.endpoints().await.unwrap();
    assert_eq!(
        before.iter().map(|row| &row.id).collect::<Vec<_>>(),
        after.iter().map(|row| &row.id).collect::<Vec<_>>()
    );
    assert_eq!(after[1].flow, "Bestellungen");
    assert!(store.source("shop", Some(9)).await.unwrap().is_none());
    assert!(store.source("nobody", None).await.unwrap().is_none());
}

#[tokio::test]
async fn a_removed_integration_answers_410_and_its_name_begins_anew() {
    let house = House::new().await;
    let store = &house.store;
    let old = store.endpoints().await.unwrap()[1].id.clone();
    let flow = house.flow("Orders");
    let mailbox = house.store.inner.feed.watch();
    store.remove("shop", "ann", None).await.unwrap();
    assert!(mailbox.take().config);
    let routes = store.routes();
    assert!(matches!(routes.by_name.get(&old), Some(Route::Removed(_))));
    assert!(matches!(routes.by_name.get("orders"), Some(Route::Removed(_))));
    assert!(store.plan(flow, 1).is_some(), "its open runs go on");
    assert!(store.deployed_plan(flow).is_none());
    assert!(store.integration("shop").is_none() && store.integrations().len() == 1);
    assert!(store.remove("shop", "ann", None).await.is_err());

    store.save(vec![save_of(SHOP)], "ann", None, true).await.unwrap();
    let routes = store.routes();
    assert!(matches!(routes.by_name.get(&old), Some(Route::Removed(_))), "never given out twice");
    assert!(matches!(routes.by_name.get("orders"), Some(Route::Live(plan)) if plan.flow_id != flow));
}

#[tokio::test]
async fn a_draft_is_known_but_not_live() {
    let house = House::new().await;
    let store = &house.store;
    let text = "name = \"new\"\n[[variable]]\nname = \"url\"\ntype = \"url\"\nrequired = true\n\
                [[flow]]\nname = \"F\"\n[flow.trigger]\ntype = \"webhook\"\npath = \"alias\"\nauth = { type = \"none\" }\n";
    let saved = store.save(vec![save_of(text)], "ann", None, true).await.unwrap();
    assert_eq!((saved[0].unset.as_slice(), saved[0].deployed), (["url".to_owned()].as_slice(), false));
    let view = store.integration("new").unwrap();
    assert_eq!((view.deployed, view.draft), (None, Some(1)));
    assert_eq!(view.variables[0].value, json!(null));
    let endpoint = view.flows[0].url.clone().unwrap();
    let name = endpoint.rsplit('/').next().unwrap();
    assert!(matches!(store.routes().by_name.get(name), Some(Route::Draft(_))));
    assert_eq!(store.paths_but("shop"), [("alias".to_owned(), "new / F".to_owned())]);
    assert!(store.endpoints().await.unwrap().iter().all(|row| row.integration != "new"));

    let refused = store.deploy("new", "ann", None).await.unwrap();
    assert!(!refused.deployed && refused.unset == ["url"]);
    store.set_values("new", vec![("url".into(), json!("http://x.example/").into())], "ann").await.unwrap();
    assert!(store.deploy("new", "ann", None).await.unwrap().deployed);
    assert!(matches!(store.routes().by_name.get(name), Some(Route::Live(_))));
    assert_eq!(
        store.values(store.configured().by_name("new").unwrap().id)["url"],
        json!("http://x.example/")
    );
    assert!(store.deploy("nobody", "ann", None).await.is_err());
}

#[tokio::test]
async fn the_last_request_of_each_flow_is_found() {
    let house = filled(60).await;
    let all = house.requests("").await;
    for _ in 0..2 {
        for endpoint in house.store.endpoints().await.unwrap() {
            let newest = all.iter().find(|view| view.endpoint == endpoint.id).map(|view| view.time.clone());
            assert_eq!(endpoint.last_request, newest, "{}", endpoint.flow);
        }
    }
    house.clock.advance(1_000);
    let log = house.flow("Log");
    let came = accept(&house, seed(log, "{}"), Judgement::Admit { key: None, birth: Birth::Done }).await;
    let endpoints = house.store.endpoints().await.unwrap();
    let found = endpoints.iter().find(|row| row.flow == "Log").unwrap();
    assert_eq!(found.last_request, Some(crate::model::time::rfc3339(came.request.time())));
}
