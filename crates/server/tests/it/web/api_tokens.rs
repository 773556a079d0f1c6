//! Tokens, with which programs call the API.
use crate::harness::{App, Surfer, with_sign_in};

const DAY: i64 = 86_400_000;

async fn make(surfer: &Surfer, role: &str, days: &str) -> String {
    let fields = [("name", "<ci>"), ("role", role), ("days", days)];
    let page = surfer.post("/account/create_token", &fields).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let at = page.body.find("flw_").expect("a token");
    page.body[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn program(app: &App, token: &str) -> Surfer {
    Surfer::new(app).header("authorization", &format!("Bearer {token}"))
}

#[tokio::test]
async fn token_may_do_only_what_its_owner_may_too() {
    let app = with_sign_in().with("administrators", "root@example.com").start().await;
    let (root, ann) = (Surfer::new(&app), Surfer::new(&app));
    root.sign_in(&app, "root@example.com").await;
    ann.sign_in(&app, "ann@example.com").await;
    for (role, days) in [("administrator", "30"), ("developer", "366"), ("", "30")] {
        let fields = [("name", "x"), ("role", role), ("days", days)];
        assert_eq!(ann.post("/account/create_token", &fields).await.status, 422, "{role} {days}");
    }
    let token = make(&ann, "developer", "7").await;
    let reading = make(&ann, "reader", "90").await;
    let me = async |token: &str| {
        let answer = program(&app, token).get("/api/v1/me").await;
        (answer.status, answer.body)
    };
    let (status, body) = me(&token).await;
    assert_eq!(status, 200);
    assert_eq!(body, r#"{"name":"token <ci> (of ann@example.com)","role":"developer"}"#);
    assert!(me(&reading).await.1.contains("\"reader\""));
    assert!(ann.get("/account").await.body.contains(&token[..10]), "shown by its prefix");
    assert!(!ann.get("/account").await.body.contains(&token), "the token is shown only once");

    // A token is valid only for the API, and only exactly as it was made.
    assert!(!program(&app, &token).is_in().await);
    assert_eq!(
        program(&app, &token).post_bare("/issues/1/mute", &[("time", "day")]).await.status,
        401
    );
    for wrong in ["", "flw_", "x", &token[..30], &token.to_uppercase()] {
        assert_eq!(me(wrong).await.0, 401, "{wrong}");
    }
    let give = async |role: &str| {
        let fields = [("address", "ann@example.com"), ("role", role)];
        assert_eq!(root.post("/people/roles/save", &fields).await.status, 303);
    };
    give("reader").await;
    assert!(me(&token).await.1.contains("\"reader\""), "never more rights than its owner");
    give("blocked").await;
    assert_eq!(me(&token).await.0, 403);
    give("").await;

    app.clock.advance(7 * DAY);
    assert_eq!(me(&token).await.0, 401, "it has expired");
    assert_eq!(me(&reading).await.0, 200);
    let id = ann.get("/account").await.body;
    let id = id.rsplit_once("name=\"id\" value=\"").expect("a form").1.split('"').next();
    let id = id.expect("a number");
    assert_eq!(root.post("/account/end_token", &[("id", id)]).await.status, 303);
    assert_eq!(me(&reading).await.0, 200, "nobody can end another person's token");
    assert_eq!(ann.post("/account/end_token", &[("id", id)]).await.status, 303);
    assert_eq!(me(&reading).await.0, 401);
}

#[tokio::test]
async fn signing_out_everywhere_ends_the_persons_tokens_too() {
    let app = with_sign_in().with("administrators", "root@example.com").start().await;
    let (root, ann) = (Surfer::new(&app), Surfer::new(&app));
    root.sign_in(&app, "root@example.com").await;
    let kept = make(&root, "administrator", "7").await;
    let status = async |token: &str| program(&app, token).get("/api/v1/me").await.status;
    for by_administrator in [false, true] {
        ann.sign_in(&app, "ann@example.com").await;
        let token = make(&ann, "developer", "7").await;
        assert_eq!(status(&token).await, 200);
        let ended = if by_administrator {
            ann.post("/sign_out", &[]).await;
            let list = root.get("/people/roles").await.body;
            assert!(list.contains("Sign out ann@example.com everywhere"), "{list}");
            root.post("/people/roles/sign_out", &[("address", "ann@example.com")]).await
        } else {
            ann.post("/sign_out_everywhere", &[]).await
        };
        assert_eq!(ended.status, 303);
        assert_eq!(status(&token).await, 401);
    }
    assert_eq!(status(&kept).await, 200);
}
