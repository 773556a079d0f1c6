//! Decides how values of a type are printed, once for each type.
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::{PyComplex, PyDict, PyFloat, PyType, PyWeakrefMethods, PyWeakrefReference};

use crate::address::{AddressMap, address};
use crate::fields::{self, Field};
use crate::libraries::{is_lazy, is_of_array_library, library_of};
use crate::passive::{self, attribute_among, is_function};
use crate::raw;
use crate::statics::{known, name};

/// How values of a type are printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A built-in mapping, sequence, set or string, or a subtype that prints like it.
    Dict,
    List,
    Tuple,
    Set,
    Text,
    Integer,
    Bytes,
    /// Iterated by the interpreter itself: views, deques.
    Iterated,
    /// Data classes, attrs, pydantic, msgspec.
    Fields(Vec<Field>),
    /// A named tuple.
    Named(Vec<String>),
    /// A member of an enumeration.
    Member,
    /// A member printed by its name in its module.
    GlobalMember,
    /// All attributes: `types.SimpleNamespace`.
    Namespace,
    /// Printed like a plain `object`.
    Plain,
    /// The type's name and the arguments.
    Exception,
    /// `shape` and `dtype` instead of data.
    Array,
    /// Printing it would query a database, or compute.
    Lazy,
    /// A built-in type whose parts may have any type.
    Parts(Parts),
    /// A validation error of pydantic's core.
    Invalid,
    /// `numpy.dtype`.
    NumpyType,
    /// Printed by its own `__repr__`, of the interpreter or a library, which runs no foreign code.
    Known,
    /// Has a `__repr__` of unknown origin.
    Foreign,
}

/// Built-in types whose `__repr__` would print foreign values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parts {
    /// An address, network or interface of `ipaddress`.
    Address,
    /// `itertools.count`, whose numbers may have any type.
    Count,
    DefaultDict,
    Deque,
    Fraction,
    /// A future of `concurrent.futures`, whose `__repr__` takes its lock.
    Future,
    MappingProxy,
    Method,
    Module,
    OrderedDict,
    /// Keys, values or items of an ordered dictionary.
    OrderedView,
    /// A date or time, whose time zone may have any type.
    Moment,
    Partial,
    Path,
    Slice,
    Stream,
    /// `list[int]`.
    TypeOf,
    /// A named tuple returned by the system, such as `os.stat_result`.
    Structure,
    Uuid,
    Weak,
}

/// A type seen so far.
#[derive(Debug)]
pub(crate) struct TypeInfo {
    /// `module.Name`; builtins without their module.
    pub(crate) name: Arc<str>,
    pub(crate) kind: Kind,
    pub(crate) is_group: bool,
    /// An exception that may hold others. Among built-in ones only groups do.
    pub(crate) may_carry: bool,
    /// An exception that only carries the traceback of another process.
    pub(crate) is_remote_traceback: bool,
    has_own_dict: bool,
    /// Python code of the type may answer for any attribute, or for missing ones.
    pub(crate) answers_all: bool,
    pub(crate) answers_missing: bool,
    /// Names for which the class answers instead of the stored attribute.
    masked: OnceLock<Vec<String>>,
    /// The function that prints a value which prints itself, or returns its time zone.
    pub(crate) printer: Option<Py<PyAny>>,
    pub(crate) zone: Option<Py<PyAny>>,
    /// A weak reference to the type; after its end another type may get its address.
    of: Option<Py<PyWeakrefReference>>,
}

impl TypeInfo {
    fn new(kind: &Bound<'_, PyType>) -> Self {
        let py = kind.py();
        let classes = passive::mro(kind);
        let how = classify(kind, &classes);
        let (own_name, module) = passive::name_and_module(kind);
        // The built-in one, or that of `exceptiongroup`.
        let is_group =
            classes.iter().any(|class| passive::name_and_module(class).0 == "BaseExceptionGroup");
        let find = |name| attribute_among(&classes, name).map(|(_, found)| found);
        let in_python = |name| find(name).is_some_and(|found| is_function(&found));
        let is_moment = how == Kind::Parts(Parts::Moment);
        // These belong to types of libraries, which stay; those of the program are not kept.
        let prints_itself = matches!(
            how,
            Kind::Known
                | Kind::Parts(
                    Parts::Count | Parts::Moment | Parts::Stream | Parts::Structure | Parts::TypeOf
                )
        );
        let printer = prints_itself.then(|| find(name!(py, "__repr__"))).flatten();
        let zone = is_moment.then(|| find(name!(py, "tzinfo"))).flatten();
        Self {
            name: passive::type_name(kind).into(),
            kind: how,
            is_group,
            may_carry: is_group || module != "builtins",
            is_remote_traceback: own_name.trim_start_matches('_') == "RemoteTraceback",
            has_own_dict: passive::has_own_dict(kind),
            answers_all: in_python(name!(py, "__getattribute__")),
            answers_missing: find(name!(py, "__getattr__")).is_some(),
            masked: OnceLock::new(),
            printer: printer.map(Bound::unbind),
            zone: zone
                .filter(passive::is_native_getter)
                .and_then(|getter| getter.getattr(name!(py, "__get__")).ok())
                .map(Bound::unbind),
            of: PyWeakrefReference::new(kind).ok().map(Bound::unbind),
        }
    }

    /// The instance attributes of an object of this type.
    pub(crate) fn own_dict<'py>(&self, object: &Bound<'py, PyAny>) -> Option<Bound<'py, PyDict>> {
        let own =
            self.has_own_dict.then(|| raw::get_plainly(object, name!(object.py(), "__dict__")));
        own??.cast_into_exact().ok()
    }

    /// Names for which the class answers instead of the object's stored attribute.
    pub(crate) fn masked(&self, kind: &Bound<'_, PyType>) -> &[String] {
        // Computed first, so that no thread waits for another meanwhile.
        if self.masked.get().is_none() {
            let found = passive::masked_names(&passive::mro(kind));
            let _ = self.masked.set(found);
        }
        self.masked.get().map(Vec::as_slice).unwrap_or_default()
    }

    fn is_of(&self, kind: &Bound<'_, PyType>) -> bool {
        let of = self.of.as_ref().and_then(|of| of.bind(kind.py()).upgrade());
        of.is_some_and(|of| of.is(kind))
    }
}

const MOST_TYPES: usize = 2_000;

static TYPES: Mutex<Option<AddressMap<Arc<TypeInfo>>>> = Mutex::new(None);

/// The known facts about the type of a value.
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
    let info = Arc::new(TypeInfo::new(&kind));
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

/// Whether a value is a number or date of a built-in type, whose methods run no foreign code.
pub(crate) fn is_native_scalar(value: &Bound<'_, PyAny>) -> bool {
    value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyComplex>()
        || known!("datetime", "date").is_type_of(value)
        || known!("datetime", "timedelta").is_type_of(value)
        || known!("decimal", "Decimal").is_type_of(value) && type_info(value).kind == Kind::Known
        || passive::name_and_module(&value.get_type()).1 == "numpy"
            && type_info(value).kind == Kind::Known
}

fn classify(kind: &Bound<'_, PyType>, classes: &[Bound<'_, PyType>]) -> Kind {
    let py = kind.py();
    // The name and module of each class.
    let names: Vec<_> = classes.iter().map(passive::name_and_module).collect();
    let own = |module: &str, name: &str| names.iter().any(|(n, m)| m == module && n == name);
    let Some((name, module)) = names.first() else { return Kind::Plain };
    if names.iter().any(|(name, module)| is_lazy(module, name)) {
        return Kind::Lazy;
    }
    let Some((owner, printer)) = attribute_among(classes, name!(py, "__repr__")) else {
        return Kind::Plain;
    };
    if own("numpy", "generic") && module == "numpy" && !own("numpy", "void") {
        return Kind::Known;
    }
    if own("numpy", "dtype") && library_of(module) == "numpy" {
        return Kind::NumpyType;
    }
    let is_array =
        |name| attribute_among(classes, name).is_some_and(|(owner, _)| is_of_array_library(&owner));
    if is_array(name!(py, "shape")) || is_array(name!(py, "dtype")) {
        return Kind::Array;
    }
    if let Some(fields) = fields::of_library(kind, classes, &owner, &printer) {
        return Kind::Fields(fields);
    }
    if is_function(&printer) {
        return python_kind(kind, classes, &owner, &printer, own);
    }
    if own("builtins", "BaseException") {
        if (module.as_str(), name.as_str()) == ("pydantic_core._pydantic_core", "ValidationError") {
            return Kind::Invalid;
        }
        // An exception of a C library may have a text of its own and no arguments.
        let is_python_own = owner.is(py.get_type::<PyBaseException>());
        return if is_python_own { Kind::Exception } else { Kind::Foreign };
    }
    let (owner_name, owner_module) = passive::name_and_module(&owner);
    if name.starts_with("odict_") && module == "builtins" {
        return Kind::Parts(Parts::OrderedView);
    }
    if owner_module == "builtins"
        && let Some(kind) = builtin_kind(&owner_name)
    {
        return kind;
    }
    let is_short = match owner_module.as_str() {
        "datetime" => return moment_or_known(&owner_name),
        "decimal" => true,
        "builtins" => SHORT_BUILTINS.contains(&owner_name.as_str()),
        "pandas._libs.tslibs.nattype" | "pandas._libs.tslibs.timedeltas" => true,
        "pandas._libs.missing" => true,
        "pandas._libs.tslibs.timestamps" => return Kind::Parts(Parts::Moment),
        _ => SHORT_MODULES.contains(&module.as_str()),
    };
    match (owner_module.as_str(), owner_name.as_str()) {
        ("collections", "OrderedDict") => return Kind::Parts(Parts::OrderedDict),
        ("collections", "defaultdict") => return Kind::Parts(Parts::DefaultDict),
        ("collections", "deque") => return Kind::Parts(Parts::Deque),
        _ => {}
    }
    match (module.as_str(), name.as_str()) {
        ("types", "SimpleNamespace") => Kind::Namespace,
        ("types", "GenericAlias") => Kind::Parts(Parts::TypeOf),
        ("itertools", "count") => Kind::Parts(Parts::Count),
        ("weakref" | "builtins", "ReferenceType" | "weakref") => Kind::Parts(Parts::Weak),
        ("time" | "os" | "sys" | "pwd" | "grp" | "resource", _) if own("builtins", "tuple") => {
            Kind::Parts(Parts::Structure)
        }
        ("functools", "partial") => Kind::Parts(Parts::Partial),
        ("_io", _) if own("_io", "_IOBase") => Kind::Parts(Parts::Stream),
        _ if is_short => Kind::Known,
        _ => Kind::Foreign,
    }
}

fn builtin_kind(owner: &str) -> Option<Kind> {
    Some(match owner {
        "object" => Kind::Plain,
        "dict" => Kind::Dict,
        "list" => Kind::List,
        "tuple" => Kind::Tuple,
        "set" | "frozenset" => Kind::Set,
        "str" => Kind::Text,
        "int" => Kind::Integer,
        "bytes" => Kind::Bytes,
        "dict_keys" | "dict_values" | "dict_items" => Kind::Iterated,
        "mappingproxy" => Kind::Parts(Parts::MappingProxy),
        "method" => Kind::Parts(Parts::Method),
        "module" => Kind::Parts(Parts::Module),
        "slice" => Kind::Parts(Parts::Slice),
        _ => return None,
    })
}

fn moment_or_known(owner: &str) -> Kind {
    match owner {
        "datetime" | "time" => Kind::Parts(Parts::Moment),
        _ => Kind::Known,
    }
}

/// Built-in types with a short `__repr__` that calls nothing else.
const SHORT_BUILTINS: [&str; 22] = [
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
    "method-wrapper",
    "method_descriptor",
    "NotImplementedType",
    "property",
    "range",
    "traceback",
    "type",
    "wrapper_descriptor",
];
const SHORT_MODULES: [&str; 7] =
    ["array", "re", "_thread", "_socket", "ssl", "zoneinfo", "_random"];

/// The kind for a `__repr__` that is written in Python.
fn python_kind(
    kind: &Bound<'_, PyType>,
    classes: &[Bound<'_, PyType>],
    owner: &Bound<'_, PyType>,
    printer: &Bound<'_, PyAny>,
    own: impl Fn(&str, &str) -> bool,
) -> Kind {
    let (name, module) = passive::name_and_module(kind);
    let file = fields::file_of(printer).unwrap_or_default();
    if own("builtins", "tuple")
        && file.ends_with("/collections/__init__.py")
        && let Some(names) = fields::of_named_tuple(owner)
    {
        return Kind::Named(names);
    }
    if own("concurrent.futures._base", "Future") && file.ends_with("/concurrent/futures/_base.py") {
        return Kind::Parts(Parts::Future);
    }
    if own("enum", "Enum") && file.ends_with("/enum.py") {
        let name = printer.getattr(name!(kind.py(), "__name__"));
        let name = name.and_then(|name| name.extract::<String>()).unwrap_or_default();
        return if name.starts_with("global_") { Kind::GlobalMember } else { Kind::Member };
    }
    if own("builtins", "dict") && module == "collections" {
        return Kind::Dict;
    }
    // Types of the standard library that hold no foreign values.
    match library_of(&module) {
        "fractions" if name == "Fraction" => Kind::Parts(Parts::Fraction),
        "uuid" if name == "UUID" => Kind::Parts(Parts::Uuid),
        "ipaddress" => Kind::Parts(Parts::Address),
        _ if is_path(classes, owner) => Kind::Parts(Parts::Path),
        _ => Kind::Foreign,
    }
}

/// Whether this is a path, or a derived class that does not change its text.
fn is_path(classes: &[Bound<'_, PyType>], owner: &Bound<'_, PyType>) -> bool {
    let py = owner.py();
    let is_of_library = |class: &Bound<'_, PyType>| {
        let (_, module) = passive::name_and_module(class);
        library_of(&module) == "pathlib"
    };
    is_of_library(owner)
        && [name!(py, "__str__"), name!(py, "as_posix")].into_iter().all(|name| {
            attribute_among(classes, name).is_some_and(|(owner, _)| is_of_library(&owner))
        })
}
