//! Does what is due: claims runs, makes their exchanges, commits what came of them.
//!
//! Six tasks of its own, and one an exchange: the *pump* takes fresh runs from the writer's
//! hand-over and starts them in turn; the *timer* sleeps until something in the due index is due;
//! the *ticker* begins the runs of schedules; the *heart* renews the leases of long exchanges; two of
//! `alerts` tell of trouble. A run
//! stays in the task that claimed it from step to step, under one lease, until it ends, waits, or
//! tries again later.
//!
//! | file | holds |
//! |---|---|
//! | `pump` | where runs come from |
//! | `attempt` | one run under a lease |
//! | `call` | one request of a step: built, sent, and what is kept of it |
//! | `each` | the items of a step under `for_each`, several at once |
//! | `gate` | which targets take a run now |
//! | `http` | one exchange, within its bounds |
//! | `guard` | which addresses may be reached |
//! | `alerts` | what is told of trouble |
//! | `work` | what the tasks share |

mod alerts;
mod attempt;
pub mod call;
mod due;
mod each;
mod gate;
pub mod guard;
pub mod http;
mod pump;
mod work;

#[cfg(test)]
mod tests;

use crate::model::settings::Settings;
use crate::scheduler::Slots;
use crate::store::{Gate, Handover, Holders, LEASE, Store};
use crate::vault::Vault;
use gate::Door;
use guard::Guard;
use http::Http;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use work::{Flights, Shared};

/// Exchanges under way get so long when the process stops.
pub const GRACE: Duration = Duration::from_secs(25);
/// Leases in use for longer than this are renewed, this often.
const BEAT: Duration = Duration::from_secs(10);
/// The timer looks at the clock at least this often: it may have been moved.
const LOOK: Duration = Duration::from_secs(1);
/// Exchanges that end within this time make room together for those who wait in lines.
const GATHER: Duration = Duration::from_millis(2);

/// What a runner needs.
pub struct Deps {
    /// Where the runs are.
    pub store: Store,
    /// Where the writer hands them over.
    pub handover: Handover,
    /// Runs under way at once; shared with the receiver.
    pub slots: Slots,
    /// Makes callbacks' tokens, masks what is kept.
    pub vault: Vault,
    /// The guard's networks, the public URL.
    pub settings: Arc<Settings>,
}

/// Starts the runner. It ends some time after `stop` is cancelled: no claims any more, runs that
/// were born leased and have not left go back to queued, exchanges under way get [`GRACE`]. Stop the
/// receiver first: what it still accepts is then given back too.
///
/// # Errors
/// TLS could not be set up.
pub fn start(deps: Deps, stop: CancellationToken) -> Result<JoinHandle<()>, String> {
    let Deps { store, handover, slots, vault, settings } = deps;
    let http = Http::new(Guard::new(&settings))?;
    let shared = Arc::new(Shared {
        store,
        slots,
        vault,
        settings,
        http,
        flights: Flights::default(),
        refused: alerts::Refused::default(),
        stop,
        give_up: CancellationToken::new(),
        tasks: TaskTracker::new(),
    });
    let runtime = runtime()?;
    Ok(tokio::spawn(async move {
        // Whatever is left when it ended is what a crash would leave, and is found again.
        let _ = runtime.handle().spawn(run(shared, handover)).await;
        runtime.shutdown_background();
    }))
}

/// Threads of the runner's own, so that a request that comes in never waits behind a run.
fn runtime() -> Result<Runtime, String> {
    Builder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(2, usize::from))
        .thread_name("runner")
        .enable_all()
        .build()
        .map_err(|error| format!("the runner's threads cannot be started: {error}"))
}

async fn run(shared: Arc<Shared>, handover: Handover) {
    // Before anything is sent. Where it cannot be read nothing can be claimed either.
    shared.slots.hosts().inherit(shared.store.lined().await.unwrap_or_default());
    let pump = tokio::spawn(pump::pump(Arc::clone(&shared), handover));
    let timer = tokio::spawn(timer(Arc::clone(&shared)));
    let ticker = tokio::spawn(ticker(Arc::clone(&shared)));
    let heart = tokio::spawn(heart(Arc::clone(&shared)));
    let looks = tokio::spawn(alerts::look(Arc::clone(&shared)));
    let posts = tokio::spawn(alerts::deliver(Arc::clone(&shared)));
    shared.stop.cancelled().await;
    let _ = timer.await;
    let _ = ticker.await;
    let _ = looks.await;
    let _ = posts.await;
    shared.tasks.close();
    let _ = timeout(GRACE, shared.tasks.wait()).await;
    shared.give_up.cancel();
    let _ = pump.await;
    // What the pump gave back last.
    let _ = timeout(LOOK, shared.tasks.wait()).await;
    heart.abort();
}

/// Sleeps until something in the due index is due, and takes it.
async fn timer(shared: Arc<Shared>) {
    let signal = shared.store.due_signal();
    let mut holders = Holders::default();
    let door = Door::new(&shared);
    let gate: Arc<dyn Gate> = door.clone();
    while !shared.stop.is_cancelled() {
        let lapsed = due::take_lapsed(&shared, shared.store.now()).await.unwrap_or(0);
        let next = shared.store.next_due(&mut holders, &gate).await.ok().flatten();
        // After the look, which says `now` of what can be taken at once.
        let now = shared.store.now();
        let due = match next {
            // A claim that was asked for is carried to its end: only the wait for a slot is cut.
            Some(due) if due <= now => tokio::select! {
                slot = shared.slots.take() => match slot {
                    Some(slot) => due::take_due(&shared, &door, now, slot, &mut holders).await,
                    None => break,
                },
                () = sleep(LOOK) => 1,
                () = shared.stop.cancelled() => break,
            },
            _ => 0,
        };
        if lapsed + due > 0 {
            continue;
        }
        let next = shared.store.next_due(&mut holders, &gate).await.ok().flatten();
        let now = shared.store.now();
        let next = next.into_iter().chain(shared.slots.hosts().next_try(now)).min();
        // What is due and could not be taken is looked at again, but not at once and for ever.
        let ahead = next.map(|due| due - now).and_then(|ahead| u64::try_from(ahead).ok());
        let wait = ahead.filter(|ahead| *ahead > 0).map_or(LOOK, Duration::from_millis);
        tokio::select! {
            () = signal.notified() => {}
            () = shared.slots.hosts().line_freed() => sleep(GATHER).await,
            () = sleep(wait.min(LOOK)) => {}
            () = shared.stop.cancelled() => {}
        }
    }
}

/// Begins the runs of schedules. It looks at the clock as often as the timer does: it may have been
/// moved, and a schedule deployed.
async fn ticker(shared: Arc<Shared>) {
    while !shared.stop.is_cancelled() {
        let wait = match shared.store.tick().await {
            Ok(Some(next)) => Duration::from_millis(u64::try_from(next - shared.store.now()).unwrap_or(0)),
            // What is missed in the meantime is made up.
            Ok(None) | Err(_) => LOOK,
        };
        tokio::select! {
            () = sleep(wait.min(LOOK)) => {}
            () = shared.stop.cancelled() => {}
        }
    }
}

/// Renews the leases of long exchanges.
async fn heart(shared: Arc<Shared>) {
    loop {
        sleep(BEAT).await;
        let long = shared.flights.longer_than(BEAT);
        if !long.is_empty() {
            let until = shared.store.now() + LEASE;
            // Where the store takes no writes nobody else can claim them either.
            let _ = shared.store.renew(long, until).await;
        }
    }
}
