//! Every order with every role, over the API: what is refused is refused there, in words, whatever the
//! asking end says of itself.

use super::super::common::{Answer, call};
use super::{Gate, document};
use pointsman::model::ask::keys::{AddKey, NewToken, Sign};
use pointsman::model::ask::{
    Act, Apply, Ask, Deed, Editing, Page, Replay, Revision, Rollback, Signing, Start, Typed, Verb, With,
};
use pointsman::model::gate::{PauseAct, PauseOrder};
use pointsman::model::operator::{AddOperator, Role};
use pointsman::model::study::{Study, TrialOrder};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// An order that does it; a deed without one does not compile.
fn example(deed: Deed) -> Ask {
    let act = |verb| Ask::Act(Box::new(Act { ids: vec!["ffffff".into()], ..Act::of(verb) }));
    let pause = |act| Ask::Pause(PauseOrder { target: "shop".into(), act, reason: None, dry_run: false });
    let name = || "nothing".to_owned();
    match deed {
        Deed::Retry => act(Verb::Retry { version: With::Deployed, fresh_key: false }),
        Deed::Skip => act(Verb::Skip { stand_in: None }),
        Deed::Abort => act(Verb::Abort),
        Deed::Replay => act(Verb::Replay(Replay::default())),
        Deed::SignedReplay => act(Verb::Replay(Replay { sign: Some(Signing::Exact), ..Replay::default() })),
        Deed::Forget => act(Verb::Forget),
        Deed::Readmit => act(Verb::Readmit),
        Deed::Complete => act(Verb::Complete { status: 200, body: "{}".into() }),
        Deed::Extend => act(Verb::Extend { by: 1_000 }),
        Deed::Cancel => act(Verb::Cancel),
        Deed::Reveal => Ask::Callback { id: "ffffff".into(), reveal: true },
        Deed::StopJob => Ask::StopJob { id: "ffffff".into(), reason: None, dry_run: false },
        Deed::ResumeJob => Ask::ResumeJob { id: "ffffff".into(), reason: None, dry_run: false },
        Deed::Start => Ask::Start(Start { integration: name(), ..Start::default() }),
        Deed::Pause => pause(PauseAct::Pause { hold: true, lasts: None }),
        Deed::Resume => pause(PauseAct::Resume),
        Deed::Capture => Ask::Study(Study::Capture { flow: "shop/Orders".into(), time: 1_000 }),
        Deed::Call => Ask::Study(Study::Call(TrialOrder::default())),
        Deed::TestRun => Ask::Study(Study::TestRun(TrialOrder::default())),
        Deed::SaveSample => Ask::Study(Study::SaveSample { id: "ffffff".into() }),
        Deed::DriftOk => Ask::Study(Study::DriftOk { ids: vec![7], flow: None, reason: None }),
        Deed::Apply => {
            Ask::Apply(Apply { files: vec![("x.toml".into(), "name = 1".into())], ..Apply::default() })
        }
        Deed::Keep => Ask::Edit(Box::new(Editing::Keep(Typed { name: name(), ..Typed::default() }))),
        Deed::Save => Ask::Edit(Box::new(Editing::Save(Revision { name: name(), ..Revision::default() }))),
        Deed::Deploy => Ask::Deploy { name: name(), seen: None, reason: None, dry_run: false },
        Deed::Remove => Ask::Remove { name: name(), reason: None, dry_run: false },
        Deed::Rollback => Ask::Rollback(Rollback { name: name(), version: 1, ..Rollback::default() }),
        Deed::Set => {
            Ask::Set { name: name(), values: Vec::new(), secret: None, reason: None, dry_run: false }
        }
        Deed::LoadSamples => Ask::LoadSamples { dry_run: true },
        Deed::AddKey => {
            Ask::AddKey(Box::new(AddKey { name: "k".into(), generate: true, ..AddKey::default() }))
        }
        Deed::RemoveKey => Ask::RemoveKey { name: name(), reason: None, dry_run: false },
        Deed::Token => Ask::Token(NewToken::default()),
        Deed::Sign => Ask::Sign(Sign::default()),
        Deed::AddOperator => Ask::AddOperator(AddOperator {
            name: "new".into(),
            role: Role::Admin,
            reason: None,
            dry_run: false,
        }),
        Deed::RemoveOperator => Ask::RemoveOperator { name: name(), reason: None, dry_run: false },
    }
}

fn post(addr: SocketAddr, token: Option<&str>, path: &str, body: &Value) -> Answer {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("Content-Type", "application/json")];
    headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
    call(addr, "POST", path, &headers, body.to_string().as_bytes()).unwrap()
}

/// An order of somebody who says that they are much more than they are.
fn ask(addr: SocketAddr, token: &str, ask: &Ask) -> Answer {
    let who = json!({"name": "root", "door": "console", "role": "admin", "read_only": false});
    post(addr, Some(token), "/ask", &json!({"who": who, "ask": ask}))
}

#[test]
fn every_order_is_refused_over_the_api_to_whoever_may_not_give_it() {
    let gate = Gate::open();
    gate.house.apply(&document("http://127.0.0.1:9"));
    let mut asked = 0;
    for role in Role::ALL {
        let token = gate.token(role.word(), role.word());
        for deed in Deed::ALL {
            let order = example(*deed);
            assert_eq!(order.deed(), Some(*deed));
            let answer = ask(gate.operators, &token, &order);
            let word = deed.word();
            if role == Role::Viewer {
                let said = format!("{word} is not possible: this console is read-only (your role is viewer)");
                assert_eq!((answer.status, answer.json()["message"].as_str()), (403, Some(said.as_str())));
            } else if role < deed.role() {
                let said = format!("{word} needs the role admin; you are operator");
                assert_eq!((answer.status, answer.json()["message"].as_str()), (403, Some(said.as_str())));
            } else {
                assert!(![401, 403].contains(&answer.status), "{word} as {}: {answer:?}", role.word());
            }
            asked += 1;
        }
        // Every role reads.
        assert_eq!(ask(gate.operators, &token, &Ask::Runs(Page::default())).status, 200);
    }
    println!("{asked} orders");
    // What was done has the operator's name at it, whatever it said of itself.
    let trail = gate.house.json(&["audit", "ls"]);
    let trail = trail.as_array().unwrap();
    assert!(trail.iter().any(|entry| entry["who"] == "operator" && entry["verb"] == "pause"), "{trail:?}");
    assert!(trail.iter().all(|entry| entry["who"] != "root" && entry["who"] != "viewer"), "{trail:?}");
}

#[test]
fn a_token_lets_in_only_while_its_operator_is_there_and_is_never_read_again() {
    let gate = Gate::open();
    let token = gate.token("ops", "operator");
    let counters = json!({"ask": {"ask": "counters"}});
    for wrong in [None, Some(""), Some("pmo_wrong"), Some(&token[1..])] {
        for path in ["/ask", "/changes", "/nothing"] {
            let answer = post(gate.operators, wrong, path, &counters);
            assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")), "{path}");
        }
    }
    assert_eq!(post(gate.operators, Some(&token), "/ask", &counters).status, 200);
    // Nothing that is printed or kept has it.
    let listed = gate.house.run(&["operator", "ls", "--output", "json"]);
    assert!(listed.contains("\"ops\"") && !listed.contains(&token));
    let text = gate.house.run(&["operator", "ls"]);
    assert!(text.contains("ops") && text.contains("operator"), "{text}");
    let trail = gate.house.run(&["audit", "ls", "--output", "json"]);
    assert!(trail.contains("operator add") && !trail.contains(&token));
    for entry in std::fs::read_dir(gate.house.data()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        assert!(!bytes.windows(24).any(|part| part == &token.as_bytes()[..24]));
    }
    gate.house.run(&["operator", "rm", "ops", "--reason", "left"]);
    assert_eq!(post(gate.operators, Some(&token), "/ask", &counters).status, 401);
    // The token is printed once where no file is named; a file is never written over.
    let printed = gate.house.run(&["operator", "add", "ben", "--role", "admin"]);
    assert_eq!(post(gate.operators, Some(printed.trim()), "/ask", &counters).status, 200);
    let file = gate.house.file("there", "something");
    let again = gate.house.try_run(&[
        "operator",
        "add",
        "eve",
        "--role",
        "admin",
        "--token-file",
        file.to_str().unwrap(),
    ]);
    assert_eq!(again.status.code(), Some(1));
    assert!(!gate.house.run(&["operator", "ls"]).contains("eve"));
}

#[test]
fn a_token_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let gate = Gate::open();
    let file = gate.operator("ops", "viewer");
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}
