use super::*;
use crate::model::query::Row;
use crate::model::request::RequestData;
use crate::rules::data::request_data;
use crate::rules::rows;
use crate::store::sketch;
use proptest::prelude::*;
use std::collections::HashMap;
use std::time::Duration;

/// A budget under which a page never gets far: every seam between chunks and pages is met.
fn tight(rows: u64) -> Budget {
    Budget { chunk_rows: rows, page_rows: rows * 3, chunk: Duration::MAX, page: Duration::MAX }
}

/// Every row of a filter, page by page, and how many pages that took.
async fn through<T: Send + 'static>(
    house: &House,
    kind: Kind,
    filter: &str,
    (limit, budget): (u32, Budget),
    forward: bool,
    read: PageOf<T>,
) -> Vec<T> {
    let query = house.query(filter);
    let mut all = Vec::new();
    let mut page = page(limit);
    if forward {
        page.after = Some(house.store.ids().print_raw(kind, 0));
    }
    loop {
        let rows = house.store.page(kind, &query, &page, budget, read).await.unwrap();
        assert!(rows.rows.len() <= limit as usize);
        assert!(rows.scanned <= budget.page_rows, "{} rows looked at", rows.scanned);
        assert!(!rows.partial || rows.next.is_some());
        all.extend(rows.rows);
        match rows.next {
            None => return all,
            Some(next) if forward => page.after = Some(next),
            Some(next) => page.before = Some(next),
        }
    }
}

/// All rows with all that a filter may look at, newest first.
struct Everything {
    requests: Vec<(RequestView, RequestData)>,
    runs: Vec<(RunView, Option<RequestData>)>,
    callbacks: Vec<CallbackView>,
}

impl Everything {
    async fn of(house: &House) -> Self {
        let store = &house.store;
        let mut data = HashMap::new();
        let mut requests = Vec::new();
        for view in house.requests("").await {
            let id: RequestId = store.ids().parse(&view.id).unwrap();
            let stored = store.request(id).await.unwrap().unwrap();
            let read = request_data(&stored.seed, &view.id, id.time(), "");
            data.insert(view.id.clone(), read.clone());
            requests.push((view, read));
        }
        let mut runs = Vec::new();
        for view in house.runs("").await {
            let (whole, _) = store.run_detail(store.ids().parse(&view.id).unwrap()).await.unwrap();
            let data = whole.request.as_ref().map(|id| data[id].clone());
            runs.push((whole, data));
        }
        let callbacks = store.page_callbacks(&Query::All, &page(1_000)).await.unwrap().rows;
        Self { requests, runs, callbacks }
    }

    fn requests(&self, query: &Query) -> Vec<String> {
        let rows = self.requests.iter();
        let fits = |(view, data): &&(RequestView, RequestData)| {
            query.matches(&rows::RequestRow { view, data: Some(data) })
        };
        rows.filter(fits).map(|(view, _)| view.id.clone()).collect()
    }

    fn runs(&self, query: &Query) -> Vec<String> {
        let fits = |(view, data): &&(RunView, Option<RequestData>)| {
            query.matches(&rows::RunRow { view, data: data.as_ref() })
        };
        self.runs.iter().filter(fits).map(|(view, _)| view.id.clone()).collect()
    }

    fn callbacks(&self, query: &Query) -> Vec<String> {
        let fits = |view: &&CallbackView| query.matches(&rows::CallbackRow(view) as &dyn Row);
        self.callbacks.iter().filter(fits).map(|view| view.id.clone()).collect()
    }
}

/// Filters of every class that the planner knows, and of those that it does not.
fn atoms(all: &Everything) -> Vec<String> {
    let request = &all.requests[all.requests.len() / 2].0;
    let run = &all.runs[all.runs.len() / 3].0;
    let copy = all.requests.iter().find_map(|(view, _)| view.duplicate_of.clone()).unwrap();
    let mut atoms: Vec<String> = [
        "verdict:duplicate",
        "verdict:accepted",
        "verdict!=accepted",
        "verdict=rejected",
        "state:errored",
        "state:waiting",
        "state!=succeeded",
        "state:queued",
        "state:pending",
        "state:expired",
        "flow:orders",
        "flow=Log",
        "flow!=Log",
        "integration:crm",
        "integration=shop",
        "status>=400",
        "status:204",
        "cause~\"^not\"",
        "cause:404",
        "body.total>50",
        "body.total<=10.5",
        "body.products[].name:wax",
        "body.customer.name=Soap",
        "headers[\"x-req\"]=7",
        "headers.authorization:secret",
        "query.page=2",
        "wax",
        "grüße",
        "\"a \\\"b\\\"\"",
        "secret-word",
        "got-text",
        "404",
        "errored",
        "step.state:errored",
        "step.name:push",
        "step.status=503",
        "step:note",
        "test:true",
        "marks:body_cut",
        "size>120",
        "method:PUT",
        "from:203",
        "dedup_key:0101",
        "body.customer.mail:null",
        "what:soap",
        "version=1",
        "overdue:true",
        "\"when is\"",
        "body.order_number<20",
        "body.products[0].name=wax",
        "body.products[].name=Soap",
    ]
    .map(str::to_owned)
    .to_vec();
    atoms.push(format!("body.order_number={}", all.requests[3].1.body["order_number"]));
    atoms.push(format!("since:{}", request.time));
    atoms.push(format!("until:{}", request.time));
    atoms.push(format!("id:{}", request.id));
    atoms.push(format!("id:{}", &run.id[28..]));
    atoms.push(format!("request:{}", run.request.clone().unwrap()));
    let parent = all.runs.iter().find_map(|(view, _)| view.parent.clone()).unwrap();
    atoms.push(format!("parent:{parent}"));
    atoms.push(format!("duplicate_of:{copy}"));
    atoms.push(format!("run:{}", run.id));
    atoms
}

/// A tree of them.
fn filters(atoms: Vec<String>) -> impl Strategy<Value = String> {
    let leaf = proptest::sample::select(atoms);
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            3 => proptest::collection::vec(inner.clone(), 2..4).prop_map(|all| format!("({})", all.join(" and "))),
            2 => proptest::collection::vec(inner.clone(), 2..4).prop_map(|any| format!("({})", any.join(" or "))),
            1 => inner.prop_map(|one| format!("(not {one})")),
        ]
    })
}

fn ids<T>(rows: &[T], id: impl Fn(&T) -> &String) -> Vec<String> {
    rows.iter().map(|row| id(row).clone()).collect()
}

#[test]
fn a_page_has_what_the_filter_judges_of_all_rows() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let house = runtime.block_on(filled(90));
    let all = runtime.block_on(Everything::of(&house));
    let atoms = atoms(&all);
    // Some blocks have a sketch, one is gone, the newest have none.
    let key = house.store.ids().clone();
    runtime.block_on(house.put(move |conn| {
        let made = sketch::fill(conn, &key, 16)?;
        assert!(made > 3, "{made} blocks");
        conn.execute("DELETE FROM sketch WHERE low = (SELECT max(low) FROM sketch WHERE low < (SELECT max(low) FROM sketch))", [])?;
        Ok(())
    }));
    for atom in &atoms {
        let query = house.query(atom);
        let hits = all.requests(&query).len() + all.runs(&query).len() + all.callbacks(&query).len();
        let nothing = ["secret", "body.customer.mail"].iter().any(|word| atom.contains(word));
        assert!(hits > 0 || nothing, "{atom} is no test: it hits nothing");
    }
    let check = |filter: &str, size: (u32, Budget), forward: bool| {
        let query = house.query(filter);
        let in_order = |mut ids: Vec<String>| {
            if forward {
                ids.reverse();
            }
            ids
        };
        runtime.block_on(async {
            let found = through(&house, Kind::Request, filter, size, forward, pages::requests).await;
            assert_eq!(ids(&found, |row| &row.id), in_order(all.requests(&query)), "requests: {filter}");
            let found = through(&house, Kind::Run, filter, size, forward, pages::runs).await;
            assert_eq!(ids(&found, |row| &row.id), in_order(all.runs(&query)), "runs: {filter}");
            let found = through(&house, Kind::Callback, filter, size, forward, pages::callbacks).await;
            assert_eq!(ids(&found, |row| &row.id), in_order(all.callbacks(&query)), "callbacks: {filter}");
        });
    };
    for atom in &atoms {
        check(atom, (1_000, Budget::default()), false);
        check(&format!("not {atom}"), (20, tight(11)), true);
    }
    let config = ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(filter in filters(atoms), limit in 1u32..40, rows in 1u64..60, forward: bool)| {
        check(&filter, (limit, tight(rows)), forward);
    });
}

#[tokio::test]
async fn pages_have_every_row_once_while_new_ones_arrive() {
    let house = filled(120).await;
    let before = ids(&house.requests("verdict:accepted or verdict:duplicate").await, |row| &row.id);
    let flow = house.flow("Log");
    let query = house.query("verdict:accepted or verdict:duplicate");
    let mut seen = Vec::new();
    let mut page = page(7);
    for n in 0.. {
        let rows = house.store.page_requests(&query, &page).await.unwrap();
        seen.extend(ids(&rows.rows, |row| &row.id));
        let id = id_at(START + n, 0);
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
                codec::insert_request(conn, &seed(flow, "{}"), &decided)
            })
            .await;
        match rows.next {
            Some(next) => page.before = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, before);
    // What came meanwhile is what comes after the newest that was seen.
    let newer = Page { after: seen.first().cloned(), limit: 1_000, ..Page::default() };
    let rows = house.store.page_requests(&query, &newer).await.unwrap();
    assert!(rows.rows.len() > 3 && rows.rows.is_sorted_by_key(|row| row.id.clone()), "oldest first");
    assert_eq!(rows.next, None);
}

#[tokio::test]
async fn a_page_ends_at_its_bound_and_says_so() {
    let house = filled(120).await;
    let query = house.query("cause:nowhere");
    let all = house.requests("").await.len() as u64;
    for (rows, partial) in [(all - 1, true), (all, false), (all + 1, false)] {
        let budget = Budget { page_rows: rows, ..Budget::default() };
        let page = house.store.page(Kind::Request, &query, &page(10), budget, pages::requests).await.unwrap();
        assert_eq!((page.partial, page.next.is_some()), (partial, partial), "{rows} of {all}");
        assert_eq!(page.scanned, rows.min(all));
    }
    // A full page at the very end has no next one.
    for (limit, next) in [(all - 1, true), (all, false)] {
        let limit = u32::try_from(limit).unwrap();
        let rows = house.store.page_requests(&Query::All, &page(limit)).await.unwrap();
        assert_eq!((rows.rows.len(), rows.next.is_some()), (limit as usize, next));
    }
    // No time at all is still one chunk: every page gets on.
    let hurried = Budget { page: Duration::ZERO, chunk: Duration::ZERO, ..Budget::default() };
    let rows = house.store.page(Kind::Request, &query, &page(10), hurried, pages::requests).await.unwrap();
    assert!(rows.partial && rows.scanned == 16, "{}", rows.scanned);
    let limits = house.store.page_requests(&Query::All, &page(0)).await.unwrap();
    assert_eq!(limits.rows.len(), 100);
}

#[tokio::test]
async fn an_empty_cursor_reads_from_the_other_end() {
    let house = filled(10).await;
    let newest = house.store.page_requests(&Query::All, &page(100)).await.unwrap();
    let first = Page { after: Some(String::new()), ..page(3) };
    let first = house.store.page_requests(&Query::All, &first).await.unwrap();
    let ids: Vec<_> = first.rows.iter().map(|row| row.id.clone()).collect();
    let oldest: Vec<_> = newest.rows.iter().rev().take(3).map(|row| row.id.clone()).collect();
    assert_eq!(ids, oldest);
}

#[tokio::test]
async fn a_cursor_of_another_kind_is_refused() {
    let house = filled(10).await;
    let run = house.store.ids().print(RunId(id_at(START, 1)));
    for cursor in [run.as_str(), "abc", ""] {
        let page = Page { before: Some(cursor.into()), ..page(5) };
        assert_eq!(house.store.page_requests(&Query::All, &page).await.unwrap_err().exit, 2);
    }
}

#[tokio::test]
async fn every_index_that_is_named_is_there_and_usable() {
    let house = filled(60).await;
    let first = house.requests("verdict:duplicate").await[0].duplicate_of.clone().unwrap();
    let group = house.store.groups().await.unwrap()[0].id.clone();
    for (filter, index) in [
        ("verdict:duplicate or verdict:rejected".to_owned(), "request_odd"),
        (format!("duplicate_of:{first} and wax"), "request_dup"),
        ("not verdict:accepted".to_owned(), "request_odd"),
        ("flow:Log".to_owned(), "request_flow"),
        ("integration:shop verdict:duplicate wax".to_owned(), "request_flow"),
        ("status>=400".to_owned(), "request_status"),
        ("status<300".to_owned(), "request"),
    ] {
        let query = house.query(&filter);
        let sources = house.store.look(move |look| sources::request_sources(look, &query)).await.unwrap();
        assert!(sources.iter().any(|source| source.from.ends_with(index)), "{filter}: {sources:?}");
    }
    let request = house.runs("").await[0].request.clone().unwrap();
    for (filter, index) in [
        ("state:errored or state:waiting".to_owned(), "run_odd"),
        ("flow:Log state:succeeded".to_owned(), "run_flow"),
        (format!("group:{group}"), "run_group"),
        (format!("request:{request} -state:queued"), "run_request"),
    ] {
        let query = house.query(&filter);
        let sources = house.store.look(move |look| Ok(sources::run_sources(look, &query))).await.unwrap();
        assert!(sources.iter().any(|source| source.from.ends_with(index)), "{filter}: {sources:?}");
        assert!(house.runs(&filter).await.len() < house.runs("").await.len());
    }
    // A part of a group's name is no group, but a text that several may contain.
    let part = &group[..15];
    assert!(
        house.runs(&format!("group:{part}")).await.len() >= house.runs(&format!("group:{group}")).await.len()
    );
}
