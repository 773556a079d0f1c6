//! Names and printed values of a frame's variables, in one piece of memory: a program that fails
//! should not allocate hundreds of small ones.
use std::sync::Arc;

/// Local variables in display order.
#[derive(Debug, Clone, Default)]
pub struct Locals {
    names: Vec<Arc<str>>,
    /// All values, one after another.
    values: String,
    /// The end of each value in `values`.
    ends: Vec<usize>,
}

impl Locals {
    /// Allocates room for this many variables.
    #[must_use]
    pub fn with_capacity(variables: usize) -> Self {
        Self {
            names: Vec::with_capacity(variables),
            values: String::with_capacity(variables * 96),
            ends: Vec::with_capacity(variables),
        }
    }

    /// Adds a variable; `print` appends its value to the text that it is given.
    pub fn push_with<T>(&mut self, name: Arc<str>, print: impl FnOnce(&mut String) -> T) -> T {
        let answer = print(&mut self.values);
        self.names.push(name);
        self.ends.push(self.values.len());
        answer
    }

    /// All names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &str)> {
        let value = |at| &self.values[self.start(at)..self.ends[at]];
        self.names.iter().enumerate().map(move |(at, name)| (name, value(at)))
    }

    /// Its size in bytes.
    pub(crate) fn size(&self) -> usize {
        self.values.capacity() + self.names.capacity() * size_of::<(Arc<str>, usize)>()
    }

    fn start(&self, at: usize) -> usize {
        at.checked_sub(1).map_or(0, |before| self.ends[before])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_is_kept_with_its_name() {
        let mut locals = Locals::default();
        for (name, value) in [("a", "1"), ("b", ""), ("c", "'long'")] {
            locals.push_with(name.into(), |text| text.push_str(value));
        }
        let all: Vec<_> = locals.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(all, ["a=1", "b=", "c='long'"]);
    }
}
