//! Java, Kotlin and the other languages of its machine.

/// The package's folders and the name of the file: clients send only the class and the name.
pub(super) fn path_of(filename: &str, class: &str) -> String {
    // `app//com.acme.Cart` and `java.base/java.util.List` name a loader or a module first.
    let class = class.rsplit('/').next().unwrap_or(class);
    match class.rsplit_once('.') {
        Some((package, _)) => format!("{}/{filename}", package.replace('.', "/")),
        None => filename.to_owned(),
    }
}

/// Packages of the platform and of the languages' own libraries.
pub(super) fn is_foreign(parts: &[&str]) -> bool {
    matches!(
        parts,
        [
            "java"
                | "javax"
                | "jakarta"
                | "jdk"
                | "sun"
                | "kotlin"
                | "kotlinx"
                | "scala"
                | "groovy"
                | "clojure"
                | "android"
                | "androidx"
                | "dalvik",
            _,
            ..
        ] | ["com", "sun" | "oracle", ..]
            | ["org", "codehaus", "groovy", ..]
    )
}

/// Whether a path begins with a package, so that all of it has to agree with a file's.
pub(crate) fn is_package_path(deployed: &str) -> bool {
    !deployed.starts_with(['/', '\\', '.']) && !deployed.contains([':', '\\'])
}

/// What packages begin with.
const FIRST_OF_PACKAGES: [&str; 14] =
    ["com", "org", "net", "io", "edu", "gov", "dev", "co", "de", "fr", "uk", "eu", "us", "me"];

/// Whether the folders before a package's path can be where sources begin. A folder that packages
/// begin with belongs to the package itself.
pub(crate) fn is_source_root(folders: &str) -> bool {
    let is_of_package = |folder: &str| FIRST_OF_PACKAGES.contains(&folder);
    folders.is_empty() || (folders.ends_with('/') && !folders.split('/').any(is_of_package))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_begin_before_the_package() {
        for root in ["", "src/main/java/", "server/"] {
            assert!(is_source_root(root), "{root}");
        }
        for within in ["src/main/java/com/acme/", "org/", "src/main/javax"] {
            assert!(!is_source_root(within), "{within}");
        }
    }
    use crate::deployed_path::is_foreign_folder;

    #[test]
    fn class_and_name_make_a_path() {
        for (filename, class, expected) in [
            ("Pricing.java", "com.acme.shop.Pricing$OrderException", "com/acme/shop/Pricing.java"),
            ("List.java", "java.base/java.util.List", "java/util/List.java"),
            ("Cart.kt", "app//com.acme.CartKt", "com/acme/Cart.kt"),
            ("Main.java", "Main", "Main.java"),
            ("Main.java", "", "Main.java"),
        ] {
            assert_eq!(path_of(filename, class), expected);
        }
    }

    #[test]
    fn platform_is_foreign() {
        for path in
            ["java/util/stream/ReferencePipeline.java", "kotlin/Result.kt", "com/sun/A.java"]
        {
            assert!(is_foreign_folder(path), "{path}");
        }
        for path in ["com/acme/shop/Pricing.java", "/srv/java/Cart.java", "Main.java"] {
            assert!(!is_foreign_folder(path), "{path}");
        }
    }
}
