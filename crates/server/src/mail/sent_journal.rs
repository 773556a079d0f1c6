//! A journal of the mails that the mail server accepted, until the store knows about them.
//!
//! The store needs a moment to commit, and a process that is killed in that moment would send the
//! mail again after its restart. A line in this file survives the kill and takes microseconds. Only
//! a power cut can still cause a second copy, which has the same Message-ID.
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use flawless_store::SENT_JOURNAL;

/// A file with the numbers of the mails that were accepted.
#[derive(Debug)]
pub struct SentJournal {
    file: File,
    /// Where the next line begins.
    end: u64,
    /// A blank line at the end reserves the disk space of the next entry.
    has_room: bool,
    /// Mails that this process has sent and the store does not know about yet.
    noted: HashSet<i64>,
}

/// Digits of the largest number.
const DIGITS: usize = 19;
/// A number is written twice, so that a corrupt byte cannot turn it into another mail's number.
const LINE: usize = 2 * DIGITS + 2;

impl SentJournal {
    /// Opens the journal in `data_dir`, and returns the mails that the last process left in it.
    /// Unreadable lines are skipped: their mails may be sent a second time.
    pub fn open(data_dir: &Path) -> std::io::Result<(Self, Vec<i64>)> {
        let path = data_dir.join(SENT_JOURNAL);
        let mut options = OpenOptions::new();
        let options = options.create(true).truncate(false).read(true).write(true).mode(0o600);
        let mut file = options.open(&path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (left, unreadable) = read_lines(&bytes);
        if unreadable > 0 {
            tracing::warn!(
                path = %path.display(),
                lines = unreadable,
                "lines of the journal of sent mails cannot be read: these mails may be sent twice"
            );
        }
        // The next line must not continue one that was cut off.
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1) as u64;
        file.set_len(end)?;
        Ok((Self { file, end, has_room: false, noted: HashSet::new() }, left))
    }

    /// Reserves disk space for the next entry, in case the disk fills up while the mail is sent.
    ///
    /// # Errors
    /// The disk is full, or the file cannot be written.
    pub(super) fn make_room(&mut self) -> std::io::Result<()> {
        if !self.has_room {
            let mut blank = [b' '; LINE];
            blank[LINE - 1] = b'\n';
            self.file.write_all_at(&blank, self.end)?;
            self.has_room = true;
        }
        Ok(())
    }

    /// Records that a mail was accepted.
    pub(super) fn note(&mut self, mail: i64) -> std::io::Result<()> {
        self.noted.insert(mail);
        self.file.write_all_at(line(mail).as_bytes(), self.end)?;
        self.end += LINE as u64;
        self.has_room = false;
        Ok(())
    }

    /// Whether the mail server accepted this mail while the store does not know yet.
    pub(super) fn has(&self, mail: i64) -> bool {
        self.noted.contains(&mail)
    }

    /// Empties the journal, once the store knows about all mails in it.
    pub(super) fn clear(&mut self) -> std::io::Result<()> {
        self.noted.clear();
        if self.end > 0 {
            self.file.set_len(0)?;
            (self.end, self.has_room) = (0, false);
        }
        Ok(())
    }
}

fn line(mail: i64) -> String {
    format!("{mail:0DIGITS$} {mail:0DIGITS$}\n")
}

/// The numbers in a journal, and how many of its lines are unreadable.
fn read_lines(bytes: &[u8]) -> (Vec<i64>, usize) {
    let mut mails = Vec::new();
    let mut unreadable = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match read_line(line) {
            Some(mail) => mails.push(mail),
            // Space that was reserved for a mail which was not sent.
            None if line.trim_ascii().is_empty() => {}
            None => unreadable += 1,
        }
    }
    (mails, unreadable)
}

fn read_line(line: &[u8]) -> Option<i64> {
    let text = str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (once, again) = text.split_once(' ')?;
    (once.len() == DIGITS && once == again).then(|| once.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noted_mail_survives_a_kill_until_it_is_cleared() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut journal, left) = SentJournal::open(folder.path()).expect("opens");
        assert!(left.is_empty());
        journal.make_room().expect("room");
        journal.note(3).expect("written");
        journal.make_room().expect("room");
        journal.note(14).expect("written");
        journal.make_room().expect("room");
        std::mem::forget(journal);
        let (mut journal, left) = SentJournal::open(folder.path()).expect("opens");
        assert_eq!(left, [3, 14]);
        assert!(!journal.has(15));
        journal.note(15).expect("written");
        assert!(journal.has(15));
        std::mem::forget(journal);
        let (mut journal, left) = SentJournal::open(folder.path()).expect("opens");
        assert_eq!(left, [3, 14, 15]);
        journal.clear().expect("cleared");
        assert!(SentJournal::open(folder.path()).expect("opens").1.is_empty());
    }

    #[test]
    fn wrong_byte_costs_one_line_and_forges_no_mail_number() {
        let whole: Vec<u8> = [7, 15, 23].into_iter().flat_map(|n| line(n).into_bytes()).collect();
        assert_eq!(read_lines(&whole), (vec![7, 15, 23], 0));
        for at in 0..whole.len() {
            for wrong in [b'\n', b' ', b'0', b'9', 0, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = wrong;
                let (mails, unreadable) = read_lines(&bytes);
                assert!(mails.iter().all(|mail| [7, 15, 23].contains(mail)), "{at}: {mails:?}");
                let is_line_end = at % LINE == LINE - 1;
                assert!(mails.len() >= if is_line_end { 1 } else { 2 }, "{at}: {mails:?}");
                assert!(unreadable > 0 || mails.len() == 3, "{at}: it is said");
            }
        }
    }

    #[test]
    fn unfinished_line_is_ignored_and_spoils_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        for torn in 0..LINE {
            let bytes = [line(7), line(15)[..torn].to_owned()].concat();
            std::fs::write(folder.path().join(SENT_JOURNAL), bytes).expect("written");
            let (mut journal, left) = SentJournal::open(folder.path()).expect("opens");
            assert_eq!(left, [7], "{torn} bytes of a line");
            journal.make_room().expect("room");
            journal.note(23).expect("written");
            assert_eq!(SentJournal::open(folder.path()).expect("opens").1, [7, 23]);
        }
    }
}
