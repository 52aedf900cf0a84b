// Class names joined; empty ones are left out.
export function classes(...names: (string | false | null | undefined)[]): string {
  return names.filter(Boolean).join(' ')
}

/** The surface of everything that floats above the page. */
export const POPPED = 'z-50 rounded-card border border-line bg-raised text-text shadow-pop appear outline-none'
/** One line of a menu or of a list of choices. */
export const MENU_ITEM =
  'flex min-h-8 w-full items-center gap-2.5 rounded-control px-2.5 text-sm outline-none select-none data-highlighted:bg-hover data-disabled:opacity-45'
export const FIELD =
  'rounded-control border border-line bg-raised px-3 text-sm text-text transition-colors hover:border-strong focus:border-accent focus:outline-2 focus:-outline-offset-1 focus:outline-accent aria-invalid:border-danger disabled:opacity-50'
