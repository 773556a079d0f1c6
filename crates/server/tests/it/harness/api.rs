//! Programs that call `/api/v1`.
use flawless_server::sign_in::new_secret;
use flawless_store::NewToken;
use reqwest::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, LINK};
use serde_json::Value;

use super::App;

/// An answer of the API.
#[derive(Debug)]
pub struct ApiAnswer {
    pub status: u16,
    pub content_type: String,
    pub allow: String,
    pub link: String,
    /// Null when it is not JSON.
    pub body: Value,
}

impl ApiAnswer {
    /// The first field that a problem names.
    pub fn field(&self) -> &str {
        self.body["errors"][0]["field"].as_str().unwrap_or_default()
    }
}

impl App {
    /// Makes a token for somebody, as the page /account does.
    pub async fn api_token(&self, owner: &str, role: &str) -> String {
        let shared = &self.server.app;
        let (secret, now) = (new_secret("flw_").expect("random"), shared.clock.now());
        let token = NewToken {
            hash: &secret.hash,
            prefix: &secret.text[..10],
            name: "ci",
            role,
            owner,
            expires_at: now + 86_400_000,
        };
        let mut tx = shared.store.write().await.expect("store");
        assert!(tx.add_token(&token, now).await.expect("store"));
        tx.commit().await.expect("store");
        secret.text
    }

    /// The JSON that the API returns to a GET.
    pub async fn api_get(&self, path: &str) -> Value {
        let answer = self.api("GET", path, None).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    }

    /// Sends JSON to the API.
    pub async fn api_post(&self, path: &str, body: Value) -> ApiAnswer {
        self.api("POST", path, Some(&body.to_string())).await
    }

    /// Calls the API without a token.
    pub async fn api(&self, method: &str, path: &str, body: Option<&str>) -> ApiAnswer {
        self.api_as(None, method, path, body).await
    }

    /// Calls the API with a token or without.
    pub async fn api_as(
        &self,
        token: Option<&str>,
        method: &str,
        path: &str,
        body: Option<&str>,
    ) -> ApiAnswer {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = format!("http://{}/api/v1{path}", self.server.http_address);
        let method = method.parse().expect("a method");
        let mut request = reqwest::Client::new().request(method, url);
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_owned());
        }
        let answer = request.send().await.expect("the server answers");
        let header = |name| {
            let value = answer.headers().get(name);
            value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        ApiAnswer {
            status: answer.status().as_u16(),
            content_type: header(CONTENT_TYPE),
            allow: header(ALLOW),
            link: header(LINK),
            body: serde_json::from_str(&answer.text().await.expect("text")).unwrap_or_default(),
        }
    }
}
