//! Whole CODEOWNERS files like those in the documentation of both forges.
use flawless_core::{CodeOwners, CodeOwnersDialect, Owners, code_owners_paths};

const ON_GITHUB: &str = "\
# The shop. Everything that has no line below:
*              @lead @second

*.js           @web   # also in folders
*.go           gophers@example.com
*.txt          @shop-org/writers
/build/logs/   @ops
notes/*        notes@example.com
apps/          @apps
/docs/         @docs
/scripts/      @ops @lead
**/logs        @logs
/apps/
/apps/api      @api
/with\\ space/  @space
";

const ON_GITLAB: &str = "\
* @lead
\\#todo.rb @todo
/config/ @@maintainer

[Docs] @writers
docs/
README.md
*.txt @text

^[Database][2] @data
/model/**/*.rb
/model/schema.rb @schema ann@example.com

[Ruby]
*.rb @ruby
!/model/generated/*.rb
/model/generated/keep.rb @ruby
/empty.rb

[DOCS]
CHANGELOG @lead
NEWS
";

fn found(file: &CodeOwners, path: &str) -> Option<(String, u32)> {
    file.owners_of(path).map(|Owners { owners, line, .. }| (owners.join(" "), line))
}

#[test]
fn github_uses_the_last_line_that_matches() {
    let file = CodeOwners::parse(ON_GITHUB);
    assert_eq!(file.warnings(), []);
    for (path, owners, line) in [
        ("shop/cart.py", "@lead @second", 2),
        ("shop/web/cart.js", "@web", 4),
        ("cmd/main.go", "gophers@example.com", 5),
        ("a/b/readme.txt", "@shop-org/writers", 6),
        ("notes/today.md", "notes@example.com", 8),
        ("notes/old/today.md", "@lead @second", 2),
        ("src/apps/x.py", "@apps", 9),
        ("docs/a/b.md", "@docs", 10),
        ("old/docs/a.md", "@lead @second", 2),
        ("scripts/x.js", "@ops @lead", 11),
        ("build/logs/x", "@logs", 12),
        ("a/logs/b/c", "@logs", 12),
        ("apps/x.py", "", 13),
        ("apps/api/x.py", "@api", 14),
        ("with space/x", "@space", 15),
    ] {
        assert_eq!(found(&file, path), Some((owners.to_owned(), line)), "{path}");
    }
}

#[test]
fn gitlab_decides_each_section_on_its_own() {
    let file = CodeOwners::parse(ON_GITLAB);
    assert_eq!(file.warnings(), []);
    for (path, owners, line) in [
        ("src/x.py", "@lead", 1),
        ("#todo.rb", "@ruby @todo", 15),
        ("config/x.yml", "@@maintainer", 3),
        ("old/docs/x.md", "@writers @lead", 6),
        ("a/b.txt", "@text @lead", 8),
        ("model/a/b.rb", "@ruby @lead @data", 15),
        ("model/schema.rb", "@ruby @lead @schema ann@example.com", 15),
        ("model/generated/x.rb", "@lead @data", 1),
        ("model/generated/keep.rb", "@lead @data", 1),
        ("empty.rb", "@lead", 1),
        ("CHANGELOG", "@lead", 21),
        ("NEWS", "@writers @lead", 22),
    ] {
        assert_eq!(found(&file, path), Some((owners.to_owned(), line)), "{path}");
    }
}

#[test]
fn section_without_owners_differs_from_path_without_a_line() {
    let file = CodeOwners::parse("[Ruby]\n*.rb @ruby\n!/gen/\n[Go]\n*.go\n");
    assert_eq!(found(&file, "x.py"), None);
    assert_eq!(found(&file, "x.go"), Some((String::new(), 5)));
    let excluded = file.owners_of("gen/x.rb").expect("a line is about it");
    assert_eq!((excluded.owners.len(), excluded.pattern.as_str()), (0, "!/gen/"));
    assert_eq!(CodeOwners::parse("").owners_of("x.py"), None);
}

#[test]
fn forge_decides_what_a_middle_folder_and_a_bracket_mean() {
    let text = "lib/core/ @core\n";
    let nested = "x/lib/core/a.py";
    assert_eq!(found(&CodeOwners::parse(text), nested), None);
    let on_gitlab = CodeOwners::parse_as(CodeOwnersDialect::GitLab, text);
    assert_eq!(found(&on_gitlab, nested), Some(("@core".to_owned(), 1)));
    let pages = CodeOwners::parse("/app/[id]/page.ts @web\n[id]/x.ts @web\n");
    assert_eq!(found(&pages, "app/[id]/page.ts"), Some(("@web".to_owned(), 1)));
    assert_eq!(found(&pages, "[id]/x.ts"), Some(("@web".to_owned(), 2)));
}

#[test]
fn bad_lines_are_skipped_and_listed_with_their_number() {
    let text = "\u{feff}* @lead\r\n/apps/ @web ann\r\n!/docs/ @docs\r\n/ @root\r\n";
    let warned =
        |file: &CodeOwners| -> Vec<u32> { file.warnings().iter().map(|w| w.line).collect() };
    let file = CodeOwners::parse_as(CodeOwnersDialect::GitHub, text);
    assert_eq!(warned(&file), [2, 3, 4]);
    assert_eq!(found(&file, "apps/x"), Some(("@lead".to_owned(), 1)));
    let file = CodeOwners::parse_as(CodeOwnersDialect::GitLab, text);
    assert_eq!(warned(&file), [2]);
    assert_eq!(found(&file, "apps/x"), Some(("@root".to_owned(), 4)));
}

#[test]
fn hostile_files_are_bounded() {
    let file = CodeOwners::parse(&format!("* @lead\n/{} @x\n", "a".repeat(5_000)));
    assert_eq!((file.warnings().len(), file.warnings()[0].line), (1, 2));
    let file = CodeOwners::parse(&"*.py @x\n".repeat(20_000));
    assert_eq!((file.warnings().len(), file.warnings()[0].line), (1, 10_001));
    let file = CodeOwners::parse(&"/ nobody\n".repeat(1_000));
    assert_eq!(file.warnings().len(), 100);
    let file = CodeOwners::parse("* @lead\n*.py\u{1b}[2J @x\n");
    assert_eq!(file.warnings()[0].line, 2);
    assert_eq!(found(&file, "x.py"), Some(("@lead".to_owned(), 1)));
    let owners: String = (0..150_000).map(|n| format!("[s{n}] @a{n} @b{n}\n*\n")).collect();
    let file = CodeOwners::parse(&owners);
    assert_eq!(file.owners_of("x.py").expect("all are about it").owners.len(), 100);
    let sections: String = (0..200_000).map(|number| format!("[s{number}]\n")).collect();
    assert_eq!(CodeOwners::parse(&sections).owners_of("x.py"), None);
    let name = "a".repeat(1_000);
    let file = CodeOwners::parse(&format!("{}b @x\n", "*a".repeat(2_000)).repeat(700));
    assert_eq!(file.owners_of(&name), None);
    assert_eq!(CodeOwners::parse("* @x").owners_of(&"a".repeat(2_000)), None);
    assert_eq!(CodeOwners::parse(&"ä".repeat(2_000_000)).warnings().len(), 2);
}

#[test]
fn file_is_looked_for_where_each_forge_does() {
    assert_eq!(code_owners_paths(Some(CodeOwnersDialect::GitHub))[0], ".github/CODEOWNERS");
    assert_eq!(code_owners_paths(Some(CodeOwnersDialect::GitLab))[2], ".gitlab/CODEOWNERS");
    assert_eq!(code_owners_paths(None).len(), 4);
}
