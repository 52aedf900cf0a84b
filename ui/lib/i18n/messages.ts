// How texts are written down and typed. A text is a sentence with `{names}`, or one sentence per plural category.

export type Plural = { readonly one: string; readonly other: string }
export type Text = string | Plural
export type Area = Record<string, Text>

/** The same keys in another language; what was counted stays counted. */
export type Translation<A extends Area> = { readonly [K in keyof A]: A[K] extends string ? string : Plural }

type Names<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never
type NamesOf<T> = T extends Plural ? 'count' | Names<T['one']> | Names<T['other']> : Names<T>

/** What has to be given along with a key; nothing, when its text has no names. */
export type Values<T> = [NamesOf<T>] extends [never]
  ? []
  : [values: { [N in NamesOf<T>]: N extends 'count' ? number | string : string | number }]

export function fill(text: string, values: Record<string, string | number> | undefined): string {
  return values ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole)) : text
}

export function placeholders(text: Text): string[] {
  const all = typeof text === 'string' ? [text] : Object.values(text)
  return [...new Set(all.flatMap((one) => [...one.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!)))].sort()
}
