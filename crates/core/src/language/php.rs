//! PHP.

/// Packages of Composer, archives, and what has no file.
pub(super) fn is_foreign(parts: &[&str]) -> bool {
    parts[0] == "phar:"
        || parts.iter().any(|part| part.to_ascii_lowercase().ends_with(".phar"))
        || parts.windows(3).any(|run| run[0] == "vendor")
        || matches!(parts, [.., "vendor", "autoload.php"])
}

#[cfg(test)]
mod tests {
    use crate::deployed_path::is_foreign_folder;

    #[test]
    fn packages_are_foreign() {
        for path in [
            "/srv/app/vendor/sentry/sentry/src/Client.php",
            "/srv/app/vendor/autoload.php",
            "phar:///usr/bin/composer.phar/src/A.php",
        ] {
            assert!(is_foreign_folder(path), "{path}");
        }
        for path in ["/srv/app/src/Vendor/Cart.php", "/pricing.php", "/srv/vendor/app.php"] {
            assert!(!is_foreign_folder(path), "{path}");
        }
    }
}
