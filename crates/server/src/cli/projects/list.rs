//! `flawless projects list` and `show`.
use std::fmt::Write;
use std::process::ExitCode;

use flawless_base::dates::{date_time, rfc3339};
use flawless_store::KeyRow;
use serde_json::{Map, Value, json};

use super::ListArguments;
use crate::app::App;
use crate::cli::print;
use crate::project::keys::working;
use crate::query::projects::{ShownSetting, settings};

pub(super) async fn list(arguments: ListArguments) -> anyhow::Result<ExitCode> {
    let app = arguments.conf.open().await?;
    let all = app.projects.all();
    app.store.close().await;
    let mut text = String::new();
    for app in &all {
        if arguments.json {
            text.push_str(&(as_json(app).to_string() + "\n"));
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&head(app));
    }
    print(text)
}

pub(super) async fn show(app: &App, json: bool) -> anyhow::Result<ExitCode> {
    let size = app.store.project_size().await?;
    app.store.close().await;
    let settings = settings(app);
    if json {
        let mut shown = as_json(app);
        let settings: Map<String, Value> = settings
            .into_iter()
            .map(|set| (set.name.to_owned(), json!({"value": set.value, "set_at": set.place})))
            .collect();
        shown["created_at"] = json!(rfc3339(app.project.row.created_at));
        shown["archived_at"] = json!(app.project.row.archived_at.map(rfc3339));
        shown["issues"] = json!(size.issues);
        shown["settings"] = Value::Object(settings);
        return print(shown.to_string() + "\n");
    }
    let mut text = head(app);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "issues   {}\n", size.issues);
    let width = settings.iter().map(|set| set.name.len()).max().unwrap_or_default();
    for ShownSetting { name, value, place, .. } in settings {
        let value = value.replace('\n', " ");
        let _ = writeln!(text, "{name:<width$}  {value}  ({place})");
    }
    print(text)
}

fn as_json(app: &App) -> Value {
    let keys: Vec<&str> = working(&app.project.keys).map(|key| key.secret.reveal()).collect();
    let dsn = app.config.client_url().and_then(|url| app.project.dsn(&url));
    json!({"id": app.project_id(), "name": app.project.name(), "dsn": dsn, "keys": keys})
}

/// A project with its address and keys.
pub(super) fn head(app: &App) -> String {
    let mut text = format!("project  {}\n", app.project.name());
    let _ = writeln!(text, "number   {}", app.project_id());
    if let Some(at) = app.project.row.archived_at {
        let at = date_time(at, &app.config.timezone);
        let _ = writeln!(text, "state    archived {at}: its reports are refused");
    }
    let _ = match app.config.client_url().and_then(|url| app.project.dsn(&url)) {
        Some(dsn) => writeln!(text, "dsn      {dsn}"),
        None => writeln!(
            text,
            "dsn      not known before the start: set hostname, or an http_port other than 0"
        ),
    };
    for KeyRow { secret, .. } in working(&app.project.keys) {
        let _ = writeln!(text, "key      {}", secret.reveal());
    }
    let settings = settings(app);
    let code = ["repo_url", "repo_dir"]
        .into_iter()
        .find_map(|name| settings.iter().find(|set| set.name == name && !set.value.is_empty()));
    let _ = match code {
        Some(ShownSetting { value, place, .. }) => writeln!(text, "code     {value}  ({place})"),
        None => writeln!(text, "code     none: nobody can be blamed"),
    };
    text
}
