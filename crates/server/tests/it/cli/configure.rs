//! `flawless configure` repeats a question until the answer is usable, and keeps the rest of the
//! file.
use std::path::Path;
use std::process::Output;

use crate::harness::{SmtpServer, TestRepository, flawless, flawless_with_input, stderr, stdout};

#[test]
fn configure_without_questions_writes_a_private_valid_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let repository = TestRepository::shop();
    let smtp = SmtpServer::real(&["--login", "u:50%"]);
    let set = [
        format!("repo_dir={}", repository.dir().display()),
        format!("smtp_host={}", smtp.address()),
        "default_contact=team@example.com".to_owned(),
        "data_dir_path=data".to_owned(),
        "smtp_user=u".to_owned(),
        "smtp_password=50%".to_owned(),
    ];
    let mut arguments = vec!["configure", "--conf", "deep/flawless.cfg"];
    set.iter().for_each(|option| arguments.extend(["--set", option]));
    let output = flawless(folder.path(), &arguments);
    let text = stdout(&output);
    assert!(text.contains("flawless start -conf"), "{text}");
    let path = folder.path().join("deep/flawless.cfg");
    let mode = std::fs::metadata(&path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert!(std::fs::read_to_string(&path).expect("text").contains("smtp_password = 50%%\n"));
    let checked = flawless(folder.path(), &["check", "-conf", "deep/flawless.cfg"]);
    let text = stdout(&checked);
    assert_eq!(text.lines().filter(|line| line.starts_with("ok ")).count(), 7, "{text}");
    let data = folder.path().join("deep/data");
    let mode =
        |name: &str| std::fs::metadata(data.join(name)).expect(name).permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("flawless.db")), (0o700, 0o600));
}

#[test]
fn questionnaire_asks_again_after_a_wrong_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let repository = TestRepository::shop();
    let smtp = SmtpServer::start();
    let answers = [
        "ninety",
        "0",
        "0",
        "http://flawless.example.com",
        "data", // the server
        "127.0.0.1:1",
        "none",
        "",
        "n", // no mail server there: asked again
        &smtp.address(),
        "",
        "",
        "example.org",
        "y",
        "nobody",
        "team@example.org", // mail
        "root",
        "root@example.org",
        "example.org", // sign-in
        "n",
        "/nowhere",
        "",
        "n", // no repository there: asked again
        "n",
        &repository.dir().display().to_string(),
        "",
    ]
    .join("\n");
    let output = flawless_with_input(folder.path(), &["configure"], &(answers + "\n"));
    let text = stdout(&output);
    for expected in [
        "\"ninety\" is not a port",
        "smtp_host",
        "\"nobody\" is not a mail address",
        "/nowhere is not a git repository",
        "ok: ",
    ] {
        assert!(text.contains(expected), "{expected:?} is missing in\n{text}");
    }
    let written = std::fs::read_to_string(folder.path().join("flawless.cfg")).expect("written");
    assert!(written.contains("ignore_vcs_email_domain = True\n"), "{written}");
    assert!(written.contains("default_contact = team@example.org\n"), "{written}");
    assert!(written.contains("administrators = root@example.org\n"), "{written}");
    assert!(written.contains("allowed_email_domains = example.org\n"), "{written}");
    let broken_off =
        flawless_with_input(folder.path(), &["configure", "--conf", "other.cfg"], "1\n");
    assert_eq!(broken_off.status.code(), Some(1));
    assert!(!folder.path().join("other.cfg").exists());
}

/// The questionnaire in a folder with a repository and a mail server, for a file that already has
/// all answers except those of the test.
struct Asked {
    folder: tempfile::TempDir,
    repository: TestRepository,
    smtp: SmtpServer,
}

impl Asked {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, repository: TestRepository::shop(), smtp: SmtpServer::start() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, text: &str) {
        let text = text
            .replace("REPO", &self.repository.dir().display().to_string())
            .replace("SMTP", &self.smtp.address());
        std::fs::write(self.path().join("flawless.cfg"), text).expect("written");
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path().join("flawless.cfg")).expect("the file")
    }

    /// The answers to the four questions about the server; everything else is kept.
    fn server(&self, answers: &[&str]) -> Output {
        let answers = answers.join("\n") + &"\n".repeat(20);
        flawless_with_input(self.path(), &["configure"], &answers)
    }

    fn set(&self, arguments: &[&str]) -> Output {
        let set = arguments.iter().flat_map(|argument| ["--set", argument]);
        let arguments: Vec<&str> = ["configure"].into_iter().chain(set).collect();
        flawless(self.path(), &arguments)
    }
}

const WORKING: &str = "[flawless]\nport = 0\nhttp_port = 0\ndata_dir_path = data\n\
                       smtp_host = SMTP\nrepo_dir = REPO\n";

#[test]
fn folder_or_address_that_is_nonsense_is_asked_again() {
    for (nonsense, problem) in [
        ("/etc/passwd", "is not a web address"),
        ("8080", "is not a web address"),
        ("dev@example.com", "is not a web address"),
        ("two words", "is not a web address"),
        ("http://", "is not a web address"),
        ("ftp://example.com", "is not a web address"),
        ("nobody-knows-this-name", "no machine is known as"),
    ] {
        let asked = Asked::new();
        asked.write(WORKING);
        let output = asked.server(&["", "", nonsense, "http://flawless.example.com:8080", ""]);
        let text = stdout(&output);
        assert!(text.contains("PROBLEM") && text.contains(problem), "{nonsense}: {text}");
        let hostname = "hostname = http://flawless.example.com:8080\n";
        assert!(asked.text().ends_with(hostname), "{nonsense}: {}", asked.text());
    }
    for nonsense in ["y", "8080", "http://x/y", "two words", "dev@example.com", "?", "f.cfg/data"] {
        let asked = Asked::new();
        asked.write(WORKING);
        std::fs::write(asked.path().join("f.cfg"), "").expect("written");
        let output = asked.server(&["", "", "", nonsense, "./other"]);
        let text = stdout(&output);
        assert!(text.contains("PROBLEM"), "{nonsense}: {text}");
        assert!(asked.text().contains("data_dir_path = ./other\n"), "{nonsense}: {}", asked.text());
        let made = std::fs::read_dir(asked.path()).expect("a folder").count();
        assert_eq!(made, 2, "{nonsense}: no folder is made by an answer");
    }
}

#[test]
fn answer_can_be_emptied() {
    let asked = Asked::new();
    let password = "smtp_user = u\nsmtp_password = p\n";
    asked.write(&format!("{WORKING}{password}hostname = http://h.example.com\n"));
    // Mail: host, security, user; the other answers about mail are kept.
    let output = asked.server(&["", "", "-", "", "", "", "-"]);
    let text = stdout(&output);
    assert!(text.contains("[http://h.example.com]: "), "{text}");
    let written = asked.text();
    for gone in ["hostname", "smtp_user", "smtp_password"] {
        assert!(!written.contains(gone), "{gone} is still in\n{written}");
    }
}

#[test]
fn bare_name_gets_the_scheme_and_the_port_of_the_pages() {
    let asked = Asked::new();
    asked.write(&WORKING.replace("http_port = 0", "http_port = 9876"));
    stdout(&asked.server(&["", "", "flawless.example.com"]));
    let completed = "hostname = http://flawless.example.com:9876\n";
    assert!(asked.text().ends_with(completed), "{}", asked.text());
    let checked = flawless(asked.path(), &["check", "-conf", "flawless.cfg"]);
    assert!(!stdout(&checked).contains("note"), "check has nothing to add: {checked:?}");

    stdout(&asked.set(&["hostname=other.example.com"]));
    assert!(asked.text().ends_with("hostname = http://other.example.com:9876\n"));
    for whole in ["https://flawless.example.com", "flawless.example.com:80"] {
        stdout(&asked.set(&[&format!("hostname={whole}")]));
        assert!(asked.text().ends_with(&format!("hostname = {whole}\n")), "{}", asked.text());
    }
}

#[test]
fn comments_and_unchanged_options_stay_in_an_edited_file() {
    use std::os::unix::fs::PermissionsExt;
    let asked = Asked::new();
    let text = "# The server of the shop.\n\n[flawless]\n; the door\nPort: 0\nhttp_port = 0\n\
                data_dir_path = data   \nredact_names = pin,\n    # of cards\n    cvc\n\
                smtp_host = SMTP\nrepo_dir = REPO\n# the end\n";
    asked.write(text);
    let path = asked.path().join("flawless.cfg");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).expect("set");
    let before = asked.text();
    stdout(&asked.set(&["default_contact=team@example.com"]));
    assert_eq!(asked.text(), format!("{before}default_contact = team@example.com\n"));
    let mode = std::fs::metadata(&path).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o640, "its group may still read it");

    stdout(&asked.server(&[]));
    let kept = format!("{before}default_contact = team@example.com\n");
    assert_eq!(asked.text(), kept, "each answer was kept");
    stdout(&asked.server(&["any"]));
    assert_eq!(asked.text(), kept.replace("Port: 0", "port = any"));
}

#[test]
fn set_with_a_problem_says_so_and_exits_with_one() {
    let asked = Asked::new();
    asked.write(WORKING);
    assert!(asked.set(&["default_contact=a@example.com"]).status.success());
    for (set, problem) in [
        ("repo_dir=/nowhere", "/nowhere is not a git repository"),
        ("smtp_host=127.0.0.1:1", "smtp_host: 127.0.0.1:1"),
        ("data_dir_path=/dev/null/x", "/dev/null/x cannot be written"),
    ] {
        asked.write(WORKING);
        let output = asked.set(&[set]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{set}: {text}");
        assert!(text.contains("PROBLEM: ") && text.contains(problem), "{set}: {text}");
        assert!(asked.text().contains(&set.replace('=', " = ")), "it is written nevertheless");
    }
    let before = asked.text();
    let refused = asked.set(&["port=many"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("\"many\" is not a port"), "{}", stderr(&refused));
    assert_eq!(asked.text(), before);
}

#[test]
fn secret_in_a_file_is_kept_or_replaces_the_file() {
    let asked = Asked::new();
    std::fs::write(asked.path().join("url"), asked.repository.dir().display().to_string())
        .expect("written");
    asked.write(&WORKING.replace("repo_dir = REPO", "repo_url_file = url"));
    let before = asked.text();
    let text = stdout(&asked.server(&[]));
    assert!(text.contains("Address to clone from [in url]: "), "{text}");
    assert_eq!(asked.text(), before);
    let url = asked.repository.dir().display().to_string();
    let kept = [""; 13];
    stdout(&asked.server(&[&kept[..], &[&url]].concat()));
    let written = asked.text();
    assert!(written.contains(&format!("repo_url = {url}\n")), "{written}");
    assert!(!written.contains("repo_url_file"), "{written}");
}
