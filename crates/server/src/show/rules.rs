//! Rules in words, for pages and for the history of actions.
use flawless_core::{CodePattern, EmailAlias, KnownError, Reassignment, Watcher};
use flawless_store::RuleList;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The name of one rule of a list.
pub fn singular(list: RuleList) -> &'static str {
    match list {
        RuleList::KnownErrors => "known error",
        RuleList::BuildingBlocks => "library code",
        RuleList::ThirdPartyWhitelist => "third-party rule",
        RuleList::IgnoredExceptions => "ignored exception",
        RuleList::WatchList => "watcher",
        RuleList::DisownershipList => "reassignment",
        RuleList::EmailRemapping => "email alias",
    }
}

/// What a list is for, in a sentence.
pub fn meaning(list: RuleList) -> &'static str {
    match list {
        RuleList::KnownErrors => "Code that is expected to fail, with its own alert thresholds.",
        RuleList::BuildingBlocks => "Code that is never blamed itself: its caller is.",
        RuleList::ThirdPartyWhitelist => "Code whose appearance in a traceback drops the report.",
        RuleList::IgnoredExceptions => "Exception types whose reports are dropped.",
        RuleList::WatchList => "People who want alerts for a path.",
        RuleList::DisownershipList => "For a path, one developer's issues go to another.",
        RuleList::EmailRemapping => "Addresses in commits and the addresses that people read.",
    }
}

/// The headings for [`columns`].
pub fn headings(list: RuleList) -> &'static [&'static str] {
    match list {
        RuleList::KnownErrors => &["File", "Function", "Code", "Notified", "Also notified"],
        RuleList::BuildingBlocks | RuleList::ThirdPartyWhitelist => &["File", "Function", "Code"],
        RuleList::IgnoredExceptions => &["Exception type"],
        RuleList::WatchList => &["Who", "Path", "Of what"],
        RuleList::DisownershipList => &["Path", "From", "To"],
        RuleList::EmailRemapping => &["Address in commits", "Address that is read"],
    }
}

/// The columns of an entry, one per heading. An unreadable entry is shown as raw JSON.
pub fn columns(list: RuleList, entry: &Value) -> Vec<String> {
    let known = match list {
        RuleList::KnownErrors => read(entry).map(|rule: KnownError| {
            let (notified, also) = (notified(&rule), rule.email_recipients.join(", "));
            pattern(rule.pattern).into_iter().chain([notified, also]).collect()
        }),
        RuleList::BuildingBlocks | RuleList::ThirdPartyWhitelist => {
            read(entry).map(|rule: CodePattern| pattern(rule).into())
        }
        RuleList::IgnoredExceptions => read(entry).map(|name: String| vec![name]),
        RuleList::WatchList => read(entry).map(|rule: Watcher| {
            let what = match rule.watch_all_errors {
                true => "any error that goes through it",
                false => "only what is blamed on it",
            };
            vec![rule.email, rule.filepath, what.to_owned()]
        }),
        RuleList::DisownershipList => read(entry)
            .map(|rule: Reassignment| vec![rule.filepath, rule.email, rule.designated_email]),
        RuleList::EmailRemapping => {
            read(entry).map(|rule: EmailAlias| vec![rule.old_email, rule.new_email])
        }
    };
    known.unwrap_or_else(|| vec![entry.to_string()])
}

/// An entry in one line.
pub fn in_words(list: RuleList, entry: &Value) -> String {
    match (list, &columns(list, entry)[..]) {
        (
            RuleList::KnownErrors | RuleList::BuildingBlocks | RuleList::ThirdPartyWhitelist,
            [file, function, code, ..],
        ) => {
            let function = match function.as_str() {
                "" => String::new(),
                function => format!(" in {function}"),
            };
            let code = if code.is_empty() { String::new() } else { format!(": {code}") };
            format!("{file}{function}{code}")
        }
        (RuleList::WatchList, [who, path, _]) => format!("{who} for {path}"),
        (RuleList::DisownershipList, [path, from, to]) => format!("{path}: {from} → {to}"),
        (RuleList::EmailRemapping, [old, new]) => format!("{old} → {new}"),
        (_, columns) => columns.join(", "),
    }
}

fn read<T: DeserializeOwned>(entry: &Value) -> Option<T> {
    serde_json::from_value(entry.clone()).ok()
}

fn pattern(rule: CodePattern) -> [String; 3] {
    let CodePattern { filename, function_name, code_fragment } = rule;
    [filename, function_name.unwrap_or_default(), code_fragment.unwrap_or_default()]
}

/// The alert thresholds of a known error, in words.
fn notified(rule: &KnownError) -> String {
    let at = rule.min_alert_threshold.filter(|at| *at > 0);
    let every = rule.alert_every_n_occurrences.filter(|every| *every > 0);
    let at = at.map(|at| format!("at {at}"));
    let every = every.map(|every| format!("every {every}"));
    let mut words: Vec<String> = at.into_iter().chain(every).collect();
    if words.is_empty() {
        return "never".to_owned();
    }
    words.extend(rule.max_alert_threshold.map(|most| format!("not above {most}")));
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_are_described_in_words() {
        let known = json!({"filename": "a.py", "function_name": "f", "min_alert_threshold": 5,
            "alert_every_n_occurrences": 10, "max_alert_threshold": 40});
        assert_eq!(in_words(RuleList::KnownErrors, &known), "a.py in f");
        assert_eq!(columns(RuleList::KnownErrors, &known)[3], "at 5, every 10, not above 40");
        let alias = json!({"old_email": "a", "new_email": "b@example.com"});
        assert_eq!(in_words(RuleList::EmailRemapping, &alias), "a → b@example.com");
        assert_eq!(columns(RuleList::WatchList, &json!(3)), ["3"]);
    }
}
