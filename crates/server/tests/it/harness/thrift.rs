//! A client of the wire protocol, for what the real clients cannot be made to send.
use std::net::SocketAddr;

use flawless_protocol::thrift::{RecordErrorRequest, StackLine, decode_reply, encode_record_error};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Path, line, function, text.
pub type Frame<'a> = (&'a str, i64, &'a str, &'a str);

/// A report of a ValueError with these frames, each with one local variable.
pub fn request(frames: &[Frame<'_>]) -> RecordErrorRequest {
    let line = |(path, line, function, text): &Frame<'_>| StackLine {
        filename: Some((*path).to_owned()),
        line_number: Some(*line),
        function_name: Some((*function).to_owned()),
        text: Some((*text).to_owned()),
        frame_locals: Some([("where".to_owned(), format!("'{function}'"))].into()),
        ..StackLine::default()
    };
    RecordErrorRequest {
        traceback: frames.iter().map(line).collect(),
        exception_message: Some("ValueError('no')".into()),
        exception_type: Some("builtins.ValueError".into()),
        hostname: Some("web-01".into()),
        error_count: Some(1),
        ..RecordErrorRequest::default()
    }
}

pub struct ThriftClient {
    pub stream: TcpStream,
}

impl ThriftClient {
    pub async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.expect("it listens") }
    }

    /// Sends a report; returns the answered method, or the server's reason for refusing it.
    pub async fn record_error(&mut self, request: &RecordErrorRequest) -> Result<String, String> {
        let frame = encode_record_error(request, 7).expect("memory");
        self.send_frame(&frame).await;
        let reply = self.read_frame().await.ok_or("the connection was closed")?;
        decode_reply(&reply).map_err(|error| error.to_string())
    }

    pub async fn send_frame(&mut self, frame: &[u8]) {
        let length = u32::try_from(frame.len()).expect("short");
        let bytes = [&length.to_be_bytes(), frame].concat();
        // The server may close the connection while a refused frame is still on its way.
        let _ = self.stream.write_all(&bytes).await;
    }

    /// The next frame; `None` when the server has closed the connection.
    pub async fn read_frame(&mut self) -> Option<Vec<u8>> {
        let length = self.stream.read_u32().await.ok()?;
        let mut frame = vec![0; length as usize];
        self.stream.read_exact(&mut frame).await.ok()?;
        Some(frame)
    }
}
