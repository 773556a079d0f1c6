//! What stands on the outside of a mail: from whom, to whom, its name, its thread, its list, and
//! the way out of it.
use std::time::{Duration, UNIX_EPOCH};

use flawless_base::text::one_line;
use flawless_store::{MailKind, OutboxMessage};
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};

use super::{MailError, address};
use crate::app::App;
use crate::show::links;

/// The outside of a mail.
pub(super) struct Envelope<'a> {
    pub app: &'a App,
    pub kind: MailKind,
    pub recipient: &'a str,
    pub subject: String,
    /// The part of its Message-ID that says what it is; the same each time it is written.
    pub name: String,
    /// Its date.
    pub at: i64,
    /// The issue that it tells of.
    pub issue: Option<i64>,
    /// Which mails the recipient can put an end to by its link, as [`links::unsubscribe`] names
    /// them; `None` for those that must be.
    pub list: Option<&'static str>,
}

/// The inside of a mail.
pub(super) enum Body {
    Text(String),
    TextAndHtml(String, String),
}

impl Envelope<'_> {
    /// The mail as it goes over the wire.
    ///
    /// # Errors
    /// The recipient or the sender is no address.
    pub(super) fn seal(self, body: Body) -> Result<OutboxMessage, MailError> {
        let app = self.app;
        let domain = &app.config.addresses.domain;
        let message_id = self.message_id();
        // Two installations may have a project of the same name.
        let list = format!("{}.{}", app.project.name, app.signer.installation());
        let date = UNIX_EPOCH + Duration::from_millis(u64::try_from(self.at).unwrap_or_default());
        let subject = one_line(&self.subject, 200);
        let mut builder = Message::builder()
            .from(Mailbox::new(Some("Flawless".into()), address(&app.config.smtp.from)?))
            .to(Mailbox::new(None, address(self.recipient)?))
            .subject(&subject)
            .message_id(Some(format!("<{message_id}>")))
            .date(date);
        if let Some(issue) = self.issue {
            // Nobody ever gets this one: it only is what all mails about an issue refer to.
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
        // Machines must not answer.
        set("Auto-Submitted", "auto-generated".into());
        set("X-Auto-Response-Suppress", "All".into());
        set("List-Id", format!("<{list}.flawless.{domain}>"));
        set("X-Flawless-Project", app.project.name.clone());
        if let Some(issue) = self.issue {
            set("X-Flawless-Issue", issue.to_string());
        }
        if let Some(list) = self.list {
            let link = links::unsubscribe(app, self.recipient, list);
            set("List-Unsubscribe", format!("<{link}>"));
            // One click is for links that nobody on the way can read or change (RFC 8058).
            if link.starts_with("https:") {
                set("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into());
            }
        }
        Ok(OutboxMessage {
            kind: self.kind,
            recipient: self.recipient.to_owned(),
            subject,
            message_id,
            message: message.formatted(),
        })
    }

    /// Made of what the store holds, so that writing the mail again gives it the same name; and
    /// nobody can guess it, so that a bounce which names it is one.
    fn message_id(&self) -> String {
        let recipient = self.recipient.to_ascii_lowercase();
        let signature = self.app.signer.sign("mail", &[&self.name, &recipient]);
        format!("{}.{signature}@{}", self.name, self.app.config.addresses.domain)
    }
}
