/** Sentences of libraries and policies, made to stand inside one of ours. */

export function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1)
}

export function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, '')
}
