//! Removes terminal control from a line: colours and other escape sequences, however they were kept
//! or mangled, and control characters.
use std::borrow::Cow;

/// `line` without terminal control. Tabs stay. A sequence whose escape character was lost or spelt
/// out (`[35m`, `^[[35m`) is removed as well.
pub(super) fn without_control(line: &str) -> Cow<'_, str> {
    let line = if line.contains(is_control) { Cow::from(stripped(line)) } else { line.into() };
    if line.contains('[') && has_spelt_out(&line) {
        return without_spelt_out(&line).into();
    }
    line
}

/// Control characters, and the invisible ones that come with a paste.
fn is_control(c: char) -> bool {
    (c.is_control() && c != '\t') || matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{241b}')
}

fn stripped(line: &str) -> String {
    let mut kept = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(is_control) {
        kept.push_str(&rest[..at]);
        let mut after = rest[at..].chars();
        let control = after.next();
        rest = after.as_str();
        rest = match control {
            Some('\u{1b}' | '\u{241b}') => after_escape(rest),
            Some('\u{9b}') => after_parameters(rest),
            Some('\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}') => after_string(rest),
            _ => rest,
        };
    }
    kept.push_str(rest);
    kept
}

/// The text after the escape sequence whose escape character came before `rest`.
fn after_escape(rest: &str) -> &str {
    match rest.chars().next() {
        Some('[') => after_parameters(&rest[1..]),
        Some(']' | 'P' | 'X' | '^' | '_') => after_string(&rest[1..]),
        _ => {
            let rest = rest.trim_start_matches(|c| (' '..='/').contains(&c));
            rest.strip_prefix(|c| ('0'..='~').contains(&c)).unwrap_or(rest)
        }
    }
}

/// The text after the parameters and the last letter of a control sequence.
fn after_parameters(rest: &str) -> &str {
    let rest = rest.trim_start_matches(|c| (' '..='?').contains(&c));
    rest.strip_prefix(|c| ('@'..='~').contains(&c)).unwrap_or(rest)
}

/// The text after a terminal's string sequence, such as the target of a link. A string without an
/// end is not accepted.
fn after_string(rest: &str) -> &str {
    let Some(end) = rest.find(['\u{7}', '\u{1b}', '\u{9c}']) else { return rest };
    let rest = &rest[end..];
    rest.strip_prefix("\u{1b}\\").or_else(|| rest.strip_prefix(['\u{7}', '\u{9c}'])).unwrap_or(rest)
}

/// How source code spells the escape character; there the colour belongs to the line.
const IN_SOURCE: [&str; 5] = ["\\x1b", "\\x1B", "\\033", "\\u001b", "\\e"];

/// Colours end with `[0m` or similar, so a line without such an end has no colours.
fn has_spelt_out(line: &str) -> bool {
    ["[0m", "[39m", "[22m"].iter().any(|end| line.contains(end))
}

fn without_spelt_out(line: &str) -> String {
    let mut kept = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('[') {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        match after_colour(rest) {
            Some(next) if !IN_SOURCE.iter().any(|spelt| kept.ends_with(spelt)) => {
                if kept.ends_with("^[") || kept.ends_with("#033") {
                    kept.truncate(kept.rfind(['^', '#']).unwrap_or(kept.len()));
                }
                rest = next;
            }
            _ => {
                kept.push('[');
                rest = &rest[1..];
            }
        }
    }
    kept.push_str(rest);
    kept
}

/// The text after `[35m`, if `text` begins with such a colour.
fn after_colour(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('[')?;
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    (1..=20).contains(&end).then(|| rest[end..].strip_prefix('m'))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_control_characters_are_removed() {
        for (line, expected) in [
            (
                "File \u{1b}[35m\"a.py\"\u{1b}[0m, line \u{1b}[35m2\u{1b}[0m",
                "File \"a.py\", line 2",
            ),
            ("\u{1b}[1;38;2;255;0;0mKeyError\u{1b}[m: 'k'\u{1b}[K", "KeyError: 'k'"),
            ("\u{1b}]8;;file:///a.py\u{1b}\\File\u{1b}]8;;\u{7} x", "File x"),
            ("\u{9b}31mred\u{9b}0m \u{1b}(B\u{1b}=\u{1b}7x", "red x"),
            ("[35mFile[0m ^[[31mx^[[0m #033[1my#033[0m", "File x y"),
            (r#"print("\033[31mx\033[0m")"#, r#"print("\033[31mx\033[0m")"#),
            ("\u{241b}[35mx\u{241b}[0m\u{200b}\u{feff}\u{7}\u{8}\u{0}", "x"),
            ("a\u{1b}", "a"),
            ("\u{1b}]0;a title without an end", "0;a title without an end"),
            ("x = colours[0]\ty[1m, z[m]", "x = colours[0]\ty[1m, z[m]"),
        ] {
            assert_eq!(without_control(line), expected, "{line:?}");
        }
    }
}
