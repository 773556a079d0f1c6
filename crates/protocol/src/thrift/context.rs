//! The context of an exception: named facts, and earlier events.
use std::collections::BTreeMap;

use thrift::protocol::{TInputProtocol, TOutputProtocol, TType};

use super::fields::{
    read_last, read_list, read_struct, read_text, read_text_map, write_i64, write_struct,
    write_text, write_values,
};

/// Facts under one name, since 0.5.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Field 1, e.g. `order`.
    pub name: Option<String>,
    /// Field 2, printed values by name.
    pub values: BTreeMap<String, String>,
}

/// An event before the exception, since 0.5.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breadcrumb {
    /// Field 1, milliseconds since 1970 in UTC.
    pub at: Option<i64>,
    /// Field 2, the kind of event, e.g. `query`.
    pub category: Option<String>,
    /// Field 3, e.g. `info`.
    pub level: Option<String>,
    /// Field 4, the event in words.
    pub message: Option<String>,
    /// Field 5, printed values by name.
    pub data: BTreeMap<String, String>,
}

/// Contexts that are read; further ones are skipped.
const MAX_CONTEXTS: usize = 20;
/// Values of a context, a breadcrumb, the user and the tags that are read; further ones are skipped.
pub(super) const MAX_VALUES: usize = 50;
/// Breadcrumbs that are read: the last ones.
const MAX_BREADCRUMBS: usize = 100;

impl Context {
    fn read(input: &mut dyn TInputProtocol) -> thrift::Result<Self> {
        let mut context = Self::default();
        read_struct(input, |input, id, field_type| {
            match (id, field_type) {
                (1, TType::String) => context.name = Some(read_text(input)?),
                (2, TType::Map) => {
                    context.values = read_text_map(input, MAX_VALUES)?.unwrap_or_default();
                }
                (_, other) => input.skip(other)?,
            }
            Ok(())
        })?;
        Ok(context)
    }

    pub(super) fn write(&self, output: &mut dyn TOutputProtocol) -> thrift::Result<()> {
        write_struct(output, "Context", |output| {
            write_text(output, 1, self.name.as_deref())?;
            write_values(output, 2, &self.values)
        })
    }
}

impl Breadcrumb {
    fn read(input: &mut dyn TInputProtocol) -> thrift::Result<Self> {
        let mut breadcrumb = Self::default();
        read_struct(input, |input, id, field_type| {
            match (id, field_type) {
                (1, TType::I64) => breadcrumb.at = Some(input.read_i64()?),
                (2, TType::String) => breadcrumb.category = Some(read_text(input)?),
                (3, TType::String) => breadcrumb.level = Some(read_text(input)?),
                (4, TType::String) => breadcrumb.message = Some(read_text(input)?),
                (5, TType::Map) => {
                    breadcrumb.data = read_text_map(input, MAX_VALUES)?.unwrap_or_default();
                }
                (_, other) => input.skip(other)?,
            }
            Ok(())
        })?;
        Ok(breadcrumb)
    }

    pub(super) fn write(&self, output: &mut dyn TOutputProtocol) -> thrift::Result<()> {
        write_struct(output, "Breadcrumb", |output| {
            write_i64(output, 1, self.at)?;
            write_text(output, 2, self.category.as_deref())?;
            write_text(output, 3, self.level.as_deref())?;
            write_text(output, 4, self.message.as_deref())?;
            write_values(output, 5, &self.data)
        })
    }
}

pub(super) fn read_contexts(input: &mut dyn TInputProtocol) -> thrift::Result<Vec<Context>> {
    read_list(input, TType::Struct, MAX_CONTEXTS, |input, _| Context::read(input))
}

pub(super) fn read_breadcrumbs(input: &mut dyn TInputProtocol) -> thrift::Result<Vec<Breadcrumb>> {
    read_last(input, TType::Struct, MAX_BREADCRUMBS, Breadcrumb::read)
}
