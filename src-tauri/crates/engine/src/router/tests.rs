//! The router as a whole: with the shipped data and the shipped embedder.

use super::{
    CLASS_IDS, CLASSES, Embeds, Label, Learned, Recent, Router, Stickiness, Tuning,
    builtin_embedder,
};
use crate::api::{ExpertWeight, Route, RouteReason};
use crate::error::EngineError;
use std::sync::{Arc, OnceLock};

fn shipped() -> Router {
    static ROUTER: OnceLock<Router> = OnceLock::new();
    let router = ROUTER.get_or_init(|| {
        let embedder = builtin_embedder().expect("it ships");
        Router::builtin(Arc::new(embedder)).expect("the shipped data is valid")
    });
    router.clone()
}

fn first(route: &Route) -> &str {
    route
        .candidates
        .first()
        .map_or("base", |one| &one.expert_id)
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn plain_questions_of_each_field_find_their_expert() {
    let router = shipped();
    for (question, expert) in [
        ("What are the symptoms of type 2 diabetes?", "medical_dora"),
        (
            "Which antibiotic is used to treat pneumonia?",
            "medical_dora",
        ),
        (
            "Can my landlord terminate the lease without notice?",
            "legal_dora",
        ),
        (
            "What is the punishment for theft under the Penal Code?",
            "legal_dora",
        ),
        ("How do I reverse a list in Python?", "coding_dora"),
        (
            "find all files larger than 10 MB and delete them",
            "coding_dora",
        ),
        ("What was the company's net income in 2019?", "finance_dora"),
        ("my credit card was declined at the atm", "finance_dora"),
        (
            "Mustafa Kemal Atatürk hangi yılda doğmuştur?",
            "turkish_dora",
        ),
        (
            "Bu cümleyi İngilizceye çevir: Yarın geleceğim.",
            "turkish_dora",
        ),
        ("Hello, how are you today?", "general_dora"),
        ("Who directed the first Star Wars movie?", "general_dora"),
        ("What is the momentum of a photon?", "science_dora"),
        (
            "How do I interpret the p-value of a t-test?",
            "science_dora",
        ),
    ] {
        let route = router.route(question);
        assert_eq!(first(&route), expert, "{question}: {route:#?}");
    }
}

#[test]
fn every_route_is_made_of_probabilities_and_tells_why() {
    let route = shipped().route("Is ibuprofen safe during pregnancy?");
    assert_eq!(route.scores.len(), CLASSES);
    for sum in [
        route.scores.iter().map(|one| one.keyword).sum::<f32>(),
        route.scores.iter().map(|one| one.fused).sum::<f32>(),
        route.candidates.iter().map(|one| one.weight).sum::<f32>(),
    ] {
        assert!((sum - 1.0).abs() < 1e-4, "{sum}");
    }
    let best = &route.scores[0];
    let matched: Vec<&str> = best.matched.iter().map(|word| word.text.as_str()).collect();
    assert!(matched.contains(&"pregnancy"), "{matched:?}");
    assert!(best.why[0].starts_with("matched: "), "{:?}", best.why);
}

#[test]
fn sure_words_take_the_fast_path_and_the_meaning_is_not_asked() {
    let question = "What are the symptoms of leukemia and how is chemotherapy given?";
    let route = shipped().route(question);
    assert!(route.used_fast_path, "{}", route.reason_text);
    assert_eq!(
        (route.reason, route.semantic_ms),
        (RouteReason::FastPath, 0.0)
    );
    let never = Tuning {
        fast_path: 1.1,
        ..Tuning::default()
    };
    let route = shipped().with_tuning(never).route(question);
    assert!(!route.used_fast_path);
    assert_eq!(first(&route), "medical_dora");
    assert!(!route.scores[0].nearest.is_empty());
}

#[test]
fn the_fallback_joins_when_nobody_is_sure() {
    let careful = Tuning {
        fast_path: 1.1,
        fallback: 1.1,
        ..Tuning::default()
    };
    let route = shipped()
        .with_tuning(careful)
        .route("How do I reverse a list in Python?");
    assert_eq!(route.reason, RouteReason::Fallback);
    assert_eq!(first(&route), "coding_dora");
    assert!(
        route
            .candidates
            .iter()
            .any(|one| one.expert_id == "general_dora")
    );
    assert!(
        route
            .reason_text
            .ends_with("below 1.10: `general_dora` joins"),
        "{}",
        route.reason_text
    );
}

#[test]
fn nobody_is_taken_below_the_threshold_of_rejection() {
    let strict = Tuning {
        fast_path: 1.1,
        reject: 1.01,
        ..Tuning::default()
    };
    let route = shipped()
        .with_tuning(strict)
        .route("What is photosynthesis?");
    assert_eq!(
        (route.reason, route.candidates.len()),
        (RouteReason::Rejected, 0)
    );
    assert!(
        route
            .reason_text
            .starts_with("no expert: the best, `science_dora`"),
        "{}",
        route.reason_text
    );
}

#[test]
fn a_text_without_anything_known_is_rejected_and_no_text_panics() {
    let router = shipped();
    for text in ["", "   ", "🙂🙂", "\u{0}\u{301}"] {
        let route = router.route(text);
        assert_eq!(route.reason, RouteReason::Rejected, "{text:?}");
    }
    for text in [
        "a".repeat(10_000),
        "diabetes 🙂 ".repeat(1_000),
        "هل هذا سؤال؟".to_owned(),
        "שאלה ".repeat(500),
        "Write a function that şifreyi çözer 🙂 in Python".to_owned(),
        "((((((((((((((((((".to_owned(),
        "\u{202e}desrever".to_owned(),
    ] {
        let route = router.route(&text);
        assert_eq!(route.scores.len(), CLASSES);
        assert!(route.scores.iter().all(|one| one.fused.is_finite()));
    }
}

#[test]
fn turkish_is_folded_and_its_endings_are_understood() {
    let router = shipped();
    let plain = router.route("şeker hastalığının belirtileri nelerdir?");
    for same in [
        "ŞEKER HASTALIĞININ BELİRTİLERİ NELERDİR?",
        "seker hastaliginin belirtileri nelerdir?",
    ] {
        let route = router.route(same);
        assert_eq!(first(&route), "turkish_dora", "{same}");
        assert_eq!(route.language.as_deref(), Some("tr"));
        assert_eq!(route.scores[1].expert_id, plain.scores[1].expert_id);
    }
}

#[test]
fn a_turkish_question_about_illness_shows_medicine_second() {
    let router = shipped();
    for question in [
        "Şeker hastalığının belirtileri nelerdir?",
        "Doktor bana antibiyotik ilaç yazdı, yan etkileri nelerdir?",
    ] {
        let route = router.route(question);
        let order: Vec<&str> = route
            .scores
            .iter()
            .map(|one| one.expert_id.as_str())
            .collect();
        assert_eq!(order[..2], ["turkish_dora", "medical_dora"], "{question}");
    }
}

#[test]
fn words_end_where_they_end() {
    let route = shipped().route("The hearth was warm.");
    let words: Vec<&str> = route
        .scores
        .iter()
        .flat_map(|one| &one.matched)
        .map(|word| word.entry.as_str())
        .collect();
    assert!(!words.contains(&"heart"), "{words:?}");
}

#[test]
fn a_new_expert_joins_through_its_examples() {
    let examples = texts(&[
        "How do I prune tomato plants?",
        "When should I plant tulip bulbs?",
        "Why are the leaves of my tomato plants yellow?",
        "How often should I water roses in the garden?",
        "Which fertilizer is best for garden vegetables?",
    ]);
    let question = "How do I prune the roses in my garden?";
    let router = shipped();
    assert!(
        router
            .route(question)
            .scores
            .iter()
            .all(|one| one.expert_id != "gardening")
    );
    let router = router
        .with_expert("gardening", &examples)
        .expect("examples are embedded");
    assert_eq!(router.experts().last(), Some(&"gardening"));
    let route = router.route(question);
    assert_eq!(first(&route), "gardening", "{route:#?}");
    assert!(
        route.scores[0].why[0].starts_with("nearest example: “How"),
        "{:?}",
        route.scores[0].why
    );
    for (other, expert) in [
        ("How do I reverse a list in Python?", "coding_dora"),
        ("What are the symptoms of leukemia?", "medical_dora"),
    ] {
        assert_eq!(first(&router.route(other)), expert, "{other}");
    }
}

#[test]
fn corrections_are_learned_and_can_be_undone() {
    let router = shipped();
    let question = "Tell me about the pressure gauge of unit seven";
    let wrong = first(&router.route(question)).to_owned();
    let expert = CLASS_IDS
        .iter()
        .find(|id| **id != wrong)
        .expect("seven ids");
    let labels = vec![
        Label {
            text: question.into(),
            expert_id: (*expert).into(),
        },
        Label {
            text: "Tell me about the pressure gauges of unit eight".into(),
            expert_id: (*expert).into(),
        },
        Label {
            text: "gone".into(),
            expert_id: "no_such_expert".into(),
        },
    ];
    let refit = router.refit(&labels).expect("labels are embedded");
    assert_eq!(refit.labels, 2);
    assert!(refit.after > refit.before, "{refit:?}");
    let learned = router
        .clone()
        .with_learned(&refit.proposed)
        .expect("it is applied");
    assert_eq!(first(&learned.route(question)), *expert);
    let undone = learned.with_learned(&refit.undo).expect("it is undone");
    assert_eq!(undone.learned(), Learned::default());
    assert_eq!(first(&undone.route(question)), wrong);
}

#[test]
fn labels_that_are_right_already_change_nothing() {
    let router = shipped();
    let labels = vec![Label {
        text: "What are the symptoms of leukemia?".into(),
        expert_id: "medical_dora".into(),
    }];
    let refit = router.refit(&labels).expect("labels are embedded");
    assert_eq!((refit.before, refit.after), (1.0, 1.0));
    assert_eq!(refit.proposed, refit.undo);
}

#[test]
fn a_follow_up_stays_with_its_expert() {
    let recent = Recent {
        mix: vec![ExpertWeight {
            expert_id: "medical_dora".into(),
            weight: 1.0,
        }],
        read_again_tokens: 5_000,
        prefill_tokens_per_second: 100.0,
    };
    let router = shipped();
    let kept = router.route_after("And what about children?", &recent, &Stickiness::default());
    assert_eq!(kept.reason, RouteReason::Kept, "{}", kept.reason_text);
    let changed = router.route_after(
        "How do I undo the last git commit?",
        &recent,
        &Stickiness::default(),
    );
    assert_eq!(first(&changed), "coding_dora");
}

#[test]
fn many_questions_are_routed_as_each_alone() {
    let router = shipped();
    let questions = [
        "What is photosynthesis?",
        "How do I undo the last git commit?",
    ];
    let together = router.route_all(&questions);
    for (question, route) in questions.iter().zip(together) {
        assert_eq!(route.candidates, router.route(question).candidates);
    }
}

#[test]
fn an_embedder_that_fails_leaves_the_words() {
    struct Failing;
    impl Embeds for Failing {
        fn name(&self) -> &str {
            "failing"
        }
        fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EngineError> {
            match texts {
                [_] => Err(EngineError::BadRequest {
                    field: "text".into(),
                    found: "anything".into(),
                    expected: "nothing".into(),
                }),
                _ => Ok(vec![vec![1.0]; texts.len()]),
            }
        }
    }
    let never = Tuning {
        fast_path: 1.1,
        ..Tuning::default()
    };
    let router = Router::builtin(Arc::new(Failing))
        .expect("examples are embedded")
        .with_tuning(never);
    let route = router.route("What are the symptoms of leukemia?");
    assert_eq!(first(&route), "medical_dora");
    assert!(
        route.reason_text.contains("the embedder failed"),
        "{}",
        route.reason_text
    );
}
