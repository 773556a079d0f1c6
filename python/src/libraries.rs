//! Libraries whose values are shown in a way of their own: arrays, and what asks a database when it is
//! printed.
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::passive;

/// Libraries whose objects are shown by shape and type, not by their data.
const ARRAY_LIBRARIES: [&str; 11] = [
    "numpy",
    "pandas",
    "torch",
    "tensorflow",
    "jax",
    "jaxlib",
    "cupy",
    "polars",
    "pyarrow",
    "scipy",
    "xarray",
];

/// Types that query a database when printed, and those derived from them.
const LAZY: [&str; 6] =
    ["QuerySet", "BaseQuerySet", "RawQuerySet", "AsyncQuerySet", "ModelSelect", "ModelRaw"];
/// Names that any program may give to a class of its own; only in libraries are they lazy.
const LAZY_IN_LIBRARIES: [&str; 3] = ["Query", "Cursor", "LazyFrame"];
const LAZY_LIBRARIES: [&str; 5] = ["sqlalchemy", "peewee", "pony", "pymongo", "polars"];

/// The top-level package of a module.
pub(crate) fn library_of(module: &str) -> &str {
    module.split('.').next().unwrap_or_default()
}

/// Whether a module belongs to a library whose arrays are shown by shape and type, or to one they
/// use.
pub(crate) fn is_array_library(module: &str) -> bool {
    let library = library_of(module);
    ARRAY_LIBRARIES.contains(&library) || ["pytz", "dateutil"].contains(&library)
}

/// Whether a class belongs to a library whose arrays are shown by shape and type.
pub(crate) fn is_of_array_library(class: &Bound<'_, PyType>) -> bool {
    let (_, module) = passive::name_and_module(class);
    ARRAY_LIBRARIES.contains(&library_of(&module))
}

/// Whether printing a value of this type asks a database, or computes it.
pub(crate) fn is_lazy(module: &str, name: &str) -> bool {
    module != "builtins" && LAZY.contains(&name)
        || LAZY_IN_LIBRARIES.contains(&name) && LAZY_LIBRARIES.contains(&library_of(module))
        || library_of(module) == "dask"
}
