//! Snapshots of what people and programs read. `INSTA_UPDATE=always ./test NAME` rewrites them.
use insta::Settings;

/// Replaces ports and tokens, which differ in each run.
pub fn steady() -> Settings {
    let mut settings = Settings::clone_current();
    settings.add_filter(r"127\.0\.0\.1:\d+", "HOST");
    settings.add_filter(r"token=[\w.~%+-]+", "token=TOKEN");
    settings.set_sort_maps(true);
    settings
}
