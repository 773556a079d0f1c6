//! The options that decide which line of a traceback is blamed, and which authors are people.
use std::path::Path;
use std::sync::Arc;

use flawless_core::{AutomationPatterns, BlameFrame, ChoiceSettings, PathPrefix, PathSettings};
use flawless_git::{IgnoreRevs, Source};

use super::error::ConfigError;
use super::typed::Options;

impl Options<'_> {
    pub(super) fn choice(&self) -> Result<ChoiceSettings, ConfigError> {
        Ok(ChoiceSettings {
            paths: PathSettings {
                prefixes: self.path_prefixes()?,
                package_folders: self.list("report_runtime_package_directory_names"),
            },
            may_blame: self.patterns("only_blame_filepaths_matching")?,
            blame_frame: match self.word("blame_frame")? {
                "innermost" => BlameFrame::Innermost,
                _ => BlameFrame::Likely,
            },
        })
    }

    pub(super) fn ignore_revs(&self) -> IgnoreRevs {
        match self.text("ignore_revs_file") {
            "" => IgnoreRevs::Convention,
            path if Path::new(path).is_absolute() => IgnoreRevs::OnDisk(path.into()),
            path => IgnoreRevs::InRepository(path.to_owned()),
        }
    }

    pub(super) fn automation(&self) -> Result<Arc<AutomationPatterns>, ConfigError> {
        let name = "automation_patterns";
        AutomationPatterns::new(&self.list(name))
            .map(Arc::new)
            .map_err(|error| self.bad_pattern(name, &error.pattern, error.message))
    }

    pub(super) fn submodules(&self, data_dir: &Path) -> Result<Vec<(String, Source)>, ConfigError> {
        let submodule = |text: String| {
            let (path, place) = text.split_once('=').unwrap_or((&text, ""));
            let (path, place) = (path.trim().trim_matches('/'), place.trim());
            if path.is_empty() || place.is_empty() || path.split('/').any(|part| part == "..") {
                let problem = format!("{text:?} does not name a submodule and its repository");
                let hint = "Write PATH=URL or PATH=FOLDER, like vendor/pay=/srv/git/pay.git.";
                return Err(self.wrong("submodules", problem, hint));
            }
            let is_url = place.contains("://")
                || place.split('/').next().is_some_and(|host| host.contains(':'));
            let source = if is_url {
                let name = path.replace('/', "+");
                let dir = data_dir.join("submodules").join(name + ".git");
                Source::Clone { url: place.to_owned(), dir }
            } else {
                Source::Folder(self.absolute(place))
            };
            Ok((path.to_owned(), source))
        };
        self.list("submodules").into_iter().map(submodule).collect()
    }

    fn path_prefixes(&self) -> Result<Vec<PathPrefix>, ConfigError> {
        let prefix = |text: String| {
            let (deployed, folder) = text.split_once('=').unwrap_or((&text, ""));
            let (deployed, folder) = (deployed.trim().to_owned(), folder.trim().to_owned());
            if deployed.is_empty() || folder.split('/').any(|part| part == "..") {
                let problem = format!("{text:?} does not name a folder and a repository part");
                let hint = "Write FOLDER or FOLDER=PART, like /opt/worker=backend/worker.";
                return Err(self.wrong("path_prefixes", problem, hint));
            }
            Ok(PathPrefix { deployed, folder })
        };
        self.list("path_prefixes").into_iter().map(prefix).collect()
    }
}
