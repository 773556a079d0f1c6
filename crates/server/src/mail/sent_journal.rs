//! Remembers that the mail server took a mail until the store knows it.
//!
//! The store needs a moment to make that durable, and a program that is killed in that moment
//! would send the mail again. One appended line survives the kill and takes microseconds. What
//! only a power cut can still cause is the same mail twice, under the same Message-ID.
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// An append-only file of the numbers of mails that were taken.
#[derive(Debug)]
pub struct SentJournal {
    file: File,
    empty: bool,
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
        let left = text.lines().filter_map(|line| line.parse().ok()).collect();
        Ok((Self { file, empty: text.is_empty() }, left))
    }

    /// Notes that a mail was taken.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn note(&mut self, mail: i64) -> std::io::Result<()> {
        self.empty = false;
        self.file.write_all(format!("{mail}\n").as_bytes())
    }

    /// The store knows everything now.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn clear(&mut self) -> std::io::Result<()> {
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
        journal.note(15).expect("written");
        journal.clear().expect("cleared");
        assert!(SentJournal::open(folder.path()).expect("opens").1.is_empty());
    }
}
