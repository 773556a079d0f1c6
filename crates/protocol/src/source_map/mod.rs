//! Source maps: from a place in a generated file to the place in the sources that it was made of.
mod generated;

use sourcemap::{DecodedMap, SourceMapHermes, Token, decode_slice};

pub use generated::{Generated, debug_id_in, inline_map, map_reference};

/// A source map that was read. Positions are looked up in it without a copy.
#[derive(Debug)]
pub struct SourceMap(Decoded);

#[derive(Debug)]
enum Decoded {
    Plain(sourcemap::SourceMap),
    /// With the functions of each source, as Hermes and Metro write them.
    Hermes(SourceMapHermes),
}

/// A source map that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceMapError {
    /// It is larger than [`MAX_MAP`], or has more positions than [`MAX_POSITIONS`].
    #[error("it is too large: at most {MAX_MAP} bytes and {MAX_POSITIONS} positions are read")]
    TooLarge,
    /// It is not a source map of version 3.
    #[error("it is not a source map: {0}")]
    Malformed(String),
    /// It only refers to other maps.
    #[error("its sections are in other files: build one map with all sections inside")]
    Elsewhere,
}

/// Bytes of the largest map that is read.
pub const MAX_MAP: usize = 64 * 1024 * 1024;
/// Positions of a map, each of which takes 28 bytes in memory. They are counted by the separators
/// in the whole file, code that it quotes included.
pub const MAX_POSITIONS: usize = 6_000_000;
/// Values in a map, such as names, each of which takes some 50 bytes in memory.
const MAX_VALUES: usize = 2_000_000;

/// A place in the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Original<'a> {
    /// The source as the map names it: a path, a part of one, or a URL.
    pub source: &'a str,
    /// The number of the source in its map.
    pub number: u32,
    /// Line number from 1.
    pub line: u32,
    /// The name of what stands exactly there, if it was renamed.
    pub name: Option<&'a str>,
    /// The function around it, if the map says that.
    pub function: Option<&'a str>,
}

impl SourceMap {
    /// Reads a map: a plain one, one with sections, or one of Hermes.
    ///
    /// # Errors
    /// It is too large, malformed, or its sections are in other files.
    pub fn read(bytes: &[u8]) -> Result<Self, SourceMapError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let separators = memchr::memchr2_iter(b',', b';', bytes).count();
        let values = values(bytes);
        if bytes.len() > MAX_MAP
            || separators > MAX_POSITIONS
            || values > MAX_VALUES
            || longest_root(bytes).saturating_mul(values) > MAX_MAP
        {
            return Err(SourceMapError::TooLarge);
        }
        let malformed = |error: sourcemap::Error| SourceMapError::Malformed(error.to_string());
        Ok(Self(match decode_slice(bytes).map_err(malformed)? {
            DecodedMap::Regular(map) => Decoded::Plain(map),
            DecodedMap::Hermes(map) => Decoded::Hermes(map),
            DecodedMap::Index(index) => {
                if index.sections().any(|section| section.get_sourcemap().is_none()) {
                    return Err(SourceMapError::Elsewhere);
                }
                Decoded::Plain(index.flatten().map_err(malformed)?)
            }
        }))
    }

    /// The place that a line and a column, both from 1, of the generated file come from. `None` when
    /// nothing is mapped there.
    pub fn original(&self, line: u32, column: u32) -> Option<Original<'_>> {
        let at = (line.checked_sub(1)?, column.checked_sub(1)?);
        let token =
            self.map().lookup_token(at.0, at.1).filter(|token| token.get_dst_line() == at.0)?;
        let source = token.get_source().filter(|source| !source.is_empty())?;
        Some(Original {
            source,
            number: token.get_src_id(),
            line: token.get_src_line().checked_add(1)?,
            name: token.get_name().filter(|_| token.get_dst_col() == at.1),
            function: self.function_around(token),
        })
    }

    /// The name that a function of the generated file has in the sources: that of its definition
    /// before this line and column, both from 1.
    pub fn original_name(
        &self,
        generated: &Generated,
        (line, column): (u32, u32),
        name: &str,
    ) -> Option<&str> {
        let at = (line.checked_sub(1)?, column.checked_sub(1)?);
        let map = self.map();
        let (mut first, mut end) = (0, map.get_token_count());
        while first < end {
            let middle = first + (end - first) / 2;
            match map.get_token(middle as usize)?.get_dst() <= at {
                true => first = middle + 1,
                false => end = middle,
            }
        }
        let before = (0..first).rev().take(MOST_SEARCHED);
        let mut tokens = before.filter_map(|at| map.get_token(at as usize));
        let definition = tokens.find(|token| {
            let (line, column) = token.get_dst();
            token.has_name() && generated.defines(name, line, column)
        });
        definition?.get_name()
    }

    /// A line of a source, from 1, with those before and after it. `None` when the map does not
    /// quote it.
    pub fn lines(&self, source: u32, line: u32, around: u32) -> Option<Lines<'_>> {
        let view = self.map().get_source_view(source)?;
        let at = line.checked_sub(1)?;
        let get = |at: u32| view.get_line(at);
        Some(Lines {
            text: get(at)?,
            before: (at.saturating_sub(around)..at).filter_map(get).collect(),
            after: (at + 1..at.saturating_add(around + 1)).map_while(get).collect(),
        })
    }

    /// Bytes that it takes in memory, roughly.
    pub fn memory(&self) -> usize {
        let map = self.map();
        let quoted: usize = map.source_contents().flatten().map(str::len).sum();
        let names = map.names().chain(map.sources()).map(|name| name.len() + 64);
        let tokens = map.get_token_count() as usize * size_of::<sourcemap::RawToken>();
        tokens + quoted + names.sum::<usize>()
    }

    fn map(&self) -> &sourcemap::SourceMap {
        match &self.0 {
            Decoded::Plain(map) => map,
            Decoded::Hermes(map) => map,
        }
    }

    fn function_around(&self, token: Token<'_>) -> Option<&str> {
        match &self.0 {
            Decoded::Plain(_) => None,
            Decoded::Hermes(map) => map.get_scope_for_token(token),
        }
    }
}

/// How many values a document has at most. What is in its texts, such as code, does not count.
pub(crate) fn values(bytes: &[u8]) -> usize {
    let (mut count, mut rest) = (1, bytes);
    while let Some(text) = memchr::memchr(b'"', rest) {
        let (outside, text) = rest.split_at(text);
        count += outside.iter().filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{')).count();
        let mut at = 1;
        while let Some(found) = memchr::memchr2(b'"', b'\\', text.get(at..).unwrap_or_default()) {
            let is_end = text[at + found] == b'"';
            at += found + if is_end { 1 } else { 2 };
            if is_end {
                break;
            }
        }
        if at == 1 || at > text.len() {
            return count;
        }
        rest = &text[at..];
    }
    count + rest.iter().filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{')).count()
}

/// The length of the longest `sourceRoot`, which is put before the name of each source.
fn longest_root(bytes: &[u8]) -> usize {
    let found = memchr::memmem::find_iter(bytes, b"\"sourceRoot\"");
    let length = |at: usize| {
        let rest = &bytes[at + b"\"sourceRoot\"".len()..];
        let start = memchr::memchr(b'"', rest).map_or(rest.len(), |start| start + 1);
        memchr::memchr(b'"', &rest[start..]).unwrap_or(rest.len() - start)
    };
    found.map(length).max().unwrap_or(0)
}

/// A line of a source with those around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines<'a> {
    /// The line.
    pub text: &'a str,
    /// The lines before it, nearest last.
    pub before: Vec<&'a str>,
    /// The lines after it, nearest first.
    pub after: Vec<&'a str>,
}

/// Positions before a frame among which the definition of its function is looked for.
const MOST_SEARCHED: usize = 2_000;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Made by esbuild of `pricing.js` below.
    const MINIFIED: &str = "(()=>{function r(t){if(!t.qty)throw new Error(\"no quantity\");\
        return t.total/t.qty}globalThis.unitPrice=r;})();\n";
    const SOURCE: &str = "export function unitPrice(line) {\n  if (!line.qty) throw new \
        Error(\"no quantity\");\n  return line.total / line.qty;\n}\nglobalThis.unitPrice = \
        unitPrice;\n";
    const MAPPINGS: &str = "MAAO,SAASA,EAAUC,EAAM,CAC9B,GAAI,CAACA,EAAK,IAAK,MAAM,IAAI,MAAM,aAAa,EAC5C,\
        OAAOA,EAAK,MAAQA,EAAK,GAC3B,CACA,WAAW,UAAYD";

    fn map() -> serde_json::Value {
        json!({"version": 3, "sources": ["../src/pricing.js"], "sourcesContent": [SOURCE],
               "names": ["unitPrice", "line"], "mappings": MAPPINGS})
    }

    fn read(map: &serde_json::Value) -> Result<SourceMap, SourceMapError> {
        SourceMap::read(map.to_string().as_bytes())
    }

    #[test]
    fn place_in_a_minified_file_becomes_that_of_its_source() {
        let map = read(&map()).expect("a map");
        let thrown =
            u32::try_from(MINIFIED.find("new Error").expect("it is there")).expect("it fits");
        let original = map.original(1, thrown + 1).expect("it is mapped");
        assert_eq!((original.source, original.line), ("../src/pricing.js", 2));
        let lines = map.lines(original.number, 2, 1).expect("it is quoted");
        assert_eq!(lines.text.trim(), "if (!line.qty) throw new Error(\"no quantity\");");
        assert_eq!(lines.before, ["export function unitPrice(line) {"]);
        assert_eq!(lines.after, ["  return line.total / line.qty;"]);
        assert_eq!(map.lines(0, 99, 1), None);
        assert_eq!(map.lines(7, 1, 1), None);
        let generated = Generated::new(MINIFIED.into());
        let name = |name| map.original_name(&generated, (1, thrown + 1), name);
        assert_eq!((name("r"), name("q")), (Some("unitPrice"), None));
        for nowhere in [(0, 1), (1, 0), (1, 1), (2, 1), (900, 7)] {
            assert_eq!(map.original(nowhere.0, nowhere.1), None, "{nowhere:?}");
        }
        let at_the_end = map.original(1, u32::MAX).expect("the last position goes on");
        assert_eq!(at_the_end.line, 5);
    }

    #[test]
    fn sections_and_hermes_are_read() {
        let offset = json!({"line": 1, "column": 0});
        let sections = json!({"version": 3, "sections": [{"offset": offset, "map": map()}]});
        let map_of_sections = read(&sections).expect("a map");
        assert_eq!(map_of_sections.original(1, 30), None);
        assert_eq!(map_of_sections.original(2, 30).map(|it| it.line), Some(2));
        let elsewhere =
            json!({"version": 3, "sections": [{"offset": offset, "url": "http://x.org/a.map"}]});
        assert_eq!(read(&elsewhere).map(|_| ()), Err(SourceMapError::Elsewhere));
        let mut hermes = map();
        hermes["x_facebook_sources"] =
            json!([[{"names": ["<global>", "unitPrice"], "mappings": "AAA,SCAA"}]]);
        let hermes = read(&hermes).expect("a map");
        assert_eq!(hermes.original(1, 40).and_then(|it| it.function), Some("unitPrice"));
    }

    #[test]
    fn values_are_counted_outside_of_texts() {
        for (text, expected) in [
            (r#"{"a": [1, 2, "x,y,[{:\"", 4]}"#, 7),
            (r#"["\\", 1]"#, 3),
            (r#"["never ends, \"#, 2),
            (r#""\"#, 1),
            ("\"", 1),
            ("[,,,", 5),
            ("", 1),
        ] {
            assert_eq!(values(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_map_is_an_error() {
        let mut wrong = vec![b"".to_vec(), b"{".to_vec(), b"[]".to_vec(), b"\xff\xfe".to_vec()];
        for (name, value) in [
            ("mappings", json!("!!!")),
            ("mappings", json!("AAAAAAAAAA")),
            ("mappings", json!("AAAA,AZZZZ")),
            ("mappings", json!("gggggggggggggggggggggggggggggggA")),
            ("sources", json!([])),
            ("names", json!(7)),
            ("sections", json!([{}])),
        ] {
            let mut map = map();
            map[name] = value;
            wrong.push(map.to_string().into_bytes());
        }
        let deep = "{\"version\":3,\"sections\":[{\"offset\":{\"line\":0,\"column\":0},\"map\":";
        wrong.push(deep.repeat(10_000).into_bytes());
        for bytes in wrong {
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(90)]).into_owned();
            let read = SourceMap::read(&bytes);
            assert!(matches!(read, Err(SourceMapError::Malformed(_))), "{shown}: {read:?}");
        }
        let root = format!(
            "{{\"sourceRoot\": \"{}\", \"sources\": [{}]}}",
            "r".repeat(100_000),
            "\"s\",".repeat(1_000)
        );
        for large in [";".repeat(MAX_POSITIONS + 1), "[0,".repeat(MAX_VALUES + 1), root] {
            assert_eq!(
                SourceMap::read(large.as_bytes()).map(|_| ()),
                Err(SourceMapError::TooLarge)
            );
        }
    }
}
