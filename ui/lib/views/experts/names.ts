import { expertName } from '$lib/i18n/expertWords'
import type { App } from '$lib/state/app.svelte'

/** Names as the person gave them, where they gave any. */
export function namesIn(app: App): (id: string | null) => string {
  return (id) => expertName(app.i18n, id, id === null ? undefined : app.experts.get(id))
}
