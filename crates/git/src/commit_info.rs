//! The content of a commit: who, when, and its message.
use encoding_rs::Encoding;
use flawless_core::{CommitPeople, Developer};
use gix_actor::SignatureRef;
use gix_mailmap::Snapshot;
use gix_object::CommitRef;
use gix_object::bstr::{BStr, BString, ByteSlice};

/// Messages can be arbitrarily long; the relevant parts are at their ends.
const MAX_SUMMARY: usize = 200;
const MAX_MESSAGE: usize = 64 * 1024;

/// A commit's people and dates, `.mailmap` applied.
#[derive(Debug, Clone)]
pub(crate) struct CommitInfo {
    /// Author, committer, and the people in the message's trailers.
    pub(crate) people: CommitPeople,
    /// Author date, milliseconds since 1970 UTC.
    pub(crate) authored_at: i64,
    /// First line of the message.
    pub(crate) summary: String,
}

impl CommitInfo {
    /// Parses a commit object. Names in older encodings are converted to UTF-8 before they are
    /// looked up in the mailmap, which is UTF-8.
    pub(crate) fn parse(
        commit: &[u8],
        hash: gix_hash::Kind,
        mailmap: &Snapshot,
    ) -> Result<Self, String> {
        let commit = CommitRef::from_bytes(commit, hash).map_err(|error| error.to_string())?;
        let encoding = commit.encoding.and_then(|label| Encoding::for_label(label));
        let text = |bytes: &BStr| -> String {
            match (std::str::from_utf8(bytes), encoding) {
                (Ok(text), _) => text.to_owned(),
                (Err(_), Some(encoding)) => encoding.decode(bytes).0.into_owned(),
                (Err(_), None) => bytes.to_str_lossy().into_owned(),
            }
        };
        let utf8 = |bytes: &BStr| -> BString {
            let is_utf8 = std::str::from_utf8(bytes).is_ok();
            match encoding.filter(|_| !is_utf8) {
                Some(encoding) => encoding.decode(bytes).0.into_owned().into(),
                None => bytes.to_owned(),
            }
        };
        let person = |signature: SignatureRef<'_>| -> (Developer, i64) {
            let (name, email) = (utf8(signature.name), utf8(signature.email));
            let decoded =
                SignatureRef { name: name.as_bstr(), email: email.as_bstr(), ..signature };
            let resolved = mailmap.resolve_cow(decoded);
            let developer = Developer {
                name: text(resolved.name.as_ref().trim().as_bstr()),
                email: text(resolved.email.as_ref().trim().as_bstr()),
            };
            (developer, signature.seconds().saturating_mul(1000))
        };
        let (author, authored_at) = person(commit.author().map_err(|error| error.to_string())?);
        let (committer, _) = person(commit.committer().map_err(|error| error.to_string())?);
        let message = text(commit.message);
        let from = message.len().saturating_sub(MAX_MESSAGE);
        let from = (from..=message.len()).find(|&at| message.is_char_boundary(at)).unwrap_or(0);
        let mut people = CommitPeople::new(author, committer, &message[from..]);
        for named in &mut people.named {
            let Developer { name, email } = &named.developer;
            let signature = SignatureRef {
                name: name.as_bytes().into(),
                email: email.as_bytes().into(),
                time: "",
            };
            let (developer, _) = person(signature);
            named.developer = developer;
        }
        Ok(Self {
            people,
            authored_at,
            summary: message.lines().next().unwrap_or_default().chars().take(MAX_SUMMARY).collect(),
        })
    }
}
