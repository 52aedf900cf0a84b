//! The fitted data that ships inside the program, and a router made of it.

use super::lexicon::{self, Entry, Lexicon};
use super::linear::{CLASSES, Scores};
use super::semantic::{Embeds, Examples, Head};
use super::{Calibration, Router, Tuning};
use crate::catalogue::open_builtin_embedder;
use crate::error::EngineError;
use r3mes_model::embedding::Embedder;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// Ids of the classes, in the order of all scores.
pub const CLASS_IDS: [&str; CLASSES] = [
    "medical_dora",
    "legal_dora",
    "coding_dora",
    "finance_dora",
    "turkish_dora",
    "general_dora",
    "science_dora",
];
/// Names of the fields, in the same order.
pub const CLASS_NAMES: [&str; CLASSES] = [
    "medical", "legal", "coding", "finance", "turkish", "general", "science",
];
/// The class of the fallback expert.
pub(super) const GENERAL: usize = 5;

/// The embedder that ships, as the head names it.
pub(super) const BUILTIN_EMBEDDER: &str = "r3mes-static";

macro_rules! per_class {
    ($folder:literal, $kind:literal) => {
        [
            include_str!(concat!(
                "../../../../resources/router/",
                $folder,
                "/medical.",
                $kind
            )),
            include_str!(concat!(
                "../../../../resources/router/",
                $folder,
                "/legal.",
                $kind
            )),
            include_str!(concat!(
                "../../../../resources/router/",
                $folder,
                "/coding.",
                $kind
            )),
            include_str!(concat!(
                "../../../../resources/router/",
                $folder,
                "/finance.",
                $kind
            )),
            include_str!(concat!(
                "../../../../resources/router/",
                $folder,
                "/turkish.",
                $kind
            )),
            include_str!(concat!(
                "../../../../resources/router/",
                $folder,
                "/general.",
                $kind
            )),
            include_str!(concat!(
                "../../../../resources/router/",
                $folder,
                "/science.",
                $kind
            )),
        ]
    };
}

const LEXICON: [&str; CLASSES] = per_class!("lexicon", "tsv");
const EXAMPLES: [&str; CLASSES] = per_class!("examples", "txt");
const HEAD: &[u8] = include_bytes!("../../../../resources/router/head.f32");
const FIT: &str = include_str!("../../../../resources/router/fit.json");

/// The embedder that ships, for programs that fit and judge the router.
///
/// # Errors
/// If this program was built without one.
pub fn builtin_embedder() -> Result<Embedder, EngineError> {
    open_builtin_embedder()
}

/// What does not fit into the other files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FitFile {
    /// Version of the data.
    pub version: u32,
    /// Bias of the keyword stage.
    pub keyword_bias: Scores,
    /// Both temperatures.
    pub calibration: Calibration,
}

/// The lexicon is read once: it is the same for every embedder.
static SHARED: OnceLock<(Arc<Lexicon>, Calibration)> = OnceLock::new();

pub(super) fn router(embedder: Arc<dyn Embeds>) -> Result<Router, EngineError> {
    let (lexicon, calibration) = SHARED.get_or_init(read).clone();
    let head = (embedder.name() == BUILTIN_EMBEDDER)
        .then(|| Head::from_bytes(BUILTIN_EMBEDDER, HEAD))
        .flatten();
    let known = EXAMPLES
        .iter()
        .map(|file| {
            let texts: Vec<String> = file.lines().map(str::to_owned).collect();
            Examples::new(&texts, embedder.as_ref())
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Router {
        lexicon,
        calibration,
        head: head.map(Arc::new),
        embedder,
        known: Arc::new(known),
        own: Vec::new(),
        corrections: Vec::new(),
        tuning: Tuning::default(),
        telling: Arc::default(),
    })
}

fn read() -> (Arc<Lexicon>, Calibration) {
    let mut entries: HashMap<String, Entry> = HashMap::new();
    for (class, file) in LEXICON.iter().enumerate() {
        if let Err(line) = lexicon::read_class(file, class, &mut entries) {
            unreachable!(
                "line {line} of the shipped lexicon `{}` is read by a test",
                CLASS_NAMES[class]
            );
        }
    }
    let mut entries: Vec<Entry> = entries.into_values().collect();
    entries.sort_by(|a, b| a.text.cmp(&b.text));
    let fit: FitFile = serde_json::from_str(FIT).expect("the shipped fit is read by a test");
    let lexicon =
        Lexicon::new(entries, fit.keyword_bias).expect("the shipped lexicon is built by a test");
    (Arc::new(lexicon), fit.calibration)
}
