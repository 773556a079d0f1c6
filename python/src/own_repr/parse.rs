//! Parses the source of a function into a recipe that can be followed.
use flawless_client::SourceFile;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};

use super::expression::{Comparison, Conversion, Expression, Operator, Part, Recipe, Statement};
use crate::passive;
use crate::raw;
use crate::statics::{known, name};

/// A longer function is not parsed.
const MOST_LINES: u32 = 60;
/// `ast.PyCF_ONLY_AST`.
const ONLY_TREE: i32 = 0x400;
/// Nesting limit of expressions.
const DEPTH: usize = 20;

/// The recipe of a code object's function.
pub(super) fn recipe(code: &Bound<'_, PyAny>, source: &SourceFile) -> Option<Recipe> {
    let py = code.py();
    let first = code.getattr(name!(py, "co_firstlineno")).ok()?.extract().ok()?;
    let text = block(source, first)?;
    let compile = known!("builtins", "compile").get(py).ok()?;
    let arguments = (text, "<unknown>", "exec", ONLY_TREE).into_pyobject(py).ok()?;
    let module = raw::ask(compile, &arguments)?;
    let first_of = |node| nodes(node, name!(py, "body")).into_iter().next();
    let mut function = first_of(&module)?;
    if kind(&function) == "If" {
        function = first_of(&function)?;
    }
    let name = function.getattr(name!(py, "name")).ok()?;
    let same_name = name.eq(code.getattr(name!(py, "co_name")).ok()?).ok()?;
    if kind(&function) != "FunctionDef" || !same_name {
        return None;
    }
    let arguments = function.getattr(name!(py, "args")).ok()?;
    let has =
        |part: &Bound<'_, PyString>| arguments.getattr(part).is_ok_and(|part| !part.is_none());
    let only_plain = nodes(&arguments, name!(py, "kwonlyargs")).is_empty()
        && !has(name!(py, "vararg"))
        && !has(name!(py, "kwarg"));
    if !only_plain {
        return None;
    }
    let parameters = nodes(&arguments, name!(py, "posonlyargs"))
        .into_iter()
        .chain(nodes(&arguments, name!(py, "args")))
        .map(|parameter| identifier(&parameter, name!(py, "arg")))
        .collect::<Option<_>>()?;
    Some(Recipe { parameters, body: statements(&function, name!(py, "body")) })
}

/// The lines of a function, including decorators before `def`.
fn block(source: &SourceFile, first: u32) -> Option<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let outer = indent(source.line(first)?);
    // An indented function is wrapped in this; its lines stay unchanged, because a string may span
    // them.
    let mut text = if outer > 0 { "if 1:\n".to_owned() } else { String::new() };
    let mut is_in_body = false;
    for number in first..first.saturating_add(MOST_LINES) {
        let Some(line) = source.line(number) else { break };
        let trimmed = line.trim();
        if is_in_body && !trimmed.is_empty() && indent(line) <= outer {
            // The end of a multi-line signature is below its beginning.
            if !trimmed.starts_with(')') {
                break;
            }
        }
        is_in_body |= trimmed.starts_with("def ");
        text.push_str(line);
        text.push('\n');
    }
    // Compiling any of these would warn again, through the program's replacement of `showwarning`.
    let is_quiet =
        !text.contains("finally") && !has_odd_escape(&text) && !has_word_after_number(&text);
    is_quiet.then_some(text)
}

/// Whether a backslash precedes an unknown escape or an octal number that is too large.
fn has_odd_escape(text: &str) -> bool {
    let mut rest = text.bytes().peekable();
    while let Some(byte) = rest.next() {
        if byte == b'\\' {
            match rest.next() {
                Some(b'4'..=b'7') if matches!(rest.peek(), Some(b'0'..=b'7')) => return true,
                Some(next) if b"\n\\'\"abfnrtvxNuU01234567".contains(&next) => {}
                _ => return true,
            }
        }
    }
    false
}

/// Whether a word follows a number without a space: `1if x else 2`.
fn has_word_after_number(text: &str) -> bool {
    let words = ["and", "else", "for", "if", "in", "is", "not", "or"];
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| {
        word.starts_with(|c: char| c.is_ascii_digit())
            && words.iter().any(|other| word.ends_with(other))
    })
}

fn kind(node: &Bound<'_, PyAny>) -> String {
    passive::own_name(&node.get_type()).unwrap_or_default()
}

fn nodes<'py>(node: &Bound<'py, PyAny>, part: &Bound<'py, PyString>) -> Vec<Bound<'py, PyAny>> {
    let found = node.getattr(part).ok().and_then(|found| found.cast_into::<PyList>().ok());
    found.map(|found| found.iter().collect()).unwrap_or_default()
}

fn identifier(node: &Bound<'_, PyAny>, part: &Bound<'_, PyString>) -> Option<String> {
    node.getattr(part).ok()?.extract().ok()
}

fn statements(node: &Bound<'_, PyAny>, part: &Bound<'_, PyString>) -> Vec<Statement> {
    nodes(node, part).iter().map(|node| statement(node).unwrap_or(Statement::Unknown)).collect()
}

fn statement(node: &Bound<'_, PyAny>) -> Option<Statement> {
    let py = node.py();
    let value = || node.getattr(name!(py, "value")).ok();
    Some(match kind(node).as_str() {
        "Return" => Statement::Return(expression(&value()?, 0)),
        "Pass" => Statement::Nothing,
        "Expr" if kind(&value()?) == "Constant" => Statement::Nothing,
        "Assign" => {
            let targets = nodes(node, name!(py, "targets"));
            let [target] = &targets[..] else { return None };
            if kind(target) != "Name" {
                return None;
            }
            Statement::Assign(identifier(target, name!(py, "id"))?, expression(&value()?, 0))
        }
        "If" => Statement::If {
            test: expression(&node.getattr(name!(py, "test")).ok()?, 0),
            yes: statements(node, name!(py, "body")),
            no: statements(node, name!(py, "orelse")),
        },
        "While" if nodes(node, name!(py, "orelse")).is_empty() => Statement::While {
            test: expression(&node.getattr(name!(py, "test")).ok()?, 0),
            body: statements(node, name!(py, "body")),
        },
        _ => return None,
    })
}

fn expression(node: &Bound<'_, PyAny>, depth: usize) -> Expression {
    if depth > DEPTH {
        return Expression::Unknown;
    }
    known_expression(node, depth + 1).unwrap_or(Expression::Unknown)
}

fn known_expression(node: &Bound<'_, PyAny>, depth: usize) -> Option<Expression> {
    let py = node.py();
    let part =
        |name: &Bound<'_, PyString>| Some(Box::new(expression(&node.getattr(name).ok()?, depth)));
    let optional = |name: &Bound<'_, PyString>| {
        let node = node.getattr(name).ok().filter(|node| !node.is_none())?;
        Some(Box::new(expression(&node, depth)))
    };
    let parts = |name: &Bound<'_, PyString>| {
        nodes(node, name).iter().map(|node| expression(node, depth)).collect::<Vec<_>>()
    };
    let is_set = |name: &Bound<'_, PyString>| node.getattr(name).is_ok_and(|part| !part.is_none());
    Some(match kind(node).as_str() {
        "Constant" => Expression::Constant(node.getattr(name!(py, "value")).ok()?.unbind()),
        "Name" => Expression::Name(identifier(node, name!(py, "id"))?),
        "Attribute" => {
            let attribute = node.getattr(name!(py, "attr")).ok()?.cast_into::<PyString>().ok()?;
            Expression::Attribute(part(name!(py, "value"))?, attribute.unbind())
        }
        "JoinedStr" => {
            let values = nodes(node, name!(py, "values"));
            Expression::Text(
                values.iter().map(|node| text_part(node, depth)).collect::<Option<_>>()?,
            )
        }
        "Call" => {
            let mut named = Vec::new();
            for keyword in nodes(node, name!(py, "keywords")) {
                let name = identifier(&keyword, name!(py, "arg"))?;
                named.push((name, expression(&keyword.getattr(name!(py, "value")).ok()?, depth)));
            }
            let arguments = parts(name!(py, "args"));
            Expression::Call { function: part(name!(py, "func"))?, arguments, named }
        }
        "BinOp" => {
            let operator = match kind(&node.getattr(name!(py, "op")).ok()?).as_str() {
                "Mod" => Operator::Modulo,
                "Add" => Operator::Add,
                "Sub" => Operator::Subtract,
                "Mult" => Operator::Multiply,
                "Div" => Operator::Divide,
                "FloorDiv" => Operator::DivideWhole,
                _ => return None,
            };
            Expression::Binary(part(name!(py, "left"))?, operator, part(name!(py, "right"))?)
        }
        "Compare" => {
            let operators = nodes(node, name!(py, "ops"));
            let [operator] = &operators[..] else { return None };
            let right = nodes(node, name!(py, "comparators")).into_iter().next()?;
            let right = Box::new(expression(&right, depth));
            Expression::Compare(part(name!(py, "left"))?, comparison(&kind(operator))?, right)
        }
        "BoolOp" => {
            let is_and = kind(&node.getattr(name!(py, "op")).ok()?) == "And";
            Expression::Chain(is_and, parts(name!(py, "values")))
        }
        "UnaryOp" if kind(&node.getattr(name!(py, "op")).ok()?) == "Not" => {
            Expression::Not(part(name!(py, "operand"))?)
        }
        "IfExp" => Expression::Choose {
            test: part(name!(py, "test"))?,
            yes: part(name!(py, "body"))?,
            no: part(name!(py, "orelse"))?,
        },
        "Subscript" => Expression::Item(part(name!(py, "value"))?, part(name!(py, "slice"))?),
        "Slice" if !is_set(name!(py, "step")) => {
            Expression::Slice(optional(name!(py, "lower")), optional(name!(py, "upper")))
        }
        "Tuple" => Expression::Tuple(parts(name!(py, "elts"))),
        "Dict" => {
            let (keys, values) = (parts(name!(py, "keys")), parts(name!(py, "values")));
            Expression::Dict(keys.into_iter().zip(values).collect())
        }
        _ => return None,
    })
}

fn comparison(operator: &str) -> Option<Comparison> {
    Some(match operator {
        "Is" => Comparison::Is,
        "IsNot" => Comparison::IsNot,
        "Eq" => Comparison::Equal,
        "NotEq" => Comparison::NotEqual,
        "Lt" => Comparison::Less,
        "LtE" => Comparison::LessOrEqual,
        "Gt" => Comparison::Greater,
        "GtE" => Comparison::GreaterOrEqual,
        "In" => Comparison::In,
        "NotIn" => Comparison::NotIn,
        _ => return None,
    })
}

fn text_part(node: &Bound<'_, PyAny>, depth: usize) -> Option<Part> {
    let py = node.py();
    let value = node.getattr(name!(py, "value")).ok()?;
    if kind(node) == "Constant" {
        return Some(Part::Literal(value.extract().ok()?));
    }
    let conversion = match node.getattr(name!(py, "conversion")).ok()?.extract::<i32>().ok()? {
        -1 => Conversion::Plain,
        115 => Conversion::Str,
        114 => Conversion::Repr,
        _ => return None,
    };
    let spec = node.getattr(name!(py, "format_spec")).ok().filter(|spec| !spec.is_none());
    let spec = spec.map(|spec| expression(&spec, depth));
    Some(Part::Value { value: expression(&value, depth), conversion, spec })
}
