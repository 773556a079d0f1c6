//! Tracebacks as programs print them, found in any text around them.

mod python;

pub use python::parse_python;

/// A printed traceback.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextTraceback {
    /// Outermost first.
    pub frames: Vec<TextFrame>,
    /// As printed, e.g. `ZeroDivisionError` or `shop.errors.EmptyCart`; empty when cut off.
    pub exception_type: String,
    /// The rest of the line behind the type.
    pub exception_message: String,
}

/// One printed frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextFrame {
    /// Path as printed.
    pub path: String,
    /// Line number from 1; 0 when the printed one is none.
    pub line: u32,
    /// Function name; `<module>` at the top of a file.
    pub function: String,
    /// The source line below it; empty when it was not printed.
    pub text: String,
}
