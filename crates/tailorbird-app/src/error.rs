//! Why a use-case did not succeed.

use tailorbird_model::yaml::Problem;
use tailorbird_model::{Failure, codes};
use tailorbird_store::StoreError;

/// A failure, and the problems of files where that is the reason.
#[derive(Debug, Clone)]
pub struct AppError {
    /// What happened.
    pub failure: Failure,
    /// The problems of files, each with the file's name.
    pub problems: Vec<(String, Problem)>,
    usage: bool,
}

/// Codes that mean: the words, the file or the place given cannot be used (exit code 2).
const USAGE_CODES: &[&str] = &[
    codes::NO_HOME,
    codes::TASK_FILE,
    codes::SERVICE_FILE,
    codes::YAML,
    codes::CONNECTION_SETTING,
    codes::SECRETS_UNREADABLE,
    codes::DATABASE_SETTING,
    codes::AUTHORIZE_URL_WRONG,
];

impl AppError {
    /// A failure that is the caller's: a word, file or value that cannot be used.
    pub fn usage(failure: Failure) -> Self {
        Self {
            failure,
            problems: Vec::new(),
            usage: true,
        }
    }

    /// A file with problems.
    pub fn file(failure: Failure, problems: Vec<(String, Problem)>) -> Self {
        Self {
            failure,
            problems,
            usage: true,
        }
    }

    /// Tells whether the words, the file or the place given cannot be used.
    pub fn is_usage(&self) -> bool {
        self.usage || USAGE_CODES.contains(&self.failure.code.as_str())
    }
}

impl From<Failure> for AppError {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            problems: Vec::new(),
            usage: false,
        }
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        Self::from(Failure::from(error))
    }
}
