//! `retry`: what is written of it, and what is left out.

use super::*;

#[test]
fn without_a_table_it_is_as_documented() {
    let retry = exchange("").retry;
    assert_eq!(
        (retry.attempts, retry.delay, retry.exponential, retry.max_delay, retry.written),
        (2, 1_000, true, 3_600_000, false)
    );
}

#[test]
fn without_attempts_it_says_when_and_not_how_often() {
    for written in
        ["retry = { delay = \"2s\" }", "retry = { backoff = \"fixed\", max_delay = \"5s\" }", "retry = {}"]
    {
        let retry = exchange(written).retry;
        assert_eq!((retry.attempts, retry.written), (2, false), "{written}");
    }
    let retry = exchange("retry = { attempts = 3 }").retry;
    assert_eq!((retry.attempts, retry.written), (3, true));
}
