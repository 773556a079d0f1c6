//! Runs the program as its users do.
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tokio::runtime::{Handle, RuntimeFlavor};

pub fn flawless(folder: &Path, arguments: &[&str]) -> Output {
    flawless_with_input(folder, arguments, "")
}

pub fn flawless_with_input(folder: &Path, arguments: &[&str], input: &str) -> Output {
    flawless_with_bytes(folder, arguments, input.as_bytes())
}

pub fn flawless_with_bytes(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    // A server in this runtime would be blocked meanwhile, perhaps with the database locked.
    let runtime = Handle::try_current().map(|handle| handle.runtime_flavor());
    assert!(runtime.is_err() || runtime.is_ok_and(|it| it == RuntimeFlavor::MultiThread));
    let mut child = Command::new(env!("CARGO_BIN_EXE_flawless"))
        .args(arguments)
        .current_dir(folder)
        .env("HOME", folder)
        .env_remove("XDG_DATA_HOME")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    // A command that does not read its input may have ended already.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    child.wait_with_output().expect("it ends")
}

pub fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
