//! Documents: all or none, drafts, values, removal.

use super::*;
use crate::model::ask::{Done, Refusal, Rollback, With};

const NEEDY: &str = r#"
name = "needy"
[[variable]]
name = "token"
type = "text"
required = true
[[variable]]
name = "limit"
type = "number"
default = 5
[[flow]]
name = "In"
[flow.trigger]
type = "webhook"
path = "needy-in"
auth = { type = "none" }
"#;

async fn apply(house: &House, apply: Apply) -> Result<Done, Refusal> {
    match house.ask(Ask::Apply(apply)).await? {
        Answer::Done(done) => Ok(done),
        other => panic!("{other:?}"),
    }
}

fn files(files: &[(&str, &str)]) -> Apply {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Apply { files, ..Apply::default() }
}

fn names(house: &House) -> Vec<String> {
    house.store.integrations().into_iter().map(|integration| integration.name).collect()
}

async fn done(house: &House, ask: Ask) -> Done {
    match house.ask(ask).await.unwrap() {
        Answer::Done(done) => done,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn loading_the_samples_ends_with_what_is_live() {
    let house = House::new();
    let plan = done(&house, Ask::LoadSamples { dry_run: true }).await;
    assert!(plan.lines.iter().any(|line| line == "forms is new: v1 would go live"), "{plan:?}");
    assert!(names(&house).is_empty(), "a plan does nothing");
    let Answer::Loaded(loaded) = house.ask(Ask::LoadSamples { dry_run: false }).await.unwrap() else {
        panic!("the samples are loaded")
    };
    let all = house.store.integrations();
    let flows: usize = all.iter().map(|one| one.flows.len()).sum();
    assert!(all.len() == 6 && flows > 6);
    assert_eq!(loaded.done.lines.last(), Some(&format!("6 integrations are live, {flows} flows")));
    // Every flow that takes requests has one that a shell can send.
    assert_eq!(
        loaded.sends.len(),
        all.iter().flat_map(|one| &one.flows).filter(|flow| flow.url.is_some()).count()
    );
    assert!(loaded.sends.iter().all(|(_, curl)| curl.starts_with("curl --json '{") && curl.contains("/in/")));
}

#[tokio::test]
async fn one_bad_file_keeps_all_out_and_every_mistake_has_its_place() {
    let house = House::new();
    let bad = "name = \"bad\"\n[[flow]]\nname = \"X\"\nnonsense = 1\n[flow.trigger]\ntype = \"manual\"\n";
    let refusal = apply(&house, files(&[("a.toml", ACME), ("b.toml", bad)])).await.unwrap_err();
    assert_eq!((refusal.code.as_str(), refusal.exit), ("document", 1));
    assert!(refusal.message.lines().any(|line| line.starts_with("b.toml:4:1: ")), "{refusal}");
    assert!(names(&house).is_empty());
    apply(
        &house,
        files(&[("a.toml", ACME), ("b.toml", NEEDY.replace("required = true", "default = \"t\"").as_str())]),
    )
    .await
    .unwrap();
    assert_eq!(names(&house), ["acme", "needy"]);
}

#[tokio::test]
async fn an_alias_is_refused_with_its_owner_between_files_too() {
    let house = House::acme().await;
    let other = ACME.replace("name = \"acme\"", "name = \"other\"");
    let refusal = apply(&house, files(&[("o.toml", &other)])).await.unwrap_err();
    assert!(refusal.message.contains("acme"), "{refusal}");
    let house = House::new();
    let refusal = apply(&house, files(&[("a.toml", ACME), ("o.toml", &other)])).await.unwrap_err();
    assert!(refusal.message.starts_with("o.toml:"), "{refusal}");
    assert!(names(&house).is_empty());
    // An alias may move between two integrations of one apply.
    let house = House::acme().await;
    let freed = ACME.replace("path = \"orders\"\n", "");
    apply(&house, files(&[("a.toml", &freed), ("o.toml", &other)])).await.unwrap();
    let twice = apply(&house, files(&[("a.toml", &freed), ("b.toml", &freed)])).await.unwrap_err();
    assert!(twice.message.contains("two of these files"), "{twice}");
}

#[tokio::test]
async fn another_name_makes_another_instance() {
    let house = House::new();
    apply(&house, Apply { rename: Some("needy-two".into()), draft: true, ..files(&[("n.toml", NEEDY)]) })
        .await
        .unwrap();
    assert_eq!(names(&house), ["needy-two"]);
    let Answer::Source { version, text } =
        house.ask(Ask::Export { name: "needy-two".into(), version: None }).await.unwrap()
    else {
        panic!("no source");
    };
    assert_eq!(version, 1);
    assert!(text.contains("name = \"needy-two\"") && text.contains("id = \"in\""), "{text}");
}

#[tokio::test]
async fn a_required_variable_without_a_value_keeps_a_draft_and_says_which_commands_help() {
    let house = House::new();
    let kept = apply(&house, files(&[("n.toml", NEEDY)])).await.unwrap();
    assert!(kept.refused);
    assert!(kept.lines[0].starts_with("needy v1 is kept as a draft"), "{:?}", kept.lines);
    assert!(kept.lines.contains(&"pointsman set needy token=VALUE".to_owned()), "{:?}", kept.lines);
    assert!(kept.lines.contains(&"pointsman deploy needy".to_owned()), "{:?}", kept.lines);
    assert!(house.store.integration("needy").unwrap().deployed.is_none());
    let deploy = Ask::Deploy { name: "needy".into(), seen: None, reason: None, dry_run: false };
    assert!(done(&house, deploy.clone()).await.refused);
    let set = |values: &[(&str, &str)]| Ask::Set {
        name: "needy".into(),
        values: values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        secret: None,
        reason: None,
        dry_run: false,
    };
    assert_eq!(house.ask(set(&[("limit", "many")])).await.unwrap_err().exit, 2);
    assert_eq!(house.ask(set(&[("tokens", "x")])).await.unwrap_err().exit, 3);
    let said = done(&house, set(&[("token", "12"), ("limit", "1.50")])).await;
    assert_eq!(said.lines[0], "needy: token = \"12\", limit = 1.50");
    assert_eq!(said.lines[1], "v1 is a draft: pointsman deploy needy");
    let live = done(&house, deploy).await;
    assert!(!live.refused);
    assert_eq!(live.lines[0], "needy v1 is live");
    let view = house.store.integration("needy").unwrap();
    assert_eq!(view.deployed, Some(1));
    let trail: Vec<String> = house.trail().await.into_iter().map(|entry| entry.verb).collect();
    assert_eq!(trail, ["deploy", "set", "deploy", "apply"]);
}

#[tokio::test]
async fn a_dry_run_says_what_would_change_and_changes_nothing() {
    let house = House::new();
    let dry = |text: &str| Apply { dry_run: true, ..files(&[("a.toml", text)]) };
    let said = apply(&house, dry(ACME)).await.unwrap();
    assert_eq!(said.lines[0], "acme is new: v1 would go live");
    assert!(names(&house).is_empty());
    let house = House::acme().await;
    let said = apply(&house, dry(ACME)).await.unwrap();
    assert_eq!(said.lines[0], "acme v1 is live already; nothing would change");
    let said = apply(&house, dry(&ACME.replace("/log", "/logs"))).await.unwrap();
    assert_eq!(said.lines[0], "acme has changed: v2 would go live instead of v1");
    assert!(
        said.lines.iter().any(|line| line.contains("Orders") && line.contains("http://")),
        "{:?}",
        said.lines
    );
    assert_eq!(house.store.integration("acme").unwrap().deployed, Some(1));
    let said = done(&house, Ask::Remove { name: "acme".into(), reason: None, dry_run: true }).await;
    assert!(
        said.lines[0].starts_with("acme would be removed: its 3 endpoints answer 410"),
        "{:?}",
        said.lines
    );
    assert_eq!(names(&house), ["acme"]);
    assert!(house.trail().await.iter().all(|entry| entry.verb == "apply"));
}

#[tokio::test]
async fn a_draft_is_kept_beside_what_is_live_and_deployed_later() {
    let house = House::acme().await;
    let text = ACME.replace("/log", "/logs");
    let said = apply(&house, Apply { draft: true, ..files(&[("a.toml", &text)]) }).await.unwrap();
    assert!(!said.refused);
    assert_eq!(said.lines, ["acme v2 is kept as a draft"]);
    let view = house.store.integration("acme").unwrap();
    assert_eq!((view.deployed, view.draft), (Some(1), Some(2)));
    let deploy =
        |dry_run| Ask::Deploy { name: "acme".into(), seen: None, reason: Some("now".into()), dry_run };
    let said = done(&house, deploy(true)).await;
    assert_eq!(said.lines[0], "acme v2 would go live instead of v1");
    done(&house, deploy(false)).await;
    assert_eq!(house.store.integration("acme").unwrap().deployed, Some(2));
    let entry = &house.trail().await[0];
    assert_eq!((entry.verb.as_str(), entry.reason.as_deref()), ("deploy", Some("now")));
}

#[tokio::test]
async fn a_removed_integration_is_gone_and_named_candidates_help_a_typo() {
    let house = House::acme().await;
    let refusal = house.ask(Ask::Integration { name: "acne".into() }).await.unwrap_err();
    assert_eq!((refusal.exit, refusal.message.contains("there are acme")), (3, true), "{refusal}");
    let run = house.run_in(RunState::Errored).await;
    let said = done(&house, Ask::Remove { name: "acme".into(), reason: None, dry_run: false }).await;
    assert!(said.lines[0].starts_with("acme is removed"), "{:?}", said.lines);
    assert!(names(&house).is_empty());
    assert_eq!(house.view(run).await.integration, "acme", "its runs are still shown");
    let original = Verb::Retry { version: With::Original, fresh_key: false };
    house.act(original, run).await.unwrap();
    let refusal = house.act(Verb::Replay(Replay::default()), run).await.unwrap_err();
    assert_eq!(refusal.message, "replay is not possible: its integration was removed");
}

#[tokio::test]
async fn a_deploy_says_what_it_begins_and_a_removal_what_stops() {
    let house = House::acme().await;
    let text = r#"
name = "begins"
[[flow]]
name = "Orders"
[flow.trigger]
type = "webhook"
path = "begins"
auth = { type = "none" }
[[flow]]
name = "Nightly"
[flow.trigger]
type = "schedule"
every = "1h"
[[flow]]
name = "Once"
[flow.trigger]
type = "deploy"
first = true
[[flow]]
name = "Init"
[flow.trigger]
type = "deploy"
[[flow.step]]
name = "tell"
type = "request"
method = "POST"
url = "http://127.0.0.1:9/tell"
"#;
    let deploy = |dry_run| Ask::Deploy { name: "begins".into(), seen: None, reason: None, dry_run };
    apply(&house, Apply { draft: true, ..files(&[("b.toml", text)]) }).await.unwrap();
    let lines = done(&house, deploy(true)).await.lines;
    assert!(lines.contains(&"also runs Once (deploy): it sends nothing".to_owned()), "{lines:?}");
    assert!(lines.contains(&"also runs Init (deploy): 1 real request".to_owned()), "{lines:?}");
    done(&house, deploy(false)).await;
    let again = text.replace("/tell", "/told");
    apply(&house, Apply { draft: true, ..files(&[("b.toml", &again)]) }).await.unwrap();
    let lines = done(&house, deploy(true)).await.lines;
    assert!(!lines.iter().any(|line| line.contains("Once")), "it ran already: {lines:?}");
    // So does whoever applies it at once, or goes back.
    let init = "also runs Init (deploy): 1 real request".to_owned();
    let planned = apply(&house, Apply { dry_run: true, ..files(&[("b.toml", &again)]) }).await.unwrap();
    assert!(planned.lines.contains(&init), "{:?}", planned.lines);
    let back = Rollback { name: "begins".into(), version: 1, dry_run: true, ..Rollback::default() };
    let lines = done(&house, Ask::Rollback(back)).await.lines;
    assert!(lines.contains(&init), "{lines:?}");
    let remove = Ask::Remove { name: "begins".into(), reason: None, dry_run: true };
    let lines = done(&house, remove).await.lines;
    for line in ["  Orders takes no more requests (/in/begins)", "  Nightly ticks no more"] {
        assert!(lines.iter().any(|said| said == line), "{lines:?}");
    }
}

#[tokio::test]
async fn a_deploy_counts_the_runs_under_way_by_the_version_that_they_keep() {
    let house = House::acme().await;
    let deploy = |dry_run| Ask::Deploy { name: "acme".into(), seen: None, reason: None, dry_run };
    let save = async |text: &str| {
        apply(&house, Apply { draft: true, ..files(&[("a.toml", text)]) }).await.unwrap();
    };
    let second = ACME.replace("/log", "/two");
    save(&second).await;
    let lines = done(&house, deploy(true)).await.lines;
    assert!(lines.contains(&"no run is under way; a retry moves its run to v2".to_owned()), "{lines:?}");
    for state in RunState::ALL {
        house.run_in(state).await;
    }
    // Queued, running, waiting and retrying; what is errored or ended is not under way.
    let lines = done(&house, deploy(true)).await.lines;
    let keep = "runs under way (4) keep v1; a retry moves its run to v2".to_owned();
    assert!(lines.contains(&keep), "{lines:?}");
    let applied = apply(&house, Apply { dry_run: true, ..files(&[("a.toml", &second)]) }).await.unwrap();
    assert!(applied.lines.contains(&keep), "{:?}", applied.lines);
    let remove = Ask::Remove { name: "acme".into(), reason: None, dry_run: true };
    let lines = done(&house, remove).await.lines;
    assert_eq!(lines.last().map(String::as_str), Some("its runs under way (4) go on to their end"));

    done(&house, deploy(false)).await;
    house.run_in(RunState::Queued).await;
    house.run_in(RunState::Waiting).await;
    save(&ACME.replace("/log", "/three")).await;
    let both = "runs under way (6) keep their versions: 2 v2, 4 v1; a retry moves its run to v3".to_owned();
    let lines = done(&house, deploy(true)).await.lines;
    assert!(lines.contains(&both), "{lines:?}");
    let back = Rollback { name: "acme".into(), version: 1, dry_run: true, ..Rollback::default() };
    let lines = done(&house, Ask::Rollback(back)).await.lines;
    assert!(lines.contains(&both.replace("v3", "v4")), "{lines:?}");
}

#[tokio::test]
async fn a_draft_that_lacks_a_value_is_not_said_to_go_live() {
    let house = House::new();
    let plain = NEEDY.replace("required = true", "default = \"t\"");
    apply(&house, files(&[("n.toml", &plain)])).await.unwrap();
    apply(&house, Apply { draft: true, ..files(&[("n.toml", NEEDY)]) }).await.unwrap();
    let deploy = Ask::Deploy { name: "needy".into(), seen: None, reason: None, dry_run: true };
    let lines = done(&house, deploy).await.lines;
    assert_eq!(lines[0], "needy v2 would stay a draft");
    assert!(lines.iter().any(|line| line.contains("token has no value yet")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("under way")), "nothing would change: {lines:?}");
}
