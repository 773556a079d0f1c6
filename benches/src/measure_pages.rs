//! Measures how long pages take with a large store.
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use crate::large_store::{ISSUES, fill};
use crate::options::Contender;
use crate::process::quiet;
use crate::rows::{Rows, Target};
use crate::server::Server;
use crate::setting::Setting;
use crate::stats::percentile;

/// Requests of each page.
const TIMES: usize = 100;
const WARM_UP: usize = 3;
const TARGET: Target = Target::Below(50.0);
const WEEK_S: u64 = 7 * 86_400;

/// Fills a store, starts the server with it and requests its pages, one after another.
pub(crate) async fn measure_pages(setting: &Setting, contender: Contender) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let data = setting.folder.join(format!("pages-{contender:?}"));
    let start = Instant::now();
    let database = setting.database_url(contender, &data)?;
    fill(&data, database.as_deref(), i64::try_from(now.as_millis())?).await?;
    eprintln!("filled a store in {:.1} s", start.elapsed().as_secs_f64());
    let server = Server::start(setting, contender, &data, 3)?;
    quiet(server.id(), Duration::from_secs(60)).await;
    let (_, first, _) = ask(server.http_port, "/")?;
    let weeks_ago = |weeks: u64| now.as_secs() - weeks * WEEK_S;
    let pages = [
        ("week", vec!["/".to_owned()]),
        ("one developer", vec!["/?developer=dev7@example.com".to_owned()]),
        ("text", vec!["/?text=price_0042".to_owned()]),
        (
            "file, exception and state",
            vec!["/?file=shop/part_03&exception=KeyError&state=not_notified".to_owned()],
        ),
        ("one list by path, page 20", vec!["/?view=list&sort=path&page=20".to_owned()]),
        ("four weeks ago", vec![format!("/?timestamp={}", weeks_ago(4))]),
        (
            "issue",
            vec![
                format!("/issues/{}", ISSUES / 2),
                format!("/view_traceback?issue={}", ISSUES / 2),
            ],
        ),
        ("rules", vec!["/rules".to_owned(), "/view_config?key=known_errors".to_owned()]),
        ("people", vec!["/people".to_owned(), "/admin".to_owned()]),
        ("health", vec!["/check_health".to_owned()]),
    ];
    let mut rows = Rows::default();
    rows.name_column("p50, ms");
    rows.name_column("p99, ms");
    for (name, addresses) in pages {
        let mut found = None;
        for address in &addresses {
            let (status, _, bytes) = ask(server.http_port, address)?;
            if status != 404 {
                found = Some((address, bytes));
                break;
            }
        }
        let Some((address, bytes)) = found else {
            eprintln!("{name}: there is no such page");
            continue;
        };
        for _ in 0..WARM_UP {
            ask(server.http_port, address)?;
        }
        let took: Vec<f64> = (0..TIMES)
            .map(|_| ask(server.http_port, address).map(|(_, took, _)| took))
            .collect::<Result<_>>()?;
        let what = format!("{name}: `{address}`, {} kB", bytes / 1_000);
        for (column, percent) in [50, 99].into_iter().enumerate() {
            rows.add(&what, TARGET, column, percentile(&took, percent));
        }
    }
    let memory = server.tree().memory();
    server.stop()?;
    println!("{}", if database.is_some() { "On PostgreSQL:" } else { "On SQLite:" });
    println!();
    rows.print(1);
    println!();
    println!("{ISSUES} issues; each page {TIMES} times, one after the other, to its last byte.");
    println!(
        "The first page after the start took {first:.0} ms, which reads all issues into memory."
    );
    println!("The server then has {:.0} MB of memory.", memory.resident);
    Ok(())
}

/// Status, milliseconds and bytes of a page.
fn ask(port: u16, address: &str) -> Result<(u16, f64, usize)> {
    let start = Instant::now();
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let host = format!("127.0.0.1:{port}");
    let head = format!("GET {address} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let took = start.elapsed().as_secs_f64() * 1e3;
    let status = answer.get(9..12).and_then(|code| std::str::from_utf8(code).ok()?.parse().ok());
    Ok((status.with_context(|| format!("{address}: no answer"))?, took, answer.len()))
}
