//! An error that somebody sends from the pages to see that it arrives, and that its mail does. Its
//! only frame is not a file, so nobody is blamed and the default contact is notified.
use std::net::{IpAddr, Ipv4Addr};

use flawless_base::text::one_line;
use flawless_core::{Frame, Owner, Report};
use flawless_store::{IssueAlert, IssueRow, MailState, StoreError};

use crate::app::App;
use crate::intake::{NotKept, Sender};
use crate::listen::peer::Peer;

/// Where test errors occur: no file has this name.
pub const TEST_PATH: &str = "<a test error of Flawless>";
const FUNCTION: &str = "send_a_test_error";

/// What has become of a test error so far.
#[derive(Debug)]
pub struct TestErrorProgress {
    /// Its issue, with the owner and why; `None` while it waits for attribution.
    pub issue: Option<(IssueRow, Owner)>,
    /// Reports that wait for attribution.
    pub waiting: i64,
    /// Why the last one that failed is waiting.
    pub last_error: Option<String>,
    /// The decision to notify; `None` if nobody is to be notified.
    pub alert: Option<IssueAlert>,
    /// Its mails and posts.
    pub mails: Vec<MailState>,
}

impl TestErrorProgress {
    /// Whether nothing more will happen by itself.
    pub fn is_over(&self) -> bool {
        let is_done = |mail: &MailState| mail.sent_at.is_some() || mail.gave_up_at.is_some();
        match (&self.issue, &self.alert) {
            (None, _) => self.waiting == 0,
            (Some(_), None) => true,
            (Some(_), Some(alert)) => {
                alert.note.is_some() || (!self.mails.is_empty() && self.mails.iter().all(is_done))
            }
        }
    }
}

/// Sends one through the same intake as clients; returns its number when it is durable.
///
/// # Errors
/// It could not be kept.
pub async fn send(app: &App, who: &str) -> Result<i64, NotKept> {
    let running = app.running.get().ok_or(NotKept)?;
    let number = app.clock.now();
    let who = one_line(who, 254);
    let host = hostname::get().ok().and_then(|name| name.into_string().ok());
    let report = Report {
        traceback: vec![Frame {
            path: TEST_PATH.to_owned(),
            line: 1,
            function: FUNCTION.to_owned(),
            text: text(number),
            ..Frame::default()
        }],
        exception_type: "flawless.TestError".to_owned(),
        exception_message: "TestError('nothing is wrong: this is only a test')".into(),
        hostname: host.unwrap_or_default(),
        error_threshold: Some(1),
        additional_info: format!("Sent by {who} with the button on the page Set up."),
        error_count: 1,
        ..Report::default()
    };
    let peer = Peer::from(IpAddr::from(Ipv4Addr::LOCALHOST));
    let sender = Sender {
        project: app.project_id(),
        redaction: app.redaction.clone(),
        peer,
        source: "the page Set up".into(),
    };
    // One small report of a person is not limited.
    let held = running.intake.memory().hold(peer);
    running.intake.submit(report.bounded(), sender, 0, held).await?;
    Ok(number)
}

/// What became of the test error with this number.
pub async fn progress(app: &App, number: i64) -> Result<TestErrorProgress, StoreError> {
    let App { store, config, clock, .. } = app;
    // The queue is read before the issue: the report must be in one of the two.
    let queue = store.pending_queue().await?;
    let issue = store.issues_of_line(TEST_PATH, FUNCTION, &text(number)).await?.into_iter().next();
    let (mut mails, mut alert) = (Vec::new(), None);
    if let Some(issue) = &issue {
        mails = store.mails_of(issue.id).await?;
        alert = store.alerts_of(issue.id).await?.into_iter().next();
    }
    let refused = store.refused_addresses(clock.now()).await?;
    let rules = app.rules.get();
    let issue = issue.map(|issue| {
        let owner = issue.owner(&rules.rules, &config.addresses, &refused);
        (issue, owner)
    });
    Ok(TestErrorProgress {
        issue,
        waiting: queue.waiting,
        last_error: queue.last_error,
        alert,
        mails,
    })
}

/// The line that raises it, different each time: nobody is notified twice of the same issue.
fn text(number: i64) -> String {
    format!("raise TestError({number})")
}
