//! The variables of a followed function, and the names in its code.
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::expression::Recipe;
use super::follow::{Followed, Object, Unknown};
use crate::statics::name;

/// A followed function.
pub(super) struct Call<'f, 'py> {
    pub(super) function: &'f Object<'py>,
    pub(super) locals: Vec<(String, Object<'py>)>,
}

impl<'f, 'py> Call<'f, 'py> {
    pub(super) fn new(
        function: &'f Object<'py>,
        recipe: &Recipe,
        arguments: Vec<Object<'py>>,
    ) -> Followed<Self> {
        Ok(Self { function, locals: parameters(function, recipe, arguments)? })
    }

    pub(super) fn py(&self) -> Python<'py> {
        self.function.py()
    }

    /// A local, captured or global variable; `None` for anything else, such as a builtin.
    pub(super) fn variable(&self, name: &str) -> Followed<Option<Object<'py>>> {
        let py = self.function.py();
        if let Some((_, value)) = self.locals.iter().find(|(local, _)| local == name) {
            return Ok(Some(value.clone()));
        }
        let get = |object: &Object<'py>, name: &Bound<'py, PyString>| object.getattr(name).ok();
        let code = get(self.function, name!(py, "__code__")).ok_or(Unknown)?;
        // A local that is assigned later, or in a branch that was not taken.
        let is_local = get(&code, name!(py, "co_varnames"))
            .is_none_or(|names| names.contains(name).unwrap_or(true));
        if is_local {
            return Err(Unknown);
        }
        if let Some(captured) = self.captured(name)? {
            return Ok(Some(captured));
        }
        let globals = get(self.function, name!(py, "__globals__")).ok_or(Unknown)?;
        let globals = globals.cast_into_exact::<PyDict>().map_err(|_| Unknown)?;
        globals.get_item(name).map_err(|_| Unknown)
    }

    /// A variable of the enclosing function.
    pub(super) fn captured(&self, name: &str) -> Followed<Option<Object<'py>>> {
        let py = self.function.py();
        let at = self.names(name!(py, "co_freevars"))?.iter().position(|free| free == name);
        let Some(at) = at else { return Ok(None) };
        let cells = self.function.getattr(name!(py, "__closure__")).map_err(|_| Unknown)?;
        let cell = cells.get_item(at).map_err(|_| Unknown)?;
        Ok(Some(cell.getattr(name!(py, "cell_contents")).map_err(|_| Unknown)?))
    }

    /// One sort of names in its code.
    fn names(&self, sort: &Bound<'py, PyString>) -> Followed<Vec<String>> {
        let code = self.function.getattr(name!(self.function.py(), "__code__"));
        let names = code.and_then(|code| code.getattr(sort)).map_err(|_| Unknown)?;
        names.extract().map_err(|_| Unknown)
    }

    /// Within a class, a name like `__secret` means `_Class__secret`, according to the class the
    /// function was written in.
    pub(super) fn mangled(&self, name: &Bound<'py, PyString>) -> Followed<Bound<'py, PyString>> {
        let text = name.to_string_lossy();
        if !text.starts_with("__") || text.ends_with("__") {
            return Ok(name.clone());
        }
        let mut names = self.names(name!(name.py(), "co_names"))?;
        names.retain(|name| name.ends_with(&*text));
        match &names[..] {
            [only] => Ok(PyString::new(name.py(), only)),
            _ => Err(Unknown),
        }
    }
}

/// The parameters by name, with their arguments or defaults.
fn parameters<'py>(
    function: &Object<'py>,
    recipe: &Recipe,
    mut given: Vec<Object<'py>>,
) -> Followed<Vec<(String, Object<'py>)>> {
    let names = &recipe.parameters;
    let missing = names.len().checked_sub(given.len()).ok_or(Unknown)?;
    if missing > 0 {
        let defaults = function.getattr(name!(function.py(), "__defaults__"));
        let defaults =
            defaults.map_err(|_| Unknown)?.cast_into::<PyTuple>().map_err(|_| Unknown)?;
        let first = defaults.len().checked_sub(missing).ok_or(Unknown)?;
        given.extend(defaults.iter().skip(first));
    }
    Ok(names.iter().cloned().zip(given).collect())
}
