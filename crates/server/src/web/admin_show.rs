//! `/admin`: every list of rules, to look at and to add to.
use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::layout::{PageError, page};
use super::visitor::Frame;
use crate::state::Shared;
use crate::store::{RULE_LISTS, RuleList};

#[derive(Template)]
#[template(path = "admin_show.html")]
struct Page {
    frame: Frame,
    lists: Vec<ListLine>,
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
    Ok(page(&Page { frame, lists }))
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
