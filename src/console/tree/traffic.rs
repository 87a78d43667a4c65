//! How much a flow is sent, in words.

use super::facts::Times;
use crate::console::format::count;
use crate::console::lines::Line;
use crate::console::theme::Role;
use crate::model::id::short;
use crate::model::traffic::TrafficView;

/// `usual 38 a minute, now 36`.
pub(super) fn rate(traffic: &TrafficView) -> String {
    let now = traffic.minute;
    match traffic.usual_hour {
        Some(hour) if hour >= 60 => {
            format!("usual {} a minute, now {}", count((hour + 30) / 60), count(now))
        }
        Some(0) => format!("usually nothing at this time, now {} a minute", count(now)),
        Some(hour) => format!("usual {} an hour, now {} a minute", count(hour), count(now)),
        None => format!("now {} a minute", count(now)),
    }
}

/// `hits 3.1 %`: how many of the requests that passed the checks were copies.
pub(super) fn hits(traffic: &TrafficView) -> Option<String> {
    let all = traffic.accepted + traffic.duplicates;
    let tenths = (traffic.duplicates.saturating_mul(1_000) + all / 2).checked_div(all)?;
    Some(format!("hits {}.{} %", tenths / 10, tenths % 10))
}

/// The line of the newest request.
pub(super) fn last(traffic: &TrafficView, times: &Times<'_>) -> Line {
    let text = match &traffic.last {
        Some(last) => {
            let at = times.short(&last.time);
            format!("{at} {} {}   {}", last.verdict.word(), short(&last.request), rate(traffic))
        }
        None => format!("no request yet; {}", rate(traffic)),
    };
    Line::label("last", text, Role::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_told_by_the_minute_or_where_it_is_small_by_the_hour() {
        let of = |usual_hour, minute| rate(&TrafficView { minute, usual_hour, ..TrafficView::default() });
        assert_eq!(of(Some(2_280), 36), "usual 38 a minute, now 36");
        assert_eq!(of(Some(59), 1), "usual 59 an hour, now 1 a minute");
        assert_eq!(of(Some(0), 4), "usually nothing at this time, now 4 a minute");
        assert_eq!(of(None, 1_200), "now 1,200 a minute");
    }

    #[test]
    fn hits_are_the_share_of_copies() {
        let of = |accepted, duplicates| hits(&TrafficView { accepted, duplicates, ..TrafficView::default() });
        assert_eq!(of(0, 0), None, "nothing is known of nothing");
        assert_eq!(of(969, 31).as_deref(), Some("hits 3.1 %"));
        assert_eq!((of(5, 0).as_deref(), of(0, 5).as_deref()), (Some("hits 0.0 %"), Some("hits 100.0 %")));
    }
}
