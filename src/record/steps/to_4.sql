-- 3 to 4: what figures are counted from. `answers_owed` and `rule_tally` are filled by `tally.rs`, which knows London's days.
ALTER TABLE decisions ADD COLUMN sender_role TEXT;
CREATE INDEX decisions_by_time ON decisions (decided_at, unsure);
CREATE TABLE rule_tally (
    rule TEXT NOT NULL,
    spoke_on TEXT NOT NULL,
    times INTEGER NOT NULL,
    PRIMARY KEY (rule, spoke_on)
) STRICT, WITHOUT ROWID;
CREATE TABLE answers_owed (
    case_id INTEGER NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    turn INTEGER NOT NULL,
    asked_on TEXT NOT NULL,
    promised_on TEXT NOT NULL,
    due_on TEXT NOT NULL,
    answered_on TEXT,
    dropped INTEGER NOT NULL,
    PRIMARY KEY (case_id, turn)
) STRICT, WITHOUT ROWID;
CREATE INDEX answers_owed_answered ON answers_owed (answered_on, asked_on, promised_on, due_on) WHERE answered_on IS NOT NULL;
CREATE INDEX answers_owed_promised ON answers_owed (promised_on, answered_on) WHERE dropped = 0;
CREATE INDEX answers_owed_waiting ON answers_owed (asked_on, promised_on, due_on) WHERE answered_on IS NULL AND dropped = 0;
CREATE INDEX answers_owed_again ON answers_owed (asked_on) WHERE turn > 1;
CREATE INDEX letters_by_sending ON letters (sent_at, answers) WHERE kind = 'acknowledge';
CREATE TABLE bounces (
    letter_id INTEGER PRIMARY KEY REFERENCES letters (id) ON DELETE CASCADE,
    message_id INTEGER REFERENCES messages (id) ON DELETE SET NULL,
    received_at INTEGER NOT NULL,
    status TEXT
) STRICT;
CREATE INDEX bounces_by_receipt ON bounces (received_at);
CREATE INDEX locations_by_entry ON locations (entered_at, outcome);
CREATE INDEX events_corrected_by_time ON events (happened_at) WHERE what = 'corrected';
-- The shipped rules that tell who writes are called role-parent, role-school, ...; the first that spoke counts.
UPDATE decisions SET sender_role = (
    SELECT substr(f.value ->> '$.rule', 6) FROM json_each(decisions.trace) f
    WHERE f.value ->> '$.rule' GLOB 'role-*' ORDER BY f.key LIMIT 1);
