//! What people and servers do while the program runs: senders write, staff answer, drag and delete, servers restart and
//! number anew. Drawn from the seed; which message it befalls is drawn when it happens.

use super::chance::Chance;
use super::letters::{ACCOUNTS, Kind};
use super::sim::{Sim, State};
use super::world::BEFORE_US;

/// One of them.
#[derive(Clone, Debug)]
pub enum Deed {
    /// These letters arrive.
    Arrive(Vec<(Kind, usize)>),
    /// One of the letters is delivered again, perhaps to the other account.
    Again(u64, usize),
    /// Staff drag one of the letters to a folder of its account.
    Drag(u64, &'static str),
    /// Staff delete one of the letters, or only mark it so.
    Delete(u64, bool),
    /// Staff answer one of the letters.
    Answer(u64),
    /// A server restarts: all its connections break.
    Restart(usize),
    /// A folder is made anew, and its server says so.
    OtherUidValidity(usize, &'static str),
    /// A folder is made anew, and its server does not say so.
    Rewind(usize, &'static str),
}

const KINDS: [Kind; 14] = [
    Kind::Question,
    Kind::Question,
    Kind::Question,
    Kind::Request,
    Kind::Request,
    Kind::Request,
    Kind::Urgent,
    Kind::Chaser,
    Kind::Chaser,
    Kind::Nameless,
    Kind::Nameless,
    Kind::OutOfOffice,
    Kind::Newsletter,
    Kind::Bounce,
];
const FOLDERS: [&str; 5] = ["Triage/General", "Triage/Resolution", "Archive", "INBOX", "Trash"];

impl Deed {
    pub fn of(chance: &mut Chance) -> Self {
        let account = usize::try_from(chance.below(2)).unwrap();
        let which = chance.below(1 << 20);
        match chance.below(20) {
            0..=8 => {
                let how_many = if chance.one_in(5) { chance.between(2, 5) } else { 1 };
                let letter =
                    |chance: &mut Chance| (chance.pick(&KINDS), usize::try_from(chance.below(2)).unwrap());
                Self::Arrive((0..how_many).map(|_| letter(chance)).collect())
            }
            9 => Self::Again(which, account),
            10 | 11 => Self::Drag(which, chance.pick(&FOLDERS)),
            12 => Self::Delete(which, chance.one_in(2)),
            13 | 14 => Self::Answer(which),
            15 => Self::Restart(account),
            16 | 17 => {
                Self::OtherUidValidity(account, chance.pick(&["INBOX", "INBOX", "Sent", "Triage/General"]))
            }
            _ => Self::Rewind(account, chance.pick(&["INBOX", "INBOX", "Sent"])),
        }
    }

    /// A letter from before the program was first started.
    pub fn already_there(chance: &mut Chance, sim: &Sim) {
        let mut state = sim.lock();
        let account = usize::try_from(chance.below(2)).unwrap();
        let at = state.now() - BEFORE_US;
        let number = state.letters.write(chance.pick(&[Kind::Question, Kind::Request]), account, None, at);
        let letter = &mut state.letters.all[number];
        (letter.old, letter.deliveries) = (true, 1);
        let bytes = letter.bytes.clone();
        state.stores[account].put("INBOX", bytes, at);
    }

    /// It happens.
    pub fn done(self, state: &mut State) {
        state.note(|| format!("--- {self:?}"));
        let now = state.now();
        let which = |state: &State, draw: u64| {
            let all = state.letters.all.len() as u64;
            (all > 0).then(|| usize::try_from(draw % all).unwrap())
        };
        match self {
            Self::Arrive(letters) => {
                for (kind, account) in letters {
                    state.arrive(kind, account);
                }
            }
            Self::Again(draw, account) => {
                let Some(number) = which(state, draw) else { return };
                let letter = &mut state.letters.all[number];
                if letter.kind != Kind::Answer {
                    letter.deliveries += 1;
                    let bytes = letter.bytes.clone();
                    state.stores[account].put("INBOX", bytes, now);
                }
            }
            Self::Drag(draw, folder) => {
                let Some(number) = which(state, draw) else { return };
                let Some((account, mail)) = state.taken(number) else { return };
                state.stores[account].put(folder, mail.bytes, mail.received_at);
            }
            Self::Delete(draw, wholly) => {
                let Some(number) = which(state, draw) else { return };
                if wholly {
                    state.taken(number);
                } else {
                    state.marked(number);
                }
            }
            Self::Answer(draw) => {
                let Some(about) = which(state, draw) else { return };
                if !state.letters.all[about].kind.is_asked() {
                    return;
                }
                let account = state.letters.all[about].account;
                let number = state.letters.write(Kind::Answer, account, Some(about), now);
                let bytes = state.letters.all[number].bytes.clone();
                state.stores[account].put("Sent", bytes, now);
            }
            Self::Restart(account) => state.stores[account].restart(),
            Self::OtherUidValidity(account, folder) => state.stores[account].change_uid_validity(folder),
            Self::Rewind(account, folder) => state.rewind(account, folder),
        }
    }
}

impl State {
    fn arrive(&mut self, kind: Kind, account: usize) {
        let now = self.now();
        let asked = self.letters.all.iter().rposition(|letter| letter.kind.is_asked() && !letter.old);
        let (kind, about) = match (kind, asked) {
            (Kind::Chaser | Kind::Bounce, Some(about)) => (kind, Some(about)),
            (Kind::Chaser | Kind::Bounce, None) => (Kind::Question, None),
            _ => (kind, None),
        };
        let account = about.map_or(account, |about| self.letters.all[about].account);
        let number = self.letters.write(kind, account, about, now);
        let letter = &mut self.letters.all[number];
        letter.deliveries = 1;
        let bytes = letter.bytes.clone();
        self.note(|| format!("    letter {number}, {kind:?} about {about:?}, to {}", ACCOUNTS[account]));
        self.stores[account].put("INBOX", bytes, now);
    }

    /// Staff take a letter from wherever it lies first.
    fn taken(&mut self, number: usize) -> Option<(usize, super::store::Mail)> {
        for account in 0..self.stores.len() {
            let places = self.stores[account].places(number);
            if let Some(place) = places.first().cloned() {
                self.letters.all[number].touched = true;
                self.note(|| format!("    letter {number} from {place}"));
                return self.stores[account].take(&place, number).map(|mail| (account, mail));
            }
        }
        None
    }

    /// Staff mark a letter as deleted in an inbox.
    fn marked(&mut self, number: usize) {
        for account in 0..self.stores.len() {
            let inbox = self.stores[account].folders.get_mut("INBOX").unwrap();
            for mail in inbox.mails.iter_mut().filter(|mail| mail.letter() == Some(number)) {
                mail.deleted = true;
                self.letters.all[number].touched = true;
            }
        }
    }

    /// Only where it shows: UIDNEXT is then below what the program has read.
    fn rewind(&mut self, account: usize, folder: &str) {
        let name = if folder == "Sent" { "\\Sent" } else { folder };
        let read = self.witness(
            "SELECT CAST(last_uid AS TEXT) FROM mailboxes WHERE account = ?1 AND folder = ?2",
            &[&ACCOUNTS[account], &name],
        );
        let read: usize = read.and_then(|uid| uid.parse().ok()).unwrap_or(0);
        if self.stores[account].folders[folder].mails.len() < read {
            self.stores[account].rewind(folder);
        }
    }
}
