//! Writes what the window may call as TypeScript: `cargo run -p r3mes-desktop --example bindings`.

fn main() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../ui/lib/api/generated/bindings.ts"
    );
    let text = r3mes_desktop::typescript().expect("every type can be said in TypeScript");
    std::fs::write(file, text).expect("the generated file can be written");
}
