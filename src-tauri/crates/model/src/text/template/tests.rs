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
fn no_depth_overflows_the_stack() {
    let repeated = |part: &str, before: &str, after: &str| {
        let times = (LONGEST - before.len() - after.len()) / part.len();
        format!("{before}{}{after}", part.repeat(times))
    };
    let paired = |open: &str, close: &str| {
        let times = (LONGEST - 10) / (open.len() + close.len());
        format!("{}1{}", open.repeat(times), close.repeat(times))
    };
    for source in [
        format!("{{{{ {} }}}}", paired("(", ")")),
        format!("{{{{ {} }}}}", paired("[", "]")),
        paired("{% if 1 %}", "{% endif %}"),
        repeated("-", "{{ ", "1 }}"),
        repeated("not ", "{{ ", "1 }}"),
        repeated("1+", "{{ ", "1 }}"),
        repeated("2**", "{{ ", "1 }}"),
        repeated("1~", "{{ ", "1 }}"),
        repeated("a.", "{{ ", "a }}"),
        repeated("|trim", "{{ 'a'", " }}"),
        repeated("1 if 1 else ", "{{ ", "1 }}"),
        repeated("1 and ", "{{ ", "1 }}"),
        repeated("{% elif 0 %}", "{% if 0 %}", "{% endif %}"),
        "{% set ns = namespace(x=[]) %}{% for a in range(99999) %}{% for b in range(3) %}\
         {% set ns.x = [ns.x] %}{% endfor %}{% endfor %}"
            .to_owned(),
    ] {
        // The first ones are errors, the others may have a value; what matters is that there is an outcome.
        let _outcome = render(&source);
    }
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
fn tags_that_are_cut_short_are_errors() {
    for source in [
        "{%}",
        "{%",
        "{{",
        "{#",
        "{%%}",
        "x{%}{% generation",
        "{% generation %}",
    ] {
        assert!(render(source).is_err(), "{source}");
    }
    assert_eq!(render("{% generation %}x{% endgeneration %}").unwrap(), "x");
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
