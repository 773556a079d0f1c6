//! The address of the server for clients that report over HTTP.
use super::Config;

impl Config {
    /// `hostname`, else derived from the address that is listened on, else from this machine's
    /// name; `None` when the port is not known before the start.
    pub fn client_url(&self) -> Option<String> {
        if let Some(url) = &self.base_url {
            return Some(url.clone());
        }
        let address = self.http_address;
        if address.port() == 0 {
            return None;
        }
        if !address.ip().is_unspecified() {
            return Some(format!("http://{address}"));
        }
        let name = hostname::get().ok().and_then(|name| name.into_string().ok());
        Some(format!("http://{}:{}", name.as_deref().unwrap_or("localhost"), address.port()))
    }
}
