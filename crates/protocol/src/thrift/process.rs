//! The process that raised the exception.
use std::collections::BTreeMap;

use thrift::protocol::{TInputProtocol, TOutputProtocol, TType};

use super::fields::{
    read_struct, read_text, read_text_map, read_texts, write_struct, write_text, write_texts,
    write_values,
};

/// A process as the client describes it, since 0.5.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Process {
    /// Field 1, e.g. `CPython 3.13.0 on Linux x86_64`.
    pub runtime: Option<String>,
    /// Field 2, the command line.
    pub arguments: Vec<String>,
    /// Field 3, the identity of the modules: a hash of field 4.
    pub modules_id: Option<String>,
    /// Field 4, versions by name. A client sends them until a server has taken them once, and then
    /// only field 3.
    pub modules: BTreeMap<String, String>,
}

/// Words of the command line that are read; further ones are skipped.
const MAX_ARGUMENTS: usize = 50;
/// Modules that are read; further ones are skipped.
const MAX_MODULES: usize = 1_000;

impl Process {
    pub(super) fn read(input: &mut dyn TInputProtocol) -> thrift::Result<Self> {
        let mut process = Self::default();
        read_struct(input, |input, id, field_type| {
            match (id, field_type) {
                (1, TType::String) => process.runtime = Some(read_text(input)?),
                (2, TType::List) => process.arguments = read_texts(input, MAX_ARGUMENTS)?,
                (3, TType::String) => process.modules_id = Some(read_text(input)?),
                (4, TType::Map) => {
                    process.modules = read_text_map(input, MAX_MODULES)?.unwrap_or_default();
                }
                (_, other) => input.skip(other)?,
            }
            Ok(())
        })?;
        Ok(process)
    }

    pub(super) fn write(&self, output: &mut dyn TOutputProtocol) -> thrift::Result<()> {
        write_struct(output, "Process", |output| {
            write_text(output, 1, self.runtime.as_deref())?;
            write_texts(output, 2, &self.arguments)?;
            write_text(output, 3, self.modules_id.as_deref())?;
            write_values(output, 4, &self.modules)
        })
    }
}
