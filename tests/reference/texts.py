"""Texts: what the tiny tokenizers are trained on, what is tokenised, and the conversations that are rendered."""

TRAINING = [
    "The heart pumps blood through the body. Diabetes is a disease in which the blood holds too much sugar.",
    "What is the difference between a contract and an agreement? The court decided that the contract was valid.",
    "Türkiye'nin başkenti Ankara'dır. Şeker hastalığı, kandaki şekerin yüksek olmasıdır; hastalığın iki türü vardır.",
    "Bir sözleşme iki tarafın anlaşmasıdır. İstanbul büyük bir şehirdir ve iki kıtanın üzerinde kurulmuştur.",
    "def main():\n    for i in range(10):\n        print(i)\n    return 0\n",
    "The sum of 12 and 30 is 42. In 2024 the price rose by 3.5% to 1,250 lira.",
    "User: hello\nAssistant: Hello! How can I help you today?\n",
]

TEXTS = [
    "",
    " ",
    "Hello",
    "Hello, world!",
    "What is diabetes?",
    "  two leading spaces",
    "two trailing spaces  ",
    "tabs\tand\nnew\r\nlines\n\n\nthree",
    "   \n \n  mixed white\u00a0space\u2003em\u3000wide",
    "Şeker hastalığı nedir?",
    "İstanbul'da ığdır, ÇAĞRI ve öğrenci",
    "I'll say they're here; we've DON'T can't it's",
    "İ i I ı İİıı",
    "naïve café, cafe\u0301 (decomposed)",
    "1 12 123 1234 12345.67 3,000,000 %50",
    "def f(x):\n    return x ** 2  # kare\n\n\tpass",
    "fn main() { println!(\"{:?}\", vec![1u8; 4]); }",
    "<html><body class='x'>&amp;</body></html>",
    "https://example.org/a_b-c?d=e&f=%20",
    "emoji 😀👍🏽 👨‍👩‍👧‍👦 🇹🇷 done",
    "中文 日本語 한국어 العربية हिन्दी",
    "a\u200db\ufeffc\u0000d",
    "....!!!???---___",
    "<|begin_of_text|>twice?<|eot_id|> text after <|end_of_text|>",
    "<|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|>",
    "almost <|eot_id |> a special <|eot_id",
    "<|endoftext|><|user|>\nhi\n<|assistant|>",
    "<s>hi</s> <unk>",
    "supercalifragilisticexpialidocious",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
]

CHATS = [
    [{"role": "user", "content": "What is diabetes?"}],
    [{"role": "system", "content": "You are brief."}, {"role": "user", "content": "  Merhaba!  \n"}],
    [
        {"role": "user", "content": "Şeker nedir?"},
        {"role": "assistant", "content": "Bir karbonhidrat. "},
        {"role": "user", "content": "Why?\n\n```py\nprint('x')\n```"},
    ],
    [{"role": "system", "content": ""}, {"role": "user", "content": "emoji 😀 and {{ braces }} <|eot_id|>"}],
]
