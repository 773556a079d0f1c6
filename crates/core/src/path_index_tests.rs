//! Tables of deployed paths and their files in the repository.
use super::{PathIndex, PathMatch, PathPrefix, PathSettings};

const FILES: [&str; 18] = [
    "setup.py",
    "manage.py",
    "shop/cart.py",
    "shop/util/text.py",
    "api/util/text.py",
    "src/pay/card.py",
    "src/pay/__init__.py",
    "json/decoder.py",
    "scripts/shop-admin.py",
    "scripts/shop-run",
    "shop/settings.py.in",
    "Docs/ReadMe.py",
    "backend/server/handler.py",
    "old/shop/server/handler.py",
    "util/text.py",
    "tools/one.py",
    "web/site/Base.py",
    "api/site/base.py",
];

/// The file, or the candidates with `?` after each, or `-` for a foreign path.
fn find_with(settings: &PathSettings, deployed: &str) -> String {
    match PathIndex::new(FILES).find(deployed, settings) {
        PathMatch::Certain(file, rule) => format!("{file} {rule:?}"),
        PathMatch::Likely(file, rule) => format!("{file} {rule:?}"),
        PathMatch::IfTextStands(files) => {
            files.iter().map(|file| format!("{file}?")).collect::<Vec<_>>().join(" ")
        }
        PathMatch::IfLineStands(files) => {
            files.iter().map(|file| format!("{file}!")).collect::<Vec<_>>().join(" ")
        }
        PathMatch::Foreign => "-".to_owned(),
    }
}

fn check(table: &[(&str, &str)]) {
    let settings = PathSettings { package_folders: vec!["site-packages".into()], prefixes: vec![] };
    for (deployed, expected) in table {
        assert_eq!(find_with(&settings, deployed), *expected, "{deployed}");
    }
}

#[test]
fn longest_suffix_that_is_a_file_needs_no_configuration() {
    check(&[
        ("/srv/releases/2026-11-01/shop/cart.py", "shop/cart.py WholePath"),
        ("shop/cart.py", "shop/cart.py WholePath"),
        ("./shop//cart.py", "shop/cart.py WholePath"),
        ("/srv/app/bin/../shop/cart.py", "shop/cart.py WholePath"),
        ("/srv/app/manage.py", "manage.py WholePath"),
        (
            "/usr/share/backend2/server/handler.py",
            "backend/server/handler.py? old/shop/server/handler.py?",
        ),
        ("/usr/share/web/shop/server/handler.py", "old/shop/server/handler.py LongestSuffix"),
        ("/srv/app/api/util/text.py", "api/util/text.py WholePath"),
        ("/srv/other/pay/card.py", "src/pay/card.py LongestSuffix"),
    ]);
}

#[test]
fn older_option_names_the_folder_that_holds_the_repository() {
    check(&[
        ("/opt/py/site-packages/shop/cart.py", "shop/cart.py PackageFolder"),
        ("/opt/lib/python3.11/site-packages/setup.py", "setup.py PackageFolder"),
    ]);
}

#[test]
fn eggs_wheels_and_zip_files_are_package_folders() {
    check(&[
        ("/x/site-packages/shop-1.0-py2.7.egg/shop/cart.py", "shop/cart.py WholePath"),
        ("/srv/deps.zip/shop/cart.py", "shop/cart.py WholePath"),
        ("/tmp/pay-1.0-py3-none-any.whl/pay/card.py", "src/pay/card.py LongestSuffix"),
        ("/srv/deps.zip/other/json/decoder.py", "json/decoder.py?"),
    ]);
}

#[test]
fn package_without_a_repository_folder_needs_its_text() {
    check(&[
        ("/opt/lib/python3.11/site-packages/pay/card.py", "src/pay/card.py LongestSuffix"),
        ("/usr/lib/python3/dist-packages/mine/util/../pay/card.py", "src/pay/card.py?"),
        ("/opt/lib/python3.11/site-packages/other/json/decoder.py", "json/decoder.py?"),
        ("/srv/app/node_modules/other/shop/cart.py", "shop/cart.py?"),
        ("/usr/lib/python3/dist-packages/setup.py", "setup.py?"),
    ]);
}

#[test]
fn interpreter_library_is_foreign() {
    check(&[
        ("/opt/python/lib/python3.11/json/decoder.py", "-"),
        (r"C:\Python311\Lib\json\decoder.py", "-"),
        ("/usr/lib64/python2.6/util/text.py", "-"),
    ]);
}

#[test]
fn base_names_match_without_py_and_with_in() {
    check(&[
        ("/usr/bin/shop-admin", "scripts/shop-admin.py?"),
        ("/usr/bin/shop-run", "scripts/shop-run?"),
        ("/srv/app/scripts/shop-run", "scripts/shop-run WholePath"),
        ("/usr/share/shop/settings.py", "shop/settings.py.in WholePath"),
        ("/srv/app/shop/cart.pyc", "shop/cart.py WholePath"),
    ]);
}

#[test]
fn windows_paths_and_paths_in_another_case_are_found() {
    check(&[
        (r"C:\inetpub\shop\cart.py", "shop/cart.py WholePath"),
        (r"C:\INETPUB\SHOP\CART.PY", "shop/cart.py WholePath"),
        (r"C:\Inetpub\Shop\cart.py", "shop/cart.py WholePath"),
        (r"C:\Python311\Lib\site-packages\PAY\Card.py", "src/pay/card.py LongestSuffix"),
        ("/srv/docs/readme.py", "Docs/ReadMe.py WholePath"),
        ("/srv/app/tools/ONE.py", "tools/one.py WholePath"),
        ("/srv/x/Site/BASE.py", "web/site/Base.py? api/site/base.py?"),
    ]);
}

#[test]
fn match_of_one_part_or_a_tie_needs_the_text() {
    check(&[
        ("/srv/cart.py", "shop/cart.py?"),
        ("/srv/else/util/text.py", "util/text.py WholePath"),
        ("/srv/else/text.py", "shop/util/text.py? api/util/text.py? util/text.py?"),
    ]);
}

#[test]
fn name_that_is_not_a_path_is_foreign() {
    let none =
        ["<string>", "<frozen importlib._bootstrap>", "", "/", "../../etc/passwd", "--output=x"];
    check(&none.map(|deployed| (deployed, "-")));
    check(&[("shop/cart.py\0", "-")]);
}

#[test]
fn configured_prefix_goes_before_everything_else() {
    let prefix = |deployed: &str, folder: &str| PathPrefix {
        deployed: deployed.into(),
        folder: folder.into(),
    };
    let settings = PathSettings {
        prefixes: vec![
            prefix("/srv/app/", "api"),
            prefix(r"D:\site", ""),
            prefix("/usr/lib", "src"),
        ],
        package_folders: vec![],
    };
    for (deployed, expected) in [
        ("/srv/app/util/text.py", "api/util/text.py Prefix"),
        (r"D:\site\util\text.py", "util/text.py Prefix"),
        ("/usr/lib/pay/card.py", "src/pay/card.py Prefix"),
        ("/srv/app/shop/cart.py", "shop/cart.py WholePath"),
        ("/srv/application/util/text.py", "util/text.py WholePath"),
    ] {
        assert_eq!(find_with(&settings, deployed), expected, "{deployed}");
    }
}

#[test]
fn prefixed_name_may_be_a_file_if_its_line_agrees() {
    check(&[
        ("/tmp/remote_8/remote_module_cart.py", "shop/cart.py!"),
        ("/tmp/x/build-card.pyc", "src/pay/card.py!"),
        ("/tmp/x/a_text.py", "shop/util/text.py! api/util/text.py! util/text.py!"),
        ("/tmp/x/my_shop-admin.py", "scripts/shop-admin.py!"),
        ("/tmp/x/recart.py", "-"),
        ("/tmp/x/cart_.py", "-"),
        ("/opt/venv/lib/python3.11/site-packages/x/a_cart.py", "-"),
    ]);
}

#[test]
fn rivals_share_the_name_and_nearest_paths_come_first() {
    let index = PathIndex::new(FILES);
    let rivals = |deployed, than| index.rivals(deployed, than).join(" ");
    assert_eq!(
        rivals("/srv/api/util/text.py", "util/text.py"),
        "api/util/text.py shop/util/text.py"
    );
    assert_eq!(rivals("/srv/shop/cart.py", "shop/cart.py"), "");
    assert_eq!(rivals("<string>", "shop/cart.py"), "");
    let many = PathIndex::new((0..40).map(|at| format!("a{at}/models.py")));
    assert!(many.rivals("/srv/a1/models.py", "a1/models.py").is_empty(), "too many to read");
}
