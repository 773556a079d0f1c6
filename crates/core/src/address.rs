//! Mail addresses: which ones can be mailed, and what a commit's address is mapped to.

/// How commit addresses become addresses that are read.
#[derive(Debug, Clone, Default)]
pub struct AddressPolicy {
    /// `email_domain_name`: appended to an address without a usable domain.
    pub domain: String,
    /// `ignore_vcs_email_domain`: replaces the domain of every address that has no alias.
    pub ignore_vcs_domain: bool,
    /// `default_contact`: notified when nobody else is known.
    pub default_contact: Option<String>,
}

/// Whether a mail can be sent to `address`: `local@domain`, one `@`, nothing that could break out
/// of a header or an SMTP command, at most 254 bytes. Stricter than RFC 5322: quoted local parts
/// and comments are refused.
pub fn is_mailable(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else {
        return false;
    };
    let local_ok = !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b));
    let label_ok = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    local_ok && address.len() <= 254 && domain.contains('.') && domain.split('.').all(label_ok)
}

/// Whether nobody reads mails to `address`: code hosts give such addresses to people who hide
/// theirs, and programs send from them.
pub fn is_read_by_nobody(address: &str) -> bool {
    let address = address.to_ascii_lowercase();
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    let says_so =
        |name: &str| matches!(name, "noreply" | "no-reply" | "donotreply" | "do-not-reply");
    says_so(local) || domain.split('.').any(says_so)
}

#[cfg(test)]
mod tests {
    use super::{is_mailable, is_read_by_nobody};

    #[test]
    fn code_host_addresses_are_read_by_nobody() {
        for address in [
            "12+ann@users.noreply.github.com",
            "12-ann@users.noreply.gitlab.com",
            "Ann@users.NoReply.codeberg.org",
            "ann@noreply.git.example.com",
            "no-reply@example.com",
        ] {
            assert!(is_read_by_nobody(address), "{address}");
        }
        for address in ["ann@example.com", "noreply.ann@example.com", "ann", "ann@noreplying.com"] {
            assert!(!is_read_by_nobody(address), "{address}");
        }
    }

    #[test]
    fn injecting_and_undeliverable_addresses_are_refused() {
        for address in [
            "ann@example.com",
            "ann.b+c@mail.example.co.uk",
            "1234+ann@users.noreply.example.com",
            "o'neil@example.technology",
        ] {
            assert!(is_mailable(address), "{address}");
        }
        for address in [
            "",
            "ann",
            "ann@",
            "@example.com",
            "ann@localhost",
            "ann@exa mple.com",
            "ann@example.com\r\nBcc: eve@example.com",
            "ann@example.com, eve@example.com",
            "\"ann\"@example.com",
            "ann@@example.com",
            "<ann@example.com>",
            "ann@-example.com",
            "-oX@example..com",
            "änn@example.com",
        ] {
            assert!(!is_mailable(address), "{address:?}");
        }
    }
}
