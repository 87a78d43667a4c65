//! Callbacks by urgency: their order, where a page ends, what a filter leaves, and what the passing of
//! a deadline changes.

use super::*;
use crate::store::query::urgent::urgent;

/// Callbacks of an hour: each its id's last part, its deadline in seconds from [`START`], and how it
/// and its run stand.
struct Row(i64, i64, CallbackState, RunState);

const ROWS: [Row; 9] = [
    // Answered and cancelled ones, newest first at the end.
    Row(1, 5, CallbackState::Received, RunState::Succeeded),
    Row(2, 6, CallbackState::Cancelled, RunState::Aborted),
    // Expired, and somebody saw to it.
    Row(3, -500, CallbackState::Expired, RunState::Succeeded),
    // Expired, and nobody did.
    Row(4, -100, CallbackState::Expired, RunState::Errored),
    Row(5, -300, CallbackState::Expired, RunState::Errored),
    // Pending: one whose deadline is past and not acted on yet, two of the same moment.
    Row(6, 90, CallbackState::Pending, RunState::Waiting),
    Row(7, -1, CallbackState::Pending, RunState::Waiting),
    Row(9, 30, CallbackState::Pending, RunState::Waiting),
    Row(8, 30, CallbackState::Pending, RunState::Waiting),
];
const ORDER: [i64; 9] = [5, 4, 7, 8, 9, 6, 3, 2, 1];

/// A house with those; the ids of its callbacks as text, by number.
async fn waiting() -> (House, impl Fn(i64) -> String) {
    let house = House::new().await;
    let flows = [house.flow("Orders"), house.flow("Sync customers")];
    house
        .put(move |conn| {
            for Row(n, deadline, state, of_run) in ROWS {
                let id = id_at(START - 3_600_000, n);
                let flow = flows[usize::from(n % 2 == 0)];
                codec::insert_run(conn, &run_row(id, flow, of_run))?;
                let row = callback_row(id_at(START - 3_000_000, n), id, state);
                codec::insert_callback(conn, &Callback { deadline: START + deadline * 1_000, ..row })?;
            }
            Ok(())
        })
        .await;
    let ids = house.store.ids().clone();
    (house, move |n| ids.print(CallbackId(id_at(START - 3_000_000, n))))
}

impl House {
    async fn urgent(&self, filter: &str, limit: u32) -> Rows<CallbackView> {
        self.store.urgent_callbacks(&self.query(filter), limit).await.unwrap()
    }
}

fn ids(rows: &[CallbackView]) -> Vec<&str> {
    rows.iter().map(|row| row.id.as_str()).collect()
}

#[tokio::test]
async fn overdue_ones_come_first_then_by_deadline_then_the_rest_newest_first() {
    let (house, id) = waiting().await;
    let all = house.urgent("", 100).await;
    assert_eq!(ids(&all.rows), ORDER.map(&id), "each once");
    assert!(!all.partial && all.next.is_none());
    let overdue: Vec<bool> = all.rows.iter().map(|row| row.overdue).collect();
    assert_eq!(overdue, [true, true, false, false, false, false, false, false, false]);
    // Who shall answer is known of each, as far as an attempt tells it.
    assert!(all.rows.iter().all(|row| row.awaited.as_ref().is_some_and(|told| told.attempt == 1)));
    let held: Vec<bool> = all.rows.iter().map(|row| row.awaited.as_ref().unwrap().held).collect();
    assert_eq!(held, [true, true, true, true, true, true, false, false, false]);
}

#[tokio::test]
async fn a_page_ends_anywhere_and_says_that_there_are_more() {
    let (house, id) = waiting().await;
    for limit in 1..=ORDER.len() {
        let page = house.urgent("", u32::try_from(limit).unwrap()).await;
        assert_eq!(ids(&page.rows), ORDER[..limit].iter().map(|n| id(*n)).collect::<Vec<_>>(), "{limit}");
        assert_eq!(page.partial, limit < ORDER.len(), "{limit}");
    }
    // Where the time is up it ends as well.
    let none = Budget { page: std::time::Duration::ZERO, ..Budget::default() };
    let walked = house.store.look(move |look| urgent(look, &Query::All, 100, &none)).await.unwrap();
    assert!(walked.partial && walked.rows.len() < ORDER.len(), "{} rows", walked.rows.len());
}

#[tokio::test]
async fn a_filter_leaves_the_order_as_it_is() {
    let (house, id) = waiting().await;
    let of = |wanted: &[i64]| wanted.iter().map(|n| id(*n)).collect::<Vec<_>>();
    for (filter, wanted) in [
        ("state:pending", &[7, 8, 9, 6][..]),
        ("overdue:true", &[5, 4]),
        ("state:expired", &[5, 4, 3]),
        ("flow:Orders", &[5, 7, 9, 3, 1]),
        ("flow:\"Sync customers\" state:pending", &[8, 6]),
        ("state:received or state:cancelled", &[2, 1]),
        ("flow:nobody", &[]),
    ] {
        let found = house.urgent(filter, 100).await;
        assert_eq!(ids(&found.rows), of(wanted), "{filter}");
        assert!(!found.partial, "{filter}");
    }
    let page = house.urgent("flow:Orders", 2).await;
    assert_eq!(ids(&page.rows), of(&[5, 7]));
    assert!(page.partial);
}

#[tokio::test]
async fn a_deadline_that_passes_moves_a_callback_once_that_is_acted_on() {
    let (house, id) = waiting().await;
    // The clock alone changes nothing: the one that is late already stands first among the pending.
    house.clock.advance(30_000);
    assert_eq!(ids(&house.urgent("", 100).await.rows), ORDER.map(&id));
    // It expires, and its run stops: now it is overdue, behind those that are so for longer.
    let late = id_at(START - 3_000_000, 7);
    let run = id_at(START - 3_600_000, 7);
    house
        .put(move |conn| {
            conn.execute("UPDATE callback SET state = 2 WHERE id = ?1", [late])?;
            conn.execute("UPDATE run SET state = 5, due = NULL WHERE id = ?1", [run]).map(|_| ())
        })
        .await;
    assert_eq!(ids(&house.urgent("", 100).await.rows), [5, 4, 7, 8, 9, 6, 3, 2, 1].map(&id));
    assert_eq!(ids(&house.urgent("overdue:true", 100).await.rows), [5, 4, 7].map(&id));
    // Somebody retried the step: what expired is the past.
    house.put(move |conn| conn.execute("UPDATE run SET attempt = 2 WHERE id = ?1", [run]).map(|_| ())).await;
    assert_eq!(ids(&house.urgent("", 100).await.rows), [5, 4, 8, 9, 6, 7, 3, 2, 1].map(&id));
}
