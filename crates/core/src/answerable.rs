//! Who answers for an issue when its author cannot: the owners of the file, else the default
//! contact.
use crate::address::AddressPolicy;
use crate::blame::Developer;
use crate::code_owners::Owners;
use crate::owner::{Owner, owner_of};
use crate::rules::Rules;
use crate::successor::owner_by_code_owners;

/// The owner of a line at `path` that `developer` wrote. When only automation wrote it, or
/// `unreachable` returns why nobody reads an address, the first of `code_owners` with an address
/// answers, else the default contact. The flag passed to `unreachable` says whether the address is
/// the author's own.
pub fn answerable(
    developer: Option<&Developer>,
    code_owners: Option<&Owners>,
    path: &str,
    rules: &Rules,
    policy: &AddressPolicy,
    unreachable: &dyn Fn(&str, bool) -> Option<String>,
) -> Owner {
    let (mut steps, mut used) = (Vec::new(), Vec::new());
    if let Some(developer) = developer {
        let mut owner = owner_of(Some(developer), path, rules, policy);
        // With an alias or a reassignment somebody else answers; another domain is still the
        // author.
        let is_authors = owner.rules.is_empty();
        let address = owner.address.as_deref().filter(|_| !owner.is_fallback);
        match address.and_then(|address| unreachable(address, is_authors)) {
            Some(why) => {
                steps.append(&mut owner.steps);
                steps.push(why);
                used.append(&mut owner.rules);
            }
            None if !owner.is_fallback || code_owners.is_none() => return owner,
            // The step that led to the default contact is added again below.
            None => steps.extend(owner.steps.into_iter().next()),
        }
    }
    let found = code_owners.map(|owners| owner_by_code_owners(owners, rules));
    if let Some(found) = found {
        steps.extend(found.steps);
        used.extend(found.rules);
        if let Some(email) = found.address {
            let owner = Developer { name: String::new(), email };
            let mut owner = owner_of(Some(&owner), path, rules, policy);
            let address = owner.address.as_deref().filter(|_| !owner.is_fallback);
            let why = address.and_then(|address| unreachable(address, false));
            steps.append(&mut owner.steps);
            used.append(&mut owner.rules);
            match why {
                Some(why) => steps.push(why),
                None => return Owner { steps, rules: used, ..owner },
            }
        }
    }
    let mut fallback = owner_of(None, path, rules, policy);
    steps.append(&mut fallback.steps);
    Owner { steps, rules: used, ..fallback }
}

#[cfg(test)]
mod tests {
    use super::answerable;
    use crate::address::AddressPolicy;
    use crate::blame::Developer;
    use crate::code_owners::{CodeOwners, Owners};
    use crate::rules::{EmailAlias, Rules};

    fn owners() -> Option<Owners> {
        CodeOwners::parse("*.py @team zoe@e.com\n").owners_of("a.py")
    }

    fn address(developer: Option<&str>, owners: Option<&Owners>, gone: &str) -> Option<String> {
        let developer =
            developer.map(|email| Developer { name: String::new(), email: email.to_owned() });
        let policy =
            AddressPolicy { default_contact: Some("all@e.com".into()), ..AddressPolicy::default() };
        let unreachable = |address: &str, _: bool| (address == gone).then(|| "gone".to_owned());
        let rules = Rules::default();
        answerable(developer.as_ref(), owners, "a.py", &rules, &policy, &unreachable).address
    }

    #[test]
    fn departed_author_matches_in_a_new_domain_but_not_by_alias() {
        let policy = AddressPolicy {
            domain: "new.com".into(),
            ignore_vcs_domain: true,
            default_contact: Some("all@e.com".into()),
        };
        let ann = Developer { name: "Ann".into(), email: "Ann@old.com".into() };
        let is_gone = |_: &str, is_authors: bool| is_authors.then(|| "gone".to_owned());
        let found =
            |rules: &Rules| answerable(Some(&ann), None, "a.py", rules, &policy, &is_gone).address;
        assert_eq!(found(&Rules::default()).as_deref(), Some("all@e.com"));
        let alias = EmailAlias { old_email: "Ann@old.com".into(), new_email: "ben@e.com".into() };
        let rules = Rules { email_aliases: vec![(1, alias)], ..Rules::default() };
        assert_eq!(found(&rules).as_deref(), Some("ben@e.com"));
    }

    #[test]
    fn owner_is_author_then_file_owner_then_default_contact() {
        let owners = owners();
        let found = |developer, gone| address(developer, owners.as_ref(), gone);
        assert_eq!(found(Some("ann@e.com"), "").as_deref(), Some("ann@e.com"));
        assert_eq!(found(Some("ann@e.com"), "ann@e.com").as_deref(), Some("zoe@e.com"));
        assert_eq!(found(None, "").as_deref(), Some("zoe@e.com"));
        assert_eq!(found(None, "zoe@e.com").as_deref(), Some("all@e.com"));
        assert_eq!(address(None, None, "").as_deref(), Some("all@e.com"));
        assert_eq!(address(Some("ann@e.com"), None, "ann@e.com").as_deref(), Some("all@e.com"));
    }
}
