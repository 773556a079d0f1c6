//! From owners in CODEOWNERS to an address, and who is proposed for an author who is gone.
use flawless_core::{
    AddressPolicy, AutomationPatterns, CodeOwners, Developer, EmailAlias, Reassignment, Rules,
    author_gone, busiest_committer, owner_by_code_owners, owner_of,
};

fn rules() -> Rules {
    let alias = |id, old: &str, new: &str| {
        (id, EmailAlias { old_email: old.into(), new_email: new.into() })
    };
    Rules {
        email_aliases: vec![
            alias(1, "@ann", "ann@example.com"),
            alias(2, "ben", "ben@example.com"),
            alias(3, "Org/Team", "team@example.com"),
            alias(4, "@odd", "nowhere"),
        ],
        ..Rules::default()
    }
}

#[test]
fn owner_is_an_address_or_a_handle_with_an_email_alias() {
    for (line, expected, steps) in [
        (
            "* cleo@example.com @ann",
            Some("cleo@example.com"),
            vec!["cleo@example.com is the owner"],
        ),
        (
            "* @ann",
            Some("ann@example.com"),
            vec!["email alias: @ann → ann@example.com", "@ann is the owner"],
        ),
        (
            "* @Ben",
            Some("ben@example.com"),
            vec!["email alias: ben → ben@example.com", "@Ben is the owner"],
        ),
        (
            "* @nobody @org/team",
            Some("team@example.com"),
            vec![
                "@nobody has no email alias",
                "email alias: Org/Team → team@example.com",
                "@org/team is the owner",
            ],
        ),
        ("* @org/other @@maintainer", None, vec!["@org/other has no email alias", "@@maintainer"]),
        ("* @odd", None, vec!["email alias: @odd → nowhere", "\"nowhere\" is not a mail address"]),
        ("*", None, vec!["CODEOWNERS line 1 (*) names nobody"]),
    ] {
        let owners = CodeOwners::parse(line).owners_of("x.py").expect("the line matches");
        let owner = owner_by_code_owners(&owners, &rules());
        assert_eq!(owner.address.as_deref(), expected, "{line}");
        assert_eq!(owner.steps.len(), steps.len(), "{:?}", owner.steps);
        for (step, expected) in owner.steps.iter().zip(steps) {
            assert!(step.contains(expected), "{step} / {expected}");
        }
    }
}

#[test]
fn codeowners_address_can_be_reassigned_like_any_other() {
    let mut rules = rules();
    let moved = Reassignment {
        email: "ann@example.com".into(),
        filepath: "shop".into(),
        designated_email: "heir@example.com".into(),
    };
    rules.reassignments.push((5, moved));
    let owners = CodeOwners::parse("* @ann").owners_of("shop/x.py").expect("the line matches");
    let email = owner_by_code_owners(&owners, &rules).address.expect("there is an alias");
    let developer = Developer { name: String::new(), email };
    let owner = owner_of(Some(&developer), "shop/x.py", &rules, &AddressPolicy::default());
    assert_eq!(owner.address.as_deref(), Some("heir@example.com"));
}

#[test]
fn author_is_gone_after_the_days_without_a_commit() {
    let day = 24 * 60 * 60 * 1000;
    for (last_commit_at, days, expected) in [
        (Some(0), 0, false),
        (Some(0), 99, true),
        (Some(0), 100, false),
        (Some(99 * day), 1, false),
        (Some(200 * day), 1, false),
        (Some(i64::MIN), u32::MAX, true),
        (None, 1, false),
    ] {
        assert_eq!(author_gone(last_commit_at, 100 * day, days), expected, "{days} days");
    }
}

#[test]
fn busiest_person_of_the_file_is_proposed() {
    let patterns = AutomationPatterns::new::<&str>(&[]).expect("built in");
    let recent: Vec<Developer> = ["ann", "ben", "dependabot[bot]", "Ben", "ann", "cleo"]
        .iter()
        .chain(["dependabot[bot]"; 5].iter())
        .map(|name| Developer { name: (*name).into(), email: format!("{name}@e.com") })
        .collect();
    let busiest =
        |gone| busiest_committer(&recent, gone, &patterns).map(|(who, count)| (&*who.email, count));
    assert_eq!(busiest("dora@e.com"), Some(("ann@e.com", 2)));
    assert_eq!(busiest("ANN@e.com"), Some(("ben@e.com", 2)));
    assert_eq!(busiest_committer(&recent[2..3], "", &patterns), None);
}
