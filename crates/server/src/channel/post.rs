//! The posts that notify a channel of alerts: as few as the service's limits allow.
use flawless_base::dates::rfc3339;
use flawless_store::{ChannelRow, MailKind, OutboxMessage, Recipient};
use serde_json::{Value, json};

use super::texts::{Content, Detail};
use super::{ChannelKind, discord, json, mattermost, slack, teams};
use crate::app::App;
use crate::show::alert::ShortAlert;

/// Posts, each with the numbers of the notifications that it covers.
pub type NewPosts = Vec<(Vec<i64>, OutboxMessage)>;

/// The installation that posts.
#[derive(Debug, Clone, Copy)]
struct Sender<'a> {
    project: &'a str,
    base_url: &'a str,
    domain: &'a str,
}

/// The posts to `channel` that name all `alerts`, which come with the number of their notification.
/// A single alert is shown in full; several get a line each, shorter ones where that saves a post.
pub fn posts(
    app: &App,
    channel: &ChannelRow,
    kind: ChannelKind,
    alerts: &[(i64, ShortAlert)],
    at: i64,
) -> NewPosts {
    let domain = &app.config.addresses.domain;
    let sender = Sender { project: app.project.name(), base_url: &app.base_url, domain };
    split(sender, channel.id, kind, alerts, at)
}

fn split(
    sender: Sender<'_>,
    channel: i64,
    kind: ChannelKind,
    alerts: &[(i64, ShortAlert)],
    at: i64,
) -> NewPosts {
    // The post about a chunk of the alerts, if it fits into the service's limits.
    let make = |chunk: &[(i64, ShortAlert)], detail, part| {
        let (first, _) = chunk.first()?;
        // A notification is in one post only, so this id is unique.
        let id = format!("post-{channel}.{first}@{}", sender.domain);
        let (notifications, alerts): (Vec<i64>, Vec<&ShortAlert>) =
            chunk.iter().map(|(notification, alert)| (*notification, alert)).unzip();
        let Sender { project, base_url, .. } = sender;
        let content = Content { project, base_url, alerts: &alerts, detail, part, id: &id, at };
        let body = body(kind, &content);
        // The shortest line always fits, because its parts are bounded.
        let fits = fits(kind, &body) || (alerts.len() == 1 && detail == Detail::Name);
        let subject = content.headline();
        fits.then(|| (notifications, post(channel, id, subject, &body)))
    };
    if alerts.is_empty() {
        return Vec::new();
    }
    let details = [Detail::Full, Detail::Line, Detail::Name].into_iter();
    let whole = details.map(|detail| make(alerts, detail, (1, 1))).find_map(|made| made);
    if let Some(post) = whole {
        return vec![post];
    }
    let mut parts = 2;
    loop {
        let chunks = alerts.chunks(alerts.len().div_ceil(parts));
        let number = chunks.len();
        let made = chunks
            .enumerate()
            .map(|(index, chunk)| make(chunk, Detail::Name, (index + 1, number)))
            .collect::<Option<NewPosts>>();
        if let Some(made) = made {
            return made;
        }
        // Grows faster when there are many, instead of trying thousands of sizes.
        parts += 1 + parts / 8;
    }
}

fn post(channel: i64, message_id: String, subject: String, body: &Value) -> OutboxMessage {
    OutboxMessage {
        kind: MailKind::Post,
        recipient: Recipient::Channel(channel),
        subject,
        message_id,
        message: body.to_string().into_bytes(),
    }
}

fn body(kind: ChannelKind, content: &Content<'_>) -> Value {
    match kind {
        ChannelKind::Slack => slack::body(content),
        ChannelKind::Discord => discord::body(content),
        ChannelKind::Teams => teams::body(content),
        ChannelKind::Mattermost => mattermost::body(content),
        ChannelKind::Json => json::body(content),
    }
}

fn fits(kind: ChannelKind, body: &Value) -> bool {
    match kind {
        ChannelKind::Slack => slack::fits(body),
        ChannelKind::Discord => discord::fits(body),
        ChannelKind::Teams => teams::fits(body),
        ChannelKind::Mattermost => mattermost::fits(body),
        ChannelKind::Json => json::fits(body),
    }
}

/// A test post, without an alert.
pub fn trial_body(kind: ChannelKind, project: &str, id: &str, at: i64) -> Vec<u8> {
    let text = "This is a test by Flawless: alerts will be posted here.";
    let body = match kind {
        ChannelKind::Slack | ChannelKind::Mattermost => json!({"text": text}),
        ChannelKind::Discord => json!({"content": text, "allowed_mentions": {"parse": []}}),
        ChannelKind::Teams => teams::card(&[teams::block(&[teams::run(text, false, false)])], &[]),
        ChannelKind::Json => json!({
            "version": 1,
            "event": "test",
            "id": id,
            "project": project,
            "sent_at": rfc3339(at),
            "alerts": [],
        }),
    };
    body.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::alert::ShortCommit;

    const SENDER: Sender<'_> =
        Sender { project: "shop", base_url: "https://flawless.example", domain: "example.com" };

    fn alert(issue: i64, regression: Option<&str>) -> ShortAlert {
        let text = || "x[key]".to_owned();
        ShortAlert {
            issue,
            kind: if regression.is_some() { "regression" } else { "new" },
            title: format!("KeyError in handler_{issue}_"),
            exception_type: "builtins.KeyError".to_owned(),
            message: text(),
            path: format!("shop/{}/handlers.py", "deep/".repeat(40)),
            line: issue,
            function: format!("handler_{issue}_"),
            text: text(),
            owner: Some("ben@example.com".to_owned()),
            owner_steps: Vec::new(),
            not_mine_url: String::new(),
            mute_url: String::new(),
            commit: Some(ShortCommit {
                id: "0123456789abcdef".to_owned(),
                summary: text(),
                author: text(),
                date: text(),
            }),
            reason: text(),
            occurrences: 2,
            first_seen: text(),
            decided_at: text(),
            hostname: String::new(),
            environment: String::new(),
            revision: None,
            regression: regression.map(str::to_owned),
            header: String::new(),
            url: text(),
        }
    }

    #[test]
    fn hundreds_of_alerts_are_split_into_posts_that_fit() {
        let alerts: Vec<_> = (1..=600).map(|number| (number, alert(number, None))).collect();
        for kind in ChannelKind::ALL {
            let posts = split(SENDER, 7, kind, &alerts, 0);
            let notified: Vec<i64> =
                posts.iter().flat_map(|(notifications, _)| notifications.clone()).collect();
            assert_eq!(notified, (1..=600).collect::<Vec<_>>(), "{kind:?}");
            assert!(posts.len() > 1 && posts.len() < 60, "{kind:?}: {}", posts.len());
            for (index, (notifications, post)) in posts.iter().enumerate() {
                let body: Value = serde_json::from_slice(&post.message).expect("JSON");
                assert!(fits(kind, &body), "{kind:?}");
                assert_eq!(post.message_id, format!("post-7.{}@example.com", notifications[0]));
                let part = format!("(part {} of {})", index + 1, posts.len());
                assert!(post.subject.ends_with(&part), "{}", post.subject);
                let text = body.to_string().replace(['\\', '\u{200b}'], "");
                for notification in notifications {
                    assert!(
                        text.contains(&format!("in handler_{notification}_")),
                        "{kind:?} {notification}"
                    );
                }
            }
        }
    }

    #[test]
    fn regressions_are_named_as_such() {
        let regression = Some("Fixed by 0123 on Monday: the line is gone. It occurred again.");
        let alerts = [(1, alert(1, regression)), (2, alert(2, None))];
        for kind in ChannelKind::ALL {
            let (_, lone) = split(SENDER, 7, kind, &alerts[..1], 0).remove(0);
            assert_eq!(lone.subject, "Regression: KeyError in handler_1_");
            let lone = String::from_utf8(lone.message).expect("text").replace('\\', "");
            assert!(lone.contains("It occurred again"), "{kind:?}: {lone}");
            let (_, both) = split(SENDER, 7, kind, &alerts, 0).remove(0);
            assert_eq!(both.subject, "2 issues in shop, 1 regressed");
        }
    }
}
