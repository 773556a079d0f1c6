//! Certificates of private authorities, which sign the certificates of servers.
use std::path::Path;
use std::sync::Arc;

use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

/// The only authorities that are trusted.
#[derive(Debug, Clone)]
pub struct Authorities(Arc<Vec<Certificate<'static>>>);

/// The authority file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}. Give a file with the authority's certificate in PEM format")]
pub struct AuthorityError {
    file: String,
    problem: String,
}

impl Authorities {
    /// Reads a file of PEM blocks.
    ///
    /// # Errors
    /// The file cannot be read, or holds no certificate.
    pub fn read(file: &Path) -> Result<Self, AuthorityError> {
        let error = |problem: String| AuthorityError { file: file.display().to_string(), problem };
        let pem = std::fs::read(file).map_err(|why| error(format!("it cannot be read: {why}")))?;
        let mut found = Vec::new();
        for item in parse_pem(&pem) {
            match item.map_err(|why| error(format!("it is broken: {why}")))? {
                PemItem::Certificate(certificate) => found.push(certificate),
                _ => return Err(error("it holds something other than certificates".to_owned())),
            }
        }
        match found.is_empty() {
            true => Err(error("it holds no certificate".to_owned())),
            false => Ok(Self(Arc::new(found))),
        }
    }

    pub(crate) fn roots(&self) -> RootCerts {
        RootCerts::Specific(self.0.clone())
    }
}
