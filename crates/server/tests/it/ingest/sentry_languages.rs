//! Events of programs in many languages: whose line is blamed, and what is shown of it.
use serde_json::{Value, json};

use crate::harness::{ANN, App, BEN, CLEO, TestRepository};
use crate::ingest::sentry::{envelope, send};

/// A program in another language: a file with its author's line, and one whose author called it.
struct Program {
    path: &'static str,
    content: &'static str,
    frames: Value,
    platform: &'static str,
    kind: &'static str,
}

/// Commits a caller of Ann's and the program of Ben's, and returns who is mailed about its error.
async fn mailed(program: Program, caller: (&str, &str)) -> String {
    let repository = TestRepository::empty();
    repository.commit(ANN, "2026-03-02", "the caller", &[caller]);
    repository.commit(BEN, "2026-05-18", "the program", &[(program.path, program.content)]);
    let revision = repository.git(&["rev-parse", "HEAD"]);
    repository.commit(CLEO, "2026-06-01", "another", &[("README", "")]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    let event = json!({
        "platform": program.platform, "release": format!("shop@1.4.2+{revision}"),
        "exception": [{"type": program.kind, "stacktrace": {"frames": program.frames}}],
    });
    assert_eq!(send(&app, envelope(&[("event", &event)])).await.0, 200);
    let mail = app.one_mail().await;
    println!("{}", mail.text);
    mail.to
}

/// Calls the price.
const JAVA_CALLER: (&str, &str) = (
    "src/main/java/com/acme/shop/Main.java",
    "class Main {\n  static void main() {\n    new Pricing().total(0);\n  }\n}\n",
);

#[tokio::test]
async fn java_finds_its_file_by_package_and_blames_the_caller_of_a_throw() {
    let program = || Program {
        path: "src/main/java/com/acme/shop/Pricing.java",
        content: "package com.acme.shop;\nclass Pricing {\n  int total(int n) {\n    if (n == 0) \
            throw new IllegalArgumentException();\n    return 7 / n;\n  }\n}\n",
        platform: "java",
        kind: "IllegalArgumentException",
        frames: json!([
            {"filename": "Thread.java", "module": "java.lang.Thread", "function": "run", "lineno": 840},
            {"filename": "Main.java", "module": "com.acme.shop.Main", "function": "main", "lineno": 3},
            {"filename": "Pricing.java", "module": "com.acme.shop.Pricing$Lines", "function": "total", "lineno": 4},
            {"filename": "Objects.java", "module": "java.util.Objects", "function": "check", "lineno": 7},
        ]),
    };
    assert_eq!(mailed(program(), JAVA_CALLER).await, ANN.1, "who called what throws");
    let mut fault = program();
    fault.frames[2]["lineno"] = json!(5);
    assert_eq!(mailed(fault, JAVA_CALLER).await, BEN.1, "whose line fails");
}

#[tokio::test]
async fn go_rust_php_ruby_and_javascript_find_their_lines() {
    for (program, caller) in [
        (
            Program {
                path: "cart/cart.go",
                content: "package cart\n\nfunc Total(n int) int {\n\treturn 7 / n\n}\n",
                platform: "go",
                kind: "runtime.errorString",
                frames: json!([
                    {"filename": "runtime/proc.go", "function": "main", "lineno": 250},
                    {"filename": "acme.example/shop/main.go", "function": "main", "lineno": 4},
                    {"filename": "acme.example/shop/cart/cart.go", "function": "Total", "lineno": 4},
                ]),
            },
            ("main.go", "package main\n\nfunc main() {\n\tcart.Total(0)\n}\n"),
        ),
        (
            Program {
                path: "src/pricing.rs",
                content: "pub fn total(n: u32) -> u32 {\n    7 / n\n}\n",
                platform: "native",
                kind: "panic",
                frames: json!([
                    {"abs_path": "/srv/build/src/main.rs", "filename": "main.rs", "function": "shop::main", "lineno": 2},
                    {"abs_path": "/srv/build/src/pricing.rs", "filename": "pricing.rs", "function": "shop::pricing::total", "lineno": 2},
                    {"abs_path": "/rustc/5980/library/core/src/panicking.rs", "filename": "panicking.rs", "function": "core::panicking::panic", "lineno": 9, "in_app": true},
                    {"abs_path": "/opt/cargo/registry/src/index/sentry-panic-0.49.5/src/lib.rs", "filename": "lib.rs", "function": "sentry_panic::panic_handler", "lineno": 35, "in_app": true},
                ]),
            },
            ("src/main.rs", "fn main() {\n    pricing::total(0);\n}\n"),
        ),
        (
            Program {
                path: "src/Pricing.php",
                content: "<?php\nclass Pricing {\n  function total($n) {\n    return 7 % $n;\n  }\n}\n",
                platform: "php",
                kind: "DivisionByZeroError",
                frames: json!([
                    {"abs_path": "/srv/app/app.php", "filename": "/app.php", "lineno": 2},
                    {"filename": "[internal]", "lineno": 0, "function": "array_map"},
                    {"abs_path": "/srv/app/src/Pricing.php", "filename": "/src/Pricing.php", "function": "Pricing::total", "lineno": 4},
                    {"abs_path": "/srv/app/vendor/acme/math/src/Mod.php", "filename": "/vendor/acme/math/src/Mod.php", "lineno": 3},
                ]),
            },
            ("app.php", "<?php\n(new Pricing)->total(0);\n"),
        ),
        (
            Program {
                path: "lib/pricing.rb",
                content: "class Pricing\n  def total(n)\n    7 / n\n  end\nend\n",
                platform: "ruby",
                kind: "ZeroDivisionError",
                frames: json!([
                    {"abs_path": "/var/lib/gems/3.1.0/gems/rack-2.2.4/lib/rack.rb", "filename": "rack.rb", "lineno": 3},
                    {"abs_path": "app.rb", "filename": "app.rb", "function": "<main>", "lineno": 1},
                    {"abs_path": "/srv/app/lib/pricing.rb", "filename": "lib/pricing.rb", "function": "total", "lineno": 3},
                ]),
            },
            ("app.rb", "Pricing.new.total(0)\n"),
        ),
        (
            Program {
                path: "src/cart.ts",
                content: "export function total(order: Order) {\n  return order.lines.length;\n}\n",
                platform: "javascript",
                kind: "TypeError",
                frames: json!([
                    {"filename": "webpack://shop/./src/main.ts", "function": "?", "lineno": 1},
                    {"filename": "webpack://shop/./src/cart.ts?ab12", "function": "total", "lineno": 2, "colno": 9},
                    {"filename": "webpack://shop/./node_modules/lodash/map.js", "function": "map", "lineno": 4},
                ]),
            },
            ("src/main.ts", "total(undefined);\n"),
        ),
    ] {
        let path = program.path;
        assert_eq!(mailed(program, caller).await, BEN.1, "{path}");
    }
}

#[tokio::test]
async fn file_of_a_dependency_with_the_same_name_is_nobodys() {
    let caller = ("shop/start.go", "package shop\n\nfunc Start() {\n\tTotal(0)\n}\n");
    let program = |dependency: &'static str| Program {
        path: "main.go",
        content: "package main\n\nfunc main() {\n\tshop.Start()\n}\n",
        platform: "go",
        kind: "runtime.errorString",
        frames: json!([
            {"abs_path": "/srv/build/shop/start.go", "function": "Start", "lineno": 4},
            {"abs_path": dependency, "function": "Parse", "lineno": 4},
        ]),
    };
    for dependency in ["/opt/deps/acme.other/x/main.go", "acme.other/x/main.go"] {
        assert_eq!(mailed(program(dependency), caller).await, ANN.1, "{dependency}");
    }
}

#[tokio::test]
async fn class_of_another_package_is_nobodys() {
    let program = Program {
        path: "src/main/java/com/acme/shop/Pricing.java",
        content: "package com.acme.shop;\nclass Pricing {\n  int total(int n) {\n    return 7 / n;\n  }\n}\n",
        platform: "java",
        kind: "ArithmeticException",
        frames: json!([
            {"filename": "Main.java", "module": "com.acme.shop.Main", "function": "main", "lineno": 3},
            {"filename": "Pricing.java", "module": "shop.Pricing", "function": "total", "lineno": 4},
        ]),
    };
    assert_eq!(mailed(program, JAVA_CALLER).await, ANN.1);
}

#[tokio::test]
async fn line_that_is_read_in_place_of_the_clients_has_no_secrets() {
    let repository = TestRepository::empty();
    let secret = "AKIAIOSFODNN7EXAMPLQ";
    let content = format!("package x\n\nfunc key() string {{\n\treturn sign(\"{secret}\")\n}}\n");
    let revision = repository.commit(BEN, "2026-05-18", "keys", &[("keys/keys.go", &content)]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    let frame = json!({"abs_path": "/srv/app/keys/keys.go", "function": "key", "lineno": 4});
    let event = json!({"platform": "go", "release": revision,
        "exception": [{"type": "E", "stacktrace": {"frames": [frame]}}]});
    assert_eq!(send(&app, envelope(&[("event", &event)])).await.0, 200);
    let mail = app.one_mail().await;
    assert!(mail.text.contains("return sign("), "{}", mail.text);
    assert!(!mail.text.contains(secret), "{}", mail.text);
    let store = &app.server.app.store;
    let issue = store.issue(1).await.expect("store").expect("an issue");
    assert!(!issue.facts.text.contains(secret), "{}", issue.facts.text);
    let (_, sample) = store.newest_sample(1).await.expect("store").expect("a sample");
    assert!(!format!("{sample:?}").contains(secret), "{sample:?}");
    for page in ["/", "/issues/1"] {
        assert!(!app.get(page).await.1.contains(secret), "{page}");
    }
}
