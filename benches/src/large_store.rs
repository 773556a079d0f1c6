//! A store of a size for which the pages must be fast: ten thousand issues of forty developers, a
//! million occurrences over eight weeks.
use std::path::Path;

use anyhow::Result;
use flawless_base::secret::Secret;
use flawless_core::{Frame, FrameKind, FramePath, PathRule, Report, ResolvedFrame};
use flawless_store::issues::details::IssueDetails;
use flawless_store::sealing::Sealing;
use flawless_store::{
    IssueFacts, MailKind, NewNotification, NewSample, OutboxMessage, PostgresSettings, Recipient,
    RuleList, Sample, Seen, Store, WriteTx, encode_sample,
};
use serde_json::json;

pub(crate) const ISSUES: usize = 10_000;
const DEVELOPERS: usize = 40;
const HOURS: i64 = 8 * 7 * 24;
/// Number of issues that fail in each hour.
const FAILING: usize = 186;
/// Most occurrences at a time; an average of four gives a million.
const TIMES: usize = 7;
const HOUR_MS: i64 = 3_600_000;
const RULES: usize = 300;
const SAMPLES: usize = 4;

/// Fills the store in `data`, or in a database, with eight weeks that end at `now`.
pub(crate) async fn fill(data: &Path, database: Option<&str>, now: i64) -> Result<()> {
    let (sealing, start) = (Sealing::default(), now - HOURS * HOUR_MS);
    let store = match database {
        None => Store::open(data, &sealing, start).await?,
        Some(url) => {
            let settings = PostgresSettings { url: Secret::new(url), connections: 4 };
            Store::connect(&settings, &sealing, start).await?
        }
    };
    let mut filling =
        Filling { made: vec![None; ISSUES], chance: 1, notified: 0, sample: sample()? };
    let last = now.div_euclid(HOUR_MS);
    for week in 0..HOURS / 168 {
        let mut tx = store.write().await?;
        for hour in 0..168 {
            let start = (last - HOURS + week * 168 + hour) * HOUR_MS;
            filling.hour(&mut tx, start).await?;
        }
        tx.commit().await?;
    }
    let mut tx = store.write().await?;
    for rule in 0..RULES {
        let pattern = json!({"filename": format!("shop/known_{rule}.py"), "code_fragment": "x"});
        tx.add_rule(RuleList::KnownErrors, &pattern, now).await?;
    }
    tx.commit().await?;
    store.close().await;
    Ok(())
}

struct Filling {
    /// Id and number of samples of each issue that has occurred.
    made: Vec<Option<(i64, usize)>>,
    chance: u64,
    notified: i64,
    sample: Vec<u8>,
}

impl Filling {
    /// A pseudo-random number below `end`, the same in each run.
    fn any(&mut self, end: usize) -> usize {
        self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.chance >> 33).unwrap_or_default() % end
    }

    async fn hour(&mut self, tx: &mut WriteTx, start: i64) -> Result<()> {
        for _ in 0..FAILING {
            let (issue, times) = (self.any(ISSUES), 1 + self.any(TIMES));
            let at = start + i64::try_from(self.any(3_600_000))?;
            let seen = Seen {
                occurrences: i64::try_from(times)?,
                only_listed: 0,
                reports: 1,
                first_at: at,
                last_at: at,
                samples: 1,
            };
            let (id, samples) = match self.made[issue] {
                Some((id, samples)) => {
                    tx.count(id, seen).await?;
                    (id, samples)
                }
                None => {
                    let id = tx.count_attributed(&facts(issue, at), seen).await?.id;
                    if issue % 5 < 3 {
                        self.notify(tx, id, issue, at).await?;
                    }
                    // Marks it as checked, so that its line is not looked for.
                    tx.set_checked(id, i64::MAX).await?;
                    (id, 0)
                }
            };
            if samples < SAMPLES {
                let number = i64::try_from(samples + 1)?;
                let sample = NewSample { issue: id, number, received_at: at, body: &self.sample };
                tx.add_samples(&[sample]).await?;
            }
            self.made[issue] = Some((id, samples + 1));
        }
        Ok(())
    }

    async fn notify(&mut self, tx: &mut WriteTx, id: i64, issue: usize, at: i64) -> Result<()> {
        tx.notify(id, 3, "occurred 3 times (threshold 3)", None, at).await?;
        self.notified += 1;
        let recipient = developer(issue);
        let why = "the line is yours".to_owned();
        let notification = NewNotification {
            recipient: Recipient::Address(recipient.clone()),
            why,
            is_owner: true,
        };
        // Each has one alert and one notification, so their numbers stay in step.
        tx.add_notifications(self.notified, &[notification], at).await?;
        let mail = OutboxMessage {
            kind: MailKind::Alert,
            recipient: Recipient::Address(recipient),
            subject: "KeyError in price".to_owned(),
            message_id: format!("bench-{id}@example.com"),
            message: b"Subject: bench\r\n\r\nbench\r\n".to_vec(),
        };
        if let Some(mail) = tx.write_notifications(&[self.notified], &mail, at).await? {
            tx.mail_sent(mail, at).await?;
        }
        Ok(())
    }
}

fn developer(issue: usize) -> String {
    // Some developers own many more issues than others.
    let developer = (issue % DEVELOPERS).min(issue / 7 % DEVELOPERS);
    format!("dev{developer}@example.com")
}

fn facts(issue: usize, at: i64) -> IssueFacts {
    let exceptions = ["builtins.KeyError", "builtins.ValueError", "shop.errors.PriceError"];
    let details = json!({
        "confidence": null,
        "steps": [],
        "suspects": (0..3).map(|suspect| json!({
            "path": format!("shop/layer_{suspect:02}.py"), "line": 12, "function": "price",
            "text": "    return layer(cart, customer)",
            "author": {"developer": {"name": "Dev", "email": "dev1@example.com"},
                "commit": "0123456789012345678901234567890123456789", "summary": "The shop"},
        })).collect::<Vec<_>>(),
        "code_owners": {"owners": ["@shop/prices", "dev3@example.com"], "line": 3, "pattern": "*.py"},
    });
    let number = i64::try_from(issue).unwrap_or_default();
    IssueFacts {
        identity: format!("{issue:040}"),
        path: format!("shop/part_{:02}/prices_{:03}.py", issue % 30, issue % 700),
        line: number % 900 + 1,
        function_name: format!("price_{:03}", issue % 400),
        text: format!("cart.price_{issue:04} = cart.sum_{issue:04} / customer.n"),
        exception_type: exceptions[issue % exceptions.len()].to_owned(),
        known_error_id: issue.is_multiple_of(50).then_some(1),
        kept_out: false,
        origin_commit: Some(format!("{issue:040x}")),
        origin_path: Some("shop/prices.py".to_owned()),
        origin_line: Some(number + 1),
        developer_name: Some(format!("Developer {}", issue % DEVELOPERS)),
        developer_email: Some(developer(issue)),
        authored_at: Some(at - (number % 700 + 1) * 24 * HOUR_MS),
        commit_summary: Some(format!("Price {issue} by the customer's number")),
        reason: "the text stands at this line of the running revision".to_owned(),
        details: IssueDetails::from(details.to_string()),
    }
}

fn sample() -> Result<Vec<u8>> {
    let local = |at: usize| (format!("quantity_{at}"), format!("Cart({})", at * 104_729));
    let frame = |line: u32| Frame {
        path: format!("/srv/app/shop/layer_{line:02}.py"),
        line,
        function: format!("layer_{line:02}"),
        text: "    return layer(cart, customer)".to_owned(),
        locals: Some((0..10).map(local).collect()),
        ..Frame::default()
    };
    let report = Report {
        traceback: (1..=20).map(frame).collect(),
        exception_type: "builtins.KeyError".to_owned(),
        exception_message: "KeyError('price')".to_owned(),
        hostname: "web-01".to_owned(),
        error_count: 1,
        ..Report::default()
    };
    let frames = report.traceback.iter().map(|frame| ResolvedFrame {
        file: Some(FramePath {
            path: frame.path.trim_start_matches("/srv/app/").to_owned(),
            rule: PathRule::WholePath,
            wraps: None,
        }),
        kind: FrameKind::Candidate,
    });
    let frames = frames.collect();
    Ok(encode_sample(&Sample { report, frames, blamed_frame: Some(19) })?)
}
