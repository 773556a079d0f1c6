//! Somebody with a browser: keeps cookies, sends forms as the pages have them, and follows no
//! redirect by itself.
use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;

use super::{App, Mail, wait_until};

/// Somebody with a browser of their own.
pub struct Surfer {
    base: String,
    http: reqwest::Client,
    cookies: Mutex<BTreeMap<String, String>>,
    /// Sent with each request.
    headers: Vec<(&'static str, String)>,
}

/// The response to a request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    pub headers: HeaderMap,
}

impl Answer {
    /// The target of a redirect; empty when there is none.
    pub fn location(&self) -> &str {
        self.headers.get(LOCATION).map_or("", |value| value.to_str().expect("text"))
    }

    /// The cookies it sets, with their attributes.
    pub fn cookies(&self) -> Vec<&str> {
        self.headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().expect("text")).collect()
    }

    /// The value of a hidden field, of the first form that has it.
    pub fn field(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let at = self.body.find(&start).unwrap_or_else(|| panic!("no {name} in {}", self.body));
        let rest = &self.body[at + start.len()..];
        rest[..rest.find('"').expect("an end")].replace("&#38;", "&").replace("&amp;", "&")
    }
}

impl Surfer {
    pub fn new(app: &App) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().redirect(Policy::none()).build().expect("a client");
        let base = format!("http://{}", app.server.http_address);
        Self { base, http, cookies: Mutex::default(), headers: Vec::new() }
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// A page, here or at another address.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.http.get(self.url(path))).await
    }

    /// Sends fields as they are.
    pub async fn post_bare(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(self.http.post(self.url(path)).form(fields)).await
    }

    /// Sends fields with the form token of this session.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.form_token().await;
        let fields: Vec<_> =
            fields.iter().copied().chain([("form_token", token.as_str())]).collect();
        self.post_bare(path, &fields).await
    }

    pub async fn form_token(&self) -> String {
        self.get("/account").await.field("form_token")
    }

    /// Whether the pages are shown to this browser.
    pub async fn is_in(&self) -> bool {
        self.get("/").await.status == 200
    }

    /// Asks for a link and returns the one of the mail.
    pub async fn ask_link(&self, app: &App, address: &str, next: &str) -> String {
        let before = mails_to(app, address).len();
        let asked = self.post_bare("/sign_in", &[("address", address), ("next", next)]).await;
        assert_eq!((asked.status, asked.location()), (303, "/sign_in/sent"), "{}", asked.body);
        wait_until("the link arrives", async || mails_to(app, address).len() > before).await;
        link_in(&mails_to(app, address).pop().expect("a mail"))
    }

    /// Presses the button behind a link.
    pub async fn use_link(&self, link: &str) -> Answer {
        let token = link.split_once("token=").expect("a token").1;
        let page = self.get(&format!("/sign_in/link?token={token}")).await;
        if page.status != 200 {
            return page;
        }
        let fields = [("token", token), ("browser", &page.field("browser"))];
        self.post_bare("/sign_in/link", &fields).await
    }

    /// Signs in by mail.
    pub async fn sign_in(&self, app: &App, address: &str) {
        let link = self.ask_link(app, address, "/").await;
        assert_eq!(self.use_link(&link).await.status, 303);
    }

    fn url(&self, path: &str) -> String {
        if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) }
    }

    async fn send(&self, mut request: reqwest::RequestBuilder) -> Answer {
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let kept: Vec<_> = {
            let cookies = self.cookies.lock().expect("lock");
            cookies.iter().map(|(name, value)| format!("{name}={value}")).collect()
        };
        if !kept.is_empty() {
            request = request.header("cookie", kept.join("; "));
        }
        let answer = request.send().await.expect("the server answers");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let answer = Answer { status, headers, body: answer.text().await.expect("text") };
        for cookie in answer.cookies() {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').expect("a cookie");
            let mut cookies = self.cookies.lock().expect("lock");
            match attributes.contains("Max-Age=0") {
                true => cookies.remove(name),
                false => cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        answer
    }
}

/// The mails with links that an address got, the oldest first.
pub fn mails_to(app: &App, address: &str) -> Vec<Mail> {
    let mails = app.smtp.mails().into_iter();
    mails.filter(|mail| mail.to == address && mail.subject.contains("Sign in")).collect()
}

/// The link in a mail.
pub fn link_in(mail: &Mail) -> String {
    let link = mail.text.lines().map(str::trim).find(|line| line.contains("/sign_in/link"));
    link.expect("a link").to_owned()
}
