//! Updates which issues are known errors when the rules change.
use flawless_core::{KnownError, RuleId};
use serde_json::Value;

use crate::rules::rule::parse;
use crate::{RuleList, StoreError, WriteTx, db};

impl WriteTx {
    /// Applies the current rules to the issues in the file of a known error immediately, instead of
    /// with their next reports.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(crate) async fn renew_known_errors(&mut self, entry: &Value) -> Result<(), StoreError> {
        let changed: KnownError = parse(&entry.to_string())?;
        let path = changed.pattern.filename;
        let query = db::query(
            "SELECT id, function_name, text, known_error_id FROM issue \
             WHERE project_id = $1 AND path = $2 AND merged_into IS NULL",
        );
        let issues: Vec<(i64, String, String, Option<RuleId>)> =
            query.bind(self.project).bind(&path).fetch_all(&mut self.tx).await?;
        // In an import, most files have none.
        if issues.is_empty() {
            return Ok(());
        }
        let query =
            db::query("SELECT id, body FROM rule WHERE project_id = $1 AND list = $2 ORDER BY id");
        let query = query.bind(self.project).bind(RuleList::KnownErrors.as_str());
        let rows: Vec<(RuleId, String)> = query.fetch_all(&mut self.tx).await?;
        let mut rules: Vec<(RuleId, KnownError)> = Vec::new();
        for (id, body) in rows {
            let rule: KnownError = parse(&body)?;
            if rule.pattern.filename == path {
                rules.push((id, rule));
            }
        }
        for (issue, function, text, known) in issues {
            let is = rules.iter().find(|(_, rule)| rule.pattern.matches(&path, &function, &text));
            let is = is.map(|(id, _)| *id);
            if is != known {
                self.set_known_error(issue, is).await?;
            }
        }
        Ok(())
    }
}
