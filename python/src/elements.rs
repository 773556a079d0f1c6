//! What iterating over an object answers.
use pyo3::prelude::*;
use pyo3::types::PyIterator;

/// PyO3's own iterator says how many elements there may be by a function that it imports under a
/// lock, when that is first asked: a child that is forked in that moment would wait for the lock
/// for ever. This one does not say.
pub(crate) struct Elements<'py>(Bound<'py, PyIterator>);

pub(crate) fn elements<'py>(of: &Bound<'py, PyAny>) -> PyResult<Elements<'py>> {
    #[expect(clippy::disallowed_methods, reason = "nobody asks it how many there are")]
    of.try_iter().map(Elements)
}

impl<'py> Iterator for Elements<'py> {
    type Item = PyResult<Bound<'py, PyAny>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}
