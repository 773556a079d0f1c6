//! What posts say to each service, and what nobody can inject into them.
use flawless_protocol::thrift::RecordErrorRequest;
use flawless_store::Recipient;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::channel::set_up::{CART, add, app};
use crate::harness::{App, BEN, TestRepository, Webhook, request, steady, wait_until};

const KINDS: [&str; 5] = ["slack", "discord", "teams", "mattermost", "json"];

/// One service of each kind, and the post that each of them gets for a report.
async fn posts_of(report: &RecordErrorRequest) -> (App, Vec<Value>) {
    let app = app().start().await;
    let mut hooks = Vec::new();
    for kind in KINDS {
        let hook = Webhook::start().await;
        add(&app, kind, &hook.url("/"), None).await;
        hooks.push(hook);
    }
    app.report(report).await;
    let mut posts = Vec::new();
    for hook in &hooks {
        posts.push(hook.wait_for(1).await[0].json());
    }
    (app, posts)
}

/// All strings in a value.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn single_alert_is_posted_in_full_in_each_services_form() {
    let (_app, posts) = posts_of(&request(&CART)).await;
    for (kind, post) in KINDS.iter().zip(&posts) {
        steady().bind(|| assert_json_snapshot!(format!("single_alert_{kind}"), post));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn program_text_can_neither_ping_anybody_nor_make_a_link() {
    let evil = "@everyone @here @channel @all <!channel> <@U123|you> [click](https://evil.example) \
                <https://evil.example|bank> ``` </at> <at>Ben</at> ![x](https://evil.example/x.png) \
                https://evil.example/bare \u{202e}";
    let mut report = request(&[("/srv/app/shop/cart.py", 5, evil, evil)]);
    report.exception_message = Some(evil.to_owned());
    report.exception_type = Some(format!("x.{evil}"));
    report.hostname = Some(evil.to_owned());
    let (app, posts) = posts_of(&report).await;
    for post in &posts {
        assert!(!post.to_string().contains('\u{202e}'), "{post}");
    }
    let [slack, discord, teams, mattermost, _] = &posts[..] else { panic!("{posts:?}") };
    let ours = format!("http://{}/issues/1", app.server.http_address);
    // In Slack all markup begins with an angle bracket: only our own link may have one.
    for text in texts(slack) {
        let others = text.replace(&format!("<{ours}|"), "");
        assert!(!others.contains('<'), "{text}");
        assert_eq!(text.matches("```").count() % 2, 0, "{text}");
    }
    assert_eq!(slack["blocks"][0]["text"]["verbatim"], true);
    assert_eq!(discord["allowed_mentions"], json!({"parse": []}));
    // In Markdown, characters outside of code without a backslash before them are markup.
    let markdown = [&mattermost["text"], &discord["embeds"][0]["title"]].into_iter();
    let fields = discord["embeds"][0]["fields"].as_array().expect("fields");
    for text in markdown.chain(fields.iter().map(|field| &field["value"])) {
        let text = text.as_str().expect("text");
        assert_eq!(text.matches("```").count() % 2, 0, "{text}");
        let outside: String = text.split("```").step_by(2).collect();
        let outside = outside.replace(&format!("]({ours})"), "");
        assert!(!outside.contains("](") && !outside.contains("://"), "{outside}");
        for mention in ["@everyone", "@here", "@channel", "@all", "@U123"] {
            assert!(!outside.contains(mention), "{mention}: {outside}");
        }
    }
    let description = discord["embeds"][0]["description"].as_str().expect("text");
    let outside: String = description.split("```").step_by(2).collect();
    assert!(outside.trim().is_empty(), "all of it is code: {outside}");
    // Teams does not look for markup in text runs; mentions would be entities.
    let card = &teams["attachments"][0]["content"];
    assert_eq!(card["msteams"], json!({"width": "Full"}));
    let blocks = card["body"].as_array().expect("blocks");
    assert!(blocks.iter().all(|block| block["type"] == "RichTextBlock"), "{card}");
}

#[tokio::test(flavor = "multi_thread")]
async fn longest_texts_keep_to_each_services_limits() {
    let long = "*&@\u{1f600}\"".repeat(20_000);
    let mut report = request(&[("/srv/app/shop/cart.py", 5, &long, &long)]);
    report.exception_message = Some(long.clone());
    report.exception_type = Some(format!("x.{long}"));
    report.hostname = Some(long.clone());
    report.revision = Some(long.clone());
    let (_app, posts) = posts_of(&report).await;
    for (kind, post) in KINDS.iter().zip(&posts) {
        within_limits(kind, post, post.to_string().len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn alert_storm_becomes_few_posts_that_name_each_issue() {
    const ISSUES: usize = 60;
    let repository = TestRepository::shop();
    let names: Vec<String> = (0..ISSUES).map(|number| format!("handler_{number:02}")).collect();
    let code: String =
        names.iter().map(|name| format!("def {name}(x):\n    return x[\"{name}\"]\n")).collect();
    repository.commit(BEN, "2026-06-01", "handlers", &[("shop/handlers.py", &code)]);
    let app = app().repository(repository).start().await;
    let mut hooks = Vec::new();
    for kind in KINDS {
        let hook = Webhook::start().await;
        add(&app, kind, &hook.url("/"), None).await;
        hooks.push(hook);
    }
    let store = &app.server.app.store;
    for (index, name) in names.iter().enumerate() {
        let line = i64::try_from(index).expect("small") * 2 + 2;
        let text = format!("return x[\"{name}\"]");
        app.report(&request(&[("/srv/app/shop/handlers.py", line, name, &text)])).await;
    }
    wait_until("each issue has its alert", async || {
        store.pending_queue().await.expect("store").waiting == 0
            && store.open_alerts(app.clock.now(), 1).await.expect("store").is_empty()
    })
    .await;
    app.clock.advance(10 * 60_000);
    wait_until("no digest and no post is waiting", async || {
        let held = store.pending_digests().await.expect("store");
        !held.iter().any(|held| matches!(held.recipient, Recipient::Channel(_)))
            && store.post_states(0).await.expect("store").is_empty()
    })
    .await;
    for (kind, hook) in KINDS.iter().zip(&hooks) {
        let posts = hook.posts();
        assert!(posts.len() <= 6, "{kind}: {} posts", posts.len());
        let all: String = posts.iter().map(|post| texts(&post.json()).join("\n")).collect();
        let all = all.replace(['\\', '\u{200b}'], "");
        for name in &names {
            assert!(all.contains(&format!("in {name}")), "{kind} does not name {name}: {all}");
        }
        for post in &posts {
            within_limits(kind, &post.json(), post.body.len());
        }
    }
}

/// The limits that the services document.
fn within_limits(kind: &str, post: &Value, bytes: usize) {
    let length = |value: &Value| value.as_str().unwrap_or_default().chars().count();
    match kind {
        "slack" => {
            let blocks = post["blocks"].as_array().expect("blocks");
            assert!(blocks.len() <= 50);
            assert!(blocks.iter().all(|block| length(&block["text"]["text"]) <= 3_000));
        }
        "discord" => {
            let embeds = post["embeds"].as_array().expect("embeds");
            assert!(embeds.len() <= 10);
            let all = texts(&post["embeds"]).iter().map(|text| text.chars().count()).sum::<usize>();
            assert!(all <= 6_000 && length(&embeds[0]["description"]) <= 4_096);
        }
        "teams" => assert!(bytes <= 28 * 1_024),
        "mattermost" => assert!(length(&post["text"]) <= 16_383),
        _ => {}
    }
}
