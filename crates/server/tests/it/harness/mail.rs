//! Mails that were sent, and the servers that took them.
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::smtp_sink::SmtpSink;
use super::{PATIENCE, python};

/// A mail that a server took.
#[derive(Debug, Clone)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub message_id: String,
    pub text: String,
    pub html: String,
    pub headers: Vec<(String, String)>,
    /// Its bytes as they came over the wire.
    pub raw: Vec<u8>,
}

/// A mail server: the sink of this process, or a real one where SMTP itself is tested.
pub enum SmtpServer {
    Sink(SmtpSink),
    Real(RealServer),
}

/// aiosmtpd in a process of its own. Dropping it ends the process.
pub struct RealServer {
    child: Child,
    port: u16,
    mails: Arc<Mutex<Vec<Mail>>>,
    answers: Mutex<Receiver<()>>,
}

impl SmtpServer {
    /// Takes every mail.
    pub fn start() -> Self {
        Self::Sink(SmtpSink::start(None))
    }

    /// Takes every mail but those to one address, which nobody has.
    pub fn refusing(address: &str) -> Self {
        Self::Sink(SmtpSink::start(Some(address)))
    }

    /// A real server with options of smtp_server.py.
    pub fn real(options: &[&str]) -> Self {
        Self::Real(RealServer::start(options))
    }

    fn sink(&self) -> &SmtpSink {
        match self {
            Self::Sink(sink) => sink,
            Self::Real(_) => panic!("a real server does as it likes"),
        }
    }

    /// The next mail gets no answer, and is not taken.
    pub fn hang(&self) {
        self.sink().hang();
    }

    /// Whether a mail waits for its answer in vain.
    pub fn has_hung(&self) -> bool {
        self.sink().has_hung()
    }

    pub fn port(&self) -> u16 {
        match self {
            Self::Sink(sink) => sink.port(),
            Self::Real(server) => server.port,
        }
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port())
    }

    /// The mails that it has accepted so far, sorted by recipient.
    pub fn mails(&self) -> Vec<Mail> {
        let mut mails = match self {
            Self::Sink(sink) => sink.mails(),
            Self::Real(server) => server.mails(),
        };
        mails.sort_by(|a, b| a.to.cmp(&b.to));
        mails
    }
}

impl RealServer {
    fn start(options: &[&str]) -> Self {
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
                let Some((to, raw)) = line.split_once(' ') else {
                    let _ = answered.send(());
                    continue;
                };
                let raw = BASE64_STANDARD.decode(raw).expect("Base64");
                let mail = |to: &str| Mail::parse(to.to_owned(), &raw);
                kept.lock().expect("lock").extend(to.split(',').map(mail));
            }
        });
        Self { child, port, mails, answers: Mutex::new(answers) }
    }

    fn mails(&self) -> Vec<Mail> {
        // Mails that it has printed may not have been read here yet.
        let mut asked = self.child.stdin.as_ref().expect("a pipe");
        let answers = self.answers.lock().expect("lock");
        if asked.write_all(b"?\n").is_ok() {
            answers.recv_timeout(PATIENCE).expect("an answer");
        }
        self.mails.lock().expect("lock").clone()
    }
}

impl Drop for RealServer {
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

    /// Defects that the parser of Python's library finds.
    pub fn defects(&self) -> String {
        let script = "import email, email.policy, sys\n\
            mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)\n\
            for part in mail.walk(): print(*map(repr, part.defects), sep='')\n\
            for name, value in mail.items(): print(*map(repr, value.defects), sep='')";
        let mut child = Command::new(python())
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        child.stdin.take().expect("a pipe").write_all(&self.raw).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }
}
