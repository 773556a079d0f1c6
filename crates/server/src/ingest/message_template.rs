//! Groups messages that no exception belongs to.

/// What messages of one kind have in common: their first line without numbers.
pub(super) fn template(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let mut template = String::new();
    for c in line.chars() {
        match c {
            c if c.is_ascii_digit() && template.ends_with('#') => {}
            c if c.is_ascii_digit() => template.push('#'),
            c => template.push(c),
        }
    }
    if template.trim().is_empty() { "message".to_owned() } else { template }
}

#[cfg(test)]
mod tests {
    use super::template;

    #[test]
    fn messages_of_one_kind_have_a_template_in_common() {
        assert_eq!(template("could not price 1007 of 3\nin detail"), "could not price # of #");
        assert_eq!(template(" \n"), "message");
    }
}
