//! Snapshots of what people and programs read. `INSTA_UPDATE=always ./test NAME` writes them anew.
use insta::Settings;

/// The settings under which what differs from run to run reads the same: ports, signatures and
/// random names.
pub fn steady() -> Settings {
    let mut settings = Settings::clone_current();
    settings.add_filter(r"127\.0\.0\.1:\d+", "HOST");
    settings.add_filter(r"token=[\w.~%+-]+", "token=TOKEN");
    settings.add_filter(r"\.[0-9a-f]{32}@", ".SIGNATURE@");
    settings.add_filter(r"(issue-\d+\.\w+)\.[0-9a-f]{8}", "$1.INSTALLATION");
    settings.set_sort_maps(true);
    settings
}
