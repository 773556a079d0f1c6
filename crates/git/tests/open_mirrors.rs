//! Mirrors that are not used are closed, and nobody notices.
#![expect(clippy::disallowed_methods, reason = "tests start git to make repositories")]

#[expect(dead_code, reason = "the mirrors of other tests are opened otherwise")]
mod made;

use std::sync::Arc;
use std::time::Duration;

use flawless_core::CommitId;
use flawless_git::{Mirror, Source, close_idle};
use made::Made;

async fn author(mirror: &Mirror, commit: &CommitId) -> String {
    let tip = mirror.tip().expect("a tip");
    let blame = mirror.blame(&tip, commit, "a.py", 1).await.expect("blamed");
    blame.developer.expect("a developer").name
}

#[tokio::test]
async fn least_recently_used_mirrors_are_closed_and_open_again_when_asked() {
    let made: Vec<Made> = (0..3).map(|_| Made::new()).collect();
    let mut mirrors = Vec::new();
    for made in &made {
        let commit = made.commit("a.py", b"raise SystemExit\n");
        mirrors.push((
            Arc::new(made.mirror(Source::Folder(made.dir()), None).await.expect("opens")),
            commit,
        ));
    }
    let close = async |most, idle| {
        let mirrors = mirrors.iter().map(|(mirror, _)| mirror.clone());
        close_idle(mirrors, most, Duration::from_secs(idle)).await;
    };
    let open = || mirrors.iter().map(|(mirror, _)| mirror.is_open()).collect::<Vec<_>>();
    for at in [1, 2, 0] {
        let (mirror, commit) = &mirrors[at];
        assert_eq!(author(mirror, commit).await, "Ann");
    }
    close(3, 3600).await;
    assert_eq!(open(), [true, true, true]);
    close(2, 3600).await;
    assert_eq!(open(), [true, false, true], "the one that was used first");
    close(0, 3600).await;
    assert_eq!(open(), [false, false, false]);
    let (mirror, commit) = &mirrors[1];
    assert_eq!(mirror.files(commit).await.expect("files").len(), 1);
    assert_eq!(open(), [false, true, false], "a list of files is memory too");
    close(0, 3600).await;
    assert!(!mirror.authors(&mirror.tip().expect("a tip")).await.is_empty());
    assert_eq!(open(), [false, true, false], "and so are the authors");
    assert_eq!(author(mirror, commit).await, "Ann");
    assert_eq!(open(), [false, true, false]);
    let newer = made[0].commit("a.py", b"raise ValueError\n");
    let (mirror, older) = &mirrors[0];
    assert_eq!(
        mirror.fetch().await.expect("read").commit,
        newer,
        "it is closed, and still fetched"
    );
    assert_ne!(newer, *older);
    close(3, 0).await;
    assert_eq!(open(), [false, false, false], "they were idle for long");
}
