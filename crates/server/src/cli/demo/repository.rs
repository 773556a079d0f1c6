//! A small git repository with commits of three developers. The second one wrote the line that
//! fails; the third moved it later by adding lines above.
use std::path::Path;

use flawless_git::GitError;
use flawless_git::process::GitProgram;

use super::program::PROGRAM;

struct Step {
    author: &'static str,
    email: &'static str,
    date: &'static str,
    message: &'static str,
    files: &'static [(&'static str, &'static str)],
}

const CART: &str = "\
class Cart:
    def __init__(self, items):
        self.items = items

    def total(self):
        return sum(item.price for item in self.items)
";

const STATS: &str = "\
def average(prices):
    return sum(prices) / len(prices)
";

const STATS_LATER: &str = "\
\"\"\"Numbers for the daily report.\"\"\"


def highest(prices):
    return max(prices, default=0)


def average(prices):
    return sum(prices) / len(prices)
";

const REPORT: &str = "\
from shop.stats import average


def daily_report(orders):
    prices = [order.price for order in orders]
    title = \"%d orders today\" % len(orders)
    return title, average(prices)
";

const STEPS: [Step; 4] = [
    Step {
        author: "Ann Archer",
        email: "ann@example.com",
        date: "2026-03-02T09:00:00+00:00",
        message: "shop: a cart with a total",
        files: &[("shop/__init__.py", ""), ("shop/cart.py", CART)],
    },
    Step {
        author: "Ben Baker",
        email: "ben@example.com",
        date: "2026-05-18T14:30:00+00:00",
        message: "stats: average price of an order",
        files: &[("shop/stats.py", STATS)],
    },
    Step {
        author: "Ann Archer",
        email: "ann@example.com",
        date: "2026-06-09T10:15:00+00:00",
        message: "report: average price of the day",
        files: &[("shop/report.py", REPORT), ("run.py", PROGRAM)],
    },
    Step {
        author: "Cleo Clark",
        email: "cleo@example.com",
        date: "2026-08-27T16:45:00+00:00",
        message: "stats: highest price, and say what the module is for",
        files: &[("shop/stats.py", STATS_LATER)],
    },
];

/// Creates the repository in `dir`, an empty folder.
///
/// # Errors
/// git cannot be run.
pub(super) async fn make_repository(git: &GitProgram, dir: &Path) -> Result<(), GitError> {
    let run = |name: &str| git.read(dir).subcommand(name);
    run("init").args(["--quiet", "--initial-branch=main"]).output().await?;
    for step in &STEPS {
        for (path, content) in step.files {
            let path = dir.join(path);
            let write = || {
                std::fs::create_dir_all(path.parent().unwrap_or(dir))?;
                std::fs::write(&path, content)
            };
            write().map_err(|source| GitError::Write { path: path.clone(), source })?;
        }
        run("add").args(["--all"]).output().await?;
        run("commit")
            .args(["--quiet", "--message", step.message])
            .env("GIT_AUTHOR_NAME", step.author)
            .env("GIT_AUTHOR_EMAIL", step.email)
            .env("GIT_AUTHOR_DATE", step.date)
            .env("GIT_COMMITTER_NAME", step.author)
            .env("GIT_COMMITTER_EMAIL", step.email)
            .env("GIT_COMMITTER_DATE", step.date)
            .output()
            .await?;
    }
    Ok(())
}
