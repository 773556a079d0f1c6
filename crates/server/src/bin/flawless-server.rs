//! The program `flawless` by the name that it has in a Python wheel (`python/server`): there
//! `flawless` is the client's script, which runs this.
use std::process::ExitCode;

fn main() -> ExitCode {
    flawless_server::cli::run(std::env::args_os())
}
