//! One line of the stack, and a list of them.
use std::collections::{BTreeMap, VecDeque};

use thrift::protocol::{TInputProtocol, TOutputProtocol, TType};

use super::fields::{
    read_last_texts, read_struct, read_text, read_text_map, read_texts, write_i64, write_struct,
    write_text, write_text_map, write_texts,
};

/// One line of the stack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StackLine {
    /// Field 1, absolute.
    pub filename: Option<String>,
    /// Field 2.
    pub line_number: Option<i64>,
    /// Field 3.
    pub function_name: Option<String>,
    /// Field 4, the source line.
    pub text: Option<String>,
    /// Field 5, printed values by name; absent for frames whose locals were not captured.
    pub frame_locals: Option<BTreeMap<String, String>>,
    /// Field 6, since 0.5: the source lines before `text`, nearest last.
    pub before: Vec<String>,
    /// Field 7, since 0.5: the source lines after `text`, nearest first.
    pub after: Vec<String>,
}

/// Context lines that are read on each side, nearest first; further ones are skipped.
const MAX_CONTEXT: usize = 10;
/// Local variables of one line that are read: the first by name.
const MAX_LOCALS: usize = 200;

/// How much of a long traceback is kept while it is read; its middle is dropped. An empty stack
/// line is one byte on the wire and two hundred in memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    pub(super) outermost: usize,
    pub(super) innermost: usize,
}

impl StackLine {
    fn read(input: &mut dyn TInputProtocol) -> thrift::Result<Self> {
        let mut line = Self::default();
        read_struct(input, |input, id, field_type| {
            match (id, field_type) {
                (1, TType::String) => line.filename = Some(read_text(input)?),
                (2, TType::I64) => line.line_number = Some(input.read_i64()?),
                (3, TType::String) => line.function_name = Some(read_text(input)?),
                (4, TType::String) => line.text = Some(read_text(input)?),
                (5, TType::Map) => line.frame_locals = read_text_map(input, MAX_LOCALS)?,
                (6, TType::List) => line.before = read_last_texts(input, MAX_CONTEXT)?,
                (7, TType::List) => line.after = read_texts(input, MAX_CONTEXT)?,
                (_, other) => input.skip(other)?,
            }
            Ok(())
        })?;
        Ok(line)
    }

    pub(super) fn write(&self, output: &mut dyn TOutputProtocol) -> thrift::Result<()> {
        write_struct(output, "StackLine", |output| {
            write_text(output, 1, self.filename.as_deref())?;
            write_i64(output, 2, self.line_number)?;
            write_text(output, 3, self.function_name.as_deref())?;
            write_text(output, 4, self.text.as_deref())?;
            if let Some(locals) = &self.frame_locals {
                write_text_map(output, 5, locals)?;
            }
            write_texts(output, 6, &self.before)?;
            write_texts(output, 7, &self.after)
        })
    }
}

pub(super) fn read_traceback(
    input: &mut dyn TInputProtocol,
    kept: Kept,
) -> thrift::Result<Vec<StackLine>> {
    let list = input.read_list_begin()?;
    let mut outermost = Vec::new();
    let mut innermost = VecDeque::new();
    for _ in 0..list.size {
        match list.element_type {
            TType::Struct if outermost.len() < kept.outermost => {
                outermost.push(StackLine::read(input)?);
            }
            TType::Struct => {
                if innermost.len() == kept.innermost {
                    innermost.pop_front();
                }
                innermost.push_back(StackLine::read(input)?);
            }
            other => input.skip(other)?,
        }
    }
    input.read_list_end()?;
    outermost.extend(innermost);
    Ok(outermost)
}
