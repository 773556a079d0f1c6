//! The alert mail about one issue.
use askama::Template;
use flawless_base::text::one_line;
use flawless_core::{Frame, KnownError, Owner};
use flawless_store::{AlertRow, IssueRow, MailKind, OutboxMessage, Sample};

use super::MailError;
use super::alert_view::AlertView;
use super::envelope::{Body, Envelope};
use crate::app::App;
use crate::config::SubjectStyle;
use crate::show::RenderLimits;
use crate::show::alert::title;

/// Everything that is needed to write the mails of one alert.
#[derive(Clone, Copy)]
pub struct AlertMail<'a> {
    pub app: &'a App,
    /// The decision to notify.
    pub alert: &'a AlertRow,
    /// The issue that the alert is about.
    pub issue: &'a IssueRow,
    /// Its newest sample.
    pub sample: &'a Sample,
    /// Who answers for it, and why.
    pub owner: &'a Owner,
    /// The known error that the issue is, if any.
    pub known: Option<&'a KnownError>,
    /// Since when the notification has been waiting, milliseconds since 1970 UTC.
    pub since: i64,
}

#[derive(Template)]
#[template(path = "alert_mail.html")]
struct Html<'a> {
    mail: &'a AlertView,
}

#[derive(Template)]
#[template(path = "alert_mail.txt")]
struct Text<'a> {
    mail: &'a AlertView,
}

/// The largest mail, in bytes: mail programs cut mails at 102 KB.
pub(super) const MAX_MAIL: usize = 90_000;

/// The list that a recipient of alerts can unsubscribe from. `None` for the default contact, who
/// gets the alerts that have no other recipient.
pub(super) fn alerts_list(app: &App, recipient: &str) -> Option<&'static str> {
    let contact = app.config.addresses.default_contact.as_deref();
    let is_contact = contact.is_some_and(|contact| contact.eq_ignore_ascii_case(recipient));
    (!is_contact).then_some("alerts")
}

impl AlertMail<'_> {
    /// The mail to one recipient, with as much detail as fits; `why` says why it goes there.
    ///
    /// # Errors
    /// The address of the recipient or of the sender is invalid.
    pub fn write(&self, recipient: &str, why: &str) -> Result<OutboxMessage, MailError> {
        let [richer @ .., last] = RenderLimits::MAIL;
        for limits in richer {
            let mail = self.write_within(recipient, why, limits)?;
            if mail.message.len() <= MAX_MAIL {
                return Ok(mail);
            }
        }
        self.write_within(recipient, why, last)
    }

    fn write_within(
        &self,
        recipient: &str,
        why: &str,
        limits: RenderLimits,
    ) -> Result<OutboxMessage, MailError> {
        let view = AlertView::of(self, recipient, why, limits);
        let AlertRow { id, .. } = *self.alert;
        let body =
            Body::TextAndHtml(Text { mail: &view }.render()?, Html { mail: &view }.render()?);
        let envelope = Envelope {
            app: self.app,
            kind: MailKind::Alert,
            recipient,
            subject: self.subject(),
            // With the time: a mail that was given up may be written again, and the numbers of
            // erased alerts are reused.
            name: format!("alert-{id}.{}", self.since),
            at: self.app.clock.now(),
            issue: Some(self.issue.id),
            list: alerts_list(self.app, recipient),
        };
        envelope.seal(body)
    }

    fn subject(&self) -> String {
        let facts = &self.issue.facts;
        let path = one_line(&facts.path, 200);
        let subject = match self.app.config.mails.subject_style {
            SubjectStyle::Detailed => {
                let exception = &self.sample.report.exception_type;
                format!("{} ({path})", title(exception, &facts.function_name, &path))
            }
            SubjectStyle::Classic => {
                format!("Error on {} in {path}", one_line(&self.sample.report.hostname, 100))
            }
        };
        match &self.alert.regression {
            Some(_) => format!("Regression: {subject}"),
            None => subject,
        }
    }

    /// The frame that the issue is about: the blamed one, or else the one with the issue's text.
    pub(super) fn frame(&self) -> Option<&Frame> {
        let frames = &self.sample.report.traceback;
        let facts = &self.issue.facts;
        match self.sample.blamed_frame {
            Some(blamed) => frames.get(blamed),
            None => frames.iter().rfind(|frame| {
                i64::from(frame.line) == facts.line && frame.text.trim() == facts.text
            }),
        }
    }
}
