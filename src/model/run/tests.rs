use super::*;

#[test]
fn a_body_is_kept_whole_up_to_the_bound_and_cut_past_it() {
    let whole = vec![b'a'; KEPT];
    assert_eq!(keep(&whole), ("a".repeat(KEPT), false));
    let over = vec![b'a'; KEPT + 1];
    assert_eq!(keep(&over), ("a".repeat(KEPT), true));
    let mut split = vec![b'a'; KEPT - 1];
    split.extend_from_slice("é".as_bytes());
    assert_eq!(keep(&split), ("a".repeat(KEPT - 1), true));
    let (text, cut) = keep(&vec![0xff; KEPT]);
    assert!(text.len() <= KEPT && cut);
    assert_eq!(keep(b"a\xffb"), ("a\u{fffd}b".to_owned(), false));
}
