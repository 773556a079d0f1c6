//! Counts of one are singular: no page, mail or command says "1 occurrences".
use std::collections::BTreeMap;

use crate::harness::{App, BEN, flawless_with_input, request, stdout};

const NOUNS: [&str; 14] = [
    "occurrences",
    "issues",
    "frames",
    "variables",
    "reports",
    "entries",
    "days",
    "hours",
    "times",
    "mails",
    "alerts",
    "answers",
    "recipients",
    "exceptions",
];

/// The places where a text has the plural after the number 1.
fn wrong(text: &str) -> Vec<String> {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || "<>\"(),".contains(c)).collect();
    let ones = words.windows(3).filter(|three| three[0] == "1");
    let many = ones.filter(|three| three[1..].iter().any(|word| NOUNS.contains(word)));
    many.map(|three| three.join(" ")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_of_one_are_written_in_the_singular() {
    let app = App::with("retention_days", "1").start().await;
    let mut report = request(&[
        ("/opt/py/site-packages/flask/app.py", 10, "dispatch", "return view()"),
        ("/srv/app/shop/web.py", 2, "handle", "    return cart.total()\n"),
        ("/srv/app/shop/cart.py", 5, "total", "    return sum(prices) / len(prices)\n"),
        ("/opt/py/site-packages/numpy/core.py", 9, "div", "return a / b"),
    ]);
    let values = BTreeMap::from([("prices".to_owned(), "[]".to_owned())]);
    report.traceback[2].frame_locals = Some(values);
    app.report(&report).await;
    let mail = app.one_mail().await;
    assert_eq!((wrong(&mail.text), wrong(&mail.html)), (vec![], vec![]));
    let pages = ["/", "/?view=list", "/issues/1", "/people", "/setup", "/check_health", "/rules"];
    let person = format!("/people/{}", BEN.1);
    for path in pages.into_iter().chain([person.as_str(), "/issues/1/library_code"]) {
        let (_, page) = app.get(path).await;
        assert_eq!(wrong(&page), Vec::<String>::new(), "{path}: {page}");
    }
    let (_, page) = app.get("/issues/1").await;
    for said in [
        "aria-label=\"1 occurrence in the last 48 hours, by hour\"",
        "aria-label=\"1 occurrence in the last ",
        "<summary>1 variable</summary>",
        "1 frame of another package",
    ] {
        assert!(page.contains(said), "{said:?} is missing in {page}");
    }
    let folder = app.folder.path();
    let set = format!("data_dir_path={}", folder.join("elsewhere").display());
    let import = ["rules", "import", "ignored_exceptions", "-", "--set", &set];
    let imported = stdout(&flawless_with_input(folder, &import, "[\"a.B\"]"));
    assert_eq!(imported, "ignored_exceptions: 1 entry added, 0 were there already\n");
    let imported = stdout(&flawless_with_input(folder, &import, "[\"a.B\", \"c.D\", \"e.F\"]"));
    assert_eq!(imported, "ignored_exceptions: 2 entries added, 1 was there already\n");
}
