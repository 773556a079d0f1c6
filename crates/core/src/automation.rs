//! Recognises authors that are bots or agents, which read no mail.
use fancy_regex::{Regex, RegexBuilder};

use crate::blame::Developer;
use crate::path_patterns::PatternError;

/// The built-in patterns, over `Name <address>`. Names alone are used only where no person has such
/// a name: Bot, Claude and Jules are also people.
pub const BUILT_IN_AUTOMATION: &[&str] = &[
    // Every GitHub app, also with its number in front: dependabot, renovate, github-actions,
    // pre-commit-ci, copilot-swe-agent, claude, devin-ai-integration, google-labs-jules, …
    r"\[bot\]",
    // A login such as `renovate-bot` instead of a name.
    r"^\S+[-_]bot <",
    // GitHub itself, as the committer of merges on its pages.
    r"<noreply@github\.com>$",
    r"[<+]web-flow@users\.noreply\.github\.com>$",
    // Workflows that set an address by hand.
    r"^github[ -]actions? <",
    r"<actions?@github\.com>$",
    // GitLab's access tokens of projects and groups, and its service accounts.
    r"<(?:project|group)_?\d+_bot\w*@",
    r"<service_account_\w+@noreply\.",
    // Bots with an address of their own.
    r"^dependabot(?:-preview)? <",
    r"<support@dependabot\.com>$",
    r"^renovate(?: bot)? <",
    r"<bot@renovateapp\.com>$",
    r"<snyk-bot@snyk\.io>$",
    r"<semantic-release-bot@martynus\.net>$",
    // Agents, as they sign commits and trailers.
    r"[<+]copilot@(?:users\.noreply\.)?github\.com>$",
    r"<noreply@anthropic\.com>$",
    r"<81847\+claude@users\.noreply\.github\.com>$",
    r"[<+]cursoragent@(?:cursor\.com|users\.noreply\.github\.com)>$",
    r"<(?:noreply|codex)@openai\.com>$",
    r"<(?:noreply|aider)@aider\.chat>$",
    r"<openhands@all-hands\.dev>$",
    r"<amp@ampcode\.com>$",
    r"<noreply@opencode\.ai>$",
];

/// A list of patterns of which one must match anywhere in `Name <address>`, ignoring case. An empty
/// list matches no author.
#[derive(Debug, Clone, Default)]
pub struct AutomationPatterns(Vec<(String, Regex)>);

/// As for paths: enough for any sane pattern over a name.
const BACKTRACK_LIMIT: usize = 100_000;
/// Longer names and addresses are cut before they are compared.
const MAX_CHARS: usize = 256;

impl AutomationPatterns {
    /// The built-in patterns and `extra`, in Python's syntax.
    pub fn new<S: AsRef<str>>(extra: &[S]) -> Result<Self, PatternError> {
        let extra = extra.iter().map(AsRef::as_ref);
        Self::only(BUILT_IN_AUTOMATION.iter().copied().chain(extra))
    }

    /// Only these patterns, for a list that replaces the built-in one.
    pub fn only<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, PatternError> {
        let compile = |pattern: &str| {
            RegexBuilder::new(&format!("(?i)(?:{pattern})"))
                .backtrack_limit(BACKTRACK_LIMIT)
                .build()
                .map(|regex| (pattern.to_owned(), regex))
                .map_err(|error| PatternError {
                    pattern: pattern.to_owned(),
                    message: error.to_string(),
                })
        };
        patterns.into_iter().map(compile).collect::<Result<_, _>>().map(Self)
    }

    /// The first pattern that identifies `developer` as automation. A pattern that gives up does
    /// not match.
    pub fn matching(&self, developer: &Developer) -> Option<&str> {
        let cut = |text: &str| text.trim().chars().take(MAX_CHARS).collect::<String>();
        let text = format!("{} <{}>", cut(&developer.name), cut(&developer.email));
        let found = self.0.iter().find(|(_, regex)| regex.is_match(&text).unwrap_or(false));
        found.map(|(pattern, _)| pattern.as_str())
    }

    /// Whether `developer` is a bot or an agent.
    pub fn is_automation(&self, developer: &Developer) -> bool {
        self.matching(developer).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::AutomationPatterns;
    use crate::blame::Developer;

    fn developer(name: &str, email: &str) -> Developer {
        Developer { name: name.into(), email: email.into() }
    }

    #[test]
    fn bots_and_agents_are_recognized_and_people_are_not() {
        let patterns = AutomationPatterns::new::<&str>(&[]).expect("built in");
        for (name, email) in [
            ("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com"),
            ("dependabot-preview[bot]", "support@dependabot.com"),
            ("renovate[bot]", "29139614+renovate[bot]@users.noreply.github.com"),
            ("Renovate Bot", "bot@renovateapp.com"),
            ("Renovate Bot", "git@corp.example"),
            ("renovate-bot", "ci@corp.example"),
            ("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com"),
            ("GitHub Action", "action@github.com"),
            ("pre-commit-ci[bot]", "66853113+pre-commit-ci[bot]@users.noreply.github.com"),
            ("GitHub", "noreply@github.com"),
            ("GitHub Web Flow", "19864447+web-flow@users.noreply.github.com"),
            ("release", "project_123_bot_4ffca233d8298ea1@noreply.gitlab.example.com"),
            ("release", "project123_bot2@example.com"),
            ("release", "group_45_bot@noreply.gitlab.com"),
            ("deploy", "service_account_group_345_60188@noreply.gitlab.example.com"),
            ("Copilot", "198982749+Copilot@users.noreply.github.com"),
            ("GitHub Copilot", "copilot@github.com"),
            ("copilot-swe-agent[bot]", "198982749+Copilot@users.noreply.github.com"),
            ("Claude", "noreply@anthropic.com"),
            ("Claude Opus", "NoReply@Anthropic.com"),
            ("Claude", "81847+claude@users.noreply.github.com"),
            ("Cursor Agent", "cursoragent@cursor.com"),
            ("Cursor Agent", "199161495+cursoragent@users.noreply.github.com"),
            ("Devin AI", "158243242+devin-ai-integration[bot]@users.noreply.github.com"),
            ("Codex", "noreply@openai.com"),
            ("Codex", "codex@openai.com"),
            ("aider (gpt)", "noreply@aider.chat"),
            ("jules", "161369871+google-labs-jules[bot]@users.noreply.github.com"),
            ("openhands", "openhands@all-hands.dev"),
        ] {
            assert!(patterns.is_automation(&developer(name, email)), "{name} <{email}>");
        }
        for (name, email) in [
            ("Ann", "ann@example.com"),
            ("Ann", "12345+ann@users.noreply.github.com"),
            ("Ann", "12345+ann-copilot@users.noreply.github.com"),
            ("Ann (aider)", "ann@example.com"),
            ("Jan Bot", "jan.bot@example.nl"),
            ("Claude Monet", "claude@example.fr"),
            ("Jules", "jules@example.com"),
            ("Devin", "devin@example.com"),
            ("Abbott", "abbott@example.com"),
            ("Noreply", "noreply@example.com"),
            ("Project 1", "project1@example.com"),
            ("", ""),
        ] {
            let person = developer(name, email);
            assert_eq!(patterns.matching(&person), None, "{name} <{email}>");
        }
    }

    #[test]
    fn configured_patterns_extend_or_replace_the_built_in_ones() {
        let ci = developer("Build", "ci@corp.example");
        let dependabot = developer("dependabot[bot]", "");
        let patterns = AutomationPatterns::new(&[r"<ci@(?!people\.)"]).expect("valid");
        assert_eq!(patterns.matching(&ci), Some(r"<ci@(?!people\.)"));
        assert!(!patterns.is_automation(&developer("Ann", "ci@people.example")));
        assert!(patterns.is_automation(&dependabot));
        let patterns = AutomationPatterns::only(["^build <"]).expect("valid");
        assert!(patterns.is_automation(&ci) && !patterns.is_automation(&dependabot));
        assert_eq!(AutomationPatterns::new(&["(x"]).expect_err("broken").pattern, "(x");
    }
}
