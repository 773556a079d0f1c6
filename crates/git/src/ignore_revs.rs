//! `.git-blame-ignore-revs`: commits that only reformatted and must not take the blame.
use flawless_core::CommitId;

/// Where a repository keeps its list, by the convention of the code hosts.
pub(crate) const IGNORE_REVS_PATH: &str = ".git-blame-ignore-revs";

/// The full commit ids in a list, one a line. Comments and what is no full id are left out: an
/// abbreviated id makes `git blame` fail as a whole.
pub(crate) fn clean(list: &str) -> String {
    let id = |line: &str| CommitId::parse(&line.split('#').next()?.trim().to_ascii_lowercase());
    list.lines().filter_map(id).fold(String::new(), |list, id| list + id.as_str() + "\n")
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn comments_short_ids_and_rubbish_are_left_out() {
        let full = "0123456789abcdef0123456789abcdef01234567";
        let list = format!(
            "# black\n{full}  # all files\n0123456\n\n--output=x\n{}\n",
            full.to_uppercase()
        );
        assert_eq!(clean(&list), format!("{full}\n{full}\n"));
    }
}
