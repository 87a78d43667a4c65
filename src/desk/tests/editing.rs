//! Documents that are edited: what is typed is kept, and nobody's save goes over somebody else's.

use super::*;
use crate::model::ask::{EditView, Editing, Refusal, Revision, SavedView, Typed};
use crate::model::study::{Sampled, Studied, Study, Trial};

fn ben() -> Who {
    Who { name: "ben".into(), ..anna() }
}

async fn open(house: &House, who: &Who) -> EditView {
    let ask = Ask::Edit(Box::new(Editing::Open { name: "acme".into() }));
    match house.desk.answer(who, ask).await.unwrap() {
        Answer::Edit(view) => *view,
        other => panic!("{other:?}"),
    }
}

async fn keep(house: &House, who: &Who, typed: Typed) -> Result<u64, Refusal> {
    match house.desk.answer(who, Ask::Edit(Box::new(Editing::Keep(typed)))).await? {
        Answer::Kept { seen } => Ok(seen),
        other => panic!("{other:?}"),
    }
}

async fn save(house: &House, who: &Who, revision: Revision) -> Result<SavedView, Refusal> {
    match house.desk.answer(who, Ask::Edit(Box::new(Editing::Save(revision)))).await? {
        Answer::Saved(saved) => Ok(saved),
        other => panic!("{other:?}"),
    }
}

fn revision(view: &EditView, title: &str) -> Revision {
    let text = view.source.replace("title = \"Acme\"", &format!("title = \"{title}\""));
    Revision { name: view.name.clone(), base: view.base, text, ..Revision::default() }
}

#[tokio::test]
async fn two_edit_v3_and_the_second_save_names_the_first_and_changes_nothing() {
    let house = House::acme().await;
    for number in [1, 2] {
        let view = open(&house, &anna()).await;
        let text = format!("{}# {number}\n", view.source);
        save(&house, &anna(), Revision { text, ..revision(&view, "") }).await.unwrap();
    }
    let (first, second) = (open(&house, &anna()).await, open(&house, &ben()).await);
    assert_eq!((first.base, second.base, first.live), (3, 3, Some(1)));
    let saved = save(&house, &anna(), revision(&first, "By anna")).await.unwrap();
    assert_eq!((saved.version, saved.live), (4, false));
    for (deploy, dry_run) in [(false, false), (true, false), (true, true)] {
        let order = Revision { deploy, dry_run, ..revision(&second, "By ben") };
        let refusal = save(&house, &ben(), order).await.unwrap_err();
        assert_eq!((refusal.code.as_str(), refusal.exit), ("saved_meanwhile", 4));
        assert!(refusal.message.starts_with("anna saved acme v4 at 2026-"), "{refusal}");
        assert!(refusal.message.ends_with("while you edited v3; nothing was saved"), "{refusal}");
    }
    let now = open(&house, &ben()).await;
    assert_eq!(now.latest, 4);
    assert!(now.source.contains("title = \"By anna\""), "v4 is intact");
    // Mine, as the next version: v4 stays in the history.
    let mine = Revision { base: 4, ..revision(&second, "By ben") };
    assert_eq!(save(&house, &ben(), mine).await.unwrap().version, 5);
    let four = house.store.version("acme", 4).await.unwrap().unwrap();
    assert_eq!((four.author.as_str(), four.source.contains("By anna")), ("anna", true));
    let trail = house.trail().await;
    assert_eq!((trail[0].verb.as_str(), trail[0].who.as_str()), ("save", "ben"));
}

#[tokio::test]
async fn what_is_typed_is_there_again_for_its_person_until_it_is_saved() {
    let house = House::acme().await;
    let view = open(&house, &anna()).await;
    assert_eq!(view.typed, None);
    let typed = Typed {
        name: "acme".into(),
        base: 1,
        text: format!("{}# mine\n", view.source),
        history: "{}".into(),
        unsaved: true,
        seen: 0,
    };
    assert_eq!(keep(&house, &anna(), typed.clone()).await.unwrap(), 1);
    let again = open(&house, &anna()).await;
    assert_eq!(again.typed, Some(Typed { seen: 1, ..typed.clone() }));
    assert_eq!(open(&house, &ben()).await.typed, None);
    let refusal = keep(&house, &anna(), typed.clone()).await.unwrap_err();
    assert_eq!(refusal.code, "two_consoles");
    // Somebody else saves: what is typed stays beside the version that it was made from.
    save(&house, &ben(), revision(&view, "By ben")).await.unwrap();
    let stale = open(&house, &anna()).await;
    assert_eq!((stale.base, stale.latest, stale.source == view.source), (1, 2, true));
    // It was saved, and the process ended before that was told: then it is saved.
    let mine = Revision { base: 2, text: typed.text.clone(), ..revision(&view, "") };
    save(&house, &anna(), mine).await.unwrap();
    let saved = open(&house, &anna()).await;
    assert_eq!((saved.base, saved.typed.map(|typed| typed.unsaved)), (3, Some(false)));
}

#[tokio::test]
async fn an_edit_keeps_its_name_and_its_mistakes_have_their_places() {
    let house = House::acme().await;
    let view = open(&house, &anna()).await;
    let other =
        Revision { text: view.source.replace("name = \"acme\"", "name = \"other\""), ..revision(&view, "") };
    assert_eq!(save(&house, &anna(), other).await.unwrap_err().code, "renamed");
    let wrong = Revision { text: format!("nonsense = 1\n{}", view.source), ..revision(&view, "") };
    let refusal = save(&house, &anna(), wrong).await.unwrap_err();
    assert_eq!(refusal.code, "document");
    assert!(refusal.message.contains("acme:1:1: "), "{refusal}");
    assert_eq!(open(&house, &anna()).await.latest, 1);
    let plan = Revision {
        deploy: true,
        dry_run: true,
        text: format!("{}# x\n", view.source),
        ..revision(&view, "")
    };
    let Answer::Done(done) = house.ask(Ask::Edit(Box::new(Editing::Save(plan)))).await.unwrap() else {
        panic!()
    };
    assert!(done.lines[0].contains("v2 would go live instead of v1"), "{:?}", done.lines);
    assert_eq!(open(&house, &anna()).await.latest, 1);
}

#[tokio::test]
async fn a_text_that_is_not_saved_is_tried_with_the_last_request() {
    let house = House::acme().await;
    house.receive("Orders", json!({"ref": "r1", "name": "x"})).await;
    let view = open(&house, &anna()).await;
    let trial = |text: Option<String>| {
        Ask::Study(Study::Simulate(Trial {
            flow: "acme/Orders".into(),
            sample: Sampled::Request("last".into()),
            text,
            ..Trial::default()
        }))
    };
    let simulated = async |text| match house.ask(trial(text)).await? {
        Answer::Studied(studied) => match *studied {
            Studied::Simulated(view) => Ok(*view),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    let live = simulated(None).await.unwrap();
    let text =
        view.source.replace("base_url = \"{{ config.base }}\"", "base_url = \"http://127.0.0.1:9000/typed\"");
    assert_ne!(text, view.source);
    let typed = simulated(Some(text)).await.unwrap();
    let url = |view: &crate::model::study::SimulatedView| {
        view.steps.iter().find_map(|step| step.request.as_ref().map(|sent| sent.url.clone())).unwrap()
    };
    assert!(url(&typed).starts_with("http://127.0.0.1:9000/typed/"), "{}", url(&typed));
    assert!(!url(&live).contains("typed") && typed.draft && !live.draft);
    let refusal: Refusal = simulated(Some("name = 1".into())).await.unwrap_err();
    assert!(refusal.message.starts_with("the text has errors, the first in line 1"), "{refusal}");
    assert_eq!(open(&house, &anna()).await.latest, 1, "nothing was saved");
}
