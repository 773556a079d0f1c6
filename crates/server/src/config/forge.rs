//! Links to commits and lines on a repository's web pages, derived from the address that it is
//! cloned from, or from the option `repo_web_url`.
use flawless_git::Source;
use url::Url;

/// The pages of the repository and of its submodules.
#[derive(Debug, Clone, Default)]
pub struct Forges {
    main: Option<Forge>,
    /// Paths of submodules, and their pages.
    submodules: Vec<(String, Option<Forge>)>,
}

/// A repository's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forge {
    kind: ForgeKind,
    /// http or https, without user, query and fragment.
    base: Url,
}

/// The software of a forge; each has its own addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ForgeKind {
    GitHub,
    GitLab,
    /// Also Forgejo.
    Gitea,
    Bitbucket,
    BitbucketServer,
    Cgit,
}

impl Forges {
    /// `main` is the page of the repository, `submodules` the paths and sources of its submodules.
    pub fn new(main: Option<Forge>, submodules: &[(String, Source)]) -> Self {
        let page = |(path, source): &(String, Source)| (path.clone(), Forge::of_source(source));
        Self { main, submodules: submodules.iter().map(page).collect() }
    }

    /// The page of a commit that changed a file.
    pub fn commit(&self, commit: &str, path: &str) -> Option<String> {
        let (forge, _) = self.of(path)?;
        Some(forge.commit(commit))
    }

    /// The page of the commit that a line came from. `path` is the current one, because the old one
    /// does not say which submodule it is in.
    pub fn origin(&self, commit: Option<&str>, path: &str) -> Option<String> {
        self.commit(commit?, path)
    }

    /// The page of a line in a revision; `None` for a submodule's file, whose revision is unknown.
    pub fn line(&self, revision: &str, path: &str, line: i64) -> Option<String> {
        let (forge, is_main) = self.of(path)?;
        is_main.then(|| forge.line(revision, path, line))
    }

    fn of(&self, path: &str) -> Option<(&Forge, bool)> {
        let is_in = |folder: &str| {
            let rest = path.strip_prefix(folder.trim_matches('/'));
            rest.is_some_and(|rest| rest.starts_with('/'))
        };
        match self.submodules.iter().find(|(folder, _)| is_in(folder)) {
            Some((_, forge)) => Some((forge.as_ref()?, false)),
            None => Some((self.main.as_ref()?, true)),
        }
    }
}

impl Forge {
    /// Reads the option `repo_web_url`.
    ///
    /// # Errors
    /// What is wrong with it, without the typed text, which may contain a password.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (kind, address) = match text.trim().split_once(char::is_whitespace) {
            Some((kind, address)) => {
                let kind = ForgeKind::named(kind).ok_or("does not begin with a kind of forge")?;
                (Some(kind), address.trim())
            }
            None => (None, text.trim()),
        };
        let base = Url::parse(address).ok().filter(|url| url.has_host() && is_web(url));
        let base = base.ok_or("is not the web address of a repository")?;
        if !base.username().is_empty() || base.password().is_some() {
            return Err("contains a user or a password, which links would show to everybody");
        }
        let host = base.host_str().unwrap_or_default();
        let kind = kind.or_else(|| ForgeKind::of_host(host)).ok_or("lacks the kind of forge")?;
        Ok(Self::new(kind, base))
    }

    /// The forge that a repository is cloned from; `None` if its host does not reveal the kind.
    pub fn of_source(source: &Source) -> Option<Self> {
        match source {
            Source::Clone { url, .. } => Self::of_address(url),
            Source::Folder(_) => None,
        }
    }

    /// The forge of an address in git's form: a URL, or `user@host:path`.
    fn of_address(address: &str) -> Option<Self> {
        let mut base = match address.split_once("://") {
            Some((_, rest)) => {
                let url = Url::parse(address).ok()?;
                match url.scheme() {
                    "http" | "https" => url,
                    // Their ports are not those of the pages.
                    "ssh" | "git" | "git+ssh" | "ssh+git" => {
                        let mut web = Url::parse(&format!("https://{rest}")).ok()?;
                        web.set_port(None).ok()?;
                        web
                    }
                    _ => return None,
                }
            }
            None => {
                let (host, path) = address.split_once(':')?;
                let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
                let path = path.trim_start_matches('/');
                if host.contains(['/', '\\']) || path.split('/').next()?.contains('@') {
                    return None;
                }
                Url::parse(&format!("https://{host}/{path}")).ok()?
            }
        };
        // Other hosts of the same forge, for networks that allow only port 443.
        let host = match base.host_str()? {
            "ssh.github.com" => "github.com",
            "altssh.gitlab.com" => "gitlab.com",
            "altssh.bitbucket.org" => "bitbucket.org",
            host => host,
        };
        let host = host.to_owned();
        base.set_host(Some(&host)).ok()?;
        Some(Self::new(ForgeKind::of_host(&host)?, base))
    }

    fn new(kind: ForgeKind, mut base: Url) -> Self {
        // None of these can fail: it is a web address with a host.
        let _ = base.set_username("");
        let _ = base.set_password(None);
        base.set_query(None);
        base.set_fragment(None);
        let mut path = base.path().trim_end_matches('/').to_owned();
        if kind != ForgeKind::Cgit
            && let Some(name) = path.strip_suffix(".git")
        {
            path = name.to_owned();
        }
        if kind == ForgeKind::BitbucketServer {
            path = bitbucket_server_path(&path);
        }
        base.set_path(&path);
        Self { kind, base }
    }

    fn commit(&self, commit: &str) -> String {
        match self.kind {
            ForgeKind::GitHub | ForgeKind::Gitea => self.page(&["commit", commit]),
            ForgeKind::GitLab => self.page(&["-", "commit", commit]),
            ForgeKind::Bitbucket | ForgeKind::BitbucketServer => self.page(&["commits", commit]),
            ForgeKind::Cgit => {
                let mut page = self.url(&["commit", ""], "");
                page.query_pairs_mut().append_pair("id", commit);
                page.into()
            }
        }
    }

    fn line(&self, revision: &str, path: &str, line: i64) -> String {
        let (mut page, mark) = match self.kind {
            ForgeKind::GitHub => (self.url(&["blob", revision], path), "L"),
            ForgeKind::GitLab => (self.url(&["-", "blob", revision], path), "L"),
            ForgeKind::Gitea => (self.url(&["src", "commit", revision], path), "L"),
            ForgeKind::Bitbucket => (self.url(&["src", revision], path), "lines-"),
            ForgeKind::BitbucketServer => {
                let mut page = self.url(&["browse"], path);
                page.query_pairs_mut().append_pair("at", revision);
                (page, "")
            }
            ForgeKind::Cgit => {
                let mut page = self.url(&["tree"], path);
                page.query_pairs_mut().append_pair("id", revision);
                (page, "n")
            }
        };
        if line > 0 {
            page.set_fragment(Some(&format!("{mark}{line}")));
        }
        page.into()
    }

    fn page(&self, parts: &[&str]) -> String {
        self.url(parts, "").into()
    }

    /// The address of a page below the repository's. Parts are escaped, so each stays one part.
    fn url(&self, parts: &[&str], path: &str) -> Url {
        let mut page = self.base.clone();
        if let Ok(mut segments) = page.path_segments_mut() {
            segments.pop_if_empty().extend(parts);
            segments.extend(path.split('/').filter(|part| !part.is_empty()));
        }
        page
    }
}

impl ForgeKind {
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "github" => Self::GitHub,
            "gitlab" => Self::GitLab,
            "gitea" | "forgejo" => Self::Gitea,
            "bitbucket" => Self::Bitbucket,
            "bitbucket-server" => Self::BitbucketServer,
            "cgit" => Self::Cgit,
            _ => return None,
        })
    }

    /// The kind that the name of a host reveals.
    fn of_host(host: &str) -> Option<Self> {
        match host {
            "bitbucket.org" => return Some(Self::Bitbucket),
            "codeberg.org" => return Some(Self::Gitea),
            "git.kernel.org" => return Some(Self::Cgit),
            _ => {}
        }
        let words = host.split(['.', '-']);
        words.into_iter().find_map(|word| match word {
            "bitbucket" => Some(Self::BitbucketServer),
            word => Self::named(word),
        })
    }
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

/// The path of the page on a Bitbucket server for the path that is cloned: `/scm/KEY/name` over
/// HTTP, `/KEY/name` over SSH. A KEY with `~` is a person.
fn bitbucket_server_path(path: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if parts.iter().any(|part| matches!(*part, "projects" | "users")) {
        return path.to_owned();
    }
    let (Some(name), Some(key)) = (parts.pop(), parts.pop()) else { return path.to_owned() };
    if parts.last() == Some(&"scm") {
        parts.pop();
    }
    let before: String = parts.iter().map(|part| format!("/{part}")).collect();
    match key.strip_prefix('~').or_else(|| key.strip_prefix("%7E")) {
        Some(person) => format!("{before}/users/{person}/repos/{name}"),
        None => format!("{before}/projects/{key}/repos/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repository_page_is_derived_from_its_clone_address() {
        for (address, page) in [
            ("https://github.com/team/shop.git", "https://github.com/team/shop"),
            ("https://github.com/team/shop/", "https://github.com/team/shop"),
            ("git@github.com:team/shop.git", "https://github.com/team/shop"),
            ("github.com:team/shop", "https://github.com/team/shop"),
            ("ssh://git@ssh.github.com:443/team/shop.git", "https://github.com/team/shop"),
            ("git://github.com/team/shop.git", "https://github.com/team/shop"),
            ("https://ann:s3cret@github.com/team/shop.git", "https://github.com/team/shop"),
            ("https://tok3n@github.example.com/t/s", "https://github.example.com/t/s"),
            ("https://gitlab.com/a/b/c/shop.git", "https://gitlab.com/a/b/c/shop"),
            (
                "ssh://git@gitlab.example.com:2222/a/b/shop.git",
                "https://gitlab.example.com/a/b/shop",
            ),
            ("http://gitlab.example.com:8080/a/shop.git", "http://gitlab.example.com:8080/a/shop"),
            ("https://my-gitlab.example.com/a/s", "https://my-gitlab.example.com/a/s"),
            ("git@codeberg.org:team/shop.git", "https://codeberg.org/team/shop"),
            ("https://gitea.example.com/git/t/s.git", "https://gitea.example.com/git/t/s"),
            ("git@bitbucket.org:team/shop.git", "https://bitbucket.org/team/shop"),
            ("https://ann@bitbucket.org/team/shop.git", "https://bitbucket.org/team/shop"),
            (
                "ssh://git@bitbucket.example.com:7999/SHOP/shop.git",
                "https://bitbucket.example.com/projects/SHOP/repos/shop",
            ),
            (
                "https://bitbucket.example.com/app/scm/~ann/shop.git",
                "https://bitbucket.example.com/app/users/ann/repos/shop",
            ),
            (
                "https://git.kernel.org/pub/scm/git/git.git",
                "https://git.kernel.org/pub/scm/git/git.git",
            ),
        ] {
            let forge = Forge::of_address(address).unwrap_or_else(|| panic!("{address}"));
            assert_eq!(forge.base.as_str(), page, "{address}");
        }
        for address in [
            "/srv/git/shop.git",
            "file:///srv/github/shop.git",
            "https://git.example.com/team/shop.git",
            "https://github.com@evil.example/team/shop.git",
            "https://evil.example/github.com",
            "https://notgithub.com/team/shop",
            "gitlab:tok3n@gitlab.com:team/shop.git",
            "javascript://github.com/%0aalert(1)",
            "C:\\git\\shop",
            "",
        ] {
            assert_eq!(Forge::of_address(address), None, "{address}");
        }
    }

    #[test]
    fn forge_has_its_own_addresses_of_commits_and_lines() {
        for (option, commit, line) in [
            (
                "github https://example.com/t/s",
                "https://example.com/t/s/commit/c0ffee",
                "https://example.com/t/s/blob/c0ffee/a%20b/%3Cc%3E%3F%23.py#L7",
            ),
            (
                "gitlab https://example.com/t/u/s/",
                "https://example.com/t/u/s/-/commit/c0ffee",
                "https://example.com/t/u/s/-/blob/c0ffee/a%20b/%3Cc%3E%3F%23.py#L7",
            ),
            (
                "Forgejo http://example.com:3000/t/s.git",
                "http://example.com:3000/t/s/commit/c0ffee",
                "http://example.com:3000/t/s/src/commit/c0ffee/a%20b/%3Cc%3E%3F%23.py#L7",
            ),
            (
                "https://bitbucket.org/t/s",
                "https://bitbucket.org/t/s/commits/c0ffee",
                "https://bitbucket.org/t/s/src/c0ffee/a%20b/%3Cc%3E%3F%23.py#lines-7",
            ),
            (
                "bitbucket-server https://example.com/projects/T/repos/s",
                "https://example.com/projects/T/repos/s/commits/c0ffee",
                "https://example.com/projects/T/repos/s/browse/a%20b/%3Cc%3E%3F%23.py?at=c0ffee#7",
            ),
            (
                "cgit https://example.com/cgit/s.git",
                "https://example.com/cgit/s.git/commit/?id=c0ffee",
                "https://example.com/cgit/s.git/tree/a%20b/%3Cc%3E%3F%23.py?id=c0ffee#n7",
            ),
        ] {
            let forge = Forge::parse(option).expect(option);
            assert_eq!(forge.commit("c0ffee"), commit);
            assert_eq!(forge.line("c0ffee", "a b/<c>?#.py", 7), line);
            assert!(!forge.line("c0ffee", "a.py", 0).contains('#'), "no line is no mark");
        }
        let forge = Forge::parse("github https://example.com/t/s").expect("a page");
        let hostile = forge.line("x/../../..?\"", "../../\u{202e}\"><script>", 1);
        assert!(hostile.starts_with("https://example.com/t/s/blob/x%2F..%2F..%2F..%3F%22/"));
        assert!(hostile.is_ascii() && !hostile.contains(['<', '"']), "{hostile}");
    }

    #[test]
    fn wrong_forge_option_is_explained() {
        for (option, problem) in [
            ("svn https://example.com/t/s", "begin with a kind of forge"),
            ("https://example.com/t/s", "lacks the kind"),
            ("gitea git@example.com:t/s", "not the web address"),
            ("gitea javascript:alert(1)", "not the web address"),
            ("gitea https://ann:s3cret@example.com/t/s", "user or a password"),
        ] {
            let error = Forge::parse(option).expect_err(option);
            assert!(error.contains(problem), "{option}: {error}");
        }
    }

    #[test]
    fn submodule_has_a_page_of_its_own() {
        let source = |url: &str| Source::Clone { url: url.into(), dir: "x".into() };
        let submodules = [
            ("lib/money".to_owned(), source("git@gitlab.com:team/money.git")),
            ("lib/closed".to_owned(), source("git@git.example.com:team/closed.git")),
        ];
        let main = Forge::of_address("git@github.com:team/shop.git");
        let forges = Forges::new(main, &submodules);
        let commit = |path| forges.commit("c0ffee", path);
        assert_eq!(commit("a.py").as_deref(), Some("https://github.com/team/shop/commit/c0ffee"));
        let ours = Some("https://gitlab.com/team/money/-/commit/c0ffee");
        assert_eq!(commit("lib/money/a.py").as_deref(), ours);
        assert_eq!(commit("lib/closed/a.py"), None);
        assert!(commit("lib/moneybag.py").is_some_and(|url| url.contains("github.com")));
        assert_eq!(forges.line("c0ffee", "lib/money/a.py", 1), None, "its revision is not known");
        assert_eq!(Forges::default().line("c0ffee", "a.py", 1), None);
    }
}
