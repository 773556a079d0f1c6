//! CODEOWNERS files of GitHub and GitLab: who answers for a path.
use serde::{Deserialize, Serialize};

use std::collections::HashMap;

use crate::code_owners_line::{Line, is_gitlabs, is_owner, read};
use crate::path_glob::{CodeOwnersDialect, PathGlob, split_path};

/// GitHub's own limit: it ignores a longer file.
const MAX_FILE: usize = 3 * 1024 * 1024;
const MAX_LINE: usize = 4 * 1024;
const MAX_RULES: usize = 10_000;
const MAX_WARNINGS: usize = 100;
const MAX_OWNERS: usize = 100;
/// No source file has a longer path; together with the limits above it bounds one look-up.
const MAX_PATH: usize = 1024;

/// Where the file is searched; the first that exists is used. If the forge is unknown, paths that
/// name a forge come first.
pub fn code_owners_paths(dialect: Option<CodeOwnersDialect>) -> &'static [&'static str] {
    match dialect {
        Some(CodeOwnersDialect::GitHub) => &[".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"],
        Some(CodeOwnersDialect::GitLab) => &["CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"],
        None => &[".github/CODEOWNERS", ".gitlab/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"],
    }
}

/// A parsed CODEOWNERS file.
#[derive(Debug, Clone, Default)]
pub struct CodeOwners {
    rules: Vec<Rule>,
    sections: Vec<Section>,
    /// By name in lower case; the first section, before any heading, has none.
    section_names: HashMap<String, usize>,
    warnings: Vec<CodeOwnersWarning>,
}

/// A line that was ignored, in part or as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeOwnersWarning {
    /// Its number in the file, from 1.
    pub line: u32,
    /// What is wrong with it.
    pub message: String,
}

/// Who answers for a path, and the line that says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owners {
    /// `@user`, `@org/team`, `@@role` or `a@b.c`, each once, at most 100; empty when the line names
    /// nobody.
    pub owners: Vec<String>,
    /// The line's number in the file, from 1.
    pub line: u32,
    /// Its pattern as written in the file.
    pub pattern: String,
}

#[derive(Debug, Clone)]
struct Rule {
    glob: PathGlob,
    pattern: String,
    excludes: bool,
    owners: Vec<String>,
    line: u32,
    section: usize,
}

#[derive(Debug, Clone, Default)]
struct Section {
    optional: bool,
    owners: Vec<String>,
}

impl CodeOwners {
    /// Parses a file of either forge: as GitLab does if a line has a meaning only there (a section,
    /// `!pattern`, `@@role`), else as GitHub does. Never fails: see `warnings`.
    pub fn parse(text: &str) -> Self {
        let gitlabs =
            first_bytes(text).lines().any(|line| line.len() <= MAX_LINE && is_gitlabs(line));
        Self::parse_as(
            if gitlabs { CodeOwnersDialect::GitLab } else { CodeOwnersDialect::GitHub },
            text,
        )
    }

    /// Parses a file of a known forge.
    pub fn parse_as(dialect: CodeOwnersDialect, text: &str) -> Self {
        let mut file = Self { sections: vec![Section::default()], ..Self::default() };
        let mut section = 0;
        let kept = first_bytes(text);
        let mut number = 0;
        for line in kept.strip_prefix('\u{feff}').unwrap_or(kept).lines() {
            number += 1;
            if line.len() > MAX_LINE {
                file.warn(number, format!("longer than {MAX_LINE} bytes"));
                continue;
            }
            if line.contains(|c: char| c.is_control() && c != '\t') {
                file.warn(number, "has a control character".into());
                continue;
            }
            match read(line, dialect) {
                Line::Empty => {}
                Line::Heading { name, optional, owners } => {
                    let owners = file.owners(&owners, number);
                    section = file.section(name, optional, owners);
                }
                Line::Rule { .. } if file.rules.len() == MAX_RULES => {
                    file.warn(number, format!("only the first {MAX_RULES} rules are used"));
                    return file;
                }
                Line::Rule { pattern, excludes, owners } => {
                    file.rule(dialect, section, number, pattern, excludes, &owners);
                }
            }
        }
        if kept.len() < text.len() {
            file.warn(number, format!("only the first {MAX_FILE} bytes of the file are used"));
        }
        file
    }

    /// What was ignored, in the order of the file; the first hundred.
    pub fn warnings(&self) -> &[CodeOwnersWarning] {
        &self.warnings
    }

    /// Who answers for the file at `path`, from the root of the repository; `None` when no line
    /// matches it. The last line that matches decides, in each section on its own. The owners of
    /// later sections come first, those of optional sections last; line and pattern are those of
    /// the first of them that names somebody.
    pub fn owners_of(&self, path: &str) -> Option<Owners> {
        if path.len() > MAX_PATH {
            return None;
        }
        let path = split_path(path);
        let mut found: Vec<Option<&Rule>> = vec![None; self.sections.len()];
        for rule in self.rules.iter().filter(|rule| rule.glob.matches(&path)) {
            let last = &mut found[rule.section];
            // On GitLab no later line of the section can undo an exclusion.
            if last.is_none_or(|last| !last.excludes) {
                *last = Some(rule);
            }
        }
        let mut matches: Vec<(&Rule, &[String])> =
            found.into_iter().rev().flatten().map(|rule| (rule, self.owners_by(rule))).collect();
        matches.sort_by_key(|(rule, _)| self.sections[rule.section].optional);
        let (decisive, _) =
            matches.iter().find(|(_, owners)| !owners.is_empty()).or(matches.first())?;
        let mut owners: Vec<String> = Vec::new();
        for owner in matches.iter().flat_map(|(_, owners)| *owners) {
            if owners.len() < MAX_OWNERS && !owners.contains(owner) {
                owners.push(owner.clone());
            }
        }
        Some(Owners { owners, line: decisive.line, pattern: decisive.pattern.clone() })
    }

    fn owners_by<'a>(&'a self, rule: &'a Rule) -> &'a [String] {
        match &rule.owners {
            _ if rule.excludes => &[],
            owners if owners.is_empty() => &self.sections[rule.section].owners,
            owners => owners,
        }
    }

    fn rule(
        &mut self,
        dialect: CodeOwnersDialect,
        section: usize,
        line: u32,
        pattern: &str,
        excludes: bool,
        words: &[&str],
    ) {
        if dialect == CodeOwnersDialect::GitHub && pattern.starts_with('!') {
            return self.warn(line, "`!` is not a pattern on GitHub".into());
        }
        let Some(glob) = PathGlob::new(pattern, dialect) else {
            return self.warn(line, format!("{pattern:?} matches nothing"));
        };
        let owners = self.owners(words, line);
        // GitHub then ignores the whole line, so that an earlier one decides; GitLab only the word.
        if dialect == CodeOwnersDialect::GitHub && owners.len() < words.len() {
            return;
        }
        let pattern = if excludes { format!("!{pattern}") } else { pattern.to_owned() };
        self.rules.push(Rule { glob, pattern, excludes, owners, line, section });
    }

    /// The section of this name, ignoring case; it is created if it does not exist.
    fn section(&mut self, name: &str, optional: bool, owners: Vec<String>) -> usize {
        let next = self.sections.len();
        let index = *self.section_names.entry(name.to_lowercase()).or_insert(next);
        if index == next {
            self.sections.push(Section { optional, owners });
            return index;
        }
        let section = &mut self.sections[index];
        section.optional &= optional;
        if !owners.is_empty() {
            section.owners = owners;
        }
        index
    }

    fn owners(&mut self, words: &[&str], line: u32) -> Vec<String> {
        let (owners, others): (Vec<&str>, Vec<&str>) = words.iter().partition(|w| is_owner(w));
        for word in others {
            self.warn(line, format!("{word:?} is neither @user, @org/team nor a mail address"));
        }
        owners.into_iter().map(str::to_owned).collect()
    }

    fn warn(&mut self, line: u32, message: String) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(CodeOwnersWarning { line, message });
        }
    }
}

fn first_bytes(text: &str) -> &str {
    let end = (0..=MAX_FILE.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}
