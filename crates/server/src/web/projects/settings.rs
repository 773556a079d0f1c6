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
    settings: Vec<ShownSetting>,
    keys: Vec<KeyLine>,
    size: ProjectSize,
}

impl Page {
    fn may_set(&self, setting: &ShownSetting) -> bool {
        !setting.for_administrators_of_all || self.context.administers_all()
    }

    /// The options, topic by topic.
    fn topics(&self) -> impl Iterator<Item = &[ShownSetting]> {
        self.settings.chunk_by(|one, next| one.topic == next.topic)
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
    Ok(page(&Page {
        name: app.project.name().to_owned(),
        number: app.project_id(),
        archived: app.project.row.archived_at.map(date),
        is_first: app.project_id() == DEFAULT_PROJECT,
        settings: settings(&app),
        keys: keys.collect(),
        size: app.store.project_size().await?,
        context,
    }))
}
