import { Writable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { holdBack, holdBackWith } from './hold-back.ts'
import { writeMessage, writeMessageNow } from './write.ts'

/** A socket that notes what reaches the kernel, call by call; a slow one takes the next only when it is told to. */
class Wire extends Writable {
  readonly calls: Uint8Array[][] = []
  private readonly slow: boolean
  private taken: () => void = () => undefined

  constructor({ slow = false } = {}) {
    super({ decodeStrings: true })
    this.slow = slow
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.take([chunk], done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.take(
      chunks.map(({ chunk }) => chunk),
      done,
    )
  }

  get texts(): string[] {
    return this.calls.map((pieces) => Buffer.concat(pieces).toString())
  }

  takeNext(): void {
    this.taken()
  }

  private take(pieces: Uint8Array[], done: () => void): void {
    // The kernel copies what it takes; what waits for it is looked at where it lies.
    this.calls.push(this.slow ? pieces : pieces.map((piece) => Buffer.from(piece)))
    if (this.slow) this.taken = done
    else done()
  }
}

describe('messages of one turn of the event loop', () => {
  it('leave at its end, those of one socket in one call and in order', async () => {
    const [one, other] = [new Wire(), new Wire()]
    writeMessage(one, 'a', undefined)
    writeMessageNow(other, 'x', Buffer.from('y'))
    writeMessageNow(one, 'b', Buffer.from('c'))
    one.write('d', 'latin1')
    expect([one.calls, other.calls]).toEqual([[], []])
    await turn()
    expect([one.texts, other.texts]).toEqual([['abcd'], ['xy']])
  })

  it('leave before the end of the socket', async () => {
    const wire = new Wire()
    writeMessage(wire, 'last words', undefined)
    wire.end()
    await turn()
    expect(wire.texts).toEqual(['last words'])
    expect(wire.writableFinished).toBe(true)
  })

  it('do not wait for more than a few others', async () => {
    const wires = Array.from({ length: 100 }, () => new Wire())
    for (const wire of wires) writeMessage(wire, 'x', undefined)
    expect(wires.filter((wire) => wire.texts.join('') === 'x')).toHaveLength(96)
    await turn()
    expect(wires.filter((wire) => wire.texts.join('') === 'x')).toHaveLength(100)
  })

  it('keep their bytes while the socket is behind', async () => {
    const wire = new Wire({ slow: true })
    const others: Wire[] = []
    for (let round = 0; round < 3; round++) {
      writeMessageNow(wire, `head ${round} `, Buffer.alloc(20_000, String(round)))
      const other = new Wire()
      others.push(other)
      writeMessageNow(other, 'other ', Buffer.from('body'))
      await turn()
      expect(wire.texts[0] === `head 0 ${'0'.repeat(20_000)}`).toBe(true)
    }
    wire.takeNext()
    await turn()
    const all = [0, 1, 2].map((round) => `head ${round} ${String(round).repeat(20_000)}`).join('')
    expect(wire.texts.join('') === all).toBe(true)
    expect(others.map((other) => other.texts)).toEqual([['other body'], ['other body'], ['other body']])
  })

  it('have memory of their own each, also where there is not enough for all of the turn', async () => {
    const wires = Array.from({ length: 20 }, (_, at) => ({ wire: new Wire(), text: String.fromCharCode(97 + at) }))
    for (const { wire, text } of wires) writeMessageNow(wire, text, Buffer.alloc(30_000, text))
    await turn()
    for (const { wire, text } of wires) expect(wire.texts.join('') === text.repeat(30_001)).toBe(true)
  })

  it('are not held back where they are still to be encrypted', () => {
    const wire = Object.assign(new Wire(), { encrypted: true })
    writeMessage(wire, 'at once', undefined)
    expect(wire.texts).toEqual(['at once'])
  })

  it('are held back once, however often it is asked for', async () => {
    const wire = new Wire()
    holdBack(wire)
    holdBackWith(wire, 8)
    expect(wire.writableCorked).toBe(1)
    await turn()
    expect(wire.writableCorked).toBe(0)
  })
})
