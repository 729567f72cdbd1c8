/** Where the file of a thread stands: TypeScript in a checkout, JavaScript in the package. */

/** `name` is relative to the module that asks, without its ending: `toThreadUrl('./worker', import.meta.url)`. */
export function toThreadUrl(name: string, moduleUrl: string): URL {
  return new URL(moduleUrl.endsWith('.ts') ? `${name}.ts` : `${name}.js`, moduleUrl)
}
