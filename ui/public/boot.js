// Runs before everything else, as plain old JavaScript: no flash of the wrong theme, and words instead of a blank
// window when the program itself cannot run.
;(function () {
  var root = document.documentElement
  var theme = null
  var language = null
  try {
    theme = localStorage.getItem('r3mes.theme')
    language = localStorage.getItem('r3mes.language')
  } catch (_) {
    // No storage: the system decides.
  }
  if (theme !== 'light' && theme !== 'dark') {
    theme = window.matchMedia && matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  }
  root.dataset.theme = theme
  if (language !== 'tr' && language !== 'en') {
    language = /^tr\b/i.test(navigator.language || '') ? 'tr' : 'en'
  }
  root.lang = language

  var words =
    language === 'tr'
      ? { slow: 'Açılıyor…', failed: 'Pencere açılamadı.', again: 'Yeniden dene' }
      : { slow: 'Starting…', failed: 'The window could not start.', again: 'Try again' }
  var problems = []

  function show(text, failed) {
    var boot = document.getElementById('boot')
    if (!boot) return
    boot.querySelector('p').textContent = text
    if (failed) {
      boot.dataset.failed = ''
      boot.setAttribute('role', 'alert')
      var button = boot.querySelector('button')
      button.textContent = words.again
      button.onclick = function () {
        location.reload()
      }
    }
  }

  function problem(text) {
    // Said by web views when an observer needs a second round; nothing is wrong.
    if (/ResizeObserver loop/.test(text)) return
    problems.push(text)
    var hand = window.r3mesReport
    if (hand) hand(text)
    show(words.failed + '\n' + text, true)
  }

  window.r3mesBoot = {
    problems: problems,
    phase: function (text) {
      show(text, false)
    },
    failed: problem,
    done: function () {
      var boot = document.getElementById('boot')
      if (boot) boot.remove()
    },
  }

  window.addEventListener(
    'error',
    function (event) {
      var source = event.target && (event.target.src || event.target.href)
      // Of things that failed to load only the program itself matters here.
      if (event.message)
        problem(
          event.message + (event.filename ? ' (' + event.filename.split('/').pop() + ':' + event.lineno + ')' : ''),
        )
      else if (source && event.target.tagName === 'SCRIPT') problem('cannot load `' + source.split('/').pop() + '`')
    },
    true,
  )
  window.addEventListener('unhandledrejection', function (event) {
    var reason = event.reason
    problem(reason && reason.message ? reason.message : String(reason))
  })
  document.addEventListener('DOMContentLoaded', function () {
    setTimeout(function () {
      show(words.slow, false)
    }, 800)
  })
})()
