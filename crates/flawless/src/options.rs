//! What a program says once.
use std::time::Duration;

/// The settings of [`crate::init`].
#[derive(Debug, Clone)]
pub struct Options {
    /// The address of the project, as `flawless projects` prints it, or `HOST:PORT` of a server that
    /// takes reports over Thrift. Without one, the environment
    /// variable `FLAWLESS_DSN` has it; without that, nothing is reported.
    pub dsn: Option<String>,
    /// What the program was built from; [`crate::release!`] knows it.
    pub release: Option<Release>,
    /// Where it runs, e.g. `production`. Without one, `FLAWLESS_ENVIRONMENT` says so.
    pub environment: Option<String>,
    /// The host. Default: the name of this machine.
    pub hostname: Option<String>,
    /// Whether panics are reported.
    pub panics: bool,
    /// How long dropping the [`crate::Guard`] waits until everything is sent.
    pub shutdown_timeout: Duration,
    /// Names of values that are secrets, as regular expressions matched from the start, besides those
    /// that the built-in rules know.
    pub redact_names: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dsn: None,
            release: None,
            environment: None,
            hostname: None,
            panics: true,
            shutdown_timeout: Duration::from_secs(2),
            redact_names: Vec::new(),
        }
    }
}

impl Options {
    /// The defaults with the address of a project.
    #[must_use]
    pub fn with_dsn(dsn: impl Into<String>) -> Self {
        Self { dsn: Some(dsn.into()), ..Self::default() }
    }
}

/// What a program was built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The name and the version of the package, e.g. `shop@1.4.2`.
    pub name: String,
    /// The commit, if it was known while compiling.
    pub commit: Option<String>,
}

/// The package that is being compiled, and the commit that the variable `FLAWLESS_REVISION`,
/// `GITHUB_SHA`, `CI_COMMIT_SHA` or `GIT_COMMIT` names while it is compiled:
/// `FLAWLESS_REVISION=$(git rev-parse HEAD) cargo build --release`.
#[macro_export]
macro_rules! release {
    () => {
        Some($crate::Release {
            name: concat!(env!("CARGO_PKG_NAME"), "@", env!("CARGO_PKG_VERSION")).to_owned(),
            commit: option_env!("FLAWLESS_REVISION")
                .or(option_env!("GITHUB_SHA"))
                .or(option_env!("CI_COMMIT_SHA"))
                .or(option_env!("GIT_COMMIT"))
                .map(str::to_owned),
        })
    };
}
