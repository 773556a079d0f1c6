//! The headers of a mail: sender, recipient, Message-ID, thread, list, and how to unsubscribe.
use std::time::{Duration, UNIX_EPOCH};

use flawless_base::text::one_line;
use flawless_store::{DEFAULT_PROJECT, MailKind, OutboxMessage, Recipient};
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};

use super::{MailError, address};
use crate::app::App;
use crate::show::links;

/// The headers of a mail.
pub(super) struct Envelope<'a> {
    pub app: &'a App,
    pub kind: MailKind,
    pub recipient: &'a str,
    pub subject: String,
    /// The readable part of the Message-ID; the same each time this mail is written.
    pub name: String,
    /// The date, milliseconds since 1970 UTC.
    pub at: i64,
    /// The issue that the mail is about, which is its thread.
    pub issue: Option<i64>,
    /// The list that the recipient can unsubscribe from, as [`links::unsubscribe`] names it;
    /// `None` for mails that cannot be turned off.
    pub list: Option<&'static str>,
}

/// The body of a mail.
pub(super) enum Body {
    Text(String),
    TextAndHtml(String, String),
}

impl Envelope<'_> {
    /// The whole message, ready for the outbox.
    ///
    /// # Errors
    /// The address of the recipient or of the sender is invalid.
    pub(super) fn seal(self, body: Body) -> Result<OutboxMessage, MailError> {
        let app = self.app;
        let domain = &app.config.addresses.domain;
        let message_id = self.message_id();
        // Two installations may have a project of the same name.
        let project = match app.project_id() {
            DEFAULT_PROJECT => "default".to_owned(),
            // Not its name, which may change: threads have to stay together.
            number => format!("project-{number}"),
        };
        let list = format!("{project}.{}", app.signer.installation());
        let date = UNIX_EPOCH + Duration::from_millis(u64::try_from(self.at).unwrap_or_default());
        let is_named = app.project_id() != DEFAULT_PROJECT && self.kind != MailKind::Weekly;
        let subject = match is_named {
            true => one_line(&format!("[{}] {}", app.project.name(), self.subject), 200),
            false => one_line(&self.subject, 200),
        };
        let mut builder = Message::builder()
            .from(Mailbox::new(Some("Flawless".into()), address(&app.config.smtp.from)?))
            .to(Mailbox::new(None, address(self.recipient)?))
            .subject(&subject)
            .message_id(Some(format!("<{message_id}>")))
            .date(date);
        if let Some(issue) = self.issue {
            // No mail has this Message-ID: all mails about the issue refer to it, as one thread.
            let thread = format!("<issue-{issue}.{list}@{domain}>");
            builder = builder.in_reply_to(thread.clone()).references(thread);
        }
        let mut message = match body {
            Body::Text(text) => builder.singlepart(SinglePart::plain(text))?,
            Body::TextAndHtml(text, html) => {
                builder.multipart(MultiPart::alternative_plain_html(text, html))?
            }
        };
        let mut set = |name, value: String| {
            let name = HeaderName::new_from_ascii_str(name);
            message.headers_mut().insert_raw(HeaderValue::new(name, value));
        };
        // Keeps automatic replies away.
        set("Auto-Submitted", "auto-generated".into());
        set("X-Auto-Response-Suppress", "All".into());
        set("List-Id", format!("<{list}.flawless.{domain}>"));
        set("X-Flawless-Project", app.project.name().to_owned());
        if let Some(issue) = self.issue {
            set("X-Flawless-Issue", issue.to_string());
        }
        if let Some(list) = self.list {
            let link = links::unsubscribe(app, self.recipient, list);
            set("List-Unsubscribe", format!("<{link}>"));
            // RFC 8058 allows one-click unsubscribing only for https links.
            if link.starts_with("https:") {
                set("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into());
            }
        }
        Ok(OutboxMessage {
            kind: self.kind,
            recipient: Recipient::Address(self.recipient.to_owned()),
            subject,
            message_id,
            message: message.formatted(),
        })
    }

    /// Derived from what the store holds, so that the same mail gets the same Message-ID when it is
    /// written again; signed, so that a forged bounce cannot guess it.
    fn message_id(&self) -> String {
        let recipient = self.recipient.to_ascii_lowercase();
        let signature = self.app.signer.sign("mail", &[&self.name, &recipient]);
        format!("{}.{signature}@{}", self.name, self.app.config.addresses.domain)
    }
}
