//! Ruby.

/// `raise` and `fail`.
pub(super) fn is_raise(text: &str) -> bool {
    let text = text.trim_start();
    ["raise", "fail"].iter().any(|word| {
        let rest = text.strip_prefix(word);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '(', '\t', '\n', ';']))
    })
}

/// Gems, wherever they are installed. The library of the interpreter is in `lib/ruby`.
pub(super) fn is_foreign(parts: &[&str]) -> bool {
    let has_version = |part: &str| {
        part.rsplit_once('-').is_some_and(|(_, end)| end.starts_with(|c: char| c.is_ascii_digit()))
    };
    parts.windows(2).any(|pair| match pair {
        ["vendor", "bundle"] | ["vendor", "cache"] => true,
        ["gems", gem] | ["bundler", gem] => has_version(gem) || *gem == "gems",
        ["rubygems-integration" | "ruby-vendor", _] => true,
        ["share", "rubygems-integration"] => true,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployed_path::is_foreign_folder;

    #[test]
    fn raises_are_recognised() {
        for text in ["raise OrderError, \"x\" if a", "  raise", "fail(ArgumentError)", "raise\n"] {
            assert!(is_raise(text), "{text}");
        }
        for text in ["raised = 1", "failure(x)", "x.raise", "order.fail!"] {
            assert!(!is_raise(text), "{text}");
        }
    }

    #[test]
    fn gems_are_foreign() {
        for path in [
            "/var/lib/gems/3.1.0/gems/rack-2.2.4/lib/rack.rb",
            "/srv/app/vendor/bundle/ruby/3.1.0/gems/sinatra-4.0/lib/a.rb",
            "/usr/lib/ruby/3.1.0/json.rb",
            "/usr/share/rubygems-integration/all/gems/rack-2.2/lib/rack.rb",
            "<internal:kernel>",
        ] {
            assert!(is_foreign_folder(path), "{path}");
        }
        for path in ["/srv/app/lib/pricing.rb", "app.rb", "/srv/gems/shop/lib/cart.rb"] {
            assert!(!is_foreign_folder(path), "{path}");
        }
    }
}
