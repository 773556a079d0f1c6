//! Works out the result of a `__repr__` of the program without running it. Its source is read once,
//! and its steps are followed as long as they only read existing attributes and build texts.
//! Otherwise the object is described by its attributes.

mod attribute;
mod expression;
mod follow;
mod format;
mod operators;
mod parse;
mod variables;

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;

use crate::address::{AddressMap, address};
use crate::source::source_of;
use crate::statics::name;

pub(crate) use expression::Recipe;
pub(crate) use follow::Follow;

/// The recipe of a function, and its code, kept alive so that no other gets its address.
type Known = (Option<Arc<Recipe>>, Py<PyAny>);

const MOST_FUNCTIONS: usize = 2_000;

static RECIPES: Mutex<Option<AddressMap<Known>>> = Mutex::new(None);

/// The recipe of a function; `None` when its source is unknown or none of it can be followed.
pub(crate) fn recipe_of(function: &Bound<'_, PyAny>) -> Option<Arc<Recipe>> {
    let py = function.py();
    let of = function.getattr(name!(py, "__code__")).ok()?;
    let address = address(&of);
    let lock = || RECIPES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((recipe, _)) = lock().get_or_insert_default().get(&address) {
        return recipe.clone();
    }
    // Outside the lock, because it reads a file.
    let globals = function.getattr(name!(py, "__globals__")).ok()?;
    let source = source_of(&of, &globals);
    let recipe = source.and_then(|source| parse::recipe(&of, &source)).map(Arc::new);
    let mut recipes = lock();
    let map = recipes.get_or_insert_default();
    let full = (map.len() >= MOST_FUNCTIONS).then(|| std::mem::take(map));
    map.insert(address, (recipe.clone(), of.unbind()));
    drop(recipes);
    drop(full);
    recipe
}
