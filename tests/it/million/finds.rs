//! First pages, asked of the store itself: how many rows each looked at.

use super::MILLION;
use super::make::{APART, FIRST, Made, RARE};
use crate::common::House;
use pointsman::feed::Feed;
use pointsman::model::ask::{Page, Rows};
use pointsman::model::query::Query;
use pointsman::model::settings::Limits;
use pointsman::model::time::rfc3339;
use pointsman::model::view::RequestView;
use pointsman::store::clock::Clock;
use pointsman::store::{Options, Store, sketch};
use std::time::Instant;

/// Rows of a page of a console.
const PAGE: u32 = 200;

/// Every row of a filter as a console asks for them, until a page is full; the rows that were looked at.
fn first_page(runtime: &tokio::runtime::Runtime, store: &Store, filter: &str) -> (Vec<RequestView>, u64) {
    let query = Query::parse(filter, store.now()).unwrap();
    let (mut found, mut scanned, mut parts) = (Vec::new(), 0, 0);
    let mut page = Page { filter: filter.to_owned(), limit: PAGE, ..Page::default() };
    let clock = Instant::now();
    loop {
        let rows: Rows<RequestView> = runtime.block_on(store.page_requests(&query, &page)).unwrap();
        parts += 1;
        scanned += rows.scanned;
        found.extend(rows.rows);
        match rows.next {
            Some(next) if rows.partial => {
                assert!(rows.percent.is_some_and(|percent| percent < 100), "a part says how far it came");
                page.before = Some(next);
            }
            _ => break,
        }
    }
    let shown = if filter.is_empty() { "(no filter)" } else { filter };
    println!(
        "{:>9.1} ms  {scanned:>6} rows looked at in {parts} parts, {:>3} found  {shown}",
        clock.elapsed().as_secs_f64() * 1e3,
        found.len(),
    );
    (found, scanned)
}

pub fn first_pages(house: &House, made: &Made) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let options = Options {
        limits: Limits { free_disk: 0, ..Limits::default() },
        feed: Feed::default(),
        public_url: "http://127.0.0.1:7700".to_owned(),
        clock: Clock::system(),
    };
    let clock = Instant::now();
    let (store, handover) = Store::open(&house.data(), options).unwrap();
    println!("the store was opened in {:?}", clock.elapsed());
    let few = |filter: &str, found: usize, most: u64| {
        let (rows, scanned) = first_page(&runtime, &store, filter);
        assert_eq!(rows.len(), found, "{filter}");
        assert!(scanned <= most, "{filter}: {scanned} rows were looked at for {found}");
        rows
    };
    // By an index: what is looked at is what is found.
    let page = PAGE as usize;
    few("", page, 200);
    few("verdict:duplicate", page, 200);
    few("verdict:rejected or verdict:filtered", page, 200);
    let rare = usize::try_from(MILLION / RARE).unwrap() + 1;
    few("flow:Rare", rare, rare as u64);
    few("integration:shop", page, 200);
    few("flow:Orders verdict:rejected", page, 200);
    few("status=422", page, 200);
    few("status>=400", page, 200);
    few("status=200", page, 300);
    let at = |n: i64| rfc3339(made.begun + n * APART);
    few(&format!("until:{}", at(1_000)), page, 200);
    few(&format!("since:{} until:{}", at(500_000), at(500_049)), 50, 50);
    few(&format!("id:{}", made.id(123_456)), 1, 1);
    few(&format!("duplicate_of:{}", made.id(500_008)), 1, 1);
    // By sketches: the newest that have none yet, the blocks that have it, and a few that seem to.
    let block = u64::try_from(sketch::ROWS).unwrap();
    let of = |filter: &str, found: usize| few(filter, found, block * 16);
    let copied = of(&format!("body.order_number={}", FIRST + 500_008), 2);
    assert_eq!((copied[0].id.as_str(), copied[1].id.as_str()), (&*made.id(500_009), &*made.id(500_008)));
    of(&format!("body.order_number={}.0", FIRST + 500_008), 2);
    of("body.customer=c7", 1);
    of("body.customer=nobody", 0);
    of(&format!("body.order_number={} or body.customer=c999001", FIRST + 11), 2);
    let key = copied[1].dedup_key.clone().unwrap();
    of(&format!("dedup_key:{key}"), 2);
    let whole = made.id(77);
    let ending = of(&format!("id:{}", &whole[24..]), 1);
    assert_eq!(ending[0].id, whole);
    // Runs of the same.
    let query = Query::parse(&format!("body.order_number={}", FIRST + 500_008), store.now()).unwrap();
    let clock = Instant::now();
    let rows = runtime.block_on(store.page_runs(&query, &Page { limit: PAGE, ..Page::default() })).unwrap();
    println!("{:>9.1} ms  {:>6} runs looked at", clock.elapsed().as_secs_f64() * 1e3, rows.scanned);
    assert!(rows.rows.len() == 1 || rows.partial);
    assert!(rows.scanned <= block * 16);
    runtime.block_on(store.close());
    drop((store, handover));
}
