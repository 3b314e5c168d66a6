/* Comfort on top of pages that work without it: local times, copying, shortcuts, live parts, filters that answer while one types. */

const localTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const localSeconds = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

/** Times come in UTC and are shown in the viewer's own zone; UTC stays a hover away. */
function dress(root) {
  for (const time of root.querySelectorAll('time[data-local]')) {
    const at = new Date(time.dateTime)
    time.textContent = localTime.format(at)
    time.title = `${localSeconds.format(at)}, ${time.title}`
    time.removeAttribute('data-local')
  }
  for (const time of root.querySelectorAll('time[data-relative]')) {
    time.title = `${localSeconds.format(new Date(time.dateTime))}, ${time.title}`
    time.removeAttribute('data-relative')
  }
  for (const button of root.querySelectorAll('[data-copy]')) button.hidden = false
  for (const button of root.querySelectorAll('[data-without-script]')) button.hidden = true
}

async function copy(button) {
  const text = document.getElementById(button.dataset.copy).textContent
  const label = button.querySelector('span')
  const before = label.textContent
  try {
    await navigator.clipboard.writeText(text)
    label.textContent = 'Copied'
  } catch {
    // Not on a page without TLS: then the text is marked, and the keyboard copies it.
    getSelection().selectAllChildren(document.getElementById(button.dataset.copy))
    label.textContent = 'Press Ctrl+C'
  }
  setTimeout(() => {
    label.textContent = before
  }, 2000)
}

/** A part of the page that the server sends again when it has changed; not while nobody looks. */
function watchLive(element) {
  let source = null
  const start = () => {
    if (source !== null || document.hidden || element.dataset.livePaused !== undefined) return
    source = new EventSource(element.dataset.live)
    source.onmessage = ({ data }) => show(element, data)
    source.addEventListener('end', stop)
  }
  const stop = () => {
    source?.close()
    source = null
  }
  document.addEventListener('visibilitychange', () => (document.hidden ? stop() : start()))
  element.addEventListener('live:toggle', () => (element.dataset.livePaused === undefined ? start() : stop()))
  addEventListener('pagehide', stop)
  start()
}

/** What stands in a part, as it came: what has not changed stays as it is, with the pointer over it. */
const shown = new Map()

/** The server's own HTML, whose texts it has escaped. */
function show(element, html) {
  const parsed = new DOMParser().parseFromString(html, 'text/html')
  for (const part of [...parsed.body.children]) {
    const old = part.id ? document.getElementById(part.id) : null
    const source = part.outerHTML
    if (shown.get(part.id) === source) continue
    if (old === null || old.contains(document.activeElement) || old.matches(':has(details[open])')) continue
    shown.set(part.id, source)
    dress(part)
    old.replaceWith(document.adoptNode(part))
    globalThis.htmx?.process(part)
    globalThis.drawCharts?.(part)
  }
  element.dispatchEvent(new CustomEvent('live:shown', { bubbles: true }))
}

function setUpShortcuts() {
  let leader = Number.NEGATIVE_INFINITY
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (event.target.closest('input, select, textarea, [contenteditable]')) {
      if (event.key === 'Escape') event.target.blur()
      return
    }
    const isSecond = performance.now() - leader < 1500
    leader = Number.NEGATIVE_INFINITY
    if (isSecond) {
      const link = document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`)
      if (link) {
        event.preventDefault()
        link.click()
      }
    } else if (event.key === 'g') {
      leader = performance.now()
    } else if (event.key === '/') {
      event.preventDefault()
      document.querySelector('[data-search]')?.focus()
    } else if (event.key === '?') {
      document.getElementById('shortcuts')?.showModal()
    }
  })
}

function setUpClicks() {
  document.addEventListener('click', (event) => {
    const copier = event.target.closest('[data-copy]')
    if (copier) return void copy(copier)
    const closer = event.target.closest('[data-close]')
    if (closer) closer.closest('details').open = false
    const pauser = event.target.closest('[data-live-toggle]')
    if (pauser) toggleLive(pauser)
    const ticker = event.target.closest('[data-tick-all]')
    if (ticker)
      for (const box of document.querySelectorAll(`input[name="${CSS.escape(ticker.dataset.tickAll)}"]`))
        box.checked = ticker.checked
    // A question that was asked goes away when one clicks elsewhere.
    for (const open of document.querySelectorAll('details.confirm[open]'))
      if (!open.contains(event.target)) open.open = false
  })
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return
    for (const open of document.querySelectorAll('details.confirm[open]')) {
      open.open = false
      open.querySelector('summary').focus()
    }
  })
  document.addEventListener('change', (event) => {
    if (event.target.matches('[data-submit-on-change]')) event.target.form.requestSubmit()
  })
}

function toggleLive(button) {
  const element = document.querySelector('[data-live]')
  if (element.dataset.livePaused === undefined) element.dataset.livePaused = ''
  else delete element.dataset.livePaused
  button.setAttribute('aria-pressed', String(element.dataset.livePaused === undefined))
  element.dispatchEvent(new CustomEvent('live:toggle'))
}

dress(document)
setUpShortcuts()
setUpClicks()
for (const element of document.querySelectorAll('[data-live]')) watchLive(element)
for (const toast of document.querySelectorAll('.toast')) setTimeout(() => toast.remove(), 6000)
document.addEventListener('htmx:after:swap', () => {
  dress(document)
  globalThis.drawCharts?.(document)
})
