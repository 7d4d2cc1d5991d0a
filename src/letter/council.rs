//! Whom the letters may point to: the council's own names, telephone numbers and pages. Configuration, not wording:
//! a new number is changed in one place, and every text that names it follows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! council {
    ($($(#[doc = $doc:literal])+ $field:ident = $default:literal),+ $(,)?) => {
        /// The council's names, telephone numbers and pages, each a field that the wording may use. The defaults are
        /// those of an invented council.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct Council {
            $($(#[doc = $doc])+ pub $field: String,)+
        }

        impl Default for Council {
            fn default() -> Self {
                Self { $($field: $default.to_owned(),)+ }
            }
        }

        impl Council {
            /// Every field with what it is, for diagnostics and for the manual.
            pub const FIELDS: &[(&str, &str)] = &[$((stringify!($field), concat!($($doc),+)),)+];

            pub(crate) fn entries(&self) -> Vec<(&'static str, &str)> {
                vec![$((stringify!($field), self.$field.as_str()),)+]
            }
        }
    };
}

council! {
    /// The council's name.
    council_name = "Hertfordshire Council (example)",
    /// What the team calls itself.
    service_name = "The SEND team",
    /// The SEND duty line.
    phone = "01632 960 330",
    /// When the duty line is open.
    phone_hours = "8.30am to 5.30pm, Monday to Friday",
    /// The Local Offer's page.
    local_offer_url = "https://www.hertfordshire.example/localoffer",
    /// The Grid's page, for schools and settings.
    grid_url = "https://thegrid.hertfordshire.example/send",
    /// SENDIASS's page.
    sendiass_url = "https://www.sendiass.example",
    /// SENDIASS's telephone number.
    sendiass_phone = "01632 960 847",
    /// The page that lists the DSPL leads.
    dspl_url = "https://www.hertfordshire.example/dspl",
    /// The page that lists the team leads (escalation, step 2).
    team_leads_url = "https://www.hertfordshire.example/send/contact",
    /// The SEND Resolution Team's address (escalation, step 4).
    resolution_email = "sendresolutions@hertfordshire.example",
    /// The page on support by SEND Implementation and Support Officers.
    implementation_support_url = "https://www.hertfordshire.example/send/implementation-support",
    /// The Disagreement Resolution Service's page.
    disagreement_url = "https://www.hertfordshire.example/send/disagreement-resolution",
    /// The page on mediation and the tribunal.
    mediation_url = "https://www.hertfordshire.example/send/mediation",
    /// The page on formal complaints about the council.
    complaints_url = "https://www.hertfordshire.example/complaints",
    /// The Complaints Team for Children's Services.
    complaints_email = "cs.complaints@hertfordshire.example",
    /// The page on complaints about schools.
    school_complaints_url = "https://www.hertfordshire.example/complaints/schools",
    /// The page that finds the right Patient Advice and Liaison Service.
    pals_url = "https://www.nhs.example/find-pals",
}
