//! Iterates over an object.
use pyo3::prelude::*;
use pyo3::types::PyIterator;

/// An iterator without a size hint. On its first use PyO3's own imports a function for the hint
/// under a lock, and a child forked at that moment would wait for the lock forever.
pub(crate) struct Elements<'py>(Bound<'py, PyIterator>);

pub(crate) fn elements<'py>(of: &Bound<'py, PyAny>) -> PyResult<Elements<'py>> {
    #[expect(clippy::disallowed_methods, reason = "its size hint is never used")]
    of.try_iter().map(Elements)
}

impl<'py> Iterator for Elements<'py> {
    type Item = PyResult<Bound<'py, PyAny>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}
