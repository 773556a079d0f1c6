//! A server that only reads a frame and answers, which shows the most that the load generator can
//! reach on this machine.
use std::net::Ipv4Addr;
use std::thread;

use anyhow::Result;
use flawless_protocol::thrift::{LENGTH_PREFIX, Reply, encode_reply};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Starts the server in a thread of its own, where it runs until the program ends. Returns its
/// port.
pub(crate) fn start_bare_server() -> Result<u16> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::spawn(move || {
        runtime.block_on(async move {
            let Ok(listener) = TcpListener::from_std(listener) else { return };
            while let Ok((stream, _)) = listener.accept().await {
                // A client that disconnects ends its connection.
                tokio::spawn(async move { answer(stream).await });
            }
        });
    });
    Ok(port)
}

async fn answer(mut stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let content = encode_reply("record_error", 0, &Reply::Recorded)?;
    let mut reply = u32::try_from(content.len())?.to_be_bytes().to_vec();
    reply.extend(content);
    let mut frame = Vec::new();
    loop {
        let mut length = [0; LENGTH_PREFIX];
        stream.read_exact(&mut length).await?;
        frame.resize(u32::from_be_bytes(length) as usize, 0);
        stream.read_exact(&mut frame).await?;
        stream.write_all(&reply).await?;
    }
}
