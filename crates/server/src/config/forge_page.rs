//! `repo_web_url`: the repository's page in the browser.
use std::path::Path;

use super::error::ConfigError;
use super::forge::{Forge, Forges};
use super::typed::Options;

impl Options<'_> {
    pub(super) fn forges(&self, data_dir: &Path) -> Result<Forges, ConfigError> {
        let main = match self.text("repo_web_url") {
            "" => self.repository(data_dir)?.as_ref().and_then(Forge::of_source),
            text => Some(Forge::parse(text).map_err(|problem| {
                let hint = "Write it like gitea https://git.example.com/team/shop.";
                self.wrong("repo_web_url", problem, hint)
            })?),
        };
        Ok(Forges::new(main, &self.submodules(data_dir)?))
    }
}
