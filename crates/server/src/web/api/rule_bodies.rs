//! Entries of the lists of rules in the API: the fields of 0.4.5, and no others.
use flawless_store::RuleList;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::schema::AnyOfBuilder;
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::input::read_value;
use super::problem::Problem;

/// A list of rules, by its name in files and addresses.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "only for the document: requests are read as `RuleList`")]
pub(super) enum ListName {
    KnownErrors,
    /// Library code.
    BuildingBlocks,
    /// Third-party rules.
    ThirdPartyWhitelist,
    IgnoredExceptions,
    /// Watchers.
    WatchList,
    /// Reassignments.
    DisownershipList,
    /// Email aliases.
    EmailRemapping,
}

/// An entry of a list, which determines its fields.
#[derive(Debug)]
pub(super) enum Entry {}

impl PartialSchema for Entry {
    fn schema() -> RefOr<Schema> {
        let forms = [
            KnownErrorEntry::name(),
            CodeEntry::name(),
            WatcherEntry::name(),
            ReassignmentEntry::name(),
            AliasEntry::name(),
            ExceptionName::name(),
        ];
        // An entry may match several: a known error that has only code is a code pattern as well.
        let any = forms
            .into_iter()
            .fold(AnyOfBuilder::new(), |any, form| any.item(Ref::from_schema_name(form)));
        any.description(Some("An entry of a list, which determines its fields.")).into()
    }
}

impl ToSchema for Entry {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.extend([
            (KnownErrorEntry::name().into_owned(), KnownErrorEntry::schema()),
            (CodeEntry::name().into_owned(), CodeEntry::schema()),
            (WatcherEntry::name().into_owned(), WatcherEntry::schema()),
            (ReassignmentEntry::name().into_owned(), ReassignmentEntry::schema()),
            (AliasEntry::name().into_owned(), AliasEntry::schema()),
            (ExceptionName::name().into_owned(), ExceptionName::schema()),
        ]);
    }
}

/// An ignored exception: the full path of its type.
#[derive(Debug, Serialize, ToSchema)]
#[schema(min_length = 1, max_length = 5_000)]
pub(super) struct ExceptionName(String);

/// Code that is expected to fail, with alert thresholds of its own.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KnownError)]
pub(super) struct KnownErrorEntry {
    /// The path of the file, or the end of it.
    #[schema(min_length = 1, max_length = 5_000)]
    filename: String,
    #[schema(max_length = 5_000)]
    function_name: Option<String>,
    /// A part of the source line.
    #[schema(max_length = 5_000)]
    code_fragment: Option<String>,
    /// One alert when this number of occurrences is reached.
    #[schema(minimum = 0)]
    min_alert_threshold: Option<i64>,
    /// No alerts above this number of occurrences.
    #[schema(minimum = 0)]
    max_alert_threshold: Option<i64>,
    /// An alert at each multiple of this number of occurrences.
    #[schema(minimum = 0)]
    alert_every_n_occurrences: Option<i64>,
    /// Addresses that are notified in addition to the owner.
    #[schema(max_items = 100)]
    email_recipients: Option<Vec<String>>,
    /// Text at the top of the mail.
    #[schema(max_length = 5_000)]
    email_header: Option<String>,
}

/// Library code, or a third-party rule.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CodePattern)]
pub(super) struct CodeEntry {
    /// The path of the file, or the end of it.
    #[schema(min_length = 1, max_length = 5_000)]
    filename: String,
    #[schema(max_length = 5_000)]
    function_name: Option<String>,
    /// A part of the source line.
    #[schema(max_length = 5_000)]
    code_fragment: Option<String>,
}

/// Somebody who wants alerts for a path.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Watcher)]
pub(super) struct WatcherEntry {
    /// A file or folder of the repository; `/` is the whole repository.
    #[schema(min_length = 1, max_length = 5_000)]
    filepath: String,
    /// The address that is notified.
    #[schema(min_length = 1, max_length = 5_000)]
    email: String,
    /// Notified of any frame in the path; otherwise only when it is blamed.
    watch_all_errors: Option<bool>,
}

/// For a path, one developer's issues go to another.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Reassignment)]
pub(super) struct ReassignmentEntry {
    /// A file or folder of the repository.
    #[schema(min_length = 1, max_length = 5_000)]
    filepath: String,
    /// The developer whose issues are reassigned.
    #[schema(min_length = 1, max_length = 5_000)]
    email: String,
    /// The address that gets them.
    #[schema(min_length = 1, max_length = 5_000)]
    designated_email: String,
}

/// An address in commits, and the one at which its owner reads mail.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EmailAlias)]
pub(super) struct AliasEntry {
    /// The address in commits, or only its part before the `@`.
    #[schema(min_length = 1, max_length = 5_000)]
    old_email: String,
    /// The address at which its owner reads mail.
    #[schema(min_length = 1, max_length = 5_000)]
    new_email: String,
}

/// The list that an address names.
pub(super) fn list_named(name: &str) -> Result<RuleList, Problem> {
    RuleList::parse(name).ok_or_else(|| {
        let names: Vec<&str> =
            flawless_store::RULE_LISTS.iter().map(|list| list.as_str()).collect();
        let text = format!("There is no list of this name. The lists are {}.", names.join(", "));
        Problem::not_found(&text)
    })
}

/// An entry, checked to have only the fields of its list; `within` is its place in the body.
pub(super) fn entry_of(list: RuleList, entry: Value, within: &str) -> Result<Value, Problem> {
    match list {
        RuleList::KnownErrors => strict::<KnownErrorEntry>(entry, within),
        RuleList::BuildingBlocks | RuleList::ThirdPartyWhitelist => {
            strict::<CodeEntry>(entry, within)
        }
        RuleList::IgnoredExceptions => strict::<String>(entry, within),
        RuleList::WatchList => strict::<WatcherEntry>(entry, within),
        RuleList::DisownershipList => strict::<ReassignmentEntry>(entry, within),
        RuleList::EmailRemapping => strict::<AliasEntry>(entry, within),
    }
}

fn strict<T: Serialize + DeserializeOwned>(entry: Value, within: &str) -> Result<Value, Problem> {
    let entry: T = read_value(entry, within)?;
    Ok(serde_json::to_value(entry).unwrap_or_default())
}
