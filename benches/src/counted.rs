//! Reads how many occurrences a server has counted, by the file of the blamed line.
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::options::Contender;
use crate::server::Server;
use crate::setting::Setting;

/// Occurrences by path in the repository.
pub(crate) type Counted = HashMap<String, usize>;

/// Reads our counts from the store with the command line, and the peer's from its page. The page
/// shows saved counts, and the peer saves when it stops, so it must have been stopped before.
pub(crate) fn counted(setting: &Setting, contender: Contender, data: &Path) -> Result<Counted> {
    match contender {
        Contender::Ours | Contender::Postgres => {
            let mut command = Command::new(&setting.program);
            command.args(["issues", "--json", "--set"]);
            command.arg(format!("data_dir_path={}", data.display()));
            if let Some(url) = setting.database_url(contender, data)? {
                command.args(["--set", &format!("database_url={url}")]);
            }
            let output = command.output()?;
            ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            from_json_lines(&String::from_utf8(output.stdout)?)
        }
        Contender::Peer => {
            let server = Server::start(setting, contender, data, 3)?;
            let page = get(server.http_port, "/get_weekly_error_report");
            server.stop()?;
            Ok(from_page(&page?))
        }
    }
}

fn from_json_lines(text: &str) -> Result<Counted> {
    let mut counted = Counted::new();
    for line in text.lines() {
        let issue: Value = serde_json::from_str(line)?;
        let path = issue["filename"].as_str().context("an issue without a file")?;
        let count = issue["error_count"].as_u64().context("an issue without a count")?;
        *counted.entry(path.to_owned()).or_default() += usize::try_from(count)?;
    }
    Ok(counted)
}

fn from_page(page: &str) -> Counted {
    let (mut counted, mut count) = (Counted::new(), 0);
    for part in page.split("<br />") {
        if let Some(number) = part.strip_prefix("Number of Occurrences: ") {
            count = number.replace(',', "").parse().unwrap_or(0);
        } else if let Some(path) = part.strip_prefix("Filename: ") {
            *counted.entry(path.to_owned()).or_default() += count;
        }
    }
    counted
}

fn get(port: u16, path: &str) -> Result<String> {
    // The process for pages may start a little later than that for reports.
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = None;
    for _ in 0..100 {
        stream = TcpStream::connect(address).ok();
        if stream.is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut stream = stream.context("the pages do not answer")?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())?;
    let mut page = Vec::new();
    stream.read_to_end(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_telling_are_read() {
        let page = "x<br />Number of Occurrences: 1,234<br />Last<br />Filename: a.py<br />\
                    Number of Occurrences: 2<br />Filename: a.py";
        assert_eq!(from_page(page)["a.py"], 1_236);
        let lines = "{\"filename\":\"a.py\",\"error_count\":2}\n\
                     {\"filename\":\"a.py\",\"error_count\":3}\n";
        assert_eq!(from_json_lines(lines).unwrap()["a.py"], 5);
    }
}
