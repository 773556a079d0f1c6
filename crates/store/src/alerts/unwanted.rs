//! Mails that somebody does not want.
use sqlx::FromRow;

use crate::{DEFAULT_PROJECT, ProjectId, Store, StoreError, WriteTx, db};

/// The mails that somebody can unsubscribe from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnwantedKind {
    /// Alerts about one or several issues.
    Alerts,
    /// The weekly report.
    Weekly,
}

impl UnwantedKind {
    /// The kind with this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Alerts, Self::Weekly].into_iter().find(|kind| kind.as_str() == name)
    }

    /// As in `they get the weekly report`.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Alerts => "alerts",
            Self::Weekly => "the weekly report",
        }
    }

    /// The project whose rows say who does not want these mails: one weekly report is about all
    /// projects.
    fn project(self, project: ProjectId) -> ProjectId {
        match self {
            Self::Alerts => project,
            Self::Weekly => DEFAULT_PROJECT,
        }
    }

    /// Its name in links and rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alerts => "alerts",
            Self::Weekly => "weekly",
        }
    }
}

/// Somebody who does not want some mails.
#[derive(Debug, Clone, FromRow)]
pub struct UnwantedMail {
    /// Their address, in lower case.
    pub address: String,
    /// Which mails, as [`UnwantedKind::as_str`].
    pub kind: String,
    /// Since when.
    pub since: i64,
}

const IS_UNWANTED: &str = "SELECT COUNT(*) FROM unwanted_mail \
     WHERE project_id = $1 AND address = $2 AND kind = $3";

impl WriteTx {
    /// Stores whether an address wants these mails. When it wants them again, deferred alerts are
    /// released, because an owner may be reachable again.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn want_mails(
        &mut self,
        address: &str,
        kind: UnwantedKind,
        wanted: bool,
        at: i64,
    ) -> Result<(), StoreError> {
        if wanted {
            self.remove_unwanted(address, kind).await?;
            self.release_alerts(at).await
        } else {
            self.add_unwanted(address, kind, at).await
        }
    }

    /// Whether an address does not want these mails, within this transaction.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn is_unwanted(
        &mut self,
        address: &str,
        kind: UnwantedKind,
    ) -> Result<bool, StoreError> {
        let query = db::query_scalar(IS_UNWANTED);
        let query = query.bind(kind.project(self.project)).bind(address.to_ascii_lowercase());
        let query = query.bind(kind.as_str());
        Ok(query.fetch_one::<i64>(&mut self.tx).await? > 0)
    }

    /// Unsubscribes an address from these mails. Its pending alerts go to the next one who answers.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_unwanted(
        &mut self,
        address: &str,
        kind: UnwantedKind,
        at: i64,
    ) -> Result<(), StoreError> {
        let address = address.to_ascii_lowercase();
        let query = db::query(
            "INSERT INTO unwanted_mail (project_id, address, kind, since) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (project_id, address, kind) DO NOTHING",
        );
        let query = query.bind(kind.project(self.project)).bind(&address);
        let query = query.bind(kind.as_str()).bind(at);
        query.execute(&mut self.tx).await?;
        if kind == UnwantedKind::Alerts {
            for statement in [
                "UPDATE alert SET composed_at = NULL, note = NULL WHERE id IN \
                 (SELECT alert_id FROM notification WHERE project_id = $2 AND outbox_id IS NULL \
                  AND is_owner = 1 AND LOWER(recipient) = $1)",
                "DELETE FROM notification WHERE project_id = $2 AND outbox_id IS NULL \
                 AND LOWER(recipient) = $1",
            ] {
                db::query(statement)
                    .bind(&address)
                    .bind(self.project)
                    .execute(&mut self.tx)
                    .await?;
            }
        }
        Ok(())
    }

    /// Subscribes an address to these mails again.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn remove_unwanted(
        &mut self,
        address: &str,
        kind: UnwantedKind,
    ) -> Result<(), StoreError> {
        let query = db::query(
            "DELETE FROM unwanted_mail WHERE project_id = $1 AND address = $2 AND kind = $3",
        );
        let query = query.bind(kind.project(self.project)).bind(address.to_ascii_lowercase());
        let query = query.bind(kind.as_str());
        query.execute(&mut self.tx).await?;
        Ok(())
    }
}

impl Store {
    /// Everybody to whom the project wrote and who does not want some mails, by address.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn unwanted_mails(&self) -> Result<Vec<UnwantedMail>, StoreError> {
        let query = db::query(
            "SELECT address, kind, since FROM unwanted_mail \
             WHERE (project_id = $1 AND kind = 'alerts') \
             OR (project_id = $2 AND kind = 'weekly' AND ($1 = $2 OR EXISTS (SELECT 1 FROM outbox \
             WHERE outbox.project_id = $1 AND LOWER(outbox.recipient) = unwanted_mail.address))) \
             ORDER BY address, kind",
        );
        Ok(query.bind(self.project).bind(DEFAULT_PROJECT).fetch_all(&self.readers).await?)
    }

    /// Whether an address does not want these mails.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn is_unwanted(&self, address: &str, kind: UnwantedKind) -> Result<bool, StoreError> {
        let query = db::query_scalar(IS_UNWANTED);
        let query = query.bind(kind.project(self.project)).bind(address.to_ascii_lowercase());
        let query = query.bind(kind.as_str());
        Ok(query.fetch_one::<i64>(&self.readers).await? > 0)
    }
}
