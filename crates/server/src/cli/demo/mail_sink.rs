//! A mail server for the demo only, which keeps the mails: loopback, no encryption, no queue. It
//! understands only the commands that the demo sends.
use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Receives mails on a free port.
#[derive(Debug)]
pub(super) struct MailSink {
    pub(super) address: SocketAddr,
    mails: mpsc::Receiver<String>,
}

const LONGEST_LINE: u64 = 64 * 1024;
const LARGEST_MAIL: usize = 16 * 1024 * 1024;

impl MailSink {
    /// Begins to listen.
    ///
    /// # Errors
    /// There is no free port on loopback.
    pub(super) async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (sender, mails) = mpsc::channel(16);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let sender = sender.clone();
                // A client that disconnects within a mail has not sent it.
                tokio::spawn(async move { take_mails(stream, sender).await });
            }
        });
        Ok(Self { address, mails })
    }

    /// The next mail as it came, or `None` when the sink has ended.
    pub(super) async fn next(&mut self) -> Option<String> {
        self.mails.recv().await
    }
}

async fn take_mails(stream: TcpStream, mails: mpsc::Sender<String>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 demo mail sink\r\n").await?;
    loop {
        let line = read_line(&mut stream).await?;
        let command = line.split(' ').next().unwrap_or_default().trim().to_ascii_uppercase();
        let answer: &[u8] = match command.as_str() {
            "" => return Ok(()),
            "EHLO" => b"250-demo\r\n250 8BITMIME\r\n",
            "HELO" | "MAIL" | "RCPT" | "RSET" | "NOOP" => b"250 ok\r\n",
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let mail = read_mail(&mut stream).await?;
                let _ = mails.send(mail).await;
                b"250 kept\r\n"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => b"502 not here\r\n",
        };
        stream.write_all(answer).await?;
    }
}

async fn read_mail(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut mail = String::new();
    loop {
        let line = read_line(stream).await?;
        if line.is_empty() || line == ".\r\n" || mail.len() > LARGEST_MAIL {
            return Ok(mail);
        }
        mail.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut line = Vec::new();
    stream.take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
    Ok(String::from_utf8_lossy(&line).into_owned())
}
