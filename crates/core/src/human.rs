//! Finds the person behind a commit whose author is a bot or an agent.
use crate::automation::AutomationPatterns;
use crate::blame::Developer;
use crate::trailers::{TrailerPerson, TrailerRole, parse_trailers};

/// Everybody whom one commit names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommitPeople {
    /// The person who wrote it.
    pub author: Developer,
    /// The person who applied, merged or rebased it.
    pub committer: Developer,
    /// Co-authors, then signers.
    pub named: Vec<TrailerPerson>,
}

impl CommitPeople {
    /// Takes them from a commit's header and its whole message.
    pub fn new(author: Developer, committer: Developer, message: &str) -> Self {
        Self { author, committer, named: parse_trailers(message) }
    }
}

/// The person behind a commit, and why it is not its author.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Human {
    /// `None` when the commit names only automation: the next commit in the line's history has to
    /// be checked.
    pub developer: Option<Developer>,
    /// A sentence for each step; empty when the author is a person.
    pub steps: Vec<String>,
}

/// The author when it is a person, with or without an agent's help: they answer for what they
/// committed. Otherwise the first person among co-authors, signers and the committer. For a line,
/// call it again with older commits and append the steps.
pub fn human_of(commit: &CommitPeople, patterns: &AutomationPatterns) -> Human {
    let author = &commit.author;
    if !patterns.is_automation(author) {
        return Human { developer: Some(author.clone()), steps: Vec::new() };
    }
    let named = commit.named.iter().map(|person| match person.role {
        TrailerRole::CoAuthor => ("co-author", &person.developer),
        TrailerRole::Signer => ("signer", &person.developer),
    });
    let found = named
        .chain([("committer", &commit.committer)])
        .filter(|(_, person)| !person.email.trim().is_empty())
        .find(|(_, person)| !patterns.is_automation(person));
    let author = if author.name.trim().is_empty() { &author.email } else { &author.name };
    let step = match found {
        Some((role, Developer { name, email })) => {
            format!("the author {author} is automation; {role} {name} <{email}> is blamed")
        }
        None => format!("the author {author} is automation, and the commit names no person"),
    };
    Human { developer: found.map(|(_, person)| person.clone()), steps: vec![step] }
}

#[cfg(test)]
mod tests {
    use super::{CommitPeople, human_of};
    use crate::automation::AutomationPatterns;
    use crate::blame::Developer;

    fn developer(text: &str) -> Developer {
        let (name, email) = text.split_once(" <").expect("Name <address>");
        Developer { name: name.into(), email: email.trim_end_matches('>').into() }
    }

    #[test]
    fn person_behind_a_commit_is_found_and_named() {
        let patterns = AutomationPatterns::new::<&str>(&[]).expect("built in");
        let ann = "Ann <ann@e.com>";
        let ben = "Ben <ben@e.com>";
        let claude = "Claude <noreply@anthropic.com>";
        let bot = "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>";
        let github = "GitHub <noreply@github.com>";
        for (author, committer, message, expected, step) in [
            (ann, github, "", Some(ann), None),
            (ann, ben, "", Some(ann), None),
            (ann, ann, "Co-authored-by: Claude <noreply@anthropic.com>", Some(ann), None),
            (
                claude,
                ben,
                "Co-authored-by: Cursor <cursoragent@cursor.com>\nCo-authored-by: Ann <ann@e.com>",
                Some(ann),
                Some("the author Claude is automation; co-author Ann <ann@e.com> is blamed"),
            ),
            (
                bot,
                github,
                "Signed-off-by: dependabot[bot] <support@dependabot.com>\n\
                 Signed-off-by: Ben <ben@e.com>",
                Some(ben),
                Some("the author dependabot[bot] is automation; signer Ben <ben@e.com> is blamed"),
            ),
            (
                bot,
                ben,
                "",
                Some(ben),
                Some(
                    "the author dependabot[bot] is automation; committer Ben <ben@e.com> is blamed",
                ),
            ),
            (
                bot,
                github,
                "Signed-off-by: dependabot[bot] <support@dependabot.com>",
                None,
                Some("the author dependabot[bot] is automation, and the commit names no person"),
            ),
            (
                bot,
                "Nobody <>",
                "",
                None,
                Some("the author dependabot[bot] is automation, and the commit names no person"),
            ),
        ] {
            let message = format!("Bump\n\n{message}");
            let commit = CommitPeople::new(developer(author), developer(committer), &message);
            let human = human_of(&commit, &patterns);
            assert_eq!(human.developer, expected.map(developer), "{author} {committer}");
            assert_eq!(human.steps, step.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn author_without_name_and_address_is_not_automation() {
        let patterns = AutomationPatterns::new::<&str>(&[]).expect("built in");
        let human = human_of(&CommitPeople::default(), &patterns);
        assert_eq!((human.developer, human.steps.len()), (Some(Developer::default()), 0));
    }
}
