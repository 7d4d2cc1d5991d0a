-- What send-triage keeps, version 4. A new file is made from this page; older files are brought up to it by `migrate.rs`.
--
-- Manners: instants (`_at`) are whole seconds since 1970 in UTC; dates (`_on`) are `YYYY-MM-DD` in Europe/London;
-- yes and no are 1 and 0; lists and objects are JSON. A column may be NULL only where its comment says what that means.
-- Personal data: sender and subject of messages (staff must find them), recipients of letters, and the words that a
-- decision rests on (`decisions.trace`). No message text is kept, and a letter's bytes go once it is sent.

-- A watched folder of an account, and how far it has been read.
CREATE TABLE mailboxes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- Its number here.
    account TEXT NOT NULL,                  -- The account's name in the configuration.
    folder TEXT NOT NULL,                   -- The folder's name in Unicode.
    epoch INTEGER NOT NULL,                 -- Goes up by one when UIDs lose their meaning: UIDVALIDITY changed or UIDNEXT went back.
    uid_validity INTEGER NOT NULL,          -- UIDVALIDITY in this epoch.
    starts_after_uid INTEGER NOT NULL,      -- The ledger of this epoch begins above this UID.
    last_uid INTEGER NOT NULL,              -- Every UID up to this one has its outcome in `locations`, or is in `absences`.
    taken_into_use_at INTEGER NOT NULL,     -- Nothing received before this is acknowledged.
    last_seen_at INTEGER NOT NULL,          -- When its server last answered.
    UNIQUE (account, folder)
) STRICT;

-- One message, however many copies of it lie about.
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- Its number, by which logs name it.
    fingerprint BLOB UNIQUE,                -- SHA-256 of what makes it the same message elsewhere; NULL: it could not be read.
    message_id TEXT,                        -- Message-ID without angle brackets; NULL: it has none.
    mailbox_id INTEGER NOT NULL REFERENCES mailboxes (id), -- Where it was first met.
    received_at INTEGER NOT NULL,           -- INTERNALDATE there.
    size_bytes INTEGER NOT NULL,            -- Its size on the server.
    sender TEXT,                            -- From, lower case; NULL: it names nobody.
    sender_domain TEXT,                     -- The domain of `sender`; NULL likewise.
    subject TEXT NOT NULL,                  -- The subject as decoded; may be empty.
    words BLOB,                             -- SHA-256 of sender, subject and new words; NULL: too few to tell, or not known.
    entered_at INTEGER NOT NULL             -- When it was written down here.
) STRICT;
CREATE INDEX messages_by_message_id ON messages (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX messages_by_sender ON messages (sender, received_at) WHERE sender IS NOT NULL;
CREATE INDEX messages_by_receipt ON messages (received_at);
CREATE INDEX messages_by_words ON messages (words) WHERE words IS NOT NULL;

-- The Message-IDs that a message refers to, for joining it to its case.
CREATE TABLE message_references (
    message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE, -- The message that refers.
    refers_to TEXT NOT NULL,                -- A Message-ID of In-Reply-To or References, without angle brackets.
    place INTEGER NOT NULL,                 -- 0: In-Reply-To; from 1: its place in References, the oldest first.
    PRIMARY KEY (message_id, refers_to)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_references_by_target ON message_references (refers_to);

-- Who wrote a message and to whom: for knowing whether staff have answered the right person, and who belongs to a case.
CREATE TABLE participants (
    message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE, -- The message.
    role TEXT NOT NULL CHECK (role IN ('from', 'reply-to', 'to', 'cc')), -- The header field that names them.
    address TEXT NOT NULL,                  -- The address, lower case.
    PRIMARY KEY (message_id, role, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX participants_by_address ON participants (address, role);

-- The ledger: one row for each UID seen, with what became of it.
CREATE TABLE locations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- Its number here.
    mailbox_id INTEGER NOT NULL REFERENCES mailboxes (id), -- The mailbox.
    epoch INTEGER NOT NULL,                 -- The mailbox's epoch; only UIDs of the present one may be used on the server.
    uid_validity INTEGER NOT NULL,          -- UIDVALIDITY in that epoch.
    uid INTEGER NOT NULL,                   -- The UID.
    outcome TEXT NOT NULL CHECK (outcome IN ('decided', 'copy', 'own-letter', 'set-aside', 'left-alone')), -- What became of it.
    reason TEXT,                            -- Why it was set aside or left alone; NULL: the outcome says it all.
    message_id INTEGER REFERENCES messages (id) ON DELETE SET NULL, -- The message; NULL for what is not kept (own letters, left alone).
    entered_at INTEGER NOT NULL,            -- When it was written down here.
    left_at INTEGER,                        -- When it was filed away, or found gone; NULL: it lies there as far as we know.
    UNIQUE (mailbox_id, epoch, uid)
) STRICT;
CREATE INDEX locations_by_message ON locations (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX locations_by_entry ON locations (entered_at, outcome);

-- The ledger's other half: UIDs that the server no longer had when they were looked for.
CREATE TABLE absences (
    mailbox_id INTEGER NOT NULL REFERENCES mailboxes (id), -- The mailbox.
    epoch INTEGER NOT NULL,                 -- The mailbox's epoch.
    first_uid INTEGER NOT NULL,             -- The first absent UID of the row.
    last_uid INTEGER NOT NULL CHECK (last_uid >= first_uid), -- The last one.
    PRIMARY KEY (mailbox_id, epoch, first_uid)
) STRICT, WITHOUT ROWID;

-- Messages that could not be triaged: a person reads them.
CREATE TABLE set_aside (
    message_id INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE, -- The message.
    reason TEXT NOT NULL,                   -- What went wrong, without the message's words.
    due_on TEXT,                            -- When an answer would be due, from the time of receipt; NULL: not known.
    settled_at INTEGER                      -- When a person dealt with it; NULL: nobody has.
) STRICT;
CREATE INDEX set_aside_unsettled ON set_aside (message_id) WHERE settled_at IS NULL;

-- What was decided when the message came in. Never changed: corrections by staff are events of the case.
CREATE TABLE decisions (
    message_id INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE, -- The message.
    decided_at INTEGER NOT NULL,            -- When.
    rules_version TEXT NOT NULL,            -- The version of the rules that decided.
    kind TEXT NOT NULL,                     -- labelling.md, kind: person, auto-reply, ...
    copied INTEGER NOT NULL,                -- The team stands only in Cc or Bcc (policy, email c).
    urgency TEXT NOT NULL,                  -- urgent or standard.
    grounds TEXT NOT NULL,                  -- JSON list: U1 to U10, S1 to S7, other.
    claimed_urgent INTEGER NOT NULL,        -- Called urgent by the sender, with no ground (policy, email g).
    queue TEXT NOT NULL,                    -- The team that gets it.
    area TEXT NOT NULL,                     -- east, west or unknown.
    chaser TEXT NOT NULL,                   -- within, overdue, unclear or none.
    signposts TEXT NOT NULL,                -- JSON list.
    refer_leadership INTEGER NOT NULL,      -- Policy, email h.
    unsure INTEGER NOT NULL,                -- A person should look at the decision.
    withheld TEXT,                          -- Why no acknowledgement is sent; NULL: one is.
    trace TEXT NOT NULL,                    -- JSON list of findings {rule, policy, text, outcome, reason}.
    sender_role TEXT                        -- Who seems to write: parent, school, ...; NULL: nothing tells.
) STRICT;
CREATE INDEX decisions_withheld ON decisions (decided_at) WHERE withheld IS NOT NULL;
CREATE INDEX decisions_by_time ON decisions (decided_at, unsure);

-- How often each rule held, by the day: for telling which rules never speak. No message is named.
CREATE TABLE rule_tally (
    rule TEXT NOT NULL,                     -- The rule's id.
    spoke_on TEXT NOT NULL,                 -- The day of the decisions.
    times INTEGER NOT NULL,                 -- In how many of them it held.
    PRIMARY KEY (rule, spoke_on)
) STRICT, WITHOUT ROWID;

-- One matter that a sender needs answered, as it stands now: what `case/life.rs` makes of its rows in `case_facts`. Only
-- urgency, queue and area come from the decision and the corrections after it.
CREATE TABLE cases (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- Its number here.
    reference TEXT NOT NULL UNIQUE,         -- SEND-7K4M-2Q9X: what people call it.
    opening_message INTEGER NOT NULL UNIQUE REFERENCES messages (id), -- The message that opened it.
    state TEXT NOT NULL,                    -- open, extended, answered, closed: `case/life.rs` says which follow which.
    urgency TEXT NOT NULL,                  -- As decided, or as corrected by staff.
    queue TEXT NOT NULL,                    -- Likewise; resolution from step 4 of the escalation on.
    area TEXT NOT NULL,                     -- Likewise.
    received_at INTEGER NOT NULL,           -- When the opening message was received.
    first_response_on TEXT,                 -- Target for a first response (urgent and resolution); NULL: none is set.
    due_on TEXT,                            -- When the answer is due; NULL: none is owed.
    answered_at INTEGER,                    -- When the team first answered, since it was last opened; NULL: not yet.
    matter TEXT NOT NULL DEFAULT 'question', -- question, or call-back.
    extended_from TEXT,                     -- What due_on was before staff named a later date; NULL: they did not.
    first_response_at INTEGER,              -- When the team first answered or said it needs longer; NULL: not yet.
    last_answered_at INTEGER,               -- When the team last answered; NULL: never.
    in_time INTEGER,                        -- Whether `answered_at` was by the day it was due; NULL: it is not answered.
    step INTEGER NOT NULL DEFAULT 1,        -- The step of the escalation, 1 to 4.
    step_due_on TEXT,                       -- That step's target; NULL: step 1.
    chasers INTEGER NOT NULL DEFAULT 0,     -- How often the sender's side asked again.
    missing_since INTEGER                   -- Since when its message is found in none of our folders; NULL: it is not missing.
) STRICT;
CREATE INDEX cases_by_due ON cases (state, due_on);
CREATE INDEX cases_by_receipt ON cases (received_at);
CREATE INDEX cases_by_answer ON cases (answered_at) WHERE answered_at IS NOT NULL;

-- Everything that happened to a case, as far as its standing follows from it, in whatever order it was learnt. Rows are
-- added, never changed.
CREATE TABLE case_facts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- Its number, which is the order in which facts were learnt.
    case_id INTEGER NOT NULL REFERENCES cases (id) ON DELETE CASCADE, -- The case.
    fact_key TEXT NOT NULL,                 -- What makes it the same fact when it is told again: `message/17`, `by-hand/4`.
    occurred_at INTEGER NOT NULL,           -- When it happened: a message's receipt, a command's time.
    learnt_at INTEGER NOT NULL,             -- When it was written down here.
    actor TEXT NOT NULL,                    -- Who did it: send-triage (from a message), a person's name, or an address.
    message_id INTEGER REFERENCES messages (id) ON DELETE SET NULL, -- The message it follows from; NULL: from none.
    fact TEXT NOT NULL,                     -- JSON: {what: opened, due_on: ...}; `case/life.rs` has all kinds.
    UNIQUE (case_id, fact_key)
) STRICT;

-- Each answer that was or is owed: one when a case opens, one more each time it is opened again. What follows from its rows
-- in `case_facts`, written down anew with each of them, so that figures of past weeks stay what they were.
CREATE TABLE answers_owed (
    case_id INTEGER NOT NULL REFERENCES cases (id) ON DELETE CASCADE, -- The case.
    turn INTEGER NOT NULL,                  -- 1 since it opened, 2 since it was opened again, ...
    asked_on TEXT NOT NULL,                 -- When the question was received, or the case opened again.
    promised_on TEXT NOT NULL,              -- The last day of the promised time.
    due_on TEXT NOT NULL,                   -- The day that held in the end: that one, or a later one that staff named.
    answered_on TEXT,                       -- When staff answered; NULL: they did not.
    dropped INTEGER NOT NULL,               -- It was closed without an answer: nothing was owed.
    PRIMARY KEY (case_id, turn)
) STRICT, WITHOUT ROWID;
CREATE INDEX answers_owed_answered ON answers_owed (answered_on, asked_on, promised_on, due_on) WHERE answered_on IS NOT NULL;
CREATE INDEX answers_owed_promised ON answers_owed (promised_on, answered_on) WHERE dropped = 0;
CREATE INDEX answers_owed_waiting ON answers_owed (asked_on, promised_on, due_on) WHERE answered_on IS NULL AND dropped = 0;
CREATE INDEX answers_owed_again ON answers_owed (asked_on) WHERE turn > 1;

-- Cases that may concern the same matter, where doubt forbids to join them.
CREATE TABLE case_links (
    case_id INTEGER NOT NULL REFERENCES cases (id) ON DELETE CASCADE, -- The later case.
    other_id INTEGER NOT NULL REFERENCES cases (id) ON DELETE CASCADE, -- The earlier one.
    why TEXT NOT NULL,                      -- Why they are linked, in words for staff.
    PRIMARY KEY (case_id, other_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_links_by_other ON case_links (other_id);

-- Which messages belong to a case. A message belongs to one at most.
CREATE TABLE case_messages (
    message_id INTEGER PRIMARY KEY REFERENCES messages (id), -- The message.
    case_id INTEGER NOT NULL REFERENCES cases (id), -- Its case.
    role TEXT NOT NULL                      -- opened, chaser, addition, thanks, answer, holding-reply, passed-on.
) STRICT;
CREATE INDEX case_messages_by_case ON case_messages (case_id);

-- Messages of staff that refer to one that is not known (yet), with what they say: a reply may be met before its question.
-- The row goes when its case is found, and message and row together when none has turned up for long.
CREATE TABLE staff_replies (
    message_id INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE, -- The message.
    reply TEXT NOT NULL                     -- JSON: what `case/reply.rs` read in it.
) STRICT;

-- Letters of ours, written down before they are sent, so that we know them again wherever we meet them.
CREATE TABLE letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- Its number here.
    kind TEXT NOT NULL CHECK (kind IN ('acknowledge', 'alert', 'notice')), -- What it is.
    answers INTEGER REFERENCES messages (id), -- The message that it answers or tells of; NULL: a notice about no single one.
    topic TEXT,                             -- Of a notice: what it tells of, once to each recipient; NULL: no notice.
    message_id TEXT NOT NULL,               -- Our Message-ID, without angle brackets.
    envelope_from TEXT,                     -- The envelope sender; NULL: the null path <> (RFC 3834 section 3.3).
    envelope_to TEXT NOT NULL,              -- The one recipient, as it is sent.
    recipient TEXT NOT NULL,                -- The same in lower case, for counting.
    recipient_domain TEXT NOT NULL,         -- Its domain in lower case, for counting.
    raw BLOB,                               -- The whole letter; NULL once nothing more is to be done with it.
    planned_at INTEGER NOT NULL,            -- When it was written down.
    sent_at INTEGER,                        -- When the next server took it; NULL: not, or not known.
    CHECK ((kind = 'notice') = (topic IS NOT NULL)),
    CHECK (kind = 'notice' OR answers IS NOT NULL)
) STRICT;
CREATE INDEX letters_by_message_id ON letters (message_id);
CREATE UNIQUE INDEX letters_one_acknowledgement ON letters (answers) WHERE kind = 'acknowledge';
CREATE UNIQUE INDEX letters_one_alert_each ON letters (answers, recipient) WHERE kind = 'alert';
CREATE UNIQUE INDEX letters_one_notice_each ON letters (topic, recipient) WHERE kind = 'notice';
CREATE INDEX letters_to_recipient ON letters (recipient, planned_at) WHERE kind = 'acknowledge';
CREATE INDEX letters_to_domain ON letters (recipient_domain, planned_at) WHERE kind = 'acknowledge';
CREATE INDEX letters_by_time ON letters (planned_at) WHERE kind = 'acknowledge';
CREATE INDEX letters_by_sending ON letters (sent_at, answers) WHERE kind = 'acknowledge';

-- Letters of ours that came back: a report said that they could not be delivered (RFC 3464).
CREATE TABLE bounces (
    letter_id INTEGER PRIMARY KEY REFERENCES letters (id) ON DELETE CASCADE, -- The letter.
    message_id INTEGER REFERENCES messages (id) ON DELETE SET NULL, -- The report; NULL: it is no longer kept.
    received_at INTEGER NOT NULL,           -- When the report was received.
    status TEXT                             -- The status code in it (RFC 3463); NULL: none that could be read.
) STRICT;
CREATE INDEX bounces_by_receipt ON bounces (received_at);

-- What is to be done, from the moment it was decided until it is done.
CREATE TABLE effects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- Its number, by which logs name it.
    kind TEXT NOT NULL CHECK (kind IN ('acknowledge', 'alert', 'notice', 'keep-copy', 'file')), -- What is to be done.
    message_id INTEGER REFERENCES messages (id), -- On account of which message; NULL: a notice about no single one.
    account TEXT NOT NULL,                  -- The account that sends or keeps the letter; for `file`, the one it is filed to.
    letter_id INTEGER REFERENCES letters (id), -- The letter; NULL: `file`.
    location_id INTEGER REFERENCES locations (id), -- What is filed; NULL: a letter.
    mailbox_id INTEGER REFERENCES mailboxes (id), -- The mailbox of that location; NULL: a letter.
    payload TEXT NOT NULL,                  -- JSON: for `file`, {to: {account, folder}, flagged}; else {}.
    state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'uncertain', 'adrift', 'stuck', 'done')), -- How it stands:
        -- pending: to be done; sending: being handed over now; uncertain: handed over, no answer, to be looked for;
        -- adrift: its UID lost its meaning, the message is being looked for; stuck: a person must act; done.
    not_before INTEGER NOT NULL,            -- The next attempt is not made before this.
    attempts INTEGER NOT NULL,              -- How often it was tried.
    problem TEXT,                           -- What went wrong last; NULL: nothing.
    planned_at INTEGER NOT NULL,            -- When it was written down.
    done_at INTEGER,                        -- When it was done; NULL: it is not.
    desk TEXT GENERATED ALWAYS AS (         -- Whose turn it is; NULL: nobody's.
        CASE
            WHEN state = 'pending' AND kind IN ('acknowledge', 'alert', 'notice') THEN 'post/' || account
            WHEN state = 'pending' AND kind = 'file' THEN 'mailbox/' || mailbox_id
            WHEN state = 'pending' AND kind = 'keep-copy' THEN 'sent/' || account
            WHEN state = 'uncertain' THEN 'sent/' || account
            WHEN state = 'adrift' THEN 'adrift/' || mailbox_id
            WHEN state = 'sending' THEN 'sending'
            WHEN state = 'stuck' THEN 'person'
        END
    ) VIRTUAL,
    CHECK (kind IN ('notice', 'keep-copy') OR message_id IS NOT NULL),
    CHECK ((kind = 'file') = (location_id IS NOT NULL)),
    CHECK ((kind = 'file') = (mailbox_id IS NOT NULL)),
    CHECK ((kind = 'file') = (letter_id IS NULL))
) STRICT;
CREATE INDEX effects_by_desk ON effects (desk, not_before) WHERE desk IS NOT NULL;
CREATE INDEX effects_by_message ON effects (message_id) WHERE message_id IS NOT NULL;
CREATE UNIQUE INDEX effects_once_a_letter ON effects (letter_id, kind) WHERE letter_id IS NOT NULL;
CREATE UNIQUE INDEX effects_once_a_location ON effects (location_id, kind) WHERE location_id IS NOT NULL;

-- Every attempt at an effect, and how it ended.
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- Its number here.
    effect_id INTEGER NOT NULL REFERENCES effects (id) ON DELETE CASCADE, -- The effect.
    made_at INTEGER NOT NULL,               -- When it ended.
    outcome TEXT NOT NULL,                  -- handed-over, done, gone, failed, uncertain, interrupted, stuck, came-round.
    detail TEXT NOT NULL                    -- What the server said; empty: nothing worth saying.
) STRICT;
CREATE INDEX attempts_by_effect ON attempts (effect_id);

-- The audit: what happened, in order. Rows are added, never changed.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- Its number, which is the order.
    happened_at INTEGER NOT NULL,           -- When.
    actor TEXT NOT NULL,                    -- send-triage, or who did it.
    what TEXT NOT NULL,                     -- opened, acknowledged, filed, corrected, ...
    case_id INTEGER REFERENCES cases (id) ON DELETE CASCADE, -- The case; NULL: it concerns none.
    message_id INTEGER REFERENCES messages (id) ON DELETE CASCADE, -- The message; NULL: likewise.
    detail TEXT NOT NULL                    -- JSON object: the particulars, such as what a correction changed from and to.
) STRICT;
CREATE INDEX events_by_case ON events (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX events_by_message ON events (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX events_corrected ON events (message_id) WHERE what = 'corrected';
CREATE INDEX events_corrected_by_time ON events (happened_at) WHERE what = 'corrected';
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are never changed');
END;
