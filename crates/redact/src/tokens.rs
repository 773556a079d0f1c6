//! Shapes of well-known tokens: a literal start and the bytes that must follow.

use std::ops::Range;

use super::bytes::{ALNUM, BASE64, ByteSet, DASHED, DOTTED, LOWER_HEX, SNAKE, UPPER, begins};
use super::rule::Rule;

/// A token that begins with `start`, followed by at least `least` bytes of `body`.
pub(super) struct Shape {
    pub(super) start: &'static str,
    pub(super) rule: Rule,
    body: &'static ByteSet,
    least: usize,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Start and body are the token.
    Whole,
    /// As `Whole`, and the body has exactly this many bytes.
    Exact,
    /// The start, a name or an address, stays. It is compared without regard to case.
    After,
    /// As `Whole`, and the body is random enough not to be a word of a slug.
    Random,
}

const fn whole(start: &'static str, rule: Rule, body: &'static ByteSet, least: usize) -> Shape {
    Shape { start, rule, body, least, form: Form::Whole }
}
const fn exact(start: &'static str, rule: Rule, body: &'static ByteSet, least: usize) -> Shape {
    Shape { start, rule, body, least, form: Form::Exact }
}
const fn after(start: &'static str, rule: Rule, body: &'static ByteSet, least: usize) -> Shape {
    Shape { start, rule, body, least, form: Form::After }
}

static PATH: ByteSet = ByteSet::alphanumeric_and(b"/_-");
static ESCAPED: ByteSet = ByteSet::alphanumeric_and(b"%+/=-_");

pub(super) static SHAPES: [Shape; 69] = [
    exact("AKIA", Rule::AwsKey, &UPPER, 16),
    exact("ASIA", Rule::AwsKey, &UPPER, 16),
    exact("ABIA", Rule::AwsKey, &UPPER, 16),
    exact("ACCA", Rule::AwsKey, &UPPER, 16),
    whole("ghp_", Rule::GithubToken, &SNAKE, 30),
    whole("gho_", Rule::GithubToken, &SNAKE, 30),
    whole("ghu_", Rule::GithubToken, &SNAKE, 30),
    whole("ghs_", Rule::GithubToken, &DOTTED, 30),
    whole("ghr_", Rule::GithubToken, &SNAKE, 30),
    whole("github_pat_", Rule::GithubToken, &SNAKE, 40),
    whole("glpat-", Rule::GitlabToken, &DOTTED, 20),
    whole("gldt-", Rule::GitlabToken, &DOTTED, 20),
    whole("glrt-", Rule::GitlabToken, &DOTTED, 20),
    whole("glptt-", Rule::GitlabToken, &DOTTED, 20),
    whole("glcbt-", Rule::GitlabToken, &DOTTED, 20),
    whole("glft-", Rule::GitlabToken, &DOTTED, 20),
    whole("glimt-", Rule::GitlabToken, &DOTTED, 20),
    whole("gloas-", Rule::GitlabToken, &DOTTED, 20),
    whole("glsoat-", Rule::GitlabToken, &DOTTED, 20),
    whole("glagent-", Rule::GitlabToken, &DOTTED, 20),
    whole("xoxa-", Rule::SlackToken, &DASHED, 10),
    whole("xoxb-", Rule::SlackToken, &DASHED, 10),
    whole("xoxc-", Rule::SlackToken, &DASHED, 10),
    whole("xoxd-", Rule::SlackToken, &ESCAPED, 10),
    whole("xoxe-", Rule::SlackToken, &DASHED, 10),
    whole("xoxe.xox", Rule::SlackToken, &DASHED, 10),
    whole("xoxp-", Rule::SlackToken, &DASHED, 10),
    whole("xoxr-", Rule::SlackToken, &DASHED, 10),
    whole("xoxs-", Rule::SlackToken, &DASHED, 10),
    whole("xapp-", Rule::SlackToken, &DASHED, 10),
    after("hooks.slack.com/services/", Rule::SlackToken, &PATH, 12),
    after("hooks.slack.com/workflows/", Rule::SlackToken, &PATH, 12),
    after("hooks.slack.com/triggers/", Rule::SlackToken, &PATH, 12),
    after("discord.com/api/webhooks/", Rule::SlackToken, &PATH, 12),
    after("discordapp.com/api/webhooks/", Rule::SlackToken, &PATH, 12),
    whole("sk_live_", Rule::StripeKey, &SNAKE, 16),
    whole("rk_live_", Rule::StripeKey, &SNAKE, 16),
    whole("sk_test_", Rule::StripeKey, &SNAKE, 16),
    whole("rk_test_", Rule::StripeKey, &SNAKE, 16),
    whole("whsec_", Rule::StripeKey, &BASE64, 16),
    whole("AIza", Rule::GoogleKey, &DASHED, 30),
    whole("ya29.", Rule::GoogleKey, &DOTTED, 20),
    whole("GOCSPX-", Rule::GoogleKey, &DASHED, 20),
    Shape { start: "sk-", rule: Rule::AiKey, body: &DASHED, least: 20, form: Form::Random },
    whole("hf_", Rule::AiKey, &ALNUM, 30),
    whole("npm_", Rule::RegistryToken, &ALNUM, 30),
    whole("pypi-", Rule::RegistryToken, &DASHED, 40),
    whole("rubygems_", Rule::RegistryToken, &ALNUM, 40),
    whole("dckr_pat_", Rule::RegistryToken, &DASHED, 20),
    whole("xkeysib-", Rule::SendgridKey, &DASHED, 40),
    exact("SK", Rule::TwilioKey, &LOWER_HEX, 32),
    after("AccountKey=", Rule::AzureKey, &ESCAPED, 16),
    after("SharedAccessKey=", Rule::AzureKey, &ESCAPED, 16),
    after("?sig=", Rule::AzureKey, &ESCAPED, 20),
    after("&sig=", Rule::AzureKey, &ESCAPED, 20),
    whole("dop_v1_", Rule::ServiceToken, &LOWER_HEX, 40),
    whole("doo_v1_", Rule::ServiceToken, &LOWER_HEX, 40),
    exact("shpat_", Rule::ServiceToken, &LOWER_HEX, 32),
    exact("shpss_", Rule::ServiceToken, &LOWER_HEX, 32),
    exact("shpca_", Rule::ServiceToken, &LOWER_HEX, 32),
    whole("hvs.", Rule::ServiceToken, &DASHED, 24),
    whole("hvb.", Rule::ServiceToken, &DASHED, 24),
    whole("lin_api_", Rule::ServiceToken, &ALNUM, 30),
    whole("glsa_", Rule::ServiceToken, &SNAKE, 30),
    whole("sntrys_", Rule::ServiceToken, &BASE64, 40),
    whole("sntryu_", Rule::ServiceToken, &LOWER_HEX, 40),
    whole("PMAK-", Rule::ServiceToken, &DASHED, 40),
    whole("ATATT3", Rule::ServiceToken, &BASE64, 60),
    whole("AGE-SECRET-KEY-1", Rule::ServiceToken, &UPPER, 40),
];

impl Shape {
    /// The part to replace if this shape is here; its start was matched without regard to case.
    pub(super) fn at(&self, text: &[u8], found: Range<usize>) -> Option<Range<usize>> {
        // Checked before the run is measured, so that no run is measured again from within.
        if self.form != Form::After
            && (&text[found.clone()] != self.start.as_bytes()
                || !begins(text, found.start, self.body))
        {
            return None;
        }
        let end = self.body.run(text, found.end);
        let body = &text[found.end..end];
        let fits = match self.form {
            Form::Exact => {
                body.len() == self.least && !text.get(end).is_some_and(u8::is_ascii_alphanumeric)
            }
            Form::Random => body.len() >= self.least && is_random(body),
            Form::Whole | Form::After => body.len() >= self.least,
        };
        let from = if self.form == Form::After { found.end } else { found.start };
        (fits || self.is_cut(text, body, end)).then_some(from..end)
    }

    /// Whether the text ends within a token. Texts are cut, and half a key is half a secret.
    fn is_cut(&self, text: &[u8], body: &[u8], end: usize) -> bool {
        end == text.len() && (8..self.least).contains(&body.len()) && has_digit_and_letter(body)
    }
}

fn has_digit_and_letter(body: &[u8]) -> bool {
    body.iter().any(u8::is_ascii_digit) && body.iter().any(u8::is_ascii_alphabetic)
}

/// A long run without a dash that has digits and letters, or all kinds of characters.
fn is_random(body: &[u8]) -> bool {
    let body = &body[..body.len().min(512)];
    let kinds = body.iter().any(u8::is_ascii_uppercase)
        && body.iter().any(u8::is_ascii_lowercase)
        && body.iter().any(u8::is_ascii_digit);
    kinds
        || body
            .split(|byte| matches!(byte, b'-' | b'_'))
            .any(|part| part.len() >= 16 && has_digit_and_letter(part))
}

/// `header.payload.signature` in base64url, where the header begins with `{"`.
pub(super) fn jwt(text: &[u8], start: usize) -> Option<Range<usize>> {
    if !text[start..].starts_with(b"eyJ") || !begins(text, start, &DASHED) {
        return None;
    }
    let header = DASHED.run(text, start);
    if header - start < 10 || text.get(header) != Some(&b'.') {
        return None;
    }
    let payload = DASHED.run(text, header + 1);
    // An encrypted token may have an empty second part.
    let long = payload - header > 8 || payload == text.len() && payload - header > 3;
    let empty = payload == header + 1 && text.get(payload) == Some(&b'.');
    (long || empty).then(|| start..DOTTED.run(text, payload))
}

/// `SG.id.secret`
pub(super) fn sendgrid(text: &[u8], start: usize) -> Option<Range<usize>> {
    if !text[start..].starts_with(b"SG.") || !begins(text, start, &DASHED) {
        return None;
    }
    let id = DASHED.run(text, start + 3);
    if !(16..=32).contains(&(id - start - 3)) || text.get(id) != Some(&b'.') {
        return None;
    }
    let end = DASHED.run(text, id + 1);
    (end - id > 16 || end == text.len()).then_some(start..end)
}

/// The token of a Telegram bot: its number, a colon, 35 characters; `colon` was found as `:AA`.
pub(super) fn telegram(text: &[u8], colon: usize) -> Option<Range<usize>> {
    let digits = text[..colon].iter().rev().take(12).take_while(|b| b.is_ascii_digit()).count();
    let start = colon - digits;
    let end = DASHED.run(text, colon + 1);
    let bot = start >= 3 && text[start - 3..start].eq_ignore_ascii_case(b"bot");
    ((7..=11).contains(&digits)
        && text[colon..].starts_with(b":AA")
        && (bot || begins(text, start, &SNAKE))
        && (32..=40).contains(&(end - colon - 1)))
    .then_some(start..end)
}

/// The token in the address of a Telegram bot, behind `/bot`.
pub(super) fn bot_url(text: &[u8], start: usize) -> Option<Range<usize>> {
    let digits = text[start..].iter().take(16).take_while(|byte| byte.is_ascii_digit()).count();
    let colon = start + digits;
    let end = DASHED.run(text, (colon + 1).min(text.len()));
    let is_cut = end == text.len();
    (digits >= 5 && text.get(colon) == Some(&b':') && (end - colon > 20 || is_cut))
        .then_some(start..end)
}
