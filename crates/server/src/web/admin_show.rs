//! `/admin`: every list of rules, to look at and to add to, and the addresses that get no mails.
use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::layout::{PageError, page};
use super::visitor::Frame;
use crate::dates::date_time;
use crate::present::one_line;
use crate::state::Shared;
use crate::store::{RULE_LISTS, RuleList, UnwantedKind};

#[derive(Template)]
#[template(path = "admin_show.html")]
struct Page {
    frame: Frame,
    lists: Vec<ListLine>,
    addresses: Vec<AddressLine>,
}

/// An address that some mails do not go to.
struct AddressLine {
    address: String,
    since: String,
    why: String,
    /// For `/retry_address`.
    what: String,
}

struct ListLine {
    key: &'static str,
    title: &'static str,
    meaning: &'static str,
    add_url: &'static str,
    count: usize,
}

pub(super) async fn show(
    frame: Frame,
    State(shared): State<Shared>,
) -> Result<Response, PageError> {
    let mut lists = Vec::new();
    for list in RULE_LISTS {
        let (meaning, add_url) = about(list);
        let count = shared.store.rule_entries(list).await?.len();
        let (key, title) = (list.as_str(), list.title());
        lists.push(ListLine { key, title, meaning, add_url, count });
    }
    Ok(page(&Page { frame, lists, addresses: addresses(&shared).await? }))
}

/// The addresses that some mails do not go to: refused by a mail server, or not wanted.
async fn addresses(shared: &Shared) -> Result<Vec<AddressLine>, PageError> {
    let line = |address: &str, since, why: &str, what: &str| AddressLine {
        address: one_line(address, 254),
        since: date_time(since, &shared.config.timezone),
        why: one_line(why, 300),
        what: what.to_owned(),
    };
    let refused = shared.store.refused_addresses(shared.clock.now()).await?;
    let refused = refused.iter().filter_map(|known| {
        Some(line(&known.address, known.since, known.words.as_deref()?, "refused"))
    });
    let unwanted = shared.store.unwanted_mails().await?;
    let unwanted = unwanted.iter().map(|known| {
        let why = match UnwantedKind::parse(&known.kind) {
            Some(UnwantedKind::Weekly) => "does not want the weekly report",
            _ => "does not want alerts",
        };
        line(&known.address, known.since, why, &known.kind)
    });
    Ok(refused.chain(unwanted).collect())
}

/// What a list is for, and the form that adds to it.
pub(super) fn about(list: RuleList) -> (&'static str, &'static str) {
    match list {
        RuleList::KnownErrors => {
            ("code that is expected to fail, told less or more often", "/add_known_error")
        }
        RuleList::BuildingBlocks => {
            ("code that is never blamed: its caller is", "/add_known_error?type=building_blocks")
        }
        RuleList::ThirdPartyWhitelist => (
            "code whose appearance in a traceback drops the report",
            "/add_known_error?type=third_party_whitelist",
        ),
        RuleList::IgnoredExceptions => {
            ("exception types whose reports are dropped", "/add_ignored_exception")
        }
        RuleList::WatchList => ("people who want alerts for a path", "/add_watch"),
        RuleList::DisownershipList => {
            ("one developer's issues of a path go to another", "/disown_file")
        }
        RuleList::EmailRemapping => {
            ("addresses in commits and addresses that are read", "/remap_email")
        }
    }
}
