//! Remembers that the mail server took a mail until the store knows it.
//!
//! The store needs a moment to make that durable, and a program that is killed in that moment
//! would send the mail again. One written line survives the kill and takes microseconds. What
//! only a power cut can still cause is the same mail twice, under the same Message-ID.
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use flawless_store::SENT_JOURNAL;

/// A file of the numbers of mails that were taken.
#[derive(Debug)]
pub struct SentJournal {
    file: File,
    /// Where the next line begins.
    end: u64,
    /// There is a blank line at the end: the disk has room for the next one.
    has_room: bool,
    /// What this run has noted and the store does not know yet.
    noted: HashSet<i64>,
}

/// Digits of the largest number.
const DIGITS: usize = 19;
/// A number is written twice: a wrong byte would otherwise make another mail's number of it.
const LINE: usize = 2 * DIGITS + 2;

impl SentJournal {
    /// Opens the journal in `data_dir`, and returns what the last run left in it. Lines that
    /// cannot be read are passed over: their mails may be sent once more.
    ///
    /// # Errors
    /// The file cannot be read or written.
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
                "lines of the journal of sent mails cannot be read: these mails may come twice"
            );
        }
        // The next line must not continue one that was not written to its end.
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1) as u64;
        file.set_len(end)?;
        Ok((Self { file, end, has_room: false, noted: HashSet::new() }, left))
    }

    /// Makes sure that the next mail can be noted, however full the disk becomes meanwhile.
    ///
    /// # Errors
    /// There is no room.
    pub(super) fn make_room(&mut self) -> std::io::Result<()> {
        if !self.has_room {
            let mut blank = [b' '; LINE];
            blank[LINE - 1] = b'\n';
            self.file.write_all_at(&blank, self.end)?;
            self.has_room = true;
        }
        Ok(())
    }

    /// Notes that a mail was taken.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn note(&mut self, mail: i64) -> std::io::Result<()> {
        self.noted.insert(mail);
        self.file.write_all_at(line(mail).as_bytes(), self.end)?;
        self.end += LINE as u64;
        self.has_room = false;
        Ok(())
    }

    /// Whether the mail server took it, though the store does not know.
    pub(super) fn has(&self, mail: i64) -> bool {
        self.noted.contains(&mail)
    }

    /// The store knows everything now.
    ///
    /// # Errors
    /// The file cannot be written.
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

/// The numbers in a journal, and how many of its lines are none.
fn read_lines(bytes: &[u8]) -> (Vec<i64>, usize) {
    let mut mails = Vec::new();
    let mut unreadable = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match read_line(line) {
            Some(mail) => mails.push(mail),
            // Room for a mail that was not sent any more.
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
    fn what_was_noted_is_there_after_the_program_was_killed_until_it_is_cleared() {
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
    fn a_wrong_byte_costs_one_line_and_makes_no_other_mails_number_of_it() {
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
    fn a_line_that_was_not_written_to_its_end_is_none_and_spoils_no_other() {
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
