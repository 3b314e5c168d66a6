/** Where to go on, as a page said it in its address or a form: inside the console, or to its front page. */
export function safeTarget(given: string): string {
  // A backslash is a slash to browsers, and control characters are nothing to them.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (!/^\/admin(?:[/?#]|$)/.test(given) || /[\\\u0000-\u0020\u007f]/.test(given)) return '/admin'
  const url = URL.canParse(given, 'http://host') ? new URL(given, 'http://host') : null
  // Dots may have led elsewhere.
  if (url === null || url.host !== 'host' || !/^\/admin(?:\/|$)/.test(url.pathname)) return '/admin'
  return url.pathname + url.search + url.hash
}
