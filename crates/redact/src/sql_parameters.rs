//! The parameters of a statement, as SQLAlchemy and Django show them after it: `[SQL: UPDATE users
//! SET password=? WHERE id=?]`, `[parameters: ('x', 3)]`. The columns of the statement decide which
//! of them are secrets.

use std::ops::Range;

use memchr::memmem;

use super::bytes::{ByteSet, SNAKE};
use super::names;
use super::nothing::hides_nothing;
use super::pair_value::{self, Context, DEEPEST};
use super::rule::Active;
use super::sql_insert::{ROWS, list, secret_columns};

/// Marks before parameters.
pub(super) const MARKS: [&str; 3] = ["[parameters: ", "args=", "params="];

/// How far a statement is searched for before its parameters, and these after their mark.
const LONGEST: usize = 4_096;
const SHORT: usize = 256;
/// `... displaying 10 of 100 total bound parameter sets ...` between two of them.
const LONGEST_GAP: usize = 80;
static BETWEEN: ByteSet = ByteSet::of(b" ,\t\r\n\\");

/// Examines statements and their parameters one after another, from left to right.
#[derive(Default)]
pub(super) struct Parameters {
    /// Number of bytes examined.
    spent: usize,
    /// The start of the previous parameters.
    before: usize,
}

impl Parameters {
    /// Adds the secrets among the parameters whose mark is here.
    pub(super) fn find(
        &mut self,
        text: &[u8],
        mark: Range<usize>,
        active: Active,
        found: &mut Vec<Range<usize>>,
    ) {
        if !matches!(text.get(mark.end), Some(b'(' | b'[' | b'{')) {
            return;
        }
        // When many follow each other, none of the statements is long.
        let far = if self.spent < text.len() + LONGEST { LONGEST } else { SHORT };
        let floor = self.before.max(mark.start.saturating_sub(far));
        self.before = mark.end;
        self.spent += far;
        let Some(statement) = statement(&text[floor..mark.start]) else { return };
        let places = Walk::over(statement, active);
        if places.iter().any(|place| place.is_secret) {
            add(&text[..text.len().min(mark.end + far)], mark.end, &places, found);
        }
    }
}

/// The statement in the text before its parameters.
fn statement(text: &[u8]) -> Option<&[u8]> {
    if let Some(at) = memmem::rfind(text, b"[SQL: ") {
        return Some(&text[at..]);
    }
    let lower = text.to_ascii_lowercase();
    let words: [&[u8]; 7] =
        [b"update ", b"insert ", b"replace ", b"select ", b"delete ", b"create ", b"alter "];
    let first = words.iter().filter_map(|word| memmem::find(&lower, word)).min()?;
    Some(&text[first..])
}

/// A placeholder of a statement.
struct Place<'a> {
    /// `%(name)s`, `:name`.
    name: &'a [u8],
    /// `$1`, `:1`, counted from 0.
    number: Option<usize>,
    is_secret: bool,
}

/// A walk over a statement.
#[derive(Default)]
struct Walk<'a> {
    /// The last name of a column or function.
    word: &'a [u8],
    /// Whether the column being compared or set holds a secret, and the bracket depth at which that
    /// began.
    column: Option<(bool, usize)>,
    depth: usize,
    /// The columns of an `INSERT` that are secrets, and the one whose value comes next.
    inserted: Vec<usize>,
    next: usize,
    places: Vec<Place<'a>>,
}

impl<'a> Walk<'a> {
    fn over(text: &'a [u8], active: Active) -> Vec<Place<'a>> {
        let mut walk = Self::default();
        let mut at = 0;
        while at < text.len() {
            at = walk.step(text, at, active);
        }
        walk.places
    }

    /// Reads the token that begins here; returns where to continue.
    fn step(&mut self, text: &'a [u8], at: usize, active: Active) -> usize {
        match text[at] {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let end = SNAKE.run(text, at);
                return self.take_word(text, at..end, active).max(end);
            }
            b'\'' => return self.take_string(text, at),
            b'\\' => {
                let run = text[at..].iter().take(DEEPEST).take_while(|byte| **byte == b'\\');
                let end = at + run.count();
                return match text.get(end) {
                    Some(b'\'') => self.take_string(text, at),
                    // The letter of an escape.
                    Some(b'n' | b'r' | b't') => end + 1,
                    _ => end,
                };
            }
            b'=' | b'<' | b'>' | b'!' | b'~' if !self.word.is_empty() => self.compare(active),
            b'(' => {
                // `PASSWORD(%s)`
                if self.column.is_none() && names::is_secret(self.word, active) {
                    self.column = Some((true, self.depth));
                }
                self.depth += 1;
                if self.depth == 1 {
                    self.next = 0;
                }
            }
            b')' => {
                self.depth = self.depth.saturating_sub(1);
                self.column = self.column.filter(|(_, depth)| self.depth >= *depth);
            }
            b',' => {
                self.column = self.column.filter(|(_, depth)| self.depth > *depth);
                self.word = b"";
                self.next += usize::from(self.depth == 1);
            }
            b'?' => self.add(b"", None, active),
            b'%' if text[at..].starts_with(b"%s") => {
                self.add(b"", None, active);
                return at + 2;
            }
            b'%' if text[at..].starts_with(b"%(") => {
                let end = SNAKE.run(text, at + 2);
                self.add(&text[at + 2..end], None, active);
                return (end + 2).min(text.len());
            }
            b':' if text.get(at + 1) == Some(&b':') => return at + 2,
            b':' | b'$' => {
                let end = SNAKE.run(text, at + 1);
                let name = &text[at + 1..end];
                let number = std::str::from_utf8(name).ok().and_then(|name| name.parse().ok());
                if number.is_some() || text[at] == b':' && !name.is_empty() {
                    self.add(name, number.map(|number: usize| number.wrapping_sub(1)), active);
                }
                return end;
            }
            _ => {}
        }
        at + 1
    }

    fn take_word(&mut self, text: &'a [u8], place: Range<usize>, active: Active) -> usize {
        let word = &text[place.clone()];
        match word.to_ascii_lowercase().as_slice() {
            b"into" if [b"insert" as &[u8], b"replace"].iter().any(|it| self.word_is(it)) => {
                let columns = secret_columns(text, place.end, active);
                let (inserted, behind) = columns.unwrap_or((Vec::new(), place.end));
                self.inserted = inserted;
                self.word = b"";
                return behind;
            }
            b"and" | b"or" | b"where" | b"when" | b"then" | b"else" | b"values" | b"limit"
            | b"returning" | b"from" | b"on" | b"set" => {
                self.column = None;
                self.word = b"";
            }
            b"like" | b"ilike" | b"in" | b"is" | b"between" | b"not" => {
                if !self.word.is_empty() {
                    self.compare(active);
                }
            }
            b"identified" => {
                self.column = Some((names::is_secret(b"password", active), self.depth))
            }
            _ => self.word = word,
        }
        place.end
    }

    fn word_is(&self, known: &[u8]) -> bool {
        self.word.eq_ignore_ascii_case(known)
    }

    /// A string may be a name: `data->>'password' = %s`.
    fn take_string(&mut self, text: &'a [u8], at: usize) -> usize {
        let end = pair_value::end(text, at, Context::default()).max(at + 1);
        let is_edge = |byte: &u8| matches!(byte, b'\'' | b'\\');
        let start = at + text[at..end].iter().take_while(|byte| is_edge(byte)).count();
        self.word = &text[start..SNAKE.run(&text[..end], start.min(end))];
        end
    }

    /// The column named last is compared or set.
    fn compare(&mut self, active: Active) {
        self.column = Some((names::is_secret(self.word, active), self.depth));
        self.word = b"";
    }

    fn add(&mut self, name: &'a [u8], number: Option<usize>, active: Active) {
        let is_secret = match self.column {
            Some((is_secret, _)) => is_secret,
            None if self.depth > 0 && self.inserted.contains(&self.next) => true,
            // `PASSWORD %s`
            None => names::is_secret(self.word, active),
        };
        self.places.push(Place { name, number, is_secret });
    }
}

/// Adds the secrets among the parameters that begin here: a tuple, a list or a dictionary of them,
/// or a list of these.
fn add(text: &[u8], start: usize, places: &[Place<'_>], found: &mut Vec<Range<usize>>) {
    let is_many = text[start] == b'[' && matches!(text.get(start + 1), Some(b'(' | b'[' | b'{'));
    let mut at = start + usize::from(is_many);
    for _ in 0..ROWS {
        let Some((mut values, end)) = list(text, at) else { return };
        if values.last().is_some_and(Range::is_empty) {
            // `('x',)`
            values.pop();
        }
        let secrets = values.iter().enumerate().filter_map(|(index, value)| match text[at] {
            b'{' => named(text, value, places),
            _ => is_secret(index, values.len(), places).then(|| value.clone()),
        });
        found.extend(secrets.filter(|value| !hides_nothing(&text[value.clone()])));
        let next = BETWEEN.run(text, end);
        let near = &text[next..text.len().min(next + LONGEST_GAP)];
        let gap = match near.first() {
            Some(b'.') => near.iter().position(|byte| matches!(byte, b'(' | b'[' | b'{')),
            _ => Some(0),
        };
        let Some(gap) = gap else { return };
        at = next + gap;
        if !is_many || !matches!(text.get(at), Some(b'(' | b'[' | b'{')) {
            return;
        }
    }
}

/// Whether the parameter at this index is a secret. If the beginning of the statement is unknown,
/// the known placeholders belong to the last parameters.
fn is_secret(index: usize, count: usize, places: &[Place<'_>]) -> bool {
    if places.iter().any(|place| place.number.is_some()) {
        return places.iter().any(|place| place.number == Some(index) && place.is_secret);
    }
    let place = (places.len() + index).checked_sub(count).and_then(|at| places.get(at));
    place.is_some_and(|place| place.is_secret)
}

/// The value in `'name': value`, if it is a secret.
fn named(text: &[u8], pair: &Range<usize>, places: &[Place<'_>]) -> Option<Range<usize>> {
    let start = pair.start + text[pair.clone()].iter().position(|byte| SNAKE.has(*byte))?;
    let end = SNAKE.run(&text[..pair.end], start);
    let name = &text[start..end];
    let colon = end + text[end..pair.end].iter().position(|byte| *byte == b':')? + 1;
    let value = colon + text[colon..pair.end].iter().take_while(|byte| **byte == b' ').count();
    let is_one = |place: &Place<'_>| place.is_secret && place.name == name;
    places.iter().any(is_one).then_some(value..pair.end)
}
