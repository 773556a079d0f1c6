//! Which of some files a deployed file is, told by the lines that its frames quote.
use crate::text::fold_white_space;

/// A line of a frame: its number from 1, and its text.
pub type QuotedLine<'a> = (u32, &'a str);

/// Shorter lines (`return x`, `else:`, `main()`) stand in any file and tell nothing.
const MIN_TELLING: usize = 9;

/// The one of `contents` in which the lines stand, white space folded: more lines are better
/// than fewer, then more of them at the very line. `None` when none stands there, or two files
/// are as good.
pub fn where_text_stands(contents: &[String], quoted: &[QuotedLine<'_>]) -> Option<usize> {
    let wanted: Vec<(u32, _)> = quoted
        .iter()
        .map(|(line, text)| (*line, fold_white_space(text)))
        .filter(|(_, text)| text.len() >= MIN_TELLING)
        .collect();
    let standing = |content: &String| {
        let lines: Vec<_> = content.lines().map(fold_white_space).collect();
        let at_line = |(line, text): &&(u32, _)| {
            (*line as usize).checked_sub(1).and_then(|at| lines.get(at)) == Some(text)
        };
        let anywhere = wanted.iter().filter(|(_, text)| lines.contains(text)).count();
        (anywhere, wanted.iter().filter(at_line).count())
    };
    let standings: Vec<(usize, usize)> = contents.iter().map(standing).collect();
    let best = standings.iter().max().filter(|(anywhere, _)| *anywhere > 0)?;
    let mut at_best = standings.iter().enumerate().filter(|(_, standing)| *standing == best);
    match (at_best.next(), at_best.next()) {
        (Some((at, _)), None) => Some(at),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::where_text_stands;

    #[test]
    fn the_file_is_the_one_that_holds_the_line_best_at_its_number() {
        let contents = [
            "import os\nreturn  sum(prices)\n".to_owned(),
            "return sum(prices)\n".to_owned(),
            "return x\nreturn max(prices)\n".to_owned(),
        ];
        let find = |quoted: &[(u32, &str)]| where_text_stands(&contents, quoted);
        assert_eq!(find(&[(2, "    return sum(prices)")]), Some(0));
        assert_eq!(find(&[(1, "return sum(prices)")]), Some(1));
        assert_eq!(find(&[(9, "return sum(prices)")]), None, "two files have it");
        assert_eq!(find(&[(9, "return max(prices)")]), Some(2));
        assert_eq!(find(&[(9, "return sum(prices)"), (1, "import os, sys")]), None);
        assert_eq!(find(&[(0, "return sum(prices)"), (1, "import os")]), Some(0));
        assert_eq!(find(&[(1, "return x")]), None, "too short to tell anything");
        assert_eq!(find(&[(1, "")]), None);
        assert_eq!(where_text_stands(&[], &[(1, "return sum(prices)")]), None);
    }
}
