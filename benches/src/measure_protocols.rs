//! Measures the way of an envelope of Sentry's protocol next to a bare HTTP server, and of a minified
//! frame through a source map.
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use flate2::Compression;
use flate2::write::GzEncoder;
use flawless_protocol::source_map::{Generated, SourceMap};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::options::{Contender, Options};
use crate::process::quiet;
use crate::rows::{Rows, Target};
use crate::server::Server;
use crate::setting::Setting;

const CONNECTIONS: usize = 32;
const PATIENCE: Duration = Duration::from_secs(60);
const ENVELOPE_BYTES: usize = 15_500;
const MAP_BYTES: usize = 5_000_000;

/// Prints both.
pub(crate) async fn measure_protocols(setting: &Setting, options: &Options) -> Result<()> {
    let mut rows = Rows::default();
    for name in ["plain", "gzip"] {
        rows.name_column(name);
    }
    let time = Duration::from_secs(options.seconds);
    for run in 0..options.runs {
        eprintln!("run {} of {}", run + 1, options.runs);
        let data = setting.folder.join(format!("protocols-{run}"));
        let server = Server::start(setting, Contender::Ours, &data, 1_000_000)?;
        let key = key(setting, &data)?;
        let ours = SocketAddr::from(([127, 0, 0, 1], server.http_port));
        let (bare, stop) = bare_echo()?;
        let plain = envelope(setting);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&plain)?;
        let gzip = encoder.finish()?;
        for (column, (body, encoding)) in
            [(plain, ""), (gzip, "Content-Encoding: gzip\r\n")].into_iter().enumerate()
        {
            let request = |path: &str| request(path, encoding, &body);
            let of_ours = request(&format!("/api/1/envelope/?sentry_key={key}"));
            load(ours, &of_ours, 1, Duration::from_millis(300)).await?;
            quiet(server.id(), PATIENCE).await;
            let kept = load(ours, &of_ours, CONNECTIONS, time).await?;
            let echoed = load(bare, &request("/"), CONNECTIONS, time).await?;
            let least = if column == 0 { 0.25 } else { 0.15 };
            rows.add("envelopes a second", Target::Nothing, column, Some(kept));
            rows.add("bare echo a second", Target::Nothing, column, Some(echoed));
            rows.add("ours ÷ bare", Target::AtLeast(least), column, Some(kept / echoed));
        }
        drop(stop);
        server.stop()?;
    }
    rows.print(options.runs);
    print_source_map(options)
}

fn key(setting: &Setting, data: &std::path::Path) -> Result<String> {
    let mut command = Command::new(&setting.program);
    command.args(["projects", "list", "--json", "--set"]);
    command.arg(format!("data_dir_path={}", data.display()));
    let output = command.output()?;
    let line = String::from_utf8_lossy(&output.stdout).into_owned();
    let project: Value = serde_json::from_str(line.lines().next().context("no project")?)?;
    let dsn = project["dsn"].as_str().context("no address")?;
    Ok(dsn.split(['/', '@']).nth(2).context("no key")?.to_owned())
}

/// An envelope with one error of a known line.
fn envelope(setting: &Setting) -> Vec<u8> {
    let line = &setting.code.known[0];
    let frame = |n: usize| {
        let values = (0..8).map(|at| (format!("value_{at}"), json!(format!("{at} of {n}"))));
        json!({"filename": line.path, "abs_path": format!("/srv/app/{}", line.path),
            "function": line.function, "lineno": line.number, "context_line": line.text,
            "pre_context": ["# one", "# two"], "post_context": ["# three"],
            "vars": Value::Object(values.collect())})
    };
    let event = |frames: usize| {
        let frames: Vec<Value> = (0..frames).map(frame).collect();
        let exception =
            json!({"type": "ValueError", "value": "no", "stacktrace": {"frames": frames}});
        json!({"platform": "python", "exception": {"values": [exception]}}).to_string()
    };
    let frames = (1..200).find(|frames| event(*frames).len() >= ENVELOPE_BYTES).unwrap_or(200);
    let event = event(frames);
    format!("{{}}\n{{\"type\":\"event\",\"length\":{}}}\n{event}\n", event.len()).into_bytes()
}

fn request(path: &str, encoding: &str, body: &[u8]) -> Arc<[u8]> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: bench\r\n{encoding}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat().into()
}

/// A server that answers with what it is sent, on as many threads as ours has.
fn bare_echo() -> Result<(SocketAddr, tokio::sync::oneshot::Sender<()>)> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
            let router = Router::new().route("/", post(async |body: Bytes| body));
            tokio::select! {
                _ = axum::serve(listener, router).into_future() => {}
                _ = stopped => {}
            }
        });
    });
    Ok((address, stop))
}

/// Requests a second that are answered with 200 over connections that are kept.
async fn load(
    to: SocketAddr,
    request: &Arc<[u8]>,
    connections: usize,
    time: Duration,
) -> Result<f64> {
    let start = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|_| {
            let request = request.clone();
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(to).await?;
                stream.set_nodelay(true)?;
                let (mut answered, mut buffer) = (0_u64, vec![0; 64 * 1024]);
                while start.elapsed() < time {
                    stream.write_all(&request).await?;
                    answer(&mut stream, &mut buffer).await?;
                    answered += 1;
                }
                Ok::<_, anyhow::Error>(answered)
            })
        })
        .collect();
    let mut answered = 0;
    for task in tasks {
        answered += task.await??;
    }
    #[expect(clippy::cast_precision_loss, reason = "it is small")]
    Ok(answered as f64 / start.elapsed().as_secs_f64())
}

/// Reads one answer.
async fn answer(stream: &mut TcpStream, buffer: &mut [u8]) -> Result<()> {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        ensure!(read > 0, "the server closed the connection");
        filled += read;
        let Some(head) = buffer[..filled].windows(4).position(|it| it == b"\r\n\r\n") else {
            continue;
        };
        let text = String::from_utf8_lossy(&buffer[..head]).to_lowercase();
        ensure!(text.starts_with("http/1.1 200"), "{text}");
        let length = text.split("content-length: ").nth(1).and_then(|it| it.lines().next());
        let length: usize = length.context("no length")?.trim().parse()?;
        if filled >= head + 4 + length {
            return Ok(());
        }
    }
}

/// Times one frame through a map of five megabytes: the first one, which reads the map, and further
/// ones at other places.
fn print_source_map(options: &Options) -> Result<()> {
    let (map, minified, columns) = large_map();
    println!("\na minified frame through a map of {:.1} MB", map.len() as f64 / 1e6);
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for _ in 0..options.runs {
        let start = Instant::now();
        let read = SourceMap::read(map.as_bytes())?;
        let generated = Generated::new(minified.as_str().into());
        let mut found = 0;
        frame(&read, &generated, columns[0], &mut found);
        cold.push(start.elapsed().as_secs_f64() * 1e3);
        let others: Vec<u32> = columns.iter().copied().step_by(97).collect();
        let start = Instant::now();
        others.iter().for_each(|column| frame(&read, &generated, *column, &mut found));
        warm.push(start.elapsed().as_secs_f64() * 1e6 / others.len() as f64);
        ensure!(found == others.len() + 1, "every place is mapped");
    }
    let shown = |numbers: &[f64]| crate::stats::median(numbers).unwrap_or_default();
    println!(
        "cold {:.1} ms (target: at most 60), warm {:.1} µs (target: at most 20)",
        shown(&cold),
        shown(&warm)
    );
    Ok(())
}

/// What attribution does with one frame.
fn frame(map: &SourceMap, generated: &Generated, column: u32, found: &mut usize) {
    let Some(original) = map.original(1, column) else { return };
    let name = map.original_name(generated, (1, column), "r");
    let lines = map.lines(original.number, original.line, 5);
    std::hint::black_box(name);
    *found += usize::from(lines.is_some());
}

/// A map with the code of a thousand sources, the minified file, and columns of it.
fn large_map() -> (String, String, Vec<u32>) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let vlq = |number: i64, to: &mut String| {
        let mut rest = if number < 0 { ((-number) << 1) | 1 } else { number << 1 };
        loop {
            let digit = rest & 31;
            rest >>= 5;
            let digit = if rest > 0 { digit | 32 } else { digit };
            to.push(DIGITS[usize::try_from(digit).unwrap_or(0)].into());
            if rest == 0 {
                return;
            }
        }
    };
    let (mut mappings, mut minified, mut columns) = (String::new(), String::new(), Vec::new());
    let (mut sources, mut contents) = (Vec::new(), Vec::new());
    let mut line_before = 0;
    let mut column = 1_u32;
    while mappings.len() + contents.iter().map(String::len).sum::<usize>() < MAP_BYTES {
        let source = sources.len();
        sources.push(format!("../src/module_{source}.ts"));
        let mut content = String::new();
        for line in 0..60_i64 {
            let _ = writeln!(
                content,
                "export function f{line}(order) {{ return order.total({line}); }}"
            );
            for part in ["function ", "r(t)", "{return ", "t.a(", "9)}"] {
                if !mappings.is_empty() {
                    mappings.push(',');
                }
                let (is_first, is_name) = (part == "function ", part == "r(t)");
                let before = if columns.is_empty() {
                    0
                } else {
                    i64::from(column - columns[columns.len() - 1])
                };
                vlq(before, &mut mappings);
                vlq(i64::from(line == 0 && is_first && source > 0), &mut mappings);
                vlq(line - line_before, &mut mappings);
                vlq(0, &mut mappings);
                if is_name {
                    vlq(0, &mut mappings);
                }
                line_before = line;
                columns.push(column);
                minified.push_str(part);
                column += u32::try_from(part.len()).unwrap_or(0);
            }
        }
        contents.push(content);
    }
    let map = json!({"version": 3, "sources": sources, "sourcesContent": contents, "names": ["unit"],
        "mappings": mappings});
    (map.to_string(), minified, columns)
}
