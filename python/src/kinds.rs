//! What is to be done to print a value of a type, decided once for each type.
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType, PyWeakrefMethods, PyWeakrefReference};

use crate::address::{AddressMap, address};
use crate::raw::name;

/// How values of a type are printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A mapping, sequence, set or string of Python's own, or of a subtype that prints like it.
    Dict,
    List,
    Tuple,
    Set,
    Text,
    Integer,
    Bytes,
    /// Iterated by the interpreter itself, whatever its type: views, deques.
    Iterated,
    /// Fields by name: named tuples, data classes, attrs.
    Fields(Vec<String>),
    /// All attributes: `types.SimpleNamespace`.
    Namespace,
    /// As `object` prints it.
    Plain,
    /// The type's name and the arguments.
    Exception,
    /// `shape` and `dtype` instead of data.
    Array,
    /// Printing it would ask a database.
    Lazy,
    /// Its own `__repr__`, of the interpreter or of its library.
    Known,
    /// Its own `__repr__`, by somebody.
    Guarded,
}

/// A type that was met.
#[derive(Debug)]
pub(crate) struct TypeInfo {
    /// As `module.Name`; builtins without module.
    pub(crate) name: Arc<str>,
    pub(crate) kind: Kind,
    /// How often its `__repr__` was watched and was quick.
    quick: AtomicU8,
    is_slow: AtomicBool,
    /// The type itself, for as long as the program keeps it: another may get its address.
    of: Option<Py<PyWeakrefReference>>,
}

/// So often a `__repr__` has to be quick before it is called without a guard.
const TRUSTED_AFTER: u8 = 3;
/// A `__repr__` that takes longer is not called again.
const SLOW: Duration = Duration::from_millis(5);

impl TypeInfo {
    fn is_of(&self, kind: &Bound<'_, PyType>) -> bool {
        let of = self.of.as_ref().and_then(|of| of.bind(kind.py()).upgrade());
        of.is_some_and(|of| of.is(kind))
    }

    pub(crate) fn is_trusted(&self) -> bool {
        self.quick.load(Ordering::Relaxed) >= TRUSTED_AFTER
    }

    pub(crate) fn is_slow(&self) -> bool {
        self.is_slow.load(Ordering::Relaxed)
    }

    pub(crate) fn took(&self, time: Duration) {
        if time > SLOW {
            self.is_slow.store(true, Ordering::Relaxed);
        } else if !self.is_trusted() {
            self.quick.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn is_stuck(&self) {
        self.is_slow.store(true, Ordering::Relaxed);
    }
}

const MOST_TYPES: usize = 2_000;

static TYPES: Mutex<Option<AddressMap<Arc<TypeInfo>>>> = Mutex::new(None);

/// What is known of the type of a value.
pub(crate) fn type_info(value: &Bound<'_, PyAny>) -> Arc<TypeInfo> {
    let kind = value.get_type();
    let address = address(&kind);
    let lock = || TYPES.lock().unwrap_or_else(PoisonError::into_inner);
    let known = lock().as_ref().and_then(|types| types.get(&address).cloned());
    if let Some(info) = known
        && info.is_of(&kind)
    {
        return info;
    }
    // Outside of the lock: it may run code of a metaclass.
    let info = Arc::new(TypeInfo {
        name: type_name(&kind).into(),
        kind: classify(&kind).unwrap_or(Kind::Plain),
        quick: AtomicU8::new(0),
        is_slow: AtomicBool::new(false),
        of: PyWeakrefReference::new(&kind).ok().map(Bound::unbind),
    });
    if info.of.is_none() {
        return info;
    }
    let mut types = lock();
    let map = types.get_or_insert_default();
    let full = (map.len() >= MOST_TYPES).then(|| std::mem::take(map));
    let former = map.insert(address, info.clone());
    drop(types);
    drop((full, former));
    info
}

/// `module.Name`, builtins without their module.
pub(crate) fn type_name(kind: &Bound<'_, PyType>) -> String {
    let full = full_type_name(kind);
    full.strip_prefix("builtins.").map(str::to_owned).unwrap_or(full)
}

/// `module.Name`.
pub(crate) fn full_type_name(kind: &Bound<'_, PyType>) -> String {
    let py = kind.py();
    let text = |name: &Bound<'_, PyString>| {
        let value = kind.getattr(name).ok()?.cast_into::<PyString>().ok()?;
        Some(value.to_string_lossy().chars().take(200).collect::<String>())
    };
    let name = text(name!(py, "__qualname__")).unwrap_or_else(|| "?".to_owned());
    match text(name!(py, "__module__")).as_deref() {
        None => name,
        Some(module) => format!("{module}.{name}"),
    }
}

/// Libraries whose objects show what they are by shape and type, not by their data.
const ARRAY_LIBRARIES: [&str; 12] = [
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
    "dask",
];

/// Types that ask a database when they are printed, and those derived from them.
const LAZY: [&str; 6] =
    ["QuerySet", "BaseQuerySet", "RawQuerySet", "AsyncQuerySet", "ModelSelect", "ModelRaw"];
/// Names that any program may give to a class of its own: they are lazy in these libraries only.
const LAZY_IN_LIBRARIES: [&str; 2] = ["Query", "Cursor"];
const LAZY_LIBRARIES: [&str; 4] = ["sqlalchemy", "peewee", "pony", "pymongo"];

fn library_of(module: &str) -> &str {
    module.split('.').next().unwrap_or_default()
}

fn is_lazy(module: &str, name: &str) -> bool {
    module != "builtins" && LAZY.contains(&name)
        || LAZY_IN_LIBRARIES.contains(&name) && LAZY_LIBRARIES.contains(&library_of(module))
}

fn classify(kind: &Bound<'_, PyType>) -> PyResult<Kind> {
    let py = kind.py();
    let mro = kind.getattr(name!(py, "__mro__"))?.cast_into::<PyTuple>()?;
    let mut names = Vec::new();
    for class in mro.iter() {
        let name = class.getattr(name!(py, "__name__"))?.extract::<String>()?;
        let module = class.getattr(name!(py, "__module__"));
        let module = module.and_then(|module| module.extract::<String>()).unwrap_or_default();
        names.push((module, name));
    }
    let own = |module: &str, name: &str| names.iter().any(|(m, n)| m == module && n == name);
    let module = names.first().map_or("", |(module, _)| module);
    let library = library_of(module);
    if names.iter().any(|(module, name)| is_lazy(module, name)) {
        return Ok(Kind::Lazy);
    }
    let printer = mro.iter().find_map(|class| {
        let members = class.getattr(name!(py, "__dict__")).ok()?;
        members.get_item(name!(py, "__repr__")).ok()
    });
    let Some(printer) = printer else { return Ok(Kind::Plain) };
    let is_python = printer.hasattr(name!(py, "__code__"))?;
    if ARRAY_LIBRARIES.contains(&library) {
        let has = |name: &Bound<'_, PyString>| kind.hasattr(name).unwrap_or(false);
        if has(name!(py, "shape")) || has(name!(py, "dtype")) {
            return Ok(Kind::Array);
        }
    }
    if is_python {
        let code = printer.getattr(name!(py, "__code__"))?;
        let file = code.getattr(name!(py, "co_filename"))?.extract::<String>()?;
        return Ok(python_kind(kind, &names, &file, own).unwrap_or(Kind::Guarded));
    }
    let owner = printer.getattr(name!(py, "__objclass__"));
    if own("builtins", "BaseException") {
        // A library in C may have a text of its own, and no arguments.
        let is_python_own = owner.is_ok_and(|owner| owner.is(py.get_type::<PyBaseException>()));
        return Ok(if is_python_own { Kind::Exception } else { Kind::Known });
    }
    for (name, kind) in [
        ("dict", Kind::Dict),
        ("list", Kind::List),
        ("tuple", Kind::Tuple),
        ("set", Kind::Set),
        ("frozenset", Kind::Set),
        ("str", Kind::Text),
        ("int", Kind::Integer),
        ("bytes", Kind::Bytes),
        ("dict_keys", Kind::Iterated),
        ("dict_values", Kind::Iterated),
        ("dict_items", Kind::Iterated),
    ] {
        if own("builtins", name) {
            return Ok(kind);
        }
    }
    if own("types", "SimpleNamespace") {
        return Ok(Kind::Namespace);
    }
    if module == "collections" && names.first().is_some_and(|(_, name)| name == "deque") {
        return Ok(Kind::Iterated);
    }
    if owner.is_ok_and(|owner| owner.is(py.get_type::<PyAny>())) {
        return Ok(Kind::Plain);
    }
    let (module, name) = names.first().cloned().unwrap_or_default();
    let is_known = match module.as_str() {
        "builtins" => SHORT_BUILTINS.contains(&name.as_str()) || own("builtins", "type"),
        module => SHORT_MODULES.contains(&module) || own("builtins", "float"),
    };
    Ok(if is_known { Kind::Known } else { Kind::Guarded })
}

/// What prints itself in few characters and asks nobody else.
const SHORT_BUILTINS: [&str; 24] = [
    "async_generator",
    "builtin_function_or_method",
    "classmethod_descriptor",
    "code",
    "complex",
    "coroutine",
    "ellipsis",
    "float",
    "frame",
    "function",
    "generator",
    "getset_descriptor",
    "member_descriptor",
    "memoryview",
    "method_descriptor",
    "module",
    "NotImplementedType",
    "property",
    "range",
    "traceback",
    "type",
    "wrapper_descriptor",
    "zip",
    "map",
];
const SHORT_MODULES: [&str; 8] =
    ["datetime", "decimal", "re", "_thread", "_io", "_socket", "ssl", "zoneinfo"];

/// For a `__repr__` that is written in Python; `None`: nothing is known of it.
fn python_kind(
    kind: &Bound<'_, PyType>,
    names: &[(String, String)],
    file: &str,
    own: impl Fn(&str, &str) -> bool,
) -> Option<Kind> {
    let py = kind.py();
    let fields = |name: &str| kind.getattr(name).ok();
    let file_name = file.rsplit(['/', '\\']).next().unwrap_or_default();
    if own("builtins", "tuple") && file.starts_with('<') {
        let fields = fields("_fields")?.extract().ok()?;
        return Some(Kind::Fields(fields));
    }
    if matches!(file_name, "reprlib.py" | "dataclasses.py") {
        let all = fields("__dataclass_fields__")?.cast_into::<PyDict>().ok()?;
        // Read first: looking at a field may run code that changes them.
        let all: Vec<_> = all.iter().collect();
        let shown = all.into_iter().filter(|(_, field)| {
            field.getattr(name!(py, "repr")).and_then(|repr| repr.is_truthy()).unwrap_or(false)
        });
        return Some(Kind::Fields(shown.filter_map(|(name, _)| name.extract().ok()).collect()));
    }
    if file.starts_with("<attrs generated") {
        let all = fields("__attrs_attrs__")?.cast_into::<PyTuple>().ok()?;
        let name = |field: Bound<'_, PyAny>| field.getattr(name!(py, "name")).ok()?.extract().ok();
        return Some(Kind::Fields(all.iter().filter_map(name).collect()));
    }
    if own("builtins", "dict") {
        let (module, _) = names.first()?;
        return (module == "collections").then_some(Kind::Dict);
    }
    let (module, _) = names.first()?;
    let library = library_of(module);
    // Those of the standard library that hold nothing of others.
    let known = ["decimal", "datetime", "pathlib", "uuid", "enum", "fractions", "ipaddress"];
    let is_enum = own("enum", "Enum") && file_name == "enum.py";
    (known.contains(&library) || is_enum).then_some(Kind::Known)
}

/// Whether an exception is a group of others, Python's own or that of `exceptiongroup`.
pub(crate) fn is_group(error: &Bound<'_, PyAny>) -> bool {
    let Ok(mro) = error.get_type().getattr(name!(error.py(), "__mro__")) else { return false };
    let Ok(mro) = mro.cast_into::<PyTuple>() else { return false };
    mro.iter().any(|class| {
        let name = class.getattr(name!(error.py(), "__name__"));
        name.is_ok_and(|name| name.eq("BaseExceptionGroup").unwrap_or(false))
    })
}
