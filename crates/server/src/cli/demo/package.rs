//! Finds the Python package for the demo: installed, or built from the checkout that the demo
//! is run from.
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use flawless_git::GitError;
use flawless_git::process::Run;
use serde_json::Value;

/// A Python that has the package.
#[derive(Debug)]
pub(super) struct Package {
    python: PathBuf,
    /// Where Python looks for modules first, when the package is not installed.
    search_path: Option<OsString>,
}

/// Only this package has the native half; the older one does not.
const IMPORT: &str = "import flawless._flawless";

/// The name of its native half.
const LIBRARY: &str = "_flawless";

impl Package {
    /// The first of these Pythons in which the package is installed. `folder` must be empty: Python
    /// looks for modules where it is started.
    ///
    /// # Errors
    /// None of them can be started.
    pub(super) async fn installed(
        pythons: &[PathBuf],
        folder: &Path,
    ) -> Result<Option<Self>, GitError> {
        let mut failures = Vec::new();
        for python in pythons {
            let package = Self { python: python.clone(), search_path: None };
            match package.import(folder).await {
                Ok(()) => return Ok(Some(package)),
                Err(error) => failures.push(error),
            }
        }
        let is_none = failures.iter().all(|error| matches!(error, GitError::Start { .. }));
        failures.pop().filter(|_| is_none).map_or(Ok(None), Err)
    }

    /// The package from a checkout, assembled in `folder`, for the first of these Pythons that can
    /// import it.
    ///
    /// # Errors
    /// Why it cannot be built or imported, in words.
    pub(super) async fn built(
        checkout: &Checkout,
        pythons: &[PathBuf],
        folder: &Path,
    ) -> Result<Self, String> {
        let library = checkout.build().await?;
        let package = folder.join("flawless");
        let copied = copy_python_files(&checkout.root.join("python/flawless"), &package)
            .and_then(|()| fs::copy(&library, package.join(format!("{LIBRARY}.abi3.so"))));
        copied.map_err(|error| format!("{} cannot be created: {error}", package.display()))?;
        let mut search_path = folder.as_os_str().to_owned();
        if let Some(path) = std::env::var_os("PYTHONPATH").filter(|path| !path.is_empty()) {
            search_path.push(":");
            search_path.push(path);
        }
        for python in pythons {
            let package = Self { python: python.clone(), search_path: Some(search_path.clone()) };
            if package.import(folder).await.is_ok() {
                return Ok(package);
            }
        }
        Err("it was built, but needs CPython 3.9 or later".to_owned())
    }

    /// Its Python, ready to be started.
    pub(super) fn run(&self) -> Run {
        let run = Run::new(&self.python);
        match &self.search_path {
            Some(path) => run.env("PYTHONPATH", path),
            None => run,
        }
    }

    /// The command as a user would type it.
    pub(super) fn command(&self) -> String {
        self.python.display().to_string()
    }

    async fn import(&self, folder: &Path) -> Result<(), GitError> {
        let run = self.run().args(["-c", IMPORT]).current_dir(folder);
        let run = run.env("PYTHONDONTWRITEBYTECODE", "1").timeout(Duration::from_secs(30));
        run.output().await.map(|_| ())
    }
}

/// The sources of Flawless, with the cargo that runs the demo from them.
#[derive(Debug)]
pub(super) struct Checkout {
    cargo: PathBuf,
    root: PathBuf,
}

impl Checkout {
    /// Finds it by the variables that `cargo run` sets.
    pub(super) fn of_cargo_run(variable: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        let cargo = variable("CARGO")?.into();
        let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("../..");
        root.join("python/Cargo.toml").is_file().then_some(Self { cargo, root })
    }

    /// Builds the native half.
    async fn build(&self) -> Result<PathBuf, String> {
        let run = Run::new(&self.cargo)
            .args(["build", "--release", "-p", "flawless-python"])
            .args(["--message-format=json-render-diagnostics"])
            .env("PYO3_BUILD_EXTENSION_MODULE", "1")
            // The library is the same for every Python.
            .env("PYO3_NO_PYTHON", "1")
            .current_dir(&self.root)
            .timeout(Duration::from_secs(1800));
        let printed = run.output().await.map_err(|error| error.to_string())?;
        let printed = String::from_utf8_lossy(&printed);
        let messages = printed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let is_ours = |message: &Value| message["target"]["name"] == LIBRARY;
        let mut files = messages.filter(is_ours).filter_map(|message| {
            let file = message["filenames"].as_array()?.first()?.as_str()?;
            Some(PathBuf::from(file))
        });
        files.next_back().ok_or_else(|| "cargo did not report what it built".to_owned())
    }
}

fn copy_python_files(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_python_files(&entry.path(), &to)?;
        } else if to.extension().is_some_and(|extension| extension == "py") {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
