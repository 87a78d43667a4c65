use super::*;
use crate::model::ask::Verb;

fn plan(count: u64) -> Box<Plan> {
    Box::new(Plan { count, seen: vec![("a".to_owned(), 7)], ..Plan::default() })
}

fn dialog(kind: Kind, count: u64) -> Dialog {
    let mut dialog = Dialog::new(kind, vec!["0197a2b4-77c1-7d30-9f11-c2a9905d7c31".to_owned()]);
    dialog.install(Ok(plan(count)));
    dialog
}

#[test]
fn enter_that_was_typed_ahead_confirms_nothing() {
    let mut early = Dialog::new(Kind::Retry, vec!["a".to_owned()]);
    assert_eq!(early.enter(), Outcome::Stays);
    early.flushed();
    assert_eq!(early.enter(), Outcome::Stays, "a frame without facts arms nothing");
    early.install(Ok(plan(1)));
    assert_eq!(early.enter(), Outcome::Stays, "facts that were not drawn yet");
    early.flushed();
    assert_eq!(early.enter(), Outcome::Act);
    assert_eq!(early.enter(), Outcome::Stays, "acts once");
    assert_eq!(early.act(false).seen, [("a".to_owned(), 7)]);
}

#[test]
fn abort_keeps_unless_the_other_button_is_chosen() {
    let mut dialog = dialog(Kind::Abort, 1);
    dialog.flushed();
    assert_eq!(dialog.enter(), Outcome::Close);
    dialog.sideways(1);
    assert!(dialog.sure);
    dialog.sideways(-1);
    assert!(!dialog.sure);
    dialog.sideways(1);
    assert_eq!(dialog.enter(), Outcome::Act);
}

#[test]
fn twenty_objects_want_their_count_typed_and_nineteen_do_not() {
    let mut few = dialog(Kind::Retry, TYPED_FROM - 1);
    few.flushed();
    assert_eq!(few.enter(), Outcome::Act);
    let mut many = dialog(Kind::Retry, TYPED_FROM);
    many.flushed();
    assert_eq!(many.enter(), Outcome::Stays);
    assert!(many.error.as_deref().is_some_and(|error| error.contains("type 20")));
    many.edit().unwrap().insert("20");
    assert_eq!(many.enter(), Outcome::Act);
}

#[test]
fn a_stand_in_is_an_object_or_nothing() {
    let mut dialog = dialog(Kind::Skip, 1);
    dialog.flushed();
    dialog.edit().unwrap().insert("[1]");
    dialog.changed(250);
    assert_eq!(dialog.enter(), Outcome::Stays);
    assert!(!dialog.replans(250));
    assert!(dialog.error.is_some());
    let edit = dialog.edit().unwrap();
    edit.delete_to_start();
    edit.insert("{\"id\": 1}");
    dialog.changed(250);
    assert_eq!(dialog.enter(), Outcome::Stays, "it was not asked about yet");
    assert!(dialog.replans(250));
    dialog.install(Ok(plan(1)));
    dialog.flushed();
    assert_eq!(dialog.with_it().as_deref(), Some("with it: all values there"));
    assert_eq!(dialog.enter(), Outcome::Act);
    assert!(matches!(dialog.act(false).verb, Verb::Skip { stand_in: Some(_) }));
}

#[test]
fn a_stand_in_of_the_last_good_run_is_filled_in_and_asked_about() {
    let mut dialog = Dialog::new(Kind::Skip, vec!["0197a2b4-77c1-7d30-9f11-c2a9905d7c31".to_owned()]);
    let map = serde_json::from_str(r#"{"id":"cus_8841"}"#).unwrap();
    let mut first = plan(1);
    first.step = Some("push".to_owned());
    first.stand_in = Some(map);
    first.stand_in_at = Some("2026-11-18T13:31:58.120Z".to_owned());
    dialog.install(Ok(first));
    assert_eq!(dialog.title(), "Skip push of 5d7c31");
    assert!(
        dialog.fields[0].hint.starts_with("from the last good run, 13:31:58"),
        "{}",
        dialog.fields[0].hint
    );
    assert_eq!(dialog.focus, 0);
    dialog.flushed();
    assert_eq!(dialog.enter(), Outcome::Stays, "the plan without it is not what would be done");
    assert!(dialog.replans(1));
    assert!(matches!(dialog.act(true).verb, Verb::Skip { stand_in: Some(_) }));
    dialog.install(Ok(plan(1)));
    dialog.flushed();
    assert_eq!(dialog.enter(), Outcome::Act);
}

#[test]
fn a_group_is_acted_on_by_its_filter_as_of_now() {
    let mut dialog = Dialog::many(Kind::Retry, "group:g1 until:2026".to_owned(), "the group".to_owned());
    assert_eq!(dialog.title(), "Retry a group");
    dialog.install(Ok(plan(1_212)));
    assert_eq!(dialog.title(), "Retry 1,212 runs");
    assert_eq!(dialog.fields[dialog.focus].purpose, Purpose::Count);
    let act = dialog.act(false);
    assert_eq!((act.ids.len(), act.filter.as_deref()), (0, Some("group:g1 until:2026")));
    assert_eq!(act.seen.len(), 1);
}

#[test]
fn another_choice_asks_for_the_plan_again_and_disarms() {
    let mut dialog = dialog(Kind::Retry, 1);
    dialog.flushed();
    dialog.focus = 0;
    assert_eq!(dialog.sideways(1), Outcome::Replan);
    assert_eq!(dialog.enter(), Outcome::Stays);
    assert!(matches!(dialog.act(true).verb, Verb::Retry { fresh_key: true, .. }));
}

#[test]
fn a_refusal_is_shown_and_closes() {
    let mut dialog = Dialog::new(Kind::Retry, vec!["a".to_owned()]);
    dialog.install(Err(Refusal::refused("running", "retry is not possible: the run is running")));
    dialog.flushed();
    assert_eq!(dialog.enter(), Outcome::Close);
}

#[test]
fn many_take_a_rate_and_go_by_the_plan_that_was_shown() {
    let mut dialog = Dialog::many(Kind::Retry, "group:a".to_owned(), "group".to_owned());
    dialog.install(Ok(Box::new(Plan { count: 3, token: Some("t".to_owned()), ..Plan::default() })));
    dialog.flushed();
    dialog.focus = dialog.fields.iter().position(|field| field.purpose == Purpose::Rate).unwrap();
    dialog.edit().unwrap().insert("fast");
    assert_eq!(dialog.enter(), Outcome::Stays);
    assert!(dialog.error.as_deref().is_some_and(|error| error.contains("is no rate")));
    dialog.edit().unwrap().delete_to_start();
    dialog.edit().unwrap().insert("1");
    assert_eq!(dialog.pace().as_deref(), Some("about 3.0s, as a job"));
    assert_eq!(dialog.enter(), Outcome::Act);
    let act = dialog.act(false);
    assert_eq!((act.plan.as_deref(), act.rate), (Some("t"), "1/s".parse().ok()));
    assert_eq!((act.filter, act.ids.len()), (None, 0));
    let one = Dialog::new(Kind::Retry, vec!["a".to_owned()]);
    assert!(one.fields.iter().all(|field| field.purpose != Purpose::Rate), "one has no pace");
}

#[test]
fn more_than_may_fail_halt_after_failures_in_a_row_unless_told_otherwise() {
    let install = |kind, count| {
        let mut dialog = Dialog::many(kind, "group:a".to_owned(), "group".to_owned());
        let plan = Plan { count, token: Some("t".to_owned()), ..Plan::default() };
        dialog.install(Ok(Box::new(plan)));
        dialog.flushed();
        dialog
    };
    let place = |dialog: &Dialog| dialog.fields.iter().position(|field| field.purpose == Purpose::StopAfter);
    assert_eq!(place(&install(Kind::Retry, 10)), None, "ten cannot fail eleven times");
    assert_eq!(place(&install(Kind::Abort, 12)), None, "what ends runs sends nothing");
    let mut dialog = install(Kind::Retry, 12);
    assert_eq!(dialog.act(false).stop_after, Some(10));
    dialog.focus = place(&dialog).unwrap();
    for (typed, wanted) in
        [("0", Err(())), ("x", Err(())), ("1,001", Err(())), ("25", Ok(Some(25))), ("", Ok(None))]
    {
        dialog.edit().unwrap().delete_to_start();
        dialog.edit().unwrap().insert(typed);
        assert_eq!(dialog.stop_after().map_err(|_| ()), wanted, "{typed}");
        if wanted.is_err() {
            assert_eq!(dialog.enter(), Outcome::Stays, "{typed}");
        }
    }
    assert_eq!(dialog.act(false).stop_after, None);
    assert_eq!(dialog.enter(), Outcome::Act);
}

#[test]
fn a_replay_to_another_url_is_of_no_version_and_is_planned_again() {
    let mut dialog = dialog(Kind::Replay, 1);
    dialog.flushed();
    dialog.focus = dialog.fields.iter().position(|field| field.purpose == Purpose::To).unwrap();
    dialog.edit().unwrap().insert("http://127.0.0.1:3000/");
    dialog.changed(250);
    assert_eq!(dialog.enter(), Outcome::Stays, "what was typed is asked about first");
    assert!(dialog.replans(250));
    dialog.install(Ok(plan(1)));
    dialog.flushed();
    assert_eq!(dialog.enter(), Outcome::Act);
    let Verb::Replay(how) = dialog.act(false).verb else { panic!("no replay") };
    assert_eq!((how.to.as_deref(), how.version, how.sign), (Some("http://127.0.0.1:3000/"), None, None));
}
