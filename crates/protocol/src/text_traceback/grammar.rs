//! Turns rows into exceptions: which lines form a traceback, and how tracebacks belong together. It
//! accepts rows in any order, and reports as a gap whatever it cannot place.
use super::blocks::Block;
use super::exception::{ExceptionLine, exception_line, exception_within};
use super::open::{Ending, Open, Taken};
use super::quotes::straight_quotes;
use super::rewrap::rewrap;
use super::rows::{Row, RowFrame, RowKind, rows};
use super::streams::streams;
use super::tree::{NodeId, Tree};
use super::words::{Border, Header};
use super::{Gap, TextException, TextRelation, TextTraceback};

/// Nesting limit of exception groups.
const MAX_DEPTH: usize = 100;

/// How much of a line is searched for an exception that follows other text.
const MAX_SAID: usize = 1_000;

/// All tracebacks of a block.
pub(super) fn tracebacks(block: &Block<'_>) -> Vec<TextTraceback> {
    let mut tracebacks = Vec::new();
    for lines in streams(straight_quotes(block.lines.clone())) {
        let mut reader =
            Reader { tree: Tree::default(), levels: vec![Level::default()], labelled: None };
        for row in &rows(&rewrap(lines)) {
            reader.take(row);
        }
        if block.is_full {
            reader.level().note(Gap::TooLong);
        }
        reader.close_all();
        tracebacks.extend(reader.tree.into_tracebacks());
    }
    tracebacks.sort_by_key(|traceback| traceback.line);
    tracebacks
}

struct Reader {
    tree: Tree,
    /// The text itself, and a level for each group that is open.
    levels: Vec<Level>,
    /// The exception named by Django's page, above or below the frames.
    labelled: Option<Ending>,
}

/// The state at one depth of exception groups.
#[derive(Debug, Default)]
struct Level {
    /// The group whose members these are, and where its lines begin.
    group: Option<NodeId>,
    column: usize,
    number: u32,
    open: Option<Open>,
    /// The exception that was read last: the one above.
    last: Option<NodeId>,
    /// The exception above, once a sentence has stated its relation to the one below.
    pending: Option<(NodeId, TextRelation)>,
    /// An exception line outside a traceback, and the number of lines since.
    lone: Option<(Ending, u32, u32)>,
    /// The line before opened a quoted block.
    is_quoted: bool,
    /// A blank line follows the last exception.
    is_over: bool,
}

impl Level {
    fn note(&mut self, gap: Gap) {
        if let Some(open) = &mut self.open {
            open.gaps.push(gap);
        }
    }
}

impl Reader {
    fn level(&mut self) -> &mut Level {
        let at = self.levels.len() - 1;
        &mut self.levels[at]
    }

    fn take(&mut self, row: &Row) {
        if row.begins {
            self.close_all();
        }
        match &row.kind {
            RowKind::Header(header) => self.take_header(row, header),
            RowKind::Frame(frame) => self.take_frame(row, frame),
            RowKind::Link { relation, said } => self.take_link(row, *relation, said.as_deref()),
            RowKind::Border(border) => self.take_border(border),
            RowKind::Other => self.take_other(row),
        }
    }

    fn take_header(&mut self, row: &Row, header: &Header) {
        let mut is_quoted = self.level().is_quoted || header.is_remote;
        // The message of an exception begins with a traceback: `RuntimeError: Traceback (most …`.
        if let Some(said) = exception_line(&row.text[..header.at.min(row.text.len())])
            && row.text[..header.at].trim_end().ends_with(':')
        {
            is_quoted |= self.take_exception(row, said.into());
        }
        self.close_open();
        if self.level().last.is_none() || self.level().is_over {
            // A wrapper printed without frames: its message begins on the next line.
            self.close_lone(|lone, lines| {
                is_quoted && lines <= 3 || lines <= 6 && is_carrier(&lone.kind)
            });
        }
        let carrier = self.carrier(is_quoted);
        self.level().open = Some(Open::at(row.number, Some(*header), carrier));
        self.level().is_quoted = false;
    }

    /// Takes an exception before a header on the same line, whether it ends the open traceback or
    /// is alone.
    fn take_exception(&mut self, row: &Row, said: Ending) -> bool {
        let level = self.level();
        match &mut level.open {
            Some(open) if open.has_frames() && open.exception.is_none() => {
                open.exception = Some(said);
                true
            }
            Some(_) => false,
            None if said.is_certain => {
                level.lone = Some((said, row.number, 0));
                true
            }
            None => false,
        }
    }

    /// The exception whose message may contain a traceback that begins now.
    fn carrier(&mut self, is_quoted: bool) -> Option<(NodeId, bool)> {
        let level = self.level();
        let (last, is_over) = (level.last?, level.is_over);
        if level.pending.is_some() {
            return None;
        }
        let is_certain = is_quoted || is_carrier(&self.tree.exception(last).exception_type);
        (is_certain || !is_over).then_some((last, is_certain))
    }

    fn take_frame(&mut self, row: &Row, frame: &RowFrame) {
        let level = self.level();
        match &mut level.open {
            Some(open) if open.goes_on() => {
                open.push(row, frame);
                return;
            }
            Some(open) => {
                let ending = open.exception.as_ref();
                let is_doubtful = ending.is_some_and(|ending| {
                    !ending.is_certain && !ending.is_over && !is_carrier(&ending.kind)
                });
                if is_doubtful {
                    open.take_back_exception();
                    open.push(row, frame);
                    return;
                }
            }
            None => {}
        }
        self.close_open();
        let carrier = self.carrier(false).filter(|(_, is_certain)| *is_certain);
        let mut open = Open::at(row.number, None, carrier);
        open.said_before = match &self.level().lone {
            Some((ending, _, 0)) if ending.is_certain && carrier.is_none() => Some(ending.clone()),
            _ => None,
        };
        open.push(row, frame);
        self.level().open = Some(open);
    }

    fn take_link(&mut self, row: &Row, relation: TextRelation, said: Option<&str>) {
        let header = self.level().open.as_ref().and_then(|open| open.header);
        self.close_open();
        self.close_lone(|_, lines| lines <= 3);
        let last = self.level().last.take().map(|last| self.tree.outermost(last));
        if let (Some(last), Some(said)) = (last, said) {
            self.tree.name(last, said);
            // On Django's page no header follows.
            self.level().open = Some(Open::at(row.number, header, None));
        }
        self.level().pending = last.map(|last| (last, relation));
    }

    fn take_border(&mut self, border: &Border) {
        let known = |level: &Level| level.group.is_some() && level.column == border.column;
        if border.opens {
            self.close_open();
            self.close_lone(|_, lines| lines <= 50);
            if let Some(group) = self.level().last
                && self.levels.len() < MAX_DEPTH
            {
                self.levels.push(Level {
                    group: Some(group),
                    column: border.column,
                    number: 1,
                    ..Level::default()
                });
            }
            return;
        }
        let found = self.levels.iter().rposition(known).or_else(|| {
            let before = border.number?.checked_sub(1)?;
            self.levels.iter().rposition(|level| level.group.is_some() && level.number == before)
        });
        let Some(found) = found.or_else(|| border.number.is_none().then_some(1)) else { return };
        while self.levels.len() > found + 1 {
            self.close_level();
        }
        if border.number.is_none() {
            if found < self.levels.len() && found > 0 {
                self.close_level();
            }
            return;
        }
        self.close_member();
        let level = self.level();
        level.number = border.number.unwrap_or(level.number + 1);
    }

    fn take_other(&mut self, row: &Row) {
        let text = row.text.trim();
        let exception = exception_line(text);
        if let Some(labelled) = exception.filter(|exception| exception.is_labelled) {
            self.labelled = Some(labelled.into());
        } else if let Some(labelled) = &mut self.labelled {
            labelled.take(text);
        }
        let level = self.level();
        if let Some(open) = &mut level.open {
            if open.take(row) == Taken::Over {
                self.close_open();
            }
        } else {
            if text.is_empty() {
                level.is_over = true;
            }
            // If a message has a prefix only on its first line, the carrier on that line comes
            // after it.
            let exception = exception.or_else(|| {
                let (_, within) = exception_within(text.get(..MAX_SAID).unwrap_or(text))?;
                is_carrier(within.kind).then_some(within)
            });
            let outside =
                exception.filter(|exception| !row.is_foreign && may_stand_alone(exception));
            match (outside, &mut level.lone) {
                (Some(exception), _) => level.lone = Some((exception.into(), row.number, 0)),
                (None, Some((_, _, lines))) => *lines += 1,
                (None, None) => {}
            }
        }
        if !text.is_empty() {
            self.level().is_quoted = matches!(text, "\"\"\"" | "'''");
        }
    }

    /// Ends the traceback that is open at the innermost level.
    fn close_open(&mut self) {
        let Some(open) = self.level().open.take() else { return };
        let carrier = open.carrier;
        let is_over = open.exception.as_ref().is_some_and(|ending| ending.is_over);
        let known = if open.has_frames() { self.labelled.take() } else { None };
        let Some((exception, gaps, line)) = open.close(known) else { return };
        let is_carried = carrier.is_some_and(|(carrier, is_certain)| {
            is_certain || names(self.tree.exception(carrier), &exception.exception_type)
        });
        let id = self.tree.add(exception, gaps, line);
        let level = self.level();
        level.is_over = is_over;
        level.lone = None;
        match carrier.filter(|_| is_carried) {
            Some((carrier, _)) => {
                self.tree.attach(id, carrier, TextRelation::Remote);
                // A carried exception may carry another; the sentences that follow are about the
                // carrier.
                if is_carrier(&self.tree.exception(id).exception_type) {
                    self.level().last = Some(id);
                }
            }
            None => self.chain(id),
        }
    }

    /// Makes an exception the one above, and attaches the pending one to it.
    fn chain(&mut self, id: NodeId) {
        let level = self.level();
        level.last = Some(id);
        if let Some((part, relation)) = level.pending.take() {
            self.tree.attach(part, id, relation);
        }
    }

    /// Treats an exception line outside a traceback as an exception without frames.
    fn close_lone(&mut self, is_it: impl Fn(&Ending, u32) -> bool) {
        let Some((lone, line, lines)) = self.level().lone.take() else { return };
        if !is_it(&lone, lines) {
            return;
        }
        let exception = TextException {
            frames: Vec::new(),
            exception_type: lone.kind,
            exception_message: lone.message,
        };
        let id = self.tree.add(exception, Vec::new(), line);
        self.level().is_over = lines > 0 && !self.level().is_quoted;
        self.chain(id);
    }

    fn close_member(&mut self) {
        self.close_open();
        self.close_lone(|_, _| true);
        let level = self.level();
        let (group, last) = (level.group, level.last.take());
        level.pending = None;
        if let (Some(group), Some(last)) = (group, last) {
            let member = self.tree.outermost(last);
            self.tree.attach(member, group, TextRelation::Member);
        }
    }

    fn close_level(&mut self) {
        self.close_member();
        if self.levels.len() > 1 {
            self.levels.pop();
        }
    }

    fn close_all(&mut self) {
        while self.levels.len() > 1 {
            self.close_level();
        }
        self.close_open();
        // The exception that was raised from this one should have followed.
        if let Some((last, _)) = self.level().pending {
            self.tree.note(last, Gap::CutOff);
        }
        self.levels = vec![Level::default()];
        self.labelled = None;
    }
}

/// Outside a traceback only an unmistakable line counts as an exception.
fn may_stand_alone(exception: &ExceptionLine<'_>) -> bool {
    exception.is_certain
        || exception.kind == "error"
        || exception.kind.starts_with(char::is_uppercase)
}

/// Exception types whose message is a traceback from another process.
fn is_carrier(kind: &str) -> bool {
    let last = kind.split('(').next().unwrap_or(kind).rsplit('.').next().unwrap_or(kind);
    const CARRIERS: [&str; 8] = [
        "RemoteTraceback",
        "RemoteError",
        "RayTaskError",
        "ProcessRaisedException",
        "PythonException",
        "TransportableException",
        "WorkerException",
        "ExceptionInfo",
    ];
    CARRIERS.iter().any(|carrier| last.ends_with(carrier))
        || last.starts_with("Joblib")
        || kind.contains("RayTaskError")
}

/// Whether an exception's message names the type of another.
fn names(outer: &TextException, kind: &str) -> bool {
    let last = kind.rsplit('.').next().unwrap_or(kind);
    !last.is_empty()
        && (outer.exception_message.contains(last)
            || outer.exception_type.contains(&format!("({last}")))
}
