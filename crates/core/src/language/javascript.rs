//! JavaScript and TypeScript.

/// The path in what a client names: a path, or a URL of the web, of a bundler, or of an app.
pub(super) fn path_of(name: &str) -> String {
    let Some((scheme, rest)) = name.split_once("://") else { return name.to_owned() };
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    match scheme {
        "file" => rest.to_owned(),
        // `webpack://PACKAGE/./src/cart.ts`, `webpack:///./src/cart.ts`.
        "webpack" | "webpack-internal" | "turbopack" | "rollup" | "vite" => {
            // The package tells its files from those of another one.
            let (package, path) = rest.split_once('/').unwrap_or(("", rest));
            let path = path.trim_start_matches("./").trim_start_matches('/');
            if package.is_empty() { path.to_owned() } else { format!("{package}/{path}") }
        }
        "app" | "capacitor" | "ionic" => rest.trim_start_matches('/').to_owned(),
        _ => format!("{scheme}://{rest}"),
    }
}

/// Whether a deployed file was made by a build, as far as its name says.
pub fn is_built(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path.starts_with("http://")
        || path.starts_with("https://")
        || name.contains(".min.")
        || name.contains("bundle")
}

/// Node's own code, and that of bundlers. Packages lie in `node_modules`.
pub(super) fn is_foreign(parts: &[&str]) -> bool {
    matches!(parts, ["internal", ..])
        // Extensions of the visitor's browser.
        || parts.first().is_some_and(|first| first.ends_with("-extension:"))
        || parts.windows(2).any(|pair| match pair {
            ["webpack", name] => *name == "runtime" || name.starts_with("bootstrap"),
            _ => false,
        })
        || parts.contains(&"bower_components")
}

#[cfg(test)]
mod tests {
    use crate::deployed_path::is_foreign_folder;

    #[test]
    fn code_of_node_and_packages_is_foreign() {
        for path in [
            "node:internal/modules/run_main",
            "internal/modules/cjs/loader.js",
            "/srv/app/node_modules/express/lib/router.js",
            "webpack/bootstrap.js",
            "chrome-extension://abc/content.js",
            "webpack/runtime/chunk.js",
            "<anonymous>",
        ] {
            assert!(is_foreign_folder(path), "{path}");
        }
        for path in ["/srv/app/internal/cart.js", "src/cart.ts", "http://x.org/assets/app.js"] {
            assert!(!is_foreign_folder(path), "{path}");
        }
        for built in ["https://x.org/app.js", "dist/app.min.js", "main.jsbundle", "bundle.js"] {
            assert!(super::is_built(built), "{built}");
        }
        assert!(!super::is_built("/srv/app/server.js"));
    }
}
