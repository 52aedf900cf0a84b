// What the fake model says: rich enough to show everything an answer can hold.

const EN = [
  `A lease that runs longer than three years usually has to be **in writing**. Three things decide what happens next:

1. **The term.** A fixed term ends by itself; an open one needs notice.
2. **The notice period.** It counts from the *end* of the month in which notice was given.
3. **What was agreed in writing.** Oral side agreements are hard to prove.

> If both sides simply carry on after the end date, many legal systems treat the lease as continued on the same terms.

So the next step is to read the clause on renewal and note the date by which notice has to arrive.`,
  `Here is a small, complete version. It reads the file once and keeps only the counts:

\`\`\`python
from collections import Counter
from pathlib import Path

def most_common_words(path: Path, count: int = 10) -> list[tuple[str, int]]:
    """The words that occur most often, without regard to case."""
    words = Counter()
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            words.update(word.strip(".,;:!?").casefold() for word in line.split())
    return words.most_common(count)
\`\`\`

\`casefold()\` is the right choice here rather than \`lower()\`: it also folds letters such as \`ß\`. For Turkish text neither is right, because \`I\` belongs to \`ı\`; fold those two by hand first.`,
  `The two differ mainly in what they assume about the noise:

| | Mean | Median |
|---|---:|---:|
| Breakdown point | 0 % | 50 % |
| Efficiency, normal data | 100 % | 64 % |
| Cost for *n* values | $O(n)$ | $O(n)$ on average |
| Changes with one outlier | a lot | hardly |

For a sample $x_1, \\dots, x_n$ the mean minimises the squared distance, the median the absolute one:

$$
\\bar{x} = \\arg\\min_{c} \\sum_{i=1}^{n} (x_i - c)^2
\\qquad
\\tilde{x} = \\arg\\min_{c} \\sum_{i=1}^{n} |x_i - c|
$$

With outliers in the data, begin with the median.`,
  `Short answer: yes, but only while it is cold.

- Keep it **below 5 °C** and use it within two days.
- Heat it through once, *to the middle*, and do not cool it again.
- If it smells sour, throw it away; tasting is not a test.

The reason is time rather than temperature: bacteria double about every twenty minutes at room temperature.`,
]

const TR = [
  `Üç yıldan uzun süreli bir kira sözleşmesinin genellikle **yazılı** yapılması gerekir. Sonrasını üç şey belirler:

1. **Süre.** Belirli süreli sözleşme kendiliğinden biter; belirsiz sürelide bildirim gerekir.
2. **Bildirim süresi.** Bildirimin yapıldığı ayın *sonundan* itibaren işler.
3. **Yazılı olarak kararlaştırılanlar.** Sözlü ek anlaşmaları ispatlamak güçtür.

> Taraflar bitiş tarihinden sonra da aynı şekilde devam ederse sözleşme çoğu zaman aynı koşullarla uzamış sayılır.

Bu yüzden ilk iş, yenileme maddesini okuyup bildirimin ulaşması gereken tarihi not etmektir.`,
  `Türkçe metinde büyük–küçük harf çevirisi için yerel kuralı açıkça vermek gerekir:

\`\`\`typescript
const words = ['IŞIK', 'İZMİR', 'ılık', 'Iğdır']

/** Türkçe kurala göre küçültür: I → ı, İ → i. */
export function fold(text: string): string {
  return text.toLocaleLowerCase('tr').normalize('NFC')
}

console.log(words.map(fold)) // ['ışık', 'izmir', 'ılık', 'ığdır']
\`\`\`

\`toLowerCase()\` burada yanlış sonuç verir: \`'I'.toLowerCase()\` her zaman \`'i'\` olur ve “Iğdır” araması “ığdır” kaydını bulamaz.`,
  `Aylık taksit, anaparanın ve faizin birlikte ödendiği *annüite* formülüyle bulunur:

$$
T = P \\cdot \\frac{r (1 + r)^n}{(1 + r)^n - 1}
$$

Burada $P$ anapara, $r$ aylık faiz oranı, $n$ taksit sayısıdır. 500.000 ₺ için:

| Vade (ay) | Aylık faiz | Taksit | Toplam |
|---:|---:|---:|---:|
| 12 | %2,89 | 49.872 ₺ | 598.464 ₺ |
| 24 | %2,89 | 29.133 ₺ | 699.192 ₺ |
| 36 | %2,99 | 22.838 ₺ | 822.168 ₺ |

Vade uzadıkça taksit düşer, ödenen toplam faiz ise belirgin biçimde artar.`,
  `Kısa yanıt: evet, ama yalnızca soğukken.

- **5 °C'nin altında** saklayın ve iki gün içinde tüketin.
- Bir kez, *ortasına kadar* ısıtın; yeniden soğutmayın.
- Ekşi kokuyorsa atın; tadına bakmak bir sınama değildir.`,
]

export const DANGEROUS = `This answer tries to be more than text:

<script>window.__owned = true</script>
<img src="x" onerror="window.__owned = true">
<iframe src="https://example.com"></iframe>

[a link](javascript:alert(1)) and [a plain one](https://example.com/page).`

export function isTurkish(text: string): boolean {
  return /[çğıöşüÇĞİÖŞÜ]/.test(text) || /\b(bir|ve|ne|nasıl|için|mı|mi|neden|hangi)\b/i.test(text)
}

/** The same question gets the same answer; `turn` gives another one to a question asked again. */
export function answerTo(question: string, turn = 0): string {
  if (question.includes('/xss')) return DANGEROUS
  const pool = isTurkish(question) ? TR : EN
  if (question.includes('/long'))
    return Array.from({ length: 12 }, (_, index) => pool[index % pool.length]).join('\n\n')
  let sum = turn
  for (const letter of question) sum = (sum * 31 + letter.codePointAt(0)!) >>> 0
  return pool[(/\b(code|kod|python|typescript)\b/i.test(question) ? 1 : sum) % pool.length]!
}

/** Roughly as a tokenizer cuts it: words with the blank before them. */
export function tokens(text: string): string[] {
  return text.match(/\s*\S{1,7}|\s+$/g) ?? []
}
