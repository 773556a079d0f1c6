//! Restores plain quotes and spaces that a word processor, a chat or a table replaced.
use super::containers::Line;
use super::frame::files;

/// The lines with plain quotes, if their frames show that the quotes were replaced.
pub(super) fn straight_quotes(mut lines: Vec<Line<'_>>) -> Vec<Line<'_>> {
    let is_replaced = |line: &Line<'_>| {
        files(&line.text).any(|at| {
            let after = line.text[at + "File".len()..].trim_start();
            after.starts_with(['“', '”', '„', '«', '″', '‘', '’'])
        })
    };
    if lines.iter().any(is_replaced) {
        for line in &mut lines {
            if line.text.contains(|c| plain(c) != c) {
                line.text = line.text.chars().map(plain).collect::<String>().into();
            }
        }
    }
    without_doubled(&mut lines);
    lines
}

/// The cell of a CSV file doubles its quotes; a single one ends it.
fn without_doubled(lines: &mut [Line<'_>]) {
    let mut is_cell = false;
    for line in lines {
        is_cell |= line.text.split("File \"\"").nth(1).is_some_and(|p| p.contains("\"\", line "));
        if !is_cell || !line.text.contains('"') {
            continue;
        }
        let mut text = line.text.replace("\"\"", "\0");
        if let Some(end) = text.find('"') {
            text.truncate(end);
            is_cell = false;
        }
        line.text = text.replace('\0', "\"").into();
    }
}

fn plain(c: char) -> char {
    match c {
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' => '"',
        '‘' | '’' | '‚' | '‛' | '′' => '\'',
        '\u{a0}' | '\u{202f}' => ' ',
        c => c,
    }
}
