//! Templates for models whose file has none, or a wrong one.

/// What the GGUF of BitNet b1.58 2B-4T carries instead of its template renders this word.
/// Source: bitnet.cpp `utils/convert-ms-to-gguf-bitnet.py`.
pub(super) const PLACEHOLDER_MARK: &str = "BITNETAssistant";

/// BitNet b1.58 2B-4T: `Role: content<|eot_id|>`, content trimmed, no BOS.
/// Source: `tokenizer_config.json` of microsoft/bitnet-b1.58-2B-4T.
pub(super) const BITNET_2B4T: &str = "\
{% for message in messages %}\
{{ message['role'] | capitalize + ': ' + message['content'] | trim + '<|eot_id|>' }}\
{% endfor %}\
{% if add_generation_prompt %}{{ 'Assistant: ' }}{% endif %}";

/// For a model without any template: one `Role: content` paragraph per turn, which a base model continues sensibly.
pub(super) const PLAIN: &str = "\
{% for message in messages %}\
{{ message['role'] | capitalize + ': ' + message['content'] | trim + '\\n\\n' }}\
{% endfor %}\
{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}";
