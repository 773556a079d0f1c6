//! Signing in with OpenID Connect, at a real provider.
use flawless_base::clock::Clock;
use serde_json::json;

use crate::harness::{App, OpenIdProvider, Surfer, free_port, with_sign_in};

async fn app(provider: &OpenIdProvider, port: u16, secret: &str) -> App {
    with_sign_in()
        .with("http_port", &port.to_string())
        .with("oidc_issuer", &provider.issuer)
        .with("oidc_client_id", &provider.client_id)
        .with("oidc_client_secret", secret)
        .with("oidc_name", "Example")
        // The provider's tokens expire by its own clock.
        .clock(Clock::system())
        .start()
        .await
}

fn callback(port: u16) -> String {
    format!("http://127.0.0.1:{port}/sign_in/oidc/callback")
}

#[tokio::test]
async fn person_known_to_the_provider_returns_signed_in() {
    let port = free_port();
    let provider = OpenIdProvider::start(&callback(port));
    let app = app(&provider, port, &provider.client_secret).await;
    let verified = |email: &str| json!({"email": email, "email_verified": true});
    provider.person("ann", &verified("Ann@example.com")).await;
    let ann = Surfer::new(&app);
    assert!(ann.get("/sign_in").await.body.contains("Sign in with Example"));
    let start = "/sign_in/oidc?next=%2Fadmin%3Fx%3D1";
    let back = provider.sign_in(&ann, start, "ann").await;
    assert_eq!((back.status, back.location()), (303, "/admin?x=1"), "{}", back.body);
    let account = ann.get("/account").await.body;
    assert!(account.contains("ann@example.com") && account.contains("OpenID Connect"));

    // Another browser has not started this sign-in, so a link sent to it does not sign it in.
    let (eve, victim) = (Surfer::new(&app), Surfer::new(&app));
    let left = eve.get(start).await;
    let allowed = eve.post_bare(left.location(), &[("sub", "ann")]).await;
    let fixed = victim.get(allowed.location()).await;
    assert_eq!(fixed.status, 400, "{}", fixed.body);
    assert!(fixed.body.contains("begun in another browser"), "{}", fixed.body);
    assert!(!victim.is_in().await);
    assert_eq!(eve.get(allowed.location()).await.status, 303);
    assert_eq!(eve.get(allowed.location()).await.status, 400, "valid only once");

    for (claims, status, words) in [
        (verified("eve@evil.example"), 403, "eve@evil.example, but this address may not sign in"),
        (json!({"email": "ann@example.com"}), 403, "ann@example.com is your own address"),
        (json!({"email": "ann@example.com", "email_verified": false}), 403, "your own address"),
        (json!({"email_verified": true}), 403, "did not send your mail address"),
    ] {
        provider.person("eve", &claims).await;
        let eve = Surfer::new(&app);
        let back = provider.sign_in(&eve, start, "eve").await;
        assert_eq!(back.status, status, "{claims}: {}", back.body);
        assert!(back.body.contains(words), "{words:?} is missing in {}", back.body);
        assert!(!eve.is_in().await, "{claims}");
    }
    let denied = Surfer::new(&app).get("/sign_in/oidc/callback?error=access_denied").await;
    assert_eq!(denied.status, 403);
    assert!(denied.body.contains("The provider says: access_denied"), "{}", denied.body);
}

#[tokio::test]
async fn failing_provider_is_named_and_mail_links_still_work() {
    let port = free_port();
    let provider = OpenIdProvider::start(&callback(port));
    let wrong = app(&provider, port, "not the secret").await;
    provider.person("ann", &json!({"email": "ann@example.com", "email_verified": true})).await;
    let back = provider.sign_in(&Surfer::new(&wrong), "/sign_in/oidc", "ann").await;
    assert_eq!(back.status, 403, "{}", back.body);
    assert!(back.body.contains("The provider says: invalid_client"), "{}", back.body);
    drop(wrong);

    let app = with_sign_in().with("oidc_issuer", "http://127.0.0.1:1").with("oidc_client_id", "x");
    let app = app.start().await;
    let surfer = Surfer::new(&app);
    let away = surfer.get("/sign_in/oidc").await;
    assert_eq!(away.status, 502);
    assert!(away.body.contains("The provider http://127.0.0.1:1 cannot be used"), "{}", away.body);
    surfer.sign_in(&app, "ann@example.com").await;
    assert!(surfer.is_in().await);
}
