//! Removes secrets from a report before it is stored, whatever client sent it: by the rules that
//! the Python package has, and the server's own secrets wherever they occur. Slow searches, above
//! all by the user's own patterns, run where only the sender waits for them.

mod slow;
mod walk;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use flawless_core::{Frame, Report};
use flawless_redact::{OneReport, RedactError, Redactor, Rules};
use tokio::sync::Semaphore;

use self::slow::SlowPatterns;
use self::walk::{Walk, size};
use crate::config::RedactionConfig;
use flawless_base::clock::Clock;
use flawless_base::secret::Secret;
pub use slow::{SlowPattern, slow_in_words, slow_text};

/// Bytes of text from which on even the built-in rules take long.
const LARGE: usize = 64 * 1024;
/// Reports whose texts are searched in background threads at the same time. More than there are
/// processors: a slow report then shares them with others, and blocks none.
const AT_ONCE: usize = 8;

/// Removes secrets from reports.
#[derive(Debug)]
pub struct Redaction {
    /// The built-in rules and the server's secrets: their time grows linearly with a text's length.
    rules: RwLock<Arc<Redactor>>,
    /// The user's own patterns, if there are any.
    own: Option<Redactor>,
    places: Arc<Semaphore>,
    slow: SlowPatterns,
}

/// The built-in rules with the server's secrets.
fn built_in(config: &RedactionConfig) -> Result<Arc<Redactor>, RedactError> {
    // The redactor takes a secret by its name in the environment, and the password of a URL.
    let named =
        |name: &'static str| move |secret: &Secret| (name.to_owned(), secret.reveal().to_owned());
    let secrets = config.secrets.iter().map(named("SECRET"));
    let secrets = secrets.chain(config.urls.iter().map(named("URL")));
    let rules = Rules { off: config.rules.off.clone(), ..Rules::default() };
    let rules = Redactor::new(&rules, secrets)?;
    // The first text builds caches. That happens now, so that no report waits for it.
    rules.redact("");
    Ok(Arc::new(rules))
}

/// A received report, as the rest of the server gets it.
#[derive(Debug)]
pub struct Received {
    /// The report.
    pub report: Report,
    /// Its secrets are removed.
    pub is_clean: bool,
}

/// The search for secrets in a report failed.
#[derive(Debug, thiserror::Error)]
#[error("the search for secrets in the report failed")]
pub struct BrokeOff;

impl Redaction {
    /// Uses the configured rules.
    ///
    /// # Errors
    /// A rule is invalid: the configuration was not checked.
    pub fn new(config: &RedactionConfig, clock: Clock) -> Result<Self, RedactError> {
        let Rules { extra_names, extra_values, .. } = config.rules.clone();
        let has_own = !extra_names.is_empty() || !extra_values.is_empty();
        let none = Redactor::rule_names().map(str::to_owned).collect();
        let own = Rules { extra_names, extra_values, off: none };
        Ok(Self {
            rules: RwLock::new(built_in(config)?),
            own: if has_own { Some(Redactor::new(&own, [])?) } else { None },
            places: Arc::new(Semaphore::new(AT_ONCE)),
            slow: SlowPatterns::new(clock),
        })
    }

    /// From now on, the secrets are those of `config`, which has the same rules.
    ///
    /// # Errors
    /// A rule is invalid: the configuration was not checked.
    pub fn set_secrets(&self, config: &RedactionConfig) -> Result<(), RedactError> {
        let rules = built_in(config)?;
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = rules;
        Ok(())
    }

    fn rules(&self) -> Arc<Redactor> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Removes secrets before the report joins the others, when that would take long: from the
    /// whole report if the user has patterns, or if it is large. What it `held` is kept until then,
    /// even when nobody waits for it any longer.
    ///
    /// # Errors
    /// The search failed: the rest may hold secrets, so nothing is returned.
    pub async fn at_the_door<Held: Send + 'static>(
        self: &Arc<Self>,
        mut report: Report,
        held: Held,
    ) -> Result<(Received, Held), BrokeOff> {
        if self.own.is_none() && size(&report) <= LARGE {
            return Ok((Received { report, is_clean: false }, held));
        }
        self.aside(move |own, rules| {
            if let Some(own) = own {
                Walk(own).report(&mut report);
            }
            Walk(rules).report(&mut report);
            report.shorten();
            (Received { report, is_clean: true }, held)
        })
        .await
    }

    /// Removes the secrets from a small report by the built-in rules, and cuts it to its size.
    /// Doing it twice changes nothing.
    pub fn redact(&self, report: &mut Report) {
        Walk(&self.rules().one_report()).report(report);
        report.shorten();
    }

    /// Removes the secrets from the source of a frame that was read from the repository, or all of
    /// the source when the search fails.
    pub async fn source(self: &Arc<Self>, frame: &mut Frame) {
        let mut read = Frame {
            text: std::mem::take(&mut frame.text),
            before: std::mem::take(&mut frame.before),
            after: std::mem::take(&mut frame.after),
            ..Frame::default()
        };
        let searched = self.aside(move |own, rules| {
            own.map(Walk).iter().for_each(|own| own.source(&mut read));
            Walk(rules).source(&mut read);
            read
        });
        if let Ok(Frame { text, before, after, .. }) = searched.await {
            (frame.text, frame.before, frame.after) = (text, before, after);
        }
    }

    /// Removes the secrets from the versions of modules, by name.
    pub fn modules(&self, modules: &mut BTreeMap<String, String>) {
        Walk(&self.rules().one_report()).modules(modules);
    }

    /// A short text without the secrets that the built-in rules find in it.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.rules().redact(text) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(redacted) => Cow::Owned(redacted),
        }
    }

    /// The patterns that recently took too long.
    pub fn slow_patterns(&self) -> Vec<SlowPattern> {
        self.slow.of_late()
    }

    /// Searches in a thread that nothing else waits for.
    async fn aside<T: Send + 'static>(
        self: &Arc<Self>,
        search: impl FnOnce(Option<&OneReport<'_>>, &OneReport<'_>) -> T + Send + 'static,
    ) -> Result<T, BrokeOff> {
        let place = self.places.clone().acquire_owned().await.map_err(|_| BrokeOff)?;
        let this = self.clone();
        let searched = tokio::task::spawn_blocking(move || {
            // A caller that goes away leaves the work running, and it keeps its place.
            let _place = place;
            let own = this.own.as_ref().map(Redactor::one_report);
            let searched = search(own.as_ref(), &this.rules().one_report());
            if let Some((list, pattern)) = own.as_ref().and_then(OneReport::slow_pattern) {
                this.slow.note(list, pattern);
            }
            searched
        });
        searched.await.map_err(|_| BrokeOff)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use flawless_core::{ChainedException, WebRequest};
    use flawless_redact::SCRUBBED;

    use super::*;

    const URL: &str = "postgres://shop:Tr0ub4dor@db/shop";

    fn redaction(rules: Rules, secrets: &[&str], urls: &[&str]) -> Redaction {
        let all = |texts: &[&str]| texts.iter().map(|text| Secret::new(*text)).collect();
        let config = RedactionConfig { rules, secrets: all(secrets), urls: all(urls) };
        Redaction::new(&config, Clock::fixed(0)).expect("valid rules")
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
    fn parts_with_values_are_redacted_once_and_the_rest_stays() {
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
    fn secret_at_the_end_of_a_value_is_found_before_the_cut() {
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

    #[tokio::test]
    async fn server_secrets_and_user_patterns_are_found_anywhere() {
        let rules = Rules {
            extra_names: vec!["parcel".into()],
            extra_values: vec![r"CUST-\d+".into()],
            ..Rules::default()
        };
        let urls = ["https://ci:cl0nepassw0rd@git.example.com/shop.git", "ann@git:shop.git"];
        let redaction = Arc::new(redaction(rules, &["s3rv3rpassw0rd"], &urls));
        let message =
            "sent s3rv3rpassw0rd for CUST-12345, cloned with cl0nepassw0rd, ann@git:shop.git";
        let report = Report {
            exception_message: message.into(),
            additional_info: "{'parcel': 'x', 'password': 'y', 'n': 1}".into(),
            ..Report::default()
        };
        let Received { report, is_clean } =
            redaction.at_the_door(report, ()).await.expect("it ends").0;
        assert!(is_clean);
        assert_eq!(
            report.exception_message,
            "sent **scrubbed** for **scrubbed**, cloned with **scrubbed**, ann@git:shop.git"
        );
        assert_eq!(
            report.additional_info,
            "{'parcel': **scrubbed**, 'password': **scrubbed**, 'n': 1}"
        );
        assert_eq!(redaction.slow_patterns(), []);
        let mut frame = Frame {
            text: "use('CUST-12345', url)\n".into(),
            before: vec![format!("url = '{URL}'\n")],
            line: 7,
            ..Frame::default()
        };
        redaction.source(&mut frame).await;
        assert_eq!(frame.text, "use('**scrubbed**', url)\n");
        assert_eq!(frame.before, ["url = 'postgres://shop:**scrubbed**@db/shop'\n"]);
        assert_eq!(frame.line, 7);
    }

    #[tokio::test]
    async fn large_reports_are_the_only_ones_searched_at_the_door() {
        let redaction = Arc::new(redaction(Rules::default(), &[], &[]));
        let (received, ()) = redaction.at_the_door(report(), ()).await.expect("it ends");
        assert!(!received.is_clean, "whether it is stored is not known yet");
        assert_eq!(received.report, report());
        let large = Report { additional_info: "password=Tr0ub4dor ".repeat(4_000), ..report() };
        let (received, ()) = redaction.at_the_door(large.bounded(), ()).await.expect("it ends");
        let text = serde_json::to_string(&received.report).expect("JSON");
        assert!(received.is_clean && !text.contains("Tr0ub4dor"), "{text}");
        let mut twice = received.report.clone();
        redaction.redact(&mut twice);
        assert_eq!(twice, received.report);
    }

    #[test]
    fn missing_value_is_shown_whatever_its_name() {
        let locals = [
            ("gift_token", "''"),
            ("facebook_access_token", "None"),
            ("on_token_func", "<function refresh at 0x7f3a2c>"),
            ("session", "<Session object>"),
            ("password", "'x'"),
        ];
        let mut report = Report {
            traceback: vec![Frame { locals: Some(map(&locals)), ..Frame::default() }],
            ..Report::default()
        };
        redaction(Rules::default(), &[], &[]).redact(&mut report);
        let redacted = report.traceback[0].locals.as_ref().expect("locals");
        let mut expected = map(&locals);
        expected.insert("password".into(), SCRUBBED.into());
        assert_eq!(*redacted, expected);
    }
}
