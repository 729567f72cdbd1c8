/**
 * A DNS server for tests (RFC 1035 over UDP): answers SRV questions from a table, and says SERVFAIL or NXDOMAIN
 * otherwise.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

export interface TestServiceRecord {
  readonly priority: number
  readonly weight: number
  readonly port: number
  readonly name: string
}

const SRV = 33
const SERVER_FAILURE = 2
const NO_SUCH_NAME = 3

export class DnsServer {
  /** `address:port`, as `Resolver.setServers` takes it. */
  readonly address: string
  /** What it answers; a test may change it at any time. */
  readonly services: Map<string, readonly TestServiceRecord[]>
  /** Every question is answered with SERVFAIL while this is true. */
  broken = false
  private readonly socket: Socket

  private constructor(socket: Socket, services: Map<string, readonly TestServiceRecord[]>) {
    this.socket = socket
    this.services = services
    this.address = `127.0.0.1:${socket.address().port}`
    socket.on('message', (question, from) => socket.send(this.answer(question), from.port, from.address))
  }

  static async start(services: Readonly<Record<string, readonly TestServiceRecord[]>>): Promise<DnsServer> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return new DnsServer(socket, new Map(Object.entries(services)))
  }

  close(): void {
    this.socket.close()
  }

  private answer(question: Buffer): Buffer {
    const end = question.indexOf(0, 12) + 5
    const records = this.broken ? undefined : this.services.get(readName(question))
    const head = Buffer.from(question.subarray(0, 12))
    head.writeUInt16BE(0x8180 | (this.broken ? SERVER_FAILURE : records === undefined ? NO_SUCH_NAME : 0), 2)
    head.writeUInt16BE(records?.length ?? 0, 6)
    head.writeUInt32BE(0, 8)
    return Buffer.concat([head, question.subarray(12, end), ...(records ?? []).map(toRecord)])
  }
}

function readName(question: Buffer): string {
  const labels: string[] = []
  let at = 12
  while (question[at] !== 0 && at < question.length) {
    const length = question[at] ?? 0
    labels.push(question.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  return labels.join('.').toLowerCase()
}

/** An answer whose name points back to the question (RFC 1035 §4.1.4). */
function toRecord({ priority, weight, port, name }: TestServiceRecord): Buffer {
  const labels = name === '.' ? [] : name.split('.')
  const target = Buffer.concat([
    ...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ])
  const fixed = Buffer.alloc(18)
  fixed.writeUInt16BE(0xc00c, 0)
  fixed.writeUInt16BE(SRV, 2)
  fixed.writeUInt16BE(1, 4)
  fixed.writeUInt32BE(60, 6)
  fixed.writeUInt16BE(6 + target.length, 10)
  fixed.writeUInt16BE(priority, 12)
  fixed.writeUInt16BE(weight, 14)
  fixed.writeUInt16BE(port, 16)
  return Buffer.concat([fixed, target])
}
