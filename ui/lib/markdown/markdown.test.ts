import { describe, expect, it } from 'vitest'
import { Splitter, type Block } from './blocks'
import { closeTail, closeTex } from './closing'
import { colour, grammarOf, loadGrammar } from './highlight'
import { Renderer } from './html'

const labels = { copy: 'Copy', copied: 'Copied', code: 'code', table: 'Table' }
const html = (raw: string) => new Renderer(labels).render(raw)
const split = (text: string, open = false) => new Splitter().split(text, open)
const kinds = (blocks: Block[]) => blocks.map((block) => block.kind)

describe('blocks', () => {
  it('keeps text, code and display maths apart', () => {
    expect(split('Hello\n\n```py\nprint(1)\n```\n\n$$\nx^2\n$$\n\nEnd')).toEqual([
      { kind: 'text', raw: 'Hello' },
      { kind: 'code', code: 'print(1)', language: 'py' },
      { kind: 'maths', tex: 'x^2' },
      { kind: 'text', raw: 'End' },
    ])
  })

  it('shows a fence without an end as code, and not the marks that begin its end', () => {
    expect(split('```js\nlet a = 1\n``', true)).toEqual([{ kind: 'code', code: 'let a = 1', language: 'js' }])
    expect(split('```js\nlet a', true)).toEqual([{ kind: 'code', code: 'let a', language: 'js' }])
  })

  it('shows maths without an end as maths', () => {
    expect(split('So:\n\n$$\n\\frac{a', true)).toEqual([
      { kind: 'text', raw: 'So:' },
      { kind: 'maths', tex: '\\frac{a}{}' },
    ])
    expect(split('\\[ x^{2', true)).toEqual([{ kind: 'maths', tex: 'x^{2}' }])
    expect(kinds(split('```\n$$\n', true))).toEqual(['code'])
  })

  it('ends like the whole text does, wherever the stream was cut', () => {
    const text = [
      '# Title',
      'A *word* and **more** with `code`.',
      '- one\n- two\n  1. deep\n  2. er',
      '```rust\nfn main() {}\n```',
      '| a | b |\n|---|---|\n| 1 | 2 |',
      '> quote',
      '$$\nE = mc^2\n$$',
      'The end, \\(x\\).',
    ].join('\n\n')
    const splitter = new Splitter()
    for (let end = 1; end <= text.length; end++) splitter.split(text.slice(0, end), true)
    expect(splitter.split(text, false)).toEqual(split(text))
    const streamed = new Splitter()
    for (let end = 1; end < text.length; end += 7) streamed.split(text.slice(0, end), true)
    expect(kinds(streamed.split(text, true))).toEqual(kinds(split(text)))
  })

  it('keeps the identity of blocks that can no longer change', () => {
    const splitter = new Splitter()
    const text = 'one\n\ntwo\n\nthree\n\nfour\n\nfi'
    const before = splitter.split(text, true)
    const after = splitter.split(`${text}ve`, true)
    expect(after[0]).toBe(before[0])
    expect(after).toHaveLength(5)
  })

  it('never changes the number of shown blocks back and forth by a marker alone', () => {
    expect(split('Text\n-', true)).toEqual([{ kind: 'text', raw: 'Text\n' }])
    expect(split('Text\n---', true)).toEqual([{ kind: 'text', raw: 'Text\n' }])
  })
})

describe('closing', () => {
  const cases: [string, string][] = [
    ['a **bo', 'a **bo**'],
    ['a **', 'a'],
    ['a **bold** b', 'a **bold** b'],
    ['a *it', 'a *it*'],
    ['**bold *both', '**bold *both***'],
    ['2 * 3 = 6', '2 * 3 = 6'],
    ['snake_case_name', 'snake_case_name'],
    ['use `co', 'use `co`'],
    ['use `', 'use '],
    ['see [docs](https://exa', 'see docs'],
    ['see [docs](https://example.org) now', 'see [docs](https://example.org) now'],
    ['so \\(x^2', 'so \\(x^2\\)'],
    ['so \\(', 'so '],
    ['so $x', 'so $x$'],
    ['it costs $5', 'it costs $5'],
    ['- a **b', '- a **b**'],
    ['- a **b**\n- c', '- a **b**\n- c'],
    ['| a | b', '| a | b|\n|---|---|'],
    ['| a | b |\n|-', '| a | b |\n|---|---|'],
    ['| a |\n|---|\n| **x', '| a |\n|---|\n| **x**'],
    ['## Head *i', '## Head *i*'],
  ]
  it.each(cases)('%j → %j', (raw, closed) => expect(closeTail(raw)).toBe(closed))

  it.each([
    ['\\frac{1}{2', '\\frac{1}{2}'],
    ['x^', 'x'],
    ['\\left( a', '\\left( a\\right.'],
    ['\\begin{pmatrix} a & b', '\\begin{pmatrix} a & b\\end{pmatrix}'],
    ['a \\alp', 'a '],
    ['\\{ a', '\\{ a'],
  ])('TeX %j → %j', (tex, closed) => expect(closeTex(tex)).toBe(closed))
})

describe('markup', () => {
  it('shows a table with its alignment, in a frame that scrolls', () => {
    const table = html('| a | b |\n|---|--:|\n| 1 | 2 |')
    expect(table).toContain('<div class="wide" tabindex="0"')
    expect(table).toContain('class="to-right"')
  })
  it('leaves inline maths for drawing and money alone', () => {
    expect(html('so $x^2$ and \\(y\\)')).toContain('<span class="maths">x^2</span>')
    expect(html('it costs $5 and $10')).not.toContain('maths')
    expect(html('a $$x$$ b')).toContain('<span class="maths-block">x</span>')
  })
  it('shows task lists without form elements', () => {
    const list = html('- [x] done\n- [ ] open')
    expect(list).toContain('task-done')
    expect(list).not.toContain('<input')
  })
  it('keeps a list’s code together with its copy button', () => {
    expect(html('1. so\n   ```py\n   a = 1\n   ```')).toMatch(/<li>.*code-copy.*language-py/s)
  })
  it('gives text its own direction', () => expect(html('مرحبا بالعالم')).toContain('<p dir="auto">'))
})

describe('hostile text', () => {
  it.each([
    ['script', '<script>window.x=1</script>'],
    ['onerror', '<img src=x onerror=alert(1)>'],
    ['svg', '<svg onload=alert(1)><animate onbegin=alert(1)></svg>'],
    ['javascript link', '[click](javascript:alert(1))'],
    [
      'javascript link, disguised',
      '[click](JaVaScRiPt&#58;alert(1)) [x](&#x6A;avascript:alert(1)) [y](<java\tscript:alert(1)>)',
    ],
    ['vbscript', '[click](vbscript:x)'],
    ['data link', '[click](data:text/html,<script>1</script>)'],
    ['data picture', '![x](data:image/svg+xml;base64,PHN2Zz4=)'],
    ['remote picture', '![x](https://example.org/track.png)'],
    ['frame', '<iframe src="https://example.org"></iframe><object data=x></object><embed src=x>'],
    ['style', '<style>*{display:none}</style><p style="position:fixed">x</p>'],
    ['form', '<form action="https://example.org"><input name=a><button>send</button></form>'],
    ['attribute breakout', '[a](https://x/"onmouseover="alert(1)) `"><img src=x onerror=1>`'],
    ['fence breakout', '```"><img src=x onerror=alert(1)>\ncode\n```'],
    ['maths breakout', '$<img src=x onerror=alert(1)>$ and \\(</span><script>1</script>\\)'],
    ['allowed tag with handler', '<b onclick=alert(1)>x</b><br onload=alert(1)>'],
    ['mutation', '<noscript><p title="</noscript><img src=x onerror=alert(1)>">'],
  ])('%s', (_name, text) => {
    const box = document.createElement('div')
    for (const block of split(text)) if (block.kind === 'text') box.innerHTML += html(block.raw)
    expect(box.querySelector('script,img,svg,iframe,object,embed,style,form,input,link,meta,base')).toBeNull()
    for (const element of box.querySelectorAll('*')) {
      for (const { name, value } of element.attributes) {
        expect(name).not.toMatch(/^on|^style$|^src/)
        if (name === 'href') expect(value).toMatch(/^(https?|mailto):/)
      }
    }
  })

  const million = 1_000_000
  it.each([
    ['one line of a megabyte', 'a'.repeat(million)],
    ['a megabyte of brackets', '['.repeat(million)],
    ['200 KB of stars', '*a'.repeat(48_000)],
    ['underscores', '_a '.repeat(30_000)],
    ['backticks', '`a'.repeat(45_000)],
    ['brackets below the limit', '[('.repeat(45_000)],
    ['few but nested brackets', '['.repeat(1_400)],
    ['few but nested stars', '**a *b '.repeat(280)],
    ['quotes in quotes', `${'>'.repeat(5_000)} x`],
    ['quotes in quotes with blanks', `${'> '.repeat(5_000)} x`],
    ['lists in lists', Array.from({ length: 500 }, (_, i) => `${'  '.repeat(i)}- x`).join('\n')],
    ['lists in a line', `${'- '.repeat(5_000)}x`],
    ['pipes', `|${'a|'.repeat(24_000)}\n|${'-|'.repeat(24_000)}\n`],
    ['dollars', '$a '.repeat(30_000)],
    ['open maths', `${'\\( '.repeat(30_000)}`],
    ['open display maths', `$$\n${'{'.repeat(50_000)}`],
    ['blank lines', '\n'.repeat(95_000)],
    ['blanks', ' '.repeat(95_000)],
    ['many paragraphs', 'a\n\n'.repeat(30_000)],
    ['many table rows', `|a|b|\n|-|-|\n${'|1|2|\n'.repeat(400)}`],
    ['entities', '&amp;'.repeat(19_000)],
    ['angle brackets', '<a '.repeat(30_000)],
    ['link definitions', '[a]: b\n'.repeat(12_000)],
    ['a fence of a megabyte', `\`\`\`js\n${'let a = 1\n'.repeat(100_000)}`],
  ])('does not stall on %s', (_name, text) => {
    const began = process.cpuUsage()
    for (const open of [true, false]) {
      for (const block of split(text, open).slice(0, 50)) if (block.kind === 'text') html(block.raw)
    }
    // Processor time, since the machine may be busy with something else.
    expect(process.cpuUsage(began).user / 1_000).toBeLessThan(3_000)
  })

  it('loses nothing of what it does not read as markdown', () => {
    const text = `${'x'.repeat(150_000)}\n${'y'.repeat(150_000)}`
    expect(
      split(text)
        .map((block) => (block.kind === 'plain' ? block.text : ''))
        .join(''),
    ).toBe(text)
  })
})

describe('colours', () => {
  it('knows usual names, and none of the prototype', () => {
    expect(grammarOf('PY')).toBe('python')
    expect(grammarOf('c++')).toBe('cpp')
    expect(grammarOf('constructor')).toBeNull()
    expect(grammarOf('')).toBeNull()
  })
  it('escapes what it colours', async () => {
    expect(await loadGrammar('javascript')).toBe(true)
    expect(colour('let a = "<img src=x>"', 'javascript')).toContain('&lt;img')
  })
})
