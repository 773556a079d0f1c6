//! Reads an attribute as the function that is followed would, without running code that loads it.
use pyo3::prelude::*;
use pyo3::types::{PyModule, PyString, PyType};

use super::follow::{Follow, Followed, Object, Unknown};
use crate::kinds::type_info;
use crate::passive::{self, class_attribute};
use crate::statics::{known, name};

impl Follow<'_, '_> {
    /// An attribute, read without running code that loads it; `None` when there is certainly none.
    pub(super) fn attribute<'py>(
        &mut self,
        object: &Object<'py>,
        name: &Bound<'py, PyString>,
    ) -> Followed<Option<Object<'py>>> {
        let py = object.py();
        let text = name.to_string_lossy();
        let info = type_info(object);
        if info.answers_all {
            return Err(Unknown);
        }
        let kind = object.get_type();
        let of_type = class_attribute(&kind, name);
        if let Ok(class) = object.cast::<PyType>() {
            // A metaclass may have an attribute of this name, which takes precedence.
            let of_type = of_type.filter(|(owner, _)| !owner.is(py.get_type::<PyType>()));
            let is_of_object = |owner: &Bound<'_, PyType>| owner.is(py.get_type::<PyAny>());
            if of_type.is_some_and(|(owner, _)| !is_of_object(&owner)) {
                return Err(Unknown);
            }
            return match &*text {
                "__class__" => Ok(Some(kind.into_any())),
                "__name__" | "__qualname__" | "__module__" => Ok(passive::name_part(class, &text)),
                _ => match class_attribute(class, name) {
                    Some((_, value)) if is_inert(&value) => Ok(Some(value)),
                    _ => Err(Unknown),
                },
            };
        }
        if text == "__class__" {
            let is_plain = of_type.is_some_and(|(owner, _)| owner.is(py.get_type::<PyAny>()));
            return if is_plain { Ok(Some(kind.into_any())) } else { Err(Unknown) };
        }
        let own = info.own_dict(object);
        if text == "__dict__" {
            return Ok(own.map(Bound::into_any));
        }
        let own = match own {
            Some(own) => passive::held(&own, name).map_err(|()| Unknown)?,
            None => None,
        };
        if object.is_instance_of::<PyModule>() {
            // The type may create missing attributes.
            return own.map(Some).ok_or(Unknown);
        }
        let or_none = |found: Option<Object<'py>>| match found {
            None if info.answers_missing => Err(Unknown),
            found => Ok(found),
        };
        let Some((owner, found)) = of_type else { return or_none(own) };
        if passive::is_slot(&found) {
            return or_none(passive::read(&found, object));
        }
        let (_, module) = passive::name_and_module(&owner);
        if passive::is_native_getter(&found) {
            let is_quick = matches!(&*module, "builtins" | "datetime" | "decimal");
            return if is_quick { or_none(passive::read(&found, object)) } else { Err(Unknown) };
        }
        if known!("builtins", "property").is_type_of(&found) {
            let getter = found.getattr(name!(py, "fget")).map_err(|_| Unknown)?;
            return self.run(&getter, vec![object.clone()]).map(Some);
        }
        if module == "enum" && matches!(&*text, "name" | "value") {
            let name = PyString::new(py, &format!("_{text}_"));
            return Ok(passive::own_attribute(object, &name));
        }
        // The type may answer with something other than the stored value.
        if passive::is_masking(&found) {
            return Err(Unknown);
        }
        match own {
            Some(own) => Ok(Some(own)),
            None if is_inert(&found) => Ok(Some(found)),
            None => Err(Unknown),
        }
    }
}

/// Whether objects of a class see this class attribute unchanged.
fn is_inert(value: &Bound<'_, PyAny>) -> bool {
    class_attribute(&value.get_type(), name!(value.py(), "__get__")).is_none()
}
