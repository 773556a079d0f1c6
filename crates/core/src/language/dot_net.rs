//! C# and the other languages of .NET.

/// Packages of NuGet, and the framework as its reproducible builds name it.
pub(super) fn is_foreign(parts: &[&str]) -> bool {
    parts[0] == "_" || parts.windows(2).any(|pair| matches!(pair, [".nuget", "packages"]))
}

#[cfg(test)]
mod tests {
    use crate::deployed_path::is_foreign_folder;

    #[test]
    fn packages_and_the_framework_are_foreign() {
        for path in [
            "/_/src/libraries/System.Private.CoreLib/src/System/String.cs",
            r"C:\Users\ann\.nuget\packages\x\1.0\a.cs",
        ] {
            assert!(is_foreign_folder(path), "{path}");
        }
        for path in [r"D:\a\shop\src\Pricing.cs", "/build/shop/Pricing.cs"] {
            assert!(!is_foreign_folder(path), "{path}");
        }
    }
}
