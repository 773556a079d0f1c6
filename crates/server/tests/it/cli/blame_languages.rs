//! `flawless blame` reads the tracebacks of other languages than Python.
use serde_json::Value;

use crate::harness::{ANN, BEN, TestRepository, flawless_with_input, stderr, stdout};

/// A file of the repository with its content, and what a program printed when its line 2 failed.
const PROGRAMS: [(&str, &str, &str); 8] = [
    (
        "src/main/java/com/acme/shop/Pricing.java",
        "class Pricing {\n  int unit(int n) { return 7 / n; }\n}\n",
        "Exception in thread \"main\" java.lang.ArithmeticException: / by zero\n\tat \
         com.acme.shop.Pricing.unit(Pricing.java:2)\n\tat \
         java.base/java.lang.Thread.run(Thread.java:840)\n",
    ),
    (
        "src/pricing.ts",
        "export function unit(line) {\n  return line.quantity.value;\n}\n",
        "web-1  | TypeError: Cannot read properties of undefined (reading 'value')\nweb-1  |     at \
         unit (/srv/app/src/pricing.ts:2:24)\nweb-1  |     at Array.map (<anonymous>)\nweb-1  |     \
         at node:internal/main/run_main_module:28:49\n",
    ),
    (
        "cart/cart.go",
        "package cart\nfunc Unit(n int) int { return 7 / n }\n",
        "panic: runtime error: integer divide by zero\n\ngoroutine 1 [running]:\n\
         acme.example/shop/cart.Unit(...)\n\t/srv/app/cart/cart.go:2\nmain.main()\n\
         \t/usr/local/go/src/main.go:24 +0x25\nexit status 2\n",
    ),
    (
        "lib/pricing.rb",
        "class Pricing\n  def unit(n) = 7 / n\nend\n",
        "/srv/app/lib/pricing.rb:2:in `/': divided by 0 (ZeroDivisionError)\n\tfrom \
         /srv/app/lib/pricing.rb:2:in `unit'\n",
    ),
    (
        "src/Pricing.php",
        "<?php\nfunction unit($n) { return 7 % $n; }\n",
        "PHP Fatal error:  Uncaught DivisionByZeroError: Modulo by zero in \
         /srv/app/src/Pricing.php:2\nStack trace:\n#0 /usr/share/php/run.php(5): unit(0)\n#1 {main}\n  \
         thrown in /srv/app/src/Pricing.php on line 2\n",
    ),
    (
        "src/pricing.rs",
        "pub fn unit(v: &[u32], i: usize) -> u32 {\n    v[i]\n}\n",
        "thread 'main' panicked at src/pricing.rs:2:5:\nindex out of bounds: the len is 1 but the \
         index is 1\nstack backtrace:\n   0: rust_begin_unwind\n             at \
         /rustc/0123456789abcdef/library/std/src/panicking.rs:689:5\n   1: shop::pricing::unit\n             \
         at ./src/pricing.rs:2:5\n",
    ),
    (
        "src/Shop/Pricing.cs",
        "class Pricing {\n  int Unit(int n) { return 7 / n; }\n}\n",
        "{\"@l\":\"Error\",\"@x\":\"System.DivideByZeroException: Attempted to divide by zero.\\r\\n   at \
         Shop.Pricing.Unit(Int32 n) in /build/src/Shop/Pricing.cs:line 2\"}\n",
    ),
    (
        "src/cart.js",
        "function show(order) {\n  return order.lines.length;\n}\n",
        "show@https://shop.example/src/cart.js:2:16\nonclick@https://shop.example/:7:3\n",
    ),
];

#[test]
fn tracebacks_of_other_languages_lead_to_the_author_of_the_line() {
    let repository = TestRepository::empty();
    let files = PROGRAMS.map(|(path, content, _)| (path, content));
    repository.commit(
        ANN,
        "2026-03-02",
        "first",
        &files.map(|(path, content)| {
            let other = content.lines().next().unwrap_or_default();
            (path, other)
        }),
    );
    repository.commit(BEN, "2026-05-18", "whole", &files);
    for (path, _, text) in PROGRAMS {
        let arguments = ["blame", "--json", "--rev", "HEAD"];
        let output = stdout(&flawless_with_input(repository.dir(), &arguments, text));
        let answers: Vec<Value> =
            output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(answers.len(), 1, "{path}: {output}");
        let (frame, email) = (&answers[0]["frame"], &answers[0]["developer"]["email"]);
        assert_eq!((&frame["repo_path"], &frame["line"]), (&path.into(), &2.into()), "{output}");
        assert_eq!(*email, BEN.1, "{path}: {output}");
    }
}

#[test]
fn nobody_is_blamed_by_the_number_of_a_line_alone() {
    let repository = TestRepository::empty();
    let (path, content, text) = PROGRAMS[0];
    repository.commit(ANN, "2026-03-02", "first", &[(path, content)]);
    let output = flawless_with_input(repository.dir(), &["blame", "--json"], text);
    let answer: Value = serde_json::from_str(stdout(&output).trim()).expect("JSON");
    assert_eq!(answer["developer"], Value::Null, "{answer} {}", stderr(&output));
    assert!(answer["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{answer}");
}
