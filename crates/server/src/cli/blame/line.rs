//! `flawless blame --line FILE:LINE`: who answers for one line of a revision.
use anyhow::{anyhow, bail};
use flawless_base::dates::rfc3339;
use flawless_core::{Blame, Developer, PathMatch, PathRule, PathSettings};
use flawless_git::{Mirror, Standing};
use serde_json::json;

use super::{Arguments, resolve};

/// A line of a file of the repository.
pub(super) struct Place {
    path: String,
    line: u32,
}

impl Place {
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let wrong = || {
            anyhow!(
                "--line: {text:?} is not a place: write the file's path in the repository, a \
                 colon and a line number from 1, like shop/cart.py:12"
            )
        };
        let (path, line) = text.rsplit_once(':').ok_or_else(wrong)?;
        let line = line.parse().ok().filter(|line| *line > 0).ok_or_else(wrong)?;
        if path.is_empty() {
            return Err(wrong());
        }
        Ok(Self { path: path.to_owned(), line })
    }
}

pub(super) async fn blame(
    mirror: &Mirror,
    rev: Option<&str>,
    place: &Place,
    arguments: &Arguments,
) -> anyhow::Result<String> {
    let tip = mirror.tip().ok_or_else(|| anyhow!("the repository has no commits yet"))?;
    let commit = match rev {
        Some(rev) => resolve(mirror, "--rev", rev).await?,
        None => tip.commit.clone(),
    };
    let files = mirror.files(&commit).await?;
    let path = match files.find(&place.path, &PathSettings::default()) {
        PathMatch::Certain(path, rule) if rule != PathRule::Submodule => path,
        _ => &place.path,
    };
    let blame = mirror.blame(&tip, &commit, path, place.line).await?;
    if blame.at_shallow_border {
        bail!(
            "the repository's history is cut at {} (a shallow clone), so the author of {path}:{} \
             is not known: fetch the rest with git fetch --unshallow",
            blame.origin.commit.short(),
            place.line
        );
    }
    let later = match &arguments.fixed_in {
        Some(rev) => {
            let later = resolve(mirror, "--fixed-in", rev).await?;
            let standing = mirror.standing(&tip, &blame.origin, &place.path, &later).await?;
            Some(standing)
        }
        None => None,
    };
    if arguments.json {
        let mut value = blame_json(&blame);
        value["path"] = json!(path);
        value["line"] = json!(place.line);
        value["revision"] = json!(commit);
        value["text"] = json!(blame.text);
        value["steps"] = json!(blame.steps);
        value["later"] = json!(blame.later);
        if let Some(standing) = &later {
            value["standing"] = standing_json(standing);
        }
        return Ok(format!("{value}\n"));
    }
    let mut lines = vec![format!("{path}:{} at {}", place.line, commit.short())];
    lines.push(format!("  text      {}", blame.text.trim()));
    lines.extend(blame_lines(&blame));
    if arguments.why {
        lines.extend(chain(&blame));
    }
    lines.extend(later.map(|standing| format!("  fixed     {}", standing_words(&standing))));
    Ok(lines.join("\n") + "\n")
}

fn standing_words(standing: &Standing) -> String {
    match standing {
        Standing::Stands { path, line } => format!("no: it is still at {path}:{line}"),
        Standing::Gone { by: Some(by), last } => format!(
            "maybe: {} changed or removed it, last at {}:{}",
            by.short(),
            last.path,
            last.line
        ),
        Standing::Gone { by: None, last } => {
            format!(
                "maybe: it is gone, last in {} at {}:{}",
                last.commit.short(),
                last.path,
                last.line
            )
        }
        Standing::NeverThere => "not known: that revision never had the line".to_owned(),
    }
}

fn standing_json(standing: &Standing) -> serde_json::Value {
    match standing {
        Standing::Stands { path, line } => json!({ "stands": true, "path": path, "line": line }),
        Standing::Gone { by, last } => json!({ "stands": false, "by": by, "last": last }),
        Standing::NeverThere => json!({ "stands": null }),
    }
}

/// Author, date, commit and origin.
pub(super) fn blame_lines(blame: &Blame) -> Vec<String> {
    let origin = &blame.origin;
    let Developer { name, email } = &blame.author;
    let mut lines = vec![
        format!("  author    {name} <{email}>"),
        format!("  date      {}", rfc3339(blame.authored_at)),
        format!("  commit    {} {}", origin.commit.short(), blame.summary),
        format!("  origin    {}:{}", origin.path, origin.line),
    ];
    match &blame.developer {
        Some(who) if *who == blame.author => {}
        Some(who) => lines.push(format!("  answers   {} <{}>", who.name, who.email)),
        None => lines.push("  answers   nobody: only automation wrote it".to_owned()),
    }
    lines
}

/// What has happened to the line since, and how its developer was found.
pub(super) fn chain(blame: &Blame) -> Vec<String> {
    let later = blame.later.iter().map(|later| format!("  since     {later}"));
    later.chain(blame.steps.iter().map(|step| format!("  person    {step}"))).collect()
}

pub(super) fn blame_json(blame: &Blame) -> serde_json::Value {
    json!({
        "commit": blame.origin.commit.as_str(),
        "origin_path": blame.origin.path,
        "origin_line": blame.origin.line,
        "author": blame.author,
        "developer": blame.developer,
        "authored_at": rfc3339(blame.authored_at),
    })
}
