//! A mail server within the test process: it takes every mail, or refuses one address.
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use mail_parser::{HeaderValue, MessageParser};

use super::mail::Mail;

/// Dropping it closes its port and all connections.
pub struct SmtpSink {
    port: u16,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    mails: Mutex<Vec<Mail>>,
    open: Mutex<Vec<TcpStream>>,
    refuse: Option<String>,
    hangs: AtomicBool,
    is_closed: AtomicBool,
}

impl SmtpSink {
    /// Listens on a free port of loopback.
    pub fn start(refuse: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let refuse = refuse.map(str::to_owned);
        let shared = Arc::new(Shared { refuse, ..Shared::default() });
        let accepted = shared.clone();
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if accepted.is_closed.load(Ordering::SeqCst) {
                    return;
                }
                accepted.open.lock().expect("lock").extend(stream.try_clone());
                let shared = accepted.clone();
                // A client may break off at any time.
                std::thread::spawn(move || shared.talk(&stream).unwrap_or_default());
            }
        });
        Self { port, shared, accepting: Some(accepting) }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The next mail gets no answer, and is not taken.
    pub fn hang(&self) {
        self.shared.hangs.store(true, Ordering::SeqCst);
    }

    /// Whether a mail waits for its answer in vain.
    pub fn has_hung(&self) -> bool {
        !self.shared.hangs.load(Ordering::SeqCst)
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.shared.mails.lock().expect("lock").clone()
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        self.shared.is_closed.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        for stream in self.shared.open.lock().expect("lock").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn talk(&self, stream: &TcpStream) -> std::io::Result<()> {
        let (mut input, mut output) = (BufReader::new(stream), stream);
        output.write_all(b"220 sink\r\n")?;
        let (mut line, mut recipients) = (Vec::new(), Vec::new());
        loop {
            line.clear();
            if input.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            let text = String::from_utf8_lossy(&line).trim().to_owned();
            let verb: String = text.chars().take(4).collect::<String>().to_ascii_uppercase();
            let answer = match verb.as_str() {
                "EHLO" => "250-sink\r\n250-8BITMIME\r\n250 SMTPUTF8",
                "RCPT" => {
                    let address = text.split(['<', '>']).nth(1).unwrap_or_default();
                    if self.refuse.as_deref() == Some(address) {
                        "550 5.1.1 no such user here"
                    } else {
                        recipients.push(address.to_owned());
                        "250 OK"
                    }
                }
                "DATA" => {
                    output.write_all(b"354 end with a dot\r\n")?;
                    let message = read_message(&mut input)?;
                    if self.hangs.swap(false, Ordering::SeqCst) {
                        // Until the client goes away.
                        input.read_until(b'\n', &mut line)?;
                        return Ok(());
                    }
                    let taken = recipients.drain(..).map(|to| Mail::parse(to, &message));
                    self.mails.lock().expect("lock").extend(taken);
                    "250 kept"
                }
                "RSET" => {
                    recipients.clear();
                    "250 OK"
                }
                "QUIT" => {
                    output.write_all(b"221 bye\r\n")?;
                    return Ok(());
                }
                "HELO" | "MAIL" | "NOOP" => "250 OK",
                _ => "502 5.5.1 unknown command",
            };
            output.write_all(format!("{answer}\r\n").as_bytes())?;
        }
    }
}

/// The lines up to the lone dot, without the dots that were doubled for the wire.
fn read_message(input: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let (mut message, mut line) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(message);
        }
        message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

impl Mail {
    pub(super) fn parse(to: String, raw: &[u8]) -> Self {
        let parsed = MessageParser::default().parse(raw).expect("a mail");
        let text = |body: Option<std::borrow::Cow<'_, str>>| {
            body.map(|body| body.replace("\r\n", "\n")).unwrap_or_default()
        };
        let value = |header: &mail_parser::Header<'_>| match &header.value {
            HeaderValue::Text(text) if header.name() == "Subject" => text.to_string(),
            _ => {
                let start = usize::try_from(header.offset_start).expect("an offset");
                let end = usize::try_from(header.offset_end).expect("an offset");
                let raw = String::from_utf8_lossy(&raw[start..end]);
                raw.lines().map(str::trim).collect::<Vec<_>>().join(" ")
            }
        };
        let headers: Vec<(String, String)> = parsed
            .headers()
            .iter()
            .map(|header| (header.name().to_ascii_lowercase(), value(header).trim().to_owned()))
            .collect();
        let header = |name: &str| {
            let found = headers.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        Self {
            to,
            subject: parsed.subject().unwrap_or_default().to_owned(),
            message_id: header("message-id"),
            text: text(parsed.body_text(0).filter(|_| parsed.text_body_count() > 0)),
            html: text(parsed.body_html(0)),
            raw: raw.to_owned(),
            headers,
        }
    }
}
