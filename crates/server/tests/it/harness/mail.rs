//! A real mail server in a process of its own.
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::python;

/// A mail that the server took.
#[derive(Debug, Clone)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub message_id: String,
    pub text: String,
    pub html: String,
    pub headers: Vec<(String, String)>,
}

/// Dropping it ends the process.
pub struct SmtpServer {
    child: Child,
    port: u16,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl SmtpServer {
    /// Starts with options of smtp_server.py.
    pub fn start(options: &[&str]) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/harness/smtp_server.py");
        let mut child = Command::new(python())
            .arg(script)
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let first = lines.next().expect("it prints its port").expect("text");
        let port = first.trim().parse().expect("a port");
        let mails = Arc::new(Mutex::new(Vec::new()));
        let kept = mails.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let value: Value = serde_json::from_str(&line).expect("JSON");
                kept.lock().expect("lock").extend(mails_of(&value));
            }
        });
        Self { child, port, mails }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What it has taken so far, sorted by recipient.
    pub fn mails(&self) -> Vec<Mail> {
        let mut mails = self.mails.lock().expect("lock").clone();
        mails.sort_by(|a, b| a.to.cmp(&b.to));
        mails
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn mails_of(value: &Value) -> Vec<Mail> {
    let text = |name: &str| value[name].as_str().unwrap_or_default().replace("\r\n", "\n");
    let headers: Vec<(String, String)> =
        serde_json::from_value(value["headers"].clone()).expect("pairs");
    let header = |name: &str| {
        let found = headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let recipients = value["envelope_to"].as_array().expect("a list");
    let mail = |to: &Value| Mail {
        to: to.as_str().unwrap_or_default().to_owned(),
        subject: header("subject"),
        message_id: header("message-id"),
        text: text("text"),
        html: text("html"),
        headers: headers.clone(),
    };
    recipients.iter().map(mail).collect()
}
