// Which items of a long list are drawn, and how what is read stays in its place while heights become known.

/** Where an item stands: its distance from the upper edge of what is seen, in pixels. */
export interface Anchor {
  key: string
  offset: number
}

export class Virtual<T> {
  scrollTop = $state(0)
  viewHeight = $state(0)
  #heights = new Map<string, number>()
  #measured = $state(0)

  constructor(
    private readonly items: () => readonly T[],
    private readonly key: (item: T) => string,
    private readonly estimate: (item: T) => number,
    /** Pixels drawn beyond both edges. */
    private readonly overscan: () => number,
  ) {}

  /** The upper edge of every item, and the lower edge of the last one. */
  readonly edges = $derived.by(() => {
    void this.#measured
    const items = this.items()
    const edges = new Float64Array(items.length + 1)
    for (let index = 0; index < items.length; index += 1) {
      const item = items[index]!
      edges[index + 1] = edges[index]! + (this.#heights.get(this.key(item)) ?? this.estimate(item))
    }
    return edges
  })

  readonly total = $derived(this.edges[this.edges.length - 1]!)
  readonly first = $derived.by(() => Math.max(0, this.indexAt(this.scrollTop - this.overscan())))
  readonly end = $derived.by(() =>
    Math.min(this.items().length, this.indexAt(this.scrollTop + this.viewHeight + this.overscan()) + 1),
  )
  readonly before = $derived(this.edges[this.first]!)
  readonly after = $derived(this.total - this.edges[this.end]!)

  /** The item at a height. */
  indexAt(y: number): number {
    let low = 0
    let high = this.edges.length - 2
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.edges[middle]! <= y) low = middle
      else high = middle - 1
    }
    return low
  }

  indexOf(key: string): number {
    return this.items().findIndex((item) => this.key(item) === key)
  }

  /** What is read: the first item that can be seen. */
  anchor(): Anchor | null {
    const items = this.items()
    if (items.length === 0) return null
    const index = this.indexAt(this.scrollTop)
    return { key: this.key(items[index]!), offset: this.edges[index]! - this.scrollTop }
  }

  /** Where to scroll for an anchor to be where it was; `null` when its item is gone. */
  topOf(anchor: Anchor): number | null {
    const index = this.indexOf(anchor.key)
    return index < 0 ? null : this.edges[index]! - anchor.offset
  }

  measure(sizes: Iterable<[key: string, height: number]>): boolean {
    let changed = false
    for (const [key, height] of sizes) {
      if (height <= 0 || Math.abs((this.#heights.get(key) ?? -1) - height) < 0.5) continue
      this.#heights.set(key, height)
      changed = true
    }
    if (changed) this.#measured += 1
    return changed
  }
}
