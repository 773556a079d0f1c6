//! A real OpenID Connect provider in a process of its own.
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::{Answer, Surfer, python};

/// Dropping it ends the process.
pub struct OpenIdProvider {
    child: Child,
    pub issuer: String,
    pub client_id: String,
    pub client_secret: String,
}

impl OpenIdProvider {
    /// Starts one that sends browsers back to this address only.
    pub fn start(redirect_uri: &str) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/harness/open_id_provider.py");
        let mut child = Command::new(python())
            .args([script, redirect_uri])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let first = lines.next().expect("it prints its name and address").expect("text");
        let [port, client_id, client_secret] =
            first.split(' ').map(str::to_owned).collect::<Vec<_>>().try_into().expect("three");
        Self { child, issuer: format!("http://localhost:{port}"), client_id, client_secret }
    }

    /// Adds a person at the provider, with these claims.
    pub async fn person(&self, name: &str, claims: &Value) {
        let request = reqwest::Client::new().put(format!("{}/users/{name}", self.issuer));
        let request = request.header("content-type", "application/json").body(claims.to_string());
        assert_eq!(request.send().await.expect("it answers").status(), 204);
    }

    /// Signs in as a person with a browser does: goes to the provider, consents, and returns.
    pub async fn sign_in(&self, surfer: &Surfer, start: &str, name: &str) -> Answer {
        let left = surfer.get(start).await;
        assert_eq!(left.status, 303, "{}", left.body);
        assert!(left.location().starts_with(&self.issuer), "{}", left.location());
        let allowed = surfer.post_bare(left.location(), &[("sub", name)]).await;
        assert_eq!(allowed.status, 302, "{}", allowed.body);
        surfer.get(allowed.location()).await
    }
}

impl Drop for OpenIdProvider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
