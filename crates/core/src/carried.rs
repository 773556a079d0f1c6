//! Finds the exceptions of a report that carry a fault: a group, a retry or a pool of workers only
//! carries others, and the line is chosen in the tracebacks of these.
use crate::chain::{ChainedException, Relation};
use crate::report::{Frame, Report};
use crate::report_bounds::ends_of_chained;

/// An exception of a report: the reported one, or an index in its chain.
pub type ExceptionAt = Option<usize>;

/// Types that say that something was to stop, not that it failed.
const STOPS: [&str; 6] = [
    "Cancelled",
    "CancelledError",
    "GeneratorExit",
    "GreenletExit",
    "KeyboardInterrupt",
    "SystemExit",
];

/// The exceptions of `report` that carry a fault, each to be attributed by itself; never empty.
///
/// - Of a group, these are its members that went through code of the project. The group itself is
///   one when another member did not, because nothing else is known of that member.
/// - An exception that came from another process as text is the fault, not the one that brought it;
///   a text in a message counts only when foreign code raised that exception.
/// - A cause or context is the fault when foreign code caught it from the project's and raised the
///   outer exception instead. An exception that the project's own code raises from a cause stays
///   the fault.
///
/// `may_be_blamed` says whether a frame, by its place in the traceback of an exception, belongs to
/// the project and could be blamed.
pub fn faults(
    report: &Report,
    may_be_blamed: &dyn Fn(ExceptionAt, usize) -> bool,
) -> Vec<ExceptionAt> {
    let mut found = Vec::new();
    Chain { report, may_be_blamed }.collect(None, &mut found);
    found
}

struct Chain<'a> {
    report: &'a Report,
    may_be_blamed: &'a dyn Fn(ExceptionAt, usize) -> bool,
}

// Recursions end: the parts of an exception have larger indexes than it, and chains are bounded.
impl Chain<'_> {
    fn collect(&self, at: ExceptionAt, found: &mut Vec<ExceptionAt>) {
        let members: Vec<usize> = self.parts(at, Relation::Member).collect();
        let is_informative = |member: &usize| self.carries(at, *member);
        let informative: Vec<usize> = members.iter().copied().filter(is_informative).collect();
        if !informative.is_empty() {
            informative.iter().for_each(|member| self.collect(Some(*member), found));
            if informative.len() < members.len() && self.goes_through_project(at) {
                found.push(at);
            }
            return;
        }
        let carried = [Relation::Remote, Relation::Quoted, Relation::Cause, Relation::Context]
            .into_iter()
            .find_map(|relation| self.parts(at, relation).find(|part| self.carries(at, *part)));
        match carried {
            Some(carried) => self.collect(Some(carried), found),
            None => found.push(at),
        }
    }

    fn parts(&self, of: ExceptionAt, relation: Relation) -> impl Iterator<Item = usize> {
        let chain = self.report.chain.iter().enumerate();
        chain
            .filter(move |(_, part)| part.parent == of && part.relation == relation)
            .map(|(at, _)| at)
    }

    fn carries(&self, outer: ExceptionAt, part: usize) -> bool {
        if STOPS.contains(&short(&self.report.chain[part].exception_type)) {
            return false;
        }
        let is_carried = match self.report.chain[part].relation {
            Relation::Member | Relation::Remote => true,
            Relation::Quoted => !self.is_raised_by_project(outer),
            Relation::Cause | Relation::Context => {
                // A traceback begins where the exception was caught.
                let caught_by_project = (self.may_be_blamed)(Some(part), 0)
                    && !self.report.chain[part].traceback.is_empty();
                !self.is_raised_by_project(outer) && !caught_by_project
            }
            Relation::Carrier => false,
        };
        is_carried && self.has_fault(part)
    }

    fn is_raised_by_project(&self, at: ExceptionAt) -> bool {
        let raised_at = self.traceback(at).len().checked_sub(1);
        raised_at.is_some_and(|frame| (self.may_be_blamed)(at, frame))
    }

    /// Whether the exception, or one that it carries, went through code of the project.
    fn has_fault(&self, at: usize) -> bool {
        self.goes_through_project(Some(at))
            || (at + 1..self.report.chain.len())
                .filter(|part| self.report.chain[*part].parent == Some(at))
                .any(|part| self.carries(Some(at), part))
    }

    fn goes_through_project(&self, at: ExceptionAt) -> bool {
        (0..self.traceback(at).len()).any(|frame| (self.may_be_blamed)(at, frame))
    }

    fn traceback(&self, at: ExceptionAt) -> &[Frame] {
        self.report.traceback_of(at)
    }
}

impl Report {
    /// The frames of the reported exception, then those of each in its chain.
    pub fn tracebacks(&self) -> impl Iterator<Item = &[Frame]> {
        let chain = self.chain.iter().map(|exception| exception.traceback.as_slice());
        std::iter::once(self.traceback.as_slice()).chain(chain)
    }

    /// The frames of the reported exception, or of one in its chain, outermost first.
    pub fn traceback_of(&self, at: ExceptionAt) -> &[Frame] {
        match at {
            None => &self.traceback,
            Some(at) => self.chain.get(at).map_or(&[], |exception| &exception.traceback),
        }
    }

    /// The type of the reported exception, or of one in its chain that carries the fault.
    pub fn exception_type_of(&self, at: ExceptionAt) -> &str {
        let Some(exception) = at.and_then(|at| self.chain.get(at)) else {
            return &self.exception_type;
        };
        // It is the same exception, and here its type is known in full.
        let here = self.exception_type_of(exception.parent);
        match exception.relation {
            Relation::Remote | Relation::Quoted
                if short(here) == short(&exception.exception_type) =>
            {
                here
            }
            _ => &exception.exception_type,
        }
    }

    /// The report of an exception in the chain, as if it had been reported by itself: its own
    /// traceback and chain, followed by the exceptions that carried it here, the nearest first.
    #[must_use]
    pub fn carried(&self, at: usize) -> Self {
        let Some(fault) = self.chain.get(at) else { return self.clone() };
        let mut chain = self.part_below(at);
        let mut carrier_of = None;
        let mut outer = Some(fault.parent);
        while let Some(at) = outer {
            chain.push(ChainedException {
                relation: Relation::Carrier,
                parent: carrier_of,
                ..self.as_carrier(at)
            });
            carrier_of = Some(chain.len() - 1);
            outer = at.and_then(|at| self.chain.get(at)).map(|exception| exception.parent);
        }
        // An exception of another process is complete as it was received.
        let is_same = matches!(fault.relation, Relation::Remote | Relation::Quoted)
            && self.exception_type_of(Some(at)) != fault.exception_type;
        let (_, message, notes) = self.said_of(if is_same { fault.parent } else { Some(at) });
        Self {
            traceback: fault.traceback.clone(),
            exception_type: self.exception_type_of(Some(at)).to_owned(),
            exception_message: message.to_owned(),
            notes: notes.to_vec(),
            chain,
            hostname: self.hostname.clone(),
            error_threshold: self.error_threshold,
            additional_info: self.additional_info.clone(),
            error_count: self.error_count,
            revision: self.revision.clone(),
            environment: self.environment.clone(),
            request: self.request.clone(),
            id: self.id.clone(),
            handled: self.handled,
            mechanism: self.mechanism.clone(),
            transaction: self.transaction.clone(),
            user: self.user.clone(),
            tags: self.tags.clone(),
            contexts: self.contexts.clone(),
            breadcrumbs: self.breadcrumbs.clone(),
            process: self.process.clone(),
            thread: self.thread.clone(),
            task: self.task.clone(),
            trace_id: self.trace_id.clone(),
        }
    }

    /// What belongs to an exception in the chain, as the chain of a report of its own.
    fn part_below(&self, at: usize) -> Vec<ChainedException> {
        let mut new_places = vec![None; self.chain.len()];
        let mut part: Vec<ChainedException> = Vec::new();
        for (index, exception) in self.chain.iter().enumerate().skip(at + 1) {
            let parent = match exception.parent {
                Some(parent) if parent == at => None,
                Some(parent) if new_places[parent].is_some() => new_places[parent],
                _ => continue,
            };
            new_places[index] = Some(part.len());
            part.push(ChainedException { parent, ..exception.clone() });
        }
        part
    }

    /// How a fault got here: the places alone. Every fault of a report has all of its carriers, and
    /// their values do not belong to it.
    fn as_carrier(&self, at: ExceptionAt) -> ChainedException {
        let place = |frame: &Frame| Frame {
            path: frame.path.clone(),
            line: frame.line,
            function: frame.function.clone(),
            text: frame.text.clone(),
            ..Frame::default()
        };
        let (exception_type, exception_message, notes) = self.said_of(at);
        ChainedException {
            exception_type: exception_type.to_owned(),
            exception_message: exception_message.to_owned(),
            notes: notes.to_vec(),
            traceback: ends_of_chained(self.traceback_of(at)).map(place).collect(),
            ..ChainedException::default()
        }
    }

    /// Type, message and notes of an exception.
    fn said_of(&self, at: ExceptionAt) -> (&str, &str, &[String]) {
        match at.and_then(|at| self.chain.get(at)) {
            Some(of) => (&of.exception_type, &of.exception_message, &of.notes),
            None => (&self.exception_type, &self.exception_message, &self.notes),
        }
    }
}

/// The name of a type without its module.
fn short(exception_type: &str) -> &str {
    exception_type.rsplit('.').next().unwrap_or(exception_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames by letters: `o` is the project's own, `f` is foreign.
    fn frames(letters: &str) -> Vec<Frame> {
        let frame = |letter: char| Frame { path: letter.to_string(), ..Frame::default() };
        letters.chars().map(frame).collect()
    }

    fn report(outer: &str, chain: &[(Relation, ExceptionAt, &str)]) -> Report {
        let chained =
            |(at, (relation, parent, letters)): (usize, &(Relation, _, &str))| ChainedException {
                exception_type: format!("E{at}"),
                relation: *relation,
                parent: *parent,
                traceback: frames(letters),
                ..ChainedException::default()
            };
        Report {
            exception_type: "builtins.Outer".into(),
            traceback: frames(outer),
            chain: chain.iter().enumerate().map(chained).collect(),
            ..Report::default()
        }
    }

    fn found(report: &Report) -> Vec<ExceptionAt> {
        faults(report, &|at, frame| report.traceback_of(at)[frame].path == "o")
    }

    use Relation::{Cause, Context, Member, Quoted, Remote};

    #[test]
    fn exception_wrapped_by_foreign_code_is_the_fault() {
        for relation in [Cause, Context] {
            assert_eq!(found(&report("oof", &[(relation, None, "fof")])), [Some(0)]);
            assert_eq!(found(&report("oof", &[(relation, None, "ff")])), [None], "no own code");
            assert_eq!(found(&report("oo", &[(relation, None, "fo")])), [None], "raised by us");
            assert_eq!(found(&report("of", &[(relation, None, "of")])), [None], "caught by us");
            assert_eq!(found(&report("", &[(relation, None, "fo")])), [Some(0)], "never raised");
        }
        let twice = report("of", &[(Cause, None, "ff"), (Cause, Some(0), "fo")]);
        assert_eq!(found(&twice), [Some(1)]);
        let both = report("of", &[(Context, None, "fo"), (Cause, None, "fo")]);
        assert_eq!(found(&both), [Some(1)], "a cause says more than a context");
        assert_eq!(found(&report("of", &[])), [None]);
    }

    #[test]
    fn cancelled_code_is_not_a_fault() {
        let mut timeout = report("of", &[(Cause, None, "fof")]);
        timeout.chain[0].exception_type = "asyncio.exceptions.CancelledError".into();
        assert_eq!(found(&timeout), [None]);
    }

    #[test]
    fn exception_of_another_process_is_the_fault_anywhere() {
        assert_eq!(found(&report("of", &[(Remote, None, "oo")])), [Some(0)]);
        assert_eq!(found(&report("oo", &[(Remote, None, "fo")])), [Some(0)]);
        assert_eq!(found(&report("of", &[(Remote, None, "ff")])), [None]);
    }

    #[test]
    fn quoted_traceback_is_the_fault_only_if_others_raised() {
        assert_eq!(found(&report("of", &[(Quoted, None, "fo")])), [Some(0)]);
        assert_eq!(found(&report("", &[(Quoted, None, "fo")])), [Some(0)], "never raised here");
        assert_eq!(found(&report("oo", &[(Quoted, None, "fo")])), [None], "it may say anything");
        assert_eq!(found(&report("of", &[(Quoted, None, "ff")])), [None]);
    }

    #[test]
    fn group_member_is_a_fault_of_its_own() {
        let group = report("of", &[(Member, None, "oo"), (Member, None, "fo")]);
        assert_eq!(found(&group), [Some(0), Some(1)]);
        let raised_here = report("o", &[(Member, None, "o"), (Member, None, "o")]);
        assert_eq!(found(&raised_here), [Some(0), Some(1)]);
        let nested =
            report("of", &[(Member, None, "ff"), (Member, Some(0), "o"), (Member, Some(0), "o")]);
        assert_eq!(found(&nested), [Some(1), Some(2)]);
        let never_raised = report("o", &[(Member, None, ""), (Member, None, "")]);
        assert_eq!(found(&never_raised), [None]);
        let foreign_too = report("of", &[(Member, None, "o"), (Member, None, "ff")]);
        assert_eq!(found(&foreign_too), [Some(0), None]);
        let carried = report("of", &[(Cause, None, "ff"), (Member, Some(0), "fo")]);
        assert_eq!(found(&carried), [Some(1)], "a group that was wrapped");
        let wrapped = report("of", &[(Member, None, "f"), (Cause, Some(0), "fo")]);
        assert_eq!(found(&wrapped), [Some(1)], "a member that was wrapped");
    }

    #[test]
    fn carried_exception_keeps_its_chain_and_shows_its_carrier() {
        let report = report(
            "of",
            &[
                (Member, None, "ff"),
                (Member, None, "oo"),
                (Cause, Some(1), "o"),
                (Context, Some(0), "f"),
                (Context, Some(2), "fo"),
            ],
        );
        let carried = report.carried(1);
        assert_eq!((carried.exception_type.as_str(), carried.traceback.len()), ("E1", 2));
        let chain: Vec<_> = carried
            .chain
            .iter()
            .map(|e| (e.exception_type.as_str(), e.relation, e.parent))
            .collect();
        let expected = [
            ("E2", Cause, None),
            ("E4", Context, Some(0)),
            ("builtins.Outer", Relation::Carrier, None),
        ];
        assert_eq!(chain, expected);
        let deeper = report.carried(4);
        let carriers: Vec<_> =
            deeper.chain.iter().map(|e| (e.exception_type.as_str(), e.parent)).collect();
        assert_eq!(carriers, [("E2", None), ("E1", Some(0)), ("builtins.Outer", Some(1))]);
    }

    #[test]
    fn carriers_of_a_fault_are_bounded_places_without_values() {
        let mut report = report("of", &[(Member, None, "o"), (Member, None, "o")]);
        let large = Frame {
            path: "f".into(),
            line: 7,
            locals: Some([("body".to_owned(), "x".repeat(4_000))].into()),
            before: vec!["x".repeat(2_000)],
            ..Frame::default()
        };
        report.traceback.extend(vec![large; 500]);
        let carried = report.carried(1);
        let carrier = carried.chain.last().expect("the group");
        assert_eq!((carrier.relation, carrier.traceback.len()), (Relation::Carrier, 100));
        let last = carrier.traceback.last().expect("a frame");
        assert_eq!((last.path.as_str(), last.line), ("f", 7));
        assert!(last.locals.is_none() && last.before.is_empty());
    }

    #[test]
    fn exception_of_another_process_keeps_the_local_facts() {
        let mut report = report("of", &[(Remote, None, "o")]);
        report.exception_message = "Outer('whole')".into();
        report.chain[0].exception_message = "Outer: cut".into();
        report.chain[0].exception_type = "Outer".into();
        let carried = report.carried(0);
        assert_eq!(carried.exception_type, "builtins.Outer");
        assert_eq!(carried.exception_message, "Outer('whole')");
        report.chain[0].exception_type = "ZeroDivisionError".into();
        assert_eq!(report.carried(0).exception_type, "ZeroDivisionError");
        assert_eq!(report.carried(0).exception_message, "Outer: cut");
    }
}
