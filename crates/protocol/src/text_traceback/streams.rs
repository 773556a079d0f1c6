//! Separates the lines of programs that log into one text at the same time, each prefixed with a
//! name, as container runtimes do.
use super::containers::Line;
use super::frame::find_frame;
use super::words::header;

/// How many programs are separated.
const MAX_STREAMS: usize = 50;

/// The lines of each program, if several alternate; otherwise all lines.
pub(super) fn streams(lines: Vec<Line<'_>>) -> Vec<Vec<Line<'_>>> {
    let found: Vec<String> = lines.iter().filter_map(|line| name_before(&line.text)).collect();
    let mut names: Vec<&String> = found.iter().collect();
    names.sort();
    names.dedup();
    let is_repeated =
        |name: &&String| found.iter().filter(|known| known == name).take(2).count() > 1;
    if names.len() > MAX_STREAMS || !in_turns(&found) {
        return vec![lines];
    }
    names.retain(is_repeated);
    if names.len() < 2 {
        return vec![lines];
    }
    let mut streams: Vec<Vec<Line<'_>>> = names.iter().map(|_| Vec::new()).collect();
    let mut last = 0;
    for line in lines {
        // A line without a name continues the line before; a longer name may begin with a shorter
        // one.
        let known = (0..names.len()).filter(|at| line.text.starts_with(names[*at].as_str()));
        let of = known.max_by_key(|at| names[*at].len());
        let is_foreign = of.is_none() && line.text.contains(" | ");
        last = of.unwrap_or(last);
        if !is_foreign {
            streams[last].push(line);
        }
    }
    streams
}

/// The name before a header or a frame, up to the mark that ends it.
fn name_before(text: &str) -> Option<String> {
    let at = find_frame(text).map(|frame| frame.at).or_else(|| Some(header(text)?.at))?;
    let before = &text[..at];
    let end = before.find(['|', ']'])?;
    let name = &before[..=end];
    name.contains(char::is_alphanumeric).then(|| name.to_owned())
}

/// Whether one of the names recurs after another.
fn in_turns(names: &[String]) -> bool {
    let mut ended: Vec<&String> = Vec::new();
    for pair in names.windows(2) {
        if pair[0] != pair[1] {
            ended.push(&pair[0]);
            if ended.contains(&&pair[1]) {
                return true;
            }
            if ended.len() > MAX_STREAMS {
                return false;
            }
        }
    }
    false
}
