/**
 * The backend of the streaming scenario, a process of its own: GET sends as many bytes as the path says, POST counts what it
 * is sent, `/stall` never reads its body, and `/progress` tells how far it got. It stops at back-pressure, as it must.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { pipeline, Readable } from 'node:stream'

const block = Buffer.alloc(64 * 1024, 'headgate ')
const progress = { sentBytes: 0, receivedBytes: 0 }

const server = createServer({ requestTimeout: 0, headersTimeout: 0 }, (request, response) => {
  const [, action = '', argument = ''] = (request.url ?? '/').split('/')
  if (action === 'progress') return void response.end(JSON.stringify(progress))
  if (action === 'send') return send(response, Number(argument))
  if (action === 'stall') return void request.pause()
  receive(request, response)
})

function send(response: ServerResponse, bytes: number): void {
  progress.sentBytes = 0
  response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': bytes })
  pipeline(Readable.from(blocks(bytes), { objectMode: false, highWaterMark: block.length }), response, () => {
    // A reader that goes away in the middle is part of the scenario.
  })
}

function* blocks(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= block.length) {
    const piece = block.subarray(0, Math.min(block.length, left))
    progress.sentBytes += piece.length
    yield piece
  }
}

function receive(request: IncomingMessage, response: ServerResponse): void {
  progress.receivedBytes = 0
  request.on('data', (chunk: Buffer) => (progress.receivedBytes += chunk.length))
  request.once('end', () => response.end(JSON.stringify(progress)))
}

server.listen(Number(process.argv[2]), '127.0.0.1')
