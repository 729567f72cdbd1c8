/**
 * What a password may be (NIST SP 800-63B-4 §3.1.1.2): long enough, and none that everybody would try first. No rule
 * about kinds of characters: they make passwords that are written on paper.
 */
import { z } from 'zod'
import { refuse } from '../control-error.ts'
import { invalid } from '../problems.ts'
import { COMMON_PASSWORDS, COMMON_WORDS } from './common-passwords.ts'

export const password = z
  .string()
  .min(12, 'at least 12 characters')
  .max(256)
  .meta({ secret: true, description: '12 to 256 characters, none of the common ones.' })

/** Letters that stand for others where people believe that this helps. */
const DISGUISES: Readonly<Record<string, string>> = { '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't' }
const SIGNS: Readonly<Record<string, string>> = { '@': 'a', $: 's', '!': 'i' }

/** Refuses a password that a list of breached ones, the account or a keyboard suggests. */
export function checkPassword(text: string, account: { readonly email: string; readonly name: string }): void {
  const reason = findWeakness(text, account)
  if (reason !== undefined) refuse(invalid({ errors: [{ pointer: '/password', detail: reason }] }))
}

/** Why everybody would guess it; undefined when nothing says so. */
export function findWeakness(
  text: string,
  { email, name }: { readonly email: string; readonly name: string },
): string | undefined {
  const plain = text.toLowerCase()
  if (new Set(plain).size < 5) return 'it has too few different characters'
  if (COMMON_PASSWORDS.has(plain)) return 'it is one of the passwords that are tried first'
  if (isRun(plain)) return 'it is a row of the keyboard or the alphabet'
  const own = [...email.toLowerCase().split(/[^a-z0-9]+/), ...name.toLowerCase().split(/\s+/)]
  const words = [...COMMON_WORDS, ...own.filter((word) => word.length >= 4)]
  // What is left when the words that everybody tries are taken out has to be long enough to count.
  const rest = withoutWords(undisguise(plain), words)
  return rest.length < 6 ? 'it is made of words and digits that are tried first' : undefined
}

function undisguise(text: string): string {
  return Array.from(text, (letter) => DISGUISES[letter] ?? SIGNS[letter] ?? letter).join('')
}

function withoutWords(text: string, words: readonly string[]): string {
  let rest = text
  for (const word of words.toSorted((a, b) => b.length - a.length)) rest = rest.replaceAll(undisguise(word), '')
  return rest
}

const ROWS = ['abcdefghijklmnopqrstuvwxyz', '01234567890', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'qwertzuiop']

/** Whether most of it is pieces of four or more neighbours, forwards or backwards. */
function isRun(text: string): boolean {
  const rows = [...ROWS, ...ROWS.map((row) => Array.from(row).toReversed().join(''))]
  const isNeighbour = (at: number): boolean => rows.some((row) => row.includes(text.slice(at, at + 3)))
  const starts = Array.from({ length: text.length - 2 }, (_, at) => at).filter(isNeighbour)
  const covered = new Set(starts.flatMap((at) => [at, at + 1, at + 2]))
  return text.length - covered.size < 4
}
