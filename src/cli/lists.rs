//! Lists: `ls`, paged and followed.

use super::args::{Few, IntegrationsCommand, List, Output};
use super::details::describe;
use super::door::Door;
use super::output::{self, Rows};
use super::verbs::unexpected;
use super::{documents, versions};
use crate::model::ask::{self, Answer, Ask, Page, Refusal};
use crate::model::gate::PauseView;
use crate::model::id::short;
use crate::model::view::{AuditView, CallbackView, IntegrationView, RequestView, RunView};
use crate::rules::{overview, redelivery};
use serde::Serialize;
use std::cell::Cell;
use std::time::Duration;

/// Rows of one question to the desk.
const PAGE: u32 = 500;
/// Requests among which redeliveries are folded, at most.
const FOLDED: u32 = 100_000;

/// A list that pages: how it is asked for, and how its answer is taken apart.
struct Paged<T> {
    ask: fn(Page) -> Ask,
    take: fn(Answer) -> Option<ask::Rows<T>>,
    id: fn(&T) -> &str,
    cells: fn(&T) -> Vec<String>,
    columns: &'static [(&'static str, usize)],
    empty: &'static str,
}

async fn list<T: Serialize>(door: &Door, args: List, output: Output, paged: Paged<T>) -> Result<u8, Refusal> {
    let filter = args.filter.join(" ");
    if args.follow && output == Output::Json {
        return Err(Refusal::usage("--follow never ends an array: use --output jsonl"));
    }
    let mut out = Rows::new(output, paged.columns);
    let mut newest: Option<String> = None;
    let mut held = Vec::new();
    let searched = Cell::new(None);
    let reading = newest_first(door, &filter, args.limit, &paged, &searched, |row| {
        newest.get_or_insert_with(|| (paged.id)(&row).to_owned());
        if args.follow {
            held.push(row);
            return Ok(());
        }
        out.row(&row, || (paged.cells)(&row))
    });
    let read = tokio::select! {
        biased;
        read = reading => Some(read?),
        _ = tokio::signal::ctrl_c() => None,
    };
    let Some(more) = read else {
        if let Some(percent) = searched.get() {
            super::tell(&format!("interrupted: {percent} % was searched"));
        }
        out.cut()?;
        return Ok(130);
    };
    if !args.follow {
        out.end(paged.empty)?;
        if more && output == Output::Text {
            super::tell(&format!(
                "the newest {}; --limit 0 shows all",
                crate::text::count(args.limit.into())
            ));
        }
        return Ok(0);
    }
    for row in held.iter().rev() {
        out.row(row, || (paged.cells)(row))?;
    }
    follow(door, &filter, newest, &mut out, &paged).await
}

/// Reads rows page by page, newest first, up to a limit; 0 is all. `searched` says how far a search
/// came that takes longer, in percent. Whether there may be more.
async fn newest_first<T>(
    door: &Door,
    filter: &str,
    limit: u32,
    paged: &Paged<T>,
    searched: &Cell<Option<u8>>,
    mut each: impl FnMut(T) -> Result<(), Refusal>,
) -> Result<bool, Refusal> {
    let mut before = None;
    let mut left = if limit == 0 { u64::MAX } else { u64::from(limit) };
    while left > 0 {
        let limit = u32::try_from(left.min(u64::from(PAGE))).unwrap_or(PAGE);
        let page = Page { filter: filter.to_owned(), before: before.take(), limit, ..Page::default() };
        let rows = (paged.take)(door.ask((paged.ask)(page)).await?).ok_or_else(unexpected)?;
        searched.set(rows.percent.or(searched.get()));
        left = left.saturating_sub(rows.rows.len() as u64);
        rows.rows.into_iter().try_for_each(&mut each)?;
        match rows.next {
            Some(next) => before = Some(next),
            None => return Ok(false),
        }
    }
    Ok(true)
}

/// Goes on with what comes. A filter over all rows can look at many that do not match, so the
/// place is what was looked at and not what was found.
async fn follow<T: Serialize>(
    door: &Door,
    filter: &str,
    mut after: Option<String>,
    out: &mut Rows,
    paged: &Paged<T>,
) -> Result<u8, Refusal> {
    loop {
        let mut came = false;
        if let Some(from) = &after {
            let page =
                Page { filter: filter.to_owned(), after: Some(from.clone()), limit: PAGE, ..Page::default() };
            let rows = (paged.take)(door.ask((paged.ask)(page)).await?).ok_or_else(unexpected)?;
            for row in &rows.rows {
                came = true;
                out.row(row, || (paged.cells)(row))?;
                after = Some((paged.id)(row).to_owned());
            }
            if let Some(next) = rows.next {
                after = Some(next);
            }
        } else {
            let page = Page { filter: filter.to_owned(), limit: PAGE, ..Page::default() };
            let rows = (paged.take)(door.ask((paged.ask)(page)).await?).ok_or_else(unexpected)?;
            for row in rows.rows.iter().rev() {
                came = true;
                out.row(row, || (paged.cells)(row))?;
                after = Some((paged.id)(row).to_owned());
            }
        }
        if !came {
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}

/// Time of day of an RFC 3339 time, in UTC.
pub fn clock(time: &str) -> String {
    time.get(..19).unwrap_or(time).replace('T', " ")
}

fn paged_requests() -> Paged<RequestView> {
    Paged {
        ask: Ask::Requests,
        take: |answer| match answer {
            Answer::Requests(rows) => Some(rows),
            _ => None,
        },
        id: |row| &row.id,
        cells: |row| {
            vec![
                clock(&row.time),
                row.verdict.word().to_owned(),
                row.status.map_or_else(String::new, |status| status.to_string()),
                format!("{} / {}", row.integration, row.flow),
                crate::text::size_kept(row.size, row.is_cut(), crate::text::size),
                short(&row.id).to_owned(),
                row.what.clone(),
            ]
        },
        columns: &[
            ("TIME (UTC)", 19),
            ("VERDICT", 9),
            ("STATUS", 6),
            ("FLOW", 28),
            ("SIZE", 8),
            ("ID", 6),
            ("WHAT", 0),
        ],
        empty: "No request matches.",
    }
}

/// `requests ls`.
pub async fn requests(door: &Door, args: List, output: Output) -> Result<u8, Refusal> {
    let filter = args.filter.join(" ");
    let looked_for = matches!(filter.trim(), "" | "verdict:rejected") && !args.follow;
    let done = list(door, args, output, paged_requests()).await?;
    if looked_for && output == Output::Text {
        rowless(door).await?;
    }
    Ok(done)
}

/// Says of how many refusals there is no row, where the rows were listed that they would be among.
async fn rowless(door: &Door) -> Result<(), Refusal> {
    let Answer::Counters(counters) = door.ask(Ask::Counters).await? else { return Err(unexpected()) };
    if let Some(told) = overview::rowless(counters.only_counted) {
        super::tell(&format!(
            "{told}: refused requests that came faster than they are kept, or while the store took nothing"
        ));
    }
    Ok(())
}

/// A request, and how often its provider sent it.
#[derive(Serialize)]
struct Delivered {
    #[serde(flatten)]
    view: RequestView,
    deliveries: u64,
}

/// `requests ls --fold`: of what a provider sent again the newest, and how often it came among the
/// requests that the limit has.
pub async fn deliveries(door: &Door, args: List, output: Output) -> Result<u8, Refusal> {
    if !(1..=FOLDED).contains(&args.limit) {
        return Err(Refusal::usage(format!("--fold looks at what --limit says: 1 to {FOLDED} requests")));
    }
    let paged = paged_requests();
    let mut rows = Vec::new();
    newest_first(door, &args.filter.join(" "), args.limit, &paged, &Cell::new(None), |view| {
        rows.push(Delivered { view, deliveries: 1 });
        Ok(())
    })
    .await?;
    let delivery = |row: &Delivered| Some((row.view.endpoint.clone(), row.view.delivery.clone()?));
    let folded =
        redelivery::fold(rows.into_iter(), delivery, |newest, row| newest.deliveries += row.deliveries);
    let columns: Vec<_> = [("TIMES", 5)].iter().chain(paged.columns).copied().collect();
    let mut out = Rows::new(output, &columns);
    for row in &folded {
        out.row(row, || {
            let times = if row.deliveries > 1 { format!("×{}", row.deliveries) } else { String::new() };
            [times].into_iter().chain((paged.cells)(&row.view)).collect()
        })?;
    }
    out.end(paged.empty)?;
    Ok(0)
}

/// `runs ls`.
pub async fn runs(door: &Door, args: List, output: Output) -> Result<u8, Refusal> {
    let paged = Paged::<RunView> {
        ask: Ask::Runs,
        take: |answer| match answer {
            Answer::Runs(rows) => Some(rows),
            _ => None,
        },
        id: |row| &row.id,
        cells: |row| {
            vec![
                row.started.as_deref().map_or_else(String::new, clock),
                row.state.word().to_owned(),
                format!("{} / {}", row.integration, row.flow),
                format!("v{}", row.version),
                short(&row.id).to_owned(),
                row.request.as_deref().map_or_else(String::new, |id| short(id).to_owned()),
                row.cause.clone().unwrap_or_default(),
            ]
        },
        columns: &[
            ("STARTED (UTC)", 19),
            ("STATE", 20),
            ("FLOW", 28),
            ("VER", 4),
            ("ID", 6),
            ("REQUEST", 7),
            ("CAUSE", 0),
        ],
        empty: "No run matches.",
    };
    list(door, args, output, paged).await
}

/// `callbacks ls`.
pub async fn callbacks(door: &Door, args: List, output: Output) -> Result<u8, Refusal> {
    let paged = Paged::<CallbackView> {
        ask: Ask::Callbacks,
        take: |answer| match answer {
            Answer::Callbacks(rows) => Some(rows),
            _ => None,
        },
        id: |row| &row.id,
        cells: |row| {
            vec![
                clock(&row.created),
                row.state.word().to_owned(),
                clock(&row.deadline),
                format!("{} / {}", row.integration, row.flow),
                row.step.clone(),
                short(&row.run).to_owned(),
                short(&row.id).to_owned(),
            ]
        },
        columns: &[
            ("CREATED (UTC)", 19),
            ("STATE", 9),
            ("DEADLINE (UTC)", 19),
            ("FLOW", 28),
            ("STEP", 14),
            ("RUN", 6),
            ("ID", 6),
        ],
        empty: "No callback matches.",
    };
    list(door, args, output, paged).await
}

/// `audit ls`.
pub async fn audit(door: &Door, args: List, output: Output) -> Result<u8, Refusal> {
    let paged = Paged::<AuditView> {
        ask: Ask::Audit,
        take: |answer| match answer {
            Answer::Audit(rows) => Some(rows),
            _ => None,
        },
        id: |row| &row.id,
        cells: |row| {
            vec![
                clock(&row.at),
                row.who.clone(),
                row.verb.clone(),
                row.target.clone(),
                row.reason.clone().unwrap_or_default(),
                row.detail.clone(),
            ]
        },
        columns: &[("AT (UTC)", 19), ("WHO", 12), ("VERB", 8), ("TARGET", 28), ("REASON", 24), ("DETAIL", 0)],
        empty: "Nobody did anything yet.",
    };
    list(door, args, output, paged).await
}

/// `groups ls`.
pub async fn groups(door: &Door, few: Few, output: Output) -> Result<u8, Refusal> {
    let Answer::Groups { mut groups } = door.ask(Ask::Groups).await? else { return Err(unexpected()) };
    groups.sort_by(|one, other| other.last.cmp(&one.last));
    let columns = [("COUNT", 7), ("FLOW", 28), ("STEP", 14), ("LAST (UTC)", 19), ("ID", 16), ("CAUSE", 0)];
    let mut out = Rows::new(output, &columns).at_most(few.limit);
    for group in &groups {
        out.row(group, || {
            vec![
                group.count.to_string(),
                format!("{} / {}", group.integration, group.flow),
                group.step.clone(),
                clock(&group.last),
                group.id.clone(),
                group.cause.clone(),
            ]
        })?;
    }
    out.end("No errored run.")?;
    Ok(0)
}

/// `endpoints ls`.
pub async fn endpoints(door: &Door, few: Few, output: Output) -> Result<u8, Refusal> {
    let Answer::Endpoints { endpoints } = door.ask(Ask::Endpoints).await? else { return Err(unexpected()) };
    let mut out = Rows::new(
        output,
        &[("FLOW", 34), ("AUTH", 10), ("METHODS", 22), ("ALIAS", 16), ("STATE", 8), ("URL", 0)],
    )
    .at_most(few.limit);
    for endpoint in &endpoints {
        out.row(endpoint, || {
            vec![
                format!("{} / {}", endpoint.integration, endpoint.flow),
                endpoint.auth.clone(),
                endpoint.methods.join(" "),
                endpoint.path.clone().unwrap_or_default(),
                endpoint.paused.as_ref().map_or("open", PauseView::word).to_owned(),
                endpoint.url.clone(),
            ]
        })?;
    }
    out.end("No endpoint yet: pointsman apply a document.")?;
    Ok(0)
}

/// Whether an integration is paused, what its deploy came to where that went wrong, or how many of its
/// flows are paused.
fn state(one: &IntegrationView) -> String {
    let flows = one.flows.iter().filter(|flow| flow.paused.is_some()).count();
    let deploys = one.flows.iter().filter(|flow| flow.trigger == "deploy");
    let bad = deploys.filter_map(|flow| flow.last_run.as_ref()).find(|run| run.bad());
    match (&one.paused, bad, flows) {
        (Some(pause), _, _) => pause.word().to_owned(),
        (None, Some(run), _) => format!("deploy {}", run.state.word()),
        (None, None, 0) => "open".to_owned(),
        (None, None, paused) => format!("{paused} paused"),
    }
}

/// `integrations ls` and `show`.
pub async fn integrations(door: &Door, command: IntegrationsCommand, output: Output) -> Result<u8, Refusal> {
    let few = match command {
        IntegrationsCommand::Ls(few) => few,
        IntegrationsCommand::Show { name } => {
            let Answer::Integrations { integrations } = door.ask(Ask::Integration { name }).await? else {
                return Err(unexpected());
            };
            let one = integrations.first().ok_or_else(unexpected)?;
            match output {
                Output::Text => output::write(&describe(one))?,
                _ => output::object(one, output)?,
            }
            return Ok(0);
        }
        IntegrationsCommand::History { name, limit } => {
            return versions::history(door, name, limit, output).await;
        }
        IntegrationsCommand::Diff { name, from, to } => {
            return versions::diff(door, name, from, to, output).await;
        }
        IntegrationsCommand::Rollback { name, version, verb } => {
            return versions::rollback(door, name, version, verb).await;
        }
        IntegrationsCommand::Pause { target, hold, lasts, verb } => {
            return documents::pause(door, target, hold, lasts.as_deref(), verb).await;
        }
        IntegrationsCommand::Resume { target, verb } => {
            return documents::resume(door, target, verb).await;
        }
    };
    let Answer::Integrations { integrations } = door.ask(Ask::Integrations).await? else {
        return Err(unexpected());
    };
    let mut out = Rows::new(
        output,
        &[("NAME", 24), ("LIVE", 5), ("DRAFT", 5), ("FLOWS", 5), ("STATE", 14), ("TITLE", 0)],
    )
    .at_most(few.limit);
    for one in &integrations {
        let version =
            |version: Option<u32>| version.map_or_else(|| "–".to_owned(), |number| format!("v{number}"));
        out.row(one, || {
            vec![
                one.name.clone(),
                version(one.deployed),
                version(one.draft),
                one.flows.len().to_string(),
                state(one),
                one.title.clone(),
            ]
        })?;
    }
    out.end("No integration yet: pointsman new NAME prints one to start from.")?;
    Ok(0)
}
