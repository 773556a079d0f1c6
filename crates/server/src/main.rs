//! The program `flawless`.
use std::process::ExitCode;

fn main() -> ExitCode {
    flawless_server::cli::run(std::env::args_os())
}
