//! `learned:`, as staff ask for it in a rule: how sure what was learned from examples must be.

use crate::yaml::{Node, Value};

use super::condition::Condition;
use super::diagnostic::nearest;
use super::vocabulary::count;
use super::workshop::{Workshop, key_name};

/// Where in a rule a condition stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// By itself under the `when:` of a ground.
    UnderGround,
    /// By itself under the `when:` of another rule.
    UnderRule,
    /// Within another condition, or under `unless:`.
    Within,
}

/// `alone` and `certain` bear on the whole rule, so they count only by themselves under its `when:`; elsewhere they are a
/// mistake that nobody would see. Complains of each in this condition, or list of conditions.
pub fn check(shop: &mut Workshop<'_>, file: usize, node: &Node, stands: Stands) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| check(shop, file, item, stands)),
        Value::Map(entries) => {
            for (key, value) in entries {
                match (&value.value, key_name(key)) {
                    (Value::Map(asked), "learned") => {
                        asked.iter().for_each(|(key, _)| check_key(shop, file, key, stands))
                    }
                    _ => check(shop, file, value, Stands::Within),
                }
            }
        }
        Value::Null | Value::Scalar(..) => {}
    }
}

fn check_key(shop: &mut Workshop<'_>, file: usize, key: &Node, stands: Stands) {
    let (problem, remedy) = match (key_name(key), stands) {
        ("alone", Stands::UnderRule) => {
            ("`alone` counts in the rules under `grounds:` alone", "Remove it, or lower `at least`.")
        }
        (name @ ("alone" | "certain"), Stands::Within) => (
            match name {
                "alone" => "`alone` does not count within another condition, nor under `unless:`",
                _ => "`certain` does not count within another condition, nor under `unless:`",
            },
            "Give this `learned:` a dash of its own under `when:`, in the column of the others.",
        ),
        _ => return,
    };
    shop.error(file, key.range.clone(), problem, remedy);
}

/// How sure what was learned from examples must be, in percent; of the rule itself unless `of:` names another.
pub fn read(shop: &mut Workshop<'_>, file: usize, node: &Node) -> Option<Condition> {
    let (mut least, mut alone, mut certain, mut below, mut of) = (None, None, None, None, None);
    for (key, value) in shop.map(file, node, "`learned`") {
        match key_name(key) {
            name @ ("at least" | "alone" | "certain" | "less than") => {
                let text = shop.text(file, value, "a percentage")?;
                let share = count(shop, file, value, text.trim_end_matches('%').trim_end(), 100);
                match name {
                    "at least" => least = share,
                    "alone" => alone = share.map(|share| (share, value.range.clone())),
                    "certain" => certain = share.map(|share| (share, value.range.clone())),
                    _ => below = share,
                }
            }
            "of" => of = Some((shop.text(file, value, "a rule's id")?.to_owned(), value.range.clone())),
            _ => shop.unknown_key(file, key, &["at least", "alone", "certain", "less than", "of"]),
        }
    }
    if let Some((alone, range)) = &alone
        && (of.is_some() || least.is_none_or(|least| *alone >= least))
    {
        shop.error(
            file,
            range.clone(),
            "`alone` says with how much less than `at least` this rule is content where no other of its group holds",
            "Write {at least: 45, alone: 30}, without `of`.",
        );
        return None;
    }
    if let Some((certain, range)) = &certain
        && (of.is_some() || least.is_none_or(|least| *certain < least))
    {
        shop.error(
            file,
            range.clone(),
            "`certain` says from how much more than `at least` on no `unless` of this rule counts",
            "Write {at least: 45, certain: 85}, without `of`.",
        );
        return None;
    }
    if least.is_none() && below.is_none() {
        shop.error(
            file,
            node.range.clone(),
            "`learned` does not say how sure it must be",
            "Write {at least: 50} or {less than: 5}, in percent.",
        );
        return None;
    }
    let (id, range) = of.unwrap_or_else(|| (shop.id.clone(), node.range.clone()));
    let Some(learned) = &shop.learned else {
        // Once is enough; and a file that is there but cannot be used has its own complaint.
        if std::mem::replace(&mut shop.learned_missed, true) {
            return None;
        }
        shop.error(
            file,
            node.range.clone(),
            format!("there is no {} in the rules folder", super::learned::FILE),
            "Copy the one that comes with the program, let `send-triage learn` make one, or remove this condition.",
        );
        return None;
    };
    let Some(label) = learned.labels().position(|name| name == id) else {
        let known: Vec<String> = learned.labels().map(str::to_owned).collect();
        let remedy = nearest(&id, known.iter().map(String::as_str)).map_or_else(
            || format!("It knows: {}.", known.join(", ")),
            |name| format!("Did you mean `of: {name}`? It knows: {}.", known.join(", ")),
        );
        shop.error(file, range, format!("nothing was learned about `{id}`"), remedy);
        return None;
    };
    let share = |asked: Option<(usize, _)>| asked.map(|(share, _)| share);
    Some(Condition::Learned { label, least, alone: share(alone), certain: share(certain), below })
}
