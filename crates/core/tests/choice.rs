//! The choice of the line, as text: one frame a line, then the kind of each and the blamed one.
//!
//! A frame is `PATH LINE FUNCTION TEXT`; `@` before a line gives a rule.
use flawless_core::{
    BlameFrame, ChoiceSettings, CodePattern, Frame, FramePath, KnownError, PathIndex, PathMatch,
    PathPatterns, PathSettings, Report, Rules, Verdict, choose, resolve_frames,
};

const FILES: [&str; 4] = ["shop/web.py", "shop/cart.py", "shop/money.py", "vendor/box.py"];

/// Runs `text` and prints the kind of each frame and the verdict. The function `often` was seen
/// in many issues.
fn check(text: &str) -> String {
    check_with(BlameFrame::Likely, text)
}

fn check_with(blame_frame: BlameFrame, text: &str) -> String {
    let mut report = Report { exception_type: "builtins.ValueError".into(), ..Report::default() };
    let mut rules = Rules::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let Some(rule) = line.strip_prefix('@') else {
            let mut words = line.splitn(4, ' ');
            let mut word = || words.next().unwrap_or_default().to_owned();
            let (path, number, function, text) = (word(), word(), word(), word());
            let line = number.parse().expect("a line number");
            report.traceback.push(Frame { path, line, function, text, ..Frame::default() });
            continue;
        };
        let mut words = rule.splitn(4, ' ').map(str::to_owned);
        let list = words.next().expect("a list");
        let filename = words.next().expect("a file");
        let optional = |word: Option<String>| word.filter(|word| word != "*");
        let function_name = optional(words.next());
        let pattern =
            CodePattern { filename, function_name, code_fragment: optional(words.next()) };
        match list.as_str() {
            "known" => rules.known_errors.push((1, KnownError { pattern, ..Default::default() })),
            "library" => rules.library_code.push((2, pattern)),
            "third-party" => rules.third_party.push((3, pattern)),
            "ignore" => rules.ignored_exceptions.push((4, pattern.filename)),
            other => panic!("no list {other}"),
        }
    }
    let may_blame = PathPatterns::new(&["^(?!vendor/)"]).expect("valid");
    let package_folders = vec!["site-packages".to_owned()];
    let paths = PathSettings { prefixes: Vec::new(), package_folders };
    let settings = ChoiceSettings { paths, may_blame, blame_frame };
    let files = PathIndex::new(FILES);
    let found = |frame: &Frame| match files.find(&frame.path, &settings.paths) {
        PathMatch::Certain(path, rule) => {
            Some(FramePath { path: path.to_owned(), rule, wraps: None })
        }
        _ => None,
    };
    let found: Vec<Option<FramePath>> = report.traceback.iter().map(found).collect();
    let often = |_: &str, function: &str| function == "often";
    let frames = resolve_frames(&report.traceback, found, &settings, &often, &rules);
    let choice = choose(&report, frames, &rules);
    let places = choice.suspects.iter().map(|line| format!("{}:{}", line.path, line.line));
    let places: Vec<String> = places.collect();
    let kinds = choice.frames.iter().map(|frame| format!("{:?}", frame.kind));
    let verdict = match choice.verdict {
        Verdict::Blamed(line) => {
            assert_eq!(Some(&line), choice.suspects.first());
            places.join(", ")
        }
        Verdict::Dropped(dropped) => format!("{dropped:?}"),
        Verdict::Nobody(why) => format!("{why:?}"),
    };
    kinds.chain([format!("→ {verdict}")]).collect::<Vec<_>>().join(" ")
}

#[test]
fn innermost_candidate_is_blamed() {
    let text = "
        /srv/app/shop/web.py 2 handle return cart.total()
        /srv/app/shop/cart.py 5 total return sum(prices)
        /usr/lib/python3.11/json/decoder.py 9 decode raise Error";
    assert_eq!(check(text), "Candidate Candidate Foreign → shop/cart.py:5, shop/web.py:2");
}

#[test]
fn raise_statement_is_blamed_only_if_nothing_else_is_own() {
    let text = "
        /srv/app/shop/cart.py 5 total check(prices)
        /srv/app/shop/money.py 6 check raise ValueError(text)";
    assert_eq!(check(text), "Candidate Raise → shop/cart.py:5, shop/money.py:6");
    let text = "
        /x/other.py 1 main run()
        /srv/app/shop/cart.py 7 total raise
        /srv/app/shop/money.py 6 check raise ValueError(text)";
    assert_eq!(check(text), "Foreign Raise Raise → shop/money.py:6, shop/cart.py:7");
}

#[test]
fn rules_apply_in_their_order() {
    let frames = "
        /srv/app/shop/web.py 2 handle return cart.total()
        /srv/app/shop/cart.py 5 total raise ValueError(x)";
    let with = |rules: &str| check(&format!("{rules}\n{frames}"));
    assert_eq!(
        with("@known shop/cart.py"),
        "Candidate KnownError(1) → shop/cart.py:5, shop/web.py:2"
    );
    assert_eq!(
        with("@library shop/cart.py\n@known shop/cart.py"),
        "Candidate LibraryCode(2) → shop/web.py:2"
    );
    assert_eq!(
        with("@third-party shop/cart.py\n@library shop/cart.py"),
        "Candidate ThirdParty(3) → ThirdParty(3)"
    );
    assert_eq!(
        with("@ignore builtins.ValueError\n@third-party shop/cart.py"),
        "Candidate ThirdParty(3) → IgnoredException(4)"
    );
    assert_eq!(
        with("@library shop/cart.py other"),
        "Candidate Raise → shop/web.py:2, shop/cart.py:5"
    );
    assert_eq!(
        with("@library shop/cart.py total raise  ValueError"),
        "Candidate LibraryCode(2) → shop/web.py:2"
    );
}

#[test]
fn third_party_rules_name_files_by_package_path_or_suffix() {
    let frames = "
        /srv/app/shop/web.py 2 handle return cart.total()
        /opt/venv/lib/python3.11/site-packages/redis/client.py 9 get return x";
    let with = |rule: &str| check(&format!("{rule}\n{frames}"));
    assert!(with("@third-party redis/client.py").ends_with("→ ThirdParty(3)"));
    assert!(with("@third-party site-packages/redis/client.py").ends_with("→ ThirdParty(3)"));
    assert!(with("@third-party client.py get").ends_with("→ ThirdParty(3)"));
    assert!(with("@third-party lient.py").ends_with("→ shop/web.py:2"));
    assert!(with("@third-party redis/client.py set").ends_with("→ shop/web.py:2"));
}

#[test]
fn reason_is_given_when_nobody_can_be_blamed() {
    assert_eq!(check(""), "→ NoFrames");
    assert_eq!(check("/x/y.py 1 f x"), "Foreign → AllForeign");
    assert_eq!(check("/srv/vendor/box.py 1 f x"), "NotToBlame → NotToBlame");
    assert_eq!(
        check("@library shop/web.py\n/srv/app/shop/web.py 2 handle x"),
        "LibraryCode(2) → OnlyLibraryCode"
    );
}

#[test]
fn last_suspect_is_of_another_file_when_there_is_one() {
    let text = "
        /srv/app/shop/web.py 2 handle return cart.total()
        /srv/app/shop/cart.py 5 total return sum(x)
        /srv/app/shop/cart.py 6 sum_up return add(x)
        /srv/app/shop/cart.py 7 add return x / 0";
    assert!(check(text).ends_with("→ shop/cart.py:7, shop/cart.py:6, shop/web.py:2"));
    let (_, in_one_file) = text.split_once("total()").expect("a frame");
    let found = check(in_one_file);
    assert!(found.ends_with("→ shop/cart.py:7, shop/cart.py:6, shop/cart.py:5"), "{found}");
}

#[test]
fn wrappers_and_hot_functions_are_blamed_last() {
    let text = "
        /srv/app/shop/web.py 2 handle return cart.total()
        /srv/app/shop/cart.py 5 total return wrapped(1)
        /srv/app/shop/money.py 3 wrapper return func(1)
        /srv/app/shop/money.py 7 often return sum(x)
        /srv/app/shop/money.py 9 apply return func(*args, **kwargs)";
    assert_eq!(
        check(text),
        "Candidate Candidate Wrapper HotFunction Wrapper → \
         shop/cart.py:5, shop/web.py:2, shop/money.py:9"
    );
    assert_eq!(
        check_with(BlameFrame::Innermost, text),
        "Candidate Candidate Candidate Candidate Candidate → \
         shop/money.py:9, shop/money.py:7, shop/cart.py:5",
        "the third suspect is of another file"
    );
    let text = "
        /srv/app/shop/money.py 3 wrapper return func(1)
        /srv/app/shop/money.py 7 often return sum(x)
        /srv/app/shop/cart.py 5 total raise ValueError(x)";
    assert_eq!(
        check(text),
        "Wrapper HotFunction Raise → shop/cart.py:5, shop/money.py:7, shop/money.py:3"
    );
}

#[test]
fn rule_outweighs_how_likely_a_frame_is() {
    let frames = "
        /srv/app/shop/web.py 2 handle return cart.total()
        /srv/app/shop/money.py 3 wrapper return func(1)";
    let with = |rules: &str| check(&format!("{rules}\n{frames}"));
    assert_eq!(
        with("@known shop/money.py"),
        "Candidate KnownError(1) → shop/money.py:3, shop/web.py:2"
    );
    assert_eq!(with("@library shop/web.py"), "LibraryCode(2) Wrapper → shop/money.py:3");
}

#[test]
fn recurring_line_is_suspected_once() {
    let text = "
        /srv/app/shop/web.py 2 handle return cart.total()
        /srv/app/shop/cart.py 5 total return self.total()
        /srv/app/shop/cart.py 5 total return self.total()";
    assert_eq!(check(text), "Candidate Candidate Candidate → shop/cart.py:5, shop/web.py:2");
}
