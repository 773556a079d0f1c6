//! Bounces: reads the delivery report of a mail server (RFC 3464) and passes the alerts of the mail
//! to the next owner. Anybody can forge a bounce, so it only counts when it names the Message-ID of
//! one of our mails, which cannot be guessed, and that mail's recipient.
use flawless_base::text::one_line;
use flawless_store::StoreError;
use mail_parser::{Message, MessageParser, MimeHeaders};

use super::give_up::give_up;
use super::refusal::is_about_address;
use crate::app::App;

/// At most this many bytes of a bounce are read; the part about the recipient is at its beginning.
pub const MAX_BOUNCE: usize = 1024 * 1024;
/// Our mails have one recipient each, so a report about many more is not about one of them.
const MAX_RECIPIENTS: usize = 100;

/// A delivery report.
#[derive(Debug, PartialEq, Eq)]
struct Report {
    /// Message-ID of the mail that bounced, without its angle brackets.
    message_id: String,
    recipients: Vec<RecipientStatus>,
}

/// The delivery status of one recipient.
#[derive(Debug, PartialEq, Eq)]
struct RecipientStatus {
    /// The address as we gave it and as later servers rewrote it, in lower case.
    addresses: Vec<String>,
    /// The failure is permanent.
    is_final: bool,
    /// The address itself does not work; otherwise the mail's content or sender was refused.
    is_about_address: bool,
    /// The mail server's words.
    words: String,
}

/// Why a bounce has to be delivered again later.
#[derive(Debug, thiserror::Error)]
pub enum BounceError {
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The thread that parses the mail cannot be started.
    #[error("cannot start a thread to parse the mail: {0}")]
    Thread(std::io::Error),
}

/// The sender decides how deep mails are nested, and the parser recurses as deep. This stack is
/// enough for the deepest nesting within [`MAX_BOUNCE`]; memory is only used as far as needed.
const STACK_BYTES: usize = 512 * 1024 * 1024;

/// Handles a bounce, and returns a sentence about the result.
///
/// # Errors
/// A failure of the database or of the system: the bounce can be delivered again later.
pub async fn take_bounce(app: &App, bytes: &[u8]) -> Result<String, BounceError> {
    let Report { message_id, recipients } = match read_apart(bytes)? {
        Read::Report(report) => report,
        Read::NotABounce(why) => return Ok(format!("nothing to do: {why}")),
    };
    let Some(mail) = app.store.mail_named(&message_id).await? else {
        let name = one_line(&message_id, 200);
        return Ok(format!("nothing to do: {name} is not one of our mails, or it bounced before"));
    };
    let recipient = mail.recipient.to_ascii_lowercase();
    let statuses = recipients.iter().filter(|status| status.addresses.contains(&recipient));
    let statuses: Vec<&RecipientStatus> = statuses.collect();
    if statuses.is_empty() {
        return Ok(format!("nothing to do: it does not mention {recipient}"));
    }
    let Some(status) = statuses.into_iter().find(|status| status.is_final) else {
        return Ok(format!("nothing to do: the mail to {recipient} is only delayed"));
    };
    let mut tx = app.store.write().await?;
    give_up(app, &mut tx, &mail, &status.words, status.is_about_address).await?;
    tx.commit().await?;
    Ok(format!("the mail to {recipient} bounced: {}", status.words))
}

/// What a mail turned out to be.
enum Read {
    Report(Report),
    /// It is not a bounce, for this reason.
    NotABounce(&'static str),
}

/// Parses on a thread of its own.
fn read_apart(bytes: &[u8]) -> Result<Read, BounceError> {
    let bytes = &bytes[..bytes.len().min(MAX_BOUNCE)];
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().stack_size(STACK_BYTES);
        let reader = reader.spawn_scoped(scope, || Report::read(bytes));
        let read = reader.map_err(BounceError::Thread)?.join();
        Ok(match read.unwrap_or(Err("it cannot be read")) {
            Ok(report) => Read::Report(report),
            Err(why) => Read::NotABounce(why),
        })
    })
}

impl Report {
    /// The error says why the mail is not a bounce.
    fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        let mail = MessageParser::default().parse(bytes).ok_or("this is not a mail")?;
        let is = |part: &mail_parser::MessagePart<'_>, kind: &str, subtypes: &[&str]| {
            part.content_type().is_some_and(|found| {
                let subtype = found.subtype().unwrap_or_default().to_ascii_lowercase();
                found.ctype().eq_ignore_ascii_case(kind) && subtypes.contains(&subtype.as_str())
            })
        };
        if !mail.parts.first().is_some_and(|root| is(root, "multipart", &["report"])) {
            return Err("this is not a delivery report (multipart/report)");
        }
        let status = ["delivery-status", "global-delivery-status"];
        let status = mail.parts.iter().find(|part| is(part, "message", &status));
        let status = status.ok_or("it has no message/delivery-status")?;
        let headers = ["rfc822-headers", "global-headers"];
        let returned = mail.parts.iter().find_map(|part| match part.message() {
            Some(returned) => Some(returned.message_id()?.to_owned()),
            None if is(part, "text", &headers) || is(part, "message", &headers) => {
                let returned = MessageParser::default().parse_headers(part.contents())?;
                Some(returned.message_id()?.to_owned())
            }
            None => None,
        });
        let message_id = returned.ok_or("it does not name the mail that bounced")?;
        let status = String::from_utf8_lossy(status.contents()).replace("\r\n", "\n");
        // The first group is about the mail as a whole, each further one about a recipient.
        let groups = status.split("\n\n").filter(|group| !group.trim().is_empty());
        let recipients = groups.filter_map(RecipientStatus::read).take(MAX_RECIPIENTS).collect();
        Ok(Self { message_id, recipients })
    }
}

impl RecipientStatus {
    /// From the fields of one recipient.
    fn read(group: &str) -> Option<Self> {
        let group = format!("{}\n\n", group.trim_matches('\n'));
        let parser = MessageParser::new().default_header_text();
        let fields = parser.parse_headers(&group)?;
        let addresses = ["Original-Recipient", "Final-Recipient"];
        let addresses = addresses.iter().filter_map(|name| Some(address(&field(&fields, name)?)));
        let addresses: Vec<String> = addresses.collect();
        if addresses.is_empty() {
            return None;
        }
        let action = field(&fields, "Action").unwrap_or_default();
        let status = field(&fields, "Status").unwrap_or_default();
        let is_final = action.eq_ignore_ascii_case("failed") && status.starts_with("5.");
        let words = field(&fields, "Diagnostic-Code").unwrap_or_default();
        // `smtp; 550 5.1.1 …`: the type before the semicolon adds nothing.
        let words = words.split_once(';').map_or(words.as_str(), |(_, words)| words.trim());
        let code = words.get(..3).and_then(|code| code.parse().ok());
        let is_about_address = is_about_address(code, &format!("{status} {words}"));
        let words = if words.is_empty() { status.as_str() } else { words };
        Some(Self { addresses, is_final, is_about_address, words: one_line(words, 500) })
    }
}

fn field(fields: &Message<'_>, name: &'static str) -> Option<String> {
    let found = fields.headers().iter().find(|header| header.name().eq_ignore_ascii_case(name))?;
    Some(found.value().as_text()?.trim().to_owned())
}

/// The address in `rfc822; <ann@example.com>`.
fn address(field: &str) -> String {
    let address = field.split_once(';').map_or(field, |(_, address)| address).trim();
    address.trim_start_matches('<').trim_end_matches('>').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{MAX_BOUNCE, Read, RecipientStatus, read_apart};

    #[test]
    fn mail_without_a_delivery_report_is_named_and_breaks_nothing() {
        let report = |text: &str| match read_apart(text.as_bytes()).expect("a thread") {
            Read::Report(_) => Ok(()),
            Read::NotABounce(why) => Err(why),
        };
        assert_eq!(
            report("Subject: hello\n\nhello\n"),
            Err("this is not a delivery report (multipart/report)")
        );
        let head = "Content-Type: multipart/report; boundary=b\n\n";
        assert_eq!(report(head), Err("it has no message/delivery-status"));
        let status = "--b\nContent-Type: message/delivery-status\n\nAction: failed\n\n";
        let nothing = format!("{head}{status}--b--\n");
        assert_eq!(report(&nothing), Err("it does not name the mail that bounced"));
        assert!(report("").is_err() && report("\u{0}\u{ff}:\n\n").is_err());
        for part in [
            "Content-Type: multipart/report; boundary=a\n\n--a\n",
            "Content-Type: multipart/digest; boundary=a\n\n--a\n\n",
            "Content-Type:message/rfc822\n\n",
        ] {
            assert!(report(&part.repeat(MAX_BOUNCE / part.len())).is_err(), "{part}");
        }
    }

    #[test]
    fn bounce_words_are_bounded_and_permanent_failures_final() {
        let recipient = |action: &str, status: &str, words: &str| {
            let group = format!(
                "Final-Recipient: rfc822; <Ann@Example.com>\nAction: {action}\n\
                 Status: {status}\nDiagnostic-Code: smtp; {words}"
            );
            RecipientStatus::read(&group).expect("a recipient")
        };
        let gone = recipient("failed", "5.1.1", "550 no\n such\u{202e} user");
        assert_eq!(gone.addresses, ["ann@example.com"]);
        assert!(gone.is_final);
        assert_eq!(gone.words, "550 no such\u{fffd} user");
        assert!(recipient("failed", "5.2.1", &"x".repeat(10_000)).words.chars().count() <= 501);
        for (action, status) in
            [("delayed", "4.4.1"), ("failed", "4.2.2"), ("delivered", "2.0.0"), ("", "")]
        {
            assert!(!recipient(action, status, "x").is_final, "{action} {status}");
        }
        assert_eq!(RecipientStatus::read("Reporting-MTA: dns; mail.example.com"), None);
    }
}
