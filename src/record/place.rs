//! Where the message of a case lies, as far as the record knows: what letters to staff name. It is not looked for on the server.

use rusqlite::Row;

use crate::effect::Destination;

use super::value::Json;

/// A column of a query that has the message as `m`, to stand beside `b.account` and `b.folder`, where it came in: where staff moved
/// it, else where we filed it. The filing of the copy that was decided about goes before that of any further copy, which lies
/// among the duplicates.
pub(super) const LIES_IN: &str = "coalesce(
        (SELECT e.detail ->> '$.moved_to' FROM events e
            WHERE e.what = 'corrected' AND e.message_id = m.id AND e.detail ->> '$.moved_to' IS NOT NULL
            ORDER BY e.id DESC LIMIT 1),
        (SELECT f.payload ->> '$.to' FROM effects f LEFT JOIN locations l ON l.id = f.location_id
            WHERE f.message_id = m.id AND f.kind = 'file'
            ORDER BY l.outcome IS 'copy', f.id DESC LIMIT 1)) AS filed_to";

/// The place that such a row tells.
pub(super) fn lies_in(row: &Row<'_>) -> rusqlite::Result<Destination> {
    Ok(match row.get::<_, Option<Json<Destination>>>("filed_to")? {
        Some(Json(place)) => place,
        None => Destination { account: row.get("account")?, folder: row.get("folder")? },
    })
}
