//! `/settings`: what the project sets itself, its keys, and its state.
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use flawless_base::dates::date_time;
use flawless_store::{DEFAULT_PROJECT, ProjectSize};

use crate::app::App;
use crate::query::projects::{ShownSetting, settings};
use crate::web::layout::page::{PageError, page};
use crate::web::layout::visitor::PageContext;

#[derive(Template)]
#[template(path = "projects/settings.html")]
struct Page {
    context: PageContext,
    name: String,
    number: i64,
    archived: Option<String>,
    is_first: bool,
    topics: Vec<Topic>,
    keys: Vec<KeyLine>,
    size: ProjectSize,
}

/// The options of one topic.
struct Topic {
    name: &'static str,
    settings: Vec<ShownSetting>,
}

impl Page {
    fn may_set(&self, setting: &ShownSetting) -> bool {
        !setting.for_administrators_of_all || self.context.administers_all()
    }

    /// What the field of an option holds at first. A URL may hide credentials, and would be saved
    /// without them.
    fn prefilled<'a>(&self, setting: &'a ShownSetting) -> &'a str {
        match setting.is_own && setting.name != "repo_url" {
            true => &setting.value,
            false => "",
        }
    }
}

struct KeyLine {
    id: i64,
    shown: String,
    made: String,
    switched_off: Option<String>,
}

pub(crate) async fn show(
    context: PageContext,
    State(app): State<App>,
) -> Result<Response, PageError> {
    let date = |at: i64| date_time(at, &app.config.timezone);
    let keys = app.project.keys.iter().map(|key| KeyLine {
        id: key.id,
        shown: key.in_short(),
        made: date(key.created_at),
        switched_off: key.disabled_at.map(date),
    });
    let mut topics: Vec<Topic> = Vec::new();
    for setting in settings(&app) {
        match topics.last_mut().filter(|topic| topic.name == setting.topic) {
            Some(topic) => topic.settings.push(setting),
            None => topics.push(Topic { name: setting.topic, settings: vec![setting] }),
        }
    }
    Ok(page(&Page {
        name: app.project.name().to_owned(),
        number: app.project_id(),
        archived: app.project.row.archived_at.map(date),
        is_first: app.project_id() == DEFAULT_PROJECT,
        topics,
        keys: keys.collect(),
        size: app.store.project_size().await?,
        context,
    }))
}
