//! The language as its writers see it: rules in, verdicts out.

use super::*;
use crate::message::NewText;

const CONTEXT: &str = "
negated:
  before: [not, never, no longer, without]
  after: [is not the case]
  pseudo: [not only, no wonder]
  ends at: [but, however]
  reach: 6
hypothetical:
  before: [if, what if]
  reach: sentence
historical:
  after: ['in year {number}', years ago]
";
const AREAS: &str = "
areas:
  east: [Hitchin, Welwyn, Welwyn Garden City, Bishop's Stortford, Ware, SG, EN8]
  west: [St Albans, Watford, AL, WD25]
  outside: [Luton, EN]
capital only: [Ware]
";
const VOCABULARY: &str = "
school: [school, college, sixth form, nursery]
setting: ['{school}', placement]
";

fn file(name: &str, text: &str) -> SourceFile {
    SourceFile { name: name.into(), bytes: text.as_bytes().to_vec() }
}

fn compiled(urgent: &str) -> Result<Ruleset, Vec<Diagnostic>> {
    let files = [
        file("context.yaml", CONTEXT),
        file("areas.yaml", AREAS),
        file("vocabulary.yaml", VOCABULARY),
        file("urgent.yaml", urgent),
    ];
    compile(&files, &World { terms: Vec::new(), domain: "hertfordshire.example".into() })
}

fn rule(when: &str) -> String {
    format!("grounds:\n  - id: U1\n    title: t\n    policy: p\n    when:\n{}\n", indent(when))
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("      {line}\n")).collect()
}

fn ruleset(when: &str) -> Ruleset {
    compiled(&rule(when)).unwrap_or_else(|all| {
        panic!("{}", all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    })
}

fn message(text: &str) -> Message {
    Message { new_text: NewText { new: text.into(), ..NewText::default() }, ..Message::default() }
}

fn here() -> Circumstances<'static> {
    Circumstances {
        received_on: NaiveDate::from_ymd_opt(2026, 9, 16).expect("a date"),
        mailbox: "general",
        addressed: Addressed::To,
    }
}

/// The words found, or `-`, or `(reason)` where they were set aside.
fn found(rules: &Ruleset, text: &str) -> String {
    let message = message(text);
    let reading = rules.read(&message, &here());
    let Some(verdict) = reading.verdicts.first() else { return "-".into() };
    if verdict.holds {
        verdict.evidence.iter().map(|e| e.text.clone()).collect::<Vec<_>>().join(" + ")
    } else {
        verdict.set_aside.iter().map(|a| format!("({})", a.reason)).collect::<Vec<_>>().join(" + ")
    }
}

fn check(when: &str, table: &[(&str, &str)]) {
    let rules = ruleset(when);
    for (text, expected) in table {
        assert_eq!(found(&rules, text), *expected, "{when}\n{text}");
    }
}

#[test]
fn words_in_a_row() {
    check(
        "- no school place",
        &[
            ("He has no School\nplace.", "no School\nplace"),
            ("He has no “school” places", "no “school” places"),
            ("He has no school. Place him", "-"),
            ("no preschool place", "-"),
        ],
    );
    check(
        "- part-time timetable",
        &[
            ("a part time timetable", "part time timetable"),
            ("a part\u{2011}time timetable", "part\u{2011}time timetable"),
            ("a parttime timetable", "parttime timetable"),
        ],
    );
}

#[test]
fn ordinary_forms() {
    check("- exclude", &[("excluded", "excluded"), ("EXCLUDES", "EXCLUDES"), ("exclusion", "-")]);
    check("- =exclude", &[("excluded", "-"), ("exclude", "exclude")]);
    check("- exclu*", &[("exclusion", "exclusion"), ("include", "-")]);
    check("- has left", &[("Tom's left", "'s left"), ("shes left", "shes left"), ("he leaves", "-")]);
    check(
        "- can not cope",
        &[("we can't cope", "can't cope"), ("we cant cope", "cant cope"), ("we cannot cope", "cannot cope")],
    );
}

#[test]
fn groups_gaps_and_lists() {
    check(
        "- only (doing | allowed in) ... (mornings | {number} hours)",
        &[
            ("only doing two full mornings", "only doing two full mornings"),
            ("only allowed in for two hours", "only allowed in for two hours"),
            ("only allowed in one two three four five six mornings", "-"),
            ("only doing it. mornings", "-"),
        ],
    );
    check(
        "- '[very | really] ill child'",
        &[("a really ill child", "really ill child"), ("ill children", "ill children")],
    );
    check(
        "- no {setting}",
        &[("no sixth form", "no sixth form"), ("no placement", "no placement"), ("no bus", "-")],
    );
    check(
        "- '{number 21 or more} weeks'",
        &[("week 20, 22 weeks", "22 weeks"), ("twenty-one weeks", "twenty-one weeks"), ("20 weeks", "-")],
    );
    check(
        "- '{duration 12 weeks or more}'",
        &[("three months", "three months"), ("a fortnight", "-"), ("12 school weeks", "12 school weeks")],
    );
}

#[test]
fn conditions() {
    check("- all: [plan, school]", &[("The plan. My school.", "plan + school"), ("The plan", "-")]);
    check(
        "- sentence: [plan, school]",
        &[("The plan. My school.", "-"), ("plan for school", "plan + school")],
    );
    check(
        "- near: [plan, school]",
        &[("The plan. My school.", "plan + school"), ("The plan. Well. My school.", "-")],
    );
    check("- sentence: [plan, {not: school}]", &[("My plan. School", "plan"), ("plan for school", "-")]);
    check(
        "- all: [plan, {words: {fewer than: 3}}]",
        &[("the plan", "plan + 2 words"), ("the whole plan", "-")],
    );
    check("- regex: 'EHC[NP]'", &[("our ehcn", "ehcn")]);
    check("- start: plan", &[("One. Two. A plan. x", "plan"), ("One. Two. Three. A plan", "-")]);
}

#[test]
fn context_sets_aside() {
    check(
        "- (exclude | at risk of exclusion)",
        &[
            ("He is excluded", "excluded"),
            ("He is not excluded", "(negated by \"not\")"),
            ("He isn't excluded", "(negated by \"isn't\")"),
            ("Not only is he excluded", "excluded"),
            ("He is not well but excluded", "excluded"),
            ("He is not well. Excluded", "Excluded"),
            ("What if she were excluded?", "(hypothetical: \"What if\")"),
            ("He was excluded in Year 3", "(in the past: \"in Year 3\")"),
            ("It is not true that he is not excluded", "excluded"),
            ("He is not, and never was, excluded", "(negated by \"never\")"),
        ],
    );
    // The words of a gap are not the rule's own.
    check(
        "- placement ... breaking down",
        &[
            ("The placement is breaking down", "placement is breaking down"),
            ("The placement is not at risk of breaking down", "(negated by \"not\")"),
        ],
    );
    // A trigger within the found words, or within another part of the same sentence condition, is none.
    check("- is not safe", &[("he is not safe", "is not safe")]);
    check("- sentence: [can not meet, need]", &[("School cannot meet his needs", "cannot meet + needs")]);
    check("- {phrase: exclude, despite: [negated]}", &[("not excluded", "excluded")]);
}

#[test]
fn unless_stops_a_rule() {
    let rules = compiled(&(rule("- half days") + "    unless: [operation]\n")).expect("good rules");
    assert_eq!(found(&rules, "half days"), "half days");
    assert_eq!(found(&rules, "half days after his operation"), "(unless: \"operation\")");
}

#[test]
fn places_are_found() {
    let rules = ruleset("- live in {place}");
    let message = message(
        "We live in Welwyn Garden City, AL7 1AA, near Hitchin Girls' School and stevenage. be ware of Ware. EN8 EN1 SG12AB st albans",
    );
    let reading = rules.read(&message, &here());
    let all: Vec<String> = reading
        .places
        .iter()
        .map(|p| {
            format!(
                "{}={}{}{}",
                p.text,
                p.area,
                if p.postcode { " postcode" } else { "" },
                if p.in_school_name { " school" } else { "" }
            )
        })
        .collect();
    assert_eq!(
        all,
        [
            "Welwyn Garden City=east",
            "AL7 1AA=west postcode",
            "Hitchin=east school",
            "Ware=east",
            "EN8=east postcode",
            "EN1=outside postcode",
            "SG12AB=east postcode",
            "st albans=west",
        ]
    );
    let capture = &reading.verdicts[0].evidence[0].captures[0];
    assert!(matches!(capture, Capture::Place { area, .. } if area == "east"), "{capture:?}");
}

#[test]
fn quoted_words_are_told_but_do_not_count() {
    let rules = ruleset("- excluded");
    let mut message = message("hello");
    message.new_text.cuts.push(crate::message::Cut {
        reason: crate::message::new_text::CutReason::Quote,
        text: "he was excluded".into(),
    });
    let reading = rules.read(&message, &here());
    assert!(!reading.holds("U1"));
    assert_eq!(reading.verdicts[0].set_aside[0].reason, "in quoted text");
}

#[test]
fn headers_senders_and_other_rules() {
    let rules = compiled(
        "kinds:\n  - id: council\n    title: t\n    policy: p\n    kind: internal\n    when: [{sender: council}]\n  \
         - id: bulk\n    title: t\n    policy: p\n    kind: list\n    when: [{header: {name: Precedence, matches: '^(bulk|list)'}}]\n\
         grounds:\n  - id: U1\n    title: t\n    policy: p\n    when: [{all: [{rule: bulk}, {not: {rule: council}}]}]\n",
    )
    .expect("good rules");
    let mut message = message("x");
    message.from =
        Some(crate::message::Address { name: String::new(), address: "a@send.hertfordshire.example".into() });
    assert!(rules.read(&message, &here()).holds("council"));
    message.from = None;
    message.headers.push(crate::message::Header { name: "precedence".into(), value: "Bulk".into() });
    let reading = rules.read(&message, &here());
    assert!(reading.holds("bulk") && reading.holds("U1") && !reading.holds("council"));
}

#[test]
fn examples_are_run() {
    let text = rule("- excluded")
        + "    examples:\n      yes: [he is suspended]\n      no: [he is excluded, he is not excluded]\n";
    let all = compiled(&text).expect_err("failing examples");
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(all[0].problem.contains("should hold"), "{}", all[0]);
    assert!(all[1].problem.contains("finds \"excluded\""), "{}", all[1]);
}

#[test]
fn the_version_depends_on_every_byte_and_on_no_order() {
    let (a, b) = (file("a.yaml", "x"), file("b.yaml", "y"));
    assert_eq!(compile::version(&[a.clone(), b.clone()]), compile::version(&[b.clone(), a.clone()]));
    assert_ne!(compile::version(&[a.clone(), b]), compile::version(&[a, file("b.yaml", "z")]));
    assert_eq!(compile::version(&[]).len(), 12);
}

proptest::proptest! {
    /// Whatever slip is made in a file, the answer is complaints that can be shown, or rules that can be used.
    #[test]
    fn no_slip_in_a_file_stops_the_program(at in 0..400_usize, cut in 0..12_usize, put in "[\\[\\](){}|.*&!:'\"#\\t\\n -]{0,4}|.{0,6}") {
        let mut text = rule("- no {school} [very] ... place\n- sentence: [plan, {not: school}]\n- header: {name: X, matches: '^a'}")
            + "    unless: [phased return]\n    examples:\n      yes: [no school place]\n      no: {text: hello, received: 2026-01-02}\n";
        let from = text.floor_char_boundary(at.min(text.len()));
        let to = text.floor_char_boundary((from + cut).min(text.len()));
        text.replace_range(from..to, &put);
        match compiled(&text) {
            Ok(rules) => {
                found(&rules, &text);
            }
            Err(complaints) => {
                proptest::prop_assert!(!complaints.is_empty());
                for complaint in complaints {
                    proptest::prop_assert!(complaint.to_string().contains("-->"));
                }
            }
        }
    }
}

/// The table of one rule whose files are given besides those above.
fn check_with(extra: &[SourceFile], when: &str, table: &[(&str, &str)]) {
    let mut files = vec![file("areas.yaml", AREAS), file("vocabulary.yaml", VOCABULARY)];
    files.extend_from_slice(extra);
    files.push(file("urgent.yaml", &rule(when)));
    let world = World { terms: Vec::new(), domain: "hertfordshire.example".into() };
    let rules = compile(&files, &world).unwrap_or_else(|all| panic!("{}", all[0]));
    for (text, expected) in table {
        assert_eq!(found(&rules, text), *expected, "{when}\n{text}");
    }
}

#[test]
fn words_are_found_as_people_type_them() {
    let spellings = file(
        "spellings.yaml",
        "spellings:\n  school: [skool]\n  permanently excluded: [perm ex'd]\n  educational psychologist: [EP]\n",
    );
    let check = |when, table: &[(&str, &str)]| check_with(std::slice::from_ref(&spellings), when, table);
    check("- no school", &[("no skool 4 him", "no skool"), ("no scholl", "-"), ("no shcool", "no shcool")]);
    check("- sch* place", &[("a skool place", "skool place")]);
    check("- has been permanently excluded", &[("He's been perm ex'd!", "He's been perm ex'd")]);
    check(
        "- EP ... report",
        &[("the EP's report", "EP's report"), ("two EPs wrote a report", "EPs wrote a report")],
    );
    check("- educational psychologist", &[("our EP", "EP")]);
    check("- not excluded", &[("not exlcuded", "not exlcuded"), ("nto excluded", "-")]);
}

#[test]
fn several_weak_signs_make_one() {
    let signs = "of: [tired, crying, (refusing | will not go), no sleep]";
    check(
        &format!("- at least: {{count: 2, {signs}}}"),
        &[
            ("He is tired. It is May.\n\nHe is crying.", "tired + crying"),
            ("He is tired, so tired.", "-"),
            ("He is refusing and will not go", "-"),
            ("He is tired. He is not crying", "(negated by \"not\")"),
            ("Tired, crying, no sleep", "Tired + crying + no sleep"),
        ],
    );
    let within = |stretch| format!("- at least: {{count: 2, {signs}, within: {stretch}}}");
    check(&within("sentence"), &[("Tired and crying.", "Tired + crying"), ("Tired. Crying.", "-")]);
    check(&within("near"), &[("Tired. Crying.", "Tired + Crying"), ("Tired. Here. Crying.", "-")]);
    check(
        &within("paragraph"),
        &[("Tired. Here.\nCrying.", "Tired + Crying"), ("Tired. Here.\n\nCrying.", "-")],
    );
    check(
        "- paragraph: [tired, crying]",
        &[
            ("One.\n\nTired. Here. Crying.\n\nTwo.", "Tired + Crying"),
            ("Tired.\n\nCrying.", "-"),
            ("Crying.\n\nOne. Tired.\n\nCrying. Tired", "Tired + Crying"),
        ],
    );
}

#[test]
fn a_context_may_reach_a_clause_or_the_sentence_before() {
    let context = file(
        "context.yaml",
        "hypothetical:\n  before in clause: [unless]\nhistorical:\n  next sentence: ['that is [all] behind us', it got sorted]\n  \
         pseudo: [that is behind us at last not]\n  after: ['in {year past}']\nother:\n  before: [unlike]\n  reach: sentence\n  \
         ends at comma: yes\n",
    );
    check_with(
        std::slice::from_ref(&context),
        "- excluded",
        &[
            (
                "Nothing will change unless the boy whom we all know so very well is excluded",
                "(hypothetical: \"unless\")",
            ),
            ("Unless you act, he is excluded", "excluded"),
            ("He was excluded twice. That's all behind us.", "(in the past: \"That's all behind us\")"),
            ("He was excluded twice, and that's behind us.", "(in the past: \"that's behind us\")"),
            ("He was excluded. We wrote. That's behind us.", "excluded"),
            ("He is excluded. The taxi was late but it got sorted", "excluded"),
            ("That's behind us. He is excluded", "excluded"),
            ("Unlike the others he is excluded", "(about someone else: \"Unlike\")"),
            ("Unlike the others, he is excluded", "excluded"),
            ("excluded in 2025", "(in the past: \"in 2025\")"),
            ("excluded in 2026", "excluded"),
        ],
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Pages and tables are used again: a message must be read as if it were the first.
    #[test]
    fn what_one_message_left_behind_does_not_matter_to_the_next(
        before in "((he|excluded|not|if|school|Hitchin|2 weeks|on Friday|is|a) ?[.?]?){0,90}",
        text in "((he|excluded|not|if|school|Hitchin|2 weeks|on Friday|is|a) ?[.?]?){0,90}",
    ) {
        let when = "- sentence: [excluded, '(he | school) ... is']\n- '{date} ...3 {place}'\n- '{setting} ...20 excluded'\n\
                    - sentence: [{regex: '(?i)school'}, excluded]";
        let rules = ruleset(when);
        let told = |rules: &Ruleset, text: &str| {
            let message = message(text);
            let reading = rules.read(&message, &here());
            format!("{:?} {}", reading.verdicts, reading.steps)
        };
        let first = told(&rules, &text);
        told(&rules, &before);
        proptest::prop_assert_eq!(&told(&rules, &text), &first);
        proptest::prop_assert_eq!(told(&ruleset(when), &text), first);
    }
}

/// Two grounds of which something was learned, by one word each: so sure is what was learned of U1 and U2.
fn learned(sure: &[(&str, f32, f32)]) -> Ruleset {
    let logit = |share: f32| (share / (1.0 - share)).ln() + 5.0;
    let mut csv =
        "word,rarity,U1,U2\n(start),,0,0\n(slope),,1,1\n(slope of two sentences),,0,0\n(shift),,-5,-5\n"
            .to_owned();
    for (word, first, second) in sure {
        csv.push_str(&format!("{word},1,{},{}\n", logit(*first), logit(*second)));
    }
    let asked = "learned: {at least: 45, alone: 28, certain: 85}";
    let urgent = format!(
        "grounds:\n  - {{id: U1, title: t, policy: p, when: [no place, {{{asked}}}], unless: [doing well]}}\n  \
         - {{id: U2, title: t, policy: p, when: [falling apart, {{{asked}}}]}}\n"
    );
    let files = [
        file("context.yaml", CONTEXT),
        file("areas.yaml", AREAS),
        file("vocabulary.yaml", VOCABULARY),
        file("urgent.yaml", &urgent),
        file("learned.csv", &csv),
    ];
    compile(&files, &World { terms: Vec::new(), domain: "hertfordshire.example".into() }).unwrap()
}

fn grounds(rules: &Ruleset, subject: &str, text: &str) -> String {
    let message = Message { subject: subject.into(), ..message(text) };
    let reading = rules.read(&message, &here());
    let held = reading.group(Group::Grounds).filter(|verdict| verdict.holds);
    held.map(|verdict| verdict.rule.id.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_likeliest_ground_is_content_with_less_where_no_other_holds() {
    let rules = learned(&[("sofa", 0.3, 0.4), ("garden", 0.2, 0.27), ("kitchen", 0.5, 0.6)]);
    for (text, held) in [
        ("He is on the sofa", "U2"),
        ("He is in the garden", ""),
        ("He is in the kitchen", "U1 U2"),
        ("He has no place and is on the sofa", "U1"),
    ] {
        assert_eq!(grounds(&rules, "", text), held, "{text}");
    }
}

#[test]
fn no_unless_counts_against_what_is_certain() {
    let rules = learned(&[("sofa", 0.8, 0.1), ("street", 0.9, 0.1)]);
    for (text, held) in [
        ("He is on the sofa", "U1"),
        ("He is on the sofa. Doing well", ""),
        ("He is on the street. Doing well", "U1"),
        ("There is no place, he is on the street. Doing well", "U1"),
    ] {
        assert_eq!(grounds(&rules, "", text), held, "{text}");
    }
    let message = message("He is on the street. Doing well");
    let reading = rules.read(&message, &here());
    let told: Vec<_> =
        reading.verdicts[0].set_aside.iter().map(|a| (a.evidence.text.as_str(), a.reason.as_str())).collect();
    assert_eq!(told, [("Doing well", "would have stopped this, but what was learned is too sure")]);
}

#[test]
fn a_phrase_right_under_when_holds_whatever_was_learned_and_one_under_any_does_not() {
    let csv = "word,rarity,U1\n(start),,0\n(slope),,1\n(slope of two sentences),,0\n(shift),,-5\nsofa,1,9\n";
    let held = |when: &str, text: &str| {
        let urgent = format!(
            "grounds:\n  - {{id: U1, title: t, policy: p, when: [{when}], unless: [{{learned: {{less than: 10}}}}]}}\n"
        );
        let files = [
            file("context.yaml", CONTEXT),
            file("areas.yaml", AREAS),
            file("vocabulary.yaml", VOCABULARY),
            file("urgent.yaml", &urgent),
            file("learned.csv", csv),
        ];
        let world = World { terms: Vec::new(), domain: "hertfordshire.example".into() };
        grounds(&compile(&files, &world).unwrap(), "", text)
    };
    assert_eq!(held("no place", "There is no place for him"), "U1");
    assert_eq!(held("any: [no place, falling apart]", "There is no place for him"), "");
    assert_eq!(held("any: [no place, falling apart]", "There is no place for him but the sofa"), "U1");
}

#[test]
fn the_subject_of_a_reply_is_no_ground_where_something_is_said_below() {
    let rules = learned(&[("sofa", 0.1, 0.1)]);
    let said = "Thank you, all is settled now and he has been very happy there since the summer, as you know";
    for (subject, text, held) in [
        ("No place", said, "U1"),
        ("Re: No place", said, ""),
        ("RE: Re: No place", said, ""),
        ("Fwd: No place", said, "U1"),
        ("Re: No place", "Any news?", "U1"),
        (
            "Re: No place",
            "He still has no place and nobody has told us what happens next, so what are we to do",
            "U1",
        ),
    ] {
        assert_eq!(grounds(&rules, subject, text), held, "{subject}: {text}");
    }
}

#[test]
fn what_is_asked_of_what_was_learned_must_make_sense() {
    let told = |body: &str| {
        let csv =
            "word,rarity,U1\n(start),,0\n(slope),,1\n(slope of two sentences),,0\n(shift),,-5\nsofa,1,6\n";
        let urgent = format!("grounds:\n  - {{id: U1, title: t, policy: p, {body}}}\n");
        let files = [
            file("context.yaml", CONTEXT),
            file("areas.yaml", AREAS),
            file("vocabulary.yaml", VOCABULARY),
            file("urgent.yaml", &urgent),
            file("learned.csv", csv),
        ];
        let told = compile(&files, &World { terms: Vec::new(), domain: "hertfordshire.example".into() });
        told.err().map(|all| all.iter().map(|one| one.problem.clone()).collect::<Vec<_>>().join("; "))
    };
    let asked = |keys: &str| told(&format!("when: [no place, {{learned: {{{keys}}}}}]"));
    assert_eq!(asked("at least: 45, alone: 28, certain: 85"), None);
    for keys in ["at least: 45, alone: 45", "alone: 30", "alone: 30, less than: 50"] {
        assert!(asked(keys).is_some_and(|told| told.contains("`alone` says with how much less")), "{keys}");
    }
    for keys in ["at least: 45, certain: 40", "certain: 85"] {
        assert!(asked(keys).is_some_and(|told| told.contains("`certain` says from how much more")), "{keys}");
    }
    for key in ["alone: 30", "certain: 85"] {
        let learned = format!("{{learned: {{at least: 45, {key}}}}}");
        for place in ["when: [no place, any: [moved, HERE]]", "when: [no place], unless: [HERE]"] {
            let told = told(&place.replace("HERE", &learned));
            assert!(
                told.is_some_and(|told| told.contains("does not count within another condition")),
                "{key} {place}"
            );
        }
        assert_eq!(told(&format!("when: {learned}")), None, "{key} by itself");
    }
}
