//! Rules as staff wrote them made into a [`Ruleset`]: all files together, all complaints at once, every example tried.
//!
//! Each step has its own file; here is their order, and what each hands to the next. Nothing is read of a message but the
//! rules' own examples.

use sha2::{Digest, Sha256};

use super::{
    Body, Diagnostic, FileCounts, Ruleset, Severity, SourceFile, World, context, example, found, lint,
    matcher, schema, source, waking, workshop,
};

/// Compiles all files together, runs every rule's examples, and gives all complaints, not the first.
pub fn compile(files: &[SourceFile], world: &World) -> Result<Ruleset, Vec<Diagnostic>> {
    compile_and_try(files, world, Tried::Nothing)
}

/// The same for rules that were held against ordinary mail before, such as those that are built in.
pub fn compile_known(files: &[SourceFile], world: &World) -> Result<Ruleset, Vec<Diagnostic>> {
    compile_and_try(files, world, Tried::OrdinaryMail)
}

/// The same for rules that also passed their examples before: those that are built in, which the tests of each version
/// try. Most of what it takes to compile rules is their examples.
pub fn compile_tested(files: &[SourceFile], world: &World) -> Result<Ruleset, Vec<Diagnostic>> {
    compile_and_try(files, world, Tried::Everything)
}

/// What rules were held against before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tried {
    Nothing,
    OrdinaryMail,
    Everything,
}

fn compile_and_try(files: &[SourceFile], world: &World, tried: Tried) -> Result<Ruleset, Vec<Diagnostic>> {
    let (texts, mut complaints) = source::decode(files);
    let mut shop = workshop::Workshop::new(&texts);
    shop.learned = schema::learned(files, &mut complaints);
    shop.learned_missed = shop.learned.is_none() && files.iter().any(schema::is_learned);
    let drafts = schema::read(&mut shop);
    let order = schema::order(&mut shop, &drafts);
    lint::shadow::check(&mut shop, &drafts);
    complaints.append(&mut shop.complaints);
    if complaints.iter().any(|complaint| complaint.severity == Severity::Error) {
        return Err(sorted(complaints));
    }
    let (mut lexicon, sets) = std::mem::take(&mut shop.terms).finish(std::mem::take(&mut shop.spellings));
    if let Some(learned) = &shop.learned {
        lexicon.hear(learned);
    }
    let phrases = shop.programs.len();
    let (programs, parts) = (std::mem::take(&mut shop.programs), std::mem::take(&mut shop.parts));
    // What the rules themselves take for ordinary mail tells which of their words are rare.
    let mut mail: Vec<&str> = lint::wide::sentences().collect();
    mail.extend(drafts.iter().flat_map(|draft| draft.examples.iter().map(|example| example.text())));
    let often = lexicon.met(mail.into_iter());
    let matcher = matcher::Matcher::new(programs, parts, sets, lexicon.len(), &often);
    let (mut rules, mut bodies, mut trials) = (Vec::new(), Vec::new(), Vec::new());
    let (mut asked, mut always, mut needs) = (Vec::new(), Vec::new(), Vec::new());
    for (index, draft) in drafts.into_iter().enumerate() {
        for (place, condition) in draft.when.iter().enumerate() {
            match found::needs(&matcher, condition) {
                None => always.push((index, place)),
                Some(ways) => {
                    needs.extend(ways.into_iter().map(|way| (way, asked.len())));
                    asked.push((index, place));
                }
            }
        }
        rules.push(draft.rule);
        let schema::Draft { when, outright, unless, kinds, .. } = draft;
        bodies.push(Body { when, outright, unless, kinds });
        trials.push(example::Trial { examples: draft.examples, phrases: draft.phrases, id_at: draft.id_at });
    }
    let triggers = shop.triggers.iter().enumerate().filter(|(_, trigger)| trigger.is_some());
    let triggers = triggers.map(|(phrase, _)| (matcher.needs(phrase).to_vec(), phrase)).collect();
    let mut ruleset = Ruleset {
        rules,
        bodies,
        order,
        waking: waking::Waking::new(needs, matcher.terms(), matcher.sets()),
        asked,
        always,
        trigger_waking: waking::Waking::new(triggers, matcher.terms(), matcher.sets()),
        lexicon,
        matcher,
        contexts: context::Contexts { triggers: std::mem::take(&mut shop.triggers), settings: shop.settings },
        places: std::mem::take(&mut shop.places),
        list_names: std::mem::take(&mut shop.list_names),
        learned: shop.learned.take(),
        terms: world.terms.clone(),
        domain: world.domain.to_lowercase(),
        version: version(files),
        phrases,
        examples: trials.iter().map(|trial| trial.examples.len()).sum(),
        files: counts(&shop, &trials),
        mailboxes: named_mailboxes(&shop),
        warnings: Vec::new(),
    };
    if tried < Tried::Everything {
        for (rule, trial) in ruleset.rules.iter().zip(&trials) {
            complaints.extend(example::run(&ruleset, &rule.id, trial, &shop));
        }
    }
    if tried == Tried::Nothing {
        complaints.extend(lint::wide::check(&ruleset, &trials, &shop));
    }
    if complaints.iter().any(|complaint| complaint.severity == Severity::Error) {
        return Err(sorted(complaints));
    }
    ruleset.warnings = sorted(complaints);
    Ok(ruleset)
}

fn counts(shop: &workshop::Workshop<'_>, trials: &[example::Trial]) -> Vec<FileCounts> {
    let count = |index: usize, file: &workshop::File| {
        let own = trials.iter().filter(|trial| trial.id_at.0 == index);
        FileCounts {
            name: file.name.clone(),
            rules: own.clone().count(),
            phrases: shop.written.iter().filter(|written| written.file == index).count(),
            examples: own.map(|trial| trial.examples.len()).sum(),
        }
    };
    shop.files.iter().enumerate().map(|(index, file)| count(index, file)).collect()
}

fn named_mailboxes(shop: &workshop::Workshop<'_>) -> Vec<(String, Diagnostic)> {
    let complaint = |name: &String, written| {
        let problem = format!(
            "no mailbox is called `{name}`: the configuration has no such account, so this never holds"
        );
        shop.diagnostic(written, Severity::Warning, problem, "Write the `name` of an account.")
    };
    shop.mailboxes.iter().map(|(name, written)| (name.clone(), complaint(name, written))).collect()
}

/// Sentences of ordinary mail that are no matter of the policy, by which rules that are too wide are found.
pub fn everyday() -> impl Iterator<Item = &'static str> {
    lint::wide::sentences()
}

/// The examples of all rules that could be read: the rule's id, whether it must hold, and the words.
pub fn examples(files: &[SourceFile]) -> Vec<(String, bool, String)> {
    let (texts, _) = source::decode(files);
    let mut shop = workshop::Workshop::new(&texts);
    schema::read(&mut shop)
        .into_iter()
        .flat_map(|draft| {
            let id = draft.rule.id;
            draft
                .examples
                .into_iter()
                .filter(|example| !example.text().is_empty())
                .map(move |example| (id.clone(), example.yes, example.text().to_owned()))
        })
        .collect()
}

/// In the order in which a person would work through them; where there are errors, warnings wait until they are mended.
fn sorted(mut complaints: Vec<Diagnostic>) -> Vec<Diagnostic> {
    if complaints.iter().any(|complaint| complaint.severity == Severity::Error) {
        complaints.retain(|complaint| complaint.severity == Severity::Error);
    }
    complaints.sort_by(|one, two| (&one.file, one.range.start).cmp(&(&two.file, two.range.start)));
    complaints.dedup();
    complaints
}

/// The first 12 hex digits of SHA-256 over names and bytes, sorted by name.
pub(super) fn version(files: &[SourceFile]) -> String {
    let mut sorted: Vec<&SourceFile> = files.iter().collect();
    sorted.sort_by(|one, two| one.name.cmp(&two.name));
    let mut hash = Sha256::new();
    for file in sorted {
        // Lengths keep apart what would otherwise run together.
        hash.update((file.name.len() as u64).to_be_bytes());
        hash.update(&file.name);
        hash.update((file.bytes.len() as u64).to_be_bytes());
        hash.update(&file.bytes);
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
