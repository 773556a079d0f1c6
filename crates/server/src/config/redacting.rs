//! What is redacted from reports before they are stored, and the keys that encrypt the rest.
use flawless_base::secret::Secret;
use flawless_redact::{RedactError, Redactor, Rules};
use flawless_store::sealing::{KEY_VARIABLE, Sealing};

use super::error::ConfigError;
use super::typed::Options;

/// What is redacted from reports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RedactionConfig {
    /// `redact_names`, `redact_values` and `redact_off`, checked.
    pub rules: Rules,
    /// The server's own secrets.
    pub secrets: Vec<Secret>,
    /// The addresses it clones from; a password in one of them is a secret.
    pub urls: Vec<Secret>,
}

impl Options<'_> {
    /// The keys of samples, from the environment.
    pub(super) fn sealing(&self) -> Result<Sealing, ConfigError> {
        let seals = self.bool("encrypt_samples")?;
        let keys = std::env::var_os(KEY_VARIABLE).unwrap_or_default();
        Sealing::new(&keys.to_string_lossy(), seals).map_err(|problem| {
            let hint = format!(
                "Create one with `openssl rand -hex 32`, keep it outside the data folder, and \
                 start with {KEY_VARIABLE} set to it; separate several with commas."
            );
            let at = if seals { self.raw.location("encrypt_samples") } else { KEY_VARIABLE.into() };
            ConfigError::new(at, problem.to_string(), hint)
        })
    }

    pub(super) fn redaction(&self) -> Result<RedactionConfig, ConfigError> {
        let names = Rules { extra_names: self.list("redact_names"), ..Rules::default() };
        let values = Rules { extra_values: self.list("redact_values"), ..Rules::default() };
        let off = Rules { off: self.list("redact_off"), ..Rules::default() };
        for (option, rules) in
            [("redact_names", &names), ("redact_values", &values), ("redact_off", &off)]
        {
            Redactor::new(rules, []).map_err(|error| self.bad_rule(option, error))?;
        }
        let mut rules = Rules { extra_names: names.extra_names, ..values };
        // In clients this rule covers the environment, here the server's own secrets, which are
        // redacted whatever is switched off.
        rules.off = off.off.into_iter().filter(|name| name != "environment").collect();
        self.redaction_with(rules)
    }

    /// The same with rules that are checked already.
    pub(super) fn redaction_with(&self, rules: Rules) -> Result<RedactionConfig, ConfigError> {
        let client_secret = self.secret("oidc_client_secret")?;
        let secrets = self.secret("smtp_password")?.into_iter().chain(client_secret).collect();
        let submodules = self.list("submodules").into_iter().map(Secret::new);
        let database = self.secret("database_url")?;
        let urls = self.secret("repo_url")?.into_iter().chain(submodules).chain(database).collect();
        Ok(RedactionConfig { rules, secrets, urls })
    }

    fn bad_rule(&self, option: &'static str, error: RedactError) -> ConfigError {
        match error {
            RedactError::Pattern { pattern, reason, .. } => {
                self.bad_pattern(option, &pattern, reason)
            }
            RedactError::UnknownRule { name } => {
                let known: Vec<&str> = Redactor::rule_names().collect();
                let hint = format!("The rules are: {}.", known.join(", "));
                self.wrong(option, format!("there is no rule {name:?}"), hint)
            }
            error @ RedactError::Environment { .. } => {
                self.wrong(option, error.to_string(), "Leave it out.")
            }
        }
    }
}
