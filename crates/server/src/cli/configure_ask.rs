//! The questions of `flawless configure`: each is repeated until its answer is usable.
use std::io::IsTerminal;
use std::net::ToSocketAddrs;
use std::path::Path;

use anyhow::bail;

use super::print;
use crate::config::{Config, RawConfig, find_option, with_port};

/// Asks questions and puts the answers into a configuration.
pub(super) struct Questionnaire<'a> {
    pub(super) raw: &'a mut RawConfig,
}

/// The answer that clears an option.
const NOTHING: &str = "-";

impl Questionnaire<'_> {
    /// Asks until the option has a valid value, a new or a kept one.
    pub(super) fn ask(&mut self, option: &str, question: &str) -> anyhow::Result<()> {
        let before = self.raw.get(option).map(str::to_owned);
        let definition = find_option(option);
        let is_secret = definition.is_some_and(|definition| definition.secret);
        let twin = format!("{option}_file");
        let shown = match (&before, self.raw.get(&twin)) {
            (Some(_), _) if is_secret => "unchanged".to_owned(),
            (None, Some(file)) => format!("in {file}"),
            (Some(value), _) => value.replace('\n', " "),
            (None, None) => definition.map(|option| option.default).unwrap_or_default().to_owned(),
        };
        loop {
            let answer = read_answer(&format!("{question} [{shown}]: "), is_secret)?;
            match answer.as_str() {
                "" => self.set(option, before.as_deref().unwrap_or_default())?,
                NOTHING => self.set(option, "")?,
                answer => self.set(option, &self.completed(option, answer))?,
            }
            if is_secret && !answer.is_empty() {
                self.set(&twin, "")?;
            }
            let is_new = !answer.is_empty() || before.is_none();
            match self.problem(option, is_new) {
                None => return Ok(()),
                Some(problem) => say!("  PROBLEM: {problem}"),
            }
        }
    }

    /// Adds the port of the pages to a `hostname` that has none.
    fn completed(&self, option: &str, answer: &str) -> String {
        let port =
            self.port("http_port").filter(|_| option == "hostname" && without_scheme(answer));
        match port.and_then(|port| with_port(answer, port)) {
            Some(url) => {
                say!("  ok: {url}");
                url
            }
            None => answer.to_owned(),
        }
    }

    /// What is wrong with this option, if anything. A kept value is not tested on the system: a
    /// running server occupies its own ports.
    fn problem(&self, option: &str, is_new: bool) -> Option<String> {
        let value = self.raw.get(option).or(find_option(option).map(|option| option.default))?;
        let mut only = RawConfig::default();
        only.path.clone_from(&self.raw.path);
        // It has no default without a home, which is not the fault of this answer.
        only.set_argument("data_dir_path=/").ok()?;
        only.set_argument(&format!("{option}={value}")).ok()?;
        // The password is asked for next.
        if option != "smtp_user"
            && let Err(error) = Config::resolve(&only)
        {
            return Some(format!("{}. {}", error.problem, error.hint));
        }
        if !is_new {
            return None;
        }
        match option {
            "port" | "http_port" => self.port_problem(option),
            "hostname" => unknown_name(value),
            "data_dir_path" => {
                no_folder(value).or_else(|| unwritable(&Config::resolve(self.raw).ok()?.data_dir))
            }
            "repo_dir" => no_folder(value),
            _ => None,
        }
    }

    fn port_problem(&self, option: &str) -> Option<String> {
        let port = self.port(option)?;
        if option == "http_port" && self.port("port") == Some(port) {
            return Some(format!("port {port} is the port for reports. Choose another one."));
        }
        let error = std::net::TcpListener::bind(("127.0.0.1", port)).err()?;
        Some(format!("port {port} cannot be used: {error}. Choose another one."))
    }

    /// A port of the configuration as far as it is known before the start.
    fn port(&self, option: &str) -> Option<u16> {
        let default = find_option(option).map(|option| option.default);
        self.raw.get(option).or(default)?.parse().ok().filter(|port| *port != 0)
    }

    /// Sets an option, unless it has this value already.
    pub(super) fn set(&mut self, option: &str, value: &str) -> anyhow::Result<()> {
        if self.raw.get(option).unwrap_or_default() == value {
            return Ok(());
        }
        Ok(self.raw.set_argument(&format!("{option}={value}"))?)
    }

    /// Asks until the answer is yes or no.
    pub(super) fn yes(&self, question: &str, default: bool) -> anyhow::Result<bool> {
        let shown = if default { "y" } else { "n" };
        loop {
            let answer = read_answer(&format!("{question}, y or n [{shown}]? "), false)?;
            match answer.to_ascii_lowercase().as_str() {
                "" => return Ok(default),
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => say!("  Type y or n."),
            }
        }
    }
}

/// Whether an address was typed as a bare name.
pub(super) fn without_scheme(text: &str) -> bool {
    !text.contains("://")
}

/// Why a text is hardly meant as a folder, but answers another question.
fn no_folder(text: &str) -> Option<String> {
    let is_path = text.starts_with(['/', '.', '~']);
    let is_other = matches!(text.to_ascii_lowercase().as_str(), "y" | "n" | "yes" | "no")
        || text.bytes().all(|byte| byte.is_ascii_digit())
        || text.contains(|c: char| c.is_whitespace() || ":@?*!\"'<>|;&$\\".contains(c));
    let is_nonsense = text.contains(char::is_control) || text.contains("://");
    let problem = format!("{text:?} is not a folder. Write its path, like /var/lib/flawless.");
    (!text.is_empty() && (is_nonsense || (is_other && !is_path))).then_some(problem)
}

/// Why nobody will reach an address whose name is a single word that does not resolve.
fn unknown_name(text: &str) -> Option<String> {
    let name = text.split('/').next().unwrap_or_default();
    let name = name.rsplit_once(':').map_or(name, |(name, _)| name);
    let is_word = !text.is_empty() && without_scheme(text) && !name.contains(['.', ':']);
    let is_unknown = || (name, 80_u16).to_socket_addrs().is_err();
    let hint = "Write the full name, like flawless.example.com, or a URL.";
    (is_word && is_unknown()).then(|| format!("no machine is known as {name:?}. {hint}"))
}

/// Why a folder cannot be written to or created. The folder itself is left as it is.
pub(super) fn unwritable(folder: &Path) -> Option<String> {
    // Missing folders are created in the nearest one that exists.
    let there = folder.ancestors().find(|part| part.symlink_metadata().is_ok())?;
    let tried = tempfile::Builder::new().prefix(".flawless").tempfile_in(there);
    let error = tried.err()?;
    Some(format!("{} cannot be written: {error}. Choose another folder.", folder.display()))
}

fn read_answer(prompt: &str, secret: bool) -> anyhow::Result<String> {
    if secret && std::io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password(prompt)?.trim().to_owned());
    }
    print(prompt)?;
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line)? == 0 {
        bail!(
            "the input ended before all questions were answered; nothing was written. \
             Without questions: flawless configure --set option=value …"
        );
    }
    Ok(line.trim().to_owned())
}
