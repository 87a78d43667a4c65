//! Filters of lists that begin with a dash, which the parser of flags would take for one.

use std::ffi::OsString;

/// In a list `-verdict:accepted` is a filter and not a flag: a space before it says so, which the
/// filter language passes over. The program's own flags are `-h`, `-V`, and those of two dashes.
pub fn filters(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<OsString> = args.collect();
    let listed = ["requests", "runs", "callbacks", "audit"];
    let list = args
        .windows(2)
        .position(|pair| pair[1] == "ls" && pair[0].to_str().is_some_and(|group| listed.contains(&group)));
    let Some(list) = list else { return args };
    for arg in args.iter_mut().skip(list + 2) {
        let is = arg
            .to_str()
            .is_some_and(|text| text.len() > 2 && text.starts_with('-') && !text.starts_with("--"));
        if is {
            let mut spaced = OsString::from(" ");
            spaced.push(&*arg);
            *arg = spaced;
        }
    }
    args
}

#[cfg(test)]
mod tests {
    use super::super::{Args, Command, RequestsCommand, RunsCommand};
    use super::*;
    use clap::Parser as _;

    fn parsed(text: &str) -> Result<Command, clap::Error> {
        let args = filters(text.split('|').map(OsString::from));
        Args::try_parse_from(args).map(|args| args.command.unwrap())
    }

    #[test]
    fn a_filter_may_begin_with_a_dash_and_flags_stay_flags() {
        let found = parsed("p|requests|ls|--limit|5|-verdict:accepted|since:1h|-(a or b)|--output|json");
        let Ok(Command::Requests { command: RequestsCommand::Ls { list, .. } }) = found else {
            panic!("{found:?}")
        };
        assert_eq!(list.filter, [" -verdict:accepted", "since:1h", " -(a or b)"]);
        assert_eq!(list.limit, 5);
        let found = parsed("p|runs|abort|--filter|-state:errored|--dry-run");
        let Ok(Command::Runs { command: RunsCommand::Abort(targets) }) = found else { panic!("{found:?}") };
        assert_eq!((targets.filter.as_deref(), targets.verb.dry_run), (Some("-state:errored"), true));
        assert_eq!(parsed("p|runs|ls|-h").unwrap_err().kind(), clap::error::ErrorKind::DisplayHelp);
        assert!(parsed("p|runs|ls|--nope").is_err());
        assert!(parsed("p|runs|abort|-x").is_err());
    }
}
