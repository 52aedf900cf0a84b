//! What a search finds, in Turkish and otherwise.

use super::*;

fn found(store: &Conversations, query: &str) -> Vec<String> {
    let hits = store.search(query).expect("any text is a query");
    for hit in &hits {
        let units = hit.snippet.encode_utf16().count();
        let mut last = 0;
        for &(start, end) in &hit.marks {
            assert!(last <= start && start < end && end <= units, "{hit:?}");
            last = end;
        }
    }
    hits.into_iter()
        .filter(|hit| hit.message_id.is_some())
        .map(|hit| hit.snippet)
        .collect()
}

#[test]
fn the_four_letters_i_find_one_another() {
    let (_folder, store) = store();
    for text in [
        "istanbul",
        "İSTANBUL",
        "ISTANBUL",
        "ıstanbul",
        "İstanbul'da",
        "i\u{307}stanbul",
    ] {
        talked(&store, text, "-");
    }
    for query in [
        "istanbul",
        "İSTANBUL",
        "ISTANBUL",
        "ıstanbul",
        "İstanbul",
        "ıst",
        "İS",
    ] {
        assert_eq!(found(&store, query).len(), 6, "{query}");
    }
}

#[test]
fn diacritics_and_case_do_not_matter() {
    let (_folder, store) = store();
    talked(&store, "Şeker Üretimi ÇÖĞÜŞ", "Kâğıt ve café");
    for query in [
        "şeker",
        "seker",
        "SEKER",
        "ŞEKER",
        "uretimi",
        "ÜRETİMİ",
        "coğus",
        "kagit",
        "KÂĞIT",
        "cafe",
        "CAFÉ",
    ] {
        assert_eq!(found(&store, query).len(), 1, "{query}");
    }
    assert_eq!(found(&store, "sekerleme").len(), 0);
}

#[test]
fn every_word_counts_and_the_last_one_may_be_a_beginning() {
    let (_folder, store) = store();
    talked(&store, "kitaplar masanın üstünde", "masa boş");
    assert_eq!(found(&store, "kitap"), ["kitaplar masanın üstünde"]);
    assert_eq!(found(&store, "masa").len(), 2);
    assert_eq!(found(&store, "üstünde kitap").len(), 1);
    assert_eq!(
        found(&store, "kitap üstünde").len(),
        0,
        "only the last word is a beginning"
    );
    assert_eq!(found(&store, "kitaplar boş").len(), 0);
}

#[test]
fn titles_are_found_and_marked() {
    let (_folder, store) = store();
    let (id, _) = talked(&store, "x", "y");
    store.rename(&id, "İzmir gezisi").expect("renamed");
    let hit = store.search("IZMIR").expect("searched").remove(0);
    assert_eq!(
        (hit.message_id, hit.role, hit.snippet.as_str()),
        (None, None, "İzmir gezisi")
    );
    assert_eq!(hit.marks, [(0, 5)]);
    assert_eq!(hit.conversation_id, id);
    store.rename(&id, "Ankara").expect("renamed");
    assert!(store.search("izmir").expect("searched").is_empty());
}

#[test]
fn no_text_is_an_error() {
    let (_folder, store) = store();
    talked(
        &store,
        "NEAR the \"quoted\" AND title:x",
        "col*umn OR NOT (a)",
    );
    for query in [
        "",
        " ",
        "\"",
        "\"\"",
        "'",
        "*",
        "-",
        "a*",
        "AND",
        "OR NOT",
        "NEAR(",
        "NEAR/2",
        "title:x",
        "words:x",
        "{words}:x",
        "^a",
        "a + b",
        "(",
        ")",
        "a\0b",
        "\0",
        "%_",
        ";--",
        "\u{202e}",
        "👩‍👩‍👧",
        "\u{301}",
        "ﷺ",
        "a\u{301}\u{301}\u{301}",
    ] {
        found(&store, query);
        found(&store, &query.repeat(10_000));
    }
    assert_eq!(found(&store, "near THE quoted").len(), 1);
    assert_eq!(found(&store, "\"title\":(x").len(), 1);
    assert_eq!(found(&store, "not* a").len(), 1);
}

#[test]
fn newer_and_better_matches_come_first() {
    let (folder, store) = store();
    talked(
        &store,
        "elma hakkında çok uzun bir yazı ve başka şeyler de var burada epeyce",
        "-",
    );
    talked(&store, "elma", "-");
    assert_eq!(found(&store, "elma")[0], "elma");
    folder.pass(400 * DAY_MS);
    talked(&store, "armut", "-");
    folder.pass(400 * DAY_MS);
    talked(&store, "armut", "yeni");
    let hits = store.search("armut").expect("searched");
    let times: Vec<i64> = hits
        .iter()
        .filter(|hit| hit.message_id.is_some())
        .map(|hit| hit.created_at)
        .collect();
    assert!(times[0] > times[1], "{times:?}");
}

#[test]
fn what_is_deleted_or_running_is_not_found() {
    let (_folder, store) = store();
    let id = store.create().expect("created").id;
    let asked = store.ask(&id, None, "soru", "tiny").expect("stored");
    store
        .checkpoint_answer(&asked.answer.id, "yarım cevap")
        .expect("kept");
    assert_eq!(found(&store, "yarım").len(), 0);
    store
        .finish_answer(&asked.answer.id, &whole("bütün cevap"))
        .expect("finished");
    assert_eq!(found(&store, "bütün").len(), 1);
    store.trash_message(&id, &asked.answer.id).expect("trashed");
    assert_eq!(found(&store, "bütün").len(), 0);
    store
        .restore_message(&id, &asked.answer.id)
        .expect("restored");
    assert_eq!(found(&store, "bütün").len(), 1);
}
