//! The definition of an option: its name, its kind of value, its meaning.
/// What an option's value must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionType {
    /// Any text.
    Text,
    /// A path; relative to the folder of the configuration file.
    Path,
    /// `True` or `False`; also yes/no, on/off, 1/0.
    Bool,
    /// A whole number from 0.
    Number,
    /// A port, 0 to 65535, or `any`.
    Port,
    /// Comma-separated texts.
    List,
    /// Comma-separated Python-style regular expressions.
    PatternList,
    /// A Python-style regular expression.
    Pattern,
    /// `YYYY-MM-DD`.
    Date,
    /// A mail address.
    Address,
    /// One of the words in the description.
    Word(&'static [&'static str]),
    /// Accepted in files of 0.4.5, but no longer used.
    Unused,
}

impl OptionType {
    /// The word `flawless options` shows.
    pub fn name(self) -> String {
        match self {
            Self::Text => "text".into(),
            Self::Path => "path".into(),
            Self::Bool => "True or False".into(),
            Self::Number => "number".into(),
            Self::Port => "port".into(),
            Self::List => "list, comma-separated".into(),
            Self::PatternList => "list of regular expressions, comma-separated".into(),
            Self::Pattern => "regular expression".into(),
            Self::Date => "date".into(),
            Self::Address => "mail address".into(),
            Self::Word(words) => words.join(" | "),
            Self::Unused => "no longer used".into(),
        }
    }
}

/// One option of the `[flawless]` section.
#[derive(Debug)]
pub struct OptionDef {
    /// Its name in the file.
    pub name: &'static str,
    /// Its value when it is not set, as it would be typed; empty when there is none.
    pub default: &'static str,
    /// What its value must look like.
    pub kind: OptionType,
    /// Whether the value is never shown, and `NAME_file` names a file that holds it.
    pub secret: bool,
    /// What it does.
    pub description: &'static str,
}
