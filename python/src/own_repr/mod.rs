//! What a `__repr__` of the program would say, worked out without running it: its source is read
//! once, and what it does is followed as long as that only reads attributes that are there and
//! puts texts together. Anything else, and the object is described by its attributes instead.

mod expression;
mod follow;
mod format;
mod operators;
mod parse;
mod variables;

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;

use crate::address::{AddressMap, address};
use crate::raw::name;
use crate::source::source_of;

pub(crate) use expression::Recipe;
pub(crate) use follow::Follow;

/// A function, and its code, kept so that no other gets its address.
type Known = (Option<Arc<Recipe>>, Py<PyAny>);

const MOST_FUNCTIONS: usize = 2_000;

static RECIPES: Mutex<Option<AddressMap<Known>>> = Mutex::new(None);

/// What a function does; `None` when its source is not known or nothing of it can be followed.
pub(crate) fn recipe_of(function: &Bound<'_, PyAny>) -> Option<Arc<Recipe>> {
    let py = function.py();
    let of = function.getattr(name!(py, "__code__")).ok()?;
    let address = address(&of);
    let lock = || RECIPES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((recipe, _)) = lock().get_or_insert_default().get(&address) {
        return recipe.clone();
    }
    // Outside of the lock: it reads a file.
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
