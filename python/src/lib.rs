//! The Python binding of `flawless-client`: it walks frames and prints values. The client does
//! everything else, without the interpreter.

mod address;
mod around;
mod before_send;
mod clock;
mod code;
mod compiled;
mod elements;
mod ending;
mod exception;
mod fields;
mod file_text;
mod handling;
mod kinds;
mod libraries;
mod modules;
mod names;
mod own_repr;
mod passive;
mod print;
mod raise_point;
mod raw;
mod related;
mod report;
mod setup;
mod sighting;
mod source;
mod stack;
mod state;
mod statics;
mod syntax;
mod unchanged;
mod wishes;

/// The native half of the package.
#[pyo3::pymodule]
mod _flawless {
    #[pymodule_export]
    use super::report::{capture, caught, record};
    #[pymodule_export]
    use super::setup::{
        before_fork, end, flush, forget_thinning, init, install_scrubbers, is_set_up,
        redaction_rules, set_hostports, set_package_folder,
    };
    #[pymodule_export]
    use super::wishes::tells_client_address;
}
