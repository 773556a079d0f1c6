//! The code that makes a program report: the snippets of docs/clients/python.md and sdks.md, with this
//! server's address and key filled in.
use flawless_base::text::plain;

use crate::app::App;

/// A snippet for a kind of program.
pub(crate) struct Snippet {
    /// A part of its element's id.
    pub(crate) number: usize,
    pub(crate) title: &'static str,
    pub(crate) code: String,
}

const DOCS: &str = include_str!("../../../../../docs/clients/python.md");
const OTHER_DOCS: &str = include_str!("../../../../../docs/clients/sdks.md");
/// The placeholder for the server's address in these snippets.
const DSN: &str = "http://KEY@flawless.example.com:8080/shop";
/// The same in those of other languages: their clients want the project's number.
const OTHER_DSN: &str = "http://KEY@flawless.example.com:8080/1";
const HOSTPORT: &str = "flawless.example.com:9028";

/// Titles, and the headings in the documentation.
const SNIPPETS: [(&str, &str); 10] = [
    ("Any program", "Start"),
    ("WSGI", "WSGI"),
    ("ASGI", "ASGI"),
    ("Django", "Django"),
    ("Flask", "Flask"),
    ("FastAPI, Starlette", "Starlette, FastAPI"),
    ("Celery", "Celery"),
    ("Logging", "Logging"),
    ("Functions and classes", "Functions and classes"),
    ("The client of 0.4.5", "Programs written for 0.4.5"),
];

/// The headings of other languages, which are titles too.
const OTHERS: [&str; 17] = [
    "Node",
    "Browser",
    "React",
    "Next.js",
    "Java",
    "Spring Boot",
    "Go",
    "Ruby",
    "Ruby on Rails",
    "PHP",
    "Laravel",
    "Symfony",
    ".NET",
    "Rust",
    "Elixir",
    "Android",
    "iOS",
];

/// The snippets for this server; they have a placeholder for the key unless `with_key`.
pub(crate) fn snippets(app: &App, with_key: bool) -> Vec<Snippet> {
    let dsn = dsn(app, with_key);
    let hostport = hostport(app);
    let snippet = |(number, (title, heading)): (usize, (&'static str, &str))| Snippet {
        number,
        title,
        code: plain(&documented(DOCS, heading).replace(DSN, &dsn).replace(HOSTPORT, &hostport)),
    };
    SNIPPETS.into_iter().enumerate().map(snippet).collect()
}

/// The snippets of other languages.
pub(crate) fn other_snippets(app: &App, with_key: bool) -> Vec<Snippet> {
    let dsn = dsn(app, with_key);
    let snippet = |(at, title): (usize, &'static str)| Snippet {
        number: SNIPPETS.len() + at,
        title,
        code: plain(&documented(OTHER_DOCS, title).replace(OTHER_DSN, &dsn)),
    };
    OTHERS.into_iter().enumerate().map(snippet).collect()
}

/// As `flawless projects` prints it.
pub(crate) fn dsn(app: &App, with_key: bool) -> String {
    let dsn = app.dsn().unwrap_or_default();
    match app.project.newest_key() {
        Some(key) if !with_key => dsn.replacen(key.reveal(), "KEY", 1),
        _ => dsn,
    }
}

fn hostport(app: &App) -> String {
    let url = url::Url::parse(&app.client_url()).ok();
    let host = url.as_ref().and_then(url::Url::host_str).unwrap_or("localhost");
    let port = app.running.get().and_then(|running| running.thrift_port);
    match port {
        Some(port) => format!("{host}:{port}"),
        None => format!("{host}:PORT"),
    }
}

/// The first code below a heading of the documentation.
fn documented(docs: &'static str, heading: &str) -> &'static str {
    let section = docs.split("\n## ").find(|section| section.lines().next() == Some(heading));
    let code = section.and_then(|section| section.split_once("\n```")?.1.split_once('\n'));
    code.and_then(|(_, code)| code.split_once("\n```")).map_or("", |(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snippets_are_in_the_documentation_and_name_the_address() {
        for (title, heading) in SNIPPETS {
            let code = documented(DOCS, heading);
            assert!(code.contains(DSN) || code.contains(HOSTPORT), "{title}: {code:?}");
            assert!(!code.contains("\n## "), "{title}: more than its section");
        }
        for title in OTHERS {
            let code = documented(OTHER_DOCS, title);
            assert!(code.contains(OTHER_DSN), "{title}: {code:?}");
            assert!(!code.contains("\n## "), "{title}: more than its section");
        }
    }
}
