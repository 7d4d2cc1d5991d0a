-- 2 to 3: the life of a case. Letters and effects may concern no single message, so their tables are made anew.
ALTER TABLE messages ADD COLUMN words BLOB;
CREATE INDEX messages_by_words ON messages (words) WHERE words IS NOT NULL;
ALTER TABLE cases ADD COLUMN matter TEXT NOT NULL DEFAULT 'question';
ALTER TABLE cases ADD COLUMN extended_from TEXT;
ALTER TABLE cases ADD COLUMN first_response_at INTEGER;
ALTER TABLE cases ADD COLUMN last_answered_at INTEGER;
ALTER TABLE cases ADD COLUMN in_time INTEGER;
ALTER TABLE cases ADD COLUMN step INTEGER NOT NULL DEFAULT 1;
ALTER TABLE cases ADD COLUMN step_due_on TEXT;
ALTER TABLE cases ADD COLUMN chasers INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN missing_since INTEGER;
CREATE INDEX cases_by_answer ON cases (answered_at) WHERE answered_at IS NOT NULL;
CREATE TABLE participants (
    message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('from', 'reply-to', 'to', 'cc')),
    address TEXT NOT NULL,
    PRIMARY KEY (message_id, role, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX participants_by_address ON participants (address, role);
CREATE TABLE case_facts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    case_id INTEGER NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    fact_key TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    learnt_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    message_id INTEGER REFERENCES messages (id) ON DELETE SET NULL,
    fact TEXT NOT NULL,
    UNIQUE (case_id, fact_key)
) STRICT;
CREATE TABLE case_links (
    case_id INTEGER NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    other_id INTEGER NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    why TEXT NOT NULL,
    PRIMARY KEY (case_id, other_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_links_by_other ON case_links (other_id);
CREATE TABLE staff_replies (
    message_id INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    reply TEXT NOT NULL
) STRICT;
INSERT INTO participants (message_id, role, address)
SELECT id, 'from', sender FROM messages WHERE sender IS NOT NULL;
INSERT INTO case_facts (case_id, fact_key, occurred_at, learnt_at, actor, message_id, fact)
SELECT cases.id, 'message/' || messages.id || '/opened', cases.received_at, messages.entered_at, 'send-triage', messages.id,
    json_object('what', 'opened', 'matter', 'question', 'due_on', due_on, 'first_response_on', first_response_on,
        'step', CASE queue WHEN 'resolution' THEN 'resolution-team' ELSE 'coordinator' END,
        'step_due_on', CASE queue WHEN 'resolution' THEN first_response_on END)
FROM cases JOIN messages ON messages.id = cases.opening_message WHERE due_on IS NOT NULL;
UPDATE cases SET step = 4, step_due_on = first_response_on WHERE queue = 'resolution' AND due_on IS NOT NULL;
CREATE TABLE letters_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('acknowledge', 'alert', 'notice')),
    answers INTEGER REFERENCES messages (id),
    topic TEXT,
    message_id TEXT NOT NULL,
    envelope_from TEXT,
    envelope_to TEXT NOT NULL,
    recipient TEXT NOT NULL,
    recipient_domain TEXT NOT NULL,
    raw BLOB,
    planned_at INTEGER NOT NULL,
    sent_at INTEGER,
    CHECK ((kind = 'notice') = (topic IS NOT NULL)),
    CHECK (kind = 'notice' OR answers IS NOT NULL)
) STRICT;
INSERT INTO letters_new (id, kind, answers, message_id, envelope_from, envelope_to, recipient, recipient_domain, raw, planned_at, sent_at)
SELECT id, kind, answers, message_id, envelope_from, envelope_to, recipient, recipient_domain, raw, planned_at, sent_at FROM letters;
DROP TABLE letters;
ALTER TABLE letters_new RENAME TO letters;
CREATE INDEX letters_by_message_id ON letters (message_id);
CREATE UNIQUE INDEX letters_one_acknowledgement ON letters (answers) WHERE kind = 'acknowledge';
CREATE UNIQUE INDEX letters_one_alert_each ON letters (answers, recipient) WHERE kind = 'alert';
CREATE UNIQUE INDEX letters_one_notice_each ON letters (topic, recipient) WHERE kind = 'notice';
CREATE INDEX letters_to_recipient ON letters (recipient, planned_at) WHERE kind = 'acknowledge';
CREATE INDEX letters_to_domain ON letters (recipient_domain, planned_at) WHERE kind = 'acknowledge';
CREATE INDEX letters_by_time ON letters (planned_at) WHERE kind = 'acknowledge';
CREATE TABLE effects_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('acknowledge', 'alert', 'notice', 'keep-copy', 'file')),
    message_id INTEGER REFERENCES messages (id),
    account TEXT NOT NULL,
    letter_id INTEGER REFERENCES letters (id),
    location_id INTEGER REFERENCES locations (id),
    mailbox_id INTEGER REFERENCES mailboxes (id),
    payload TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'uncertain', 'adrift', 'stuck', 'done')),
    not_before INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    problem TEXT,
    planned_at INTEGER NOT NULL,
    done_at INTEGER,
    desk TEXT GENERATED ALWAYS AS (
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
INSERT INTO effects_new (id, kind, message_id, account, letter_id, location_id, mailbox_id, payload, state, not_before, attempts, problem, planned_at, done_at)
SELECT id, kind, message_id, account, letter_id, location_id, mailbox_id, payload, state, not_before, attempts, problem, planned_at, done_at FROM effects;
DROP TABLE effects;
ALTER TABLE effects_new RENAME TO effects;
CREATE INDEX effects_by_desk ON effects (desk, not_before) WHERE desk IS NOT NULL;
CREATE INDEX effects_by_message ON effects (message_id) WHERE message_id IS NOT NULL;
CREATE UNIQUE INDEX effects_once_a_letter ON effects (letter_id, kind) WHERE letter_id IS NOT NULL;
CREATE UNIQUE INDEX effects_once_a_location ON effects (location_id, kind) WHERE location_id IS NOT NULL;
