//! Who answers for an issue when its author cannot: the owners of the file, else the default
//! contact.
use crate::address::AddressPolicy;
use crate::blame::Developer;
use crate::code_owners::Owners;
use crate::owner::{Owner, owner_of};
use crate::rules::Rules;
use crate::successor::owner_by_code_owners;

/// The owner of a line at `path` that `developer` wrote. When only automation wrote it, or
/// `unreachable` gives a reason why nobody reads the address, the first of `code_owners` with an
/// address answers, else the default contact.
pub fn answerable(
    developer: Option<&Developer>,
    code_owners: Option<&Owners>,
    path: &str,
    rules: &Rules,
    policy: &AddressPolicy,
    unreachable: &dyn Fn(&str) -> Option<String>,
) -> Owner {
    let (mut steps, mut used) = (Vec::new(), Vec::new());
    if let Some(developer) = developer {
        let mut owner = owner_of(Some(developer), path, rules, policy);
        let why = owner.address.as_deref().filter(|_| !owner.is_fallback).and_then(unreachable);
        match why {
            Some(why) => {
                steps.append(&mut owner.steps);
                steps.push(why);
                used.append(&mut owner.rules);
            }
            None if !owner.is_fallback || code_owners.is_none() => return owner,
            // The step that led to the default contact comes again below.
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
            let why = owner.address.as_deref().filter(|_| !owner.is_fallback).and_then(unreachable);
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
    use crate::rules::Rules;

    fn owners() -> Option<Owners> {
        CodeOwners::parse("*.py @team zoe@e.com\n").owners_of("a.py")
    }

    fn address(developer: Option<&str>, owners: Option<&Owners>, gone: &str) -> Option<String> {
        let developer =
            developer.map(|email| Developer { name: String::new(), email: email.to_owned() });
        let policy =
            AddressPolicy { default_contact: Some("all@e.com".into()), ..AddressPolicy::default() };
        let unreachable = |address: &str| (address == gone).then(|| "gone".to_owned());
        let rules = Rules::default();
        answerable(developer.as_ref(), owners, "a.py", &rules, &policy, &unreachable).address
    }

    #[test]
    fn the_author_then_the_files_owner_then_the_default_contact_answers() {
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
