//! A real mail server in a process of its own.
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::{PATIENCE, python};

/// A mail that the server took.
#[derive(Debug, Clone)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub message_id: String,
    pub text: String,
    pub html: String,
    pub headers: Vec<(String, String)>,
    /// What the parser of Python's library finds wrong with it.
    pub defects: Vec<String>,
    /// Bytes as they came over the wire.
    pub size: usize,
}

/// Dropping it ends the process.
pub struct SmtpServer {
    child: Child,
    port: u16,
    mails: Arc<Mutex<Vec<Mail>>>,
    answers: Mutex<Receiver<()>>,
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
        let (answered, answers) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let value: Value = serde_json::from_str(&line).expect("JSON");
                if value["envelope_to"].is_null() {
                    let _ = answered.send(());
                    continue;
                }
                kept.lock().expect("lock").extend(mails_of(&value));
            }
        });
        Self { child, port, mails, answers: Mutex::new(answers) }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What it has taken so far, sorted by recipient.
    pub fn mails(&self) -> Vec<Mail> {
        // What it has printed may still be on its way here.
        let mut asked = self.child.stdin.as_ref().expect("a pipe");
        let answers = self.answers.lock().expect("lock");
        if asked.write_all(b"?\n").is_ok() {
            answers.recv_timeout(PATIENCE).expect("an answer");
        }
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

impl Mail {
    /// Whether its text has these words, however its lines are broken.
    pub fn says(&self, words: &str) -> bool {
        let fold = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        fold(&self.text).contains(&fold(words))
    }

    /// The value of a header, by its name in small letters; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
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
        defects: serde_json::from_value(value["defects"].clone()).expect("texts"),
        size: serde_json::from_value(value["size"].clone()).expect("a number"),
    };
    recipients.iter().map(mail).collect()
}
