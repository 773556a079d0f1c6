//! Pages and the API.
mod api;
mod api_document;
mod api_tokens;
mod browser;
mod health;
mod hostile_pages;
mod issue_page;
mod pages;
mod people_pages;
mod plurals;
mod rule_pages;
mod setup_page;
mod shown;
mod week;
