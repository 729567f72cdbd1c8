/** jose verifies signatures and claims; loaded with the first `jwt` of a configuration. */
import type * as Jose from 'jose'
import { loadWhenNeeded } from '../../kernel/load-when-needed.ts'

export const jose = loadWhenNeeded<typeof Jose>('jose')
