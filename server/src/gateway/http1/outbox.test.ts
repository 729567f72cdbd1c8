import { performance } from 'node:perf_hooks'
import { Writable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Outbox } from './outbox.ts'
import { writeMessage } from './write.ts'

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
  let nowMs = 0
  beforeEach(() => void vi.spyOn(performance, 'now').mockImplementation(() => nowMs))
  afterEach(() => void vi.restoreAllMocks())

  it('leave at its end, those of one socket in one call and in order', async () => {
    const [one, other] = [new Wire(), new Wire()]
    const outbox = new Outbox(one)
    writeMessage(outbox, 'a', undefined)
    writeMessage(new Outbox(other), 'x', Buffer.from('y'))
    writeMessage(outbox, 'b', Buffer.from('c'))
    outbox.write('d')
    expect([one.calls, other.calls]).toEqual([[], []])
    await turn()
    expect([one.texts, other.texts]).toEqual([['abcd'], ['xy']])
  })

  it('leave before the end of the socket', async () => {
    const wire = new Wire()
    const outbox = new Outbox(wire)
    writeMessage(outbox, 'last words', undefined)
    outbox.end()
    await turn()
    await turn()
    expect(wire.texts).toEqual(['last words'])
    expect(wire.writableFinished).toBe(true)
  })

  it('leave with the end of the socket, which is told when the kernel has it', async () => {
    const wire = new Wire()
    const outbox = new Outbox(wire)
    const told: string[] = []
    writeMessage(outbox, 'last ', Buffer.from('words'))
    outbox.end(() => told.push('finished'))
    await turn()
    expect([wire.texts, told]).toEqual([[], []])
    await turn()
    expect([wire.texts, told]).toEqual([['last words'], ['finished']])
    expect(wire.errored).toBe(null)
  })

  it('that are the last of their sockets wait for those of the next turns', async () => {
    const wires: Wire[] = []
    const isOut = (): boolean[] => wires.map((wire) => wire.writableFinished)
    const endOne = (): void => {
      const wire = new Wire()
      const outbox = new Outbox(wire)
      wires.push(wire)
      writeMessage(outbox, 'bye', undefined)
      outbox.end()
    }
    for (let count = 1; count < 6; count++) {
      endOne()
      await turn()
      expect(isOut()).toEqual(Array.from({ length: count }, () => false))
    }
    // A turn without another one, or with another message.
    await turn()
    expect(isOut()).toEqual(Array.from({ length: 5 }, () => true))
    endOne()
    writeMessage(new Outbox(new Wire()), 'not the last', undefined)
    await turn()
    expect(isOut()).toEqual(Array.from({ length: 6 }, () => true))
    // No turn after the sixteenth is waited for.
    for (let count = 0; count < 16; count++) {
      endOne()
      await turn()
    }
    expect(isOut()).toEqual(Array.from({ length: 22 }, () => true))
  })

  it('that are the last of their sockets wait for other turns a millisecond at most', async () => {
    const wires = [new Wire(), new Wire()]
    for (const wire of wires) {
      const outbox = new Outbox(wire)
      writeMessage(outbox, 'bye', undefined)
      outbox.end()
      await turn()
      expect(wire.writableFinished).toBe(wire === wires[1])
      nowMs += 1
    }
    expect(wires.map(({ texts }) => texts)).toEqual([['bye'], ['bye']])
  })

  it('do not wait for more than a few others', async () => {
    const wires = Array.from({ length: 100 }, () => new Wire())
    for (const wire of wires) writeMessage(new Outbox(wire), 'x', undefined)
    expect(wires.filter((wire) => wire.texts.join('') === 'x')).toHaveLength(96)
    await turn()
    expect(wires.filter((wire) => wire.texts.join('') === 'x')).toHaveLength(100)
  })

  it('keep their bytes while the socket is behind', async () => {
    const wire = new Wire({ slow: true })
    const outbox = new Outbox(wire)
    const others: Wire[] = []
    for (let round = 0; round < 3; round++) {
      writeMessage(outbox, `head ${round} `, Buffer.alloc(20_000, String(round)))
      const other = new Wire()
      others.push(other)
      writeMessage(new Outbox(other), 'other ', Buffer.from('body'))
      await turn()
      expect(wire.texts[0] === `head 0 ${'0'.repeat(20_000)}`).toBe(true)
    }
    wire.takeNext()
    await turn()
    const all = [0, 1, 2].map((round) => `head ${round} ${String(round).repeat(20_000)}`).join('')
    expect(wire.texts.join('') === all).toBe(true)
    expect(others.map((other) => other.texts)).toEqual([['other body'], ['other body'], ['other body']])
  })

  it('keep their bytes too where their socket was ended while it was behind', async () => {
    const wire = new Wire({ slow: true })
    const outbox = new Outbox(wire)
    writeMessage(outbox, 'first ', Buffer.from('body'))
    outbox.end()
    await turn()
    writeMessage(new Outbox(new Wire()), 'other ', Buffer.from('text'))
    await turn()
    expect(wire.texts).toEqual(['first body'])
  })

  it('have memory of their own each, also where there is not enough for all of the turn', async () => {
    // Large ones use the memory up, small ones the number that may wait.
    for (const bytes of [30_000, 100]) {
      const wires = Array.from({ length: 50 }, (_, at) => ({ wire: new Wire(), text: String.fromCharCode(48 + at) }))
      for (const { wire, text } of wires) writeMessage(new Outbox(wire), text, Buffer.alloc(bytes, text))
      await turn()
      for (const { wire, text } of wires) expect(wire.texts.join('') === text.repeat(bytes + 1)).toBe(true)
    }
  })

  it('are not held back where they are still to be encrypted', () => {
    const wire = Object.assign(new Wire(), { encrypted: true })
    const outbox = new Outbox(wire)
    writeMessage(outbox, 'at once', undefined)
    writeMessage(outbox, ' and', Buffer.from(' this'))
    expect(wire.texts).toEqual(['at once', ' and this'])
  })

  it('never reach a socket that was destroyed', async () => {
    const wire = new Wire()
    const outbox = new Outbox(wire)
    writeMessage(outbox, 'too late', undefined)
    wire.destroy()
    await turn()
    expect(wire.texts).toEqual([])
    expect(wire.errored).toBe(null)
  })

  it('tell whoever writes after them when to wait', async () => {
    const wire = new Wire({ slow: true })
    const outbox = new Outbox(wire)
    writeMessage(outbox, 'head', undefined)
    expect(outbox.write(Buffer.alloc(wire.writableHighWaterMark))).toBe(false)
    await turn()
    expect(wire.calls.map((pieces) => pieces.length)).toEqual([2])
  })

  it('are handed over once, however many there are', async () => {
    const wire = new Wire()
    const outbox = new Outbox(wire)
    for (const text of ['a', 'b', 'c']) writeMessage(outbox, text, undefined)
    expect(wire.writableCorked).toBe(1)
    await turn()
    expect(wire.writableCorked).toBe(0)
    writeMessage(outbox, 'next turn', undefined)
    await turn()
    expect(wire.texts).toEqual(['abc', 'next turn'])
  })
})
