//! The ledger as a whole: whether somebody edited it by hand.

use serde::Serialize;
use tailorbird_model::delivery::DeliveryId;
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_store::{ChainHead, ChainReport, Misfit};

use crate::{App, AppError};

/// What `delivery verify` found.
#[derive(Debug, Clone)]
pub struct Verified {
    /// The numbers.
    pub report: ChainReport,
    /// What does not fit, in words.
    pub misfits: Vec<MisfitLine>,
    /// HOME-004 where something does not fit.
    pub failure: Option<Failure>,
}

/// Something that does not fit.
#[derive(Debug, Clone, Serialize)]
pub struct MisfitLine {
    /// `link_altered`, `links_missing`, `row_altered`, `row_missing`, `row_unknown` or `head_gone`.
    pub kind: &'static str,
    /// The link, or the first of those that are missing.
    pub link: Option<i64>,
    /// The delivery.
    pub delivery: Option<DeliveryId>,
    /// Its key, where its row still tells.
    pub key: Option<String>,
    /// What it means, in words.
    pub text: String,
}

/// Reads a link that somebody noted elsewhere, as `delivery verify` prints it: `NUMBER:CODE`.
///
/// # Errors
/// Where it is none.
pub fn noted_link(text: &str) -> Result<ChainHead, AppError> {
    let parts = text
        .trim()
        .split_once(':')
        .and_then(|(number, mac)| Some((number.parse().ok()?, mac)))
        .filter(|(_, mac)| mac.len() == 64 && mac.chars().all(|c| c.is_ascii_hexdigit()));
    let Some((number, mac)) = parts else {
        let message = format!("{text:?} is not a link");
        return Err(AppError::usage(
            Failure::new(codes::DELIVERY_UNKNOWN, Meaning::Rejected, message)
                .hint("Give it as an earlier `delivery verify` printed it: NUMBER:CODE, the code being 64 hexadecimal digits."),
        ));
    };
    Ok(ChainHead {
        number,
        mac: mac.to_ascii_lowercase(),
    })
}

impl App {
    /// Walks the keyed chain and compares it with the rows. Progress is told as links done and links there are.
    ///
    /// # Errors
    /// Where the store cannot be read; HOME-003 where the sealing key does not open the chain's key.
    pub fn verify_ledger(
        &self,
        noted: Option<&ChainHead>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Verified, AppError> {
        let report = self.store.verify_chain_with(noted, progress)?;
        let misfits = report
            .named
            .iter()
            .map(|misfit| self.misfit_line(misfit))
            .collect::<Result<Vec<_>, AppError>>()?;
        let failure = (!report.is_whole()).then(|| {
            let message = format!("{} thing(s) in the ledger do not fit its chain", report.misfits);
            Failure::new(codes::LEDGER_ALTERED, Meaning::NotSent, message)
                .detail("Somebody or something changed the file past this program, or an older copy came back.")
                .hint(
                    "Run no task before you know why. Compare the named deliveries with the provider, or bring a \
                     backup back with `tailorbird restore`.",
                )
        });
        Ok(Verified {
            report,
            misfits,
            failure,
        })
    }

    fn misfit_line(&self, misfit: &Misfit) -> Result<MisfitLine, AppError> {
        let about_link = |kind, link: i64, text: String| MisfitLine {
            kind,
            link: Some(link),
            delivery: None,
            key: None,
            text,
        };
        let about_row = |kind, id: i64, what: &str| -> Result<MisfitLine, AppError> {
            let found = self.store.delivery(DeliveryId(id));
            // A row that was edited may not be readable as a delivery any more; its number names it then.
            let key = found
                .ok()
                .flatten()
                .map(|delivery| delivery.identity.key.to_string());
            let name = key.as_ref().map(|key| format!(" ({key})")).unwrap_or_default();
            Ok(MisfitLine {
                kind,
                link: None,
                delivery: Some(DeliveryId(id)),
                key,
                text: format!("delivery {id}{name}: {what}"),
            })
        };
        Ok(match misfit {
            Misfit::LinkAltered { link } => about_link(
                "link_altered",
                *link,
                format!("link {link} was altered, or does not belong after the one before it"),
            ),
            Misfit::LinksMissing { from, to } if from == to => {
                about_link("links_missing", *from, format!("link {from} is missing"))
            }
            Misfit::LinksMissing { from, to } => about_link(
                "links_missing",
                *from,
                format!("links {from} to {to} are missing"),
            ),
            Misfit::RowAltered { delivery } => {
                about_row("row_altered", *delivery, "its row is not what its last link says")?
            }
            Misfit::RowMissing { delivery } => about_row("row_missing", *delivery, "its row is gone")?,
            Misfit::RowUnknown { delivery } => about_row(
                "row_unknown",
                *delivery,
                "no link names it; it was added by hand, or its links were cut off",
            )?,
            Misfit::HeadGone { noted } => about_link(
                "head_gone",
                noted.number,
                format!(
                    "the noted link {} is not in the chain; its end was cut off, or an older copy came back",
                    noted.number
                ),
            ),
        })
    }
}
