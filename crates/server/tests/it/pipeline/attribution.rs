//! Which line and which person are blamed, and when nobody is because it cannot be known.
use flawless_protocol::thrift::RecordErrorRequest;

use crate::harness::{ANN, App, BEN, CLEO, Mail, TestRepository, request, wait_until};

fn at(line: i64, text: &str) -> [(&str, i64, &str, &str); 1] {
    [("/srv/app/shop/cart.py", line, "total", text)]
}

#[tokio::test]
async fn line_with_another_text_blames_nobody() {
    let app = App::start().await;
    app.report(&request(&at(5, "return something_never_committed()"))).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, "team@example.com");
    assert!(mail.says("Nobody is blamed: shop/cart.py:5 does not read"), "{}", mail.text);
    for (line, text) in [(0, "x"), (4_000_000_000, "y"), (5, "")] {
        app.later();
        app.report(&request(&at(line, text))).await;
        app.settle().await;
    }
    let mails = app.mails().await;
    assert!(mails.iter().all(|mail| mail.to == "team@example.com"), "{mails:#?}");
    assert_eq!(mails.len(), 4);
}

#[tokio::test]
async fn older_version_that_still_runs_is_found_by_its_text() {
    let repository = TestRepository::shop();
    repository.commit(
        ANN,
        "2026-07-01",
        "rewrite",
        &[("shop/cart.py", "def total(p):\n    return 0\n")],
    );
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    app.report(&request(&at(5, "return sum(prices) / len(prices)"))).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, BEN.1);
    assert!(mail.says("an earlier version of the file"), "{}", mail.text);
}

#[tokio::test]
async fn revision_named_by_a_report_is_the_one_blamed() {
    let repository = TestRepository::shop();
    let running = repository.git(&["rev-parse", "HEAD"]);
    // At the tip Cleo has written the same text again at the same place.
    repository.commit(CLEO, "2026-07-01", "away", &[("shop/cart.py", "\n")]);
    let cart = "from shop.money import add\n\n\ndef total(prices):\n    return sum(prices) / len(prices)\n";
    repository.commit(CLEO, "2026-07-02", "back", &[("shop/cart.py", cart)]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    let mut report = request(&at(5, "return sum(prices) / len(prices)"));
    report.revision = Some(running[..12].to_owned());
    app.report(&report).await;
    assert_eq!(app.one_mail().await.to, BEN.1);
    report.revision = None;
    app.report(&report).await;
    assert_eq!(app.mails().await.len(), 2, "at the tip it is another line");
}

#[tokio::test]
async fn reformatting_commits_and_mailmap_are_honoured() {
    let repository = TestRepository::shop();
    let cart = "from shop.money import add\n\n\ndef total(prices):\n    return (sum(prices) / len(prices))\n";
    let format = repository.commit(CLEO, "2026-07-01", "format", &[("shop/cart.py", cart)]);
    repository.commit(
        CLEO,
        "2026-07-02",
        "lists",
        &[
            (".git-blame-ignore-revs", &format!("# formatting\n{format} # all\nabcdef\n")),
            (".mailmap", "Ben B. Baker <ben.new@example.com> <ben@example.com>\n"),
        ],
    );
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    app.report(&request(&at(5, "return (sum(prices) / len(prices))"))).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, "ben.new@example.com");
    assert!(mail.says("Ben B. Baker"), "{}", mail.text);
}

#[tokio::test]
async fn default_contact_reads_what_to_set_up_without_a_repository() {
    let app = App::with("report_error_threshold", "1").without_repository().start().await;
    app.report(&request(&at(5, "x"))).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, "team@example.com");
    assert!(mail.says("no repository is configured: set repo_dir or repo_url"));
}

#[tokio::test]
async fn clone_follows_the_newest_release_branch() {
    let origin = TestRepository::shop();
    origin.git(&["branch", "release-9"]);
    let url = origin.dir().display().to_string();
    let app = App::with("repo_url", &url)
        .without_repository()
        .with("repo_branch_pattern", "origin/release-")
        .with("repo_fetch_interval", "1")
        .start()
        .await;
    app.report(&request(&at(5, "return sum(prices) / len(prices)"))).await;
    assert_eq!(app.one_mail().await.to, BEN.1);
    origin.git(&["checkout", "--quiet", "-b", "release-10"]);
    let cart = "def total(prices):\n    return prices[7]\n";
    origin.commit(CLEO, "2026-07-01", "release", &[("shop/cart.py", cart)]);
    crate::harness::wait_until("release-10 runs", async || {
        let tip = app.server.app.repo.get().tip_commit();
        tip.as_deref() == Some(origin.git(&["rev-parse", "release-10"]).as_str())
    })
    .await;
    app.report(&request(&at(2, "return prices[7]"))).await;
    let mails = app.mails().await;
    assert_eq!(mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), [BEN.1, CLEO.1]);
    let (_, health) = app.get("/check_health").await;
    assert!(health.contains("of refs/heads/release-10"), "{health}");
}

#[tokio::test]
async fn shallow_clone_blames_nobody_beyond_its_border() {
    let origin = TestRepository::shop();
    origin.commit(CLEO, "2026-07-01", "new", &[("shop/new.py", "boom()\n")]);
    let folder = tempfile::tempdir().expect("a folder");
    let clone = folder.path().join("clone");
    let url = format!("file://{}", origin.dir().display());
    origin.git(&["clone", "--quiet", "--depth=1", &url, clone.to_str().expect("text")]);
    let app = App::with("repo_dir", clone.to_str().expect("text")).start().await;
    app.report(&request(&at(5, "return sum(prices) / len(prices)"))).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, "team@example.com");
    assert!(mail.says("git fetch --unshallow"), "{}", mail.text);
}

#[tokio::test]
async fn folder_of_somebody_else_is_never_written_to() {
    let repository = TestRepository::shop();
    let state = |repository: &TestRepository| {
        let mut files = Vec::new();
        let mut folders = vec![repository.dir().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in
                std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("entry"))
            {
                let metadata = entry.metadata().expect("metadata");
                if metadata.is_dir() {
                    folders.push(entry.path());
                }
                files.push((entry.path(), metadata.modified().expect("a time")));
            }
        }
        files.sort();
        files
    };
    let before = state(&repository);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    app.report(&request(&at(5, "return sum(prices) / len(prices)"))).await;
    app.settle().await;
    assert_eq!(state(&app.repository), before);
}

#[tokio::test]
async fn missing_file_is_fetched_before_its_caller_is_blamed() {
    let origin = TestRepository::shop();
    let url = origin.dir().display().to_string();
    let app = App::with("repo_url", &url).without_repository().start().await;
    let web = ("/srv/app/shop/web.py", 2, "handle", "return cart.total()");
    app.report(&request(&[web])).await;
    assert_eq!(app.one_mail().await.to, ANN.1);
    origin.commit(CLEO, "2026-07-01", "new", &[("shop/new.py", "boom()\n")]);
    app.report(&request(&[web, ("/srv/app/shop/new.py", 1, "<module>", "boom()")])).await;
    let mails = app.mails().await;
    assert_eq!(mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), [ANN.1, CLEO.1]);
}

#[tokio::test]
async fn text_rewritten_at_the_same_place_is_a_new_line() {
    let app = App::start().await;
    app.report(&request(&at(5, "return sum(prices) / len(prices)"))).await;
    assert_eq!(app.one_mail().await.to, BEN.1);
    let repository = &app.repository;
    repository.commit(CLEO, "2026-07-01", "away", &[("shop/cart.py", "\n")]);
    let cart = "from shop.money import add\n\n\ndef total(prices):\n    return sum(prices) / len(prices)\n";
    let tip = repository.commit(CLEO, "2026-07-02", "back", &[("shop/cart.py", cart)]);
    crate::harness::wait_until("the new tip is seen", async || {
        app.server.app.repo.get().tip_commit().as_deref() == Some(tip.as_str())
    })
    .await;
    app.report(&request(&at(5, "return sum(prices) / len(prices)"))).await;
    let mails = app.mails().await;
    assert_eq!(mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), [BEN.1, CLEO.1]);
}

#[tokio::test]
async fn blame_configuration_of_the_folder_does_not_count() {
    let repository = TestRepository::shop();
    repository.git(&["config", "blame.ignoreRevsFile", "/nowhere"]);
    repository.git(&["config", "diff.odd.textconv", "echo x #"]);
    repository.commit(ANN, "2026-07-01", "attributes", &[(".gitattributes", "*.py diff=odd\n")]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    app.report(&request(&at(5, "return sum(prices) / len(prices)"))).await;
    assert_eq!(app.one_mail().await.to, BEN.1);
}

#[tokio::test]
async fn file_gone_at_the_tip_is_found_in_the_revision_before() {
    let repository = TestRepository::shop();
    repository.git(&["mv", "shop/cart.py", "shop/prices.py"]);
    let renamed = "from shop.money import add\n\n\ndef total_of(prices):\n    return 1\n";
    repository.commit(CLEO, "2026-07-01", "rename", &[("shop/prices.py", renamed)]);
    repository.commit(CLEO, "2026-07-02", "more", &[("shop/more.py", "x = 1\n")]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    let web = ("/srv/app/shop/web.py", 2, "handle", "return cart.total()");
    let cart = ("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)");
    app.report(&request(&[web, cart])).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, BEN.1, "its caller is not blamed: {}", mail.text);
    assert!(mail.says("the last revision that has all its files"), "{}", mail.text);
}

/// A report of frames with the revision that ran.
fn running(revision: &str, frames: &[(&str, i64, &str, &str)]) -> RecordErrorRequest {
    let revision = Some(revision.to_owned()).filter(|revision| !revision.is_empty());
    RecordErrorRequest { revision, ..request(frames) }
}

fn notified(mails: &[Mail]) -> Vec<&str> {
    mails.iter().map(|mail| mail.to.as_str()).collect()
}

#[tokio::test]
async fn file_of_a_shared_name_is_chosen_by_the_text_of_its_line() {
    let repository = TestRepository::shop();
    let worker = "import json\n\n\ndef load(text):\n    return json.loads(text)[\"rows\"]\n";
    let portal = format!("# portal\n{worker}");
    let files = [("portal/app/models.py", &*portal)];
    repository.commit(CLEO, "2026-07-01", "portal", &files);
    let files = [("services/worker/models.py", worker)];
    let tip = repository.commit(BEN, "2026-07-02", "worker", &files);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    for revision in ["", tip.as_str(), "main"] {
        app.later();
        let load = ("/app/models.py", 5, "load", "return json.loads(text)[\"rows\"]");
        app.report(&running(revision, &[load])).await;
        assert_eq!(notified(&app.mails().await), [BEN.1], "{revision}");
    }
    // Where no file has this text at the line, the path decides.
    let load = ("/app/models.py", 6, "load", "return json.loads(text)[\"rows\"]");
    app.later();
    app.report(&running(&tip, &[load])).await;
    assert_eq!(notified(&app.mails().await), [BEN.1, CLEO.1]);
}

#[tokio::test]
async fn copy_with_a_prefixed_name_is_found_by_its_line() {
    let repository = TestRepository::shop();
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    let copy =
        ("/tmp/remote_x1/remote_module_cart.py", 5, "total", "return sum(prices) / len(prices)");
    app.report(&request(&[copy])).await;
    assert_eq!(app.one_mail().await.to, BEN.1);
    let elsewhere =
        ("/tmp/remote_x1/remote_module_cart.py", 4, "total", "return sum(prices) / len(prices)");
    app.later();
    app.report(&request(&[elsewhere])).await;
    assert_eq!(notified(&app.mails().await), [BEN.1, "team@example.com"], "another line");
}

#[tokio::test]
async fn changed_line_blames_neither_its_author_nor_its_caller() {
    let repository = TestRepository::shop();
    let cart = "def total(prices):\n    return average(prices)\n\n\ndef average(prices):\n    return sum(prices) / len(prices)\n";
    let tip = repository.commit(CLEO, "2026-07-01", "average", &[("deep/shop/basket.py", cart)]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    let frames = [
        ("/srv/app/shop/basket.py", 2, "total", "return average(prices)"),
        ("/srv/app/shop/basket.py", 6, "average", "return sum(prices) / never_committed"),
    ];
    app.report(&running(&tip, &frames)).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, "team@example.com", "{}", mail.text);
    assert!(mail.says("deep/shop/basket.py:6 does not read"), "{}", mail.text);
}

#[tokio::test]
async fn sources_in_other_encodings_have_authors() {
    let repository = TestRepository::shop();
    let long = format!("    return [{}0] / 0", "1, ".repeat(1_000));
    let write = |name: &str, content: &[u8]| {
        std::fs::write(repository.dir().join("shop").join(name), content).expect("written");
    };
    write(
        "preise.py",
        b"# -*- coding: iso-8859-1 -*-\ndef gruss(name):\n    return 'Gr\xfc\xdfe ' + name\n",
    );
    write("no_coding.py", b"def gruss(name):\n    return 'Gr\xfc\xdfe ' + name / 1\n");
    write("bom.py", b"\xef\xbb\xbfvalue_of_bom = int('x')\n");
    write("utf8.py", "def euro(n):\n    return '€ü %d' % (n / 0)\n".as_bytes());
    write("mac.py", b"# one\r# two\ndef half(n):\n    \"\"\"A.\rB.\"\"\"\n    return [n] / 0\n");
    write("long.py", format!("def rows():\n{long}\n").as_bytes());
    let tip = repository.commit(CLEO, "2026-07-01", "encodings", &[]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    let cut = format!("{}…", long.trim().chars().take(1_990).collect::<String>());
    for (at, (name, line, text)) in [
        ("preise", 3, "return 'Grüße ' + name"),
        ("no_coding", 2, "return 'Grüße ' + name / 1"),
        ("bom", 1, "value_of_bom = int('x')"),
        ("utf8", 2, "return 'â\u{82}¬Ã¼ %d' % (n / 0)"),
        ("mac", 6, "return [n] / 0"),
        ("long", 2, cut.as_str()),
    ]
    .into_iter()
    .enumerate()
    {
        for revision in ["", tip.as_str()] {
            app.later();
            let path = format!("/srv/app/shop/{name}.py");
            app.report(&running(revision, &[(path.as_str(), line, "f", text)])).await;
            let mails = app.mails().await;
            assert_eq!(mails.len(), at + 1, "{name} {revision}: {:?}", notified(&mails));
            assert!(mails.iter().all(|mail| mail.to == CLEO.1), "{name}: {:?}", notified(&mails));
        }
    }
}

#[tokio::test]
async fn line_without_text_is_found_by_revision_and_number() {
    let repository = TestRepository::shop();
    let running_at = repository.git(&["rev-parse", "HEAD"]);
    let cart = "# a line on top\nfrom shop.money import add\n\n\ndef total(prices):\n    return sum(prices) / len(prices)\n";
    repository.commit(CLEO, "2026-07-01", "licence", &[("shop/cart.py", cart)]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    app.report(&running(&running_at, &[("/srv/app/shop/cart.py", 5, "total", "")])).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, BEN.1);
    assert!(mail.says("return sum(prices) / len(prices)"), "{}", mail.text);
    assert!(mail.says("the report carries no source text"), "{}", mail.text);
}

#[tokio::test]
async fn real_code_in_a_function_named_like_a_wrapper_is_blamed() {
    let repository = TestRepository::shop();
    let code = "\
def wrap_lines(text, width):
    return text[: width // 0]


def retry(work):
    def wrapper(request, times):
        rest = 1 / times
        return work(request)
    return wrapper


class Rate:
    def __call__(self, country):
        return self.rates[country]
";
    repository.commit(CLEO, "2026-07-01", "wrappers", &[("shop/wrappers.py", code)]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    let web = ("/srv/app/shop/web.py", 2, "handle", "return cart.total()");
    let cart = ("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)");
    let mut expected = Vec::new();
    for (caller, line, function, text, owner) in [
        (web, 2, "wrap_lines", "return text[: width // 0]", CLEO.1),
        (web, 7, "wrapper", "rest = 1 / times", CLEO.1),
        (web, 14, "__call__", "return self.rates[country]", CLEO.1),
        (cart, 8, "wrapper", "return work(request)", BEN.1),
    ] {
        app.later();
        app.report(&request(&[caller, ("/srv/app/shop/wrappers.py", line, function, text)])).await;
        expected.push(owner);
        expected.sort_unstable();
        assert_eq!(notified(&app.mails().await), expected, "{function}: {text}");
    }
}

#[tokio::test]
async fn copy_of_a_file_is_not_blamed_if_the_revision_is_unknown() {
    let repository = TestRepository::empty();
    let utils = "import os\n\n\ndef pick(rows):\n    return rows[0]\n";
    repository.commit(ANN, "2026-03-02", "a", &[("services/a/utils.py", utils)]);
    repository.commit(BEN, "2026-04-02", "b", &[("services/b/utils.py", utils)]);
    let newer = utils.replacen("import os\n", "import os\nimport sys\n", 1);
    repository.commit(ANN, "2026-05-02", "a: sys", &[("services/a/utils.py", &newer)]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    app.report(&request(&[("/srv/services/a/utils.py", 5, "pick", "return rows[0]")])).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, ANN.1, "{}", mail.text);
}

#[tokio::test]
async fn missing_file_is_awaited_when_code_is_deployed_at_the_root() {
    for prefix in ["/", ""] {
        let origin = TestRepository::empty();
        let main = "from app.new import work\n\nwork()\n";
        origin.commit(ANN, "2026-03-02", "main", &[("app/main.py", main)]);
        let url = origin.dir().display().to_string();
        let app = App::with("repo_url", &url).without_repository().start().await;
        wait_until("it is cloned", async || app.server.app.repo.get().tip_commit().is_some()).await;
        origin.commit(BEN, "2026-07-01", "new", &[("app/new.py", "def work():\n    1 / 0\n")]);
        let (main, new) = (format!("{prefix}app/main.py"), format!("{prefix}app/new.py"));
        let frames: [(&str, i64, &str, &str); 2] =
            [(&main, 3, "<module>", "work()"), (&new, 2, "work", "1 / 0")];
        app.report(&request(&frames)).await;
        let mail = app.one_mail().await;
        assert_eq!(mail.to, BEN.1, "{}", mail.text);
    }
}
