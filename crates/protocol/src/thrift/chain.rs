//! The causes, contexts and group members of an exception.
use thrift::protocol::{TInputProtocol, TOutputProtocol, TType};

use super::fields::{
    read_list, read_struct, read_text, read_texts, write_i64, write_struct, write_structs,
    write_text, write_texts,
};
use super::stack_line::{Kept, StackLine, read_traceback};

/// An exception other than the main one, since 0.5.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChainedException {
    /// Field 1, full type path.
    pub exception_type: Option<String>,
    /// Field 2, the `repr` of the exception.
    pub exception_message: Option<String>,
    /// Field 3: `cause`, `context`, or `member` of an exception group.
    pub relation: Option<String>,
    /// Field 4: index in the chain of the exception it belongs to; absent for the main one. An
    /// index that is not smaller than its own counts as absent.
    pub parent: Option<i64>,
    /// Field 5, outermost first.
    pub traceback: Vec<StackLine>,
    /// Field 6, the notes that were added to it.
    pub notes: Vec<String>,
}

/// Exceptions that are read; further ones are skipped.
const MAX_EXCEPTIONS: usize = 50;
/// Notes of one exception that are read; further ones are skipped.
pub(super) const MAX_NOTES: usize = 50;
/// Fifty long tracebacks must not take fifty times the limit of one.
const KEPT: Kept = Kept { outermost: 20, innermost: 80 };

impl ChainedException {
    fn read(input: &mut dyn TInputProtocol, index: usize) -> thrift::Result<Self> {
        let mut exception = Self::default();
        read_struct(input, |input, id, field_type| {
            match (id, field_type) {
                (1, TType::String) => exception.exception_type = Some(read_text(input)?),
                (2, TType::String) => exception.exception_message = Some(read_text(input)?),
                (3, TType::String) => exception.relation = Some(read_text(input)?),
                (4, TType::I64) => exception.parent = Some(input.read_i64()?),
                (5, TType::List) => exception.traceback = read_traceback(input, KEPT)?,
                (6, TType::List) => exception.notes = read_texts(input, MAX_NOTES)?,
                (_, other) => input.skip(other)?,
            }
            Ok(())
        })?;
        let is_before = |parent: &i64| usize::try_from(*parent).is_ok_and(|parent| parent < index);
        exception.parent = exception.parent.filter(is_before);
        Ok(exception)
    }

    pub(super) fn write(&self, output: &mut dyn TOutputProtocol) -> thrift::Result<()> {
        write_struct(output, "ChainedException", |output| {
            write_text(output, 1, self.exception_type.as_deref())?;
            write_text(output, 2, self.exception_message.as_deref())?;
            write_text(output, 3, self.relation.as_deref())?;
            write_i64(output, 4, self.parent)?;
            write_structs(output, 5, &self.traceback, StackLine::write)?;
            write_texts(output, 6, &self.notes)
        })
    }
}

pub(super) fn read_chain(input: &mut dyn TInputProtocol) -> thrift::Result<Vec<ChainedException>> {
    read_list(input, TType::Struct, MAX_EXCEPTIONS, ChainedException::read)
}
