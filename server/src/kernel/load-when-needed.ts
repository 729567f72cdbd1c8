/** Packages that only some configurations need: loaded by the first that does, so that no other pays their memory. */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** Returns a function that gives the module of a package; its type is the caller's word, the `typeof` of its import. */
export function loadWhenNeeded<Module>(name: string): () => Module {
  let loaded: Module | undefined
  return () => (loaded ??= require(name) as Module)
}
