//! `model list|info|import|remove|use|verify`.

use crate::support::{Home, tiny, tiny_model};

fn import(home: &Home) {
    let ran = home.run(&["model", "import", &tiny(), "--name", "mine"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(0), "mine\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_fresh_machine_has_the_built_in_model_in_use() {
    let home = Home::new();
    let list = home.json(&["model", "list", "--json"]);
    assert_eq!(list["active"], "builtin");
    assert_eq!(list["models"].as_array().map(Vec::len), Some(1));
    assert_eq!(list["models"][0]["active"], true);
    assert!(
        !home.path().join("models").exists(),
        "listing writes nothing"
    );
}

#[test]
fn an_imported_model_is_used_verified_and_removed() {
    let home = Home::new();
    import(&home);
    assert_eq!(
        home.json(&["model", "info", "mine", "--json"])["shape"]["architecture"],
        "BitNet"
    );
    assert_eq!(
        home.json(&["model", "verify", "MINE", "--json"])["ok"],
        true
    );
    assert_eq!(
        home.json(&["model", "use", "mine", "--json"])["active"],
        true
    );
    assert_eq!(home.json(&["model", "list", "--json"])["active"], "mine");
    let answer = home.json(&["inference", "query", "Hi", "--max-tokens", "1", "--json"]);
    assert_eq!(answer["model"], "mine");
    assert!(home.json(&["model", "remove", "mine", "--json"])["freed_bytes"].as_u64() > Some(1000));
    assert_eq!(home.json(&["model", "list", "--json"])["active"], "builtin");
}

#[test]
fn a_name_is_given_once() {
    let home = Home::new();
    import(&home);
    let ran = home.run(&["model", "import", &tiny(), "--name", "mine"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("already installed"), "{}", ran.stderr);
}

#[test]
fn one_broken_model_does_not_take_the_list_down() {
    let home = Home::new();
    import(&home);
    let models = home.path().join("models");
    let folder = |name: &str| {
        let folder = models.join(name);
        std::fs::create_dir(&folder).expect("a new folder");
        folder
    };
    folder("by-hand");
    std::fs::write(folder("odd").join("r3mes-model.json"), "[1").expect("a new file");
    let escaping = r#"{"schema":1,"name":"evil","source":"","revision":null,"licence":null,"files":[{"path":"../x","size":0,"sha256":""}]}"#;
    std::fs::write(folder("evil").join("r3mes-model.json"), escaping).expect("a new file");
    let list = home.json(&["model", "list", "--json"]);
    let state = |name: &str| {
        let models = list["models"].as_array().expect("a list");
        models
            .iter()
            .find(|model| model["name"] == name)
            .expect("listed")["state"]
            .clone()
    };
    assert_eq!(state("mine"), "ready");
    for name in ["by-hand", "odd", "evil"] {
        assert_eq!(state(name), "broken", "{name}");
        assert_eq!(home.run(&["model", "use", name]).code, Some(1), "{name}");
        assert_eq!(home.run(&["model", "remove", name]).code, Some(0), "{name}");
    }
}

#[test]
fn a_flipped_bit_is_found_by_verify() {
    let home = Home::new();
    import(&home);
    let weights = home.path().join("models/mine/model.safetensors");
    let mut bytes = std::fs::read(&weights).expect("the weights");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&weights, bytes).expect("a writable file");
    let ran = home.run(&["model", "verify", "mine"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains("its sha256 is"), "{}", ran.stdout);
    assert!(
        ran.stderr.contains("not what its record says"),
        "{}",
        ran.stderr
    );
}

#[test]
fn models_are_found_by_path_without_being_installed() {
    let home = Home::new();
    let info = home.json(&["model", "info", &tiny(), "--json"]);
    assert_eq!(info["state"], "ready");
    assert!(info["shape"]["vocab_size"].as_u64() > Some(0));
    assert!(tiny_model().join("config.json").exists());
}
