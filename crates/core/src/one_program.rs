//! Tells the files of a program from those of dependencies that have the same names, where only
//! names speak for them.
use std::collections::HashMap;

use crate::path_index::PathRule;

/// A deployed file and the file of the repository that its path suggests.
#[derive(Debug, Clone, Copy)]
pub struct SuggestedFile<'a> {
    /// Its path as deployed.
    pub deployed: &'a str,
    /// Its path in the repository.
    pub path: &'a str,
    /// How it was found.
    pub rule: PathRule,
    /// Whether a client sent the text of one of its lines, with which it was compared.
    pub has_text: bool,
}

impl SuggestedFile<'_> {
    /// The folder that the whole repository would be deployed in. A relative path says nothing about
    /// it.
    fn root(&self) -> Option<String> {
        let is_by_parts = matches!(self.rule, PathRule::WholePath | PathRule::LongestSuffix);
        let deployed = self.deployed.replace('\\', "/");
        let root = deployed.strip_suffix(self.path)?;
        (is_by_parts && !root.is_empty()).then(|| root.to_owned())
    }
}

/// Which of these files belong to the program, in their order; those of the innermost frames come
/// first. All files for which only names speak have to lie in one folder: the one with a file whose
/// text is known, else the one with the most files, else the one of the outermost frame, because the
/// program itself began there.
pub fn of_one_program(files: &[SuggestedFile<'_>]) -> Vec<bool> {
    let roots: Vec<Option<String>> = files.iter().map(SuggestedFile::root).collect();
    let mut weights: HashMap<&str, (bool, usize, usize)> = HashMap::new();
    for (at, (file, root)) in files.iter().zip(&roots).enumerate() {
        let Some(root) = root else { continue };
        let (has_text, count, last) = weights.entry(root).or_default();
        (*has_text, *count, *last) = (*has_text || file.has_text, *count + 1, at);
    }
    let best = weights.into_iter().max_by_key(|(_, weight)| *weight).map(|(root, _)| root);
    let is_in_it = |root: &Option<String>| root.as_deref().is_none_or(|root| Some(root) == best);
    files.iter().zip(&roots).map(|(file, root)| file.has_text || is_in_it(root)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files that are kept of these, as deployed path, path and whether there is a text.
    fn kept<'a>(files: &[(&'a str, &'a str, bool)]) -> Vec<&'a str> {
        let rule = PathRule::WholePath;
        let file = |(deployed, path, has_text): &(&'a str, &'a str, bool)| SuggestedFile {
            deployed,
            path,
            rule,
            has_text: *has_text,
        };
        let suggested: Vec<_> = files.iter().map(file).collect();
        let kept = of_one_program(&suggested).into_iter().zip(files);
        kept.filter_map(|(is_kept, file)| is_kept.then_some(file.0)).collect()
    }

    #[test]
    fn files_that_only_names_speak_for_lie_in_one_folder() {
        let dependency = ("/opt/deps/x/main.go", "main.go", false);
        let own = ("/srv/shop/cart.go", "shop/cart.go", false);
        assert_eq!(kept(&[dependency, own]), [own.0], "the outermost frame is the program's");
        let inner = ("/srv/shop/price.go", "shop/price.go", false);
        let outer = ("/opt/deps/x/start.go", "start.go", false);
        assert_eq!(kept(&[inner, own, outer]), [inner.0, own.0], "most files");
        let certain = ("/opt/deps/x/start.go", "start.go", true);
        assert_eq!(kept(&[inner, own, certain]), [certain.0], "a text says more than names");
        let read = ("/srv/shop/price.go", "shop/price.go", true);
        assert_eq!(kept(&[read, dependency, own]), [read.0, own.0]);
        assert_eq!(kept(&[dependency]), [dependency.0], "nothing speaks against it");
    }

    #[test]
    fn relative_paths_and_other_systems_paths_are_understood() {
        let relative = ("app.rb", "app.rb", false);
        let (own, windows) =
            (("/srv/lib/a.rb", "lib/a.rb", false), (r"D:\b\src\A.cs", "src/A.cs", false));
        assert_eq!(kept(&[relative, own]), [relative.0, own.0]);
        assert_eq!(
            kept(&[windows, (r"E:\x\B.cs", "B.cs", false), windows]),
            [windows.0, windows.0]
        );
        // The repository's path is longer: nothing is known of a folder.
        assert_eq!(kept(&[("com/acme/A.java", "src/com/acme/A.java", false), own]).len(), 2);
        assert!(kept(&[]).is_empty());
    }
}
