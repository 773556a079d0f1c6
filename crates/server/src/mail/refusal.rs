//! Whether a mail server refuses the address, so that no mail will ever arrive there, or something
//! else, in which case other and later mails to the address may well arrive.

/// Whether a permanent refusal of a recipient is about the address. `code` is the reply code, and
/// `words` the server's text, which may begin with an enhanced status code (RFC 3463).
pub(super) fn is_about_address(code: Option<u16>, words: &str) -> bool {
    match enhanced_status(words) {
        Some(status) => is_address_status(status),
        // 550 to 553 are about mailboxes, unless the text says otherwise.
        None => code.is_none_or(|code| (550..=553).contains(&code)) && !speaks_of_policy(words),
    }
}

/// Whether an enhanced status code is about the recipient's address or mailbox.
fn is_address_status((subject, detail): (u16, u16)) -> bool {
    match subject {
        // 5.1.7 and 5.1.8 are about the sender, so all our mails would get them.
        1 => !matches!(detail, 7 | 8),
        // 5.2.3: this mail is too large for the mailbox.
        2 => detail != 3,
        _ => false,
    }
}

/// The subject and detail of the first `5.SUBJECT.DETAIL` in a text, ignoring the generic `5.0.0`.
fn enhanced_status(words: &str) -> Option<(u16, u16)> {
    let pieces = words.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    pieces
        .filter_map(|piece| {
            let mut numbers = piece.trim_matches('.').split('.');
            let (class, subject, detail) = (numbers.next()?, numbers.next()?, numbers.next()?);
            let is_status = class == "5" && numbers.next().is_none();
            is_status.then_some((subject.parse().ok()?, detail.parse().ok()?))
        })
        .find(|status| *status != (0, 0))
}

/// Whether the text blames the sender or its host: servers without enhanced codes only say so in
/// words.
fn speaks_of_policy(words: &str) -> bool {
    const POLICY: [&str; 20] = [
        "relay",
        "authenticat",
        "auth required",
        "starttls",
        "encrypt",
        "spam",
        "black",
        "blocked",
        "block list",
        "blocklist",
        "dnsbl",
        "rbl",
        "reputation",
        "policy",
        "prohibit",
        "sender",
        "denied",
        "rcpthosts",
        "banned",
        "your ip",
    ];
    let words = words.to_ascii_lowercase();
    POLICY.iter().any(|word| words.contains(word))
}

#[cfg(test)]
mod tests {
    use super::is_about_address;

    #[test]
    fn address_is_silenced_only_by_a_refusal_about_it() {
        for (code, words) in [
            (550, "5.1.1 <ann@example.com>: Recipient address rejected: User unknown"),
            (550, "Unknown user"),
            (550, "Unrouteable address"),
            (550, "5.0.0 no such user here"),
            (551, "user not local"),
            (552, "5.2.2 Over quota"),
            (553, "mailbox name not allowed"),
            (550, "5.2.1 mailbox disabled"),
            (556, "5.1.10 recipient address has null MX"),
        ] {
            assert!(is_about_address(Some(code), words), "{code} {words}");
        }
        for (code, words) in [
            (554, "5.7.1 <ann@example.com>: Relay access denied"),
            (550, "5.7.1 Unable to relay"),
            (550, "relay not permitted"),
            (550, "relaying denied"),
            (553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"),
            (554, "Service unavailable; Client host [192.0.2.1] blocked using zen.example"),
            (550, "Your IP is on a blacklist"),
            (530, "5.7.0 Must issue a STARTTLS command first"),
            (530, "Authentication required"),
            (550, "Administrative prohibition"),
            (553, "5.1.8 <flawless@x>: Sender address rejected: Domain not found"),
            (550, "Sender verify failed"),
            (552, "5.2.3 Message length exceeds administrative limit"),
            (554, "transaction failed"),
            (550, "5.4.1 Recipient address rejected: Access denied"),
            (521, "host does not accept mail"),
        ] {
            assert!(!is_about_address(Some(code), words), "{code} {words}");
        }
    }
}
