//! Times as clients write them.
use serde_json::Value;

/// Milliseconds since 1970: of seconds or milliseconds as a number or a text, or of RFC 3339, also
/// without a zone, which is UTC then. `None` for anything else.
pub fn milliseconds(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => of_number(number.as_f64()?),
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().and_then(of_number).or_else(|| of_text(text))
        }
        _ => None,
    }
}

/// Seconds of the year 5138: larger numbers are milliseconds.
const MOST_SECONDS: f64 = 1e11;

fn of_number(number: f64) -> Option<i64> {
    if !number.is_finite() || number <= 0.0 {
        return None;
    }
    let milliseconds = if number < MOST_SECONDS { number * 1_000.0 } else { number };
    #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
    (milliseconds < 1e15).then_some(milliseconds as i64)
}

fn of_text(text: &str) -> Option<i64> {
    let zoned: Option<jiff::Timestamp> = text.parse().ok();
    let utc = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    Some(zoned.or_else(|| Some(utc()?.timestamp()))?.as_millisecond())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_form_is_read() {
        let at = Some(1_795_337_218_500);
        for (value, expected) in [
            (json!(1_795_337_218.5), at),
            (json!(1_795_337_218_500_i64), at),
            (json!("1795337218.5"), at),
            (json!("2026-11-22T08:46:58.500Z"), at),
            (json!("2026-11-22T08:46:58.5"), at),
            (json!("2026-11-22 08:46:58.500000"), at),
            (json!("2026-11-22T09:46:58.500123456+01:00"), at),
            (json!(0), None),
            (json!(-5), None),
            (json!(1e300), None),
            (json!("NaN"), None),
            (json!("yesterday"), None),
            (json!(""), None),
            (json!(null), None),
            (json!([]), None),
        ] {
            assert_eq!(milliseconds(&value), expected, "{value}");
        }
    }
}
