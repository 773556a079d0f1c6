//! What `record_error` carries. Every field may be absent on the wire.
use std::collections::{BTreeMap, VecDeque};

use thrift::protocol::{
    TFieldIdentifier, TInputProtocol, TListIdentifier, TMapIdentifier, TOutputProtocol,
    TStructIdentifier, TType,
};

/// A report as 0.4.5 sends it, and the optional fields that came later.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordErrorRequest {
    /// Field 1, outermost first.
    pub traceback: Vec<StackLine>,
    /// Field 2, the `repr` of the exception.
    pub exception_message: Option<String>,
    /// Field 3.
    pub hostname: Option<String>,
    /// Field 4, overrides `report_error_threshold`.
    pub error_threshold: Option<i64>,
    /// Field 5, free text.
    pub additional_info: Option<String>,
    /// Field 6, occurrences since the client's last report of the same stack.
    pub error_count: Option<i64>,
    /// Field 7, full type path.
    pub exception_type: Option<String>,
    /// Field 8, since 0.5: the revision that runs, as the client names it.
    pub revision: Option<String>,
}

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
}

/// Of a longer traceback the middle is left out while it is read: an empty stack line is one
/// byte on the wire and a hundred in memory.
const MAX_OUTERMOST: usize = 1_000;
const MAX_INNERMOST: usize = 4_000;

impl RecordErrorRequest {
    pub(super) fn read(input: &mut dyn TInputProtocol) -> thrift::Result<Self> {
        let mut request = Self::default();
        read_struct(input, |input, id, field_type| {
            match (id, field_type) {
                (1, TType::List) => request.traceback = read_traceback(input)?,
                (2, TType::String) => request.exception_message = Some(read_text(input)?),
                (3, TType::String) => request.hostname = Some(read_text(input)?),
                (4, TType::I64) => request.error_threshold = Some(input.read_i64()?),
                (5, TType::String) => request.additional_info = Some(read_text(input)?),
                (6, TType::I64) => request.error_count = Some(input.read_i64()?),
                (7, TType::String) => request.exception_type = Some(read_text(input)?),
                (8, TType::String) => request.revision = Some(read_text(input)?),
                (_, other) => input.skip(other)?,
            }
            Ok(())
        })?;
        Ok(request)
    }

    pub(super) fn write(&self, output: &mut dyn TOutputProtocol) -> thrift::Result<()> {
        write_struct(output, "RecordErrorRequest", |output| {
            write_field(output, 1, TType::List, |output| {
                let size = i32::try_from(self.traceback.len()).unwrap_or(i32::MAX);
                output.write_list_begin(&TListIdentifier::new(TType::Struct, size))?;
                self.traceback.iter().try_for_each(|line| line.write(output))?;
                output.write_list_end()
            })?;
            write_text(output, 2, self.exception_message.as_deref())?;
            write_text(output, 3, self.hostname.as_deref())?;
            write_i64(output, 4, self.error_threshold)?;
            write_text(output, 5, self.additional_info.as_deref())?;
            write_i64(output, 6, self.error_count)?;
            write_text(output, 7, self.exception_type.as_deref())?;
            write_text(output, 8, self.revision.as_deref())
        })
    }
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
                (5, TType::Map) => line.frame_locals = read_locals(input)?,
                (_, other) => input.skip(other)?,
            }
            Ok(())
        })?;
        Ok(line)
    }

    fn write(&self, output: &mut dyn TOutputProtocol) -> thrift::Result<()> {
        write_struct(output, "StackLine", |output| {
            write_text(output, 1, self.filename.as_deref())?;
            write_i64(output, 2, self.line_number)?;
            write_text(output, 3, self.function_name.as_deref())?;
            write_text(output, 4, self.text.as_deref())?;
            let Some(locals) = &self.frame_locals else {
                return Ok(());
            };
            write_field(output, 5, TType::Map, |output| {
                let size = i32::try_from(locals.len()).unwrap_or(i32::MAX);
                let map = TMapIdentifier::new(TType::String, TType::String, size);
                output.write_map_begin(&map)?;
                for (name, value) in locals {
                    output.write_bytes(name.as_bytes())?;
                    output.write_bytes(value.as_bytes())?;
                }
                output.write_map_end()
            })
        })
    }
}

fn read_traceback(input: &mut dyn TInputProtocol) -> thrift::Result<Vec<StackLine>> {
    let list = input.read_list_begin()?;
    let mut outermost = Vec::new();
    let mut innermost = VecDeque::new();
    for _ in 0..list.size {
        match list.element_type {
            TType::Struct if outermost.len() < MAX_OUTERMOST => {
                outermost.push(StackLine::read(input)?);
            }
            TType::Struct => {
                if innermost.len() == MAX_INNERMOST {
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

fn read_locals(input: &mut dyn TInputProtocol) -> thrift::Result<Option<BTreeMap<String, String>>> {
    let map = input.read_map_begin()?;
    let mut locals = BTreeMap::new();
    let types = (map.key_type.unwrap_or(TType::String), map.value_type.unwrap_or(TType::String));
    for _ in 0..map.size {
        if types == (TType::String, TType::String) {
            let name = read_text(input)?;
            locals.insert(name, read_text(input)?);
        } else {
            input.skip(types.0)?;
            input.skip(types.1)?;
        }
    }
    input.read_map_end()?;
    Ok((types == (TType::String, TType::String)).then_some(locals))
}

/// A string; what is not UTF-8 in it becomes U+FFFD.
fn read_text(input: &mut dyn TInputProtocol) -> thrift::Result<String> {
    let bytes = input.read_bytes()?;
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

fn read_struct(
    input: &mut dyn TInputProtocol,
    mut field: impl FnMut(&mut dyn TInputProtocol, i16, TType) -> thrift::Result<()>,
) -> thrift::Result<()> {
    input.read_struct_begin()?;
    loop {
        let header = input.read_field_begin()?;
        if header.field_type == TType::Stop {
            break;
        }
        field(input, header.id.unwrap_or_default(), header.field_type)?;
        input.read_field_end()?;
    }
    input.read_struct_end()
}

pub(super) fn write_struct(
    output: &mut dyn TOutputProtocol,
    name: &str,
    fields: impl FnOnce(&mut dyn TOutputProtocol) -> thrift::Result<()>,
) -> thrift::Result<()> {
    output.write_struct_begin(&TStructIdentifier::new(name))?;
    fields(output)?;
    output.write_field_stop()?;
    output.write_struct_end()
}

pub(super) fn write_field(
    output: &mut dyn TOutputProtocol,
    id: i16,
    field_type: TType,
    value: impl FnOnce(&mut dyn TOutputProtocol) -> thrift::Result<()>,
) -> thrift::Result<()> {
    output.write_field_begin(&TFieldIdentifier::new("", field_type, id))?;
    value(output)?;
    output.write_field_end()
}

fn write_text(output: &mut dyn TOutputProtocol, id: i16, text: Option<&str>) -> thrift::Result<()> {
    let Some(text) = text else { return Ok(()) };
    write_field(output, id, TType::String, |output| output.write_bytes(text.as_bytes()))
}

fn write_i64(output: &mut dyn TOutputProtocol, id: i16, number: Option<i64>) -> thrift::Result<()> {
    let Some(number) = number else { return Ok(()) };
    write_field(output, id, TType::I64, |output| output.write_i64(number))
}
