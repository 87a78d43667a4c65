//! Arguments become settings, settings one of the programs; the only exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(pointsman::cli::main())
}
