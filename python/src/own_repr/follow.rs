//! Follows a function with the objects it is given. Anything that might run code of the program,
//! wait, or change something ends it.
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyString, PyTuple, PyType};

use super::expression::{Expression, Statement};
use super::recipe_of;
use super::variables::Call;
use crate::kinds::{self, type_info};
use crate::passive::{self, attribute_among, class_attribute, is_function};
use crate::print::Bounds;
use crate::raw;

/// The result cannot be determined without running the function.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unknown;

pub(super) type Followed<T> = Result<T, Unknown>;
pub(super) type Object<'py> = Bound<'py, PyAny>;

/// Nesting limit of calls.
const DEPTH: usize = 8;

/// Follows functions within the bounds of the value that is printed.
pub(crate) struct Follow<'a, 'b> {
    pub(super) bounds: &'b mut Bounds<'a>,
    depth: usize,
    /// The text being built contains something that may differ from the program's own text, or is
    /// cut.
    pub(super) is_rough: bool,
    /// The texts made of such parts. They can be shown, but not counted, cut or compared.
    rough: Vec<Py<PyAny>>,
}

impl<'a, 'b> Follow<'a, 'b> {
    pub(crate) fn new(bounds: &'b mut Bounds<'a>) -> Self {
        Self { bounds, depth: 0, is_rough: false, rough: Vec::new() }
    }

    /// The result of a method of an object's class, such as `__repr__`, if it is a text.
    pub(crate) fn text_by<'py>(
        &mut self,
        object: &Object<'py>,
        method: &Bound<'py, PyString>,
    ) -> Result<Bound<'py, PyString>, Unknown> {
        let (_, function) = class_attribute(&object.get_type(), method).ok_or(Unknown)?;
        let text = self.run(&function, vec![object.clone()])?;
        text.cast_into::<PyString>().map_err(|_| Unknown)
    }

    pub(super) fn run<'py>(
        &mut self,
        function: &Object<'py>,
        arguments: Vec<Object<'py>>,
    ) -> Followed<Object<'py>> {
        if !is_function(function) || self.depth >= DEPTH {
            return Err(Unknown);
        }
        let recipe = recipe_of(function).ok_or(Unknown)?;
        let mut call = Call::new(function, &recipe, arguments)?;
        self.depth += 1;
        let answer = self.statements(&mut call, &recipe.body);
        self.depth -= 1;
        Ok(answer?.unwrap_or_else(|| function.py().None().into_bound(function.py())))
    }

    fn statements<'py>(
        &mut self,
        call: &mut Call<'_, 'py>,
        statements: &[Statement],
    ) -> Followed<Option<Object<'py>>> {
        for statement in statements {
            match statement {
                Statement::Nothing => {}
                Statement::Unknown => return Err(Unknown),
                Statement::Return(value) => return Ok(Some(self.expression(call, value)?)),
                Statement::Assign(name, value) => {
                    let value = self.expression(call, value)?;
                    call.locals.retain(|(other, _)| other != name);
                    call.locals.push((name.clone(), value));
                }
                // The step limit ends an endless loop.
                Statement::While { test, body } => loop {
                    let test = self.expression(call, test)?;
                    if !self.truth(&test)? {
                        break;
                    }
                    let answer = self.statements(call, body)?;
                    if answer.is_some() {
                        return Ok(answer);
                    }
                },
                Statement::If { test, yes, no } => {
                    let test = self.expression(call, test)?;
                    let branch = if self.truth(&test)? { yes } else { no };
                    let answer = self.statements(call, branch)?;
                    if answer.is_some() {
                        return Ok(answer);
                    }
                }
            }
        }
        Ok(None)
    }

    pub(super) fn expression<'py>(
        &mut self,
        call: &Call<'_, 'py>,
        expression: &Expression,
    ) -> Followed<Object<'py>> {
        let value = self.evaluated(call, expression)?;
        let is_made = matches!(
            expression,
            Expression::Text(_) | Expression::Call { .. } | Expression::Binary(..)
        );
        if is_made && self.is_rough && value.is_exact_instance_of::<PyString>() {
            self.rough.push(value.clone().unbind());
        }
        Ok(value)
    }

    /// Fails for a rough text, whose content must not be examined.
    pub(super) fn is_certain(&self, value: &Object<'_>) -> Followed<()> {
        match self.rough.iter().any(|rough| rough.is(value)) {
            true => Err(Unknown),
            false => Ok(()),
        }
    }

    fn evaluated<'py>(
        &mut self,
        call: &Call<'_, 'py>,
        expression: &Expression,
    ) -> Followed<Object<'py>> {
        let py = call.function.py();
        self.bounds.step(py).ok_or(Unknown)?;
        match expression {
            Expression::Unknown => Err(Unknown),
            Expression::Constant(value) => Ok(value.bind(py).clone()),
            Expression::Name(name) => call.variable(name)?.ok_or(Unknown),
            Expression::Attribute(object, name) => {
                let object = self.expression(call, object)?;
                self.attribute(&object, &call.mangled(name.bind(py))?)?.ok_or(Unknown)
            }
            Expression::Text(parts) => self.joined(call, parts),
            Expression::Call { function, arguments, named } => {
                self.call(call, function, arguments, named)
            }
            Expression::Binary(left, operator, right) => {
                let left = self.expression(call, left)?;
                let right = self.expression(call, right)?;
                self.binary(&left, *operator, &right)
            }
            Expression::Compare(left, comparison, right) => {
                let left = self.expression(call, left)?;
                let right = self.expression(call, right)?;
                self.compare(&left, *comparison, &right)
            }
            Expression::Chain(is_and, parts) => {
                let mut last = Err(Unknown);
                for part in parts {
                    let value = self.expression(call, part)?;
                    let is_last = self.truth(&value)? != *is_and;
                    last = Ok(value);
                    if is_last {
                        break;
                    }
                }
                last
            }
            Expression::Not(value) => {
                let value = self.expression(call, value)?;
                super::operators::truth_object(py, !self.truth(&value)?)
            }
            Expression::Choose { test, yes, no } => {
                let test = self.expression(call, test)?;
                let branch = if self.truth(&test)? { yes } else { no };
                self.expression(call, branch)
            }
            Expression::Item(value, index) => {
                let value = self.expression(call, value)?;
                if let Expression::Slice(from, to) = &**index {
                    let mut end = |end: &Option<Box<Expression>>| {
                        end.as_ref().map(|end| self.expression(call, end)).transpose()
                    };
                    let (from, to) = (end(from)?, end(to)?);
                    return self.slice(&value, from, to);
                }
                let index = self.expression(call, index)?;
                self.item(&value, &index)
            }
            Expression::Slice(..) => Err(Unknown),
            Expression::Tuple(parts) => {
                let parts = self.all(call, parts)?;
                Ok(PyTuple::new(py, parts).map_err(|_| Unknown)?.into_any())
            }
            Expression::Dict(items) => self.dict(call, items),
        }
    }

    fn dict<'py>(
        &mut self,
        call: &Call<'_, 'py>,
        items: &[(Expression, Expression)],
    ) -> Followed<Object<'py>> {
        let dict = PyDict::new(call.function.py());
        for (key, value) in items {
            let key = self.expression(call, key)?;
            let value = self.expression(call, value)?;
            if !key.is_exact_instance_of::<PyString>() {
                return Err(Unknown);
            }
            dict.set_item(key, value).map_err(|_| Unknown)?;
        }
        Ok(dict.into_any())
    }

    pub(super) fn all<'py>(
        &mut self,
        call: &Call<'_, 'py>,
        parts: &[Expression],
    ) -> Followed<Vec<Object<'py>>> {
        parts.iter().map(|part| self.expression(call, part)).collect()
    }

    fn call<'py>(
        &mut self,
        call: &Call<'_, 'py>,
        function: &Expression,
        arguments: &[Expression],
        named: &[(String, Expression)],
    ) -> Followed<Object<'py>> {
        let py = call.function.py();
        let (object, method) = match function {
            Expression::Name(name) => {
                if let Some(function) = call.variable(name)? {
                    let arguments = self.all(call, arguments)?;
                    return if named.is_empty() {
                        self.run(&function, arguments)
                    } else {
                        Err(Unknown)
                    };
                }
                let arguments = self.all(call, arguments)?;
                return if named.is_empty() {
                    self.builtin(py, name, &arguments)
                } else {
                    Err(Unknown)
                };
            }
            Expression::Attribute(object, method) => (object, method.bind(py)),
            _ => return Err(Unknown),
        };
        if let Expression::Call { function, arguments: none, .. } = &**object
            && matches!(&**function, Expression::Name(name) if name == "super")
            && none.is_empty()
            && arguments.is_empty()
        {
            return self.of_base(call, method);
        }
        let object = self.expression(call, object)?;
        let arguments = self.all(call, arguments)?;
        let mut by_name = Vec::new();
        for (name, value) in named {
            by_name.push((name.as_str(), self.expression(call, value)?));
        }
        self.method(call, &object, method, arguments, &by_name)
    }

    /// `super().__repr__()` and similar calls.
    fn of_base<'py>(
        &mut self,
        call: &Call<'_, 'py>,
        method: &Bound<'py, PyString>,
    ) -> Followed<Object<'py>> {
        // The class that the function was written in, wherever it was found.
        let owner = call.captured("__class__")?.ok_or(Unknown)?;
        let (_, object) = call.locals.first().ok_or(Unknown)?;
        let classes = passive::mro(&object.get_type());
        let own = classes.iter().position(|class| class.is(&owner)).ok_or(Unknown)?;
        let (owner, function) = attribute_among(&classes[own + 1..], method).ok_or(Unknown)?;
        if owner.is(object.py().get_type::<PyAny>()) && method == "__repr__" {
            return Ok(PyString::new(
                object.py(),
                &crate::print::plain_text(object, &type_info(object).name),
            )
            .into_any());
        }
        self.run(&function, vec![object.clone()])
    }

    fn method<'py>(
        &mut self,
        call: &Call<'_, 'py>,
        object: &Object<'py>,
        method: &Bound<'py, PyString>,
        arguments: Vec<Object<'py>>,
        named: &[(&str, Object<'py>)],
    ) -> Followed<Object<'py>> {
        if let Ok(text) = object.cast_exact::<PyString>() {
            return self.method_of_text(text, method, &arguments, named);
        }
        if !named.is_empty() {
            return Err(Unknown);
        }
        if let Ok(module) = object.cast::<PyModule>() {
            let function = self.attribute(module.as_any(), method)?.ok_or(Unknown)?;
            return self.run(&function, arguments);
        }
        if let Ok(dict) = object.cast_exact::<PyDict>() {
            return super::operators::get(dict, method, &arguments);
        }
        let text = method.to_string_lossy();
        if kinds::is_native_scalar(object) {
            let is_short = matches!(&*text, "isoformat" | "total_seconds");
            return match is_short && arguments.is_empty() {
                true => object.call_method0(method).map_err(|_| Unknown),
                false => Err(Unknown),
            };
        }
        let info = type_info(object);
        if info.answers_all || object.is_instance_of::<PyType>() {
            return Err(Unknown);
        }
        if text == "__str__" || text == "__repr__" {
            let text = if text == "__str__" { self.str_of(object)? } else { self.repr_of(object)? };
            return Ok(PyString::new(object.py(), &text).into_any());
        }
        let method = call.mangled(method)?;
        let (_, function) = class_attribute(&object.get_type(), &method).ok_or(Unknown)?;
        if info
            .own_dict(object)
            .is_some_and(|own| !matches!(passive::held(&own, &method), Ok(None)))
        {
            return Err(Unknown);
        }
        let mut all = vec![object.clone()];
        all.extend(arguments);
        self.run(&function, all)
    }
}

/// Whether a text is short enough to work with.
pub(super) fn is_short(text: &Bound<'_, PyString>) -> bool {
    raw::length(text) <= 10_000
}
