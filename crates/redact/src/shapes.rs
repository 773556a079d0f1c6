//! One pass over a text that finds all secrets known by their shape, and determines whether the
//! text may contain a secret's name at all.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Match, MatchKind};

use super::calls::CALLS;
use super::commands::{Commands, PROGRAMS};
use super::name_words::ROOTS;
use super::rule::{Active, Rule};
use super::sql_insert::Inserts;
use super::sql_parameters::{MARKS, Parameters};
use super::tokens::{self, SHAPES, Shape};
use super::url::Authorities;
use super::{calls, card, commands, credentials, key_block, settings, sql, url};

/// Literals that need more than a run of bytes after them.
const SPECIALS: [(&str, Special); 27] = [
    ("bearer", Special::Bearer),
    ("basic", Special::Basic),
    ("eyJ", Special::Jwt),
    ("SG.", Special::Sendgrid),
    (":AA", Special::Telegram),
    ("://", Special::Authority),
    ("netloc", Special::Netloc),
    ("jdbc:oracle:", Special::Oracle),
    ("?code=", Special::Code),
    ("&code=", Special::Code),
    ("-----BEGIN", Special::BlockBegin),
    ("-----END", Special::BlockEnd),
    ("/bot", Special::BotUrl),
    ("identified", Special::Identified),
    ("insert into", Special::Insert),
    ("replace into", Special::Insert),
    ("auth ", Special::Auth),
    ("requirepass", Special::Required),
    ("masterauth", Special::Required),
    ("passw", Special::Spaced),
    ("passphrase", Special::Spaced),
    ("secret", Special::Spaced),
    ("session_token", Special::Spaced),
    ("token", Special::Spaced),
    ("api_key", Special::Spaced),
    ("access_key", Special::Spaced),
    ("credentials", Special::Spaced),
];

#[derive(Clone, Copy)]
enum Special {
    Bearer,
    Basic,
    Jwt,
    Sendgrid,
    Telegram,
    Authority,
    Netloc,
    Oracle,
    Code,
    BlockBegin,
    BlockEnd,
    BotUrl,
    Identified,
    Insert,
    Auth,
    Required,
    /// The name of a secret, followed by a blank and its value.
    Spaced,
}

impl Special {
    /// Whether it holds the name of a secret.
    fn is_name(self) -> bool {
        matches!(self, Self::Bearer | Self::Auth | Self::Required | Self::Spaced)
    }
}

/// What a matched literal may begin.
#[derive(Clone, Copy)]
enum Start {
    /// A token of this shape.
    Shape(&'static Shape),
    Special(Special),
    /// A call with arguments.
    Call(calls::Takes),
    /// A command line.
    Program(commands::Takes),
    /// The parameters of an SQL statement.
    Parameters,
    /// The name of a secret.
    Root,
}

/// Finds secrets by their shape.
pub(super) struct Shapes {
    literals: AhoCorasick,
    starts: Vec<Start>,
    active: Active,
}

impl Shapes {
    pub(super) fn new(active: Active) -> Self {
        let mut texts: Vec<String> = Vec::new();
        let mut starts = Vec::new();
        let mut add = |text: String, start| {
            texts.push(text);
            starts.push(start);
        };
        for (text, special) in SPECIALS {
            add(text.to_owned(), Start::Special(special));
        }
        for mark in MARKS {
            add(mark.to_owned(), Start::Parameters);
        }
        for shape in &SHAPES {
            if shape.start.len() > 2 {
                add(shape.start.to_owned(), Start::Shape(shape));
            } else {
                // Two letters occur in any text, but together with what may follow them they are
                // rare.
                for digit in "0123456789abcdef".chars() {
                    add(format!("{}{digit}", shape.start), Start::Shape(shape));
                }
            }
        }
        for (text, takes) in CALLS {
            add(text.to_owned(), Start::Call(takes));
        }
        for (text, takes) in PROGRAMS {
            add(text.to_owned(), Start::Program(takes));
        }
        // The same text may be listed above; of equal literals the first is found.
        for root in ROOTS {
            add(root.to_owned(), Start::Root);
        }
        let literals = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .kind(Some(AhoCorasickKind::DFA))
            .prefilter(false)
            .build(&texts)
            .expect("a few hundred short literals fit every limit of the search");
        Self { literals, starts, active }
    }

    /// Adds the secrets found; returns whether a pair of a secret's name and its value is possible.
    pub(super) fn find(&self, text: &str, found: &mut Vec<Range<usize>>) -> bool {
        let bytes = text.as_bytes();
        let mut names = false;
        let mut authorities = Authorities::default();
        let mut commands = Commands::default();
        let mut inserts = Inserts::default();
        let mut parameters = Parameters::default();
        // Matches within a secret belong to it, so no run of bytes is examined twice.
        let mut taken = 0;
        for hit in self.literals.find_iter(bytes) {
            let start = self.starts[hit.pattern().as_usize()];
            // The literal may hold a root, or hide one that begins with its last letter.
            names |= match start {
                Start::Root | Start::Call(_) | Start::Program(_) => true,
                Start::Special(special) => special.is_name(),
                Start::Shape(shape) => shape.start.len() < hit.len(),
                Start::Parameters => false,
            };
            if hit.start() < taken {
                continue;
            }
            let span = match start {
                Start::Root => None,
                Start::Call(takes) if self.active.has(Rule::Password) => {
                    calls::find(bytes, hit.end(), takes, found);
                    None
                }
                Start::Program(takes) if self.active.has(Rule::Password) => {
                    commands.find(bytes, hit.range(), takes, found);
                    None
                }
                Start::Call(_) | Start::Program(_) => None,
                Start::Special(Special::Insert) => {
                    inserts.find(bytes, hit.end(), self.active, found);
                    None
                }
                Start::Parameters => {
                    parameters.find(bytes, hit.range(), self.active, found);
                    None
                }
                Start::Special(special) => self.special(special, bytes, &hit, &mut authorities),
                Start::Shape(shape) => self
                    .active
                    .has(shape.rule)
                    .then(|| shape.at(bytes, hit.start()..hit.start() + shape.start.len()))
                    .flatten(),
            };
            if let Some(span) = span {
                taken = span.end;
                found.push(span);
            }
        }
        if self.active.has(Rule::CardNumber) {
            card::find(bytes, found);
        }
        names
    }

    fn special(
        &self,
        special: Special,
        text: &[u8],
        hit: &Match,
        authorities: &mut Authorities,
    ) -> Option<Range<usize>> {
        let on = |rule| self.active.has(rule).then_some(());
        match special {
            Special::Bearer => on(Rule::Bearer).and(credentials::bearer(text, hit.range())),
            Special::Basic => on(Rule::Bearer).and(credentials::basic(text, hit.range())),
            Special::Jwt => on(Rule::Jwt).and(tokens::jwt(text, hit.start())),
            Special::Sendgrid => on(Rule::SendgridKey).and(tokens::sendgrid(text, hit.start())),
            Special::Telegram => on(Rule::ServiceToken).and(tokens::telegram(text, hit.start())),
            Special::BotUrl => on(Rule::ServiceToken).and(tokens::bot_url(text, hit.end())),
            Special::Identified => on(Rule::Password).and(sql::identified(text, hit.range())),
            Special::Spaced => sql::named(text, hit.start(), self.active)
                .or_else(|| settings::named(text, hit.start(), self.active))
                .or_else(|| settings::said(text, hit.start(), self.active))
                .or_else(|| sql::alias(text, hit.start(), self.active)),
            Special::Auth => on(Rule::Password).and(settings::auth(text, hit.range())),
            Special::Required => on(Rule::Password).and(settings::required(text, hit.end())),
            Special::Insert => None,
            Special::Authority => authorities.secret(text, hit.end(), self.active),
            Special::Netloc => {
                authorities.secret(text, url::netloc_start(text, hit.end()), self.active)
            }
            Special::Oracle => on(Rule::UrlPassword).and(url::oracle(text, hit.end())),
            Special::Code => on(Rule::Authorization).and(url::code(text, hit.range())),
            Special::BlockBegin => {
                on(Rule::PrivateKeyBlock)?;
                key_block::from_begin(text, hit.range())
            }
            Special::BlockEnd => {
                on(Rule::PrivateKeyBlock).and(key_block::before_end(text, hit.range()))
            }
        }
    }
}
