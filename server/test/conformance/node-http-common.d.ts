/** Node's binding of llhttp: reachable, and without types of its own. Only what the oracle uses is declared. */
declare module 'node:_http_common' {
  export interface Llhttp {
    initialize(kind: number, resource: object, maxHeaderBytes: number, lenientFlags: number): void
    execute(bytes: Buffer): number | (Error & { readonly reason?: string })
    free(): void
    [callback: number]: (...details: never[]) => unknown
  }
  const httpCommon: {
    readonly methods: readonly string[]
    readonly HTTPParser: Readonly<Record<string, number>> & (new () => Llhttp)
  }
  export default httpCommon
}
