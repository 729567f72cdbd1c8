/** Where a command writes and what it may know of the process; a test gives its own. */
export interface CommandSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly write: (text: string) => void
  readonly writeError: (text: string) => void
  /** Asks a terminal for it without showing it; else everything on standard input. */
  readonly readSecret: (prompt: string) => Promise<string>
}
