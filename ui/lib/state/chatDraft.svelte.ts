// What is typed and not sent. It is saved a moment after the last key, and at once when the person goes elsewhere.

const SAVE_AFTER_MS = 400

export class Draft {
  #text = $state('')
  #saved: string
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    text: string,
    private readonly save: (text: string) => Promise<void>,
    private readonly changed: () => void = () => {},
  ) {
    this.#text = text
    this.#saved = text
  }

  get text(): string {
    return this.#text
  }

  set text(text: string) {
    if (text === this.#text) return
    this.#text = text
    this.changed()
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.flush(), SAVE_AFTER_MS)
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    const text = this.#text
    if (text === this.#saved) return
    const before = this.#saved
    this.#saved = text
    try {
      await this.save(text)
    } catch {
      // Still only in this window: the next key or the next navigation tries again.
      if (this.#saved === text) this.#saved = before
    }
  }
}
