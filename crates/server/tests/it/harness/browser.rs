//! A real browser, chromium without a window, and checks for faults that people would notice. Each
//! test starts one and visits many pages in it.
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use axum::http::Method;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{App, PATIENCE, wait_until};

/// The widths at which pages have to be good: a phone and a large screen.
pub const PHONE: u32 = 380;
pub const SCREEN: u32 = 1400;

/// Distinguishes a page from the next one.
const MARK: &str = "document.documentElement.dataset.before = 1";

/// The style that the reader's system asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Light,
    Dark,
}

/// Which of axe's rules are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axe {
    /// All of WCAG 2.1, level A and AA.
    All,
    /// Only the rule that depends on colours, for the other scheme of a page.
    Contrast,
}

/// Dropping it ends chromium too.
pub struct Browser {
    pub client: Client,
    base: String,
    /// Ends before its folder goes.
    _driver: Driver,
    _profile: TempDir,
}

/// The program that drives chromium.
struct Driver {
    child: Child,
    port: u16,
    /// Nobody reads it any longer, but it must stay open.
    _output: BufReader<ChildStdout>,
}

impl Browser {
    /// Starts a browser that opens paths of this server, with script, in the light style, and wide.
    pub async fn start(app: &App) -> Self {
        let profile = tempfile::tempdir().expect("a folder");
        let driver = Driver::start();
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--no-first-run",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
            // Requests to other machines fail, and that counts as a complaint.
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            &format!("--user-data-dir={}", profile.path().display()),
        ];
        let capabilities = json!({
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let Value::Object(capabilities) = capabilities else { unreachable!("it is written above") };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", driver.port))
            .await
            .expect("chromium starts: `./test` installs it where it can");
        let base = format!("http://{}", app.server.http_address);
        let browser = Self { client, base, _driver: driver, _profile: profile };
        browser.width(SCREEN).await;
        browser.scheme(Scheme::Light).await;
        browser
    }

    /// Opens a path of the server, or another address.
    pub async fn open(&self, path: &str) {
        let url =
            if path.starts_with('/') { format!("{}{path}", self.base) } else { path.to_owned() };
        self.client.goto(&url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// Path and query of the page that it shows.
    pub async fn path(&self) -> String {
        let url = self.client.current_url().await.expect("a page");
        url[url::Position::BeforePath..].to_owned()
    }

    /// The HTTP status of the page.
    pub async fn status(&self) -> u64 {
        let script = "return performance.getEntriesByType('navigation')[0].responseStatus";
        self.run(script, vec![]).await.as_u64().expect("a status")
    }

    /// The text that a reader sees, without closed folds.
    pub async fn text(&self) -> String {
        let text = self.run("return document.body.innerText", vec![]).await;
        text.as_str().expect("text").to_owned()
    }

    /// Runs a script of the test in the page, whether or not the page's own may run.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client.execute(script, arguments).await.expect("the script runs")
    }

    pub async fn width(&self, width: u32) {
        let mobile = width < 500;
        let metrics =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": mobile });
        self.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    pub async fn scheme(&self, scheme: Scheme) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme.name() }]);
        self.cdp("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Whether pages that are opened from now on may run script.
    pub async fn allow_script(&self, allowed: bool) {
        self.cdp("Emulation.setScriptExecutionDisabled", json!({ "value": !allowed })).await;
    }

    /// Ignores the policy of pages opened from now on, so that only escaping keeps hostile text
    /// from running.
    pub async fn without_policy(&self) {
        self.cdp("Page.enable", json!({})).await;
        self.cdp("Page.setBypassCSP", json!({ "enabled": true })).await;
    }

    /// Clicks the first visible link, button or summary that has these words.
    pub async fn follow(&self, words: &str) {
        const SELECTOR: &str = "a, button, summary, input[type=submit]";
        let script = "const all = [...document.querySelectorAll(arguments[0])];
            const words = (e) => (e.innerText || e.value || '').replace(/\\s+/g, ' ').toLowerCase();
            const found = all.findIndex((e) => e.checkVisibility() && words(e).includes(arguments[1]));
            return found < 0 ? all.map(words).join(' | ') : found";
        let found = self.run(script, vec![SELECTOR.into(), words.to_lowercase().into()]).await;
        let Some(at) = found.as_u64() else { panic!("nothing says {words:?}: {found}") };
        let at = usize::try_from(at).expect("few");
        self.click(&self.find_all(SELECTOR).await[at]).await;
    }

    /// Writes into the first visible field of this name, or selects an option of it.
    pub async fn fill(&self, name: &str, value: &str) {
        let field = self.field(name).await;
        if field.tag_name().await.expect("a tag") == "select" {
            field.select_by_value(value).await.expect("a choice");
        } else {
            field.clear().await.expect("it takes text");
            field.send_keys(value).await.expect("it takes text");
        }
    }

    /// Presses the first button of the form that has a field of this name.
    pub async fn submit(&self, name: &str) {
        let form = format!(
            "//*[@name='{name}' and not(@type='hidden')]/ancestor::form//button[not(@type='button')]"
        );
        let buttons = self.client.find_all(Locator::XPath(&form)).await.expect("an answer");
        let button = buttons.first().unwrap_or_else(|| panic!("no form with {name}"));
        self.click(button).await;
    }

    /// Presses a key where the focus is.
    pub async fn press(&self, key: Key) {
        let (down, up) =
            (KeyAction::Down { value: key.into() }, KeyAction::Up { value: key.into() });
        let keys = KeyActions::new("keys".to_owned()).then(down).then(up);
        self.client.perform_actions(keys).await.expect("a key");
    }

    /// Errors that the browser logged since the last call: failed scripts and requests, and
    /// violations of the page's policy. An error status of the page itself does not count, and
    /// neither do errors of the browser's own pages, such as the one it starts with.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.command("se/log", json!({ "type": "browser" })).await;
        let page = self.client.current_url().await.expect("a page");
        let entries = log.as_array().expect("a list").iter().filter(|entry| {
            let text = entry["message"].as_str().unwrap_or_default();
            let of_page = text.starts_with(&format!("{page} "))
                && text.contains("the server responded with a status of 4");
            let of_browser = text.starts_with("chrome://") || text.starts_with("chrome-");
            let is_error = entry["level"] == "SEVERE" || entry["source"] == "security";
            is_error && !of_page && !of_browser
        });
        entries.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The elements that make the page wider than the window.
    pub async fn too_wide(&self) -> Vec<String> {
        strings(&self.run(include_str!("browser_too_wide.js"), vec![]).await)
    }

    /// The faults that axe finds for people who use assistive technology.
    pub async fn axe(&self, rules: Axe) -> Vec<String> {
        let loaded = self.run("return typeof axe === 'object'", vec![]).await;
        if loaded != true {
            self.run(&axe_source(), vec![]).await;
        }
        let only = match rules {
            Axe::All => {
                json!({ "type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] })
            }
            Axe::Contrast => json!({ "type": "rule", "values": ["color-contrast"] }),
        };
        let script = include_str!("browser_axe.js");
        let found = self.client.execute_async(script, vec![only]).await.expect("axe runs");
        strings(&found)
    }

    /// A picture of the whole page in `target/screenshots`.
    pub async fn screenshot(&self, name: &str) {
        let metrics = self.cdp("Page.getLayoutMetrics", json!({})).await;
        let size = &metrics["cssContentSize"];
        let height = size["height"].as_f64().expect("a height").min(4000.0);
        let clip = json!({ "x": 0, "y": 0, "width": size["width"], "height": height, "scale": 1 });
        let wanted = json!({ "captureBeyondViewport": true, "clip": clip });
        let picture = self.cdp("Page.captureScreenshot", wanted).await;
        let picture = picture["data"].as_str().expect("a picture");
        let path = target("screenshots").join(format!("{name}.png"));
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        let picture = BASE64_STANDARD.decode(picture).expect("base64");
        std::fs::write(path, picture).expect("written");
    }

    /// A command of Chromium's own protocol.
    pub async fn cdp(&self, command: &str, parameters: Value) -> Value {
        self.command("goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
    }

    /// Runs a script that leads to another page, and waits for that.
    pub async fn leave_by(&self, script: &str, arguments: Vec<Value>) {
        self.run(MARK, vec![]).await;
        self.run(script, arguments).await;
        self.wait_for_next().await;
    }

    /// Clicks, and waits for the page that it leads to when it leads to one.
    async fn click(&self, element: &Element) {
        self.run(MARK, vec![]).await;
        let leads = "const e = arguments[0];
            return e.matches('a') ? !e.getAttribute('href').startsWith('#') : e.type === 'submit'";
        let reference = serde_json::to_value(element).expect("a reference");
        let leads = self.run(leads, vec![reference]).await;
        element.click().await.expect("it can be clicked");
        if leads == true {
            self.wait_for_next().await;
        }
    }

    async fn wait_for_next(&self) {
        let is_next = "return document.readyState === 'complete'
            && !document.documentElement.dataset.before";
        wait_until("the next page is there", async || {
            self.client.execute(is_next, vec![]).await.is_ok_and(|is_next| is_next == true)
        })
        .await;
    }

    async fn find_all(&self, selector: &str) -> Vec<Element> {
        self.client.find_all(Locator::Css(selector)).await.expect("an answer")
    }

    async fn field(&self, name: &str) -> Element {
        for field in self.find_all(&format!("[name='{name}']")).await {
            if field.is_displayed().await.expect("an answer") {
                return field;
            }
        }
        panic!("no field {name} on {}: {}", self.path().await, self.text().await);
    }

    async fn command(&self, path: &'static str, body: Value) -> Value {
        let command = DriverCommand { path, body };
        let answer = self.client.issue_cmd(command).await;
        answer.unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

impl Scheme {
    pub fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl Driver {
    fn start() -> Self {
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            // Times are shown in the zone of the reader.
            .env("TZ", "UTC")
            .env("LANGUAGE", "en")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts: `./test` installs it where it can");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        let port = loop {
            line.clear();
            let read = output.read_line(&mut line).expect("text");
            assert_ne!(read, 0, "chromedriver ended before it said its port");
            if let Some((_, port)) = line.trim_end().split_once("successfully on port ") {
                break port.trim_end_matches('.').parse().expect("a port");
            }
        };
        Self { child, port, _output: output }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // If it were killed, its chromium would stay behind.
        if let Ok(mut connection) = TcpStream::connect(("127.0.0.1", self.port)) {
            let _ = connection.set_read_timeout(Some(PATIENCE));
            let _ = connection.write_all(b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\n\r\n");
            let _ = connection.read(&mut [0]);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that only Chromium's driver has.
#[derive(Debug)]
struct DriverCommand {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for DriverCommand {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

fn strings(value: &Value) -> Vec<String> {
    serde_json::from_value(value.clone()).expect("texts")
}

fn target(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target")).join(name)
}

fn axe_source() -> String {
    let path = target("axe-core/axe.min.js");
    std::fs::read_to_string(&path)
        .unwrap_or_else(|_| panic!("{} is missing: run ./test once, it fetches it", path.display()))
}
