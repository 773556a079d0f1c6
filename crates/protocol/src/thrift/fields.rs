//! Structs, texts, lists and maps on the wire, shared by all messages.
use std::collections::{BTreeMap, VecDeque};

use thrift::protocol::{
    TFieldIdentifier, TInputProtocol, TListIdentifier, TMapIdentifier, TOutputProtocol,
    TStructIdentifier, TType,
};

/// Reads a string; invalid UTF-8 becomes U+FFFD.
pub(super) fn read_text(input: &mut dyn TInputProtocol) -> thrift::Result<String> {
    let bytes = input.read_bytes()?;
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// Reads a list of strings and keeps the first `most`.
pub(super) fn read_texts(
    input: &mut dyn TInputProtocol,
    most: usize,
) -> thrift::Result<Vec<String>> {
    read_list(input, TType::String, most, |input, _| read_text(input))
}

/// Reads a list of strings and keeps the last `most`.
pub(super) fn read_last_texts(
    input: &mut dyn TInputProtocol,
    most: usize,
) -> thrift::Result<Vec<String>> {
    read_last(input, TType::String, most, read_text)
}

/// Reads a list and keeps the last `most` elements; skips all if they are of another type.
pub(super) fn read_last<T>(
    input: &mut dyn TInputProtocol,
    wanted: TType,
    most: usize,
    element: impl Fn(&mut dyn TInputProtocol) -> thrift::Result<T>,
) -> thrift::Result<Vec<T>> {
    let list = input.read_list_begin()?;
    let mut kept = VecDeque::new();
    for _ in 0..list.size {
        if list.element_type != wanted {
            input.skip(list.element_type)?;
            continue;
        }
        if kept.len() == most {
            kept.pop_front();
        }
        kept.push_back(element(input)?);
    }
    input.read_list_end()?;
    Ok(kept.into())
}

/// Reads a list, keeps the first `most` elements and skips the others; skips all if they are of
/// another type. `element` gets its index.
pub(super) fn read_list<T>(
    input: &mut dyn TInputProtocol,
    wanted: TType,
    most: usize,
    mut element: impl FnMut(&mut dyn TInputProtocol, usize) -> thrift::Result<T>,
) -> thrift::Result<Vec<T>> {
    let list = input.read_list_begin()?;
    let mut kept = Vec::new();
    for _ in 0..list.size {
        if list.element_type == wanted && kept.len() < most {
            let index = kept.len();
            kept.push(element(input, index)?);
        } else {
            input.skip(list.element_type)?;
        }
    }
    input.read_list_end()?;
    Ok(kept)
}

/// Reads a map of strings and keeps the first `most` names in sorted order, wherever they occur;
/// `None` when it is another kind of map.
pub(super) fn read_text_map(
    input: &mut dyn TInputProtocol,
    most: usize,
) -> thrift::Result<Option<BTreeMap<String, String>>> {
    let map = input.read_map_begin()?;
    let mut kept = BTreeMap::new();
    let types = (map.key_type.unwrap_or(TType::String), map.value_type.unwrap_or(TType::String));
    let is_text = types == (TType::String, TType::String);
    for _ in 0..map.size {
        if is_text {
            let name = read_text(input)?;
            kept.insert(name, read_text(input)?);
            if kept.len() > most {
                kept.pop_last();
            }
        } else {
            input.skip(types.0)?;
            input.skip(types.1)?;
        }
    }
    input.read_map_end()?;
    Ok(is_text.then_some(kept))
}

pub(super) fn read_struct(
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

pub(super) fn write_text(
    output: &mut dyn TOutputProtocol,
    id: i16,
    text: Option<&str>,
) -> thrift::Result<()> {
    let Some(text) = text else { return Ok(()) };
    write_field(output, id, TType::String, |output| output.write_bytes(text.as_bytes()))
}

pub(super) fn write_i64(
    output: &mut dyn TOutputProtocol,
    id: i16,
    number: Option<i64>,
) -> thrift::Result<()> {
    let Some(number) = number else { return Ok(()) };
    write_field(output, id, TType::I64, |output| output.write_i64(number))
}

pub(super) fn write_bool(
    output: &mut dyn TOutputProtocol,
    id: i16,
    truth: Option<bool>,
) -> thrift::Result<()> {
    let Some(truth) = truth else { return Ok(()) };
    write_field(output, id, TType::Bool, |output| output.write_bool(truth))
}

/// Writes a list of structs, even when it is empty.
pub(super) fn write_structs<T>(
    output: &mut dyn TOutputProtocol,
    id: i16,
    elements: &[T],
    element: impl Fn(&T, &mut dyn TOutputProtocol) -> thrift::Result<()>,
) -> thrift::Result<()> {
    write_field(output, id, TType::List, |output| {
        output.write_list_begin(&TListIdentifier::new(TType::Struct, size(elements.len())))?;
        elements.iter().try_for_each(|each| element(each, output))?;
        output.write_list_end()
    })
}

/// Writes a list of strings; absent when it is empty.
pub(super) fn write_texts(
    output: &mut dyn TOutputProtocol,
    id: i16,
    texts: &[String],
) -> thrift::Result<()> {
    if texts.is_empty() {
        return Ok(());
    }
    write_field(output, id, TType::List, |output| {
        output.write_list_begin(&TListIdentifier::new(TType::String, size(texts.len())))?;
        texts.iter().try_for_each(|text| output.write_bytes(text.as_bytes()))?;
        output.write_list_end()
    })
}

/// Writes a map of strings; absent when it is empty.
pub(super) fn write_values(
    output: &mut dyn TOutputProtocol,
    id: i16,
    map: &BTreeMap<String, String>,
) -> thrift::Result<()> {
    if map.is_empty() { Ok(()) } else { write_text_map(output, id, map) }
}

/// Writes a map of strings, even when it is empty.
pub(super) fn write_text_map(
    output: &mut dyn TOutputProtocol,
    id: i16,
    map: &BTreeMap<String, String>,
) -> thrift::Result<()> {
    write_field(output, id, TType::Map, |output| {
        let types = TMapIdentifier::new(TType::String, TType::String, size(map.len()));
        output.write_map_begin(&types)?;
        for (name, value) in map {
            output.write_bytes(name.as_bytes())?;
            output.write_bytes(value.as_bytes())?;
        }
        output.write_map_end()
    })
}

fn size(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}
