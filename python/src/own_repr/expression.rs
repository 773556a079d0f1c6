//! The statements and expressions of a function, as far as they can be followed.
use pyo3::prelude::*;
use pyo3::types::PyString;

/// The steps of a function.
#[derive(Debug)]
pub(crate) struct Recipe {
    /// Names of its positional parameters.
    pub(super) parameters: Vec<String>,
    pub(super) body: Vec<Statement>,
}

#[derive(Debug)]
pub(super) enum Statement {
    Assign(String, Expression),
    If {
        test: Expression,
        yes: Vec<Statement>,
        no: Vec<Statement>,
    },
    While {
        test: Expression,
        body: Vec<Statement>,
    },
    Return(Expression),
    /// A docstring, `pass`.
    Nothing,
    /// Anything that may do more than read.
    Unknown,
}

#[derive(Debug)]
pub(super) enum Expression {
    Constant(Py<PyAny>),
    Name(String),
    Attribute(Box<Expression>, Py<PyString>),
    /// An f-string.
    Text(Vec<Part>),
    Call {
        function: Box<Expression>,
        arguments: Vec<Expression>,
        named: Vec<(String, Expression)>,
    },
    Binary(Box<Expression>, Operator, Box<Expression>),
    Compare(Box<Expression>, Comparison, Box<Expression>),
    /// `and` (true) or `or`.
    Chain(bool, Vec<Expression>),
    Not(Box<Expression>),
    Choose {
        test: Box<Expression>,
        yes: Box<Expression>,
        no: Box<Expression>,
    },
    Item(Box<Expression>, Box<Expression>),
    Slice(Option<Box<Expression>>, Option<Box<Expression>>),
    Tuple(Vec<Expression>),
    Dict(Vec<(Expression, Expression)>),
    Unknown,
}

#[derive(Debug)]
pub(super) enum Part {
    Literal(String),
    Value { value: Expression, conversion: Conversion, spec: Option<Expression> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conversion {
    /// Formatted as by `format`.
    Plain,
    Str,
    Repr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Modulo,
    Add,
    Subtract,
    Multiply,
    Divide,
    DivideWhole,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Is,
    IsNot,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}
