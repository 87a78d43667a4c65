use super::*;
use crate::model::time::{DAY, HOUR, rfc3339};
use proptest::prelude::*;

fn ms(text: &str) -> Ms {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

fn cron(expression: &str, zone: &str) -> Rule {
    Rule::new(&Schedule::Cron { expression: expression.into(), zone: zone.into() }).unwrap()
}

/// The next ticks, as the clock on the wall shows them, with the offset.
fn ticks(expression: &str, zone_name: &str, from: &str, n: usize) -> Vec<String> {
    let rule = cron(expression, zone_name);
    let zone = zone(zone_name).unwrap();
    let show = |at: Ms| {
        let at = Timestamp::from_millisecond(at).unwrap().to_zoned(zone.clone());
        at.strftime("%m-%d %H:%M%z").to_string()
    };
    rule.ticks(rule.after(ms(from)), n).into_iter().map(show).collect()
}

fn wrong(expression: &str) -> String {
    Rule::new(&Schedule::Cron { expression: expression.into(), zone: "UTC".into() }).unwrap_err()
}

#[test]
fn every_counts_from_where_it_began() {
    let rule = Rule::new(&Schedule::Every(900)).unwrap();
    assert_eq!(rule.after(1_000), 1_900);
    assert_eq!(rule.ticks(1_900, 3), [1_900, 2_800, 3_700]);
    assert_eq!(rule.due(1_900, 1_899), None);
    assert_eq!(rule.due(1_900, 1_900), Some(Tick { at: 1_900, missed: 0, next: 2_800 }));
    assert_eq!(rule.due(1_900, 4_000), Some(Tick { at: 3_700, missed: 2, next: 4_600 }));
    assert_eq!(rule.due(0, Ms::MAX / 2).unwrap().missed, MOST_MISSED);
}

#[test]
fn fields_are_lists_ranges_steps_and_names() {
    assert_eq!(
        ticks("0 6 * * *", "UTC", "2026-01-01T06:00:00Z", 2),
        ["01-02 06:00+0000", "01-03 06:00+0000"]
    );
    assert_eq!(
        ticks("5,35 8-10/2 * * mon-FRI", "UTC", "2026-01-02T10:30:00Z", 3),
        ["01-02 10:35+0000", "01-05 08:05+0000", "01-05 08:35+0000"]
    );
    assert_eq!(
        ticks("*/20 23 31 Jan,dec *", "UTC", "2026-01-31T23:20:00Z", 3),
        ["01-31 23:40+0000", "12-31 23:00+0000", "12-31 23:20+0000"]
    );
    // Sunday is 0 and 7.
    for sunday in ["0", "7", "sun", "6-7"] {
        let days = ticks(&format!("0 0 * * {sunday}"), "UTC", "2026-01-03T12:00:00Z", 1);
        assert_eq!(days, ["01-04 00:00+0000"], "{sunday}");
    }
    // Both days: one of them is enough.
    assert_eq!(
        ticks("0 0 13 * 5", "UTC", "2026-01-08T00:00:00Z", 3),
        ["01-09 00:00+0000", "01-13 00:00+0000", "01-16 00:00+0000"]
    );
    assert_eq!(ticks("0 0 29 2 *", "UTC", "2097-01-01T00:00:00Z", 1), ["02-29 00:00+0000"]);
}

#[test]
fn what_is_no_cron_is_told_by_its_field() {
    for (bad, says) in [
        ("0 6 * *", "has 4 fields: write five"),
        ("0 0 6 * * *", "has 6 fields"),
        ("@daily", "has 1 field:"),
        ("60 6 * * *", "the minute \"60\" of cron is not possible: write 0 to 59"),
        ("0 25 * * *", "the hour \"25\""),
        ("0 0 0 * *", "the day \"0\""),
        ("0 0 * foo *", "the month \"foo\" of cron is not possible: write 1 to 12 or jan to dec"),
        ("0 0 * * 8", "the weekday \"8\" of cron is not possible: write 0 to 7 or sun to sat"),
        ("0 0 * * fri-mon", "goes backwards"),
        ("5/10 * * * *", "write \"*/10\" or \"5-59/10\""),
        ("*/0 * * * *", "has no step"),
        ("*/ * * * *", "has no step"),
        (", * * * *", "the minute"),
        ("+5 * * * *", "the minute \"+5\""),
        ("0 0 L * *", "the day \"L\""),
        ("0 0 * * 5#3", "the weekday \"5#3\""),
    ] {
        let message = wrong(bad);
        assert!(message.contains(says), "{bad}: {message}");
    }
    assert_eq!(cron("0 0 31 2 *", "UTC").after(0), Ms::MAX);
    assert_eq!(cron("* * 30 feb *", "UTC").after(0), Ms::MAX);
    assert!(zone("europe/berlin").is_some() && zone("Europe/Berlim").is_none());
    assert!(zones().iter().any(|name| name == "America/New_York"));
}

#[test]
fn a_time_that_the_clock_leaves_out_comes_at_the_end_of_the_gap_once() {
    // 29 March 2026: 02:00 is 03:00.
    assert_eq!(
        ticks("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3),
        ["03-28 02:30+0100", "03-29 03:00+0200", "03-30 02:30+0200"]
    );
    assert_eq!(
        ticks("0,30 2,3 29 3 *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3),
        ["03-29 03:00+0200", "03-29 03:30+0200", "03-29 02:00+0200"]
    );
    // A whole day that Samoa left out.
    assert_eq!(
        ticks("0 6 * * *", "Pacific/Apia", "2011-12-29T10:00:00Z", 3),
        ["12-29 06:00-1000", "12-31 00:00+1400", "12-31 06:00+1400"]
    );
}

#[test]
fn a_time_that_comes_twice_ticks_in_the_first_hour_only() {
    // 25 October 2026: 03:00 is 02:00.
    assert_eq!(
        ticks("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
        ["10-25 02:30+0200", "10-26 02:30+0100"]
    );
    assert_eq!(
        ticks("30 1 * * *", "America/New_York", "2026-11-01T00:00:00Z", 2),
        ["11-01 01:30-0400", "11-02 01:30-0500"]
    );
}

#[test]
fn stars_follow_the_clock() {
    assert_eq!(
        ticks("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:15:00Z", 3),
        ["03-29 01:30+0100", "03-29 03:00+0200", "03-29 03:30+0200"]
    );
    assert_eq!(
        ticks("30 * * * *", "Europe/Berlin", "2026-10-24T23:45:00Z", 4),
        ["10-25 02:30+0200", "10-25 02:30+0100", "10-25 03:30+0100", "10-25 04:30+0100"]
    );
    // Half an hour of daylight saving.
    assert_eq!(
        ticks("0 * * * *", "Australia/Lord_Howe", "2026-04-04T13:30:00Z", 3),
        ["04-05 01:00+1100", "04-05 02:00+1030", "04-05 03:00+1030"]
    );
    assert_eq!(
        ticks("*/15 2 * * *", "Europe/Berlin", "2026-03-28T02:00:00Z", 1),
        ["03-30 02:00+0200"],
        "none in the gap"
    );
}

#[test]
fn the_last_of_the_missed_is_made_up_and_the_others_are_counted() {
    let rule = cron("0 6 * * *", "UTC");
    let next = ms("2026-01-01T06:00:00Z");
    let due = rule.due(next, ms("2026-01-04T09:00:00Z")).unwrap();
    assert_eq!((rfc3339(due.at), due.missed), ("2026-01-04T06:00:00.000Z".into(), 3));
    assert_eq!(due.next, ms("2026-01-05T06:00:00Z"));
    let often = cron("* * * * *", "UTC");
    let due = often.due(next, next + 400 * DAY).unwrap();
    assert_eq!((due.at, due.missed, due.next), (next + 400 * DAY, MOST_MISSED, next + 400 * DAY + 60_000));
    // Quiet for months.
    let seldom = cron("0 0 1 1 *", "UTC");
    let due = seldom.due(ms("2026-01-01T00:00:00Z"), ms("2028-10-01T00:00:00Z")).unwrap();
    assert_eq!((due.at, due.missed), (ms("2028-01-01T00:00:00Z"), 2));
}

#[test]
fn a_held_flow_waits_and_a_paused_one_lets_its_ticks_pass() {
    let rule = Rule::new(&Schedule::Every(HOUR)).unwrap();
    let pause = |until, hold| Pause { since: 0, until, hold };
    let now = 5 * HOUR + 1;
    assert_eq!(rule.judge(now + 1, now, &[]), Verdict::Wait);
    assert_eq!(rule.judge(HOUR, now, &[]), Verdict::Run(Tick { at: 5 * HOUR, missed: 4, next: 6 * HOUR }));
    assert_eq!(rule.judge(HOUR, now, &[pause(None, true)]), Verdict::Wait);
    assert_eq!(rule.judge(HOUR, now, &[pause(None, false)]), Verdict::Skip(6 * HOUR));
    assert_eq!(rule.judge(HOUR, now, &[pause(None, false), pause(None, true)]), Verdict::Skip(6 * HOUR));
    // A pause that has ended took the ticks with it that fell into it.
    assert_eq!(
        rule.judge(HOUR, now, &[pause(Some(4 * HOUR + 1), false)]),
        Verdict::Run(Tick { at: 5 * HOUR, missed: 0, next: 6 * HOUR })
    );
    assert_eq!(rule.judge(HOUR, now, &[pause(Some(now), false)]), Verdict::Skip(6 * HOUR));
    // A hold that has ended did not.
    assert_eq!(
        rule.judge(HOUR, now, &[pause(Some(now), true)]),
        Verdict::Run(Tick { at: 5 * HOUR, missed: 4, next: 6 * HOUR })
    );
}

proptest! {
    #[test]
    fn ticks_only_go_forward_and_each_is_found_from_any_moment_before_it(
        minute in prop::sample::select(vec!["0", "30", "*/7", "*", "15,45"]),
        hour in prop::sample::select(vec!["*", "2", "1-3", "*/5", "0,23"]),
        day in prop::sample::select(vec!["*", "1", "28-31", "*/2"]),
        weekday in prop::sample::select(vec!["*", "sun", "1-5"]),
        zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
        start in 1_700_000_000_000i64..1_900_000_000_000,
        back in 1i64..60_000,
    ) {
        let rule = cron(&format!("{minute} {hour} {day} * {weekday}"), zone);
        let mut before = start;
        for _ in 0..20 {
            let tick = rule.after(before);
            prop_assert!(tick > before && tick % 60_000 == 0);
            let near = (tick - back).max(before);
            prop_assert_eq!(rule.after(near), tick);
            prop_assert_eq!(rule.due(tick, tick), Some(Tick { at: tick, missed: 0, next: rule.after(tick) }));
            before = tick;
        }
    }
}
