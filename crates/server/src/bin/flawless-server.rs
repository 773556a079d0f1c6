//! The program `flawless` under its name in the Python wheel (`python/server`), where `flawless` is
//! the client's script, which runs this.
use std::process::ExitCode;

fn main() -> ExitCode {
    flawless_server::cli::run(std::env::args_os())
}
