//! Runs from their birth to their end, over a real store.

mod due;

use super::{Reply, Target, answer, settings};
use crate::feed::Feed;
use crate::model::headers::Headers;
use crate::model::request::{Marks, Seed};
use crate::model::run::{CallbackState, EntryKind, Got, Outcome, RunState};
use crate::model::settings::Limits;
use crate::model::time::SECOND;
use crate::model::{Map, RunId};
use crate::rules::advance::fold::{Fold, fold};
use crate::rules::advance::{Exchange, ExchangeResult, Input};
use crate::rules::check::{Known, check};
use crate::rules::plan::Plan;
use crate::runner::{Deps, start};
use crate::scheduler::{Slot, Slots};
use crate::store::clock::Clock;
use crate::store::registry::{Route, Save};
use crate::store::{Accept, Birth, Claim, Handover, Judgement, LEASE, Options, Store};
use crate::vault::Vault;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A data folder, a store on it, and perhaps a runner.
struct Rig {
    home: tempfile::TempDir,
    clock: Clock,
    store: Store,
    handover: Option<Handover>,
    slots: Slots,
    runner: Option<(JoinHandle<()>, CancellationToken)>,
}

fn open(home: &tempfile::TempDir, clock: &Clock) -> (Store, Handover) {
    let options = Options {
        limits: Limits { free_disk: 0, ..Limits::default() },
        feed: Feed::default(),
        public_url: "http://127.0.0.1:7700".to_owned(),
        clock: clock.clone(),
    };
    Store::open(home.path(), options).unwrap()
}

impl Rig {
    fn new(clock: Clock) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (store, handover) = open(&home, &clock);
        Self { home, clock, store, handover: Some(handover), slots: Slots::new(64), runner: None }
    }

    fn vault(&self) -> Vault {
        Vault::open(self.home.path()).unwrap()
    }

    /// Deploys a flow with these steps, its endpoint `/in/t`.
    async fn deploy(&self, steps: &str) {
        let source = format!(
            "name = \"acme\"\n[[flow]]\nname = \"F\"\n[flow.trigger]\ntype = \"webhook\"\npath = \"t\"\nauth = {{ type = \"none\" }}\n{steps}"
        );
        let checked = check(&source, &Known::default());
        let errors: Vec<_> = checked.problems.iter().filter(|problem| !problem.warning).collect();
        assert!(errors.is_empty(), "{errors:?}\n{source}");
        let save = Save { integration: checked.integration.unwrap(), source, base: None };
        let saved = self.store.save(vec![save], "test", None, true).await.unwrap();
        assert!(saved[0].deployed);
    }

    fn plan(&self) -> Arc<Plan> {
        match &self.store.routes().by_name["t"] {
            Route::Live(plan) => Arc::clone(plan),
            other => panic!("{other:?}"),
        }
    }

    /// A request that is accepted; its run is born leased where that is asked for.
    async fn accept(&self, body: &str, direct: bool) -> RunId {
        let slot = direct.then(|| self.slots.try_take(None, 0)).flatten();
        self.accept_with(body, slot).await
    }

    async fn accept_with(&self, body: &str, slot: Option<Slot>) -> RunId {
        let plan = self.plan();
        let seed = Arc::new(Seed {
            flow: plan.flow_id,
            version: plan.version,
            marks: Marks::default(),
            method: "POST".to_owned(),
            path: String::new(),
            query: String::new(),
            headers: Headers::from_pairs([("Content-Type", "application/json")]),
            body: body.to_owned().into(),
            peer: None,
            actor: None,
            hops: 2,
        });
        let birth = slot.map_or(Birth::Fresh, Birth::Direct);
        let judgement = Judgement::Admit { key: None, birth };
        let admitted = self.store.accept(Accept { seed, judgement }).unwrap().await.unwrap().unwrap();
        admitted.run.unwrap().0
    }

    fn start(&mut self) {
        let stop = CancellationToken::new();
        let deps = Deps {
            store: self.store.clone(),
            handover: self.handover.take().unwrap(),
            slots: self.slots.clone(),
            vault: self.vault(),
            settings: Arc::new(settings(None)),
        };
        self.runner = Some((start(deps, stop.clone()).unwrap(), stop));
    }

    async fn stop(&mut self) {
        let (runner, stop) = self.runner.take().unwrap();
        stop.cancel();
        runner.await.unwrap();
    }

    /// The process ends and another begins: with a clean close, but nobody told the runs.
    async fn reopen(&mut self) {
        self.store.close().await;
        let (store, handover) = open(&self.home, &self.clock);
        self.store = store;
        self.handover = Some(handover);
        self.slots = Slots::new(64);
    }

    async fn state(&self, run: RunId) -> RunState {
        self.store.load(run).await.unwrap().unwrap().run.state
    }

    /// Waits until the run is in a state, with a deadline.
    async fn until(&self, run: RunId, state: RunState) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let now = self.store.load(run).await.unwrap().unwrap();
            if now.run.state == state {
                return;
            }
            assert!(Instant::now() < deadline, "still {:?}, not {state:?}: {:#?}", now.run, now.journal);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn fold(&self, run: RunId) -> Fold {
        let loaded = self.store.load(run).await.unwrap().unwrap();
        let plan = self.store.plan(loaded.run.flow, loaded.run.version).unwrap();
        fold(&plan, &loaded.run, &loaded.journal)
    }
}

fn header(request: &str, name: &str) -> Option<String> {
    request.lines().find_map(|line| {
        let (found, value) = line.split_once(": ")?;
        found.eq_ignore_ascii_case(name).then(|| value.to_owned())
    })
}

fn put(name: &str, target: &Target, more: &str) -> String {
    format!(
        "[[flow.step]]\nname = \"{name}\"\ntype = \"request\"\nmethod = \"PUT\"\nurl = \"http://{}/{name}\"\n{more}\n",
        target.address
    )
}

#[tokio::test]
async fn runs_born_leased_and_runs_that_waited_end_alike() {
    let target = Target::start(|_, _| Reply::Keep(answer("200", "", "{}"))).await;
    let mut rig = Rig::new(Clock::system());
    rig.deploy(&put("push", &target, "json = { n = \"{{ request.body.n }}\" }")).await;
    rig.start();
    for direct in [true, false] {
        let run = rig.accept("{\"n\": 1.50}", direct).await;
        rig.until(run, RunState::Succeeded).await;
        let fold = rig.fold(run).await;
        assert_eq!(fold.steps[0].attempts.len(), 1);
        let sent = target.seen().pop().unwrap();
        let id = rig.store.ids().print(run);
        assert!(sent.ends_with("{\"n\":1.50}"), "{sent}");
        assert_eq!(header(&sent, "Idempotency-Key"), Some(format!("{id}.push")));
        assert_eq!(header(&sent, "Pointsman-Run-Id"), Some(id));
        assert_eq!(header(&sent, "Pointsman-Attempt").as_deref(), Some("1"));
        assert_eq!(header(&sent, "Pointsman-Hops").as_deref(), Some("3"));
    }
    // A slot is given back after its run's last commit was answered: the row can be read before.
    let deadline = Instant::now() + Duration::from_secs(20);
    while rig.slots.free() != 64 {
        assert!(Instant::now() < deadline, "slots come back: {} are free", rig.slots.free());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_run_carries_results_from_step_to_step() {
    let target = Target::start(|_, request| {
        Reply::Keep(if request.starts_with("PUT /a") {
            answer("200", "X-Token: t7\r\n", "{\"customer\":{\"id\":12345678901234567890}}")
        } else {
            answer("200", "", "")
        })
    })
    .await;
    let mut rig = Rig::new(Clock::system());
    let steps = put("a", &target, "outputs = { id = \"body.customer.id\" }")
        + "[[flow.step]]\nname = \"s\"\ntype = \"set\"\noutputs = { both = \"{{ steps.a.outputs.id }}-{{ steps.a.headers['x-token'] }}\" }\n"
        + &put(
            "b",
            &target,
            "json = { id = \"{{ steps.a.outputs.id }}\", both = \"{{ steps.s.outputs.both }}\" }",
        );
    rig.deploy(&steps).await;
    rig.start();
    let run = rig.accept("{}", true).await;
    rig.until(run, RunState::Succeeded).await;
    let sent = target.seen().pop().unwrap();
    assert!(sent.ends_with("{\"id\":12345678901234567890,\"both\":\"12345678901234567890-t7\"}"), "{sent}");
    rig.stop().await;
}

#[tokio::test]
async fn a_transient_answer_is_tried_again_when_it_is_due() {
    let target = Target::start(|number, _| {
        Reply::Keep(if number < 3 { answer("503", "", "") } else { answer("200", "", "") })
    })
    .await;
    let mut rig = Rig::new(Clock::system());
    rig.deploy(&put("push", &target, "retry = { attempts = 3, delay = \"100ms\" }")).await;
    rig.start();
    let run = rig.accept("{}", true).await;
    rig.until(run, RunState::Succeeded).await;
    let keys: Vec<_> = target.seen().iter().map(|sent| header(sent, "Idempotency-Key")).collect();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| *key == keys[0]), "stable over retries");
    let numbers: Vec<_> = target.seen().iter().filter_map(|sent| header(sent, "Pointsman-Attempt")).collect();
    assert_eq!(numbers, ["1", "2", "3"]);
    rig.stop().await;
}

#[tokio::test]
async fn a_callback_finishes_its_step_and_the_run_goes_on() {
    let target = Target::start(|_, request| {
        Reply::Keep(answer(if request.starts_with("PUT /ask") { "202" } else { "200" }, "", ""))
    })
    .await;
    let mut rig = Rig::new(Clock::system());
    let steps = put("ask", &target, "callback = true\noutputs = { job = \"body.job\" }")
        + &put("tell", &target, "text = \"{{ steps.ask.outputs.job }}\"");
    rig.deploy(&steps).await;
    rig.start();
    let run = rig.accept("{}", false).await;
    rig.until(run, RunState::Waiting).await;
    let sent = target.seen().remove(0);
    let url = header(&sent, "X-Response-URL").unwrap();
    let token = url.strip_prefix("http://127.0.0.1:7700/callback/").unwrap();
    let (id, hash) = rig.vault().read_token(token).unwrap();
    let row = rig.store.callback(id).await.unwrap().unwrap();
    assert_eq!((row.hash, row.state, row.run), (hash, CallbackState::Pending, run));
    let kept = rig.fold(run).await.steps[0].attempts[0].sent.clone().unwrap();
    let masked = "http://127.0.0.1:7700/callback/•••".to_owned();
    assert!(kept.headers.contains(&("x-response-url".to_owned(), masked)), "{:?}", kept.headers);
    let answer = |_: &_| Input::Callback { id, status: 200, body: "{\"job\":4471}".into(), digest: [1; 32] };
    rig.store.apply(run, answer).await.unwrap();
    rig.until(run, RunState::Succeeded).await;
    assert!(target.seen().pop().unwrap().ends_with("\r\n\r\n4471"));
    assert_eq!(rig.store.apply(run, answer).await.unwrap_err().code, "200");
    rig.stop().await;
}

#[tokio::test]
async fn a_delay_ends_by_itself() {
    let mut rig = Rig::new(Clock::system());
    let steps = "[[flow.step]]\nname = \"pause\"\ntype = \"delay\"\nfor = \"300ms\"\n\
                 [[flow.step]]\nname = \"s\"\ntype = \"set\"\noutputs = { v = \"{{ 1 }}\" }\n";
    rig.deploy(steps).await;
    rig.start();
    let run = rig.accept("{}", false).await;
    rig.until(run, RunState::Waiting).await;
    rig.until(run, RunState::Succeeded).await;
    let fold = rig.fold(run).await;
    let waited = fold.steps[0].ended.unwrap() - fold.steps[0].started.unwrap();
    assert!(waited >= 300, "{waited}");
    rig.stop().await;
}

#[tokio::test]
async fn a_result_after_its_lease_lapsed_is_refused_and_its_attempt_says_so() {
    let target = Target::start(|_, _| Reply::Keep(answer("200", "", ""))).await;
    let mut rig = Rig::new(Clock::manual(1_795_008_715_120));
    rig.deploy(&put("push", &target, "")).await;
    let id = rig.accept("{}", false).await;
    // A first runner claims the run, and is not heard of again.
    let fresh = rig.store.load(id).await.unwrap().unwrap().run;
    let until = rig.store.now() + LEASE;
    let claimed = rig.store.claim(vec![Claim { run: id, seq: fresh.seq, until }]).await.unwrap().remove(0);
    assert_eq!((claimed.state, claimed.fence, claimed.attempt), (RunState::Running, 1, 1));
    rig.store.renew(vec![id], until).await.unwrap();
    // Its lease lapses; a second runner finds it and finishes it.
    rig.clock.advance(LEASE + 1);
    rig.start();
    let deadline = Instant::now() + Duration::from_secs(20);
    while rig.state(id).await != RunState::Succeeded {
        rig.clock.advance(SECOND);
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(target.seen().len(), 1, "the second runner's");
    // Then the first one's answer arrives.
    let late = Exchange {
        fence: claimed.fence,
        step: 0,
        item: None,
        attempt: 1,
        started: claimed.started.unwrap(),
        elapsed_ms: 40_000,
        sent: None,
        left_out: Vec::new(),
        result: ExchangeResult::Answered {
            got: Got { status: 500, ..Got::default() },
            outputs: Map::new(),
            retry_after: None,
        },
    };
    let before = rig.store.load(id).await.unwrap().unwrap();
    let applied = rig.store.apply(id, |_| Input::Answer(Box::new(late.clone()))).await.unwrap();
    assert_eq!(applied.standing.snapshot.run.state, RunState::Succeeded);
    let after = rig.store.load(id).await.unwrap().unwrap();
    assert_eq!(after.run.seq, before.run.seq + 1);
    assert_eq!(after.journal.last().unwrap().kind, EntryKind::Late);
    let attempts = &rig.fold(id).await.steps[0].attempts;
    assert_eq!(attempts.len(), 2);
    assert_eq!((attempts[0].outcome, attempts[0].late.len()), (Some(Outcome::Unknown), 1));
    assert!(attempts[0].cause.as_deref().unwrap().ends_with("answered 500 too late: not applied"));
    assert_eq!(attempts[1].outcome, Some(Outcome::Ok));
    rig.stop().await;
}

#[tokio::test]
async fn what_a_dead_process_left_running_is_repeated_only_where_that_does_no_harm() {
    for (method, state) in [("PUT", RunState::Succeeded), ("POST", RunState::Errored)] {
        let target = Target::start(|_, _| Reply::Keep(answer("200", "", ""))).await;
        let mut rig = Rig::new(Clock::system());
        rig.deploy(&put("push", &target, "").replace("PUT", method)).await;
        let running = rig.accept("{}", true).await;
        let fresh = rig.accept("{}", false).await;
        assert_eq!(rig.state(running).await, RunState::Running);
        rig.reopen().await;
        rig.start();
        rig.until(running, state).await;
        rig.until(fresh, RunState::Succeeded).await;
        if state == RunState::Errored {
            let cause = rig.fold(running).await.cause.unwrap();
            assert!(cause.starts_with("may have been delivered: the process died"), "{cause}");
            assert_eq!(target.seen().len(), 1, "only the fresh one was sent");
        }
        rig.stop().await;
    }
}

#[tokio::test]
async fn a_clean_stop_lets_exchanges_end_and_gives_back_what_has_not_left() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let target = Target::start(move |_, _| Reply::Held(answer("200", "", ""), Arc::clone(&held))).await;
    let mut rig = Rig::new(Clock::system());
    rig.deploy(&(put("a", &target, "") + &put("b", &target, ""))).await;
    rig.start();
    let flying = rig.accept("{}", true).await;
    let deadline = Instant::now() + Duration::from_secs(10);
    while target.seen().is_empty() {
        assert!(Instant::now() < deadline);
        tokio::task::yield_now().await;
    }
    let (runner, stop) = rig.runner.take().unwrap();
    stop.cancel();
    let born = rig.accept("{}", false).await;
    // A receiver that had its slot before the stop.
    let slot = rig.slots.take_waiting();
    assert!(slot.is_some());
    let leased = rig.accept_with("{}", slot).await;
    rig.until(leased, RunState::Queued).await;
    gate.add_permits(10);
    runner.await.unwrap();
    // The exchange ended, and its next step waits for the next start.
    let after = rig.store.load(flying).await.unwrap().unwrap();
    assert_eq!((after.run.state, after.run.step), (RunState::Queued, 1));
    assert_eq!(rig.state(born).await, RunState::Queued);
    assert_eq!(rig.state(leased).await, RunState::Queued, "given back");
    assert_eq!(target.seen().len(), 1);
    // The next start carries all of them on.
    rig.reopen().await;
    rig.start();
    for run in [flying, born, leased] {
        rig.until(run, RunState::Succeeded).await;
        assert!(rig.fold(run).await.steps.iter().all(|step| step.attempts.len() == 1));
    }
    rig.stop().await;
}

#[tokio::test]
async fn an_abort_waits_for_the_attempt_under_way() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let target = Target::start(move |_, _| Reply::Held(answer("200", "", ""), Arc::clone(&held))).await;
    let mut rig = Rig::new(Clock::system());
    rig.deploy(&(put("a", &target, "") + &put("b", &target, ""))).await;
    rig.start();
    let run = rig.accept("{}", true).await;
    let deadline = Instant::now() + Duration::from_secs(10);
    while target.seen().is_empty() {
        assert!(Instant::now() < deadline);
        tokio::task::yield_now().await;
    }
    let abort = |_: &_| Input::Abort { actor: "anna".to_owned(), reason: None };
    rig.store.apply(run, abort).await.unwrap();
    assert_eq!(rig.state(run).await, RunState::Running);
    gate.add_permits(1);
    rig.until(run, RunState::Aborted).await;
    let fold = rig.fold(run).await;
    assert_eq!(fold.steps[0].attempts[0].status, Some(200), "its outcome is recorded");
    assert_eq!(target.seen().len(), 1);
    rig.stop().await;
}

#[tokio::test]
async fn a_blocked_address_and_an_unbuildable_request_stop_the_run_at_once() {
    let mut rig = Rig::new(Clock::system());
    let step = |url: &str| {
        format!("[[flow.step]]\nname = \"push\"\ntype = \"request\"\nmethod = \"GET\"\nurl = \"{url}\"\n")
    };
    for (url, cause) in [
        (
            "http://169.254.169.254/",
            "was not sent: 169.254.169.254 is link-local. This line in the configuration \
          permits it: allow_networks = [\"169.254.169.254/32\"]",
        ),
        ("http://127.0.0.1:9/{{ request.body.none }}", "could not be built: "),
    ] {
        rig.deploy(&step(url)).await;
        if rig.runner.is_none() {
            rig.start();
        }
        let run = rig.accept("{}", true).await;
        rig.until(run, RunState::Errored).await;
        let fold = rig.fold(run).await;
        assert!(fold.cause.as_deref().unwrap().starts_with(cause), "{:?}", fold.cause);
        assert_eq!(fold.steps[0].attempts.len(), 1);
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_runs_than_slots_all_end_and_each_is_sent_once() {
    let target = Target::start(|_, _| Reply::Keep(answer("200", "", ""))).await;
    let mut rig = Rig::new(Clock::system());
    rig.deploy(&put("push", &target, "")).await;
    // Half of them before there is a runner at all.
    let mut runs = Vec::new();
    for n in 0..600 {
        if n == 300 {
            rig.start();
        }
        runs.push(rig.accept("{}", n % 2 == 0).await);
    }
    for run in runs {
        rig.until(run, RunState::Succeeded).await;
    }
    let mut keys: Vec<_> = target.seen().iter().filter_map(|sent| header(sent, "Idempotency-Key")).collect();
    keys.sort();
    keys.dedup();
    assert_eq!((keys.len(), target.seen().len()), (600, 600));
    rig.stop().await;
}
