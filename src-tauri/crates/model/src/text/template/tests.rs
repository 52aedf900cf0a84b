//! Templates that are broken, refuse, or try to run for ever.

use super::*;

fn render(source: &str) -> Result<String, TextError> {
    ChatTemplate::new(source.to_owned(), TemplateOrigin::Gguf)?
        .render(&[Message::new("user", "hi")], GenerationPrompt::Add)
}

#[test]
fn a_template_that_does_not_end_is_an_error() {
    for source in [
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% set ns = namespace(s='xxxxxxxx') %}{% for a in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{{ 'x' * 100000000000 }}",
        "{{ 'x' * 10000000000 | length }}",
        "{{ [0] * 1000000000 }}",
        "{{ 'x' | center(99999999999) }}",
        "{{ '%99999999999d' | format(1) }}",
        "{{ '{:99999999999}'.format(1) }}",
        "{{ ('x' * 100000).replace('x', 'x' * 100000) }}",
        "{{ ('x' * 100000).split('') | list }}",
        "{{ ('x,' * 100000) | replace(',', 'y' * 100000) }}",
        "{{ range(10000000000) | list | length }}",
        "{{ ([[['x' * 60000] * 60000]] * 60000) | tojson }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ ('x' * 1000000) | indent(100000000000) }}",
        "{{ messages | tojson(indent=1000000000) | length }}{{ [] * -1 }}{{ 1 / 0 }}",
        "{% include 'chat_template' %}",
    ] {
        let started = std::time::Instant::now();
        let error = render(source).err();
        assert!(
            matches!(error, Some(TextError::Template { .. })),
            "{source}: {error:?}"
        );
        assert!(started.elapsed().as_secs() < 20, "{source}");
    }
}

#[test]
fn deep_nesting_is_an_error() {
    for (open, middle, close) in [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("-", "1", ""),
        ("not ", "1", ""),
    ] {
        let source = format!(
            "{{{{ {}{middle}{} }}}}",
            open.repeat(100_000),
            close.repeat(100_000)
        );
        assert!(render(&source).is_err(), "{open}");
    }
    let blocks = format!(
        "{}{}",
        "{% if 1 %}".repeat(60_000),
        "{% endif %}".repeat(60_000)
    );
    assert!(render(&blocks).is_err());
}

#[test]
fn errors_name_the_origin_the_line_and_the_reason() {
    for (source, expected) in [
        (
            "{% for m in messages %}\n{{ m.content }",
            "chat template from GGUF key `tokenizer.chat_template`, line 2: syntax error: ",
        ),
        (
            "a\n\n{{ raise_exception('no system turns') }}",
            "chat template from GGUF key `tokenizer.chat_template`, line 3: no system turns",
        ),
        (
            "{{ messages[0].missing.deeper }}",
            "chat template from GGUF key `tokenizer.chat_template`, line 1: undefined value",
        ),
    ] {
        let error = render(source).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    assert!(render(&" ".repeat(LONGEST + 1)).is_err());
}

#[test]
fn the_clock_is_passed_in() {
    let template = ChatTemplate::new(
        "{{ strftime_now('%d %b %Y') }}".to_owned(),
        TemplateOrigin::Gguf,
    )
    .unwrap();
    let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_721_952_000);
    let text = template.render_at(&[], GenerationPrompt::Omit, at).unwrap();
    assert_eq!(text, "26 Jul 2024");
}
