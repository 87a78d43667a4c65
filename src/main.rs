//! Arguments become a configuration, the configuration one of the programs; the only exit.

fn main() {}
