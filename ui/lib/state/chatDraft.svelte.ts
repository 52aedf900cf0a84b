// What is typed and not sent. Each key is saved at once, and what is typed while a save is under way is saved after it,
// together: a window that closes, however it closes, takes no words with it.

export class Draft {
  #text = $state('')
  #saved: string
  #saving: Promise<void> | null = null

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
    void this.flush()
  }

  /** Resolves when everything typed is saved, or could not be. */
  flush(): Promise<void> {
    this.#saving ??= this.#saveAll().finally(() => (this.#saving = null))
    return this.#saving
  }

  async #saveAll(): Promise<void> {
    while (this.#text !== this.#saved) {
      const text = this.#text
      try {
        await this.save(text)
        this.#saved = text
      } catch {
        // Still only in this window: the next key or the next navigation tries again.
        return
      }
    }
  }
}
