// Colours for code. A language's grammar is fetched the first time it is needed.

import hljs from 'highlight.js/lib/core'
import type { LanguageFn } from 'highlight.js'

/** Longer code stays plain: colouring it would stall the window. */
const MOST_CHARACTERS = 60_000

const GRAMMARS: Record<string, () => Promise<{ default: LanguageFn }>> = {
  bash: () => import('highlight.js/lib/languages/bash'),
  c: () => import('highlight.js/lib/languages/c'),
  cpp: () => import('highlight.js/lib/languages/cpp'),
  csharp: () => import('highlight.js/lib/languages/csharp'),
  css: () => import('highlight.js/lib/languages/css'),
  diff: () => import('highlight.js/lib/languages/diff'),
  go: () => import('highlight.js/lib/languages/go'),
  ini: () => import('highlight.js/lib/languages/ini'),
  java: () => import('highlight.js/lib/languages/java'),
  javascript: () => import('highlight.js/lib/languages/javascript'),
  json: () => import('highlight.js/lib/languages/json'),
  kotlin: () => import('highlight.js/lib/languages/kotlin'),
  php: () => import('highlight.js/lib/languages/php'),
  python: () => import('highlight.js/lib/languages/python'),
  ruby: () => import('highlight.js/lib/languages/ruby'),
  rust: () => import('highlight.js/lib/languages/rust'),
  sql: () => import('highlight.js/lib/languages/sql'),
  swift: () => import('highlight.js/lib/languages/swift'),
  typescript: () => import('highlight.js/lib/languages/typescript'),
  xml: () => import('highlight.js/lib/languages/xml'),
  yaml: () => import('highlight.js/lib/languages/yaml'),
}

const ALIASES: Record<string, string> = {
  sh: 'bash',
  shell: 'bash',
  zsh: 'bash',
  console: 'bash',
  h: 'c',
  'c++': 'cpp',
  cc: 'cpp',
  hpp: 'cpp',
  cs: 'csharp',
  'c#': 'csharp',
  patch: 'diff',
  golang: 'go',
  toml: 'ini',
  js: 'javascript',
  jsx: 'javascript',
  mjs: 'javascript',
  jsonc: 'json',
  kt: 'kotlin',
  py: 'python',
  python3: 'python',
  rb: 'ruby',
  rs: 'rust',
  ts: 'typescript',
  tsx: 'typescript',
  svelte: 'xml',
  html: 'xml',
  vue: 'xml',
  svg: 'xml',
  yml: 'yaml',
}

/** The grammar for what stands after the fence, or `null`. */
export function grammarOf(name: string): string | null {
  const lower = name.toLowerCase()
  const grammar = Object.hasOwn(ALIASES, lower) ? ALIASES[lower]! : lower
  return Object.hasOwn(GRAMMARS, grammar) ? grammar : null
}

/** Answers whether the grammar is there. */
export async function loadGrammar(grammar: string): Promise<boolean> {
  if (hljs.getLanguage(grammar)) return true
  try {
    const module = await GRAMMARS[grammar]!()
    hljs.registerLanguage(grammar, module.default)
    return true
  } catch {
    return false
  }
}

/** Escaped markup with classes, or `null` where the code stays plain. */
export function colour(code: string, grammar: string | null): string | null {
  if (grammar === null || code.length > MOST_CHARACTERS || !hljs.getLanguage(grammar)) return null
  return hljs.highlight(code, { language: grammar, ignoreIllegals: true }).value
}
