//! Remembers that the mail server took a mail until the store knows it.
//!
//! The store needs a moment to make that durable, and a program that is killed in that moment
//! would send the mail again. One appended line survives the kill and takes microseconds. What
//! only a power cut can still cause is the same mail twice, under the same Message-ID.
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// An append-only file of the numbers of mails that were taken.
#[derive(Debug)]
pub struct SentJournal {
    file: File,
    empty: bool,
    /// What this run has noted and the store does not know yet.
    noted: HashSet<i64>,
}

impl SentJournal {
    /// Opens the journal in `data_dir`, and returns what the last run left in it.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn open(data_dir: &Path) -> std::io::Result<(Self, Vec<i64>)> {
        let path = data_dir.join("sent.journal");
        let mut file =
            OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(path)?;
        file.rewind()?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        // A line that was not written to its end would be another mail's number.
        let whole = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        let left = whole.filter_map(|line| line.parse().ok()).collect();
        Ok((Self { file, empty: text.is_empty(), noted: HashSet::new() }, left))
    }

    /// Notes that a mail was taken.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn note(&mut self, mail: i64) -> std::io::Result<()> {
        self.noted.insert(mail);
        self.empty = false;
        self.file.write_all(format!("{mail}\n").as_bytes())
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
        if !self.empty {
            self.file.set_len(0)?;
            self.empty = true;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::SentJournal;

    #[test]
    fn what_was_noted_is_there_after_the_program_was_killed_until_it_is_cleared() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut journal, left) = SentJournal::open(folder.path()).expect("opens");
        assert!(left.is_empty());
        journal.note(3).expect("written");
        journal.note(14).expect("written");
        std::mem::forget(journal);
        let (mut journal, left) = SentJournal::open(folder.path()).expect("opens");
        assert_eq!(left, [3, 14]);
        assert!(!journal.has(15));
        journal.note(15).expect("written");
        assert!(journal.has(15));
        std::fs::write(folder.path().join("sent.journal"), "15\n1").expect("torn");
        assert_eq!(SentJournal::open(folder.path()).expect("opens").1, [15]);
        journal.clear().expect("cleared");
        assert!(SentJournal::open(folder.path()).expect("opens").1.is_empty());
    }
}
