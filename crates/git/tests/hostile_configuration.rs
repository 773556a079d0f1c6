//! A repository's own configuration, written by somebody unknown, starts no program.
#![expect(clippy::disallowed_methods, reason = "tests start git to make repositories")]

#[expect(dead_code, reason = "the mirrors of other tests are opened otherwise")]
mod made;

use flawless_core::CommitId;
use flawless_git::process::GitProgram;
use flawless_git::{Engine, Mirror, MirrorSettings, ReportedLine, Revision, Source};
use made::Made;

/// Sets every option of git that names a program to a script that leaves a mark.
fn set_traps(made: &Made, program: &str) {
    let script = made.path("trap");
    let mark = made.path("canary");
    let content = format!("#!/bin/sh\necho \"{program} $0 $*\" >> {}\ncat\n", mark.display());
    std::fs::write(&script, content).expect("written");
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("set");
    let trap = script.display().to_string();
    let shell = format!("!{trap}");
    for name in [
        "core.fsmonitor",
        "core.sshCommand",
        "core.askPass",
        "core.editor",
        "core.pager",
        "core.gitProxy",
        "core.alternateRefsCommand",
        "credential.helper",
        "diff.external",
        "diff.trap.command",
        "diff.trap.textconv",
        "filter.trap.clean",
        "filter.trap.smudge",
        "filter.trap.process",
        "merge.trap.driver",
        "gpg.program",
        "gpg.openpgp.program",
        "gpg.x509.program",
        "gpg.ssh.program",
        "gpg.ssh.defaultKeyCommand",
        "sequence.editor",
        "interactive.diffFilter",
        "uploadpack.packObjectsHook",
        "gc.recentObjectsHook",
        "trailer.trap.command",
        "trailer.trap.cmd",
        "pager.log",
        "pager.blame",
        "pager.rev-list",
        "tar.trap.command",
        "remote.trap.uploadpack",
        "remote.trap.receivepack",
        "sendemail.toCmd",
        "browser.trap.cmd",
        "man.trap.cmd",
        "diff.tool",
        "difftool.trap.cmd",
        "mergetool.trap.cmd",
        "guitool.trap.cmd",
        "core.fsmonitorHookVersion",
    ] {
        made.git(&["config", name, &trap]);
    }
    for command in ["log", "blame", "rev-list", "cat-file", "rev-parse", "diff-tree", "ls-tree"] {
        made.git(&["config", &format!("alias.{command}"), &shell]);
    }
    made.git(&["config", "log.showSignature", "true"]);
    made.git(&["config", "color.ui", "always"]);
    made.git(&["config", "remote.trap.url", &format!("ext::{trap} %S")]);
    made.git(&["config", "protocol.allow", "always"]);
    made.git(&["config", "remote.trap.promisor", "true"]);
    made.git(&["config", "core.repositoryFormatVersion", "1"]);
    made.git(&["config", "extensions.partialClone", "trap"]);
}

#[tokio::test]
async fn repository_configuration_starts_no_program() {
    let made = Made::new();
    made.commit("a.py", b"one\ntwo\nthree_and_more\n");
    made.commit("gone.py", b"x\n");
    made.git(&["rm", "--quiet", "gone.py"]);
    made.git(&["commit", "--quiet", "--message", "gone"]);
    // A signed commit, whose signature git could be asked to check.
    let tree = made.git(&["rev-parse", "HEAD^{tree}"]);
    let parent = made.git(&["rev-parse", "HEAD"]);
    let commit = format!(
        "tree {tree}\nparent {parent}\nauthor A <a@example.com> 1700000000 +0000\n\
         committer A <a@example.com> 1700000000 +0000\n\
         gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----\n\nsigned\n"
    );
    let file = made.path("commit");
    std::fs::write(&file, commit).expect("written");
    let id = made.git(&["hash-object", "-t", "commit", "-w", &file.display().to_string()]);
    made.git(&["update-ref", "refs/heads/main", &id]);
    made.commit(".gitattributes", b"*.py diff=trap filter=trap merge=trap\n");
    let last = made.commit("a.py", b"one\ntwo again\nthree_and_more\n");
    for hook in ["reference-transaction", "post-checkout", "pre-auto-gc"] {
        std::fs::write(made.dir().join(".git/hooks").join(hook), "#!/bin/sh\nexit 1\n")
            .expect("written");
    }
    set_traps(&made, "git");
    for engine in [Engine::Tracer, Engine::Git] {
        let settings = MirrorSettings {
            engine,
            ..MirrorSettings::new(
                GitProgram::new("git"),
                Source::Folder(made.dir()),
                made.folder.path().to_owned(),
            )
        };
        let mirror = Mirror::open(settings).await.expect("opens");
        let tip = mirror.tip().expect("a tip");
        let found = mirror.blame(&tip, &last, "a.py", 2).await.expect("blamed");
        assert_eq!(found.origin.commit, last);
        let reported = ReportedLine { path: "a.py", line: 3, function: "", text: "two_before()" };
        let _ = mirror.locate(&tip, &Revision::Running(last.clone()), reported, &[]).await;
        assert!(!mirror.lately_gone(&tip).await.is_empty());
        let developer = found.author.clone();
        assert!(mirror.last_commit_of(&tip, &developer).await.expect("git runs").is_some());
        let _ = mirror.busiest_committer(&tip, "a.py", "").await.expect("git runs");
        let origin = mirror.blame(&tip, &last, "a.py", 1).await.expect("blamed").origin;
        let _ = mirror.standing(&tip, &origin, "a.py", &last).await.expect("git runs");
        for name in ["main", "v1", "HEAD", "0123456789012345678901234567890123456789"] {
            let _ = mirror.resolve(name).await.expect("git runs");
        }
        let missing = CommitId::parse(&"ab".repeat(20)).expect("an id");
        assert!(mirror.file(&missing, "a.py").await.is_err());
        mirror.fetch().await.expect("only looks");
    }
    let mark = std::fs::read_to_string(made.path("canary")).unwrap_or_default();
    assert_eq!(mark, "", "it was started");
}
