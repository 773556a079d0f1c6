//! One pass over a text that finds all secrets known by their shape, and tells whether a secret's
//! name may be in it at all.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Match, MatchKind};

use super::name_words::ROOTS;
use super::rule::{Active, Rule};
use super::tokens::{self, SHAPES, Shape};
use super::url::Authorities;
use super::{card, credentials, key_block};

/// Literals that need more than a run of bytes behind them.
const SPECIALS: [(&str, Special); 8] = [
    ("bearer", Special::Bearer),
    ("basic", Special::Basic),
    ("eyJ", Special::Jwt),
    ("SG.", Special::Sendgrid),
    (":AA", Special::Telegram),
    ("://", Special::Authority),
    ("-----BEGIN", Special::BlockBegin),
    ("-----END", Special::BlockEnd),
];

#[derive(Clone, Copy)]
enum Special {
    Bearer,
    Basic,
    Jwt,
    Sendgrid,
    Telegram,
    Authority,
    BlockBegin,
    BlockEnd,
}

/// What a literal that was found may begin.
#[derive(Clone, Copy)]
enum Start {
    /// A token of this shape.
    Shape(&'static Shape),
    Special(Special),
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
        for shape in &SHAPES {
            if shape.start.len() > 2 {
                add(shape.start.to_owned(), Start::Shape(shape));
            } else {
                // Two letters are in any text: together with what may follow they are rare.
                for digit in "0123456789abcdef".chars() {
                    add(format!("{}{digit}", shape.start), Start::Shape(shape));
                }
            }
        }
        for root in ROOTS {
            add(root.to_owned(), Start::Root);
        }
        let literals = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .kind(Some(AhoCorasickKind::DFA))
            .prefilter(false)
            .build(&texts)
            .expect("a hundred short literals fit every limit of the search");
        Self { literals, starts, active }
    }

    /// Adds what is found; answers whether a pair of a secret's name and its value is possible.
    pub(super) fn find(&self, text: &str, found: &mut Vec<Range<usize>>) -> bool {
        let bytes = text.as_bytes();
        let mut names = false;
        let mut authorities = Authorities::default();
        // What begins within a secret is part of it; so no run of bytes is looked at twice.
        let mut taken = 0;
        for hit in self.literals.find_iter(bytes) {
            let start = self.starts[hit.pattern().as_usize()];
            // The literal may hide the root that begins with its last letter.
            names |= matches!(start, Start::Root | Start::Special(Special::Bearer))
                || matches!(start, Start::Shape(shape) if shape.start.len() < hit.len());
            if hit.start() < taken {
                continue;
            }
            let span = match start {
                Start::Root => None,
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
            Special::Authority => authorities.secret(text, hit.end(), self.active),
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
