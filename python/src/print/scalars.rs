//! Strings, bytes and numbers, as Python prints them.
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyString};

use super::{Printed, Printer};
use crate::raw;
use crate::statics::name;

/// Larger integers, in bits, take long to print.
const LARGE_INTEGER: u64 = 2_048;

impl Printer<'_, '_, '_> {
    /// Prints a string like Python, up to the character limit.
    pub(super) fn string(&mut self, text: &Bound<'_, PyString>) -> Printed {
        let is_cut = raw::length(text) > self.bounds.left;
        let part = if is_cut || !text.is_exact_instance_of::<PyString>() {
            raw::substring(text, self.bounds.left + 1)
        } else {
            None
        };
        let part = part.as_ref().unwrap_or(text);
        // Without an early exit the compiler can vectorize the loop.
        let is_plain = |byte: u8| (b' '..=b'~').contains(&byte) & (byte != b'\\') & (byte != b'\'');
        if let Some(utf8) = raw::utf8(part)
            && utf8.bytes().fold(true, |plain, byte| plain & is_plain(byte))
        {
            self.write("'")?;
            self.write(utf8)?;
            return self.write("'");
        }
        let printer = part.py().get_type::<PyString>().getattr(name!(part.py(), "__repr__"));
        match printer.ok().and_then(|printer| super::repr_by(&printer, part)) {
            Some(repr) => self.text_of(&repr),
            None => self.write("'?'"),
        }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8], wrapper: &str) -> Printed {
        let start = &bytes[..bytes.len().min(self.bounds.left + 1)];
        let quote = match start.contains(&b'\'') && !start.contains(&b'"') {
            true => '"',
            false => '\'',
        };
        let mut text = match wrapper.is_empty() {
            true => format!("b{quote}"),
            false => format!("{wrapper}(b{quote}"),
        };
        for &byte in start {
            match byte {
                b'\\' => text.push_str("\\\\"),
                b'\n' => text.push_str("\\n"),
                b'\r' => text.push_str("\\r"),
                b'\t' => text.push_str("\\t"),
                byte if char::from(byte) == quote => {
                    text.push('\\');
                    text.push(quote);
                }
                b' '..=b'~' => text.push(char::from(byte)),
                byte => text.push_str(&format!("\\x{byte:02x}")),
            }
        }
        text.push(quote);
        if !wrapper.is_empty() {
            text.push(')');
        }
        self.write(&text)
    }

    pub(super) fn integer(&mut self, value: &Bound<'_, PyAny>) -> Printed {
        if let Ok(number) = value.extract::<i64>() {
            let mut digits = [0; 20];
            return self.write(decimal(number, &mut digits));
        }
        // Use the methods of `int`, not those of a subtype, which may be the program's, and not
        // `repr`, which runs the program's signal handlers.
        let int = value.py().get_type::<PyInt>();
        let bits = int.getattr(name!(value.py(), "bit_length"));
        let bits = bits.and_then(|bits| bits.call1((value,))?.extract::<u64>());
        let bits = bits.unwrap_or(u64::MAX);
        if bits > LARGE_INTEGER {
            return self.write(&format!("<int of {bits} bits>"));
        }
        let is_negative = value.lt(0).unwrap_or(false);
        let magnitude = int.getattr(name!(value.py(), "__abs__"));
        let bytes = magnitude.and_then(|magnitude| {
            let bytes = int.getattr(name!(value.py(), "to_bytes"))?;
            bytes.call1((magnitude.call1((value,))?, bits / 8 + 1, "big"))?.extract::<Vec<u8>>()
        });
        match bytes {
            Ok(bytes) => self.write(&large_decimal(is_negative, &bytes)),
            Err(_) => self.write(&format!("<int of {bits} bits>")),
        }
    }
}

/// Prints a big-endian number of many bytes.
fn large_decimal(is_negative: bool, bytes: &[u8]) -> String {
    const BASE: u64 = 1_000_000_000_000_000_000;
    // Digits in this base, lowest first.
    let mut digits: Vec<u64> = vec![0];
    for &byte in bytes {
        let mut carry = u128::from(byte);
        for digit in &mut digits {
            let sum = u128::from(*digit) * 256 + carry;
            *digit = u64::try_from(sum % u128::from(BASE)).unwrap_or(0);
            carry = sum / u128::from(BASE);
        }
        if carry > 0 {
            digits.push(u64::try_from(carry).unwrap_or(0));
        }
    }
    let mut text = if is_negative { "-".to_owned() } else { String::new() };
    for (at, digit) in digits.iter().rev().enumerate() {
        text.push_str(&if at == 0 { format!("{digit}") } else { format!("{digit:018}") });
    }
    text
}

fn decimal(number: i64, digits: &mut [u8; 20]) -> &str {
    let mut rest = number.unsigned_abs();
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        start -= 1;
        digits[start] = b'-';
    }
    std::str::from_utf8(&digits[start..]).unwrap_or("0")
}
