//! Takes secrets out of a report before it is stored, whatever client sent it: by the rules that
//! the Python package has, and the server's own secrets wherever they turn up.
use std::borrow::Cow;
use std::collections::BTreeMap;

use flawless_core::{ChainedException, CommitId, Frame, Report, WebRequest};
use flawless_redact::{RedactError, Redactor, SCRUBBED};

use crate::config::{RedactionConfig, Secret};

/// Made once at the start.
#[derive(Debug)]
pub struct Redaction(Redactor);

impl Redaction {
    /// By the configured rules; `keys` are secrets that only the store knows.
    ///
    /// # Errors
    /// A rule that is none: the configuration was not checked.
    pub fn new(config: &RedactionConfig, keys: &[Secret]) -> Result<Self, RedactError> {
        // The redactor takes a secret by its name in the environment, and of a URL the password.
        let named = |name: &'static str| {
            move |secret: &Secret| (name.to_owned(), secret.reveal().to_owned())
        };
        let secrets = config.secrets.iter().chain(keys).map(named("SECRET"));
        let secrets = secrets.chain(config.urls.iter().map(named("URL")));
        Redactor::new(&config.rules, secrets).map(Self)
    }

    /// Redacts all of a report that may hold values, and cuts it to its size. Doing it twice
    /// changes nothing.
    pub fn redact(&self, report: &mut Report) {
        // Each field by its name, so that none that comes later is forgotten.
        let Report {
            traceback,
            exception_type,
            exception_message,
            hostname,
            error_threshold: _,
            additional_info,
            error_count: _,
            revision,
            environment,
            chain,
            notes,
            request,
        } = report;
        self.stack(traceback);
        for text in [exception_message, additional_info, hostname, environment] {
            self.replace(text);
        }
        self.replace_values(exception_type);
        // The name of a commit is no secret, whatever it looks like.
        if let Some(revision) = revision.as_mut().filter(|name| CommitId::parse(name).is_none()) {
            self.replace_values(revision);
        }
        notes.iter_mut().for_each(|note| self.replace(note));
        for exception in chain {
            let ChainedException {
                traceback,
                exception_type,
                exception_message,
                notes,
                relation: _,
                parent: _,
            } = exception;
            self.stack(traceback);
            self.replace_values(exception_type);
            self.replace(exception_message);
            notes.iter_mut().for_each(|note| self.replace(note));
        }
        if let Some(WebRequest { method, path, protocol, headers, body }) = request {
            for text in [method, path, protocol, body] {
                self.replace(text);
            }
            self.named(headers);
        }
        report.shorten();
    }

    /// A short text without the secrets in it.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.0.redact(text)
    }

    fn replace(&self, text: &mut String) {
        if let Cow::Owned(redacted) = self.0.redact(text) {
            *text = redacted;
        }
    }

    /// A name or a path: only secrets that are known by themselves.
    fn replace_values(&self, text: &mut String) {
        if let Cow::Owned(redacted) = self.0.redact_values(text) {
            *text = redacted;
        }
    }

    /// Variables or headers: their names, and the values by name.
    fn named(&self, values: &mut BTreeMap<String, String>) {
        if values.keys().any(|name| matches!(self.0.redact_values(name), Cow::Owned(_))) {
            let clean =
                |(name, value): (String, String)| (self.0.redact_values(&name).into_owned(), value);
            *values = std::mem::take(values).into_iter().map(clean).collect();
        }
        for (name, value) in values {
            if self.0.is_secret_name(name) && !value.is_empty() {
                SCRUBBED.clone_into(value);
            } else {
                self.replace(value);
            }
        }
    }

    fn stack(&self, frames: &mut [Frame]) {
        for frame in frames {
            self.replace_values(&mut frame.path);
            self.replace_values(&mut frame.function);
            self.source(frame);
            frame.locals.iter_mut().for_each(|locals| self.named(locals));
        }
    }

    fn source(&self, frame: &mut Frame) {
        let before = frame.before.iter().map(String::as_str);
        let own = before.len();
        let after = frame.after.iter().map(String::as_str);
        let lines: Vec<&str> = before.chain([frame.text.as_str()]).chain(after).collect();
        if let Some(redacted) = self.0.redact_lines(&lines, own) {
            frame.before = redacted.before;
            frame.text = redacted.line;
            frame.after = redacted.after;
        }
    }
}

#[cfg(test)]
mod tests {
    use flawless_redact::Rules;

    use super::*;

    const URL: &str = "postgres://shop:Tr0ub4dor@db/shop";

    fn redaction(rules: Rules, secrets: &[&str], urls: &[&str]) -> Redaction {
        let all = |texts: &[&str]| texts.iter().map(|text| Secret::new(*text)).collect();
        let config = RedactionConfig { rules, secrets: all(secrets), urls: all(urls) };
        Redaction::new(&config, &[]).expect("valid rules")
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn report() -> Report {
        let frame = |text: &str| Frame {
            path: "/srv/app/db.py".into(),
            text: text.into(),
            locals: Some(map(&[("password", "'hunter2'"), ("url", URL), ("rows", "[1, 2]")])),
            before: vec![format!("URL = '{URL}'\n")],
            after: vec!["pass\n".into()],
            ..Frame::default()
        };
        Report {
            traceback: vec![frame("connect(URL)\n"), frame(&format!("connect('{URL}')\n"))],
            exception_message: format!("OperationalError('{URL}')"),
            additional_info: "{'api_key': 'Tr0ub4dor'}".into(),
            notes: vec![format!("at {URL}")],
            chain: vec![ChainedException {
                exception_message: "login failed: password=Tr0ub4dor".into(),
                traceback: vec![frame(URL)],
                notes: vec![URL.into()],
                ..ChainedException::default()
            }],
            request: Some(WebRequest {
                path: "/login?token=Tr0ub4dor&page=2".into(),
                headers: map(&[("Cookie", "a=Tr0ub4dor"), ("Host", "shop"), ("Referer", URL)]),
                body: "user=ann&password=Tr0ub4dor".into(),
                ..WebRequest::default()
            }),
            ..Report::default()
        }
    }

    #[test]
    fn every_part_that_may_hold_values_is_redacted_once_and_the_rest_stays() {
        let redaction = redaction(Rules::default(), &[], &[]);
        let mut redacted = report();
        redaction.redact(&mut redacted);
        let text = serde_json::to_string(&redacted).expect("JSON");
        assert!(!text.contains("Tr0ub4dor") && !text.contains("hunter2"), "{text}");
        let frame = &redacted.traceback[1];
        assert_eq!(frame.text, "connect('postgres://shop:**scrubbed**@db/shop')\n");
        assert_eq!((frame.before.len(), frame.after[0].as_str()), (1, "pass\n"));
        let locals = frame.locals.as_ref().expect("locals");
        assert_eq!((locals["password"].as_str(), locals["rows"].as_str()), (SCRUBBED, "[1, 2]"));
        let request = redacted.request.as_ref().expect("a request");
        assert_eq!(request.path, "/login?token=**scrubbed**&page=2");
        assert_eq!(request.headers["Host"], "shop");
        let mut twice = redacted.clone();
        redaction.redact(&mut twice);
        assert_eq!(twice, redacted);
    }

    #[test]
    fn a_secret_at_the_end_of_a_value_that_is_cut_is_known_before_the_cut() {
        let start = "x ".repeat(2_040);
        let long = format!("{start}{URL}{}", "y".repeat(9_000));
        let mut report = Report {
            traceback: vec![Frame { locals: Some(map(&[("v", &long)])), ..Frame::default() }],
            ..Report::default()
        }
        .bounded();
        redaction(Rules::default(), &[], &[]).redact(&mut report);
        let value = &report.traceback[0].locals.as_ref().expect("locals")["v"];
        assert!(value.ends_with('…') && !value.contains("Tr0"), "{}", &value[4_060..]);
    }

    #[test]
    fn the_servers_own_secrets_and_the_users_patterns_are_found_anywhere() {
        let rules = Rules { extra_values: vec![r"CUST-\d+".into()], ..Rules::default() };
        let urls = ["https://ci:cl0nepassw0rd@git.example.com/shop.git", "ann@git:shop.git"];
        let redaction = redaction(rules, &["s3rv3rpassw0rd"], &urls);
        let text =
            "sent s3rv3rpassw0rd for CUST-12345, cloned with cl0nepassw0rd, ann@git:shop.git";
        let redacted =
            "sent **scrubbed** for **scrubbed**, cloned with **scrubbed**, ann@git:shop.git";
        assert_eq!(redaction.text(text), redacted);
    }
}
