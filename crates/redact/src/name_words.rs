//! The words that make up names of secrets.

use super::name_lists::IDENTIFIED;
use super::rule::Rule;

/// A word that may name a secret, and the condition on the words next to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    Always(Rule),
    Token,
    Tokens,
    Key,
    Pass,
    Auth,
    Card,
    CreditCard,
    Session,
    Sid,
    Pin,
    Code,
    Social,
    Document,
    Forgery,
    Connection,
    Signature,
    Response,
}

/// What this lower-case word may name. Dispatches on the first and last byte, because it is called
/// for every word of every local variable.
#[inline]
pub(super) fn trigger(word: &[u8]) -> Option<Trigger> {
    use Rule::*;
    use Trigger::*;
    let (Some(first), Some(last)) = (word.first(), word.last()) else { return None };
    let found = match (first, word) {
        (b'a', b"auth" | b"authentication") => Some(Auth),
        (b'a', b"authorization" | b"authorisation") => Some(Always(Authorization)),
        (b'a', b"antiforgery") => Some(Always(Csrf)),
        (b'b', b"bearer") => Some(Always(Rule::Token)),
        (b'b', b"backup") => Some(Code),
        (b'c', b"card") => Some(Trigger::Card),
        (b'c', b"cc") => Some(CreditCard),
        (b'c', b"cvv" | b"cvc" | b"ccn" | b"ccnum" | b"creditcard") => Some(Always(Rule::Card)),
        (b'c', b"creds" | b"cred" | b"credential" | b"credentials") => Some(Always(Credential)),
        (b'c', _) if word.starts_with(b"cookie") => Some(Always(Cookie)),
        (b'c', _) if word.starts_with(b"csrf") => Some(Always(Csrf)),
        (b'c', b"cardnumber" | b"ccnumber" | b"cardno") => Some(Always(Rule::Card)),
        (b'c', b"connection" | b"conn") => Some(Connection),
        (b'c', b"connectionstring" | b"connectionstrings" | b"connstr" | b"connstring") => {
            Some(Always(ConnectionString))
        }
        (b'f', b"forgery") => Some(Forgery),
        (b'h', b"hmac") => Some(Trigger::Signature),
        (b'i', b"iban") => Some(Always(IdentityNumber)),
        (b'j', b"jwt") => Some(Always(Rule::Token)),
        (b'k', b"key" | b"keys") => Some(Key),
        (b'm', b"masterauth") | (b'r', b"requirepass") => Some(Always(Password)),
        (b'm', b"mfa") | (b'v', b"verification") | (b'r', b"recovery") => Some(Code),
        (b'n', b"national") | (b'p', b"passport") => Some(Document),
        (b'o', b"otp") | (b't', b"totp") => Some(Always(PinCode)),
        (b'p', b"pass" | b"pw") => Some(Pass),
        (b'p', b"passkey" | b"pwhash" | b"pgpass") => Some(Always(Password)),
        (b'p', b"pin") => Some(Pin),
        (b'p', b"pwd" | b"passcode" | b"passwort") => Some(Always(Password)),
        (b'p', b"pincode") => Some(Always(PinCode)),
        (b'p', b"privkey") => Some(Always(PrivateKey)),
        (b'p', _)
            if word.starts_with(b"passw")
                && (word.starts_with(b"password") || word.starts_with(b"passwd")) =>
        {
            Some(Always(Password))
        }
        (b'r', b"response") => Some(Response),
        (b's', b"secret" | b"secrets") => Some(Always(Secret)),
        (b's', b"session") => Some(Trigger::Session),
        (b's', b"sessionid" | b"sessionkey" | b"sessiontoken") => Some(Always(Rule::Session)),
        (b's', b"sid" | b"sess") => Some(Sid),
        (b's', b"security") => Some(Code),
        (b's', b"signature" | b"sig") => Some(Trigger::Signature),
        (b's', b"social") => Some(Social),
        (b's', b"storepass") | (b'k', b"keypass") => Some(Always(Password)),
        (b's', b"ssn") => Some(Always(IdentityNumber)),
        (b't', b"token") => Some(Trigger::Token),
        (b't', b"tokens") => Some(Tokens),
        (b'x', _) if word.starts_with(b"xsrf") => Some(Always(Csrf)),
        _ => None,
    };
    if found.is_some() || word.len() < 6 {
        return found;
    }
    // Compound words: dbpassword, authtoken, clientsecret, phpsessid.
    let ends = |endings: &[&[u8]]| endings.iter().any(|ending| word.ends_with(ending));
    let rule = match last {
        b'd' if ends(&[b"password", b"passwd", b"pwd"]) => Password,
        b'd' if ends(&[b"sessid", b"sessionid"]) => Rule::Session,
        b'e' if ends(&[b"passphrase"]) => Password,
        b'e' if ends(&[b"cookie"]) => Cookie,
        b'n' if ends(&[b"csrftoken", b"xsrftoken", b"csrfmiddlewaretoken"]) => Csrf,
        b'n' if ends(&[b"token"]) => Rule::Token,
        b's' if ends(&[b"passwords", b"credentials"]) => Password,
        b's' if word.strip_suffix(b"pass").is_some_and(|who| IDENTIFIED.contains(&who)) => Password,
        b's' if ends(&[b"apikeys"]) => ApiKey,
        b't' if ends(&[b"secret"]) => Secret,
        b'y' if ends(&[b"apikey", b"accesskey", b"authkey", b"licensekey"]) => ApiKey,
        b'y' if ends(&[b"secretkey"]) => Secret,
        b'y' if ends(&[b"privatekey", b"signingkey", b"encryptionkey"]) => PrivateKey,
        _ => return None,
    };
    Some(Always(rule))
}

/// Every trigger contains one of these, so a text without any of them has no secret's name in it.
/// Some are for commands, in a text whose blanks are escaped.
pub(super) const ROOTS: [&str; 53] = [
    "antiforgery",
    "auth",
    "backup",
    "bearer",
    "card",
    "cc_n",
    "cc-n",
    "ccn",
    "conn_s",
    "conn-s",
    "connections",
    "connection_s",
    "connection-s",
    "connection s",
    "connstr",
    "cookie",
    "cred",
    "csrf",
    "cvc",
    "cvv",
    "forgery",
    "hmac",
    "iban",
    "jwt",
    "key",
    "mfa",
    "national",
    "otp",
    "pass",
    "pin",
    "pw",
    "rar%",
    "recovery",
    "response\"",
    "response%",
    "response&",
    "response'",
    "response:",
    "response=",
    "response\\",
    "secret",
    "secur",
    "sess",
    "sid",
    "sig\"",
    "sig'",
    "sig=",
    "sig:",
    "signature",
    "ssn",
    "token",
    "verification",
    "zip%",
];
