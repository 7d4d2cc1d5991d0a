//! The record's words for teams, areas and roles, as people read them in the digest and in its charts.

/// A team in words.
pub fn team(queue: &str) -> String {
    match queue {
        "resolution" => "Resolution Team".to_owned(),
        "annual-review-east" => "Annual reviews East".to_owned(),
        "annual-review-west" => "Annual reviews West".to_owned(),
        "none" => "No team".to_owned(),
        other => capital(other),
    }
}

/// An area in words.
pub fn area(area: &str) -> String {
    if area == "unknown" { "Area not clear".to_owned() } else { capital(area) }
}

/// Who seems to have written.
pub fn role(role: &str) -> String {
    match role {
        "parent" => "Parents and carers".to_owned(),
        "young-person" => "Young people".to_owned(),
        "school" => "Schools and settings".to_owned(),
        "professional" => "Professionals".to_owned(),
        "representative" => "Representatives".to_owned(),
        "authority" => "Other authorities".to_owned(),
        "unknown" => "Not clear".to_owned(),
        other => capital(other),
    }
}

/// `annual-review` is `Annual review`.
fn capital(word: &str) -> String {
    let word = word.replace('-', " ");
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_record_are_said_as_people_say_them() {
        assert_eq!(
            (team("annual-review-east"), team("general")),
            ("Annual reviews East".into(), "General".into())
        );
        assert_eq!((area("unknown"), area("east")), ("Area not clear".into(), "East".into()));
        assert_eq!((role("young-person"), role("new-role")), ("Young people".into(), "New role".into()));
    }
}
