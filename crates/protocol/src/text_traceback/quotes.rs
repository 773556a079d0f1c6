//! Quotes and spaces that a word processor or a chat made of plain ones.
use super::containers::Line;
use super::frame::files;

/// The lines with plain quotes, if frames among them show that somebody replaced these.
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
    lines
}

fn plain(c: char) -> char {
    match c {
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' => '"',
        '‘' | '’' | '‚' | '‛' | '′' => '\'',
        '\u{a0}' | '\u{202f}' => ' ',
        c => c,
    }
}
