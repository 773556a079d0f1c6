//! The fields of each list's form, and the entry made from them. Their names are those of 0.4.5's
//! forms.
use flawless_store::RuleList;
use serde_json::{Map, Value, json};

use crate::actions::ActionError;
use crate::web::layout::form_fields::{FormField, Typed, fill_in, missing};

/// The fields of a list, filled in with what was typed.
pub(crate) fn fields_of(list: RuleList, typed: &Typed) -> Vec<FormField> {
    let mut fields = match list {
        RuleList::KnownErrors => code()
            .into_iter()
            .chain([
                FormField::text("min_alert_threshold", "Notify when it has occurred this often")
                    .hint("once; all three empty: nobody is notified"),
                FormField::text("alert_every_n_occurrences", "Notify at every multiple of"),
                FormField::text("max_alert_threshold", "Never notify above this many"),
                FormField::text("email_recipients", "Also notify")
                    .hint("addresses, separated by commas"),
                FormField::text("email_header", "Text at the top of the mail").rows(3),
            ])
            .collect(),
        RuleList::BuildingBlocks => code().into(),
        RuleList::ThirdPartyWhitelist => {
            let [file, function, code] = code();
            let file = file.hint("in the repository, or of a package: redis/client.py");
            vec![file, function, code]
        }
        RuleList::IgnoredExceptions => vec![
            FormField::text("exc_name", "Exception type")
                .hint("its full path, like builtins.KeyboardInterrupt")
                .required(),
        ],
        RuleList::WatchList => vec![
            path(),
            FormField::text("email", "Mail address").kind("email").required(),
            FormField::text("watch_all_errors", "Notify about").choices(&[
                ("true", "any error: some line of the traceback is in it"),
                ("false", "only blamed: the blamed line is in it"),
            ]),
        ],
        RuleList::DisownershipList => vec![
            path(),
            FormField::text("email", "Address of the current owner").required(),
            FormField::text("designated_email", "Address of the new owner")
                .kind("email")
                .required(),
        ],
        RuleList::EmailRemapping => vec![
            FormField::text("old_email", "Address in commits")
                .hint("the part before the @ is enough")
                .required(),
            FormField::text("new_email", "Address that is read").kind("email").required(),
        ],
    };
    fill_in(&mut fields, typed);
    fields
}

fn code() -> [FormField; 3] {
    [
        FormField::text("filename", "File path").hint("in the repository").required(),
        FormField::text("function_name", "Function name").hint("empty: any"),
        FormField::text("code_fragment", "Code").hint("a part of the line; empty: any").rows(2),
    ]
}

fn path() -> FormField {
    FormField::text("filepath", "File or folder").hint("in the repository; / for all").required()
}

/// Makes an entry from a filled-in form.
pub(crate) fn entry_of(list: RuleList, fields: &[FormField]) -> Result<Value, ActionError> {
    if let Some(missing) = missing(fields) {
        return Err(missing);
    }
    if list == RuleList::IgnoredExceptions {
        let name = fields.first().map(|field| field.value.trim()).unwrap_or_default();
        return Ok(json!(name));
    }
    let mut entry = Map::new();
    for FormField { name, value, .. } in fields {
        let value = value.trim();
        let value = match *name {
            "watch_all_errors" => json!(value == "true"),
            "email_recipients" => {
                let addresses = value.split(',').map(str::trim);
                json!(addresses.filter(|address| !address.is_empty()).collect::<Vec<_>>())
            }
            "min_alert_threshold" | "max_alert_threshold" | "alert_every_n_occurrences" => {
                match value {
                    "" => continue,
                    number => json!(number.parse::<u64>().map_err(|_| {
                        let shown: String = number.chars().take(50).collect();
                        let text = format!("{shown:?} is not a whole number from 0.");
                        ActionError::Field { name, text }
                    })?),
                }
            }
            _ => json!(value),
        };
        entry.insert((*name).to_owned(), value);
    }
    Ok(Value::Object(entry))
}

/// The inverse of [`entry_of`]: the values that fill in the form of an entry.
pub(crate) fn typed_of(entry: &Value) -> Typed {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(texts) => {
            texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    match entry {
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        other => Typed::from([("exc_name".to_owned(), text(other))]),
    }
}
