// WebKitGTK calls the language "C" where no locale is set, and code that hands it to Intl then throws while it loads.
// Imported before everything else.

function accepted(language: string): boolean {
  try {
    return Intl.NumberFormat.supportedLocalesOf(language).length > 0
  } catch {
    return false
  }
}

if (!accepted(navigator.language)) {
  const languages = navigator.languages.filter(accepted)
  const usable = languages.length > 0 ? languages : ['en-US']
  Object.defineProperty(navigator, 'language', { value: usable[0], configurable: true })
  Object.defineProperty(navigator, 'languages', { value: Object.freeze(usable), configurable: true })
}

export {}
